"""Whether a function that is handed to a call is run by it: whoever only stores it runs it elsewhere, or never."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Arg, Call, Function, Group, Ref, Site, Step, dotted

_DEEPEST = 4  # functions that hand it on to the next


class Passing:
    """Follows a function through the parameters of the project's functions; `queues` are calls that hand work over."""

    def __init__(self, resolver: Resolver, queues: AbstractSet[str] = frozenset()) -> None:
        self._resolver, self._queues = resolver, queues
        self._memory: dict[tuple[Home, str], bool] = {}

    def may_run(self, home: Home, ref: Ref) -> bool:
        """False where the call that takes it belongs to the project and surely only stores it."""
        for site in self._resolver.definition(home).sites:
            for arg in site.call.args:
                if arg.value is ref:
                    return self._takes(home, site.call, arg, 0)
        return True

    def _takes(self, home: Home, call: Call, arg: Arg, depth: int) -> bool:
        value = self._resolver.resolve(home.file, home.function, call.func)
        if value is not None and value.path in self._queues:
            return False
        if value is None or value.home is None or value.instance or depth >= _DEEPEST:
            return True
        callee = self._resolver.definition(value.home)
        if callee.kind == "class":
            return self._is_kept_to_run(value.home, arg)
        name = self._parameter(value.home, callee, call, arg)
        return not name or self._runs(value.home, name, depth)

    def _parameter(self, home: Home, callee: Function, call: Call, arg: Arg) -> str:
        """The parameter that an argument fills; "" where that cannot be told."""
        params = [param for param in callee.params if not param.kind]
        if arg.splat or any(one.splat == "*" for one in call.args):
            return ""
        if arg.name:
            return arg.name if any(param.name == arg.name for param in params) else ""
        owner = self._resolver.part(home).functions[callee.parent] if callee.parent > 0 else None
        own = params[1:] if owner is not None and owner.kind == "class" and params and params[0].name in ("self", "cls") else params
        position = [one for one in call.args if not one.name].index(arg)
        return own[position].name if position < len(own) else ""

    def _runs(self, home: Home, name: str, depth: int) -> bool:
        key = (home, name)
        if key not in self._memory:
            self._memory[key] = True  # a function that hands it to itself
            self._memory[key] = any(self._runs_in(inside, name, depth) for inside in self._inside(home))
        return self._memory[key]

    def _inside(self, home: Home) -> Iterator[Home]:
        """A function and all that is defined in it."""
        part, todo = self._resolver.part(home), [home.function]
        while todo:
            index = todo.pop()
            yield Home(home.file, index)
            todo.extend(part.members.get(index, ()))

    def _runs_in(self, home: Home, name: str, depth: int) -> bool:
        function = self._resolver.definition(home)
        if any(dotted(site.call.func) == name for site in function.sites) or any(_gives(step, name) for step in function.steps):
            return True
        return any(self._takes(home, site.call, arg, depth + 1) for site, arg in _handed(function, name))

    def _is_kept_to_run(self, home: Home, arg: Arg) -> bool:
        """A class of the project runs what its maker gave, where it calls an attribute of that name."""
        names = {arg.name or dotted(arg.value).rpartition(".")[2]}
        part = self._resolver.part(home)
        init = part.member(home.function, "__init__")
        names |= {param.name for param in part.functions[init].params} if init >= 0 and not arg.name else set()
        ends = tuple(f".{name}" for name in names) + tuple(f"._{name}" for name in names)
        return any(
            dotted(site.call.func).endswith(ends) for inside in self._inside(home) for site in self._resolver.definition(inside).sites
        )


def _handed(function: Function, name: str) -> Iterator[tuple[Site, Arg]]:
    for site in function.sites:
        for arg in site.call.args:
            if isinstance(arg.value, Ref) and arg.value.name == name:
                yield site, arg


def _gives(step: Step, name: str) -> bool:
    """It is given back to the caller, who may run it."""
    given = step.value.items if isinstance(step.value, Group) else (step.value,)
    return step.kind == "return" and any(isinstance(expr, Ref) and expr.name == name for expr in given)
