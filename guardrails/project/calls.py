"""Who calls whom, upwards: which handlers and jobs reach a function, through calls that can be resolved, any depth, cycle-safe."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet

import msgspec

from guardrails.finding import Unsure
from guardrails.names.code import Code, Part
from guardrails.names.modules import import_word
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Expr, Function, Ref, Site, dotted, receiver
from guardrails.place import Place
from guardrails.project.passing import Passing

_ROUNDS = 64  # calls above each other that are followed; real projects have up to 16
_OPENED = 600  # files that are opened for the sake of callers: a name that would need more is looked up in what is read already
_EXPORTERS = ("/__init__.py", "/index.ts", "/index.js", "/mod.rs", "/lib.rs")  # files that export what others define
_TAKEN = re.compile(rb"(?!\w)\s*[(,)\]]")  # what follows a name that is called or passed
_WORD = re.compile(rb"\w")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_DEFINING = (b"def ", b"fn ")
_DOWN = 5  # calls below a webhook that are followed


class Edge(msgspec.Struct, frozen=True, order=True):
    """A caller of a function, with the span of the call."""

    caller: Home
    start: int
    end: int


class Step(msgspec.Struct, frozen=True):
    """One hop on the way from an entry down to a function."""

    home: Home
    start: int
    end: int


class Callers:
    """Finds callers on demand and remembers them. `opened` is told of every part that this search reads for the first time."""

    def __init__(self, code: Code, resolver: Resolver, opened: Callable[[Part], None], queues: AbstractSet[str] = frozenset()) -> None:
        self._code, self._resolver, self._opened = code, resolver, opened
        self._handed = Passing(resolver, queues)
        self._edges: dict[Home, tuple[Edge, ...]] = {}
        self._room = _OPENED
        self._exporters = frozenset(path for path in code.paths if path.endswith(_EXPORTERS))
        self._down: dict[Home, tuple[Edge, ...]] = {}
        self._leads: dict[Home, AbstractSet[str]] = {}
        self._spans: dict[str, list[tuple[str, frozenset[str]]]] = {}  # the names of a module, each with the words of its definition
        self._passing: dict[tuple[Edge, Home | None], tuple[bool, Home | None]] = {}
        self._ended: dict[Home, str] = {}  # by the function at which a search stopped: why

    def ended(self) -> Iterator[Unsure]:
        """Where a search stopped at a limit."""
        for home, why in sorted(self._ended.items()):
            function = self.functions(home)[home.function]
            yield Unsure("", Place(home.file, function.name_start, function.name_end), why.format(function.name))

    def _end(self, homes: Iterable[Home], why: str) -> None:
        for home in homes:
            self._ended.setdefault(home, why)

    def explore(self, homes: Iterable[Home], entries: AbstractSet[Home]) -> None:
        """Find the callers of all these functions, their callers, and so on up to the entries (a set that may grow meanwhile)."""
        todo = {self.outermost(home) for home in homes if not self._is_inside(home, entries)}
        for _ in range(_ROUNDS):
            todo = {home for home in todo if home not in self._edges and home not in entries}
            if not todo:
                return
            found = self._callers_of(sorted(todo))
            for home in todo:
                self._edges[home] = tuple(sorted(found.get(home, ())))
            callers = {edge.caller for edges in found.values() for edge in edges}
            todo = {self.outermost(caller) for caller in callers if not self._is_inside(caller, entries)}
        self._end(todo - self._edges.keys() - entries, f"What runs `{{}}` was not looked for: calls are followed {_ROUNDS} steps up.")

    def _is_inside(self, home: Home, entries: AbstractSet[Home]) -> bool:
        """The place stands in an entry; a handler may be a closure."""
        return any(inner in entries for inner in self.around(home))

    def around(self, home: Home) -> Iterator[Home]:
        """The closures around a place, inside out, up to and with the named function."""
        outer, functions, index = self.outermost(home), self.functions(home), home.function
        while index >= 0:
            yield Home(home.file, index)
            if index == outer.function:
                return
            index = functions[index].parent

    def descend(self, home: Home, names: AbstractSet[str]) -> None:
        """Follow the calls below an entry. Files that were not read are read only where they hold one of the names."""
        worth = frozenset(self._code.words.holding_any(names))
        todo, seen = [(home, 0)], {home}
        while todo:
            one, depth = todo.pop(0)
            for callee, edge in self._calls_in(one, worth):
                if callee not in seen and depth == _DOWN and callee.file in worth:
                    self._end([home], f"What runs below `{{}}` was not looked for further down than {_DOWN} calls.")
                elif callee not in seen and depth < _DOWN:
                    seen.add(callee)
                    todo.append((callee, depth + 1))
                    self._down[callee] = (*self._down.get(callee, ()), edge)

    def _calls_in(self, home: Home, worth: frozenset[str]) -> Iterator[tuple[Home, Edge]]:
        functions = self.functions(home)
        inside = [
            index for index in range(len(functions)) if Home(home.file, index) == home or self.outermost(Home(home.file, index)) == home
        ]
        for index in inside:
            for site in functions[index].sites:
                with self._resolver.shallow(worth):
                    value = self._resolver.resolve(home.file, index, site.call.func)
                if value is not None and value.home is not None and self._resolver.definition(value.home).kind == "function":
                    yield value.home, Edge(Home(home.file, index), site.call.func.start, site.call.func.end)

    def of(self, home: Home) -> tuple[Edge, ...]:
        """The known callers of a function."""
        one = self.outermost(home)
        down = self._down.get(one)
        return self._edges.get(one, ()) if down is None else tuple(sorted({*self._edges.get(one, ()), *down}))

    def site_of(self, edge: Edge) -> Site | None:
        """The call that an edge stands for; None where the function is only passed on."""
        sites = self.functions(edge.caller)[edge.caller.function].sites
        return next((site for site in sites if site.call.func.start == edge.start), None)

    def owner(self, home: Home) -> Home | None:
        """The class whose method a function is."""
        functions = self.functions(home)
        parent = functions[home.function].parent
        return Home(home.file, parent) if parent > 0 and functions[parent].kind == "class" else None

    def passes(self, edge: Edge, own: Home | None) -> tuple[bool, Home | None]:
        """Whether an object of a class may receive the call that an edge is, and whose method its caller then is.

        A receiver that is declared to be of another family cannot be that object; `self` is the same object as before.
        """
        key = (edge, own)
        if key not in self._passing:
            self._passing[key] = self._passes(edge, own)
        return self._passing[key]

    def _passes(self, edge: Edge, own: Home | None) -> tuple[bool, Home | None]:
        site = self.site_of(edge)
        base = receiver(site.call.func) if site is not None else None
        if own is not None and base is not None and dotted(base) in ("self", "cls", "super()"):
            return True, own
        caller = self.owner(self.outermost(edge.caller))
        if own is None or base is None:
            return True, caller
        with self._resolver.shallow(self._exporters):
            value = self._resolver.resolve(edge.caller.file, edge.caller.function, base)
        declared = self._resolver.class_of(value) if value is not None else None
        if declared is None or self._resolver.definition(declared).kind != "class":
            return True, caller
        return own in self._resolver.bases(declared) or declared in self._resolver.bases(own), caller

    def functions(self, home: Home) -> tuple[Function, ...]:
        """All functions of a definition's file."""
        return self._code.part(home.file).functions

    def outermost(self, home: Home) -> Home:
        """The named function around a closure or block."""
        functions = self._code.part(home.file).functions
        index = home.function
        while functions[index].kind in ("closure", "block") and functions[index].parent > 0:
            index = functions[index].parent
        return Home(home.file, index)

    def _callers_of(self, homes: list[Home]) -> dict[Home, set[Edge]]:
        wanted: dict[str, set[Home]] = {}
        means: dict[Home, set[Home]] = {}
        for home in homes:
            for called in (home, *self._overridden(home)):
                means.setdefault(called, set()).add(home)
                for name in self._names(called):
                    wanted.setdefault(name, set()).add(called)
        found: dict[Home, set[Edge]] = {}
        for part in self._parts(wanted):
            for name in wanted.keys() & part.names:
                for called, edge in self._in_part(part, name, wanted[name]):
                    for home in means[called]:
                        if self.outermost(edge.caller) != home:
                            found.setdefault(home, set()).add(edge)
        return found

    def _overridden(self, home: Home) -> list[Home]:
        """The methods of base classes that a method overrides: a call of theirs may run it."""
        function = self._code.part(home.file).functions[home.function]
        parent = function.parent
        if parent <= 0 or self._code.part(home.file).functions[parent].kind != "class" or function.name.startswith("__"):
            return []
        bases = [base for base in self._resolver.bases(Home(home.file, parent)) if isinstance(base, Home)][1:]
        methods = [(base, self._resolver.part(base).member(base.function, function.name)) for base in bases]
        return [Home(base.file, method) for base, method in methods if method >= 0]

    def _names(self, home: Home) -> list[str]:
        if home.function == 0:
            return []
        part = self._code.part(home.file)
        function = part.functions[home.function]
        names = [function.name] if not function.name.startswith("<") else []
        if function.name in ("__init__", "constructor", "__call__") and function.parent > 0:
            names = [part.functions[function.parent].name]
        return names

    def _parts(self, wanted: dict[str, set[Home]]) -> Iterator[Part]:
        read: set[str] = set()
        fresh: dict[str, set[str]] = {}
        for name, homes in wanted.items():
            holding = self._code.words.holding(name)
            near = {path for home in homes for path in self._code.words.holding_any(self._beside(home, holding))}
            read.update(path for path in holding if self._code.is_read(path))
            fresh[name] = {path for path in holding if path in near and not self._code.is_read(path)}
        opened = self._worth_opening(fresh, wanted)
        for path in sorted(read | opened):
            part = self._code.part(path)
            if path in opened:
                self._opened(part)
            yield part

    def _worth_opening(self, fresh: dict[str, set[str]], wanted: dict[str, set[Home]]) -> set[str]:
        """The files in which a name is called or passed; rare names first, for so long as there is room."""
        chosen: set[str] = set()
        for name in sorted(fresh, key=lambda name: (len(fresh[name]), name)):
            word = name.encode()
            found = {path for path in fresh[name] - chosen if _is_used(word, self._code.text(path))}
            if len(found) > self._room:
                self._end(wanted[name], f"What runs `{name}` was looked for in some files only: {_OPENED} are opened for callers.")
                continue
            self._room -= len(found)
            chosen |= found
        return chosen

    def _beside(self, home: Home, holding: list[str]) -> AbstractSet[str]:
        """The words one of which a caller's file holds besides the name: what leads to the class, the module, a package that exports it.

        A function inside a function is called in its own file only: no word.
        """
        functions = self._code.part(home.file).functions
        parent = functions[home.function].parent
        if parent > 0 and functions[parent].kind == "class":
            return self._leading(Home(home.file, parent))
        if parent > 0:
            return set()
        folder = home.file.rpartition("/")[0]
        exported = any(f"{folder}{exporter}" in holding for exporter in _EXPORTERS)
        return {import_word(home.file), folder.rpartition("/")[2]} if exported else {import_word(home.file)}

    def _leading(self, owner: Home) -> AbstractSet[str]:
        """The words by which a file comes to an object of a class: its name, names of its module that mention it, attributes called so."""
        if owner not in self._leads:
            name = self.functions(owner)[owner.function].name
            stem = owner.file.rpartition("/")[2].partition(".")[0]
            plain = owner.file.endswith(".py") and stem.replace("_", "").lower() != name.lower()
            snake = _CAPITAL.sub("_", name).lower()
            self._leads[owner] = {name, snake, f"_{snake}", *self._mentioning(owner.file, name)} if plain else {name, stem}
        return self._leads[owner]

    def _mentioning(self, file: str, name: str) -> set[str]:
        """The names of a module whose definition holds a word, or a name whose definition does."""
        if file not in self._spans:
            self._spans[file] = list(_definitions(self._code.part(file), self._code.text(file)))
        found, before = {name}, 0
        while len(found) > before:
            before = len(found)
            found.update(one for one, words in self._spans[file] if one not in found and not found.isdisjoint(words))
        return found

    def _in_part(self, part: Part, name: str, targets: set[Home]) -> Iterator[tuple[Home, Edge]]:
        for index, site in part.sites_by_name.get(name, ()):
            yield from self._edge(part, index, site.call.func, targets)
        for index, ref in part.passed_names.get(name, ()):
            for called, edge in self._edge(part, index, ref, targets):
                if self._handed.may_run(edge.caller, ref):
                    yield called, edge
        for index, ref in part.injected_names.get(name, ()):
            yield from self._edge(part, index, ref, targets)

    def _edge(self, part: Part, index: int, expr: Expr, targets: set[Home]) -> Iterator[tuple[Home, Edge]]:
        with self._resolver.shallow(self._exporters):
            value = self._resolver.resolve(part.path, index, expr)
        home = value.home if value is not None else None
        if home is None:
            yield from self._by_receiver(part, index, expr, targets)
            return
        if self._resolver.definition(home).kind == "class":
            names = ("__call__",) if value is not None and value.instance else ("__init__", "constructor")
            homes = [Home(home.file, i) for name in names if (i := self._resolver.part(home).member(home.function, name)) >= 0]
        else:
            homes = [home]
        for one in homes:
            if one in targets:
                yield one, Edge(Home(part.path, index), expr.start, expr.end)

    def _by_receiver(self, part: Part, index: int, expr: Expr, targets: set[Home]) -> Iterator[tuple[Home, Edge]]:
        """A method of the class after which an untyped parameter or attribute is named: `self.order_service.settle()`.

        A class that calls a method which only its subclasses have calls theirs.
        """
        base = receiver(expr)
        if isinstance(base, Ref) and base.name == "self":
            caller = self.owner(self.outermost(Home(part.path, index)))
            for one in targets if caller is not None else ():
                own = self.owner(one)
                if own is not None and own != caller and caller in set(self._resolver.bases(own)):
                    yield one, Edge(Home(part.path, index), expr.start, expr.end)
            return
        name = base.name.rpartition(".")[2].strip("_") if isinstance(base, Ref) else ""
        if not isinstance(base, Ref) or "_" not in name:
            return
        with self._resolver.shallow(self._exporters):
            value = self._resolver.resolve(part.path, index, base)
        if value is not None and (value.home is not None or value.made is not None or not base.name.startswith("self.")):
            return
        for one in targets:
            functions = self.functions(one)
            owner = functions[functions[one.function].parent] if functions[one.function].parent > 0 else None
            if owner is not None and owner.kind == "class" and owner.name.lower() == name.replace("_", "").lower():
                yield one, Edge(Home(part.path, index), expr.start, expr.end)


def _definitions(part: Part, text: bytes) -> Iterator[tuple[str, frozenset[str]]]:
    """What a module defines, each name with the words of its definition."""
    for step in part.functions[0].steps:
        names = [part.functions[step.function].name] if step.kind == "def" else [dotted(target) for target in step.targets]
        if names:
            end = part.functions[step.function].end if step.kind == "def" else step.end
            words = frozenset(re.findall(r"\w+", text[step.start : end].decode("utf-8", "replace")))
            yield from ((name, words) for name in names)


def _is_used(word: bytes, text: bytes) -> bool:
    """A name is called or passed somewhere, not only defined."""
    at = text.find(word)
    while at >= 0:
        after = at + len(word)
        if _TAKEN.match(text, after) and not (at and _WORD.match(text, at - 1)) and not text.endswith(_DEFINING, 0, at):
            return True
        at = text.find(word, after)
    return False


class Reach:
    """The entries (handlers, jobs) above each function."""

    def __init__(self, callers: Callers) -> None:
        self._callers = callers

    def around(self, home: Home) -> Iterator[Home]:
        """The closures around a place, inside out, up to and with the named function."""
        return self._callers.around(home)

    def is_start(self, home: Home) -> bool:
        """A named function, or a module, that nobody is known to call."""
        return self._callers.outermost(home) == home and not self._callers.of(home)

    def is_call(self, edge: Edge) -> bool:
        """The function is called there, not only passed on."""
        return self._callers.site_of(edge) is not None

    def above(
        self, home: Home, is_entry: Callable[[Home], bool], is_apart: Callable[[Edge, Home], bool] = lambda edge, callee: False
    ) -> list[tuple[Home, tuple[Step, ...]]]:
        """The entries that reach a function, nearest first, each with the calls on the way from it; itself, if it is one.

        Edges to a callee that run apart from their caller are not followed.
        """
        start = self._callers.outermost(home)
        seen, found = {start}, []
        todo: list[tuple[Home, tuple[Step, ...], Home | None]] = [(start, (), self._callers.owner(start))]
        for inner in self._callers.around(home):
            if is_entry(inner):
                return [(inner, ())]
        while todo:
            one, way, own = todo.pop(0)
            if is_entry(one):
                found.append((one, way))
                continue
            for edge in self._callers.of(one):
                passes, owner = self._callers.passes(edge, own)
                if is_apart(edge, one) or not passes:
                    continue
                caller = self._callers.outermost(edge.caller)
                entry = next((inner for inner in self._callers.around(edge.caller) if is_entry(inner)), caller)
                if entry not in seen:
                    seen.add(entry)
                    todo.append((entry, (Step(edge.caller, edge.start, edge.end), *way), owner))
        return found
