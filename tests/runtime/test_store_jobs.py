import pytest
from pydantic import BaseModel

from guardrails import runtime
from guardrails.runtime.home import home
from guardrails.runtime.store.reading import Reading


class Charge(BaseModel):
    order: str
    cents: int = 1


def declare() -> runtime.Job[Charge, None]:
    @runtime.job(timeout=5, key=lambda p: p.order)
    def charge(p: Charge) -> None: ...

    return charge


def test_the_same_key_with_the_same_payload_gives_the_first_handle(database: str) -> None:
    charge = declare()
    first, second = charge.enqueue(Charge(order="7")), charge.enqueue(Charge(order="7"))
    assert (first.created, second.created) == (True, False)
    assert first.id == second.id
    assert [seen.id for seen in Reading(home().database).jobs()] == [first.id]


def test_the_same_key_with_another_payload_is_a_conflict_that_names_the_first(database: str) -> None:
    charge = declare()
    first = charge.enqueue(Charge(order="7"))
    with pytest.raises(runtime.KeyConflict, match=first.id) as conflict:
        charge.enqueue(Charge(order="7", cents=2))
    assert conflict.value.job == first.id


def test_many_at_once_are_as_each_alone(database: str) -> None:
    charge = declare()
    known = charge.enqueue(Charge(order="known"))
    handles = charge.enqueue_many([Charge(order=order) for order in ("a", "known", "b", "a")], delay=60)
    assert [(handle.key, handle.created) for handle in handles] == [("a", True), ("known", False), ("b", True), ("a", False)]
    assert (handles[1].id, handles[3].id) == (known.id, handles[0].id)
    found = {seen.key: seen for seen in Reading(home().database).jobs()}
    assert sorted(found) == ["a", "b", "known"]
    assert found["known"].due is None
    assert 59 < (found["a"].due or 0) - found["a"].created < 61
    assert charge.enqueue_many([]) == []


def test_of_many_none_is_queued_where_one_conflicts(database: str) -> None:
    charge = declare()
    charge.enqueue(Charge(order="7"))
    with pytest.raises(runtime.KeyConflict):
        charge.enqueue_many([Charge(order="8"), Charge(order="7", cents=2)])
    with pytest.raises(runtime.KeyConflict):
        charge.enqueue_many([Charge(order="9"), Charge(order="9", cents=2)])
    assert [seen.key for seen in Reading(home().database).jobs()] == ["7"]
    assert charge.enqueue(Charge(order="8")).created
