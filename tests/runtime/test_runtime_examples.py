"""Every example in examples/runtime runs, on both databases, and does what it says; all are clean under every rule of our own."""

import asyncio
import importlib
import runpy
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa

from guardrails import runtime
from guardrails.runtime import settings, testing
from guardrails.runtime.home import home
from guardrails.runtime.store.reading import Reading
from guardrails.runtime.store.upkeep import Upkeep
from tests.runtime.workers import events, seen

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLES = ROOT / "examples" / "runtime"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.py"))
KNOWN_ELSEWHERE = ("sandbox_report",)  # tests/runtime/sandbox/test_sandbox_jobs.py runs it


@pytest.fixture
def example(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Imports an example as an application would, and forgets it afterwards."""
    monkeypatch.syspath_prepend(str(EXAMPLES))
    settings.configure(blobs=str(tmp_path / "blobs"))

    def load(name: str) -> ModuleType:
        return importlib.import_module(name)

    yield load
    for name in NAMES:
        sys.modules.pop(name, None)


def results() -> list[tuple[str, str, Any]]:
    return sorted(((job.key, job.status, job.result) for job in testing.drain()), key=str)


def text(job: str) -> str:
    return "\n".join(line[3] for line in Reading(home().database).lines(job))


def test_every_example_is_tested_here() -> None:
    source = Path(__file__).read_text()
    assert [name for name in NAMES if f'"{name}"' not in source] == []


def test_every_example_is_small() -> None:
    sizes = {name: len((EXAMPLES / f"{name}.py").read_text().splitlines()) for name in NAMES if name not in KNOWN_ELSEWHERE}
    assert max(sizes.values()) <= 40, sizes


@pytest.mark.slow
def test_the_examples_are_clean_under_every_rule_of_our_own() -> None:
    command = [sys.executable, "-m", "guardrails", "check", "examples/runtime", "--pedantic", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    assert done.stdout.startswith("No unsafe worker code found."), done.stdout
    assert f"{len(NAMES)} files" in done.stdout


def test_payload_versions_lift_rows_of_older_releases(example: Any) -> None:
    job = example("payload_versions").send_invoice
    handle = job.enqueue(example("payload_versions").Invoice(order_id="7", amount_cents=1250, currency="EUR"))
    table = home().database.tables.job
    with home().database.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == handle.id).values(version=1, payload='{"order_id":"7","euros":30}'))
    assert results() == [("7", "done", "7: 30.00 EUR")]


def test_keys_make_one_job_of_a_repeated_order(example: Any) -> None:
    keys = example("keys")
    assert keys.checkout("7", 100) == keys.checkout("7", 100)
    assert "charged otherwise" in keys.checkout("7", 999)
    assert results() == [("7", "done", 100)]


def test_retry_tries_again_what_may_work(example: Any) -> None:
    retry = example("retry")
    retry.sync_customer.enqueue_many([retry.Sync(customer="ada", outages=2), retry.Sync(customer="nobody")])
    assert results() == [("ada", "done", 3), ("nobody", "dead", None)]


def test_a_dead_letter_is_told_and_comes_back(example: Any, caplog: pytest.LogCaptureFixture) -> None:
    dead = example("dead_letter")
    handle = dead.import_feed.enqueue(dead.Feed(url="https://feeds.example.com/prices"))
    assert [job.status for job in testing.drain()] == ["dead"]
    assert f"please look: guardrails jobs show {handle.id}" in caplog.text
    assert home().jobs.requeue(handle.id) == 2


def test_logs_hold_no_secrets(example: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAIL_TOKEN", "mail-t0ken-value")
    logs = example("logs")
    handle = logs.invite.enqueue(logs.Invitation(guest_id=7, email="ada@example.com"))
    testing.drain()
    assert text(handle.id) == "inviting guest 7\nslow, with a token of 16 characters"


def test_the_status_is_kept_in_the_application_s_own_table(example: Any) -> None:
    status = example("status")
    job = status.request("2026-11")
    query = sa.select(status.reports.c.status).where(status.reports.c.job == job)
    with home().database.read() as connection:
        assert connection.execute(query).scalar() == "queued"
    testing.drain()
    with home().database.read() as connection:
        assert connection.execute(query).scalar() == "done"
    assert events(job) == ["Queued", "Started", "Progress", "Done"]


def test_streams_are_read_from_any_offset(example: Any) -> None:
    streams = example("streams")
    handle = streams.export_orders.enqueue(streams.Export(year=2026))
    testing.drain()
    whole = b"order,cents\n2026-0,0\n2026-1,100\n2026-2,200\n"
    assert (streams.download(handle.id), streams.download(handle.id, 12)) == (whole, whole[12:])


def test_blobs_hold_what_is_too_large_for_a_payload(example: Any) -> None:
    job = example("blobs").upload(b"a,b\n" * 50_000)
    assert [(each.id, each.result) for each in testing.drain()] == [(job, {"bytes": 200_000, "lines": 50_000})]


def test_the_status_store_is_polled(example: Any) -> None:
    store = example("status_store")
    store.warm_cache.enqueue(store.Warmup(shop="paris"))
    assert store.percent("paris") == 0
    testing.drain()
    assert store.percent("paris") == 100


def test_schedules_tick(example: Any) -> None:
    example("schedules")
    testing.advance(datetime(2026, 11, 21, 12, tzinfo=UTC))
    queued = testing.advance(datetime(2026, 11, 22, 1, tzinfo=UTC))
    assert sorted(job.key for job in queued) == ["inbox@2026-11-22T01:00:00Z", "nightly@2026-11-22T01:00:00Z"]
    assert ("nightly@2026-11-22T01:00:00Z", "done", "report of 2026-11-22") in results()


def test_webhooks_take_an_event_once(example: Any) -> None:
    example("webhooks")
    event = {"repository": {"full_name": "ada/engine"}, "after": "c0ffee"}
    replies = testing.replay("/hooks/github", event, event_id="delivery-1", kind="push")
    assert [reply.status for reply in replies] == [202, 202]
    assert results() == [("delivery-1", "done", "built ada/engine at c0ffee")]


def test_work_items_are_made_once_for_people(example: Any) -> None:
    items = example("work_items")
    testing.run_twice(items.refund, items.Refund(order_id="8", cents=50_000))
    (item,) = runtime.tasks.list(status="open", tag="refund")
    items.checked(item.id)
    assert runtime.tasks.get(item.id).status == "done"


def test_deliveries_are_queued_with_the_outcome_and_private_addresses_refused(
    example: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARTNER_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    delivery = example("delivery")
    delivery.ship.enqueue(delivery.Ship(order_id="7"))
    monkeypatch.setattr(runtime.destinations, "deliver", lambda *_args, **_options: runtime.destinations.Delivered(204))
    testing.drain()
    assert {(job.name, job.status) for job in testing.enqueued()} >= {("ship", "done")}
    assert len(testing.enqueued()) == 2, "the outcome's delivery is a job of its own"
    with pytest.raises(runtime.DestinationRefused):
        runtime.destinations.http("https://169.254.169.254/latest/meta-data", secret=runtime.SecretRef("PARTNER_SECRET"))


def test_queues_are_apart(example: Any) -> None:
    queues = example("queues")
    queues.send_confirmation.enqueue(queues.Mail(order_id="1"))
    queues.build_report.enqueue(queues.Month(name="2026-11"))
    assert results() == [("1", "done", "mail"), ("2026-11", "done", "reports")]


def test_steps_are_not_done_again(example: Any) -> None:
    steps = example("steps")
    handle = steps.fulfil.enqueue(steps.Order(order_id="7"))
    assert results() == [("7", "done", "courier for reservation-7")]
    assert text(handle.id).count("reserving stock") == 1


def test_in_transaction_both_are_there_or_neither(example: Any) -> None:
    shop = example("in_transaction")
    with pytest.raises(ValueError, match="not paid"):
        shop.place_order(8, paid=False)
    shop.place_order(7, paid=True)
    assert results() == [("7", "done", "order 7 is confirmed")]


def test_serving_declares_what_is_served(example: Any) -> None:
    serving = example("serving")
    serving.resize.enqueue(serving.resize.shape.parse(b'{"picture": "7"}'))
    assert results() == [("7", "done", "thumbnails/7.webp")]


@pytest.mark.slow
def test_the_example_of_tests_passes() -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tested.py"]
    done = subprocess.run(command, cwd=EXAMPLES, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    assert "3 passed" in done.stdout


@pytest.mark.slow
def test_real_workers_run_examples_as_they_stand(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python EXAMPLE` queues and `guardrails worker EXAMPLE --drain` runs; a job past its limit is stopped with what it started."""
    monkeypatch.chdir(tmp_path)
    for name in ("limits", "steps", "blobs"):
        done = subprocess.run([sys.executable, str(EXAMPLES / f"{name}.py")], capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        job = done.stdout.split()[0]
        worker = [sys.executable, "-m", "guardrails", "worker", str(EXAMPLES / f"{name}.py"), "--drain", "--quiet"]
        ran = subprocess.run(worker, capture_output=True, text=True, timeout=180)
        assert ran.returncode == 0, ran.stderr
        if name == "limits":
            assert events(job) == ["Queued", "Started", "TimedOut", "DeadLettered"]
            assert seen(job).error == "stopped at its time limit of 2 s"
        else:
            assert seen(job).status == "done"


@pytest.mark.parametrize("name", ["keys", "work_items", "status", "queues", "delivery", "tested"])
def test_what_an_example_does_when_it_is_run(example: Any, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its `__main__`, for those that do more there than queue one job."""
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")


def test_what_runs_beside_a_request_may_be_lost_and_a_job_is_not(example: Any) -> None:
    beside = example("beside_a_request")

    async def request() -> str:
        job: str = await beside.place_order("7")
        await asyncio.sleep(0)
        return job

    job = asyncio.run(request())
    assert (runtime.state(job).status, beside.warm) == ("queued", {"7"})
    assert results() == [("7", "done", "order 7 is confirmed")]


def test_a_job_goes_after_its_time_and_its_key_and_dead_letters_stay(example: Any) -> None:
    retention = example("retention")
    assert (retention.again("a.csv"), retention.again("b.txt")) == ("queued", "queued")
    results()
    table = home().database.tables.job
    with home().database.begin() as connection:
        connection.execute(sa.update(table).values(finished=table.c.finished - 8 * 86_400.0))
    assert Upkeep(home().database, home().client).prune(settings.current().retention_days) == 1
    assert (retention.again("a.csv"), retention.again("b.txt")) == ("loaded long ago", "dead")
