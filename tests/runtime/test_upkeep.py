"""What a worker's household does: what is old goes, keys and dead letters stay, and a job that its queue has lost is queued again."""

import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime.home import home
from guardrails.runtime.store.jobs import Ending
from guardrails.runtime.store.reading import Reading
from guardrails.runtime.store.upkeep import Upkeep

DAYS = 30.0


class Charge(BaseModel):
    order: str


@pytest.fixture
def charge(database: str) -> runtime.Job[Charge, None]:
    @runtime.job(timeout=5, key=lambda p: p.order)
    def charge(p: Charge) -> None: ...

    return charge


def ended(job: str, status: str) -> None:
    """Run a job to an end, long ago."""
    jobs, table = home().jobs, home().database.tables.job
    started = jobs.start(job, 1, 1, "w")
    jobs.end(started, Ending(status, [(status.title(), {})], counts=False))
    with home().database.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == job).values(finished=table.c.finished - (DAYS + 1) * 86_400))


def upkeep() -> Upkeep:
    return Upkeep(home().database, home().client)


def test_finished_jobs_go_after_their_time_and_keys_and_dead_letters_stay(charge: runtime.Job[Charge, None]) -> None:
    old, dead, young = (charge.enqueue(Charge(order=name)) for name in ("old", "dead", "young"))
    ended(old.id, "done")
    ended(dead.id, "dead")
    assert upkeep().prune(DAYS) == 1
    assert {seen.key for seen in Reading(home().database).jobs()} == {"dead", "young"}
    again = charge.enqueue(Charge(order="old"))
    assert (again.created, again.id) == (False, old.id), "its key is kept for ever"
    upkeep().remove([dead.id], forget_keys=True)
    assert charge.enqueue(Charge(order="dead")).created
    with pytest.raises(runtime.WrongState, match="not over"):
        upkeep().remove([young.id])


def test_nothing_of_a_removed_job_is_left_in_either_book(charge: runtime.Job[Charge, None]) -> None:
    handle = charge.enqueue(Charge(order="7"))
    ended(handle.id, "done")
    upkeep().prune(DAYS)
    with home().database.read() as connection:
        for table in home().database.tables.metadata.sorted_tables:
            if table is not home().database.tables.key:
                assert handle.id not in repr(connection.execute(sa.select(table)).all()), table.name
    assert home().client.alive([(handle.id, 1, 1)]) == set()


def test_a_job_that_its_queue_has_lost_is_queued_again(charge: runtime.Job[Charge, None]) -> None:
    lost, kept = charge.enqueue(Charge(order="lost")), charge.enqueue(Charge(order="kept"))
    home().client.forget(lost.id)
    table = home().database.tables.job
    assert upkeep().mend() == [], "a young row may still be on its way"
    with home().database.begin() as connection:
        connection.execute(sa.update(table).values(created=table.c.created - 3600))
    assert upkeep().mend() == [lost.id]
    assert upkeep().mend() == []
    assert home().jobs.start(lost.id, 1, 2, "w") is not None
    assert home().jobs.start(kept.id, 1, 1, "w") is not None
