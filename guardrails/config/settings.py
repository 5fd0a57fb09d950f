"""What can be configured."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

import msgspec

from guardrails.finding import Confidence, Severity

Gate = Literal["error", "warning", "info", "never"]
GATES: tuple[Gate, ...] = get_args(Gate)
Names: TypeAlias = tuple[str, ...]


class ConfigError(Exception):
    """A mistake of the user's; the message is one sentence: `FILE:LINE: what; remedy`."""


def _says(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Other rules for the files that match `paths`; of several overrides for a file, later ones win."""

    paths: Annotated[Names, _says("Patterns as in .gitignore, relative to the root.")]
    ignore: Annotated[Names, _says("Rules that are switched off here.")] = ()
    select: Annotated[Names, _says("The only rules that run here.")] = ()
    severity: Annotated[dict[str, Severity], _says("Severity by rule.")] = {}


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Settings of worker-guardrails. Every key is optional."""

    select: Annotated[Names, _says("The only rules that run; none named: all regular ones.")] = ()
    ignore: Annotated[Names, _says("Rules that are switched off.")] = ()
    severity: Annotated[dict[str, Severity], _says("Severity by rule, in place of the rule page's.")] = {}
    fail_on: Annotated[Gate, _says("The lowest severity that makes `check` exit with 1.")] = "error"
    confidence: Annotated[Confidence, _says("The lowest confidence that is shown.")] = "medium"
    pedantic: Annotated[bool, _says("Run the pedantic rules, too.")] = False
    tests: Annotated[Literal["skip", "report"], _says("What to do with findings in test files.")] = "skip"
    exclude: Annotated[Names, _says("Files that are not looked at: patterns as in .gitignore.")] = ()
    options: Annotated[
        dict[str, dict[str, float]], _says("Numbers by rule and option; `guardrails explain RULE` lists a rule's options.")
    ] = {}
    overrides: Annotated[tuple[Override, ...], _says("Other settings for some paths.")] = ()
    frameworks: Annotated[Names, _says("Extra framework models, relative to the root, beside .guardrails/frameworks/*.yml.")] = ()
    redact_helpers: Annotated[Names, _says("Names of functions that mask a secret: what they return is safe to log.")] = ()
    secret_words: Annotated[Names, _says("More nouns that name a secret.")] = ()
    guard_helpers: Annotated[
        Names, _says("Functions that make a second run harmless (a lock, an id recorded once), as `module.function`.")
    ] = ()
    verify_helpers: Annotated[Names, _says("Functions, dependencies or decorators that verify a sender, as `module.function`.")] = ()
    spawn_helpers: Annotated[Names, _says("Functions that run their first argument beside the current flow, as `module.function`.")] = ()
    enqueue_helpers: Annotated[Names, _says("Functions that hand work to a queue, the job first, as `module.function`.")] = ()

    @property
    def encoded(self) -> bytes:
        """The same bytes for equal settings, in every run: what a cache key is made of."""
        return msgspec.json.encode(self, order="deterministic")

    def __hash__(self) -> int:
        return hash(self.encoded)
