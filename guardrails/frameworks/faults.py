"""What is wrong with a model beyond its types: expressions that do not compile, forms that say nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrails.frameworks.model import Model
from guardrails.frameworks.patterns import danger

LANGUAGES = ("python", "typescript", "rust")


def faults(model: Model) -> Iterator[tuple[str, str]]:
    """Each fault as the key that it stands under and a sentence with the remedy."""
    if not model.languages or not set(model.languages) <= set(LANGUAGES):
        yield "languages", f"`languages` must name at least one of {', '.join(LANGUAGES)}"
    for word in (*model.packages, *model.words):
        if not re.search(r"\w", word):
            yield "words", f"{word!r} holds no letter, so it would bring in every file; give a word that only users of the framework write"
    yield from _expressions(model)
    yield from _forms(model)


def _expressions(model: Model) -> Iterator[tuple[str, str]]:
    patterns = [("worker", model.worker), *(("file", form.file) for form in model.handlers)]
    if model.timeout is not None:
        patterns.append(("void_under", model.timeout.void_under))
    for key, pattern in patterns:
        try:
            why = danger(pattern)
        except (re.error, RecursionError, OverflowError) as error:
            yield key, f"`{key}` is no regular expression ({error}); mend it"
        else:
            if why:
                yield key, f"`{key}` may run for ever on some text, for {why}; write it without that"


def _forms(model: Model) -> Iterator[tuple[str, str]]:
    """A form must say what it matches."""
    for job in model.jobs:
        if sum(map(bool, (job.decorator, job.base, job.call, job.listed, job.parameters))) != 1:
            yield "jobs", "each entry of `jobs` needs exactly one of decorator, base, call, listed and parameters"
    for enqueue in model.enqueues:
        if bool(enqueue.call) == bool(enqueue.on_job):
            yield "enqueues", "each entry of `enqueues` needs either call or on_job"
    for spawn in model.spawns:
        if not spawn.call:
            yield "spawns", "each entry of `spawns` needs a call"
