"""Key functions: what a job's declaration makes every hand-over's key of."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.frameworks.sightings import EnqueueSeen, JobSeen
from guardrails.names.options import Hit
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home
from guardrails.outline import Attr, Call, Closure, Ref, dotted, walk
from guardrails.project import unpacking


def function_of(resolver: Resolver, job: JobSeen) -> Home | None:
    """The function, or closure, of the project that makes a job's keys; None where a job has none."""
    key = job.model.key
    hit = job.options.first(key.declared) if key is not None and key.declared and job.options.calls else None
    if not isinstance(hit, Hit):
        return None
    if isinstance(hit.expr, Closure):
        return Home(hit.home.file, hit.expr.function)
    value = resolver.resolve(hit.home.file, hit.home.function, hit.expr) if isinstance(hit.expr, Ref | Attr) else None
    known = value is not None and value.home is not None and not value.instance and resolver.definition(value.home).kind == "function"
    return value.home if known and value is not None else None


def constant(resolver: Resolver, home: Home) -> str:
    """The one key that a key function gives whatever the payload is, as it is written; "" where it looks at the payload."""
    given = list(unpacking.returned(resolver, home))
    if len(given) != 1 or any(isinstance(expr, Ref | Attr | Call) for expr in walk(given[0].expr)):
        return ""
    place = given[0].place
    return resolver.text(place.path, place.start, place.end)


def fields_read(resolver: Resolver, home: Home) -> frozenset[str]:
    """The fields of the payload that a key function reads."""
    params = resolver.definition(home).params
    name = params[0].name if params else ""
    texts = (dotted(expr) for hit in unpacking.returned(resolver, home) for expr in walk(hit.expr) if isinstance(expr, Ref | Attr))
    return frozenset(text.split(".")[1] for text in texts if name and text.startswith(f"{name}."))


def parts(resolver: Resolver, seen: EnqueueSeen, job: JobSeen, key: Home) -> Iterator[tuple[str, Hit]]:
    """What an enqueue gives the fields that its key is made of; where it leaves one out, what makes that field's value then."""
    given = unpacking.fields(resolver, seen)
    is_whole = not {"*", "**"}.intersection(given)
    for name in sorted(fields_read(resolver, key)) if given else ():
        hit = given.get(name) or (_factory(resolver, job, name) if is_whole else None)
        if hit is not None:
            yield name, hit


def _factory(resolver: Resolver, job: JobSeen, name: str) -> Hit | None:
    """What fills a field of the payload's class where nobody gives it: `uuid4` of `id: UUID = Field(default_factory=uuid4)`."""
    function = resolver.definition(job.home)
    annotation = function.params[0].annotation if function.params else None
    value = resolver.resolve(job.home.file, max(function.parent, 0), annotation) if annotation is not None else None
    for home in resolver.bases(value.home) if value is not None and value.home is not None else ():
        for step in resolver.definition(home).steps if isinstance(home, Home) else ():
            if isinstance(home, Home) and isinstance(step.value, Call) and any(dotted(target) == name for target in step.targets):
                return next((Hit(arg.value, home) for arg in step.value.args if arg.name == "default_factory"), None)
    return None
