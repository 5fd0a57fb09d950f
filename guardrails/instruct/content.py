"""The instruction files of a project: what it is and what the rulebook says, in the form of the templates."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from posixpath import relpath
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from guardrails import assets, rulebook
from guardrails.config import Config
from guardrails.instruct import clients
from guardrails.instruct.globs import globs, is_wide
from guardrails.instruct.pages import entry, is_about, pages
from guardrails.instruct.seen import MANY_SERVICES, MOST_FILES, Command, Seen, Service, Work
from guardrails.instruct.target import Target
from guardrails.paths import show
from guardrails.policy import Policy
from guardrails.rulebook import Rule

NAME = "worker-guardrails"
SKILLS = ".agents/skills"
BLOCK = "worker"  # the id of every block
FAMILIES = ("idempotency", "retry", "failure", "payload", "timeout", "change")  # the others are told as common mistakes
# What coding agents get wrong most, first; the others follow by severity.
FIRST = (
    "missing-idempotency-key", "enqueue-in-transaction", "whole-row-payload", "untimed-job", "swallowed-failure", "unbounded-retry",
    "fire-and-forget-spawn", "unverified-webhook", "secret-in-log", "secret-in-payload", "untimed-call", "overlapping-schedule",
)  # fmt: skip
LAST = ("incompatible-job-change", "untested-job-change", "relaxed-guardrail")  # what is said of every change
CHECKLIST = "fire-and-forget-spawn"  # the rule whose remedy says what is a job
MOST_IN_BLOCK, MOST_BULLETS = 12, 20
BLOCK_LINES, BLOCK_LETTERS, RULES_LETTERS = 26, 1_850, 3_800  # with room for the markers

Say = Callable[..., str]


def enabled(config: Config, seen: Seen) -> tuple[Rule, ...]:
    """The rules that may run for some file of this project, by guardrail and name: those that its files may name."""
    rules = rulebook.load()
    running = Policy(config, rules).anywhere()
    spoken = seen.languages or frozenset(rulebook.LANGUAGES)
    found = [rule for name, rule in rules.items() if name in running and spoken.intersection(rule.languages)]
    return tuple(sorted(found, key=lambda rule: (rulebook.GUARDRAILS.index(rule.guardrail), rule.name)))


def targets(
    seen: Seen, rules: Sequence[Rule], agents: Collection[str] = (), ci: Collection[str] = (), pre_commit: bool = False
) -> tuple[Target, ...]:
    """Everything that shall stand in the project: the block in AGENTS.md, the skill, the files of the clients that it has or that are
    asked for, and gates that are asked for. Nothing where there is no worker code and nothing is asked for."""
    say = _Say(seen, rules)
    found: list[Target] = []
    if seen.found or agents:
        found += [*say.blocks(), *say.skill(SKILLS), *clients.targets(say, frozenset(agents) | seen.clients, frozenset(agents))]
    found += clients.gates(say, ci, pre_commit)
    return tuple(found)


def left_alone(seen: Seen, pre_commit: bool = False) -> tuple[tuple[str, str], ...]:
    """What was asked for and has no target: the file, and why."""
    if pre_commit and seen.hooks_indent is None:
        return (
            (clients.PRE_COMMIT, "a hook cannot be added to the end of its list; add one that runs guardrails check --staged --diff HEAD"),
        )
    return ()


class _Say:
    """One project's files, rendered."""

    def __init__(self, seen: Seen, rules: Sequence[Rule]) -> None:
        self.seen, self.rules = seen, {rule.name: rule for rule in rules}
        self.tests = tuple(dict.fromkeys(test for service in seen.services for test in service.tests))

    def text(self, template: str, **given: Any) -> str:
        """A template with what every template may use."""
        words = {"seen": self.seen, "rules": self.rules, "tests": self.tests, "skill": f"{SKILLS}/{NAME}/SKILL.md"} | given
        text = _environment().get_template(template).render(words)
        return "\n".join(_single_spaced(text.split("\n"))).strip("\n") + "\n"

    def blocks(self) -> Iterator[Target]:
        """A block in the AGENTS.md of the root, and in that of each service that has one of its own."""
        own = [service for service in self.seen.services if service.folder and self._has_own(service)]
        for service in own:
            yield Target(f"{service.folder}/AGENTS.md", "block", BLOCK, self._block([service], service.folder, ()))
        here = [service for service in self.seen.services if service not in own]
        yield Target("AGENTS.md", "block", BLOCK, self._block(here, "", own))

    def _has_own(self, service: Service) -> bool:
        """A new AGENTS.md would hide the root's from many clients: none is made where the root's holds more than ours."""
        apart = sum(bool(one.folder) for one in self.seen.services)
        return service.has_agents or (not self.seen.agents_in_use and 2 <= apart <= MANY_SERVICES)

    def _block(self, services: Sequence[Service], folder: str, elsewhere: Sequence[Service]) -> str:
        tests = tuple(dict.fromkeys(test for service in (*services, *elsewhere) for test in service.tests))
        text = ""
        for most in range(MOST_IN_BLOCK if services or not elsewhere else 0, -1, -1):
            text = self.text(
                "agents.md.j2", services=[_brief(one) for one in services], elsewhere=elsewhere, folder=folder, tests=tests,
                rules=self.chosen(most), every=self.rules, skill=_from(folder, f"{SKILLS}/{NAME}/SKILL.md"),
            )  # fmt: skip
            if text.count("\n") <= BLOCK_LINES and len(text) <= BLOCK_LETTERS:
                break
        return text

    def chosen(self, most: int) -> tuple[Rule, ...]:
        """The rules that matter most here, those of every change at the end."""
        about = [rule for rule in self.rules.values() if rule.guardrail != "honesty" and is_about(rule, self.seen)]
        first = [rule for name in FIRST for rule in about if rule.name == name]
        last = [rule for name in LAST for rule in about if rule.name == name]
        more = sorted((rule for rule in about if rule not in first and rule not in last), key=_grave)
        return (*[*first, *more][: max(most - len(last), 0)], *last[:most])

    def skill(self, folder: str) -> Iterator[Target]:
        """The skill with its references, in one of the folders where clients look for skills."""
        found = pages(self.rules.values())
        others = [page for page in found if page.name not in FAMILIES]
        text = self.text(
            "skill.md.j2", name=NAME, description=self.description(), guardrails=[page for page in found if page.name in FAMILIES],
            mistakes=[rule for page in others for rule in page.rules], more=[page.path for page in others], checklist=CHECKLIST,
        )  # fmt: skip
        yield Target(f"{folder}/{NAME}/SKILL.md", "file", NAME, text)
        for page in found:
            entries = [entry(rule, self.seen, self.rules, rule.name != CHECKLIST) for rule in page.rules]
            yield Target(f"{folder}/{NAME}/{page.path}", "file", page.name, self.text("reference.md.j2", name=page.name, entries=entries))

    def description(self) -> str:
        """What the skill is for, and when."""
        return self.text("description.j2").strip()

    def bullets(self, head: Sequence[tuple[str, str]]) -> str:
        """Rules for a client that loads them with the files that they are about."""
        text = ""
        for most in range(MOST_BULLETS, -1, -1):
            text = self.text("rules.md.j2", head=head, bullets=self.chosen(most))
            if len(text) <= RULES_LETTERS:
                break
        return text

    def files(self) -> tuple[str, ...]:
        """Patterns of the files in which worker code stands, relative to the root."""
        return globs((pattern for service in self.seen.services for pattern in service.files), MOST_FILES)


def _grave(rule: Rule) -> tuple[int, int, str]:
    return (("error", "warning", "info").index(rule.severity), rulebook.GUARDRAILS.index(rule.guardrail), rule.name)


def _brief(service: Service) -> Service:
    """A service in few patterns."""
    jobs = tuple(Work(work.title, globs(work.files, 4), work.queues[:6]) for work in service.jobs)
    return msgspec.structs.replace(
        service, jobs=jobs, handlers=_few(service.handlers), schedules=_few(service.schedules), spawns=_few(service.spawns)
    )


def _few(patterns: Sequence[str]) -> tuple[str, ...]:
    """At most three patterns; none where they would say little more than that there are many."""
    found = globs(patterns, 3)
    return () if any(map(is_wide, found)) else found


def _from(folder: str, path: str) -> str:
    return relpath(path, folder) if folder else path


def _typed_in(test: Command, folder: str) -> str:
    """A command line as it is typed in another folder."""
    return test.line if test.folder == folder else f"cd {shlex.quote(relpath(test.folder or '.', folder or '.'))} && {test.line}"


def _code(words: str) -> str:
    """Words as a code span on one line."""
    shown = show(words)
    return f"`` {shown} ``" if "`" in shown else f"`{shown}`"


def _single_spaced(lines: Sequence[str]) -> Iterator[str]:
    """Of several blank lines the first; what stands in fences stays as it is."""
    last, fenced = "", False
    for line in lines:
        fenced ^= line.startswith("```")
        if line.strip() or fenced or last:
            yield line if fenced else line.rstrip()
        last = line.strip() or ("-" if fenced else "")


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(assets.folder("templates") / "instruct"), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    filters: Mapping[str, Say] = {
        "code": _code, "typed_in": _typed_in, "quoted": lambda words: json.dumps(words, ensure_ascii=False),
        "cell": lambda words: words.replace("|", "\\|"),
    }  # fmt: skip
    made.filters.update(filters)
    return made
