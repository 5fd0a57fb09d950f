"""Hand-written retries: loops that try until it works or connect again and again, functions that restart themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrails.facts import NEVER, Absent, Known, Setting, Unknown
from guardrails.facts.retrying import Retry, RetryKind
from guardrails.frameworks.sightings import CallSeen
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Hit, Options
from guardrails.names.values import Home
from guardrails.outline import Call, Expr, Function, Op, Ref, Site, Step, dotted, is_within, walk
from guardrails.place import Place
from guardrails.project.clauses import Clause, clauses, is_endless, sites_in, steps_in
from guardrails.project.ground import Ground

_TIME = re.compile(r"(?i)deadline|time_?out|elapsed|monotonic|perf_counter|\btime\b|expires|until|max_wait|started")
_LOCKS = re.compile(r"(?i)(?:^|[._])(?:(?:try|get|acquire)_?)?(?:f?lockf?|acquire)$")
_TRIED = re.compile(rb"\bwhile\b[^\n]*:\s")
_PAUSED = re.compile(rb"\bexcept\b[^\n]*:[^\n]*\n(?:[^\n]*\n){0,14}?[^\n]*\bsleep\(")
_LASTING = frozenset("run async_run arun run_forever serve serve_forever listen consume start_consuming run_until_complete".split())
_LEAVING = frozenset(("return", "break", "raise"))


class Loops:
    """Finds the pauses that stand in an except clause, and judges what is around them."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._resolver = ground, ground.resolver

    def ends(self) -> Iterator[Home]:
        """Where work is tried again."""
        return (Home(fact.scope.path, fact.scope.function) for fact in self.facts())

    def reads(self) -> Iterator[str]:
        """The files in which a pause may stand in an except clause of a loop."""
        code = self._ground.code
        looping = set(code.words.holding("while")) & set(code.words.holding("except"))
        for path in code.words.holding("sleep"):
            if path in looping and path.endswith(".py") and _TRIED.search(code.text(path)) and _PAUSED.search(code.text(path)):
                yield path

    def facts(self) -> Iterator[Retry]:
        """A fact a pause that a retry makes."""
        for seen in self._ground.calls("pauses"):
            function = self._resolver.definition(seen.made.home)
            clause = _clause(seen.made.home, function, seen.site)
            if clause is None:
                continue
            loop = next((b for b in _around(function, clause.block) if function.blocks[b].kind == "loop"), -1)
            again = _calls_itself(function, clause)
            if again is not None:
                yield self._restart(seen, function, again)
            elif loop >= 0 and _tries_again(function, clause, loop):
                yield self._loop(seen, function, clause, loop)

    def _loop(self, seen: CallSeen, function: Function, clause: Clause, loop: int) -> Retry:
        head = function.steps[function.blocks[loop].opened_by]
        place = Place(seen.made.home.file, head.start, head.end)
        attempts: Setting = Known(NEVER, place)
        ceilings = list(_ceilings(function, clause))
        ends = function.blocks[clause.block].ends in _LEAVING  # the pause stands under a condition, and the clause gives up after it
        if ceilings or ends:
            attempts = Unknown("it counts its attempts", place, "yes")
        until = "it counts its attempts" if ends else ""
        until = until or _end(function, clause, loop) or ("it counts its attempts" if not all(map(_may_be_off, ceilings)) else "")
        return self._fact(seen, "loop", self._first_line(seen.made.home, head), attempts, until, _lasts(function, clause, loop))

    def _restart(self, seen: CallSeen, function: Function, again: Site) -> Retry:
        place = Place(seen.made.home.file, again.call.start, again.call.end)
        return self._fact(seen, "restart", f"{dotted(again.call.func)}(..)", Known(NEVER, place), "", False)

    def _fact(self, seen: CallSeen, kind: RetryKind, how: str, attempts: Setting, until: str, reconnects: bool) -> Retry:
        answer = Options(self._resolver, [seen.made]).get(seen.form.seconds)
        delay = self._delay(answer) if isinstance(answer, Hit) else Absent(0)
        grows: Setting = Known(False, delay.at) if isinstance(delay, Known) else Unknown("its delay is computed", None, "yes")
        return Retry(
            **self._ground.at(seen.model, seen.made.home, seen.made.call),
            kind=kind,
            how=how,
            jobs=(),
            attempts=attempts,
            grows=grows,
            delay=delay,
            until=until,
            reconnects=reconnects,
            bounded=seen.form.bounded,
            paced=seen.form.paced,
        )

    def _delay(self, hit: Hit) -> Setting:
        """A constant number of seconds; a variable that changes is none."""
        place = hit.place
        function = self._resolver.definition(hit.home)
        names = {part.name for part in walk(hit.expr) if isinstance(part, Ref)}
        changes = [step for step in function.steps for target in step.targets if dotted(target) in names]
        constant = evaluate(self._resolver, hit) if len(changes) < 2 else None
        if constant is None or isinstance(constant.value, bool) or not isinstance(constant.value, int | float):
            return Unknown("its delay is computed", place, "yes")
        return Known(constant.value, place)

    def _first_line(self, home: Home, head: Step) -> str:
        text = self._ground.text(home, head.value) if head.value is not None else ""
        return f"while {text}" if len(text) < 40 else "while"


def _clause(home: Home, function: Function, site: Site) -> Clause | None:
    """The innermost except clause around a call."""
    if not any(block.kind == "except" for block in function.blocks):
        return None
    found = {clause.block: clause for clause in clauses(home, function)}
    return next((found[b] for b in _around(function, function.steps[site.step].block) if b in found), None)


def _around(function: Function, block: int) -> Iterator[int]:
    while block >= 0:
        yield block
        block = function.blocks[block].parent


def _tries_again(function: Function, clause: Clause, loop: int) -> bool:
    """An endless loop that tries until it works, or opens a connection again; one that asks for a lock only waits its turn."""
    test = function.steps[function.blocks[loop].opened_by].value if function.blocks[loop].opened_by >= 0 else None
    if not is_endless(function, loop) or test is None or _changes(function, test, loop):
        return False
    if any(_LOCKS.search(dotted(site.call.func)) for site in sites_in(function, clause.tries)):
        return False
    return _succeeds(function, clause, loop) or _connects(function, clause)


def _changes(function: Function, test: Expr, loop: int) -> bool:
    """A loop's condition is asked each time, or set in the loop."""
    names = {dotted(part) for part in walk(test) if isinstance(part, Ref)}
    set_inside = any(dotted(target) in names for step in steps_in(function, loop) for target in step.targets)
    return set_inside or any(isinstance(part, Call) for part in walk(test))


def _calls_itself(function: Function, clause: Clause) -> Site | None:
    """The clause calls its own function with the arguments that it was given: nothing counts the attempts."""
    params = {param.name for param in function.params}
    for site in function.sites:
        name = dotted(site.call.func)
        if name.removeprefix("self.") == function.name and is_within(function, function.steps[site.step].block, clause.block):
            return site if all(dotted(arg.value) in params for arg in site.call.args) else None
    return None


def _succeeds(function: Function, clause: Clause, loop: int) -> bool:
    """What is tried leaves the loop when it works: the try ends so, or what comes after it does, under no condition."""
    blocks = function.blocks
    after = [
        step for step in function.steps
        if step.block == loop and step.start > blocks[clause.block].end and step.kind in ("break", "return")
    ]  # fmt: skip
    if after:
        return True
    direct = (step for step in function.steps if step.kind in ("break", "return") and is_within(function, step.block, clause.tries))
    return any(_is_straight(function, step.block, clause.tries) for step in direct) or _else_leaves(function, clause)


def _else_leaves(function: Function, clause: Clause) -> bool:
    parent = function.blocks[clause.tries].parent
    return any(
        block.kind == "else" and block.parent == parent and block.opened_by < 0 and block.ends in ("break", "return")
        and block.start > function.blocks[clause.block].start
        for block in function.blocks
    )  # fmt: skip


def _is_straight(function: Function, block: int, outer: int) -> bool:
    """Only `with` stands between a block and an outer one."""
    while block != outer:
        if block < 0 or function.blocks[block].kind != "with":
            return False
        block = function.blocks[block].parent
    return True


def _lasts(function: Function, clause: Clause, loop: int) -> bool:
    """What is tried should last: a connection, a run."""
    runs = any(dotted(site.call.func).rpartition(".")[2] in _LASTING for site in sites_in(function, clause.tries))
    return runs or not _succeeds(function, clause, loop)


def _connects(function: Function, clause: Clause) -> bool:
    """Inside the try, a `with` holds a loop: a connection that is served until it breaks."""
    for index, block in enumerate(function.blocks):
        if block.kind == "loop" and is_within(function, index, clause.tries):
            around = (function.blocks[b].kind for b in _around(function, block.parent) if is_within(function, b, clause.tries))
            if "with" in around and (is_endless(function, index) or _is_stream(function, index)):
                return True
    return False


def _is_stream(function: Function, loop: int) -> bool:
    """`async for message in socket`: the loop runs over what the `with` opened."""
    head = function.steps[function.blocks[loop].opened_by]
    opened = {dotted(target) for step in function.steps if step.kind == "enter" for target in step.targets}
    return head.kind == "iterate" and head.value is not None and dotted(head.value).split(".")[0] in opened


def _ceilings(function: Function, clause: Clause) -> Iterator[Expr]:
    """The tests under which the clause gives up; one that looks at the error only chooses what to retry."""
    for step in steps_in(function, clause.block):
        block = function.blocks[step.block]
        if step.kind in _LEAVING and block.opened_by >= 0 and step.block != clause.block:
            test = function.steps[block.opened_by].value
            if test is not None and not (clause.name and clause.name in _words(test).replace(".", " ").split()):
                yield test


def _may_be_off(test: Expr) -> bool:
    """`limit and failures >= limit`: without a limit there is none."""
    return isinstance(test, Op) and test.op == "and" and any(isinstance(part, Ref) for part in test.parts)


def _end(function: Function, clause: Clause, loop: int) -> str:
    """What ends the loop beside success: a deadline, a condition that it looks at each time."""
    for step in function.steps:
        inside = is_within(function, step.block, loop) and step.block != loop and not is_within(function, step.block, clause.tries)
        if inside and step.kind in _LEAVING and not _is_handled(function, step.block, loop):
            return "it looks whether to go on"
    return next((dotted(test) or "a deadline" for test in _tests(function, loop) if _TIME.search(_words(test))), "")


def _is_handled(function: Function, block: int, loop: int) -> bool:
    """The block stands in an except clause, or in the `else` of a try, inside the loop."""
    around = (b for b in _around(function, block) if b != loop and is_within(function, b, loop))
    return any(
        function.blocks[b].kind == "except" or (function.blocks[b].kind == "else" and function.blocks[b].opened_by < 0) for b in around
    )


def _tests(function: Function, loop: int) -> Iterator[Expr]:
    for block in function.blocks:
        if block.kind in ("if", "loop") and block.opened_by >= 0:
            step = function.steps[block.opened_by]
            if step.kind == "test" and step.value is not None and is_within(function, step.block, loop):
                yield step.value


def _words(test: Expr) -> str:
    return " ".join(dotted(part) for part in walk(test))
