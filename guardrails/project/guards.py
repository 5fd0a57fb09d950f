"""What makes work that may repeat harmless: an id recorded once, a lock, a status check that returns early, a unique insert."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrails.facts import Guard
from guardrails.frameworks.catalogue import Catalogue
from guardrails.frameworks.forms.effects import GuardForm
from guardrails.names.options import Hit, Made, Options
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import (
    Attr,
    Await,
    Block,
    Call,
    Expr,
    Function,
    Literal_,
    Op,
    Ref,
    Site,
    Step,
    dotted,
    enclosing,
    is_within,
    walk,
)
from guardrails.place import Place
from guardrails.project.secrets import words_of

# Words that make a call a lock or a claim; `clock`, `unlock` and `block` are other words.
_LOCKS = frozenset(("lock", "locked", "locks", "mutex", "semaphore", "singleton", "dedup", "dedupe", "deduplicate", "claim", "claimed"))
_CLAIMS = frozenset(("is_duplicate", "mark_processed", "seen_before"))
_ALONE = frozenset(("single", "exclusive", "once", "alone", "one", "unique", "leader", "overlap", "overlapping", "debounce", "throttle"))
_FREED = frozenset(("unlock", "release", "out"))
_STATES = frozenset("status state processed done sent completed finished delivered handled paid exists".split())
_QUERIES = frozenset(("get", "filter", "filter_by", "exclude", "get_object_or_404"))
_EFFECTS = frozenset("send charge pay capture refund transfer post put create save delete publish enqueue delay mail notify insert".split())
# What says of a request that it comes again: `raise AlreadyPaid`, `raise ReuploadNotAllowed`, `abort(409)`.
_AGAIN = frozenset("already duplicate duplicated repeated conflict reupload resubmit resubmission resubmitted".split())
_CONFLICT = re.compile(r"(?:IntegrityError|UniqueViolation\w*|DuplicateKey\w*|UniqueConstraint\w*|ConflictError)$")
_UPSERT = re.compile(r"(?i)on\s+conflict|insert\s+(?:or\s+)?ignore|on\s+duplicate\s+key")
_SEEKS = frozenset(("search", "find", "lookup", "list", "query"))
_DEEPEST = 2


class Guards:
    """Looks for guards before a place, in its function and in the functions called there."""

    def __init__(self, resolver: Resolver, catalogue: Catalogue) -> None:
        self._resolver = resolver
        self._once = frozenset(path for model in catalogue.models for path in model.records_once)
        self._locks = frozenset(path for model in catalogue.models for path in model.locks)
        self._steps = frozenset(path for model in catalogue.models for path in model.steps)
        self._named: dict[str, list[GuardForm]] = {}
        for form in (form for model in catalogue.models for form in model.guards):
            self._named.setdefault(form.method, []).append(form)
        self._once_words = frozenset(path.rpartition(".")[2] for path in self._once)

    def before(self, home: Home, step: Step) -> Guard | None:
        """A guard that runs before a step of a function on every way to it, or holds around it."""
        function = self._resolver.definition(home)
        return (
            self._recorded(home, function, step)
            or self._left_on_conflict(home, function, step)
            or self._early_exit(home, function, function.steps.index(step))
            or self._held(home, function, step)
        )  # fmt: skip

    def opening(self, home: Home) -> Guard | None:
        """A guard at the opening of a job's body: before the first call that has an effect."""
        function = self._resolver.definition(home)
        for site in function.sites:
            guard = self._guarding(home, site, 0)
            if guard is not None:
                return guard
            if _EFFECTS.intersection(words_of(dotted(site.call.func).rpartition(".")[2])):
                return self._early_exit(home, function, site.step)
        return self._early_exit(home, function, len(function.steps))

    def records(self, home: Home) -> bool:
        """The function's result is recorded when it ends: a later run of the job does not call it again."""
        function = self._resolver.definition(home)
        outer = max(function.parent, 0)
        values = (self._resolver.resolve(home.file, outer, one) for one in function.decorators) if self._steps else ()
        return any(value is not None and value.path.removesuffix("()") in self._steps for value in values)

    def locking(self, home: Home, depth: int = 0) -> Guard | None:
        """A lock that a function, one of its decorators or what it calls takes: a second run waits, or leaves."""
        function = self._resolver.definition(home)
        for decorator in function.decorators:
            if _is_lock(dotted(decorator)) or set(words_of(dotted(decorator).replace("()", "").rpartition(".")[2])) & _ALONE:
                return Guard(f"`{dotted(decorator)}` lets one run in", Place(home.file, decorator.start, decorator.end))
        for step in function.steps:
            if step.kind == "enter" and step.value is not None and _is_lock(dotted(step.value)):
                return Guard("a lock is held around it", Place(home.file, step.start, step.end))
            if _is_claimed(function, step):
                return Guard("an update under a condition takes each row once", Place(home.file, step.start, step.end))
        for site in function.sites:
            text = dotted(site.call.func)
            value = self._resolver.resolve(home.file, home.function, site.call.func)
            if _is_lock(text) or (value is not None and value.path in self._locks) or self._is_named(home, site):
                return Guard(f"`{text}` guards it", Place(home.file, site.call.start, site.call.end))
            if value is not None and value.home is not None and depth < _DEEPEST and value.home != home:
                inner = self.locking(value.home, depth + 1) if self._resolver.definition(value.home).kind == "function" else None
                if inner is not None:
                    return inner
        return None

    def _recorded(self, home: Home, function: Function, step: Step) -> Guard | None:
        for site in function.sites:
            if function.steps[site.step].start > step.start:
                break
            if _dominates(function, site, step):
                guard = self._guarding(home, site, 0)
                if guard is not None:
                    return guard
        return None

    @staticmethod
    def _left_on_conflict(home: Home, function: Function, step: Step) -> Guard | None:
        """`try: Event.objects.create(..)`, `except IntegrityError: return`, before the step."""
        for block in function.blocks:
            opener = function.steps[block.opened_by] if block.kind == "except" and block.opened_by >= 0 else None
            if (
                opener is not None
                and opener.start < step.start
                and block.ends in ("return", "raise", "continue")
                and _is_conflict_catch(opener)
            ):
                return Guard("a unique insert fails for what was seen before", Place(home.file, opener.start, opener.end))
        return None

    def _guarding(self, home: Home, site: Site, depth: int) -> Guard | None:
        """Whether a call records an id once, or does so inside."""
        text = dotted(site.call.func)
        place = Place(home.file, site.call.start, site.call.end)
        value = self._resolver.resolve(home.file, home.function, site.call.func)
        path = value.path if value is not None else text
        if path in self._once or path in self._locks or self._is_named(home, site):
            return Guard(f"`{text}` records it once", place)
        if any(
            _UPSERT.search(str(part.value))
            for arg in site.call.args
            for part in walk(arg.value)
            if isinstance(part, Literal_) and part.kind == "string"
        ):
            return Guard("an insert that skips conflicts records it once", place)
        if text.rpartition(".")[2] in self._once_words - {"add", "set", "insert", "get"}:
            return Guard(f"`{text}` records it once", place)
        if text.rpartition(".")[2] in _QUERIES and any(
            words_of(arg.name)[-1:] and words_of(arg.name)[-1] in _STATES for arg in site.call.args
        ):
            return Guard(f"`{text}` takes it only in one state", place)
        if _is_lock(text):
            return Guard(f"`{text}` guards it", place)
        if value is not None and value.home is not None and depth < _DEEPEST and self._resolver.definition(value.home).kind == "function":
            inner = self._resolver.definition(value.home)
            if _catches_conflict(inner) or _may_refuse(inner) or any(self._guarding(value.home, s, depth + 1) for s in inner.sites):
                return Guard(f"`{text}` guards it", place)
        return None

    def _is_named(self, home: Home, site: Site) -> bool:
        """A method that a model names, on any receiver: redis `set(key, value, nx=True)`."""
        receiver, _, last = dotted(site.call.func).lower().rpartition(".")
        for form in self._named.get(last, ()):
            options = Options(self._resolver, [Made(site.call, home)])
            given = all(isinstance(options.get(name), Hit) for name in form.requires)
            if given and (not form.receivers or any(word in receiver for word in form.receivers)):
                return True
        return False

    def _early_exit(self, home: Home, function: Function, before: int) -> Guard | None:
        """`if order.status == DONE: return` before the step, or `if ..: raise AlreadyPaid`."""
        for index, block in enumerate(function.blocks):
            if block.kind == "if" and block.ends in ("return", "raise") and 0 <= block.opened_by < before:
                test = function.steps[block.opened_by]
                if test.value is not None and (_asks_state(test.value) or _refuses(function, index)):
                    return Guard("a status check returns early", Place(home.file, test.start, test.end))
        return None

    def _held(self, home: Home, function: Function, step: Step) -> Guard | None:
        """The step stands below `if created:`, inside `with lock`, or in a try that catches a conflict."""
        for block in enclosing(function, step.block):
            opener = function.steps[block.opened_by] if block.opened_by >= 0 else None
            if block.kind == "if" and opener is not None and opener.value is not None and _was_sought(function, opener.value):
                return Guard("it was looked for first, and is done where none is found", Place(home.file, opener.start, opener.end))
            if block.kind == "with" and opener is not None and opener.value is not None and _is_lock(dotted(opener.value)):
                return Guard("a lock is held around it", Place(home.file, opener.start, opener.end))
            if block.kind == "try" and any(_is_conflict_catch(s) and s.block == block.parent for s in function.steps):
                return Guard("a unique insert fails for what was seen before", Place(home.file, block.start, block.start))
        return None


def _is_claimed(function: Function, step: Step) -> bool:
    """`claimed = rows.filter(..).update(..)`, and who changed no row leaves the round: `if not claimed: continue`."""
    call = step.value.value if isinstance(step.value, Await) else step.value
    name = dotted(step.targets[0]) if step.kind == "assign" and step.targets else ""
    if not name or not isinstance(call, Call) or dotted(call.func).rpartition(".")[2] not in ("update", "aupdate"):
        return False
    left = [block for block in function.blocks if block.kind == "if" and block.ends in ("return", "raise", "continue")]
    tests = [function.steps[block.opened_by] for block in left if block.opened_by >= 0]
    return any(test.start > step.start and test.value is not None and _says_none(test.value, name) for test in tests)


def _was_sought(function: Function, test: Expr) -> bool:
    """`if not found`, where `found = client.search_orders(..)`."""
    for step in function.steps:
        call = step.value.value if isinstance(step.value, Await) else step.value
        if step.kind == "assign" and step.targets and isinstance(call, Call):
            sought = words_of(dotted(call.func).rpartition(".")[2])[:1]
            if _SEEKS.intersection(sought) and step.start < test.start and _says_none(test, dotted(step.targets[0])):
                return True
    return False


def _says_none(test: Expr, name: str) -> bool:
    """`not name`, `name == 0`, `name is None`, `len(name) == 0`."""
    if not isinstance(test, Op) or test.op not in ("not", "==", "is"):
        return False
    one = test.parts[0]
    one = one.args[0].value if isinstance(one, Call) and one.args and dotted(one.func) == "len" else one
    return dotted(one) == name and all(isinstance(part, Literal_) and not part.value for part in test.parts[1:])


def _dominates(function: Function, site: Site, step: Step) -> bool:
    """Whether a call runs before a step whenever the step runs: its block encloses the step's, or it stands in a head that does."""
    own = function.steps[site.step]
    if own.start >= step.start:
        return False
    return is_within(function, step.block, own.block) or any(
        block.kind in ("try", "with") and is_within(function, step.block, block.parent) for block in _chain(function, own.block)
    )


def _chain(function: Function, block: int) -> Iterator[Block]:
    for one in enclosing(function, block):
        if one.kind not in ("try", "with"):
            return
        yield one


def _is_conflict_catch(step: Step) -> bool:
    if step.kind != "catch" or step.value is None:
        return False
    return any(isinstance(expr, Ref) and _CONFLICT.search(expr.name) for expr in walk(step.value))


def _catches_conflict(function: Function) -> bool:
    return any(_is_conflict_catch(step) for step in function.steps)


def _may_refuse(function: Function) -> bool:
    """It raises, below a condition, that this was asked for before."""
    return any(one.kind == "if" and one.ends == "raise" and _refuses(function, index) for index, one in enumerate(function.blocks))


def _refuses(function: Function, block: int) -> bool:
    """What leaves a block says that this was asked for before."""
    leaving = [step.value for step in function.steps if step.block == block and step.kind in ("raise", "return") and step.value is not None]
    for expr in (expr for value in leaving for expr in walk(value)):
        if isinstance(expr, Literal_) and (expr.value == 409 or (isinstance(expr.value, str) and "already" in words_of(expr.value))):
            return True
        if isinstance(expr, Ref | Attr) and _AGAIN.intersection(words_of(dotted(expr).rpartition(".")[2])):
            return True
    return False


def _is_lock(text: str) -> bool:
    """A call or an object that is a lock, by its words."""
    last = text.replace("()", "").rpartition(".")[2]
    words = set(words_of(last))
    if last == "acquire":
        words |= set(words_of(text.replace("()", "").rpartition(".")[0].rpartition(".")[2]))
    return last in _CLAIMS or last.startswith("already_") or bool(words & _LOCKS and not words & _FREED)


def _asks_state(test: Expr) -> bool:
    """A condition on a state; that something does not exist yet is none."""
    absent = isinstance(test, Op) and test.op == "not"
    for expr in walk(test):
        words = words_of(dotted(expr).replace("()", "").rpartition(".")[2]) if isinstance(expr, Ref | Attr | Call) else []
        if not words or (absent and words[-1] == "exists"):
            continue
        if words[0] == "already" or words[-1] in _STATES or (words[0] in ("is", "was", "has") and words[-1] in _STATES):
            return True
        if words[-1] == "at" and words[-2:-1] and words[-2] in _STATES:
            return True
    return False
