"""What an attack on the runtime found: each was a lost outcome, a slot held for ever, or words that nobody understood."""

import shutil
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from guardrails.runtime.engine import Client
from guardrails.runtime.errors import DatabaseRefused, PayloadRefused
from guardrails.runtime.home import home
from guardrails.runtime.store.database import Database
from guardrails.runtime.store.jobs import Ending
from guardrails.runtime.store.reading import Reading
from guardrails.runtime.work.run import unfinished
from tests.runtime import app_attack as attack
from tests.runtime import app_drill as drill
from tests.runtime.workers import Worker, events, seen, wait_for


@pytest.fixture
def hostile(app: Path) -> Path:
    """The attack's application, for real workers to import."""
    return Path(shutil.copy(Path(__file__).parent / "app_attack.py", app.parent / "attack.py"))


def drained(app: Path, url: str) -> str:
    """Drain the queues; the worker's log."""
    with Worker(app, url, "--drain") as worker:
        assert worker.ended() == 0
        return worker.log.read_text()


def test_words_that_no_database_holds_hold_up_no_slot(database: str, hostile: Path) -> None:
    handles = {(job.name, what): job.enqueue(attack.Do(what=what)) for job in (attack.processed, attack.threaded) for what in WORDS}
    drained(hostile, database)
    for (job, what), handle in handles.items():
        assert seen(handle.id).status == "dead", (job, what)
        assert WORDS[what] in str(seen(handle.id).error), (job, what)
    for job in ("processed", "threaded"):
        told = [(line[3], line[4].get("more")) for line in Reading(home().database).lines(handles[job, "surrogate"].id)]
        assert told[0] == ("lone \\udcff", "\\udcfe\\x00")


WORDS = {
    "nul": "ValueError: a\\x00b",
    "surrogate": "ValueError: a\\udcffb",
    "mute": "Mute: <no words: its str() raised RuntimeError>",
    "large": "returned 20,000,011 bytes of JSON, over 65,536",
    "large step": "Step large#1 returned 20,000,002 bytes of JSON",
    "stream": "name takes text without NUL",
    "metadata": "metadata takes text",
}


def test_a_step_that_is_given_up_hides_no_outcome(database: str, hostile: Path) -> None:
    waits, gathers = (attack.gives_up.enqueue(attack.Do(what=what)) for what in ("waits", "gathers"))
    caught = attack.processed.enqueue(attack.Do(what="mute step"))
    drained(hostile, database)
    assert (seen(waits.id).status, seen(waits.id).result) == ("done", "went on")
    assert seen(gathers.id).error == "ValueError: the sibling failed"
    assert (seen(caught.id).status, seen(caught.id).result, seen(caught.id).runs) == ("done", "caught", 0)


def test_a_thread_that_never_stops_talking_is_over_at_its_limit(database: str, hostile: Path) -> None:
    handle = attack.floods.enqueue(attack.Do(what="flood"))
    drained(hostile, database)
    assert seen(handle.id).error == "stopped at its time limit of 1 s"


def test_progress_without_end_holds_up_no_outcome_and_fills_no_database(database: str, hostile: Path) -> None:
    handle = attack.gushes.enqueue(attack.Do(what="flood"))
    drained(hostile, database)
    told = [told for told in Reading(home().database).events(handle.id) if told.type == "Progress"]
    assert seen(handle.id).status == "dead"
    assert len(told) < 100
    assert (seen(handle.id).progress or {})["done"] == told[-1].data["done"]


def test_what_a_silent_body_said_is_read_while_it_runs(database: str, hostile: Path, tmp_path: Path) -> None:
    handle = attack.mumbles.enqueue(attack.Do(what=str(tmp_path / "go")))
    with Worker(hostile, database, "--drain") as worker:
        wait_for("its words are read", lambda: len(Reading(home().database).lines(handle.id)) == 2)
        wait_for("its progress is seen", lambda: (seen(handle.id).progress or {}).get("note") == "second")
        assert seen(handle.id).status == "running"
        (tmp_path / "go").touch()
        assert worker.ended() == 0
    assert sorted(line[3] for line in Reading(home().database).lines(handle.id)) == ["begun", "printed"]


def test_upcasters_run_under_the_job_s_limit(database: str, hostile: Path) -> None:
    handles = {what: attack.lifted.enqueue(attack.Do(what=what)) for what in ("loop", "exit", "fine")}
    with home().database.begin() as connection:
        connection.execute(sa.update(home().database.tables.job).values(version=1))
    drained(hostile, database)
    assert seen(handles["loop"].id).error == "stopped at its time limit of 2 s"
    assert "SystemExit: 7" in str(seen(handles["exit"].id).error)
    assert seen(handles["fine"].id).status == "done"


def test_no_hook_undoes_an_outcome(database: str, hostile: Path) -> None:
    handles = [attack.hooked.enqueue(attack.Do(what=what)) for what in ("commit", "rollback", "close", "exits")]
    log = drained(hostile, database)
    assert [seen(handle.id).status for handle in handles] == ["done"] * 4
    assert [events(handle.id) for handle in handles] == [["Queued", "Started", "Done"]] * 4
    assert log.count("it must not commit, roll back or close") >= 3


def test_what_its_steps_recorded_is_too_much_to_hand_on(database: str, hostile: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was offered again for ever, uncounted, with a process left over each time."""
    handle = attack.processed.enqueue(attack.Do(what="x"))
    (hostile.parent / "attack.py").write_text(
        hostile.read_text()
        + "\nfrom guardrails.runtime.work import worker\n"
        + "worker.Worker._finished_steps = lambda self, started: {f'large#{n}': 'x' * 1_000_000 for n in range(17)}\n"
    )
    drained(hostile, database)
    assert (seen(handle.id).status, seen(handle.id).runs) == ("dead", 1)
    assert "cannot be handed to its process" in str(seen(handle.id).error)


def test_a_job_that_is_to_be_cancelled_is_not_run_again(database: str) -> None:
    died, failed = (drill.work.enqueue(drill.Work(name=name)) for name in ("died", "failed"))
    runs = [home().jobs.start(handle.id, 1, 1, "w") for handle in (died, failed)]
    assert [home().jobs.cancel(handle.id) for handle in (died, failed)] == ["running", "running"]
    assert home().jobs.start(died.id, 1, 1, "another") is None
    assert not home().jobs.end(runs[0], Ending("done", [("Done", {})], counts=False, result="1"))  # type: ignore[arg-type]
    assert home().jobs.end(runs[1], unfinished(runs[1], drill.work, ("AttemptFailed", {"message": "no"}), after=300.0))  # type: ignore[arg-type]
    assert seen(failed.id).due == pytest.approx(seen(failed.id).started, abs=60)
    assert home().jobs.start(failed.id, 1, 2, "another") is None
    assert [seen(handle.id).status for handle in (died, failed)] == ["cancelled", "cancelled"]
    assert events(died.id) == ["Queued", "Started", "Rescued", "Cancelled"]
    assert events(failed.id) == ["Queued", "Started", "AttemptFailed", "RetryScheduled", "Cancelled"]
    assert home().jobs.requeue(died.id) == 2


def test_a_key_that_is_no_text_is_refused(database: str) -> None:
    with pytest.raises(PayloadRefused, match="lone surrogate"):
        drill.work.enqueue_with_key(drill.Work(name="a"), "\ud800")


@pytest.mark.parametrize("url", ["postgresql://localhost:port/x", "nonsense"])
def test_a_url_that_cannot_be_read_is_a_sentence(url: str) -> None:
    with pytest.raises(DatabaseRefused, match="cannot be read"):
        Database(url)


def test_a_sqlite_url_may_name_any_driver(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'jobs.db'}")
    database.prepare()
    Client(database).close()
    database.close()


def test_a_connection_that_commits_each_statement_has_no_transaction_to_join(database: str) -> None:
    home()
    engine = sa.create_engine(home().database.engine.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection, pytest.raises(DatabaseRefused, match="AUTOCOMMIT"):
        drill.work.enqueue_in_transaction(connection, drill.Work(name="a"))
    engine.dispose()


def test_a_worker_whose_file_was_removed_ends_and_says_so(tmp_path: Path, app: Path) -> None:
    with Worker(app, f"sqlite:///{tmp_path / 'jobs.db'}").serving() as worker:
        wait_for("the file is there", lambda: (tmp_path / "jobs.db").exists())
        time.sleep(1)
        (tmp_path / "jobs.db").unlink()
        assert worker.ended() == 75
        assert "removed or replaced the database file" in worker.log.read_text()
