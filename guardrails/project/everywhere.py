"""What holds for every route of a framework: permission settings, middleware that lets no stranger in."""

from __future__ import annotations

from guardrails.names.code import Part
from guardrails.outline import Literal_, Pair, Ref, dotted, walk
from guardrails.place import Place
from guardrails.project.ground import Ground
from guardrails.project.secrets import words_of
from guardrails.project.verifying import Door


class Everywhere:
    """Looks once a framework."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        accesses = [model.access for model in ground.catalogue.models if model.access is not None]
        self._settings = {key: of for access in accesses for key, of in access.settings.items()}
        self._middleware = frozenset(name for access in accesses for name in access.middleware)
        self._open = frozenset(name for access in accesses for name in access.open)
        self._everywhere: dict[str, Door | None] = {}

    def door(self, framework: str) -> Door | None:
        """What holds for every route of a framework: permission settings, middleware that lets no stranger in."""
        if framework not in self._everywhere:
            self._everywhere[framework] = self._for_all(framework)
        return self._everywhere[framework]

    def _for_all(self, framework: str) -> Door | None:
        code = self._ground.code
        settings = frozenset(key for key, of in self._settings.items() if of == framework)
        doors = (self._setting(code.part(path), settings, every=True) for path in code.words.holding_any(settings))
        added = (
            self._setting(code.part(path), self._middleware, every=False) or self._added(code.part(path))
            for path in code.words.holding_any(self._middleware)
        )
        return next((door for door in (*doors, *added) if door is not None), None)

    def _setting(self, part: Part, keys: frozenset[str], every: bool) -> Door | None:
        for step in part.functions[0].steps:
            for one in walk(step.value) if step.value is not None else ():
                named = isinstance(one, Pair) and isinstance(one.key, Literal_) and one.key.value in keys
                value = one.value if isinstance(one, Pair) and named else None
                if value is None and one is step.value and keys.intersection(dotted(t) for t in step.targets):
                    value = step.value
                if value is None:
                    continue
                texts = [str(e.value).rpartition(".")[2] for e in walk(value) if isinstance(e, Literal_)] + [
                    dotted(e).rpartition(".")[2] for e in walk(value) if isinstance(e, Ref)
                ]
                asking = [t for t in texts if t and t not in self._open and (every or _is_closing(t))]
                if asking:
                    return Door(f"`{asking[0]}` holds for every route", Place(part.path, value.start, value.end))
        return None

    def _added(self, part: Part) -> Door | None:
        for _, site in part.sites_by_name.get("add_middleware", ()):
            for arg in site.call.args:
                text = dotted(arg.value)
                if text and {"auth", "authentication", "authenticate", "authorization", "login", "jwt"} & set(words_of(text)):
                    return Door(f"`{text}` holds for every route", Place(part.path, site.call.start, site.call.end))
        return None


def _is_closing(name: str) -> bool:
    words = set(words_of(name))
    return "login" in words and bool(words & {"require", "required"})
