"""Schedules that stand in settings: a mapping from names to entries (`beat_schedule`), under its key or its prefixed name."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import Schedule
from guardrails.frameworks.catalogue import Catalogue
from guardrails.frameworks.forms.work import ScheduleForm
from guardrails.frameworks.model import Model
from guardrails.names.evaluate import as_text
from guardrails.names.options import Hit, Options
from guardrails.names.resolve import Resolver
from guardrails.outline import Group, Pair, Spread
from guardrails.project.link import Linker
from guardrails.project.settings import Settings

_DEEPEST = 16  # mappings that spread others, which may be themselves


def in_settings(catalogue: Catalogue, settings: Settings, resolver: Resolver, linker: Linker) -> Iterator[Schedule]:
    """A schedule for each entry of such a mapping in the parts that were read."""
    for model in catalogue.models:
        prefixes = settings.prefixes(model.timeout) if model.timeout else ()
        for form in model.schedules:
            for assigned in settings.assigned((form.setting,), prefixes) if form.setting else ():
                for entry in entries(resolver, assigned.hit):
                    yield _schedule(model, form, entry, resolver, linker)


def entries(resolver: Resolver, hit: Hit, depth: int = 0) -> Iterator[Hit]:
    """The values of a mapping, of those that it spreads, and of the variable that holds it."""
    expr = hit.expr
    if depth > _DEEPEST:
        return
    if not isinstance(expr, Group):
        value = resolver.resolve(hit.home.file, hit.home.function, expr)
        if value is not None and isinstance(value.made, Group) and value.made_in is not None:
            yield from entries(resolver, Hit(value.made, value.made_in), depth + 1)
        return
    for item in expr.items:
        if isinstance(item, Pair):
            yield Hit(item.value, hit.home)
        elif isinstance(item, Spread):
            yield from entries(resolver, Hit(item.value, hit.home), depth + 1)


def _schedule(model: Model, form: ScheduleForm, entry: Hit, resolver: Resolver, linker: Linker) -> Schedule:
    options = Options(resolver, [])
    job, when = options.entry(entry, form.job), options.entry(entry, form.when)
    return Schedule(
        place=entry.place,
        scope=linker.scope(entry.home),
        framework=model.framework,
        language=resolver.part(entry.home).language,
        title=model.title,
        job=_words(resolver, job),
        when=_words(resolver, when),
    )


def _words(resolver: Resolver, answer: object) -> str:
    if not isinstance(answer, Hit):
        return ""
    return as_text(answer.expr) or resolver.text(answer.home.file, answer.expr.start, answer.expr.end)
