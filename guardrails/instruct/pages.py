"""What the rulebook says of a guardrail to the people of one project: the rules that hold, with examples and remedies of its frameworks."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cache

import msgspec

from guardrails import rulebook
from guardrails.instruct.seen import Seen
from guardrails.rulebook import GUARDRAILS, Example, Rule

FENCES = {"python": "python", "typescript": "typescript", "rust": "rust"}
PLAIN = frozenset({"plain", "console", "logging", "print"})  # what examples are written for that need no framework
COMMENTS = {"rust": "//", "typescript": "//"}
_IMPORT = re.compile(r"^(?:from|import) (\w+)", re.MULTILINE)
_EMPTY_TABLE = re.compile(r"\n*^\|[^\n]*\|\n\|(?:-+\|)+$(?!\n\|)", re.MULTILINE)
_VERSION = re.compile(r"\s+\d[\d.]*(?: and later)?$")


class Entry(msgspec.Struct, frozen=True):
    """A rule on its guardrail's page: the first paragraph of its reasons, one good example, its remedy."""

    rule: Rule
    why: str
    code: str
    fence: str
    fix: str


class Page(msgspec.Struct, frozen=True):
    """A guardrail with its rules."""

    name: str
    rules: tuple[Rule, ...]

    @property
    def path(self) -> str:
        """Where it stands, relative to the skill."""
        return f"references/{self.name}.md"


def pages(rules: Iterable[Rule]) -> tuple[Page, ...]:
    """The rules by the guardrail that they belong to, in the order of the guardrails."""
    groups: dict[str, list[Rule]] = {name: [] for name in GUARDRAILS}
    for rule in rules:
        groups[rule.guardrail].append(rule)
    return tuple(Page(name, tuple(group)) for name, group in groups.items() if group)


def entry(rule: Rule, seen: Seen, enabled: Container[str], with_fix: bool) -> Entry:
    """What a page says of a rule; its example names no rule that is not enabled."""
    hidden = [name for name in rulebook.load() if name not in enabled]
    example = next((one for one in _fitting(rule.examples, seen) if not _names_any(one, hidden)), None)
    return Entry(
        rule=rule,
        why=rule.why.split("\n\n")[0],
        code=_code(example) if example else "",
        fence=FENCES[example.language] if example else "",
        fix=remedy(rule.fix, seen) if with_fix else "",
    )


def is_about(rule: Rule, seen: Seen) -> bool:
    """Whether the faults that a rule's page shows can be made in this project, as far as can be told.

    Settings of retries belong to one framework each. Where no framework runs jobs, only what the page shows without one is told.
    """
    if (rule.guardrail in ("boundary", "trust") and not seen.has_handlers) or (rule.guardrail == "schedule" and not seen.has_schedules):
        return False
    shown = {example.framework for example in rule.examples if example.kind == "Bad" and example.language in seen.languages}
    if seen.titles:
        return rule.guardrail != "retry" or not shown.isdisjoint(seen.frameworks) or not shown & seen.every_job_framework
    return not shown.isdisjoint(seen.frameworks | PLAIN)


def _fitting(examples: Sequence[Example], seen: Seen) -> Iterator[Example]:
    """Good examples, those in the project's own frameworks first; none of frameworks of jobs that it has not."""
    good = [one for one in examples if one.kind == "Good" and not one.before and one.language in seen.languages and _is_code(one)]
    absent = seen.every_job_framework - seen.frameworks
    own = [one for one in good if one.framework not in absent and not _imported(one) & absent]
    yield from sorted(own, key=lambda one: (one.framework not in seen.frameworks, len(_imported(one) & _named() - seen.frameworks)))


def _is_code(example: Example) -> bool:
    """Whether an example can be shown as code: none of its files is prose."""
    return not any(path.endswith(".md") or "```" in text for path, text in example.files.items())


def _names_any(example: Example, rules: Iterable[str]) -> bool:
    return any(rule in text for text in example.files.values() if "guardrails:" in text for rule in rules)


def _imported(example: Example) -> frozenset[str]:
    """The packages that an example imports, by the first of their names."""
    return frozenset(name for text in example.files.values() for name in _IMPORT.findall(text))


@cache
def _named() -> frozenset[str]:
    """The frameworks that examples of the rulebook are written for."""
    return frozenset(example.framework for rule in rulebook.load().values() for example in rule.examples)


def _code(example: Example) -> str:
    """The files of an example in one piece of code."""
    mark = COMMENTS.get(example.language, "#")
    named = len(example.files) > 1
    return "\n\n".join(f"{mark} {path}\n{text.strip()}" if named else text.strip() for path, text in example.files.items())


def remedy(fix: str, seen: Seen) -> str:
    """A remedy without the items and rows for frameworks of jobs that the project has not."""
    kept = []
    dropped = False
    for line in fix.split("\n"):
        dropped = _is_foreign(line[2:], seen) if line.startswith(("- ", "| ")) else dropped and line.startswith("  ")
        if not dropped:
            kept.append(line)
    return _EMPTY_TABLE.sub("", "\n".join(kept))


def _is_foreign(item: str, seen: Seen) -> bool:
    """Whether an item of a list, or a row of a table, begins with names of frameworks of jobs, and none is the project's."""
    head = re.split(r"[:|]", item, maxsplit=1)[0]
    names = {_id(_VERSION.sub("", word.strip())) for word in re.split(r",| and ", head)}
    return names <= {_id(one) for one in seen.every_job_framework} and not names & {_id(one) for one in seen.frameworks}


def _id(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
