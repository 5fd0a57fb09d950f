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
