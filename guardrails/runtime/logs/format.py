"""How a worker's own log looks: one line a record for people, or one JSON object a line for machines."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal, TextIO

from guardrails.runtime.logs import MARKS, extras, redactor

Format = Literal["text", "json"]


class LineFormatter(logging.Formatter):
    r"""One line a record: time (UTC), level, logger, job, message, extras, traceback; line ends within it are written as `\n`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        told = _told(record)
        job = f" [{told.pop('name')} {told.pop('job')} attempt {told.pop('attempt')} on {told.pop('queue')}]" if "job" in told else ""
        head = f"{told.pop('at')} {told.pop('level')} {told.pop('logger')}{job} {told.pop('message')}"
        rest = "".join(f" {name}={value}" for name, value in told.items())
        return "\\n".join(f"{head}{rest}".splitlines())


class JsonFormatter(logging.Formatter):
    """One JSON object a line: at (UTC), level, logger, message; job, name, attempt and queue within a body; extras; exception and stack."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        return json.dumps(_told(record))


def _told(record: logging.LogRecord) -> dict[str, str]:
    """What both write, redacted; the record stays as it is for other handlers."""
    redact = redactor()
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    head = {"at": at, "level": record.levelname, "logger": record.name, "message": redact.text(record.getMessage())}
    job = {name: str(vars(record)[attribute]) for attribute, name in MARKS.items() if attribute in vars(record)}
    trace = logging.Formatter().formatException(record.exc_info) if record.exc_info else record.exc_text
    ends = {"exception": redact.text(trace or ""), "stack": redact.text(record.stack_info or "")}
    return redact.fields(extras(record)) | head | job | {name: text for name, text in ends.items() if text}


def configure(style: Format = "text", level: int | str = logging.INFO, stream: TextIO | None = None) -> logging.Handler:
    """Send the process's log to a stream (default: standard error) in place of what it had; gives the handler."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setLevel(level)  # loggers below the root may have a level of their own
    handler.setFormatter(JsonFormatter() if style == "json" else LineFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    return handler
