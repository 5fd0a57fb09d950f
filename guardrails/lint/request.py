"""What to lint, and what goes wrong on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Protocol

import msgspec

from guardrails import facts
from guardrails.baseline import Baseline
from guardrails.change import Named
from guardrails.config import Config
from guardrails.files import Tree
from guardrails.finding import Severity, Unsure
from guardrails.outline import Outline
from guardrails.stopwatch import Stopwatch


class RequestError(Exception):
    """The user named something that is not there; the message is one sentence."""


class InternalError(Exception):
    """A check failed: a fault of ours. `rule` and `path` say where; the cause is chained."""

    def __init__(self, rule: str, path: str, cause: BaseException) -> None:
        super().__init__(f"the check of {rule} failed on {path}: {type(cause).__name__}: {cause}")
        self.rule, self.path = rule, path


class Understood(Protocol):
    """What lint needs of a project: its facts, and the outlines and bytes of the files that were read."""

    @property
    def facts(self) -> Sequence[facts.Fact]:
        """In a stable order."""

    @property
    def ended(self) -> Sequence[Unsure]:
        """Where a search stopped at a limit, of no rule."""

    @property
    def outlines(self) -> Mapping[str, Outline]:
        """By path, of the files that held words that matter."""

    @property
    def sources(self) -> Mapping[str, bytes]:
        """By path, of at least these files."""


class Known(msgspec.Struct, frozen=True):
    """What the models say to the judging: words of worker code, and the frameworks whose jobs were looked for."""

    words: frozenset[str] = frozenset()
    frameworks: tuple[str, ...] = ()


More = Callable[[Tree, Understood, Known], Iterable[facts.Fact]]


class Request(msgspec.Struct, frozen=True):
    """What to lint, and how. `paths` exist and lie in `root` (none: all of it). `at_least` is the lowest severity that is shown.

    `contents` stands in for what is on disk (paths relative to the root). `watch` is told in a word or
    two what is being done; `clock` counts the time. `survey`: the result shall hold an inventory;
    `checks`: nothing is checked without. `more` says what the files for coding agents hold; it is asked where there are any.
    """

    root: Path
    config: Config
    today: date
    paths: tuple[Path, ...] = ()
    at_least: Severity = "info"
    strict: bool = False
    cached: bool = True
    survey: bool = False
    checks: bool = True
    contents: Mapping[str, bytes] = {}
    staged: bool = False
    diff: Named | None = None
    baseline: Baseline | None = None
    more: More | None = None
    watch: Callable[[str], None] | None = None
    clock: Stopwatch = msgspec.field(default_factory=Stopwatch)
