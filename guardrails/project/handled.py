"""What an except clause does with what it caught."""

from __future__ import annotations

from functools import cache

from guardrails.facts.failure import Outcome
from guardrails.frameworks.catalogue import Catalogue
from guardrails.names.code import last_word
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Attr, Call, Expr, Function, Group, Index, Literal_, Pair, Ref, Site, Step, dotted, is_within, walk
from guardrails.project.clauses import Clause, sites_in, steps_in
from guardrails.project.keeping import Keeping
from guardrails.project.secrets import words_of

_ORDER: tuple[Outcome, ...] = ("raises", "retries", "acts", "unread", "answers", "tracks", "logs", "nothing")
_LEAVES = frozenset(("sys.exit", "os._exit", "exit", "quit", "os.abort", "pytest.fail", "pytest.skip"))
_AGAIN = frozenset("retry requeue reschedule resubmit redeliver reenqueue enqueue nack reject".split())
# Calls that look at something, undo, close or count: none of them tells anybody that the work failed.
_IDLE = frozenset(
    "str repr int float len type isinstance issubclass getattr hasattr format join strip split lower upper replace encode decode "
    "dict list tuple set get keys items values now utcnow time monotonic perf_counter total_seconds isoformat strftime "
    "append_traceback print_exc format_exc exc_info print_exception format_exception print_stack format_tb print_tb extract_tb sleep "
    "round min max sum sorted startswith endswith copy rollback close aclose disconnect close_old_connections collect flush super "
    "print secho echo clear reset truncate shutdown dumps cancel terminate kill is_set clear_cache basename exists is_file is_dir "
    "current_thread getpid getLogger get_logger get_task_logger".split()
)
_IDLE_FIRST = frozenset("close cleanup clean teardown release unlock unlink rmtree rollback discard invalidate".split())
_COUNTS = frozenset(
    "incr increment inc observe timing gauge histogram decr decrement count record_exception set_attribute set_tag "
    "set_context set_extra add_event set_attributes set_span_attribute push_scope increment_counter".split()
)
_METRIC = frozenset("metric metrics statsd stats counter counters gauge histogram telemetry span meter prometheus scope".split())
_LOG_FIRST = frozenset(("log", "logger", "logging", "debug", "warn"))
_LEFTOVERS = frozenset(
    "up connection connections conn session sessions file files lock locks tmp temp dir directory cache caches client clients socket "
    "pool resources db cursor transaction container tempdir".split()
)
_FAILS = frozenset("error errors fail failed failure exception exc ok success succeeded".split())
_RECORDS = frozenset("fail failed failure mark record save store update create set put publish notify send report add".split())
_DEEPEST = 2


def strongest(found: list[Outcome]) -> Outcome:
    """What counts of several things that are done."""
    return min(found, key=_ORDER.index, default="nothing")


class Handled:
    """Reads except clauses."""

    def __init__(self, resolver: Resolver, catalogue: Catalogue, keeping: Keeping) -> None:
        self._resolver, self._catalogue, self._keeping = resolver, catalogue, keeping
        self._captures = frozenset(word for model in catalogue.models if model.failures for word in model.failures.captures)
        self._helper = cache(self._helper_of)
        self._busy: set[Home] = set()

    def outcome(self, clause: Clause, function: Function) -> Outcome:
        """The strongest thing that a clause does."""
        return strongest(
            [self._step(clause, function, step) for step in steps_in(function, clause.block)]
            + [self.call(clause.home, site) for site in sites_in(function, clause.block)]
        )

    def _step(self, clause: Clause, function: Function, step: Step) -> Outcome:
        if step.kind in ("raise", "assert"):
            return "raises"
        if step.kind == "return" and step.value is not None:
            return "answers" if _tells(step.value, clause.name) else "nothing"
        if step.kind in ("assign", "augment") and any(self._outlives(clause, function, target) for target in step.targets):
            return "acts"
        yields = step.value is not None and any(getattr(expr, "op", "") in ("yield", "yield from") for expr in walk(step.value))
        return "acts" if yields else "nothing"

    @staticmethod
    def _outlives(clause: Clause, function: Function, target: Expr) -> bool:
        """Something outside the clause sees what is assigned."""
        if isinstance(target, Group):
            return any(Handled._outlives(clause, function, item) for item in target.items)
        if not isinstance(target, Ref) or "." in target.name:
            return isinstance(target, Ref | Attr | Index)
        return any(
            isinstance(expr, Ref) and expr.name.partition(".")[0] == target.name
            for step in function.steps
            if not is_within(function, step.block, clause.block) and step.value is not None
            for expr in (*walk(step.value), *(part for one in step.targets if not isinstance(one, Ref) for part in walk(one)))
        )

    def is_log(self, home: Home, site: Site) -> bool:
        """A call that writes to a log or to the terminal."""
        word = last_word(site)
        if word in self._catalogue.log_words:
            receiver = dotted(site.call.func).rpartition(".")[0].rpartition(".")[2]
            if (receiver, word) in self._catalogue.log_names or receiver.lower().endswith(("logger", "log")):
                return True
            with self._resolver.shallow():
                value = self._resolver.resolve(home.file, home.function, site.call.func)
            return value is not None and value.path in self._catalogue.logs
        if word in ("print", "print_exc"):
            return True
        words = words_of(word)
        return bool(words) and words[0] in _LOG_FIRST and self._only_logs(home, site)

    def _only_logs(self, home: Home, site: Site) -> bool:
        """A call that is named like a log call, and is no function of the project that does more."""
        value = self._resolver.resolve(home.file, home.function, site.call.func)
        if value is None or value.home is None or self._resolver.definition(value.home).kind != "function":
            owner = dotted(site.call.func).rpartition(".")[0].rpartition(".")[2]
            return not owner or bool({"log", "logger", "logging", "self"} & set(words_of(owner)))
        if value.home in self._busy:
            return True
        self._busy.add(value.home)
        try:
            return self._helper(value.home, 0) in ("logs", "nothing")
        finally:
            self._busy.discard(value.home)

    def call(self, home: Home, site: Site, depth: int = 0) -> Outcome:
        """What one call amounts to in a clause."""
        text, word = dotted(site.call.func), last_word(site)
        if word in self._captures:
            return "tracks"
        if self.is_log(home, site):
            return "logs"
        if (home.file, site.call.start) in self._keeping.enqueues or _AGAIN.intersection(words_of(word)):
            return "retries"
        if text in _LEAVES:
            return "raises"
        if is_idle(text):
            return "nothing"
        return self._project_call(home, site, depth)

    def _project_call(self, home: Home, site: Site, depth: int) -> Outcome:
        value = self._resolver.resolve(home.file, home.function, site.call.func)
        if value is not None and value.home is None and isinstance(site.call.func, Ref) and "." not in site.call.func.name:
            return "unread" if "." in value.path and not _RECORDS.intersection(words_of(value.path.rpartition(".")[2])) else "acts"
        if value is None or value.home is None or value.instance or depth >= _DEEPEST:
            return "acts"
        definition = self._resolver.definition(value.home)
        if definition.kind == "class":
            return "nothing" if site.use != "dropped" else "acts"
        return self._helper(value.home, depth) if definition.kind == "function" else "acts"

    def _helper_of(self, home: Home, depth: int) -> Outcome:
        """What a function of the project amounts to when it is called in a clause."""
        function = self._resolver.definition(home)
        if function.blocks and function.blocks[0].ends == "raise":
            return "raises"
        if not function.sites or any(_stores(step) for step in function.steps):
            return "acts"
        found: list[Outcome] = [self.call(home, site, depth + 1) for site in function.sites]
        return strongest(found) if "logs" in found or "tracks" in found else "acts"


def is_idle(text: str) -> bool:
    """A call that looks at something, cleans up or counts, by its words."""
    receiver, _, word = text.rpartition(".")
    if word in _IDLE or word in _COUNTS or receiver in ("time", "traceback", "datetime", "gc", "json", "os.path", "sys", "inspect"):
        return True
    words = words_of(word)
    if words and words[0] in _IDLE_FIRST and (len(words) == 1 or _LEFTOVERS.intersection(words[1:])):
        return True
    return bool(_METRIC.intersection(words_of(receiver.replace("()", "").rpartition(".")[2])))


def _stores(step: Step) -> bool:
    return step.kind in ("assign", "augment") and any(
        isinstance(target, Attr | Index) or (isinstance(target, Ref) and "." in target.name) for target in step.targets
    )


def _tells(value: Expr, name: str) -> bool:
    """A result that says that the work failed."""
    for expr in walk(value):
        if isinstance(expr, Ref | Attr) and name and dotted(expr).partition(".")[0] == name:
            return True
        if isinstance(expr, Literal_) and isinstance(expr.value, str) and _FAILS.intersection(words_of(expr.value)):
            return True
        if isinstance(expr, Ref | Attr | Call) and _FAILS.intersection(words_of(dotted(expr))):
            return True
    return isinstance(value, Group) and any(isinstance(item, Pair) for item in value.items)
