"""What an enqueue hands over that no queue should hold: secrets, and the contents of files."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from guardrails.facts import Logged
from guardrails.facts.payload import Bulk, Handover, Secret
from guardrails.frameworks.sightings import EnqueueSeen
from guardrails.names.options import Hit
from guardrails.outline import Attr, Call, Index, Ref, dotted
from guardrails.place import Place
from guardrails.project import unpacking
from guardrails.project.bygone import Bygone
from guardrails.project.contents import Contents
from guardrails.project.ground import Ground
from guardrails.project.headers import WHOLE
from guardrails.project.secrecy import tells_apart
from guardrails.project.secrets import words_of

_INJECTED = ("self", "cls", "ctx", "context")  # a job's first parameter that no enqueue gives


class Carrying:
    """Makes a fact of each enqueue that carries a secret or contents."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._contents, self._bygone = Contents(ground.resolver, ground.catalogue), Bygone(ground.resolver)
        self._workers = {job.home for job in ground.jobs.values()}

    def facts(self) -> Iterator[Handover]:
        """A fact an enqueue."""
        for seen in self._ground.sightings(EnqueueSeen):
            given = list(self._given(seen))
            secrets = tuple(secret for hit, name, taken in given for secret in self._secrets(hit, name, taken))
            bulk = tuple(bulk for hit, _, _ in given if (bulk := self._bulk(hit)) is not None)
            if secrets or bulk:
                at = self._ground.at(seen.model, seen.made.home, seen.made.call)
                call = dotted(seen.made.call.func).rpartition(".")[2]
                yield Handover(**at, call=call, target=seen.target, job=seen.job, secrets=secrets, bulk=bulk)

    def _given(self, seen: EnqueueSeen) -> Iterator[tuple[Hit, str, str]]:
        """Each argument with its key and the job's parameter that takes it."""
        params = self._params(seen) if not seen.form.unpacks else ()
        position = 0
        for name, hit in unpacking.payload(self._ground.resolver, seen):
            named = name in params or not (name.isdigit() or name in (*seen.form.payload, "*", "**"))
            taken = name if named else params[position] if position < len(params) else ""
            position += not named
            yield hit, name if named else "", taken

    def _params(self, seen: EnqueueSeen) -> tuple[str, ...]:
        """The names of the parameters that the job's function takes from an enqueue."""
        job = self._ground.jobs.get(seen.job)
        if job is None:
            return ()
        params = [param.name for param in self._ground.resolver.definition(job.home).params if not param.kind]
        return tuple(params[1:] if params[:1] and params[0] in _INJECTED else params)

    def _secrets(self, hit: Hit, name: str, taken: str) -> Iterator[Secret]:
        if tells_apart(name) or tells_apart(taken):
            return
        found = [Secret(one) for one in self._ground.values.inside(hit, name) if self._matters(one)]
        if not found and (noun := self._ground.values.noun(taken)):
            found.extend(self._taken(hit, noun, taken))
        for one in found[:1]:
            yield msgspec.structs.replace(one, only_carried=self._bygone.is_only_carrier(hit, self._workers))

    @staticmethod
    def _matters(one: Logged) -> bool:
        """A body that is handed on whole is what many jobs are for; headers of a request and single secrets are not."""
        if not one.whole:
            return True
        if one.secret == WHOLE:
            words = words_of(one.text)
            return "request" in words or "environ" in words or any("goes into" in related.message for related in one.evidence)
        return not one.secret.startswith("the whole request")

    def _taken(self, hit: Hit, noun: str, taken: str) -> Iterator[Secret]:
        """A value whose own name does not tell, under a key or a parameter that does."""
        expr = hit.expr
        last = dotted(expr).replace("()", "").rpartition(".")[2]
        plain = isinstance(expr, Ref | Attr | Index) and bool(last) and not tells_apart(last)
        if plain and not self._ground.values.is_harmless(hit, taken) and not isinstance(expr, Call):
            text = " ".join(self._ground.text(hit.home, expr).split())[:80]
            yield Secret(Logged(text, Place(hit.home.file, expr.start, expr.end), noun), taken)

    def _bulk(self, hit: Hit) -> Bulk | None:
        return self._contents.of(hit)
