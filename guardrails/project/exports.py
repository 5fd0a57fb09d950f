"""What a file gives to others that is worth following: applications, queues, decorators, and functions that give one."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from guardrails.frameworks.catalogue import Catalogue
from guardrails.names.code import Part
from guardrails.names.modules import import_word
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home, Value
from guardrails.outline import Call, Group, Ref


def exports(resolver: Resolver, catalogue: Catalogue, parts: Collection[Part], known: set[str]) -> Iterator[tuple[str, str]]:
    """Module-level names that mean worker code, each with the last word of its module: a file that imports one has no framework word.

    `known` gathers the names: a package that imports one hands it on.
    """
    roots = _roots(catalogue)
    for part in parts:
        module = import_word(part.path)
        with resolver.shallow():
            for name in _named(resolver, part, roots):
                known.add(name)
                yield name, module
    for part in parts:
        yield from ((name, import_word(part.path)) for name in _handed_on(part, known))


def _handed_on(part: Part, known: set[str]) -> list[str]:
    """The names under which a package gives to others what it imports from a module of its own."""
    taken = [one for one in part.outline.imports if part.path.endswith("__init__.py") and not one.scope and one.target.startswith(".")]
    return [one.name for one in taken if one.target.rpartition(".")[2] in known]


def _roots(catalogue: Catalogue) -> frozenset[str]:
    """The symbols themselves (a decorator), and what their last attribute is taken from (a queue, an application)."""
    symbols = (*catalogue.enqueues, *catalogue.job_decorators, *catalogue.job_calls, *catalogue.schedule_decorators)
    owners = {symbol.rpartition(".")[0] for symbol in symbols}
    return frozenset({owner for owner in owners if owner.endswith("()")} | set(catalogue.job_decorators))


def _named(resolver: Resolver, part: Part, roots: frozenset[str]) -> Iterator[str]:
    for step in part.functions[0].steps:
        for target in step.targets if step.kind == "assign" and isinstance(step.value, Call | Ref | Group) else ():
            if isinstance(target, Ref) and "." not in target.name and step.value is not None:
                value = resolver.resolve(part.path, 0, step.value)
                if value is not None and _is_root(value, roots):
                    yield target.name
    for index in part.members.get(0, ()):
        if part.functions[index].kind == "function":
            value = resolver.returned(Home(part.path, index))
            if (value is not None and _is_root(value, roots)) or _decorates(resolver, part, index, roots):
                yield part.functions[index].name


def _decorates(resolver: Resolver, part: Part, index: int, roots: frozenset[str]) -> bool:
    """The function decorates one that is defined inside it, or registers it by a call: it is a decorator of the project's own."""
    for inner in (i for one in part.members.get(index, ()) for i in (one, *part.members.get(one, ()))):
        for decorator in part.functions[inner].decorators:
            value = resolver.resolve(part.path, max(part.functions[inner].parent, 0), decorator)
            if value is not None and _is_root(value, roots):
                return True
        for site in part.functions[inner].sites:
            called = resolver.resolve(part.path, inner, site.call.func) if _takes_name(site.call) else None
            if called is not None and called.path in roots and called.home is None:
                return True
    return False


def _takes_name(call: Call) -> bool:
    return bool(call.args) and isinstance(call.args[0].value, Ref) and not call.args[0].name


def _is_root(value: Value, roots: frozenset[str]) -> bool:
    return value.path in roots or value.path.removesuffix("()") in roots
