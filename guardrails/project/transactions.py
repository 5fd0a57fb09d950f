"""Where transactions are open: in a `with` block, below a decorator, between a write and its commit, in a method that a framework runs."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from guardrails.frameworks.catalogue import Catalogue
from guardrails.frameworks.forms.flow import SessionForm, TransactionForm
from guardrails.names.options import Hit, Made, Options
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home, Value, yielded
from guardrails.outline import Call, Expr, Function, Ref, Site, Step, dotted, enclosing, is_within, receiver, walk
from guardrails.place import Place
from guardrails.project.repairs import Repairs
from guardrails.project.secrets import words_of

_DEEPEST = 3  # wrappers around wrappers


class Opening(msgspec.Struct, frozen=True):
    """An open transaction: in words, where it opens, and how to wait for its commit.

    `hook` is what a repair hands the enqueue to, `using` the database that it must be told, too.
    """

    words: str
    at: Place
    fix: str
    hook: str = ""
    needs: str = ""
    using: str = ""


class Transactions:
    """Answers whether a step of a function runs in a transaction that the function itself, its decorators or its class open."""

    def __init__(self, resolver: Resolver, catalogue: Catalogue) -> None:
        self._resolver, self._repairs = resolver, Repairs(resolver)
        forms = [form for model in catalogue.models for form in model.transactions]
        self._opens = {form.opens: form for form in forms if form.opens}
        self._bases = {form.base: form for form in forms if form.base}
        self._sessions = [form for model in catalogue.models for form in model.sessions]
        self._lifts = {call: named for model in catalogue.models if model.commit for call, named in model.commit.lifts.items()}

    def words(self) -> frozenset[str]:
        """Words one of which stands in every project that opens a transaction."""
        opening = {path.rpartition(".")[2] for path in self._opens} | {path.rpartition(".")[2] for path in self._bases}
        return frozenset(opening | {name for form in self._sessions for name in form.commits})

    def around(self, home: Home, step: Step) -> Opening | None:
        """The transaction in which a step runs, None where none is seen."""
        function = self._resolver.definition(home)
        return (
            self._entered(home, function, step)
            or self._uncommitted(home, function, step)
            or self._decorated(home, function)
            or self._by_class(home, function)
        )  # fmt: skip

    def _entered(self, home: Home, function: Function, step: Step) -> Opening | None:
        for block in enclosing(function, step.block):
            opener = function.steps[block.opened_by] if block.kind == "with" and block.opened_by >= 0 else None
            if opener is None or opener.value is None or opener.start == step.start:
                continue
            form = self._form(home, opener.value)
            if form is not None:
                return self._opening(home, opener.value, form)
            session = self._committing(home, opener)
            if session is not None and self._has_written(function, opener, step, session):
                return Opening(f"`{_short(opener.value)}`", Place(home.file, opener.value.start, opener.value.end), session.fix)
        return None

    def _opening(self, home: Home, expr: Expr, form: TransactionForm) -> Opening:
        using = self._repairs.using(home, expr, form.using)
        hook = form.hook if using is not None else ""
        return Opening(f"`{_short(expr)}`", Place(home.file, expr.start, expr.end), form.fix, hook, form.needs, using or "")

    def _form(self, home: Home, expr: Expr, depth: int = 0) -> TransactionForm | None:
        """The transaction that an expression opens: it is one, a function gives or yields inside one, a class enters one."""
        value = self._resolver.resolve(home.file, home.function, expr)
        func = self._resolver.resolve(home.file, home.function, expr.func) if isinstance(expr, Call) else value
        found = self._named(value) or self._named(func)
        if found is not None or depth > _DEEPEST:
            return None if found is not None and _only_reads(expr, found) else found
        if func is None or func.home is None or func.home.function == 0:
            return None
        definition = self._resolver.definition(func.home)
        return self._of_class(func.home, depth) if definition.kind == "class" else self._of_function(func.home, definition, depth)

    def _named(self, value: Value | None) -> TransactionForm | None:
        return self._opens.get(value.path.removesuffix("()")) if value is not None and value.home is None else None

    def _of_function(self, home: Home, function: Function, depth: int) -> TransactionForm | None:
        """A function that yields inside a transaction, or calls what it decorates inside one."""
        for step in function.steps:
            if yielded(step) is not None or (step.value is not None and any(_is_bare_yield(e) for e in walk(step.value))):
                form = self._form_around(home, function, step, depth)
                if form is not None:
                    return form
        return self._of_decorator(home, function, depth)

    def _form_around(self, home: Home, function: Function, step: Step, depth: int) -> TransactionForm | None:
        for block in enclosing(function, step.block):
            opener = function.steps[block.opened_by] if block.kind == "with" and block.opened_by >= 0 else None
            form = self._form(home, opener.value, depth + 1) if opener is not None and opener.value is not None else None
            if form is not None:
                return form
        return None

    def _of_decorator(self, home: Home, function: Function, depth: int) -> TransactionForm | None:
        """`def in_transaction(func): def inner(*a): with atomic(): return func(*a)`; also `return atomic(func)`."""
        part = self._resolver.part(home)
        names = {param.name for param in function.params}
        inside = [home.function, *part.members.get(home.function, ())]
        inside += [index for one in inside[1:] for index in part.members.get(one, ())]
        for index in inside:
            one = part.functions[index]
            names |= {param.name for param in one.params if index != home.function and not param.kind}
            for site in one.sites:
                if dotted(site.call.func) in names:
                    form = self._form_around(Home(home.file, index), one, one.steps[site.step], depth)
                    if form is not None:
                        return form
                elif any(dotted(arg.value) in names for arg in site.call.args) and one.steps[site.step].kind == "return":
                    form = self._named(self._resolver.resolve(home.file, index, site.call.func))
                    if form is not None:
                        return form
        return None

    def _of_class(self, home: Home, depth: int) -> TransactionForm | None:
        """A context manager that derives from a transaction, or enters one."""
        for base in self._resolver.bases(home):
            if isinstance(base, str):
                if base in self._opens:
                    return self._opens[base]
                continue
            part = self._resolver.part(base)
            enter = next((i for name in ("__enter__", "__aenter__") if (i := part.member(base.function, name)) >= 0), -1)
            for site in part.functions[enter].sites if enter >= 0 else ():
                owner = receiver(site.call.func)
                entered = [arg.value for arg in site.call.args] if not dotted(site.call.func).endswith("enter__") else [owner]
                for expr in entered:
                    form = self._form(Home(base.file, enter), expr, depth + 1) if expr is not None else None
                    if form is not None:
                        return form
        return None

    def _committing(self, home: Home, opener: Step) -> SessionForm | None:
        """A project's context manager that yields a session and commits it on leaving."""
        if not isinstance(opener.value, Call):
            return None
        func = self._resolver.resolve(home.file, home.function, opener.value.func)
        if func is None or func.home is None or func.home.function == 0:
            return None
        function = self._resolver.definition(func.home)
        given = next((dotted(expr) for step in function.steps if (expr := yielded(step)) is not None), "")
        for site in function.sites if given else ():
            owner, _, method = dotted(site.call.func).rpartition(".")
            for form in self._sessions if owner == given else ():
                if method in form.commits:
                    return form
        return None

    @staticmethod
    def _has_written(function: Function, opener: Step, step: Step, session: SessionForm) -> bool:
        name = dotted(opener.targets[0]) if opener.targets else ""
        for site in function.sites if name else ():
            owner, _, method = dotted(site.call.func).rpartition(".")
            if owner == name and method in session.writes and opener.start < site.call.start < step.start:
                return True
        return False

    def _uncommitted(self, home: Home, function: Function, step: Step) -> Opening | None:
        """The step stands after a write of a session and before its commit, on one way through the function."""
        committed: dict[str, int] = {}
        written: dict[str, tuple[Site, SessionForm]] = {}
        for site in function.sites:
            owner, _, method = dotted(site.call.func).rpartition(".")
            form = self._session(home, site, owner, method) if owner else None
            if form is None:
                continue
            own = function.steps[site.step]
            if own.start >= step.start:
                if method in form.commits and owner in written and site.call.start > step.end and _follows(function, own, step):
                    write, _ = written[owner]
                    return Opening(f"`{_short(write.call)}`", Place(home.file, write.call.start, write.call.end), form.fix)
            elif method in form.commits:
                committed[owner] = site.call.start
                written.pop(owner, None)
            elif _precedes(function, own, step):
                written.setdefault(owner, (site, form))
        return None

    def _session(self, home: Home, site: Site, owner: str, method: str) -> SessionForm | None:
        for form in self._sessions:
            if method not in form.writes and method not in form.commits:
                continue
            if owner.rpartition(".")[2] in form.receivers:
                return form
            base = receiver(site.call.func)
            value = self._resolver.resolve(home.file, home.function, base) if base is not None else None
            if value is not None and value.path == form.path:
                return form
        return None

    def _decorated(self, home: Home, function: Function) -> Opening | None:
        outer = Home(home.file, max(function.parent, 0))
        for decorator in function.decorators:
            form = self._decorating(outer, decorator)
            if form is not None:
                return self._opening(home, decorator, form)
        return None

    def _decorating(self, home: Home, decorator: Expr) -> TransactionForm | None:
        lifted = self._lifted(home, decorator)
        return self._form(lifted.home, lifted.expr) if lifted is not None else self._form(home, decorator)

    def _lifted(self, home: Home, decorator: Expr) -> Hit | None:
        """The decorator inside one that makes it fit for methods: `atomic` of `method_decorator(atomic)`."""
        func = self._resolver.resolve(home.file, home.function, decorator.func) if isinstance(decorator, Call) else None
        selector = self._lifts.get(func.path) if func is not None else None
        if selector is None or not isinstance(decorator, Call):
            return None
        answer = Options(self._resolver, [Made(decorator, home)]).get(selector)
        return answer if isinstance(answer, Hit) else None

    def _by_class(self, home: Home, function: Function) -> Opening | None:
        """The framework runs this method in a transaction, or a decorator of its class does."""
        part = self._resolver.part(home)
        owner = part.functions[function.parent] if function.parent > 0 else None
        if owner is None or owner.kind != "class":
            return None
        outer = Home(home.file, max(owner.parent, 0))
        for decorator in owner.decorators:
            lifted = self._lifted(outer, decorator)
            form = self._form(lifted.home, lifted.expr) if lifted is not None else None
            if form is not None and self._names(outer, decorator, function.name):
                return self._opening(home, decorator, form)
        for base in self._resolver.bases(Home(home.file, function.parent)):
            form = self._bases.get(base) if isinstance(base, str) else None
            if form is not None and function.name in form.methods:
                place = Place(home.file, function.name_start, function.name_end)
                return Opening(f"`{function.name}` of {form.base.rpartition('.')[2]}", place, form.fix, form.hook, form.needs)
        return None

    def _names(self, home: Home, decorator: Expr, method: str) -> bool:
        """`method_decorator(atomic, name="dispatch")` concerns every method that answers, `name="post"` one."""
        answer = Options(self._resolver, [Made(decorator, home)]).first(("name", "1")) if isinstance(decorator, Call) else None
        name = getattr(answer.expr, "value", "") if isinstance(answer, Hit) else ""
        return name in ("dispatch", method)


def _only_reads(expr: Expr, form: TransactionForm) -> bool:
    """The transaction is on a database from which is only read: nothing of it is committed, or rolled back."""
    args = expr.args if isinstance(expr, Call) else ()
    names = {name for arg in args if arg.name in form.reads for name in (*names_in(arg.value), str(getattr(arg.value, "value", "")))}
    return any(set(words_of(name)).intersection(*form.reads.values()) for name in names)


def _is_bare_yield(expr: Expr) -> bool:
    return getattr(expr, "op", "") == "yield"


def _short(expr: Expr) -> str:
    text = dotted(expr)
    return text if len(text) <= 60 else f"...{text[-57:]}"


def _precedes(function: Function, earlier: Step, step: Step) -> bool:
    """Whether a step has run whenever a later one runs."""
    return is_within(function, step.block, earlier.block)


def _follows(function: Function, later: Step, step: Step) -> bool:
    """Whether a step runs after an earlier one, which nothing leaves the function in between."""
    block = step.block
    while block >= 0 and block != later.block:
        if function.blocks[block].ends in ("return", "raise"):
            return False
        block = function.blocks[block].parent
    return block == later.block


def names_in(expr: Expr | None) -> Iterator[str]:
    """The last words of the names in an expression."""
    for part in walk(expr) if expr is not None else ():
        if isinstance(part, Ref):
            yield part.name.rpartition(".")[2]
        elif name := getattr(part, "name", ""):
            yield str(name)
