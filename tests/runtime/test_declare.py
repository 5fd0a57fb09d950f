"""What a declaration refuses at import, each in a sentence that says what to write."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from guardrails import runtime
from guardrails.runtime import testing


class Charge(BaseModel):
    order: str


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)


def body(p: Charge) -> None: ...


GOOD: dict[str, Any] = {"timeout": 5, "key": lambda p: p.order}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"timeout": None}, r"Job body has no time limit: say @runtime\.job\(timeout=30"),
        ({"timeout": "30"}, "timeout must be a finite number of seconds above 0, not '30'"),
        ({"key": None}, "Job body has no idempotency key"),
        ({"key": "abc"}, "key is a function of the payload, such as lambda p: p.order_id, not 'abc'"),
        ({"retry": 3}, r"retry is a runtime\.Retry, not 3: say retry=runtime\.Retry\(attempts=3\)"),
        ({"isolation": "none"}, "isolation is 'process' or 'thread'"),
        ({"queue": "a b"}, "A queue's name has letters"),
    ],
)
def test_a_declaration_that_would_fail_later_is_refused(database: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(runtime.DeclarationError, match=words):
        runtime.job(**GOOD | options)(body)


def test_a_bare_declaration_says_what_is_mandatory() -> None:
    bare: Any = runtime.job
    with pytest.raises(runtime.DeclarationError, match=r"say @runtime\.job\(timeout=30, key="):
        bare(body)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: runtime.Retry(transient="OSError"), r"Retry\(transient=\.\.\) takes a type of errors"),  # type: ignore[arg-type]
        (lambda: runtime.Retry(terminal=(OSError, 3)), r"Retry\(terminal=\.\.\) takes a type of errors"),  # type: ignore[arg-type]
        (lambda: runtime.Retry("3"), "whole number from 1 to 1000"),  # type: ignore[arg-type]
        (lambda: runtime.Retry(3, first="1"), "needs first >= 0"),  # type: ignore[arg-type]
        (lambda: runtime.queue("mail", rate="100/m"), r"rate is \(starts, seconds\), such as \(100, 60\.0\) for 100 a minute, not '100/m'"),  # type: ignore[arg-type]
        (lambda: runtime.queue("mail", concurrency="4"), "whole numbers, at least 1, not '4'"),  # type: ignore[arg-type]
        (lambda: runtime.queue("mail", limit=0), "whole numbers, at least 1, not 0"),
        (lambda: runtime.configure(lease="15"), r"configure\(lease=\.\.\) must be a number above 0, not '15'"),
        (lambda: runtime.configure(grace=None), r"configure\(grace=\.\.\) must be a number of seconds, 0 or more, not None"),
    ],
)
def test_numbers_and_types_are_checked_where_they_are_written(database: str, make: Callable[[], object], words: str) -> None:
    with pytest.raises(runtime.DeclarationError, match=words):
        make()


def test_one_type_of_errors_needs_no_tuple(database: str) -> None:
    policy = runtime.Retry(3, transient=OSError, terminal=PermissionError)
    assert [policy.verdict(error()) for error in (OSError, PermissionError, ValueError)] == ["retry", "terminal", "terminal"]


def test_a_job_says_how_it_is_queued_to_who_is_used_to_other_names(database: str) -> None:
    charge: Any = runtime.job(**GOOD)(body)
    with pytest.raises(AttributeError, match=r"Job body has no delay: queue it with body\.enqueue\(payload\)"):
        charge.delay("7")
    with pytest.raises(runtime.DeclarationError, match=r"hand it to a worker with body\.enqueue\(payload\)"):
        charge(Charge(order="7"))
    assert copy.copy(charge).name == "body"


def test_a_database_row_is_no_payload(database: str) -> None:
    charge: Any = runtime.job(**GOOD)(body)
    with pytest.raises(runtime.PayloadRefused, match="The payload is Order, a SQLAlchemy row: queue its id in a Charge"):
        charge.enqueue(Order(id=7))


def test_async_code_queues_without_blocking(database: str) -> None:
    import asyncio

    charge: runtime.Job[Charge, None] = runtime.job(**GOOD)(body)
    handle = asyncio.run(charge.enqueue_async(Charge(order="7")))
    assert (handle.created, runtime.state(handle.id).status) == (True, "queued")
    assert [job.id for job in testing.drain()] == [handle.id]
    assert runtime.state(handle.id).status == "done"
