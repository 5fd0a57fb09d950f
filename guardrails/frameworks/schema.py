"""The JSON schema of framework models, as published in `guardrails/schemas/framework.schema.json`."""

from __future__ import annotations

from typing import Any

import msgspec

from guardrails import jsontext
from guardrails.frameworks.model import Model


def schema() -> dict[str, Any]:
    """The JSON schema of a model."""
    made = msgspec.json.schema(Model)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "worker-guardrails framework model", **made}


def schema_text() -> str:
    """The published schema, byte for byte."""
    return jsontext.dumps(schema(), order="sorted")
