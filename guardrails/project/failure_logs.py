"""What except clauses of jobs and of workers' loops write to the log: whether it names the work and keeps the error."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts.failure import FailureLog
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import HandlerSeen, SpawnSeen
from guardrails.names.code import last_word
from guardrails.names.values import Home, names_in
from guardrails.outline import (
    Attr,
    Call,
    Choice,
    Comp,
    Expr,
    Function,
    Group,
    Literal_,
    Param,
    Ref,
    Site,
    Text,
    children,
    dotted,
    enclosing,
    is_within,
)
from guardrails.place import Place
from guardrails.project.clauses import Caught, Clause, clauses, is_endless, sites_in, steps_in
from guardrails.project.ground import Ground
from guardrails.project.handled import is_idle
from guardrails.project.log_context import LogContext
from guardrails.project.secrets import words_of

_LEVELS = frozenset("error exception critical fatal aerror aexception acritical afatal".split())
_TRACES = frozenset("format_exc print_exc exc_info format_exception format_tb TracebackException".split())
_RECEIVES = frozenset(
    "receive recv poll getone getmany consume dequeue blpop brpop lpop rpop xread xreadgroup reserve fetch listen pop".split()
)
_FROM = frozenset("queue message messages event events job jobs task tasks msg stream topic inbox".split())
# Parameters that say how to work, not on what; and what frameworks hand in.
_HOW = frozenset(
    "self cls ctx context args kwargs request req task session db conn connection engine app config settings options logger log exc "
    "error traceback einfo days hours minutes seconds limit size count max min batch period retention timeout ttl interval threshold "
    "dry force full kind mode verbose debug delay since until now date start end offset page retries "
    "countdown exclude include commit filter filters options flags only all notify server client manager service bot registry "
    "scheduler app fn func function callback callable".split()
)
_NUMBERS = frozenset("max min count counts num number total limit size len".split())
_JOURNALS = frozenset("log audit journal history".split())
_SOCKET = frozenset("websocket ws socket sock conn connection".split())  # what comes from one client, whom its handler answers
_CLOCK = frozenset("time duration elapsed now start started started_at start_time delay interval attempts".split())


class FailureLogs:
    """Makes a fact of each except clause that logs."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._handled, self._work = ground.handled, ground.work
        self._context = LogContext(ground)
        self._caught = Caught(ground.resolver)

    def facts(self) -> Iterator[FailureLog]:
        """A fact a clause, in the bodies of jobs and in loops that receive work."""
        done: set[Home] = set()
        for here, seen in self._work.bodies(self._ground.jobs):
            done.add(here)
            yield from self._in_job(here, seen.model, seen.name)
        yield from self._in_loops(done)

    def _in_job(self, home: Home, model: Model, worker: str) -> Iterator[FailureLog]:
        function = self._ground.resolver.definition(home)
        named = identified(function)
        for clause in clauses(home, function):
            item = self._is_item(function, clause)
            if item or self._work.is_main(clause, function, []) or function.blocks[clause.block].ends == "return":
                yield from self._log(clause, function, model, worker, named or item, False)

    @staticmethod
    def _is_item(function: Function, clause: Clause) -> bool:
        """The clause stands in a loop over things: a thing a round."""
        around = (one for one in enclosing(function, clause.block) if one.kind == "loop" and one.opened_by >= 0)
        return any(function.steps[one.opened_by].kind == "iterate" for one in around)

    def _in_loops(self, done: set[Home]) -> Iterator[FailureLog]:
        handlers = {seen.home for seen in self._ground.sightings(HandlerSeen)}
        spawned = {self._ground.keeping.body(seen.runs): seen.model for seen in self._ground.sightings(SpawnSeen)}
        worker_model = next(iter(self._ground.catalogue.models))
        for part in self._ground.parts():
            for index, function in enumerate(part.functions):
                home = Home(part.path, index)
                if home in done or home in handlers or part.language != "python" or function.kind != "function":
                    continue
                loops = [block for block in range(len(function.blocks)) if is_endless(function, block)]
                if loops:
                    yield from self._in_loop(home, function, loops, spawned.get(home), worker_model)

    def _in_loop(self, home: Home, function: Function, loops: list[int], spawner: Model | None, other: Model) -> Iterator[FailureLog]:
        for clause in clauses(home, function):
            loop = next((one for one in loops if is_within(function, clause.block, one)), None)
            if loop is None or (spawner is None and not self._receives(function, loop)):
                continue
            item = self._item(function, clause, loop)
            yield from self._log(clause, function, spawner or other, function.qualname, item, True)

    @staticmethod
    def _receives(function: Function, loop: int) -> bool:
        """The loop takes messages from somewhere."""
        for site in sites_in(function, loop):
            words = set(words_of(last_word(site)))
            if _SOCKET.intersection(words_of(dotted(site.call.func).rpartition(".")[0])):
                continue
            if (words & _RECEIVES and (words & _FROM or len(words) == 1)) or (words & {"read", "get"} and words & _FROM):
                return True
        return False

    def _item(self, function: Function, clause: Clause, loop: int) -> bool:
        """The try works on one thing, which is known when it fails: it stands in a loop over things, or the thing was taken before it."""
        block = clause.block
        while block >= 0 and block != loop:
            one = function.blocks[block]
            if one.kind == "loop" and one.opened_by >= 0 and function.steps[one.opened_by].kind == "iterate":
                return True
            block = one.parent
        return any(
            step.kind == "assign"
            and not isinstance(step.value, Comp | Group)
            and any(_is_received(name) for target in step.targets for name in names_in(target))
            for step in function.steps
            if is_within(function, step.block, loop) and step.end < function.blocks[clause.tries].start
        )

    def _log(
        self, clause: Clause, function: Function, model: Model, worker: str, has_work: bool, is_loop: bool
    ) -> Iterator[FailureLog]:  # fmt: skip
        logs = [site for site in sites_in(function, clause.block) if self._handled.is_log(clause.home, site)]
        loud = [site for site in logs if last_word(site) in _LEVELS]
        if not loud or self._handled.outcome(clause, function) in ("raises", "retries") or self._is_aside(clause, function):
            return
        told = self._quoting(clause, function)
        keeps = any(self._keeps(told, one) for one in sites_in(function, clause.block))
        if keeps and self._caught.breadth(clause) == "narrow":
            return
        site = loud[-1]
        at = self._ground.standing(model, clause.home, Place(clause.home.file, site.call.start, site.call.end))
        yield FailureLog(
            **at,
            worker=worker,
            call=dotted(site.call.func),
            is_loop=is_loop,
            names_work=any(self._names(clause, function, one) for one in logs) or self._is_journalled(clause, function),
            keeps_error=keeps,
            has_work=has_work,
            bound=self._context.of(clause.home, site, is_loop) or ("its framework marks it" if _marks(model) and not is_loop else ""),
            hidden=any(arg.splat for one in logs for arg in one.call.args),
        )

    def _is_aside(self, clause: Clause, function: Function) -> bool:
        """The clause guards a clean-up, not work."""
        if any(one.kind == "finally" for one in enclosing(function, clause.block)):
            return True
        inside = [site for site in sites_in(function, clause.tries) if not self._handled.is_log(clause.home, site)]
        return bool(inside) and all(is_idle(dotted(site.call.func)) for site in inside)

    def _names(self, clause: Clause, function: Function, site: Site) -> bool:
        """A log call writes a value besides the exception, the time and constants."""
        values = [arg.value for arg in site.call.args if not arg.splat and arg.name not in ("exc_info", "stack_info", "level")]
        errors = {clause.name} | self._derived(clause, function)
        return any(_is_work(value, errors) for value in values)

    @staticmethod
    def _is_journalled(clause: Clause, function: Function) -> bool:
        """The clause writes into the work's own log: `order.log_action("invoice.failed")`."""
        calls = [site.call.func for site in sites_in(function, clause.block) if _JOURNALS.intersection(words_of(last_word(site)))]
        return any(isinstance(func, Ref | Attr) and _head(func) in _items(function) and "." in dotted(func) for func in calls)

    @staticmethod
    def _derived(clause: Clause, function: Function) -> set[str]:
        """Names in the clause that only hold what the exception says."""
        found: set[str] = set()
        for step in function.steps:
            own = step.kind == "assign" and is_within(function, step.block, clause.block)
            if own and step.value is not None and not _is_work(step.value, {clause.name} | found):
                found.update(name for target in step.targets for name in names_in(target))
        return found

    @staticmethod
    def _quoting(clause: Clause, function: Function) -> set[str]:
        """The exception's name, and those in the clause that are given what it says."""
        found = {clause.name} - {""}
        for step in steps_in(function, clause.block):
            quotes = step.value is not None and any(_head(expr) in found for expr in _leaves(step.value))
            if step.kind == "assign" and quotes:
                found.update(name for target in step.targets for name in names_in(target))
        return found

    @staticmethod
    def _keeps(told: set[str], site: Site) -> bool:
        """A call of the clause writes the exception or its traceback."""
        if last_word(site) in ("exception", "aexception", "print_exc", "capture_exception", *_TRACES):
            return True
        for arg in site.call.args:
            if arg.name == "exc_info" and not (isinstance(arg.value, Literal_) and not arg.value.value):
                return True
            if any(_head(expr) in told for expr in _leaves(arg.value)):
                return True
        return False


def _marks(model: Model) -> bool:
    return model.failures is not None and model.failures.marks


def identified(function: Function) -> bool:
    """A function is told on what one thing it works."""
    return any(_identifies(param) for param in function.params)


def _items(function: Function) -> set[str]:
    """What a function is given, and what its loops go over."""
    rounds = (name for step in function.steps if step.kind == "iterate" for target in step.targets for name in names_in(target))
    return {param.name for param in function.params if _identifies(param)}.union(rounds)


def _is_received(name: str) -> bool:
    """A name that holds a message or a job, not how many there are: `waiting_job`, not `max_jobs`."""
    words = words_of(name)
    return not _FROM.isdisjoint(words) and _NUMBERS.isdisjoint(words)


def _identifies(param: Param) -> bool:
    """A parameter without a default that says on what one thing the job works."""
    if param.name.endswith("s") and not param.name.endswith(("ss", "us", "is")):
        return False
    return param.default is None and not param.kind and bool(words := words_of(param.name)) and not _HOW.intersection(words)


def _head(expr: Expr) -> str:
    return dotted(expr).partition(".")[0].partition("(")[0]


def _leaves(value: Expr) -> Iterator[Expr]:
    """The names, attributes and literals that a value is made of."""
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, Ref | Attr | Literal_):
            yield one
        if not isinstance(one, Ref | Literal_):
            todo.extend(children(one))


def _is_work(value: Expr, errors: set[str]) -> bool:
    """A value that may tell which work it was."""
    if isinstance(value, Literal_):
        return False
    if isinstance(value, Text):
        return any(_is_work(part, errors) for part in value.parts)
    if isinstance(value, Choice):
        return _is_work(value.yes, errors) or _is_work(value.no, errors)
    if isinstance(value, Call):
        if dotted(value.func).rpartition(".")[2] in _TRACES:
            return False
        method = isinstance(value.func, Attr) and _is_work(value.func.base, errors)
        return method or any(_is_work(arg.value, errors) for arg in value.args) or (not value.args and _names_something(value.func, errors))
    if isinstance(value, Ref | Attr):
        return _names_something(value, errors)
    return any(_is_work(part, errors) for part in children(value))


def _names_something(expr: Expr, errors: set[str]) -> bool:
    text = dotted(expr)
    head, last = _head(expr), text.rpartition(".")[2]
    if (
        head in errors
        or head in ("time", "datetime", "traceback", "sys", "os", "type")
        or last in ("__name__", "__class__", "__qualname__")
    ):
        return False
    return not last.isupper() and not _CLOCK.intersection(words_of(last)[-1:])
