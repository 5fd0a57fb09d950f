"""What a function calls, and what that calls: the project's functions below it, nearest first."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.names.code import last_word
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.project.secrets import words_of

_DEEPEST, _MOST = 3, 40
# Words of calls that tell or cost somebody something, or add what is added again the next time.
_OUTWARD = frozenset(
    "send charge pay capture refund transfer post publish enqueue delay mail email sms notify notification push invite emit create insert "
    "request webhook".split()
)


def below(resolver: Resolver, home: Home) -> Iterator[Home]:
    """A function, what is defined in it, and the functions that it calls; no deeper than three calls, and not for ever."""
    todo, found = [(home, 0)], {home}
    while todo and len(found) < _MOST:
        one, depth = todo.pop(0)
        yield one
        for callee in _called(resolver, one) if depth < _DEEPEST else ():
            if callee not in found:
                found.add(callee)
                todo.append((callee, depth + 1))


def _called(resolver: Resolver, home: Home) -> Iterator[Home]:
    yield from (Home(home.file, index) for index in resolver.part(home).members.get(home.function, ()))
    for site in resolver.definition(home).sites:
        with resolver.shallow():
            value = resolver.resolve(home.file, home.function, site.call.func)
        if value is not None and value.home is not None and resolver.definition(value.home).kind == "function":
            yield value.home


def keeps_to_itself(resolver: Resolver, home: Home) -> bool:
    """Nothing that a function does, as far as it was read, reaches anybody outside or adds anything."""
    sites = [site for one in below(resolver, home) for site in resolver.definition(one).sites]
    return bool(sites) and not any(_OUTWARD.intersection(words_of(last_word(site))) for site in sites)
