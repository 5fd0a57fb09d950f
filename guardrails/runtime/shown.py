"""Jobs as they are shown to people and programs: payloads without what is Sensitive, texts without secrets."""

from typing import Any

from guardrails.runtime import logs
from guardrails.runtime.declare import registry
from guardrails.runtime.logs.redact import Redactor
from guardrails.runtime.payload import masking
from guardrails.runtime.store.reading import Seen, Told
from guardrails.runtime.store.streams import About

PLAIN = ("name", "queue", "status", "version", "runs", "attempts", "start", "generation", "worker", "cancel")
TIMES = ("created", "due", "started", "finished")
STREAM = ("name", "content_type", "metadata", "run", "length", "closed", "created", "expires", "url")


class Glass:
    """What one job may be seen through: it knows the values that its payload declares Sensitive, and what looks like a secret."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        job = registry.jobs.get(seen.name)
        self._shape = job.shape if job is not None else None
        hidden = self._shape.sensitive(seen.payload, seen.version) if self._shape is not None else ()
        names = self._shape.sensitive_names if self._shape is not None else frozenset[str]()
        self._redactor = Redactor((*hidden, *logs.redactor().values), names) if hidden or names else logs.redactor()

    def text(self, text: str) -> str:
        """A text without secrets."""
        return self._redactor.text(text)

    def value(self, value: Any) -> Any:
        """A JSON value whose texts hold no secrets."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {name: self.value(item) for name, item in value.items()}
            case list():
                return [self.value(item) for item in value]
        return value

    def fields(self, fields: dict[str, str]) -> dict[str, str]:
        """A log line's fields."""
        return self._redactor.fields(fields)

    def payload(self) -> dict[str, Any]:
        """The payload; of a job that this application does not declare, its keys alone."""
        if self._shape is None:
            return masking.keys_only(self._seen.payload)
        return self._shape.redacted(self._seen.payload, self._seen.version)


def job(seen: Seen, glass: Glass | None = None) -> dict[str, Any]:
    """A job as JSON; times are epoch seconds."""
    glass = glass or Glass(seen)
    return {
        "id": seen.id,
        "key": glass.text(seen.key),
        **{name: getattr(seen, name) for name in PLAIN},
        "payload": glass.payload(),
        "error": None if seen.error is None else glass.text(seen.error),
        "result": glass.value(seen.result),
        "progress": glass.value(seen.progress),
        **{name: getattr(seen, name) for name in TIMES},
    }


def event(glass: Glass, told: Told) -> dict[str, Any]:
    """An event as JSON."""
    return {"seq": told.seq, "type": told.type, "run": told.run, "at": told.at, "data": glass.value(told.data)}


def line(glass: Glass, found: tuple[int, int, str, str, dict[str, str], float]) -> dict[str, Any]:
    """A line of a job's log as JSON."""
    number, run, level, message, fields, at = found
    return {"id": number, "run": run, "level": level, "message": glass.text(message), "fields": glass.fields(fields), "at": at}


def stream(about: About) -> dict[str, Any]:
    """A stream as JSON."""
    return {name: getattr(about, name) for name in STREAM}
