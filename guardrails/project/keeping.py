"""Who waits for a spawn, what ties it to the request, and why its loss may be harmless."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrails.frameworks.sightings import SpawnSeen
from guardrails.names.options import Hit
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import (
    Attr,
    Await,
    Call,
    Closure,
    Expr,
    Function,
    Group,
    Index,
    Literal_,
    Pair,
    Ref,
    Site,
    Spread,
    Step,
    dotted,
    enclosing,
    is_within,
    walk,
)
from guardrails.project.secrets import words_of

_TELL = frozenset("emit record report send track push incr increment log flush update observe".split())
_NUMBERS = frozenset("metric metrics stat stats telemetry gauge gauges counter counters usage histogram".split())
_CLEANERS = frozenset("unlink rmtree close aclose disconnect shutdown cleanup incr gauge remove keepalive heartbeat".split())
_LEFTOVERS = frozenset("file files dir temp tmp directory".split())
_LOOKERS = frozenset("str repr id type print len bool drop void then catch debug info warning warn error exception log isinstance".split())
# Whoever is told about work that was done: losing a word to it loses a number, not the work.
_OBSERVERS = re.compile(
    r"(?i)(?:^|[._])(?:metrics?|statsd|telemetry|prometheus|datadog|otel|tracer|analytics|posthog|\w*websocket\w*|\w*logger\w*)(?:$|[._])"
)
_JOINS = frozenset(
    ("join", "result", "wait", "get", "communicate", "poll", "cancel", "terminate", "kill", "abort", "exception", "wait_for", "done")
)
_WATCHES = frozenset(("add_done_callback",))
_FOR_EVER = frozenset(("run_forever", "serve_forever", "start_consuming", "start_polling", "run_until_disconnected"))
_SAFE = frozenset("append is_set Event getLogger time monotonic put put_nowait set len sleep".split())  # hardly ever fail
_FILLS = frozenset("fill refill refresh revalidate warm warmup preload prefetch prime populate".split())
_SIGNS_OF_LIFE = frozenset("active activity seen used visited".split())
_LEAVES = frozenset(("return", "raise", "break"))
_DRAINS = frozenset(("read", "readline", "readlines"))  # whoever reads a child's output to its end waits for the child
_HANDED_ON = frozenset(("returned", "yielded", "entered", "iterated"))
_STREAMS = re.compile(
    r"(?:^|\.)(?:StreamingResponse|EventSourceResponse|StreamingHttpResponse|StreamResponse|ServerSentEvents?|Sse|WebSocketResponse|WebSocketUpgrade|"
    r"ReadableStream|TransformStream|streamText|streamSSE|stream_with_context|Body\.from_stream)\b"
)


class Keeping:
    """Judges spawns; `enqueues` are the places where work is handed to a queue."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self.enqueues: set[tuple[str, int]] = set()

    def kept(self, seen: SpawnSeen) -> str:
        """Who keeps the spawn, in words; "" for nobody."""
        site, home = seen.site, seen.made.home
        function = self._resolver.definition(home)
        if seen.form.kept:
            return seen.form.kept
        if seen.form.scoped and self._in_scope(site, function):
            return "leaving the `with` block waits for it"
        if seen.origin is not None and seen.origin.call is not site.call and seen.form.kind != "task":
            return self._kept_object(seen, function)
        run = seen.runs.expr if seen.runs is not None and seen.form.kind == "task" else None
        if run is not None and any(_puts_away(one.call, dotted(run)) for one in function.sites):
            return f"`{dotted(run)}` is collected"
        return self._kept_value(site, home, function) or (_told_by(function, run) if isinstance(run, Call) else "")

    @staticmethod
    def _in_scope(site: Site, function: Function) -> bool:
        """The call stands in a `with` block of its receiver."""
        receiver = dotted(site.call.func).rpartition(".")[0]
        for block in enclosing(function, function.steps[site.step].block):
            opener = function.steps[block.opened_by] if block.kind == "with" and block.opened_by >= 0 else None
            if opener is not None and any(dotted(target) == receiver for target in opener.targets):
                return True
        return False

    def _kept_object(self, seen: SpawnSeen, function: Function) -> str:
        """A thread or process object: joined in this function, or held by something that lives longer."""
        name = dotted(seen.site.call.func).rpartition(".")[0]
        if name.startswith(("self.", "this.")):
            return f"`{name}` holds it"
        if name and self._used(function, name):
            return f"`{name}` is waited for or held"
        told = _told_by(function, seen.origin.call) if seen.origin is not None else ""
        return told or (self._kept_value(seen.site, seen.made.home, function) if seen.form.kind in ("pool", "timer") else "")

    def _kept_value(self, site: Site, home: Home, function: Function) -> str:
        if site.use == "awaited" or site.use in _HANDED_ON:
            return "it is awaited" if site.use == "awaited" else "it is handed on"
        if site.use == "kept":
            return "it is collected"
        if site.use == "passed":
            return "it is passed on" if self._collects(site) else ""
        if site.use == "chained":
            return "it is waited for" if site.holder in _JOINS else ""
        if site.use == "assigned" and site.holder not in ("", "_"):
            if "." in site.holder or "[" in site.holder:
                return f"`{site.holder}` holds it"
            return f"`{site.holder}` is waited for or held" if self._is_kept_name(home, function, site.holder) else ""
        return ""

    def _is_kept_name(self, home: Home, function: Function, name: str) -> bool:
        """The variable is used, or it is one of the module's."""
        return home.function == 0 or name in self._resolver.part(home).bindings(0) or self._used(function, name)

    @staticmethod
    def _collects(site: Site) -> bool:
        """Whoever takes it keeps it, unless it only looks at it."""
        return site.holder.rpartition(".")[2] not in _LOOKERS

    def _used(self, function: Function, name: str) -> bool:
        """The name is awaited, joined, returned, collected or passed on later in the function."""
        for step in function.steps:
            for expr in walk(step.value) if step.value is not None else ():
                if isinstance(expr, Await) and dotted(expr.value) == name:
                    return True
                if isinstance(expr, Call) and (self._joins(expr, name) or self._takes(expr, name)):
                    return True
            if step.kind in ("return", "iterate") and step.value is not None and any(_is(e, name) for e in walk(step.value)):
                return True
            if step.kind == "assign" and step.value is not None and (_stores(step, name) or _is_looked_up(step, name)):
                return True
        return False

    @staticmethod
    def _takes(call: Call, name: str) -> bool:
        return dotted(call.func).rpartition(".")[2] not in _LOOKERS and any(_holds(arg.value, name) for arg in call.args)

    @staticmethod
    def _joins(call: Call, name: str) -> bool:
        owner, _, last = dotted(call.func).rpartition(".")
        return (owner == name and last in _JOINS) or (owner in (f"{name}.stdout", f"{name}.stderr") and last in _DRAINS)

    def runs(self, hit: Hit | None) -> str:
        """What is run, in words."""
        if hit is None:
            return ""
        return dotted(hit.expr.func if isinstance(hit.expr, Call) else hit.expr).removeprefix("?").strip(".")

    def body(self, hit: Hit | None) -> Home | None:
        """The function of the project that is run."""
        if hit is None:
            return None
        if isinstance(hit.expr, Closure):
            return Home(hit.home.file, hit.expr.function)
        value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr.func if isinstance(hit.expr, Call) else hit.expr)
        known = value is not None and value.home is not None and self._resolver.definition(value.home).kind == "function"
        return value.home if known and value is not None else None

    def light(self, hit: Hit | None) -> str:
        """Why losing it is harmless, "" when it is not known to be."""
        if hit is None:
            return ""
        if (hit.home.file, hit.expr.start) in self.enqueues:
            return "it only hands work over"
        if isinstance(hit.expr, Closure):
            return self._light_body(Home(hit.home.file, hit.expr.function))
        text = dotted(hit.expr.func if isinstance(hit.expr, Call) else hit.expr)
        if _is_light(text) or _OBSERVERS.search(text.rpartition(".")[0]):
            return "it only cleans up or emits a metric"
        home = self.body(hit)
        if home is None:
            return "it only fills a cache" if _fills(text) else ""
        return self._light_body(home) or self._pump(home) or self._at_once(home) or self._fill(home)

    def _fill(self, home: Home) -> str:
        """It is called, or stands in a function that is called, after a cache that it fills: whoever comes next fills it again."""
        return "it only fills a cache" if any(map(_fills, self._resolver.definition(home).qualname.split("."))) else ""

    def _at_once(self, home: Home) -> str:
        """A coroutine that waits for nothing: it ends in its first step."""
        function = self._resolver.definition(home)
        values = (step.value for step in function.steps if step.value is not None)
        waits = any(isinstance(expr, Await) for value in values for expr in walk(value))
        paused = any(step.kind in ("enter", "iterate") for step in function.steps)
        works = function.is_async and bool(function.sites)
        return "it waits for nothing, so nothing can stop it half-way" if works and not waits and not paused else ""

    def lasts(self, hit: Hit | None) -> bool:
        """What is run is a loop for the life of the process."""
        home = self.body(hit)
        return home is not None and bool(self._pump(home))

    def watched(self, seen: SpawnSeen) -> bool:
        """A callback is told how it ended."""
        site = seen.site
        if site.use == "chained":
            return site.holder in _WATCHES
        function = self._resolver.definition(seen.made.home)
        calls = (dotted(one.call.func).rpartition(".") for one in function.sites) if site.holder else iter(())
        return any(owner == site.holder and last in _WATCHES for owner, _, last in calls)

    def careful(self, hit: Hit | None) -> bool:
        """What is run catches all that may go wrong in it: every call stands in a `try` with a broad handler, or in the handler."""
        home = self.body(hit)
        function = self._resolver.definition(home) if home is not None else None
        return function is not None and _is_covered(function, _broad_handlers(function))

    def supervised(self, hit: Hit | None) -> bool:
        """What is run is a loop for the life of the process that catches and tells what goes wrong in a round, and goes on."""
        home = self.body(hit)
        if home is None or not self._pump(home):
            return False
        function = self._resolver.definition(home)
        return _is_covered(function, [one for one in _broad_handlers(function) if _tells_and_goes_on(function, one)])

    def _pump(self, home: Home) -> str:
        """A loop that sleeps and never ends: it is started once for the life of the process, and is no work of a request."""
        function = self._resolver.definition(home)
        called = [dotted(site.call.func) for site in function.sites]
        if any(text.rpartition(".")[2] in _FOR_EVER or text.endswith("loop.start") for text in called):
            return "it is a loop for the life of the process"
        for index, block in enumerate(function.blocks):
            test = function.steps[block.opened_by].value if block.kind == "loop" and block.opened_by >= 0 else None
            endless = block.kind == "loop" and (block.opened_by < 0 or (isinstance(test, Literal_) and bool(test.value)))
            inside = [s for s in function.sites if endless and is_within(function, function.steps[s.step].block, index)]
            if any(dotted(site.call.func).rpartition(".")[2] in ("sleep", "wait", "tick", "recv", "get") for site in inside):
                return "it is a loop for the life of the process"
        return ""

    def _light_body(self, home: Home) -> str:
        """Every call in the body cleans up, logs or emits a metric."""
        sites = self._resolver.definition(home).sites
        if sites and all((home.file, site.call.start) in self.enqueues for site in sites):
            return "it only hands work over"
        texts = [dotted(site.call.func).replace("()", "") for site in sites]
        serious = [text for text in texts if not _is_light(text) and not _is_log(text)]
        return "it only cleans up or emits a metric" if texts and not serious and any(_is_light(t) for t in texts) else ""

    def streams(self, function: Function) -> bool:
        """The function answers with a stream that lives as long as the connection."""
        return any(_STREAMS.search(text) for text in _answers(function))


def _puts_away(call: Call, name: str) -> bool:
    return dotted(call.func).endswith((".add", ".append")) and any(_is(arg.value, name) for arg in call.args)


def _told_by(function: Function, call: Call) -> str:
    """Something that work is given tells its end, and is waited for or carries a future: `done.wait()`, `await answer`, `call.future`."""
    given = {part.name for arg in call.args for part in walk(arg.value) if isinstance(part, Ref)}
    carried = tuple(f"{name}.future." for name in given)
    for step in function.steps:
        for expr in walk(step.value) if step.value is not None else ():
            waits = isinstance(expr, Await) and dotted(expr.value) in given
            if (
                waits
                or (isinstance(expr, Ref | Attr) and f"{dotted(expr)}.".startswith(carried))
                or (isinstance(expr, Call) and _waits(expr, given))
            ):
                return "what it is given tells its end"
    return ""


def _waits(call: Call, given: set[str]) -> bool:
    owner, _, last = dotted(call.func).rpartition(".")
    return owner in given and (last in ("wait", "join") or (last == "get" and not call.args))


def _broad_handlers(function: Function) -> list[int]:
    """The clauses that catch everything."""
    openers = {
        index: function.steps[block.opened_by]
        for index, block in enumerate(function.blocks)
        if block.kind == "except" and block.opened_by >= 0
    }
    return [i for i, step in openers.items() if step.value is None or dotted(step.value) in ("Exception", "BaseException")]


def _is_covered(function: Function, handlers: list[int]) -> bool:
    """Every call that may fail stands in one of these clauses or in its `try`."""
    parents = {function.blocks[one].parent for one in handlers}
    guarded = [*handlers, *(i for i, one in enumerate(function.blocks) if one.kind == "try" and one.parent in parents)]
    texts = [(site, dotted(site.call.func).replace("()", "")) for site in function.sites]
    blocks = [function.steps[site.step].block for site, text in texts if not _is_log(text) and text.rpartition(".")[2] not in _SAFE]
    return bool(guarded) and all(any(is_within(function, block, one) for one in guarded) for block in blocks)


def _tells_and_goes_on(function: Function, handler: int) -> bool:
    """The clause stands in a loop, says something, and does not leave the loop."""
    loops = any(one.kind == "loop" for one in enclosing(function, handler))
    inside = [step for step in function.steps if is_within(function, step.block, handler)]
    speaks = any(is_within(function, function.steps[site.step].block, handler) for site in function.sites)
    return loops and speaks and not any(step.kind in _LEAVES for step in inside)


def _answers(function: Function) -> Iterator[str]:
    if function.returns is not None:
        yield from (expr.name for expr in walk(function.returns) if isinstance(expr, Ref))
    for param in function.params:
        if isinstance(param.annotation, Ref) and param.annotation.name.rpartition(".")[2] in ("WebSocket", "WebSocketUpgrade"):
            yield "WebSocketUpgrade"
    for site in function.sites:
        yield dotted(site.call.func)


def _is(expr: Expr, name: str) -> bool:
    return isinstance(expr, Ref | Attr) and dotted(expr) == name


def _holds(expr: Expr, name: str) -> bool:
    """The expression is the name, or a collection that is written out and has it."""
    items = expr.items if isinstance(expr, Group) else ()
    return _is(expr, name) or any(_holds(item.value if isinstance(item, Pair | Spread) else item, name) for item in items)


def _stores(step: Step, name: str) -> bool:
    """The name is put where it lives longer, or into a collection."""
    assert step.value is not None
    if isinstance(step.value, Group):
        return _holds(step.value, name)
    return _is(step.value, name) and bool(step.targets) and "." in dotted(step.targets[0])


def _is_looked_up(step: Step, name: str) -> bool:
    """The name is a key of a mapping: `running[task] = name`."""
    return any(isinstance(target, Index) and _is(target.key, name) for target in step.targets)


def _is_log(text: str) -> bool:
    owner, _, last = text.rpartition(".")
    return (
        bool(_OBSERVERS.search(owner))
        or last in ("debug", "info", "warning", "warn", "error", "exception", "log", "print")
        or text in ("str", "Path", "exists")
    )


def _fills(text: str) -> bool:
    """`fill_cache_in_background`, `warm_cache`."""
    words = set(words_of(text.rpartition(".")[2]))
    return bool(words & {"cache", "caches"}) and not words.isdisjoint(_FILLS)


def _is_light(text: str) -> bool:
    """A call that cleans up or emits a number, by its words: `unlink`, `remove_temp_file`, `record_usage`."""
    words = words_of(text.replace("()", "").rpartition(".")[2])
    if not words:
        return False
    if words == ["wait"] or words == ["sleep"]:
        return True
    if words[0] in _CLEANERS or words[:2] == ["clean", "up"]:
        return len(words) == 1 or words[0] in ("cleanup", "clean") or bool(_LEFTOVERS & set(words))
    if words[0] == "delete":
        return bool(_LEFTOVERS & set(words))
    return words[0] in _TELL and bool(_NUMBERS & set(words) or ("last" in words and _SIGNS_OF_LIFE & set(words)))
