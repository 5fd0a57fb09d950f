"""What a name means: access paths, followed through imports, assignments, annotations, classes and returns, across files.

A path is dotted from an import: `celery.Celery().task` is the attribute `task` of what calling `celery.Celery` gives; `x[0]` an
item, `x[*]` an element. A definition of the project has its module's id in front and a `home`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import msgspec

from guardrails.names import classes, literals, typed
from guardrails.names.code import Code, Part, owner_of
from guardrails.names.modules import Modules
from guardrails.names.queries import Queries
from guardrails.names.values import Home, Value, names_in, scopes, yielded
from guardrails.outline import (
    Attr,
    Await,
    Call,
    Choice,
    Closure,
    Comp,
    Expr,
    Function,
    Group,
    Import,
    Index,
    Literal_,
    Op,
    Pair,
    Param,
    Ref,
    Spread,
    Step,
    walk,
)

_DEEPEST = 24
_MOST = 4000  # expressions that are looked at for the sake of one: names that are bound again and again from each other would take for ever
_NEAR = 24  # bindings of one name, and comprehensions, on either side of a place that are tried


class Resolver:
    """Answers `resolve` with memory; `aliases` and `returns` are the models' spellings."""

    def __init__(
        self,
        code: Code,
        modules: Modules,
        aliases: Mapping[str, str],
        returns: Mapping[str, str],
        callbacks: Mapping[str, str] | None = None,
    ) -> None:
        self._code, self._modules = code, modules
        self._aliases, self._returns, self.callbacks = aliases, returns, callbacks or {}
        self.queries = Queries()
        self._extensions: dict[tuple[str, str], Value] = {}
        self._memory: dict[tuple[str, int, int, int, type], Value | None] = {}
        self._busy: set[tuple[str, int, int, int, type]] = set()
        self._shallow_memories: dict[frozenset[str], dict[tuple[str, int, int, int, type], Value | None]] = {}
        self._shallow_reads = 0
        self._is_shallow = False
        self._worth: frozenset[str] = frozenset()
        self._deep = 0
        self._asked = 0
        self._first = ("", 0)  # file and offset of what was asked for from outside
        self.ended: set[tuple[str, int]] = set()  # and of what was not followed to its end
        self._globals: set[tuple[str, str]] = set()

    @contextmanager
    def shallow(self, worth: frozenset[str] = frozenset()) -> Iterator[None]:
        """Resolve without reading another file, unless it is worth it: what lies in one that was not read stays a path."""
        if self._code.reads != self._shallow_reads:
            self._shallow_memories, self._shallow_reads = {}, self._code.reads
        outer = self._memory, self._is_shallow, self._worth
        self._memory, self._is_shallow, self._worth = self._shallow_memories.setdefault(worth, {}), True, worth
        try:
            yield
        finally:
            self._memory, self._is_shallow, self._worth = outer

    def extend(self, path: str, name: str, value: Value) -> None:
        """Give whatever has this path an attribute: `app.decorate("queues", ..)`. What was resolved before is forgotten."""
        self._extensions.setdefault((path, name), value)
        self._memory.clear()

    def part(self, home: Home) -> Part:
        """The file that a definition is in."""
        return self._code.part(home.file)

    def definition(self, home: Home) -> Function:
        """The function, class or module itself."""
        return self._code.part(home.file).functions[home.function]

    def symbol(self, home: Home) -> str:
        """The dotted path of a definition."""
        module = self._modules.id_of(home.file)
        return f"{module}.{self.definition(home).qualname}" if home.function else module

    def resolve(self, file: str, function: int, expr: Expr) -> Value | None:
        """What an expression in a function of a file means; None where that cannot be told."""
        key = (file, function, expr.start, expr.end, type(expr))
        if key in self._memory:
            return self._memory[key]
        self._asked = self._asked + 1 if self._busy else 0
        self._first = self._first if self._busy else (file, expr.start)
        if key in self._busy:
            return None
        if self._deep >= _DEEPEST or self._asked > _MOST:
            self.ended.add(self._first)
            return None
        self._busy.add(key)
        self._deep += 1
        try:
            value = self._resolve(self._code.part(file), function, expr)
        finally:
            self._busy.discard(key)
            self._deep -= 1
        if value is not None or not self._busy:
            self._memory[key] = value
        return value

    def _resolve(self, part: Part, function: int, expr: Expr) -> Value | None:
        match expr:
            case Ref():
                return self._name(part, function, expr)
            case Attr():
                base = self.resolve(part.path, function, expr.base)
                return self.member(base, expr.name) if base else None
            case Call():
                return self._called(part, function, expr)
            case Await() | Spread():
                return self.resolve(part.path, function, expr.value)
            case Index():
                base = self.resolve(part.path, function, expr.base)
                return literals.item(self, base, expr.key) if base else None
            case Choice():
                return self.resolve(part.path, function, expr.yes) or self.resolve(part.path, function, expr.no)
            case Op(op="or" | "and" | "??" | "?"):
                return next(
                    (v for p in expr.parts if (v := self.resolve(part.path, function, p)) and not isinstance(v.made, Literal_)), None
                )
            case Closure():
                home = Home(part.path, expr.function)
                return Value(self.symbol(home), home)
            case Group() | Comp() | Literal_() | Op():
                return Value(f"<{type(expr).__name__.lower().strip('_')}>", made=expr, made_in=Home(part.path, function))
            case _:
                return None

    def _name(self, part: Part, function: int, ref: Ref) -> Value | None:
        head, *rest = ref.name.split(".")
        if head in ("crate", "super") and part.language == "rust":
            return self._imported(part, ref.name)
        value = self._head(part, function, head, ref.start)
        for name in rest:
            if value is None:
                return None
            value = self.member(value, name)
        return value

    def _head(self, part: Part, function: int, name: str, at: int) -> Value | None:
        owner = owner_of(part.functions, function)
        if name in ("self", "this", "Self", "cls") and owner >= 0:
            return Value(f"{self.symbol(Home(part.path, owner))}()", Home(part.path, owner), instance=name in ("self", "this"))
        for scope in scopes(part, function):
            found = part.bindings(scope).get(name)
            if found:
                return self.bound(part, scope, name, found, at)
            for param in part.functions[scope].params:
                if name == param.name or (param.kind == "pattern" and name in param.name.split(",")):
                    return self._parameter(part, scope, param)
        return self._in_comprehension(part, function, name, at) or self._starred(part, name) or Value(self.spelled(name))

    def bound(self, part: Part, scope: int, name: str, found: list[Step | Import | int], at: int) -> Value | None:
        """What the nearest binding of a name above an offset means, else any that can be told."""
        cut = bisect_right(found, at, key=lambda b: b.start if isinstance(b, Step) else -1)
        for binding in (*found[max(0, cut - _NEAR) : cut][::-1], *found[cut : cut + _NEAR]):
            value = self._binding(part, scope, name, binding)
            if value is not None:
                return value
        return None

    def _binding(self, part: Part, scope: int, name: str, binding: Step | Import | int) -> Value | None:
        if isinstance(binding, int):
            home = Home(part.path, binding)
            return Value(self.symbol(home), home)
        if isinstance(binding, Import):
            return self._imported(part, binding.target)
        return self._assigned(part, scope, name, binding)

    def text(self, file: str, start: int, end: int) -> str:
        """The source between two offsets."""
        return self._code.text(file)[start:end].decode("utf-8", "replace")

    def imported(self, file: str, target: str) -> Value | None:
        """What an import of `target` in a file means; for dotted names in strings, too."""
        return self._imported(self._code.part(file), target)

    def _imported(self, part: Part, target: str) -> Value | None:
        found = self._modules.find(part.path, target)
        if found is None:
            return Value(self.spelled(target.removeprefix("node:")))
        file, names = found
        if self._is_shallow and file not in self._worth and not self._code.is_read(file):
            return Value(".".join((self._modules.id_of(file), *names)), made_in=Home(file, 0))
        value: Value | None = Value(self._modules.id_of(file), Home(file, 0))
        for name in names:
            value = self.member(value, name) if value else None
        return value

    def _assigned(self, part: Part, scope: int, name: str, step: Step) -> Value | None:
        target = next((t for t in step.targets if any(n == name for n in names_in(t))), None)
        value = self.resolve(part.path, scope, step.value) if step.value is not None else None
        if step.annotation is not None and (value is None or (isinstance(value.made, Literal_) and value.made.value is None)):
            value = self.annotated(part, scope, step.annotation) or value
        elif step.annotation is not None and value is not None and value.home is None and not value.path.startswith("<"):
            typed_as = self.annotated(part, scope, step.annotation)  # of what comes from elsewhere the project says what it is
            value = typed_as if typed_as is not None and typed_as.home is not None else value
        if value is None or target is None or isinstance(target, Ref):
            return self._through(value, step) if value else None
        return self._unpacked(self._through(value, step), target, name)

    def _through(self, value: Value, step: Step) -> Value:
        if step.kind == "iterate":
            return literals.element(self, value)
        if step.kind == "catch":
            return msgspec.structs.replace(value, path=f"{value.path}()", instance=True)
        return value

    def _unpacked(self, value: Value, target: Expr, name: str) -> Value | None:
        if not isinstance(target, Group):
            return None
        for index, item in enumerate(target.items):
            if name not in names_in(item):
                continue
            if target.kind == "dict":
                key = item.key if isinstance(item, Pair) else item
                word = str(key.value) if isinstance(key, Literal_) else getattr(key, "name", "")
                return self.member(value, word)
            made = value.made
            if isinstance(made, Group) and index < len(made.items) and value.made_in is not None:
                return self.resolve(value.made_in.file, value.made_in.function, made.items[index])
            return msgspec.structs.replace(value, path=f"{value.path}[{index}]", home=None)
        return None

    def _parameter(self, part: Part, scope: int, param: Param) -> Value | None:
        if param.annotation is not None and param.kind in ("", "pattern"):
            value = self.annotated(part, scope, param.annotation)
            if value is not None:
                return value
        if isinstance(param.default, Ref):
            return self.resolve(part.path, max(part.functions[scope].parent, 0), param.default)
        return (
            typed.given(self, part, scope) if part.functions[scope].kind == "closure" and part.functions[scope].params[0] == param else None
        )

    def _in_comprehension(self, part: Part, function: int, name: str, at: int) -> Value | None:
        comps = part.comprehensions(function)
        cut = bisect_right(comps, at, key=lambda comp: comp.start)
        for comp in comps[max(0, cut - _NEAR) : cut][::-1]:
            for target, source in comp.clauses if at <= comp.end else ():
                if name in names_in(target):
                    value = self.resolve(part.path, function, source)
                    return literals.element(self, value) if value else None
        return None

    def _starred(self, part: Part, name: str) -> Value | None:
        """What a star import brings in."""
        for target in part.stars:
            found = self._modules.find(part.path, target)
            value = self._global(Home(found[0], 0), name) if found is not None and not found[1] else None
            if value is not None:
                return value
        return None

    def _global(self, module: Home, name: str) -> Value | None:
        """A module's own name or what it re-exports; re-exports in a circle end."""
        key = (module.file, name)
        if key in self._globals:
            return None
        self._globals.add(key)
        try:
            part = self.part(module)
            found = part.bindings(0).get(name)
            return self.bound(part, 0, name, found, part.functions[0].end) if found else self._starred(part, name)
        finally:
            self._globals.discard(key)

    def member(self, value: Value, name: str) -> Value | None:
        """An attribute of a value: a module's global or submodule, a class's or instance's member, a key of a literal dict."""
        if value.home is None:
            if isinstance(value.made, Group) and value.path == "<group>":
                return (
                    Value("<registry>.get", made=value.made, made_in=value.made_in) if name == "get" else literals.entry(self, value, name)
                )
            if (value.path, name) in self._extensions:
                return self._extensions[value.path, name]
            method = self._of_element(value, name) if value.element is not None and self.class_of(value) is not None else None
            if method is not None:
                return method
            return msgspec.structs.replace(value, path=self.spelled(f"{value.path}.{name}"), instance=False)
        if value.home.function == 0:
            found = self._global(value.home, name) or self._submodule(value.home, name)
            return found or Value(f"{value.path}.{name}")
        if self.definition(value.home).kind == "class":
            return classes.member(self, value, name)
        return Value(self.spelled(f"{value.path}.{name}"), made=value.made, made_in=value.made_in or value.home)

    def _of_element(self, value: Value, name: str) -> Value | None:
        """A method of what a collection of the project's own instances holds, or a query of its rows gives: `for step in self.steps`."""
        found = classes.member(self, Value(value.path.removesuffix("[*]"), value.element, instance=True), name)
        return found if found is not None and found.home is not None and self.definition(found.home).kind == "function" else None

    def class_of(self, value: Value) -> Home | None:
        """The project's class of which a value is an instance: one that was made, a collection's element, a row that a query gives."""
        if value.element is None:
            return value.home
        one = self.queries.gives_row(value.path) if self.queries.is_query(value.path) else value.path.endswith("()[*]")
        return value.element if one else None

    def _submodule(self, module: Home, name: str) -> Value | None:
        found = self._modules.find(module.file, f".{name}") if module.file.endswith(".py") else None
        return Value(self._modules.id_of(found[0]), Home(found[0], 0)) if found and not found[1] else None

    def _called(self, part: Part, function: int, call: Call) -> Value | None:
        func = self.resolve(part.path, function, call.func)
        if func is None:
            return None
        here = Home(part.path, function)
        if func.path in ("functools.partial", "partial") and call.args:
            inner = self.resolve(part.path, function, call.args[0].value)
            return msgspec.structs.replace(inner, made=call, made_in=here) if inner is not None else None
        if func.path == "require" and call.args and isinstance(call.args[0].value, Literal_):
            return self._imported(part, str(call.args[0].value.value))
        if func.path == "<registry>.get":
            return literals.any_entry(self, func)
        if func.path == "importlib.import_module" and call.args:
            return self._module_by_name(part, function, call.args[0].value)
        if func.home is not None and func.home.function > 0:
            definition = self.definition(func.home)
            if definition.kind == "class" and not func.instance:
                return Value(f"{func.path}()", func.home, instance=True, made=call, made_in=here)
            if definition.kind in ("function", "closure"):
                returned = self.returned(func.home)
                if returned is not None:
                    return returned
        rows = func.element if func.element is not None and self.queries.is_query(func.path) else None
        return Value(self.spelled(f"{func.path}()"), made=call, made_in=here, element=rows)

    def _module_by_name(self, part: Part, function: int, name: Expr) -> Value | None:
        """A module that is imported by a name in a string, also by the default of an environment variable."""
        texts = [expr.value for expr in walk(name) if isinstance(expr, Literal_) and isinstance(expr.value, str) and "." in expr.value]
        return self._imported(part, texts[-1]) if texts else None

    def returned(self, home: Home) -> Value | None:
        """What a function of the project gives: its annotation, else the first return or yield that can be told."""
        part, function = self.part(home), self.definition(home)
        exact = self._best_return(part, home, function)
        if exact is not None and exact.home is not None:
            return exact
        if function.returns is not None:
            value_of = self.annotated(part, home.function, function.returns)
            is_plain = value_of is not None and exact is not None and value_of.path.startswith("typing.")  # a dict of anything says less
            if value_of is not None and (value_of.home or "." in value_of.path) and not is_plain:
                return value_of
        return exact

    def _best_return(self, part: Part, home: Home, function: Function) -> Value | None:
        """Of all that a function may give, what is known best: a definition, what comes from an import, anything."""
        found: list[Value] = []
        for step in function.steps:
            value = step.value if step.kind == "return" else yielded(step) if part.yields(step) else None
            resolved = self.resolve(part.path, home.function, value) if value is not None else None
            if resolved is not None and not isinstance(resolved.made, Literal_):
                found.append(resolved)
        return (
            next((v for v in found if v.home), None)
            or next((v for v in found if "." in v.path.partition("(")[0]), None)
            or (found[0] if found else None)
        )

    def annotated(self, part: Part, scope: int, annotation: Expr) -> Value | None:
        """An instance of the annotated type; None for what is no class."""
        return typed.annotated(self, part, scope, annotation)

    def bases(self, home: Home | None) -> Iterator[Home | str]:
        """A class and its bases, nearest first: project classes as homes, foreign ones as paths."""
        return classes.bases(self, home)

    def spelled(self, path: str) -> str:
        """The models' own spelling of a path."""
        path = self._aliases.get(path, path)
        return self._returns.get(path, path)
