"""Rows whose secret no job could look up: they are deleted, were never saved, or the job was handed the secret itself."""

from __future__ import annotations

from collections.abc import Collection

from guardrails.names.options import Hit
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Function, Site, dotted, receiver
from guardrails.project.clauses import clauses, sites_in
from guardrails.project.secrets import words_of

_AFTER, _GONE = frozenset(("post", "after")), frozenset("delete deleted remove removed destroy destroyed".split())
_SAVES = frozenset("save insert create add flush commit".split())


class Bygone:
    """Says of an argument of an enqueue that only it can carry the secret."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver

    def is_only_carrier(self, hit: Hit, jobs: Collection[Home]) -> bool:
        """The row that holds the secret is gone, or the job around the place got the secret as an argument."""
        home = hit.home
        function = self._resolver.definition(home)
        while function.kind in ("closure", "block") and function.parent > 0:
            home = Home(home.file, function.parent)
            function = self._resolver.definition(home)
        owner, _, name = dotted(hit.expr).rpartition(".")
        if not owner:
            return home in jobs and any(param.name == name for param in function.params)
        return _is_after_deletion(function) or self._is_deleted(function, owner, hit) or self._is_unsaved(home, function, hit)

    @staticmethod
    def _is_deleted(function: Function, owner: str, hit: Hit) -> bool:
        ends = (site for site in function.sites if dotted(site.call.func) == f"{owner}.delete")
        return any(site.call.start < hit.expr.start for site in ends)

    @staticmethod
    def _is_unsaved(home: Home, function: Function, hit: Hit) -> bool:
        """The place stands in an except clause that gives the failure of saving on."""
        for clause in clauses(home, function):
            block = function.blocks[clause.block]
            if block.start <= hit.expr.start < block.end and block.ends == "raise":
                return any(_saves(site) for site in sites_in(function, clause.tries))
        return False


def _saves(site: Site) -> bool:
    base = receiver(site.call)
    return dotted(site.call.func).rpartition(".")[2] in _SAVES and base is not None and dotted(base) in ("self", "super()")


def _is_after_deletion(function: Function) -> bool:
    """Its name or the signal that it receives says that something was deleted: `post_delete`."""
    signals = (dotted(part.value) for mark in function.decorators for part in getattr(mark, "args", ()))
    return any(_AFTER.intersection(words := words_of(name)) and _GONE.intersection(words) for name in (function.name, *signals))
