"""Functions that hand on to a queue what they were given: calling one is enqueueing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import msgspec

from guardrails.frameworks.forms.work import EnqueueForm
from guardrails.frameworks.sightings import EnqueueSeen, Sighting
from guardrails.names.options import Hit, Made, Options
from guardrails.names.resolve import Resolver
from guardrails.outline import Function, Literal_, Param, Ref, Site, dotted, enclosing
from guardrails.project import unpacking
from guardrails.project.calls import Callers

_ID = re.compile(r"(?:^|_)(?:pk|id|ids|uuid|slug|key|name|email|count|type)$")  # a parameter that cannot be a row
_SELF = ("self", "cls", "this")


class _Taken(msgspec.Struct, frozen=True):
    """What a wrapper takes: selectors of the job (name or position) and of the payload among its own arguments, its plain options."""

    job: str
    payload: tuple[str, ...]
    options: tuple[str, ...]


def outer_enqueues(resolver: Resolver, callers: Callers, seen: Iterable[Sighting]) -> Iterator[EnqueueSeen]:
    """The calls of wrappers around the enqueues that were seen, as enqueues that carry payload only; none is given twice."""
    enqueues = [one for one in seen if isinstance(one, EnqueueSeen)]
    known = {_key(one.made) for one in enqueues}
    for one in enqueues:
        taken = _taken_around(resolver, callers, one)
        for edge in callers.of(one.made.home) if taken is not None else ():
            site = callers.site_of(edge)
            made = Made(site.call, edge.caller) if site is not None else None
            if made is not None and site is not None and taken is not None and _key(made) not in known:
                known.add(_key(made))
                unless = _unless(resolver, callers, one)
                if not any(_is_true(Options(resolver, [made]).get(name)) for name in unless):
                    yield msgspec.structs.replace(_outer(resolver, one, taken, made, site), unless=unless)


def _unless(resolver: Resolver, callers: Callers, one: EnqueueSeen) -> frozenset[str]:
    """The parameters of the function around an enqueue that, when true, take another way: `if immediate: func()`, `else: enqueue(func)`."""
    definition = resolver.definition(callers.outermost(one.made.home))
    names = {param.name for param in definition.params}
    function = resolver.definition(one.made.home)
    around = enclosing(function, function.steps[one.site.step].block) if function is definition else ()
    tests = [function.steps[block.opened_by].value for block in around if block.kind == "else" and block.opened_by >= 0]
    asked = {test.name for test in tests if isinstance(test, Ref)} & names
    passed = {name for name in one.unless if name in names or any(param.kind == "**" for param in definition.params)}
    return frozenset(asked | passed)


def _is_true(answer: object) -> bool:
    return isinstance(answer, Hit) and isinstance(answer.expr, Literal_) and answer.expr.value is True


def is_wrapped(resolver: Resolver, callers: Callers, one: EnqueueSeen) -> bool:
    """The enqueue stands in a function that hands on what it was given."""
    taken = _taken_around(resolver, callers, one)
    return taken is not None and any(not selector.isdigit() and not _ID.search(selector) for selector in taken.payload)


def _taken_around(resolver: Resolver, callers: Callers, one: EnqueueSeen) -> _Taken | None:
    """What the named function around an enqueue takes, None where it hands nothing on."""
    definition = resolver.definition(callers.outermost(one.made.home))
    return _taken(resolver, one, definition) if definition.kind == "function" else None


def _key(made: Made) -> tuple[str, int, int]:
    return made.home.file, made.call.start, made.call.end


def _taken(resolver: Resolver, one: EnqueueSeen, definition: Function) -> _Taken | None:
    params = [param for param in definition.params if param.name not in _SELF]
    positions = {param.name: str(index) for index, param in enumerate(params) if not param.kind}
    job = one.options.get(one.form.job) if one.form.job else None
    job_name = _param_of(job, params)
    receiver = dotted(one.made.call.func).rpartition(".")[0]
    if not job_name and receiver in positions and one.form.on_job:
        job_name = receiver
    handed = [name for _, hit in unpacking.payload(resolver, one) if (name := _param_of(hit, params))]
    if not handed:
        return None
    payload = tuple(selector for name in handed if name in positions for selector in (positions[name], name))
    if any(param.kind and param.name in handed for param in params):
        payload = (*payload, "rest")
    plain = tuple(selector for name, position in positions.items() if name not in handed for selector in (name, position))
    if any(param.kind == "**" for param in params):
        plain = (*plain, *(name for name in one.form.options if not name.isdigit()))
    job_at = f"{job_name}|{positions[job_name]}" if job_name in positions else job_name
    return _Taken(job_at, payload, plain)


def _param_of(answer: object, params: list[Param]) -> str:
    name = answer.expr.name if isinstance(answer, Hit) and isinstance(answer.expr, Ref) else ""
    return name if any(param.name == name for param in params) else ""


def _outer(resolver: Resolver, inner: EnqueueSeen, taken: _Taken, made: Made, site: Site) -> EnqueueSeen:
    options = Options(resolver, [made])
    answer = options.get(taken.job) if taken.job else None
    target = dotted(answer.expr) if isinstance(answer, Hit) else ""
    form = EnqueueForm(job=taken.job, payload=taken.payload, options=taken.options, signature=True)
    return EnqueueSeen(inner.model, form, made, site, options, target or dotted(made.call.func) or inner.target, "", None)
