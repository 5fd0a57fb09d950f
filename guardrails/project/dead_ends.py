"""Options with which work that failed for good leaves nothing to inspect."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

from guardrails.facts.failure import DeadEnd
from guardrails.frameworks.forms.failing import DeadEndForm
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import CallSeen
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Hit, Made, Options
from guardrails.names.values import Home
from guardrails.outline import dotted
from guardrails.place import Place
from guardrails.project.ground import Ground


class DeadEnds:
    """Makes a fact of each call and decorator that does away with failed work."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground

    def facts(self) -> Iterator[DeadEnd]:
        """A fact a place."""
        told: set[tuple[str, int]] = set()
        for seen in self._ground.calls("dead_ends"):
            told.add((seen.made.home.file, seen.made.call.start))
            if self._is_from(seen):
                yield from self._judge(seen.model, seen.form, seen.made, seen.made.place)
        for mark in self._ground.marks("dead_ends"):
            if mark.made is not None:
                yield from self._judge(mark.model, mark.form, Made(mark.made.call, mark.made.home), mark.at)
        yield from self._loose(told)

    def _loose(self, told: set[tuple[str, int]]) -> Iterator[DeadEnd]:
        """Methods whose name is unmistakable, on receivers that come from somewhere: a consumer's callback gets its channel."""
        forms = [(model, form) for model in self._ground.catalogue.models for form in model.dead_ends if form.loose]
        for part in self._ground.parts():
            for model, form in forms:
                for index, site in part.sites_by_name.get(form.call.rpartition(".")[2], ()):
                    made = Made(site.call, Home(part.path, index))
                    if part.language in model.languages and (part.path, site.call.start) not in told:
                        yield from self._judge(model, form, made, made.place)

    def _is_from(self, seen: CallSeen) -> bool:
        """The call that made the receiver has the arguments that the form asks for."""
        form: DeadEndForm = seen.form
        if not form.origin:
            return True
        options = Options(self._ground.resolver, [seen.origin] if seen.origin is not None else [])
        for selector, value in form.origin.items():
            answer = options.get(selector)
            constant = evaluate(self._ground.resolver, answer) if isinstance(answer, Hit) else None
            if constant is None or constant.value != value:
                return False
        return True

    def _judge(self, model: Model, form: DeadEndForm, made: Made, place: Place) -> Iterator[DeadEnd]:
        answer = Options(self._ground.resolver, [made]).first(form.argument)
        constant = evaluate(self._ground.resolver, answer) if isinstance(answer, Hit) else None
        lost = answer is None and form.absent
        lost = lost or (constant is not None and any(constant.value == v and type(constant.value) is type(v) for v in form.value))
        text = self._ground.text(made.home, made.call)
        hidden = answer == "maybe" and (form.absent or bool(form.value))
        if (not lost and not hidden) or (form.except_for and re.search(form.except_for, text)):
            return
        at = self._ground.standing(model, made.home, place)
        kept = self._kept(form)
        yield DeadEnd(**at, call=dotted(made.call.func), what=form.what, fix=form.fix, kept=kept, doubtful=form.doubtful, hidden=hidden)

    def _kept(self, form: DeadEndForm) -> str:
        """Who keeps or tells of failed work all the same."""
        for text in form.unless:
            if self._holds(text):
                return f"`{text}`"
        return self._told if form.tracked else ""

    @cached_property
    def _told(self) -> str:
        """The error tracker or hook for failures of the project."""
        for model in self._ground.catalogue.models:
            for word in (*model.failures.trackers, *model.failures.hooks) if model.failures is not None else ():
                if self._ground.code.words.holding(word):
                    return f"`{word}`"
        return ""

    def _holds(self, text: str) -> bool:
        words = re.findall(r"\w+", text)
        found = self._ground.code.words.holding(words[-1])
        return bool(found) and (len(words) == 1 or any(text.encode() in self._ground.code.text(path) for path in found))
