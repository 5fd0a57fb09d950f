"""Rule pages: `rules/*.md` in, `Rule` out. The only reader of rule pages; also reads the case files of the tests, which have the same form.

`load` reads the head of every page (front matter and title); sections and examples are read when they are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias, cast

import msgspec

from guardrails import assets
from guardrails.finding import CONFIDENCES, SEVERITIES, Confidence, Severity
from guardrails.rulebook.examples import FENCES, KINDS, Example, Expectation, Kind, PageError
from guardrails.rulebook.examples import examples as examples_of
from guardrails.rulebook.examples import sections as sections_of

Persona = Literal["regular", "pedantic"]

GUARDRAILS = ("idempotency", "retry", "failure", "payload", "timeout", "boundary", "schedule", "trust", "lifecycle", "change", "honesty")
SECTIONS = ("Why", "Bad", "Good", "Fix", "Cannot tell", "Sources")
PERSONAS: tuple[Persona, ...] = ("regular", "pedantic")
LANGUAGES = ("python", "typescript", "rust")

_KEYS = ("severity", "confidence", "guardrail", "instruct", "persona", "languages", "options")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
_OPTION = re.compile(r"([a-z_]+)=(\d+(?:\.\d+)?) \(([^()]+)\)")  # patience=60 (seconds of ..)


class Option(msgspec.Struct, frozen=True):
    """A number that a project may set for a rule: its default, and what it means."""

    default: float
    words: str


class Rule(msgspec.Struct, frozen=True):
    """A rule page. `instruct` is the one sentence for coding agents; `languages` are where it works; `options` are what a project may set.

    `body` is the page below its title.
    """

    name: str
    title: str
    severity: Severity
    confidence: Confidence
    guardrail: str
    instruct: str
    persona: Persona
    languages: tuple[str, ...]
    options: Mapping[str, Option]
    body: str
    body_line: int

    @property
    def where(self) -> str:
        """The page's name in messages."""
        return f"rules/{self.name}.md"

    @property
    def sections(self) -> Mapping[str, str]:
        """Section name to Markdown text, in page order. Raises `PageError` where one is missing, unknown, twice or out of order."""
        found = {title: (text, line) for title, text, line in sections_of(self.body, self.body_line, self.where)}
        _require_sections(found, self.body_line, self.where)
        return {title: text for title, (text, _) in found.items()}

    @property
    def why(self) -> str:
        """The section Why."""
        return self.sections["Why"]

    @property
    def fix(self) -> str:
        """The section Fix."""
        return self.sections["Fix"]

    @property
    def examples(self) -> tuple[Example, ...]:
        """The examples of Bad, Good and Cannot tell, in page order. Raises `PageError`."""
        return tuple(examples_of(self.body, self.body_line, self.where))

    @property
    def page(self) -> str:
        """The page as Markdown, from its title on."""
        return f"# {self.title}\n{self.body}"


@cache
def load(folder: Path | None = None) -> Mapping[str, Rule]:
    """All rules by name, in order of name; of the distribution unless a folder is given. Raises `PageError` and `assets.AssetError`."""
    pages = sorted((folder or assets.folder("rules")).glob("*.md"))
    return MappingProxyType({page.stem: _head(page.stem, page.read_text(encoding="utf-8")) for page in pages})


def number(settings: Mapping[str, Mapping[str, float]], rule: str, option: str) -> float:
    """A rule's option: what a project sets, else the page's default."""
    return settings.get(rule, {}).get(option, load()[rule].options[option].default)


def parse(name: str, text: str) -> Rule:
    """A page from memory, examined whole: head, sections, examples. Raises `PageError`."""
    rule = _head(name, text)
    rule.sections  # noqa: B018  raises
    for example in rule.examples:
        _require_marks(rule, example)
    return rule


def cases(name: str, text: str) -> tuple[Example, ...]:
    """The examples of a case file: a page without front matter, whose sections may repeat and may be missing. Raises `PageError`."""
    return tuple(examples_of(text, 1, name))


def _head(name: str, text: str) -> Rule:
    where = f"rules/{name}.md"
    lines = text.split("\n", 32)
    if not _NAME.match(name):
        raise PageError(where, 1, "the file's name is no rule name; use lower case words joined by hyphens")
    if lines[0].strip() != "---":
        raise PageError(where, 1, "the page does not start with front matter; start it with a line ---")
    values, line = _front_matter(lines, where)
    while line < len(lines) and not lines[line].strip():
        line += 1
    if line >= len(lines) or not lines[line].startswith("# "):
        raise PageError(where, line + 1, "no title stands below the front matter; write one line: # Title")
    return Rule(
        name=name,
        title=lines[line][2:].strip(),
        severity=cast("Severity", _one_of("severity", values, SEVERITIES, where)),
        confidence=cast("Confidence", _one_of("confidence", values, CONFIDENCES, where)),
        guardrail=_one_of("guardrail", values, GUARDRAILS, where),
        instruct=_one_of("instruct", values, None, where),
        persona=cast("Persona", _one_of("persona", {"persona": ("regular", 0), **values}, PERSONAS, where)),
        languages=_languages(values, where),
        options=_options(values, where),
        body="\n".join(lines[line + 1 :]),
        body_line=line + 2,
    )


Values: TypeAlias = Mapping[str, tuple[str, int]]


def _front_matter(lines: list[str], where: str) -> tuple[Values, int]:
    """The values with their lines, and the index of the line after the closing `---`."""
    values: dict[str, tuple[str, int]] = {}
    for index, line in enumerate(lines[1:], 1):
        text = line.strip()
        if text == "---":
            return values, index + 1
        if not text or text.startswith("#"):
            continue
        key, colon, value = text.partition(":")
        if not colon or key not in _KEYS:
            raise PageError(where, index + 1, f"{key!r} is no key of a rule page; known are {', '.join(_KEYS)}")
        if key in values:
            raise PageError(where, index + 1, f"{key} is said twice; keep one")
        values[key] = (_scalar(value), index + 1)
    raise PageError(where, 1, "the front matter does not end within 32 lines; close it with a line ---")


def _scalar(value: str) -> str:
    value = re.sub(r"\s+#.*", "", value) if not value.strip().startswith(('"', "'")) else value
    value = value.strip()
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"" else value


def _one_of(key: str, values: Values, known: tuple[str, ...] | None, where: str) -> str:
    value, line = values.get(key, ("", 1))
    if not value:
        raise PageError(where, line, f"the front matter says no {key}; add a line {key}: VALUE")
    if known is not None and value not in known:
        raise PageError(where, line, f"{key} is {value!r}; use one of {', '.join(known)}")
    return value


def _languages(values: Values, where: str) -> tuple[str, ...]:
    value, line = values.get("languages", (", ".join(LANGUAGES), 1))
    names = tuple(name for name in re.split(r"[\s,]+", value.strip("[]")) if name)
    for name in names:
        if name not in LANGUAGES:
            raise PageError(where, line, f"{name!r} is no language we read; use {', '.join(LANGUAGES)}")
    return names


def _options(values: Values, where: str) -> Mapping[str, Option]:
    """`name=number (what it means)`, joined by semicolons."""
    text, line = values.get("options", ("", 1))
    found = {}
    for entry in filter(None, map(str.strip, text.split(";"))):
        match = _OPTION.fullmatch(entry)
        if match is None:
            raise PageError(where, line, f"{entry!r} is no option; write name=number (what it means), joined by semicolons")
        found[match[1]] = Option(float(match[2]), match[3])
    return found


def _require_sections(found: Mapping[str, tuple[str, int]], first: int, where: str) -> None:
    for title, (_, line) in found.items():
        if title not in SECTIONS:
            raise PageError(where, line - 1, f"{title!r} is no section of a rule page; use {', '.join(SECTIONS)}")
    missing = [title for title in SECTIONS if title not in found]
    if missing:
        raise PageError(where, first, f"the section {missing[0]!r} is missing; add a heading ## {missing[0]}")
    if tuple(found) != SECTIONS:
        raise PageError(where, first, f"the sections are out of order; the order is {', '.join(SECTIONS)}")


def _require_marks(rule: Rule, example: Example) -> None:
    kinds = {mark.kind for mark in example.expectations if mark.rule == rule.name}
    wanted = {"Bad": {"flagged"}, "Good": set(), "Cannot tell": {"unknown"}}[example.kind]
    if kinds != wanted:
        marks = " and ".join(sorted(wanted)) or "no"
        raise PageError(rule.where, example.line, f"an example of {example.kind} carries {marks} marks of {rule.name}; mend its line ends")


__all__ = [
    "FENCES", "GUARDRAILS", "KINDS", "LANGUAGES", "PERSONAS", "SECTIONS", "Example", "Expectation", "Kind", "Option", "PageError",
    "Persona", "Rule", "cases", "load", "number", "parse",
]  # fmt: skip
