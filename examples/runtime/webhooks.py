"""Webhooks: `guardrails serve webhooks` verifies the signature, queues the event under its own id and answers 202 at once."""

from typing import Any

from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime import SecretRef


class Push(BaseModel):
    repository: str
    commit: str


@runtime.job(timeout=60, key=lambda p: p.commit)
def build(p: Push) -> str:
    return f"built {p.repository} at {p.commit}"


def pushed(event: dict[str, Any]) -> Push:
    return Push(repository=event["repository"]["full_name"], commit=event["after"])


runtime.webhook(
    "/hooks/github",
    verify=runtime.signature.github(secret=SecretRef("GITHUB_WEBHOOK")),
    job=build,
    kinds=["push"],
    payload=pushed,
)
