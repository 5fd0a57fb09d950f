"""Work items for people and agents: a title, a description, tags, a status, and the job that they come from."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from guardrails.runtime.errors import PayloadRefused, UnknownJob
from guardrails.runtime.home import home
from guardrails.runtime.plain import known
from guardrails.runtime.store.jobs import new_id

Status = Literal["open", "in_progress", "done", "dropped"]
STATUSES = ("open", "in_progress", "done", "dropped")
LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class Task:
    """A work item; times are epoch seconds."""

    id: str
    title: str
    description: str
    tags: tuple[str, ...]
    status: str
    job: str | None
    created: float
    updated: float


def create(title: str, description: str = "", tags: Sequence[str] = (), job: str | None = None, key: str | None = None) -> Task:
    """A new item.

    With a `key` it is created once: the same key gives the item that is there (a job that runs again creates no second one).
    """
    _checked(title=title, status="open")
    database = home().database
    table = database.tables.task
    item = new_id() if key is None else f"key:{key}"
    values = {
        "id": item,
        "title": title,
        "description": description,
        "tags": json.dumps(sorted({*tags})),
        "status": "open",
        "job": job,
        "created": database.now,
        "updated": database.now,
    }
    with database.begin() as connection:
        connection.execute(database.insert(table).values(**values).on_conflict_do_nothing())
    return get(item)


def get(item: str) -> Task:
    """An item by its id; raises UnknownJob."""
    found = _select(home().database.tables.task.c.id == known("task", item))
    if not found:
        raise UnknownJob(f"There is no task {item}.")
    return found[0]


def list(status: str | None = None, tag: str | None = None, job: str | None = None, limit: int = 100) -> Sequence[Task]:  # noqa: A001
    """Items, the newest first, with all of the given marks."""
    table = home().database.tables.task
    wanted = [column == value for column, value in ((table.c.status, status), (table.c.job, job)) if value is not None]
    if tag is not None:
        wanted.append(table.c.tags.contains(json.dumps(tag), autoescape=True))
    return _select(*wanted, limit=limit)


def update(
    item: str, *, title: str | None = None, description: str | None = None, tags: Sequence[str] | None = None, status: Status | None = None
) -> Task:
    """Change an item; raises UnknownJob, or PayloadRefused for a status that there is not."""
    _checked(title=title, status=status)
    database = home().database
    table = database.tables.task
    given: dict[str, Any] = {
        "title": title,
        "description": description,
        "status": status,
        "tags": None if tags is None else json.dumps(sorted({*tags})),
    }
    values = {name: value for name, value in given.items() if value is not None}
    with database.begin() as connection:
        connection.execute(sa.update(table).where(table.c.id == known("task", item)).values(updated=database.now, **values))
    return get(item)


def _select(*wanted: sa.ColumnElement[bool], limit: int = 1) -> Sequence[Task]:
    database = home().database
    table = database.tables.task
    query = sa.select(table).where(*wanted).order_by(table.c.created.desc(), table.c.id).limit(limit)
    with database.read() as connection:
        return [Task(**{**row._asdict(), "tags": tuple(json.loads(row.tags))}) for row in connection.execute(query)]


def _checked(title: str | None, status: str | None) -> None:
    if title is not None and not 1 <= len(title.strip()) <= LONGEST_TITLE:
        raise PayloadRefused(f"A task's title has 1 to {LONGEST_TITLE} characters, not {len(title.strip())}.")
    if status is not None and status not in STATUSES:
        raise PayloadRefused(f"A task is {', '.join(STATUSES)}, not {status!r}.")
