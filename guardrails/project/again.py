"""What a job does a second time: whether something after an effect may fail, and whether that makes the job run again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec

from guardrails.facts import Job
from guardrails.facts.effects import Effect
from guardrails.finding import Related
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Block, Function, Ref, Site, Step, dotted, enclosing, is_within, walk
from guardrails.place import Place
from guardrails.project.guards import Guards
from guardrails.project.secrets import words_of

_SAVES = frozenset("save asave commit flush delete adelete update aupdate create acreate bulk_create bulk_update".split())
_BROAD = frozenset(("Exception", "BaseException"))
_REFUSED = re.compile(r"^(?:Request|HTTP|Http|Timeout|ReadTimeout|Connection|Connect|URL|Client|API|Network)\w*$")
_NARROW = re.compile(r"\b\w+(?:Error|Exception|Timeout)s?\b")
_ALL = re.compile(r"\b(?:Base)?Exception\b")
_TOGETHER = frozenset(("atomic", "begin", "transaction"))


class Level(msgspec.Struct, frozen=True):
    """A function on the way from a job down to an effect, and the step in it that leads on (or is the effect)."""

    home: Home
    function: Function
    step: int
    start: int


class Risk(msgspec.Struct, frozen=True):
    """What may fail once an effect is done. `own`: the effect itself; `known`: a call of which it is known that it may."""

    place: Place
    words: str
    step: int
    own: bool = False
    known: bool = False


class Again:
    """Judges effects in jobs; `risks` are the starts of calls that may fail, by file."""

    def __init__(self, resolver: Resolver, guards: Guards, risks: Mapping[str, frozenset[int]]) -> None:
        self._resolver, self._guards, self._risks = resolver, guards, risks

    def why(self, effect: Effect, job: Job, way: list[tuple[Home, int]]) -> Related | None:
        """What may fail after an effect was done and makes the job run again; None where nothing does, or a guard stands before it.

        `way` holds the calls from the job down to the effect.
        """
        places = [(Home(effect.scope.path, effect.scope.function), effect.place.start), *reversed(way)]
        levels = [level for home, start in places if (level := self._level(home, start)) is not None]
        if len(levels) != len(places) or any(self._guards.before(one.home, one.function.steps[one.step]) is not None for one in levels):
            return None
        recorded = next((number for number, level in enumerate(levels) if self._guards.records(level.home)), len(levels))
        for number, level in enumerate(levels[: recorded + 1]):
            for risk in self._risks_at(effect, level, number == 0):
                if self._runs_again(effect, job, risk, levels[number:]):
                    return Related(risk.place, risk.words)
        return None

    def _level(self, home: Home, start: int) -> Level | None:
        function = self._resolver.definition(home)
        site = next((one for one in function.sites if start in (one.call.start, one.call.func.start)), None)
        found = site.step if site is not None else next((i for i, one in enumerate(function.steps) if one.start <= start < one.end), None)
        return Level(home, function, found, start) if found is not None else None

    def _risks_at(self, effect: Effect, level: Level, is_own: bool) -> Iterator[Risk]:
        if is_own and effect.lost_answer:
            yield Risk(effect.place, "it may be done although its answer never arrives", level.step, own=True, known=True)
        if any(block.kind == "loop" for block in enclosing(level.function, level.function.steps[level.step].block)):
            words = "a later round of this loop may fail when the first ones are done"
            yield Risk(Place(level.home.file, level.start, level.start), words, level.step, known=True)
        for site in level.function.sites:
            text = dotted(site.call.func)
            if effect.kind == "count" and text.rpartition(".")[0] == effect.call.rpartition(".")[0]:
                continue  # it is what makes the step count
            known = site.call.start in self._risks.get(level.home.file, ())
            if (known or ("." in text and text.rpartition(".")[2] in _SAVES)) and _follows(level.function, level.step, site):
                place = Place(level.home.file, site.call.start, site.call.end)
                yield Risk(place, f"`{text}` after it may fail", site.step, known=known)

    def _runs_again(self, effect: Effect, job: Job, risk: Risk, levels: list[Level]) -> bool:
        """The failure leaves every function up to the job, nothing takes the effect back, and the job is retried for it."""
        here, *outer = levels
        if _swallows(here.function, risk.step, risk.own) or any(_swallows(one.function, one.step, False) for one in outer):
            return False
        is_row = effect.kind in ("insert", "count")
        if is_row and (_is_undone(here.function, here.step, risk.step) or any(_is_undone(o.function, o.step, o.step) for o in outer)):
            return False
        return self._is_retried(job, risk, (here.function, risk.step) if not outer else (outer[-1].function, outer[-1].step))

    def _is_retried(self, job: Job, risk: Risk, at: tuple[Function, int]) -> bool:
        said = job.repeats.at if job.repeats is not None else None
        text = self._resolver.text(said.path, said.start, said.end) if said is not None else ""
        function, step = at
        asked = next((one for one in function.sites if said is not None and one.call.start == said.start), None)
        if asked is not None:
            return _leads_to(function, step, asked)
        return risk.known or not _NARROW.search(text) or _ALL.search(text) is not None


def _leads_to(function: Function, step: int, retry: Site) -> bool:
    """A failure at a step reaches a call that retries: it stands in an except of the step's try, or simply further down."""
    asked = function.steps[retry.step]
    for block in enclosing(function, asked.block):
        if block.kind == "except":
            return any(block in _excepts(function, one) for one in enclosing(function, function.steps[step].block) if one.kind == "try")
    return asked.start > function.steps[step].start


def _follows(function: Function, step: int, site: Site) -> bool:
    """A call runs after a step in the same run: further down, not in another branch, and nothing leaves between."""
    if site.step <= step:
        return False
    above = [function.blocks.index(block) for block in enclosing(function, function.steps[step].block)]
    below = [function.blocks.index(block) for block in enclosing(function, function.steps[site.step].block)]
    common = next((block for block in above if block in below), 0)
    own, theirs = above[: above.index(common)], below[: below.index(common)] if common in below else below
    if any(function.blocks[block].ends in ("return", "raise", "continue", "break") for block in own):
        return False
    return not (theirs and function.blocks[theirs[-1]].kind in ("except", "else", "case") and own)


def _excepts(function: Function, block: Block) -> list[Block]:
    """The except clauses of a try."""
    later = [one.start for one in function.blocks if one.kind == "try" and one.parent == block.parent and one.start > block.start]
    end = min(later, default=function.end + 1)
    return [one for one in function.blocks if one.kind == "except" and one.parent == block.parent and block.end <= one.start < end]


def _swallows(function: Function, step: int, is_own: bool) -> bool:
    """A failure at a step is caught around it and not raised again."""
    for block in enclosing(function, function.steps[step].block):
        clauses = _excepts(function, block) if block.kind == "try" else []
        first = next((clause for clause in clauses if _catches(function, clause, is_own)), None)
        if first is not None and not _raises(function, first):
            return True
    return False


def _catches(function: Function, clause: Block, is_own: bool) -> bool:
    opener = function.steps[clause.opened_by] if clause.opened_by >= 0 else None
    if opener is None or opener.value is None:
        return True
    names = [dotted(expr).rpartition(".")[2] for expr in walk(opener.value) if isinstance(expr, Ref)]
    return any(name in _BROAD or (is_own and _REFUSED.search(name)) for name in names)


def _raises(function: Function, clause: Block) -> bool:
    """An except clause raises, or retries, on some way through it."""
    index = function.blocks.index(clause)
    steps: list[Step] = [one for one in function.steps if one.kind == "raise" and is_within(function, one.block, index)]
    return bool(steps) or any(
        "retry" in words_of(dotted(site.call.func).rpartition(".")[2]) and is_within(function, function.steps[site.step].block, index)
        for site in function.sites
    )


def _is_undone(function: Function, step: int, risk: int) -> bool:
    """A transaction is open around both the effect and what fails."""
    if any(_TOGETHER.intersection(words_of(dotted(decorator).rpartition(".")[2])) for decorator in function.decorators):
        return True
    for block in enclosing(function, function.steps[step].block):
        opener = function.steps[block.opened_by] if block.kind == "with" and block.opened_by >= 0 else None
        text = dotted(opener.value).replace("()", "") if opener is not None and opener.value is not None else ""
        if _TOGETHER.intersection(words_of(text.rpartition(".")[2])):
            return is_within(function, function.steps[risk].block, function.blocks.index(block))
    return False
