"""Jobs over HTTP: `guardrails serve serving` only queues and tells, `guardrails worker serving` runs.

curl -H "Authorization: Bearer $GUARDRAILS_API_KEY" -d '{"job": "resize", "payload": {"picture": "7"}}' \
     http://127.0.0.1:8000/api/tasks
"""

from pydantic import BaseModel

from guardrails import runtime


class Picture(BaseModel):
    picture: str


@runtime.job(timeout=60, key=lambda p: p.picture)
def resize(p: Picture) -> str:
    runtime.progress(1, 1, "thumbnail")
    return f"thumbnails/{p.picture}.webp"
