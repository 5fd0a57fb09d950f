"""Where a search stopped at a limit, so that the reader knows what was not judged. None of it belongs to one rule."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from guardrails.finding import Unsure
from guardrails.frameworks.sightings import EnqueueSeen
from guardrails.names.code import Code
from guardrails.names.resolve import Resolver
from guardrails.place import Place


def unread(paths: Iterable[str], limit: int) -> Iterator[Unsure]:
    """Files that take what matters from a module that has it from another, and so on."""
    why = f"This file was not read: what it imports is handed on by more than {limit} modules."
    return (Unsure("", Place(path, 0, 0), why) for path in paths)


def unwrapped(wrappers: Iterable[EnqueueSeen], limit: int) -> Iterator[Unsure]:
    """Hand-overs in wrappers around wrappers, whose own callers were not looked at."""
    why = f"Who hands work on through this call was not looked for: wrappers of wrappers are followed {limit} times."
    return (Unsure("", one.made.place, why) for one in wrappers)


def unnamed(code: Code, resolver: Resolver) -> Iterator[Unsure]:
    """Definitions of which a decorator or base leads through too many names: each may be a job."""
    for file, start in sorted(resolver.ended):
        for function in code.part(file).functions:
            if any(expr.start == start for expr in (*function.decorators, *(base.value for base in function.bases))):
                why = f"What `{function.name}` is was not found out: a decorator or base of it leads through too many other names."
                yield Unsure("", Place(file, function.name_start, function.name_end), why)
