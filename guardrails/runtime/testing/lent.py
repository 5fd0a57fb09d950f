"""The database that a test was given: no other one's jobs are run by it."""

from guardrails.runtime import settings
from guardrails.runtime.errors import WrongState
from guardrails.runtime.store.database import Database

present: str | None = None
"""Its URL, within `isolated`."""


def insist() -> None:
    """Raises WrongState where the database in use was not given to a test: it may be any, even that of production."""
    url = settings.current().database
    if url != present:
        raise WrongState(
            f"testing.drain() would run the jobs that wait in {Database(url).shown}: wrap the test in testing.isolated(), "
            "most simply in an autouse fixture."
        )
