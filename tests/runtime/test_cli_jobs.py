"""`guardrails jobs`, on both databases, over jobs that `runtime.testing` has run."""

import json
import shlex
import threading
from pathlib import Path
from typing import Annotated, Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from pydantic import BaseModel

from guardrails import runtime
from guardrails.cli.jobs import command as listing
from guardrails.cli.program import program
from guardrails.runtime import testing
from guardrails.runtime.declare import registry
from guardrails.runtime.home import home
from guardrails.runtime.store.reading import Reading


class Charge(BaseModel):
    order: str
    card: Annotated[str, runtime.Sensitive] = "4242-9999-card"


@runtime.step
def reserve(order: str) -> str:
    return order


@pytest.fixture
def charge(database: str) -> Any:
    @runtime.job(timeout=5, key=lambda p: p.order, retry=runtime.Retry(2))
    def charge(p: Charge) -> dict[str, str]:
        runtime.log.info("charging %s\x1b[31m", p.order)
        reserve(p.order)
        runtime.progress(1, 3, "one third")
        with runtime.stream("report", content_type="text/csv") as out:
            out.write("a,b\n")
        if p.order.startswith("bad"):
            raise RuntimeError(f"no money on {p.card}")
        return {"ok": p.order}

    yield charge
    testing.working.forget()  # type: ignore[attr-defined]


def jobs(*args: object, status: int = 0, **options: Any) -> Result:
    done = CliRunner().invoke(program, ["jobs", *map(str, args)], **options)
    assert done.exit_code == status, done.output
    assert "4242-9999-card" not in done.output
    assert "\x1b" not in done.stdout
    return done


def data(*args: object) -> Any:
    return json.loads(jobs(*args, "--format", "json").stdout)


def test_jobs_that_wait_without_a_worker_are_told_with_the_command_that_starts_one(charge: Any) -> None:
    charge.enqueue(Charge(order="1"))
    told = jobs("list").stdout
    assert told.splitlines()[-1] == "No worker is running and 1 job waits: start one with `guardrails worker APP`."
    with home().database.begin() as connection:
        lease, now = home().database.tables.lease, home().database.now
        row = {"worker": "w", "host": "h", "pid": 1, "queues": '["default"]', "started": now, "renewed": now, "expires": now + 60}
        connection.execute(sa.insert(lease).values(**row))
    assert "No worker" not in jobs("list").stdout
    assert "worker w (default), started" in jobs("stats").stdout
    assert (data("list")["waiting"], data("list")["workers"]) == (1, 1)


def test_the_list_is_newest_first_filtered_and_limited(charge: Any) -> None:
    for order in ("1", "bad", "3"):
        charge.enqueue(Charge(order=order))
        testing.drain()
    charge.enqueue(Charge(order="4"), delay=600)
    found = data("list")["jobs"]
    assert [(job["key"], job["status"]) for job in found] == [("4", "queued"), ("3", "done"), ("bad", "dead"), ("1", "done")]
    assert [job["key"] for job in data("list", "--status", "done,dead", "--limit", 2)["jobs"]] == ["3", "bad"]
    assert data("list", "--queue", "other")["jobs"] == data("list", "--name", "other")["jobs"] == []
    told = jobs("list", "--limit", 2).stdout
    assert "in 10 min" in told
    assert "There are more than 2" in told
    assert "'lost' is none of queued" in jobs("list", "--status", "lost", status=2).stderr


def test_show_tells_everything_of_one_job_by_the_beginning_of_its_id(charge: Any) -> None:
    handle = charge.enqueue(Charge(order="bad"))
    testing.drain()
    job = data("show", handle.id[:14])
    assert (job["id"], job["status"], job["runs"], job["payload"]) == (handle.id, "dead", 2, {"order": "bad", "card": "[redacted]"})
    assert [attempt["how"] for attempt in job["attempts_made"]] == ["failed", "failed"]
    assert job["attempts_made"][0]["error"] == "RuntimeError: no money on [redacted]"
    assert [(stream["name"], stream["length"], stream["closed"]) for stream in job["streams"]] == [("report", 4, True)]
    told = jobs("show", handle.id).stdout
    for part in ("dead (2 of 2 attempts failed)", "1 of 3 one third", "Stream report text/csv, 4 bytes, complete", "raise RuntimeError"):
        assert part in told
    assert told.splitlines()[-1] == f"Queue it again: guardrails jobs requeue {handle.id}"


def test_show_tells_when_a_job_runs_next(charge: Any) -> None:
    handle = charge.enqueue(Charge(order="1"), delay=7200)
    assert "next run" in jobs("show", handle.id).stdout
    assert "(in 2 h)" in jobs("show", handle.id).stdout


def test_without_the_application_only_the_payload_s_keys_are_shown(charge: Any) -> None:
    handle = charge.enqueue(Charge(order="1"))
    registry.jobs.clear()
    assert data("show", handle.id)["payload"] == {"order": "[redacted]", "card": "[redacted]"}


def test_an_id_that_is_not_there_or_begins_several_is_a_sentence(charge: Any) -> None:
    charge.enqueue_many([Charge(order="1"), Charge(order="2")])
    assert "No job begins with 'zz'" in jobs("show", "zz", status=2).stderr
    assert "Several jobs begin with '0'" in jobs("log", "0", status=2).stderr


def test_log_and_events_are_shown_line_by_line_and_nothing_acts_on_the_terminal(charge: Any) -> None:
    handle = charge.enqueue(Charge(order="bad"))
    testing.drain()
    told = jobs("log", handle.id).stdout.splitlines()
    assert len(told) == 2
    assert told[0].endswith("1 INFO    charging bad\\x1b[31m")
    lines = [json.loads(line) for line in jobs("log", handle.id, "--format", "json").stdout.splitlines()]
    assert [(line["run"], line["level"], line["message"]) for line in lines] == [
        (1, "INFO", "charging bad\x1b[31m"),
        (2, "INFO", "charging bad\x1b[31m"),
    ]
    events = [json.loads(line) for line in jobs("events", handle.id, "--format", "json").stdout.splitlines()]
    assert [event["type"] for event in events][:5] == ["Queued", "Started", "Progress", "AttemptFailed", "RetryScheduled"]
    assert "DeadLettered" in jobs("events", handle.id).stdout.splitlines()[-1]


@pytest.mark.parametrize(("what", "last"), [("log", "charging 1"), ("events", "Done")])
def test_following_ends_with_the_job(charge: Any, what: str, last: str, database: str) -> None:
    handle = charge.enqueue(Charge(order="1"))
    told: list[str] = []
    following = threading.Thread(target=lambda: told.append(jobs(what, handle.id, "--follow").stdout))
    following.start()
    following.join(0.5)
    assert following.is_alive(), "it waits for the job's end"
    testing.drain()
    following.join(30)
    assert last in told[0].splitlines()[-1]


def test_dead_letters_come_with_what_brings_them_back(charge: Any) -> None:
    assert jobs("dead").stdout == "There is no dead letter.\n"
    first, second = charge.enqueue_many([Charge(order="bad1"), Charge(order="bad2")])
    testing.drain()
    told = jobs("dead").stdout
    assert "RuntimeError: no money on [redacted]" in told
    commands = [line.split()[-1] for line in told.splitlines() if line.startswith("  guardrails jobs requeue")]
    assert sorted(Reading(home().database).job(short).id for short in commands) == sorted([first.id, second.id])
    assert "guardrails jobs requeue --all --name charge" in told
    assert len(data("dead")["jobs"]) == 2


def test_requeue_gives_a_new_generation_and_refuses_what_is_not_dead(charge: Any) -> None:
    first, second = charge.enqueue_many([Charge(order="bad1"), Charge(order="2")])
    testing.drain()
    assert jobs("requeue", first.id[:16]).stdout == f"{first.id} queued again (generation 2)\n"
    assert Reading(home().database).job(first.id).status == "queued"
    done = jobs("requeue", second.id, first.id, status=2)
    assert f"Job {second.id} is done; only a dead or cancelled job can be requeued." in done.stderr
    testing.drain()
    assert jobs("requeue", "--all", "--name", "charge", "--from-start").stdout == f"{first.id} queued again (generation 3)\n"
    assert Reading(home().database).events(first.id)[-1].data["from_start"] is True
    assert "no job called charge is dead" in jobs("requeue", "--all", "--name", "charge").stderr
    for wrong in ((), ("--all",), ("--name", "charge"), (first.id, "--all", "--name", "charge")):
        jobs("requeue", *wrong, status=2)


def test_an_unknown_id_among_several_changes_nothing(charge: Any) -> None:
    handle = charge.enqueue(Charge(order="bad"))
    testing.drain()
    jobs("requeue", handle.id, "zz", status=2)
    assert Reading(home().database).job(handle.id).status == "dead"


def test_cancel_takes_a_job_out_of_its_queue_and_orders_the_end_of_a_running_one(charge: Any) -> None:
    waiting, running = charge.enqueue_many([Charge(order="1"), Charge(order="2")])
    home().jobs.start(running.id, 1, 1, "w")
    assert jobs("cancel", waiting.id, running.id).stdout == f"{waiting.id} cancelled\n{running.id} its worker stops it\n"
    assert "to be cancelled" in jobs("list", "--status", "running").stdout
    assert "is cancelled; only a queued" in jobs("cancel", waiting.id, status=2).stderr


def dead(charge: Any, number: int) -> list[str]:
    handles = charge.enqueue_many([Charge(order=f"bad{each}") for each in range(number)])
    testing.drain()
    return [handle.id for handle in handles]


def left() -> int:
    return len(Reading(home().database).jobs())


def test_purge_removes_what_is_over_and_keeps_keys_unless_told(charge: Any) -> None:
    first, second = dead(charge, 2)
    assert jobs("purge", first).stdout == "1 job removed; their keys stay.\n"
    assert charge.enqueue(Charge(order="bad0")).created is False
    jobs("purge", second, "--forget-key")
    assert charge.enqueue(Charge(order="bad1")).created is True
    assert "is not over: cancel it" in jobs("purge", data("list")["jobs"][0]["id"], status=2).stderr


def test_purge_takes_only_dead_letters_that_are_old_enough(charge: Any) -> None:
    old, _young = dead(charge, 2)
    charge.enqueue(Charge(order="1"))
    testing.drain()
    table = home().database.tables.job
    with home().database.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == old).values(finished=table.c.finished - 8 * 86_400))
    jobs("purge", "--dead", "--older-than", 7)
    assert left() == 2
    jobs("purge", "--dead", "--older-than", 0)
    assert [job.status for job in Reading(home().database).jobs()] == ["done"]
    for wrong in ((), ("--dead",), ("--older-than", 3), (old, "--dead", "--older-than", 3)):
        jobs("purge", *wrong, status=2)


@pytest.mark.parametrize(("answer", "status", "removed"), [("y\n", 0, True), ("n\n", 2, False), ("", 2, False)])
def test_purge_asks_before_it_removes_many(charge: Any, answer: str, status: int, removed: bool) -> None:
    dead(charge, 11)
    asked = jobs("purge", "--dead", "--older-than", 0, status=status, input=answer)
    assert "Remove 11 jobs for good?" in asked.stderr
    assert left() == (0 if removed else 11)


def test_purge_does_not_ask_with_yes(charge: Any) -> None:
    dead(charge, 11)
    assert jobs("purge", "--dead", "--older-than", 0, "--yes").stdout == "11 jobs removed; their keys stay.\n"


def test_stats_count_by_queue_and_status_and_tell_how_long_the_oldest_waits(charge: Any) -> None:
    dead(charge, 1)
    charge.enqueue(Charge(order="1"))
    charge.enqueue(Charge(order="2"), delay=600)
    stats = data("stats")
    queue = stats["queues"]["default"]
    assert (queue["queued"], queue["dead"], queue["running"], stats["workers"]) == (2, 1, 0, [])
    assert 0 <= queue["oldest_waiting"] < 60
    assert "OLDEST WAITS" in jobs("stats").stdout


def test_a_database_that_is_not_there_is_not_made(database: str, tmp_path: Path) -> None:
    told = jobs("list", "--database", f"sqlite:///{tmp_path}/none.db", status=2).stderr
    assert "there is no database" in told
    assert not (tmp_path / "none.db").exists()


def test_an_empty_database_says_so(database: str) -> None:
    assert jobs("list").stdout == "No job is kept here.\n"
    assert jobs("stats").stdout == "No job is kept here.\nNo worker is running.\n"


def test_what_matches_nothing_is_named_with_what_is_near(charge: Any) -> None:
    charge.enqueue(Charge(order="1"))
    assert jobs("list", "--name", "flaky").stdout.splitlines()[0] == "No job matches --name flaky."
    near = jobs("list", "--queue", "defalt", "--name", "chrge").stdout.splitlines()[0]
    assert near == "No job matches --queue defalt --name chrge. Did you mean --queue default --name charge?"
    assert jobs("list", "--status", "dead,done", "--name", "charge").stdout.splitlines()[0] == (
        "No job matches --status dead,done --name charge."
    )
    assert jobs("dead", "--name", "charge").stdout == "No dead letter matches --name charge.\n"


def test_nothing_matches_where_nothing_is_kept(database: str) -> None:
    assert jobs("list", "--name", "charge").stdout == "No job is kept here.\n"


def test_the_list_counts_failed_runs_as_its_data_do(charge: Any) -> None:
    charge.enqueue_many([Charge(order="1"), Charge(order="bad")])
    testing.drain()
    head, *rows = jobs("list").stdout.splitlines()
    assert "FAILED" in head
    assert {row.split()[3]: row.split()[4] for row in rows} == {"1": "0/2", "bad": "2/2"}
    assert {job["key"]: job["runs"] for job in data("list")["jobs"]} == {"1": 0, "bad": 2}


def test_the_end_of_a_dead_letter_s_error_is_told(database: str) -> None:
    @runtime.job(timeout=5, key=lambda p: p.order)
    def refuse(p: Charge) -> None:
        raise runtime.Terminal(f"the bank refuses {'this order ' * 20}{'x' * 250}: ask the bank")

    refuse.enqueue(Charge(order="1"))
    testing.drain()
    told = jobs("dead").stdout.splitlines()
    assert max(map(len, told)) <= 100
    assert "".join(line.strip() for line in told[1:-1]).endswith("x" * 250 + ":ask the bank")


@pytest.mark.parametrize("name", sorted(listing.commands))
def test_each_command_s_help_ends_with_an_example_that_is_understood(name: str) -> None:
    line = jobs(name, "--help").stdout.splitlines()[-1]
    program_name, group, command, *words = shlex.split(line)
    assert (program_name, group, command) == ("guardrails", "jobs", name)
    listing.commands[name].make_context(name, words)


def test_lists_fit_their_columns_whatever_the_data(charge: Any) -> None:
    charge.enqueue_many([Charge(order="bad " + "界" * 60), Charge(order="bad\x1b[2J\u202e" + "x" * 300)])
    testing.drain()
    from guardrails.report.safe import width

    for command in ("list", "dead", "stats"):
        assert max(map(width, jobs(command).stdout.splitlines())) <= 100
