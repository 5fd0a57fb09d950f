"""Jobs as the service shows them: as everywhere (`runtime.shown`), with links."""

import json
from typing import Any

from guardrails.runtime.shown import Glass, job
from guardrails.runtime.store.reading import Seen
from guardrails.runtime.store.tables import ACTIVE


def task(seen: Seen, glass: Glass | None = None) -> dict[str, Any]:
    """A job as JSON, with links to what belongs to it."""
    here = f"/api/tasks/{seen.id}"
    links = {"self": here, "events": f"{here}/events", "log": f"{here}/log", "stream": f"{here}/stream"}
    if seen.status in ACTIVE:
        links["cancel"] = f"{here}/cancel"
    elif seen.status in ("dead", "cancelled"):
        links["requeue"] = f"{here}/requeue"
    return {**job(seen, glass), "links": links}


def text(value: Any) -> str:
    """A JSON value to read."""
    return json.dumps(value, indent=2, ensure_ascii=False)
