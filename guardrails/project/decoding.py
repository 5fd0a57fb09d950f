"""What turns the bytes of a broker into objects, and whether those bytes may run code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrails.facts.retrying import Serializer
from guardrails.frameworks.forms.retrying import Decoded
from guardrails.frameworks.model import Model
from guardrails.frameworks.sightings import CallSeen
from guardrails.names.evaluate import evaluate
from guardrails.names.options import Hit, Options
from guardrails.names.values import Home
from guardrails.outline import Expr, Group, walk
from guardrails.place import Place
from guardrails.project.ground import Ground
from guardrails.project.repairs import Repairs

_MESSAGE = re.compile(r"(?i)(?:^|[._\[\]'\"])(?:body|message|msg|payload|delivery)(?:$|[._\[\]'\"])")
_RECEIVED = re.compile(
    r"\.(?:lpop|rpop|blpop|brpop|brpoplpush|lmove|blmove|xread|xreadgroup|basic_get|receive_message|recv|recv_multipart|get_message)\(\)"
)
_CONSUMES = re.compile(r"(?i)consum|subscri|callback|on_message|handle_(?:message|delivery)|process_(?:message|delivery|task)|worker")


class Decoding:
    """Makes a fact of each unsafe choice, and of each unsafe default."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._resolver = ground, ground.resolver
        self._repairs = Repairs(ground.resolver)

    def facts(self) -> Iterator[Serializer]:
        """The facts; of one file's settings the first is enough."""
        told: dict[tuple[str, str], Serializer] = {}
        for fact in (*self._chosen(), *self._on_jobs()):
            told.setdefault((fact.framework, fact.place.path), fact)
        yield from told.values()
        yield from self._called()
        for model in self._ground.catalogue.models:
            yield from self._by_default(model, {framework for framework, _ in told})

    def _chosen(self) -> Iterator[Serializer]:
        for model in self._ground.catalogue.models:
            for form in model.decoded:
                for stand in self._ground.settings.of_application(model, form.spec) if form.spec is not None else ():
                    if self._names_unsafe(stand.answer, form):
                        yield self._fact(model, form, stand.answer, "the application")

    def _on_jobs(self) -> Iterator[Serializer]:
        for job in self._ground.jobs.values():
            for form in job.model.decoded:
                spec = form.spec
                if spec is None or not (spec.arguments or spec.attributes) or job.form.call:
                    continue
                answer = self._ground.settings.answer(job, spec)
                if isinstance(answer, Hit) and self._names_unsafe(answer, form):
                    yield self._fact(job.model, form, answer, f"`{job.name}`")

    def _called(self) -> Iterator[Serializer]:
        for seen in self._ground.calls("decoded"):
            form: Decoded = seen.form
            if not form.takes:
                yield self._fact(seen.model, form, Hit(seen.made.call, seen.made.home), "the broker")
            elif not self._is_safe(seen) and self._is_received(seen):
                scope = self._ground.scope(seen.made.home).title
                yield self._fact(seen.model, form, Hit(seen.made.call, seen.made.home), scope)

    def _by_default(self, model: Model, told: set[str]) -> Iterator[Serializer]:
        """One fact a project for a framework whose default is unsafe, where nobody chose another."""
        form = next((form for form in model.decoded if form.assumed and form.spec is not None), None)
        if form is None or form.spec is None or model.framework in told:
            return
        if self._ground.settings.of_application(model, form.spec):
            return
        jobs = [job for job in self._ground.jobs.values() if job.model is model]
        chosen = any(self._ground.settings.answer(job, form.spec) is not None for job in jobs if form.spec.attributes)
        first = min((job for job in jobs if not job.symbol.startswith("?")), key=lambda job: job.home, default=None)
        if first is not None and not chosen:
            definition = self._resolver.definition(first.home)
            place = Place(first.home.file, definition.name_start, definition.name_end)
            at = self._ground.standing(model, first.home, place)
            yield Serializer(**at, name=form.name, owner="the application", assumed=form.assumed, fix=form.fix)

    def _fact(self, model: Model, form: Decoded, hit: Hit, owner: str) -> Serializer:
        at = self._ground.at(model, hit.home, hit.expr)
        repair = self._repairs.entries(at["place"], form.unsafe, form.use)
        return Serializer(**at, name=form.name, owner=owner, assumed="", fix=form.fix, repair=repair)

    def _names_unsafe(self, hit: Hit, form: Decoded) -> bool:
        """One of the names that the setting lists is unsafe."""
        value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        expr, home = hit.expr, hit.home
        if value is not None and isinstance(value.made, Group) and value.made_in is not None:
            expr, home = value.made, value.made_in
        return any(self._is_unsafe(item, home, form) for item in (expr.items if isinstance(expr, Group) else (expr,)))

    def _is_unsafe(self, item: Expr, home: Home, form: Decoded) -> bool:
        constant = evaluate(self._resolver, Hit(item, home))
        if constant is not None and isinstance(constant.value, str):
            return constant.value in form.unsafe
        value = self._resolver.resolve(home.file, home.function, item)
        return value is not None and value.path.removesuffix("()") in form.unsafe

    def _is_safe(self, seen: CallSeen) -> bool:
        for selector, symbols in seen.form.safe.items():
            answer = Options(self._resolver, [seen.made]).get(selector)
            value = self._resolver.resolve(answer.home.file, answer.home.function, answer.expr) if isinstance(answer, Hit) else None
            if answer == "maybe" or (value is not None and value.path in symbols):
                return True
        return False

    def _is_received(self, seen: CallSeen) -> bool:
        """What is decoded came from a broker: a call that takes from one, or a consumer's message."""
        answer = Options(self._resolver, [seen.made]).get(seen.form.takes)
        if not isinstance(answer, Hit):
            return False
        value = self._resolver.resolve(answer.home.file, answer.home.function, answer.expr)
        if value is not None and _RECEIVED.search(value.path):
            return True
        text = self._ground.text(answer.home, answer.expr)
        function = self._resolver.definition(answer.home)
        params = {param.name for param in function.params}
        given = any(getattr(part, "name", "").split(".")[0] in params for part in walk(answer.expr))
        return given and _MESSAGE.search(text) is not None and _CONSUMES.search(function.qualname) is not None
