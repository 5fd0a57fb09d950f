"""The project's files as outlines, read when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, cached_property
from typing import Protocol

from guardrails.names.words import Words
from guardrails.outline import Call, Comp, Expr, Function, Import, Index, Outline, Param, Ref, Site, Step, dotted, walk


class Files(Protocol):
    """What the project needs of a tree of files."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The files of a known language."""

    @property
    def others(self) -> tuple[str, ...]:
        """Further files: those that may start workers (Procfile, compose, units), and requirements."""

    def load(self, path: str) -> bytes:
        """The bytes of a file."""


class Part:
    """One outline with the indexes that resolution needs."""

    def __init__(self, path: str, outline: Outline, source: bytes) -> None:
        self.path = path
        self._source = source
        self.outline = outline
        self.functions = outline.functions
        self.language = outline.language
        self.bindings = cache(self._bindings)
        self.comprehensions = cache(self._comprehensions)
        self.stores = cache(self._stores)
        self.takers = cache(self._takers)

    def _bindings(self, function: int) -> dict[str, list[Step | Import | int]]:
        """What each name means in a function: steps that bind it, imports, nested definitions (by index)."""
        return _bindings(self.outline, function)

    def _comprehensions(self, function: int) -> list[Comp]:
        """The comprehensions of a function, by their start."""
        values = (step.value for step in self.functions[function].steps if step.value is not None)
        worth = (value for value in values if self._source.find(b"for", value.start, value.end) >= 0)
        found = (expr for value in worth for expr in walk(value) if isinstance(expr, Comp))
        return sorted(found, key=lambda comp: comp.start)

    def yields(self, step: Step) -> bool:
        """Whether a statement may yield a value."""
        return step.value is not None and self._source.find(b"yield", step.value.start, step.value.end) >= 0

    def _stores(self, function: int) -> dict[str, list[Step]]:
        """The assignments of a function by what they set, as dotted text."""
        found: dict[str, list[Step]] = {}
        for step in self.functions[function].steps:
            for target in step.targets if step.kind == "assign" else ():
                found.setdefault(dotted(target), []).append(step)
        return found

    def _takers(self, function: int) -> dict[str, set[str]]:
        """The last words of what is called with an argument in a function, by the argument as dotted text."""
        found: dict[str, set[str]] = {}
        for site in self.functions[function].sites:
            for arg in site.call.args:
                found.setdefault(dotted(arg.value), set()).add(last_word(site))
        return found

    @cached_property
    def stars(self) -> tuple[str, ...]:
        """The targets of star imports."""
        return tuple(entry.target for entry in self.outline.imports if not entry.name)

    @cached_property
    def members(self) -> dict[int, tuple[int, ...]]:
        """The functions and classes directly inside each."""
        inside: dict[int, list[int]] = {}
        for index, function in enumerate(self.functions):
            inside.setdefault(function.parent, []).append(index)
        return {parent: tuple(found) for parent, found in inside.items()}

    def member(self, parent: int, name: str) -> int:
        """The index of a function or class by name inside another, -1 for none; the last definition wins."""
        return next((i for i in reversed(self.members.get(parent, ())) if self.functions[i].name == name), -1)

    @cached_property
    def self_steps(self) -> dict[int, dict[str, list[tuple[int, Step]]]]:
        """By class: what `self.name = ..` in its methods binds, with the method."""
        found: dict[int, dict[str, list[tuple[int, Step]]]] = {}
        for index, function in enumerate(self.functions):
            owner = owner_of(self.functions, index)
            if owner < 0:
                continue
            for step in function.steps:
                for target in step.targets if step.kind == "assign" else ():
                    name = getattr(target, "name", "")
                    head, _, attribute = name.partition(".")
                    if head in ("self", "this") and attribute and "." not in attribute:
                        found.setdefault(owner, {}).setdefault(attribute, []).append((index, step))
        return found

    @cached_property
    def sites_by_name(self) -> dict[str, list[tuple[int, Site]]]:
        """Calls by the last word of what is called."""
        found: dict[str, list[tuple[int, Site]]] = {}
        for index, words in enumerate(self.words):
            for word, site in words:
                if word in found:
                    found[word].append((index, site))
                else:
                    found[word] = [(index, site)]
        return found

    @cached_property
    def words(self) -> tuple[tuple[tuple[str, Site], ...], ...]:
        """The calls of each function, each with the last word of what is called."""
        return tuple(tuple((last_word(site), site) for site in function.sites) for function in self.functions)

    @cached_property
    def passed_names(self) -> dict[str, list[tuple[int, Ref]]]:
        """Names that are passed to calls (functions among them), by their last word."""
        found: dict[str, list[tuple[int, Ref]]] = {}
        for index, function in enumerate(self.functions):
            for site in function.sites:
                for arg in site.call.args:
                    if isinstance(arg.value, Ref):
                        found.setdefault(arg.value.name.rpartition(".")[2], []).append((index, arg.value))
        return found

    @cached_property
    def names(self) -> frozenset[str]:
        """The last words of all that is called, passed or depended on."""
        return frozenset((*self.sites_by_name, *self.passed_names, *self.injected_names))

    @cached_property
    def injected_names(self) -> dict[str, list[tuple[int, Ref]]]:
        """Functions that parameters depend on (`Depends(get_service)`), by their last word."""
        found: dict[str, list[tuple[int, Ref]]] = {}
        for index, function in enumerate(self.functions):
            for param in function.params:
                for ref in _injected(param):
                    found.setdefault(ref.name.rpartition(".")[2], []).append((index, ref))
        return found


def last_word(site: Site) -> str:
    """`delay` of `tasks.charge.delay(..)`; "" where what is called has no name."""
    name: str = getattr(site.call.func, "name", "")
    return name.rpartition(".")[2]


def owner_of(functions: tuple[Function, ...], index: int) -> int:
    """The class whose `self` a function sees: its own class, or that of the method it is nested in; -1 for none."""
    while index > 0:
        parent = functions[index].parent
        if parent >= 0 and functions[parent].kind == "class":
            return parent
        index = parent
    return -1


def _bindings(outline: Outline, function: int) -> dict[str, list[Step | Import | int]]:
    found: dict[str, list[Step | Import | int]] = {}
    for entry in outline.imports:
        if entry.scope == function:
            found.setdefault(entry.name, []).append(entry)
    for step in outline.functions[function].steps:
        if step.kind == "def":
            found.setdefault(outline.functions[step.function].name, []).append(step.function)
        for target in step.targets:
            for name in _bound_names(target):
                found.setdefault(name, []).append(step)
    return found


def _bound_names(target: object) -> Iterator[str]:
    name = getattr(target, "name", None)
    if isinstance(name, str) and not hasattr(target, "base"):
        if "." not in name:
            yield name
        return
    for item in getattr(target, "items", ()):
        yield from _bound_names(getattr(item, "value", item))


def _injected(param: Param) -> Iterator[Ref]:
    sources: tuple[Expr | None, ...] = (param.default, param.annotation)
    for source in sources:
        if isinstance(source, Call | Index):
            yield from (expr for expr in walk(source) if isinstance(expr, Ref))


class Code:
    """Outlines by path. `wanted` files are those that hold words that matter; others are read only when resolution leads there."""

    def __init__(self, files: Files, read: Callable[[str, bytes], Outline], left_out: Callable[[str], bool] = lambda _: False) -> None:
        self.files = files
        self._left_out = left_out
        self._read = read
        self._parts: dict[str, Part] = {}
        self.sources: dict[str, bytes] = {}
        self.paths = frozenset(files.paths)

    def part(self, path: str) -> Part:
        """The outline of a file, read on first use."""
        part = self._parts.get(path)
        if part is None:
            source = self.sources.get(path)
            if source is None:
                source = self.sources[path] = self.files.load(path)
            part = self._parts[path] = Part(path, self._read(path, source), source)
        return part

    @property
    def reads(self) -> int:
        """How many files were read so far."""
        return len(self._parts)

    def parts(self) -> list[Part]:
        """All that was read so far, by path."""
        return [self._parts[path] for path in sorted(self._parts)]

    def is_read(self, path: str) -> bool:
        """Whether a file was parsed."""
        return path in self._parts

    @cached_property
    def words(self) -> Words:
        """The words of all files but those left out (tests), indexed on first use."""
        words = Words()
        for path in self.files.paths:
            if not self._left_out(path):
                words.add(path, self.text(path))
        return words

    def text(self, path: str) -> bytes:
        """A file's bytes, kept only when the file was read."""
        kept = self.sources.get(path)
        return self.files.load(path) if kept is None else kept
