"""Floating promises: an async function of the project that is called and dropped, or marked `void`."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.frameworks.catalogue import Catalogue
from guardrails.frameworks.forms.work import SpawnForm
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import SpawnSeen
from guardrails.names.code import Part
from guardrails.names.options import Hit, Made
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Attr, Call, Site

_FORM = SpawnForm(call="", kind="promise", request_bound=False)
_CHAIN = frozenset(("then", "catch", "finally"))


def floating(resolver: Resolver, part: Part, catalogue: Catalogue) -> Iterator[SpawnSeen]:
    """The dropped promises of a part."""
    model = next((m for m in catalogue.models if m.framework == "promises"), None)
    if part.language != "typescript" or model is None:
        return
    for index, function in enumerate(part.functions):
        for site in function.sites:
            if site.use in ("dropped", "void"):
                yield from _promise(resolver, part, index, site, model)


def _promise(resolver: Resolver, part: Part, index: int, site: Site, model: Model) -> Iterator[SpawnSeen]:
    call = site.call
    while isinstance(call.func, Attr) and call.func.name in _CHAIN and isinstance(call.func.base, Call):
        call = call.func.base
    value = resolver.resolve(part.path, index, call.func)
    if value is None or value.home is None or value.home.function == 0:
        return
    definition = resolver.definition(value.home)
    if definition.is_async and definition.kind in ("function", "closure"):
        here = Home(part.path, index)
        yield SpawnSeen(model, _FORM, Made(site.call, here), site, Hit(call, here))
