"""`runtime.log`, a logger that knows its job: what a body logs goes to the job's record and to the application's handlers, redacted."""

import contextlib
import logging
import threading
from collections.abc import Callable, Iterator, MutableMapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Protocol

from guardrails.runtime.errors import RuntimeFault
from guardrails.runtime.logs.redact import Redactor
from guardrails.runtime.plain import plain

Sink = Callable[[str, str, dict[str, str], float], None]
"""Takes a level's name, a message, its fields, and when it was logged (epoch seconds)."""


class Run(Protocol):
    """What a line is marked with; `context.Running` is one."""

    @property
    def id(self) -> str:
        """The job's id."""

    @property
    def name(self) -> str:
        """The job's name."""

    @property
    def queue(self) -> str:
        """The queue that it came from."""

    @property
    def attempt(self) -> int:
        """Which attempt it is, from 1."""


@dataclass(frozen=True, slots=True, eq=False)
class _Binding:
    run: Run
    sink: Sink
    redactor: Redactor
    local: threading.local = field(default_factory=threading.local)

    def fields(self) -> dict[str, str]:
        return {"job": self.run.id, "name": self.run.name, "attempt": str(self.run.attempt), "queue": self.run.queue}


_process = Redactor()
_binding: ContextVar[_Binding | None] = ContextVar("guardrails_log", default=None)
_everywhere: _Binding | None = None
_ours = logging.getLogger("guardrails.job")


def redactor() -> Redactor:
    """The redactor of the present body, else the process's own."""
    binding = _present()
    return _process if binding is None else binding.redactor


@contextlib.contextmanager
def capture(run: Run, sink: Sink, *, everywhere: bool = False) -> Iterator[Redactor]:
    """While a body runs, send its records to `sink`, redacted and marked with the job; gives the redactor that does it.

    Records count as the body's by context; with `everywhere` (a process with one body at a time) those of its threads do, too.
    What the application's own handlers get is redacted as well.
    """
    global _everywhere
    binding = _Binding(run, sink, Redactor(_process.values))
    token, before = _binding.set(binding), _everywhere
    _everywhere = binding if everywhere else before
    _tap.open()
    try:
        yield binding.redactor
    finally:
        _tap.close()
        _everywhere = before
        _binding.reset(token)


def _present() -> _Binding | None:
    return _binding.get() or _everywhere


class _Keeper(logging.Handler):
    """Sends the present body's records to its sink. It stands on the root logger, and on ours, which may be cut off."""

    def emit(self, record: logging.LogRecord) -> None:
        binding = _present()
        if binding is None or getattr(binding.local, "last", None) is record or getattr(binding.local, "sending", False):
            return
        binding.local.last, binding.local.sending = record, True
        try:
            fields = {plain(str(name)): plain(text) for name, text in _fields(record, binding).items()}
            binding.sink(plain(record.levelname), plain(record.getMessage()), fields, record.created)
        except RuntimeFault:
            pass  # the run is over: nobody keeps its lines
        except Exception:
            self.handleError(record)
        finally:
            binding.local.sending = False


def _fields(record: logging.LogRecord, binding: _Binding) -> dict[str, str]:
    """The record's extras, its logger where that is not ours, its traceback as `exception`, and the job."""
    told = {
        "logger": record.name if record.name != _ours.name else "",
        "exception": record.exc_text or "",
        "stack": record.stack_info or "",
    }
    return binding.redactor.fields(extras(record)) | {name: text for name, text in told.items() if text} | binding.fields()


_ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
MARKS = {"job_id": "job", "job_name": "name", "job_attempt": "attempt", "job_queue": "queue"}
"""A record's attributes within a body, and what lines call them."""


def extras(record: logging.LogRecord) -> dict[str, object]:
    """What the caller gave a record as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _ORDINARY and name not in MARKS}


class _Factory:
    """Makes log records; within a body they carry the job and hold no secret, whichever handler gets them."""

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self.make = make

    def __call__(self, *args: Any, **options: Any) -> logging.LogRecord:
        record = self.make(*args, **options)
        binding = _present()
        if binding is not None:
            fields = binding.fields()
            vars(record).update({attribute: fields[name] for attribute, name in MARKS.items()})
            with contextlib.suppress(Exception):  # arguments that do not fit the message: the handler that formats it tells so
                _clean(record, binding.redactor)
        return record


def _clean(record: logging.LogRecord, redactor: Redactor) -> None:
    """Put redacted text into a record where it differs: what holds no secret stays as it was given."""
    if record.stack_info:
        record.stack_info = redactor.text(record.stack_info)
    if record.exc_info and record.exc_info[1] is not None:
        told = logging.Formatter().formatException(record.exc_info)
        record.exc_text = redactor.text(told)
        record.exc_info = record.exc_info if record.exc_text == told else None
    message = record.getMessage()
    if (shown := redactor.text(message)) != message:
        record.msg, record.args = shown, ()


class _Tap:
    """What stands in the logging module while bodies run, and is taken away after the last."""

    def __init__(self) -> None:
        self._lock, self._bodies, self._keeper = threading.Lock(), 0, _Keeper()
        self._level: int | None = None

    def open(self) -> None:
        with self._lock:
            self._bodies += 1
            self.stand()

    def close(self) -> None:
        with self._lock:
            self._bodies -= 1
            if self._bodies == 0:
                self._leave()

    def stand(self) -> None:
        """Stand where an application's logging configuration has cleared, disabled or replaced what was there. Without one, INFO counts."""
        root = logging.getLogger()
        if not root.handlers and root.level == logging.WARNING:
            self._level = root.level
            root.setLevel(logging.INFO)
        for logger in (_ours, root):
            if self._keeper not in logger.handlers:
                logger.handlers.insert(0, self._keeper)
        _ours.disabled = False
        if _ours.level == logging.NOTSET:
            _ours.setLevel(logging.INFO)
        factory = logging.getLogRecordFactory()
        if not isinstance(factory, _Factory):
            logging.setLogRecordFactory(_Factory(factory))

    def _leave(self) -> None:
        for logger in (_ours, logging.getLogger()):
            logger.removeHandler(self._keeper)
        if self._level is not None:
            logging.getLogger().setLevel(self._level)
            self._level = None
        factory = logging.getLogRecordFactory()
        if isinstance(factory, _Factory):
            logging.setLogRecordFactory(factory.make)


_tap = _Tap()


class JobLog(logging.LoggerAdapter[logging.Logger]):
    """A logger that knows the job whose body calls it; outside a body an ordinary one, whose lines say so."""

    def isEnabledFor(self, level: int) -> bool:
        """Whether lines of this level are kept; a configuration that disables loggers does not silence a body."""
        if _present() is not None:
            _tap.stand()
        return super().isEnabledFor(level)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Mark a line outside a body; within one, take the secrets out of its extras."""
        binding = _present()
        if binding is None:
            return f"{msg} (outside a job)", kwargs
        if kwargs.get("extra"):
            kwargs["extra"] = binding.redactor.fields(kwargs["extra"])
        return msg, kwargs


log = JobLog(_ours, {})
