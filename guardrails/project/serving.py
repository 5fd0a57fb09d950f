"""Web applications of a project that does background work, and whether they tell their state."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts.trust import Service
from guardrails.frameworks.sightings import EnqueueSeen
from guardrails.names.code import Part
from guardrails.names.values import Home
from guardrails.outline import dotted
from guardrails.project.ground import Ground
from guardrails.project.units import is_development

_TELLING = (
    "health",
    "readiness",
    "readyz",
    "livez",
    "liveness",
    "heartbeat",
    "is_alive",
    "is_ready",
    "ready_check",
    "lambda_handler",
    "mangum",
)


class Serving:
    """Makes a fact of each web application."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        models = [model for model in ground.catalogue.models if model.access is not None and model.access.services]
        self._services = {path: model for model in models if model.access for path in model.access.services}
        self._words = frozenset(path.rpartition(".")[2] for path in self._services)

    def facts(self) -> Iterator[Service]:
        """A fact an application; none where the project does no background work."""
        if not self._ground.jobs and not any(self._ground.sightings(EnqueueSeen)):
            return
        told = sorted(word.decode("utf-8", "replace") for word in self._ground.code.words.containing(_TELLING, ignore_case=True))
        for part in self._ground.parts():
            if part.language == "python" and not is_development(part.path):
                yield from self._in_part(part, told[0] if told else "")

    def _in_part(self, part: Part, health: str) -> Iterator[Service]:
        for word in self._words & part.sites_by_name.keys():
            for index, site in part.sites_by_name[word]:
                value = self._ground.resolver.resolve(part.path, index, site.call.func)
                model = self._services.get(value.path) if value is not None else None
                if model is not None:
                    at = self._ground.at(model, Home(part.path, index), site.call)
                    yield Service(**at, call=dotted(site.call.func), health=health)
