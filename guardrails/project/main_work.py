"""Which part of a job's body is its work: what it only fetches first, checks, logs or counts is not."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from guardrails.frameworks.sightings import JobSeen, JobTable
from guardrails.names.code import last_word
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Call, Function, Site, dotted, enclosing, is_within
from guardrails.project.clauses import Clause, sites_in
from guardrails.project.handled import Handled, is_idle
from guardrails.project.secrets import words_of

_FETCH = frozenset(
    "get find fetch load read lookup filter first last one all query select scalar scalars execute list build parse decode create "
    "make new open connect setup init configure resolve ensure check is has can should compute calculate format render prepare "
    "generate gen import count exists values join choice uuid4 uuid1 hexdigest sha256 md5 getenv serialize annotate acquire lock".split()
)
_TUNE = frozenset(
    "append extend add update setdefault sort pop insert remove discard activate deactivate override seed set bind setup configure "
    "refresh_from_db close_old_connections info progress setproctitle simplefilter filterwarnings add_argument start_span set_extra "
    "set_tag".split()
)
_WRAPPERS = frozenset(("run", "async_to_sync", "run_until_complete", "wait_for", "gather", "shield", "to_thread", "run_sync", "wraps"))
_SAVES = frozenset("save asave commit bulk_create bulk_update abulk_create abulk_update".split())
_DEEPEST = 4


class Stretch(msgspec.Struct, frozen=True):
    """A function that holds a job's work, with the call that leads to it from the one above (None: the job's own body)."""

    home: Home
    call: tuple[Home, Call] | None = None


class MainWork:
    """Looks for the work of jobs."""

    def __init__(self, resolver: Resolver, handled: Handled) -> None:
        self._resolver, self._handled = resolver, handled

    def stretches(self, home: Home) -> Iterator[list[Stretch]]:
        """The body of a job, then the function to which it leaves all its work, and so on; each with those above it."""
        way = [Stretch(home)]
        seen = {home}
        while len(way) <= _DEEPEST:
            yield list(way)
            found = self._delegate(way[-1].home)
            if found is None or found[0] in seen:
                return
            seen.add(found[0])
            way.append(Stretch(found[0], (way[-1].home, found[1])))

    def bodies(self, jobs: JobTable) -> Iterator[tuple[Home, JobSeen]]:
        """The functions that hold the work of jobs; one that several jobs share is told of once, for the first."""
        done: set[Home] = set()
        for symbol, seen in jobs.items():
            for stretches in self.stretches(seen.home) if not symbol.startswith("?") else ():
                here = stretches[-1].home
                if here not in done:
                    done.add(here)
                    yield here, seen

    def serious(self, home: Home, function: Function) -> list[Site]:
        """The calls of a function that are work."""
        return [site for site in function.sites if self.is_work(home, function, site)]

    def is_work(self, home: Home, function: Function, site: Site) -> bool:
        """A call whose effect is what the job is for, as far as its words and its place tell."""
        step, text, word = function.steps[site.step], dotted(site.call.func), last_word(site)
        if self._handled.is_log(home, site) or is_idle(text):
            return False
        words = words_of(word)
        if step.kind in ("expr", "return") and site.use in ("dropped", "awaited", "returned", "void"):
            return word not in _TUNE and not (step.kind == "return" and word[:1].isupper())
        if site.use == "passed" and site.holder.rpartition(".")[2] in _WRAPPERS:
            return True
        if step.kind in ("assign", "test") and site.use in ("assigned", "awaited", "tested"):
            return bool(words) and words[0] not in _FETCH and not word[:1].isupper() and self._is_ours(home, site)
        return False

    def _is_ours(self, home: Home, site: Site) -> bool:
        """It is a function or method of the project, or of something that was made here; builtins and library helpers are not."""
        value = self._resolver.resolve(home.file, home.function, site.call.func)
        return value is None or value.home is not None or "." in value.path

    def _delegate(self, home: Home) -> tuple[Home, Call] | None:
        """The one function to which a body leaves its work."""
        function = self._resolver.definition(home)
        work = [site for site in self.serious(home, function) if not _in_handler(function, site)]
        work = [site for site in work if not any(_wraps(site, other) for other in work)]
        if len(work) != 1 or work[0].use not in ("dropped", "awaited", "returned", "passed", "assigned"):
            return None
        value = self._resolver.resolve(home.file, home.function, work[0].call.func)
        if value is None or value.home is None or value.home.function == 0 or self._resolver.definition(value.home).kind != "function":
            return None
        return value.home, work[0].call

    def is_main(self, clause: Clause, function: Function, eating: list[Clause]) -> bool:
        """A try holds the work: nothing serious runs before it, and after it nothing, or nothing when the clause leaves.

        Work that other clauses of the function eat as well is no work beside it; then the first of them speaks for all.
        """
        home, start = clause.home, function.blocks[clause.tries].start
        inside, outside = [], []
        for site in self.serious(home, function):
            block = function.steps[site.step].block
            if is_within(function, block, clause.tries):
                inside.append(site)
            elif not self._beside(function, clause, block):
                outside.append(site)
        if not (inside or self._calls(home, function, clause.tries)):
            return False
        if not inside and any(is_within(function, function.steps[s.step].block, one.tries) for s in outside for one in eating):
            return False  # it only prepares what another clause then loses
        if outside and len(eating) > 1 and clause == eating[0]:
            outside = [s for s in outside if not any(is_within(function, function.steps[s.step].block, one.tries) for one in eating)]
        if any(site.call.start < start for site in outside):
            return _only_saves(inside) and function.blocks[clause.block].ends == "return"  # what was worked out before is lost
        return not outside or function.blocks[clause.block].ends == "return"

    def only_looks(self, clause: Clause, function: Function) -> bool:
        """A try only asks how things are, and when that fails the function leaves before it has done anything."""
        inside = [site for site in sites_in(function, clause.tries) if not self._handled.is_log(clause.home, site)]
        asks = all(function.steps[site.step].kind in ("assign", "test") for site in inside)
        before = (site for site in self.serious(clause.home, function) if site.call.start < function.blocks[clause.tries].start)
        return asks and function.blocks[clause.block].ends == "return" and not any(before)

    def _calls(self, home: Home, function: Function, block: int) -> bool:
        """The block calls something."""
        return any(
            not self._handled.is_log(home, site) and not is_idle(dotted(site.call.func))
            for site in function.sites
            if is_within(function, function.steps[site.step].block, block)
        )

    @staticmethod
    def _beside(function: Function, clause: Clause, block: int) -> bool:
        """A block that does not run on the same way as the try: its clauses, a branch that leaves, the other branch of a condition."""
        around = {id(one) for one in enclosing(function, clause.tries)}
        openers = {one.opened_by for one in enclosing(function, clause.tries) if one.kind in ("if", "else", "case") and one.opened_by >= 0}
        for one in enclosing(function, block):
            if id(one) in around:
                break
            if one.kind in ("except", "finally") or (one.kind == "else" and one.opened_by < 0):
                return True
            if one.kind in ("if", "else", "case") and (one.ends in ("return", "raise") or one.opened_by in openers):
                return True
        return False


def _in_handler(function: Function, site: Site) -> bool:
    return any(one.kind in ("except", "finally") for one in enclosing(function, function.steps[site.step].block))


def _wraps(outer: Site, inner: Site) -> bool:
    return outer is not inner and outer.call.start <= inner.call.start and inner.call.end <= outer.call.end


def _only_saves(sites: list[Site]) -> bool:
    return bool(sites) and all(last_word(site) in _SAVES for site in sites)


def is_trivial(function: Function) -> bool:
    """A body that loops over nothing, and gives something back without a call, or only prints."""
    gives = any(step.kind == "return" and step.value is not None for step in function.steps)
    prints = bool(function.sites) and all(dotted(site.call.func) == "print" for site in function.sites)
    return (prints or (gives and not function.sites)) and all(block.kind != "loop" for block in function.blocks)
