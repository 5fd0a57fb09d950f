from __future__ import annotations

import asyncio
import io
import json
import logging
import logging.config
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from guardrails.runtime import context, logs
from guardrails.runtime.errors import RuntimeFault
from guardrails.runtime.logs import capture, log
from guardrails.runtime.logs import format as logformat
from guardrails.runtime.logs.redact import Redactor

JOB = {"job": "id-1", "name": "charge", "attempt": "2", "queue": "mail"}
RUNNING = context.Running("id-1", "charge", "order-7", "mail", 2, 9)
OTHER = context.Running("id-2", "refund", "order-8", "default", 1, 3)


@dataclass
class Line:
    level: str
    message: str
    fields: dict[str, str]
    at: float


class Sink:
    def __init__(self) -> None:
        self.lines: list[Line] = []

    def __call__(self, level: str, message: str, fields: dict[str, str], at: float) -> None:
        self.lines.append(Line(level, message, fields, at))

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(line.level, line.message) for line in self.lines]


@pytest.fixture
def sink() -> Sink:
    return Sink()


@pytest.fixture(autouse=True)
def root(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    """The root logger as a fresh process has it, put back afterwards; so is the process's redactor."""
    monkeypatch.setattr(logs, "_process", Redactor())
    logger = logging.getLogger()
    handlers, level, factory = logger.handlers[:], logger.level, logging.getLogRecordFactory()
    disabled = {found: found.disabled for found in logger.manager.loggerDict.values() if isinstance(found, logging.Logger)}
    logger.handlers[:] = []
    logger.setLevel(logging.WARNING)
    yield logger
    for found in logger.manager.loggerDict.values():
        if isinstance(found, logging.Logger):
            found.disabled = disabled.get(found, False)
    logging.getLogger("guardrails").propagate = True
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logging.setLogRecordFactory(factory)


@contextmanager
def bare(root: logging.Logger) -> Iterator[logging.Logger]:
    """Without the handlers that pytest adds for the test itself."""
    handlers = root.handlers[:]
    root.handlers[:] = []
    try:
        yield root
    finally:
        root.handlers[:] = handlers


@pytest.fixture
def app(root: logging.Logger) -> io.StringIO:
    """What an application that configured logging would have in its log."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    return stream


def test_a_line_carries_its_job_and_what_was_given_with_it(sink: Sink) -> None:
    before = time.time()
    with capture(RUNNING, sink):
        log.info("charged %s", "order 7", extra={"cents": 1250})
    assert sink.told == [("INFO", "charged order 7")]
    assert sink.lines[0].fields == {**JOB, "cents": "1250"}
    assert before <= sink.lines[0].at <= time.time()


def test_levels_below_info_are_kept_only_where_the_application_asks_for_them(sink: Sink) -> None:
    with capture(RUNNING, sink):
        log.debug("no")
        log.warning("yes")
        log.log(35, "yes")
    assert sink.told == [("WARNING", "yes"), ("Level 35", "yes")]


def test_records_of_every_other_logger_are_captured_too(sink: Sink, root: logging.Logger) -> None:
    with bare(root), capture(RUNNING, sink):
        logging.getLogger("shop.pay").info("paying")
        logging.warning("root says")
    assert sink.told == [("INFO", "paying"), ("WARNING", "root says")]
    assert [line.fields["logger"] for line in sink.lines] == ["shop.pay", "root"]
    assert all(line.fields.items() >= JOB.items() for line in sink.lines)


def test_the_applications_own_handlers_get_them_as_well_and_once(sink: Sink, app: io.StringIO) -> None:
    with capture(RUNNING, sink):
        log.info("one")
        logging.getLogger("shop").info("two")
    assert app.getvalue() == "INFO guardrails.job one\nINFO shop two\n"
    assert sink.told == [("INFO", "one"), ("INFO", "two")]


def test_what_the_body_resolved_and_what_looks_secret_is_redacted_for_everybody(sink: Sink, app: io.StringIO) -> None:
    with capture(RUNNING, sink) as redactor:
        redactor.learn("hunter2-value", names=["pin"])
        log.info("key %s and password=%s", "hunter2-value", "other", extra={"token": "abc", "pin": 12, "note": "hunter2-value"})
        logging.getLogger("shop").error("got hunter2-value")
    assert app.getvalue() == "INFO guardrails.job key [redacted] and password=[redacted]\nERROR shop got [redacted]\n"
    assert sink.told == [("INFO", "key [redacted] and password=[redacted]"), ("ERROR", "got [redacted]")]
    assert sink.lines[0].fields == {**JOB, "token": "[redacted]", "pin": "[redacted]", "note": "[redacted]"}


def test_extras_are_redacted_for_the_applications_handlers(sink: Sink, root: logging.Logger) -> None:
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    root.addHandler(handler)
    with capture(RUNNING, sink):
        log.info("x", extra={"url": "https://u:hunter2@h"})
    assert vars(records[0])["url"] == "https://u:[redacted]@h"
    assert (vars(records[0])["job_id"], vars(records[0])["job_name"]) == ("id-1", "charge")


def test_an_exception_comes_with_its_redacted_traceback(sink: Sink, app: io.StringIO) -> None:
    def pay() -> None:
        raise ValueError("refused hunter2-value")

    with capture(RUNNING, sink) as redactor:
        redactor.learn("hunter2-value")
        try:
            pay()
        except ValueError:
            log.exception("failed")
    told = sink.lines[0].fields["exception"]
    for text in (told, app.getvalue()):
        assert "in pay" in text
        assert "ValueError: refused [redacted]" in text
        assert "hunter2" not in text
    assert sink.told == [("ERROR", "failed")]


def test_a_record_without_secrets_stays_as_it_was_given(sink: Sink, root: logging.Logger) -> None:
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    root.addHandler(handler)
    with capture(RUNNING, sink):
        try:
            raise ValueError("plain")
        except ValueError:
            log.exception("order %s", 7)
    assert (records[0].msg, records[0].args) == ("order %s", (7,))
    assert records[0].exc_info is not None
    assert records[0].funcName == "test_a_record_without_secrets_stays_as_it_was_given"
    assert "ValueError: plain" in sink.lines[0].fields["exception"]


def test_a_stack_is_told(sink: Sink) -> None:
    with capture(RUNNING, sink):
        log.info("here", stack_info=True)
    assert "test_a_stack_is_told" in sink.lines[0].fields["stack"]


def test_outside_a_body_it_is_an_ordinary_logger_that_says_so(app: io.StringIO) -> None:
    log.info("charged %d %%", 7)
    assert app.getvalue() == "INFO guardrails.job charged 7 % (outside a job)\n"


def test_after_the_body_nothing_is_captured_and_nothing_of_it_stays(sink: Sink, root: logging.Logger) -> None:
    factory, level = logging.getLogRecordFactory(), root.level
    with bare(root):
        with capture(RUNNING, sink):
            assert root.handlers
            assert root.level == logging.INFO
        log.warning("later")
        logging.getLogger("shop").warning("later")
        assert root.handlers == []
    assert sink.lines == []
    assert root.level == level
    assert logging.getLogRecordFactory() is factory


def test_a_body_that_fails_leaves_nothing_either(sink: Sink, root: logging.Logger) -> None:
    with bare(root):
        with pytest.raises(ZeroDivisionError), capture(RUNNING, sink):
            log.info(1 / 0)
        assert root.handlers == []


def test_bodies_in_several_threads_are_kept_apart() -> None:
    sinks = [Sink() for _ in range(4)]
    barrier = threading.Barrier(len(sinks))

    def body(number: int) -> None:
        with capture(context.Running(f"id-{number}", "n", "k", "q", 1, 1), sinks[number]) as redactor:
            redactor.learn(f"secret-of-{number}")
            barrier.wait(10)
            for _ in range(20):
                log.info("body %d secret-of-0 secret-of-%d", number, number)
            barrier.wait(10)

    threads = [threading.Thread(target=body, args=(number,)) for number in range(len(sinks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    for number, sink in enumerate(sinks):
        first = "[redacted]" if number == 0 else "secret-of-0"
        assert sink.told == [("INFO", f"body {number} {first} [redacted]")] * 20
        assert {line.fields["job"] for line in sink.lines} == {f"id-{number}"}
    assert not any(isinstance(handler, logs._Keeper) for handler in logging.getLogger().handlers)


def test_tasks_of_an_async_body_belong_to_it_and_so_do_its_worker_threads(sink: Sink) -> None:
    async def body() -> None:
        await asyncio.gather(asyncio.create_task(step("task")), asyncio.to_thread(log.info, "thread"))

    async def step(name: str) -> None:
        log.info(name)

    with capture(RUNNING, sink):
        asyncio.run(body())
    assert sorted(sink.told) == [("INFO", "task"), ("INFO", "thread")]


@pytest.mark.parametrize("everywhere", [True, False])
def test_plain_threads_belong_to_the_body_of_a_process_that_has_one_at_a_time(sink: Sink, everywhere: bool) -> None:
    with capture(RUNNING, sink, everywhere=everywhere):
        thread = threading.Thread(target=log.warning, args=("from a thread",))
        thread.start()
        thread.join()
    assert sink.told == ([("WARNING", "from a thread")] if everywhere else [])


def test_a_body_within_a_body_has_its_own_lines(sink: Sink) -> None:
    inner = Sink()
    with capture(RUNNING, sink, everywhere=True):
        with capture(OTHER, inner):
            log.info("inner")
        log.info("outer")
    assert (inner.told, sink.told) == ([("INFO", "inner")], [("INFO", "outer")])
    assert inner.lines[0].fields["job"] == "id-2"


CONFIGURATION = {
    "version": 1,
    "handlers": {"out": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["out"], "level": "ERROR"},
    "loggers": {"guardrails": {"propagate": False}},
}


@pytest.mark.parametrize("when", ["before", "within"])
def test_a_logging_configuration_that_disables_and_cuts_off_loggers_does_not_silence_the_job(
    sink: Sink, when: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if when == "before":
        logging.config.dictConfig(CONFIGURATION)
    with capture(RUNNING, sink):
        if when == "within":
            logging.config.dictConfig(CONFIGURATION)
        log.info("still here")
        logging.error("and the root")
    assert sink.told == [("INFO", "still here"), ("ERROR", "and the root")]
    assert capsys.readouterr().out == "and the root\n"


def test_a_record_factory_of_the_application_is_kept(sink: Sink) -> None:
    plain = logging.getLogRecordFactory()

    def marked(*args: object, **options: object) -> logging.LogRecord:
        record = plain(*args, **options)
        record.release = "v7"
        return record

    logging.setLogRecordFactory(marked)
    with capture(RUNNING, sink):
        log.info("x")
    assert sink.lines[0].fields["release"] == "v7"
    assert logging.getLogRecordFactory() is marked


def test_a_sink_that_fails_does_not_fail_the_body(app: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()
    monkeypatch.setattr(sys, "stderr", told)

    def broken(level: str, message: str, fields: dict[str, str], at: float) -> None:
        raise OSError("gone")

    with capture(RUNNING, broken):
        log.info("goes on")
    assert app.getvalue() == "INFO guardrails.job goes on\n"
    assert "OSError: gone" in told.getvalue()


def test_a_run_that_is_over_loses_its_lines_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()
    monkeypatch.setattr(sys, "stderr", told)

    def over(level: str, message: str, fields: dict[str, str], at: float) -> None:
        raise RuntimeFault("This run is over.")

    with capture(RUNNING, over):
        log.info("x")
    assert told.getvalue() == ""


def test_a_sink_that_logs_does_not_go_round_in_circles() -> None:
    seen: list[str] = []

    def chatty(level: str, message: str, fields: dict[str, str], at: float) -> None:
        seen.append(message)
        log.info("kept %s", message)

    with capture(RUNNING, chatty):
        log.info("one")
        log.info("two")
    assert seen == ["one", "two"]


def test_arguments_that_do_not_fit_are_told_by_logging_and_not_raised(
    sink: Sink, root: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = io.StringIO()
    monkeypatch.setattr(sys, "stderr", told)
    with bare(root), capture(RUNNING, sink):
        log.info("%d", "seven")
        log.info("next")
    assert sink.told == [("INFO", "next")]
    assert "--- Logging error ---" in told.getvalue()


def test_what_the_process_itself_has_revealed_is_redacted_in_bodies_too(sink: Sink) -> None:
    logs.redactor().learn("a-webhook-secret")
    with capture(RUNNING, sink):
        log.info("a-webhook-secret")
    assert sink.told == [("INFO", "[redacted]")]


# the worker's own log


def _formatted(style: logformat.Format, root: logging.Logger) -> io.StringIO:
    stream = io.StringIO()
    logformat.configure(style, stream=stream)
    return stream


def test_the_text_form_is_one_line_a_record(root: logging.Logger, sink: Sink) -> None:
    stream = _formatted("text", root)
    logging.getLogger("guardrails.worker").info("started\nwith %s", "password=hunter2", extra={"queues": "mail"})
    with capture(RUNNING, sink):
        try:
            raise ValueError("bad\nluck")
        except ValueError:
            log.exception("failed")
    first, second, rest = stream.getvalue().split("\n")
    assert rest == ""
    assert first[23:] == "Z INFO guardrails.worker started\\nwith password=[redacted] queues=mail"
    assert first[10] == "T"
    assert second[23:].startswith(
        "Z ERROR guardrails.job [charge id-1 attempt 2 on mail] failed exception=Traceback (most recent call last):\\n  File"
    )
    assert second.endswith("ValueError: bad\\nluck")


def test_the_json_form_is_one_object_a_line(root: logging.Logger, sink: Sink) -> None:
    stream = _formatted("json", root)
    logging.getLogger("guardrails.worker").info("started\n\u2028 é", extra={"token": "abc"})
    with capture(RUNNING, sink):
        try:
            raise ValueError("Bearer abc123abc123")
        except ValueError:
            log.exception("failed", stack_info=True)
    first, second = (json.loads(line) for line in stream.getvalue().splitlines())
    assert first.pop("at").endswith("Z")
    assert first == {"level": "INFO", "logger": "guardrails.worker", "message": "started\n\u2028 é", "token": "[redacted]"}
    assert second.items() >= {**JOB, "level": "ERROR", "message": "failed"}.items()
    assert second["exception"].endswith("ValueError: Bearer [redacted]")
    assert "test_the_json_form" in second["stack"]


def test_a_formatter_leaves_the_record_as_it_is_for_the_next_handler() -> None:
    record = logging.makeLogRecord({"msg": "password=%s", "args": ("hunter2",), "levelname": "INFO", "name": "shop"})
    assert "hunter2" not in logformat.LineFormatter().format(record)
    assert record.getMessage() == "password=hunter2"


def test_configuring_replaces_what_was_there_and_takes_a_level(root: logging.Logger, app: io.StringIO) -> None:
    stream = io.StringIO()
    handler = logformat.configure("text", "WARNING", stream)
    logging.getLogger("shop").info("no")
    logging.getLogger("shop").warning("yes")
    assert root.handlers == [handler]
    assert stream.getvalue().endswith(" WARNING shop yes\n")
    assert app.getvalue() == ""
