"""The senses: each makes one family of facts from what was seen; some need callers, or files that hold no word of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, runtime_checkable

from guardrails.facts import Fact
from guardrails.names.values import Home
from guardrails.project.addressing import Addressing
from guardrails.project.carrying import Carrying
from guardrails.project.clocks import Clocks
from guardrails.project.comparing import Comparing
from guardrails.project.dead_ends import DeadEnds
from guardrails.project.decoding import Decoding
from guardrails.project.early import Early
from guardrails.project.effects import Effects
from guardrails.project.failure_logs import FailureLogs
from guardrails.project.ground import Ground
from guardrails.project.ignored import IgnoredSettings
from guardrails.project.loops import Loops
from guardrails.project.opening import Opening
from guardrails.project.persons import Persons
from guardrails.project.receiving import Receiving
from guardrails.project.rescues import Rescues
from guardrails.project.results import Results
from guardrails.project.retention import Retentions
from guardrails.project.retrying import Retrying
from guardrails.project.routing import Routing
from guardrails.project.schemas import Schemas
from guardrails.project.serving import Serving
from guardrails.project.sharing import Sharing
from guardrails.project.signals import Signals
from guardrails.project.slowness import Slowness
from guardrails.project.statuses import Statuses
from guardrails.project.ticking import Ticking
from guardrails.project.unstable import Unstable
from guardrails.project.visibility import Visibilities
from guardrails.project.waiting import Waiting


class Sense(Protocol):
    """One family of facts."""

    def facts(self) -> Iterable[Fact]:
        """The facts, when everything was seen."""


@runtime_checkable
class Climbing(Protocol):
    """A sense whose facts hang on who calls."""

    def ends(self) -> Iterable[Home]:
        """The functions whose callers must be known: asked in every round, while sightings grow."""


@runtime_checkable
class Wanting(Protocol):
    """A sense that needs files which hold no word of a model."""

    def reads(self) -> Iterable[str]:
        """The files, some of which may have been read."""


MakesSense = Callable[[Ground], Sense]

SENSES: tuple[MakesSense, ...] = (
    Waiting,
    Results,
    Slowness,
    Effects,
    Comparing,
    Carrying,
    Rescues,
    Early,
    Unstable,
    Ticking,
    Clocks,
    Retrying,
    Loops,
    IgnoredSettings,
    Retentions,
    Decoding,
    Visibilities,
    Signals,
    Receiving,
    Routing,
    Addressing,
    Serving,
    FailureLogs,
    Opening,
    Sharing,
    Schemas,
    Persons,
    Statuses,
    DeadEnds,
)
