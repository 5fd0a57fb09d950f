"""A small key-value store for status that clients poll: JSON values up to 64 KiB, with an optional time to live."""

import json
from typing import Any

import sqlalchemy as sa

from guardrails.runtime.errors import PayloadRefused
from guardrails.runtime.home import home

LIMIT = 65_536


def set(namespace: str, key: str, value: Any, ttl: float | None = None) -> None:  # noqa: A001
    """Keep a JSON value under (namespace, key), in place of what was there; `ttl` in seconds.

    Raises PayloadRefused for what is no JSON, or too large.
    """
    try:
        text = json.dumps(value, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise PayloadRefused(f"kv.set({namespace!r}, {key!r}): the value is not JSON ({error}).") from error
    if len(text.encode()) > LIMIT:
        raise PayloadRefused(
            f"kv.set({namespace!r}, {key!r}): {len(text.encode()):,} bytes are over {LIMIT:,}; keep large values in runtime.blobs."
        )
    database = home().database
    table = database.tables.value
    expires = None if ttl is None else database.now + ttl
    insert = database.insert(table).values(namespace=namespace, key=key, value=text, updated=database.now, expires=expires)
    changed = {"value": insert.excluded.value, "updated": insert.excluded.updated, "expires": insert.excluded.expires}
    with database.begin() as connection:
        connection.execute(insert.on_conflict_do_update(index_elements=[table.c.namespace, table.c.key], set_=changed))


def get(namespace: str, key: str, default: Any = None) -> Any:
    """The value under (namespace, key); `default` where there is none, or its time is over."""
    found = items(namespace, key)
    return found.get(key, default)


def items(namespace: str, key: str | None = None) -> dict[str, Any]:
    """All living values of a namespace by key; or one."""
    database = home().database
    table = database.tables.value
    lives = sa.or_(table.c.expires.is_(None), table.c.expires > database.now)
    query = sa.select(table.c.key, table.c.value).where(table.c.namespace == namespace, lives).order_by(table.c.key)
    if key is not None:
        query = query.where(table.c.key == key)
    with database.read() as connection:
        return {row.key: json.loads(row.value) for row in connection.execute(query)}


def delete(namespace: str, key: str) -> bool:
    """Remove a value; whether it was there."""
    database = home().database
    table = database.tables.value
    with database.begin() as connection:
        return connection.execute(sa.delete(table).where(table.c.namespace == namespace, table.c.key == key)).rowcount == 1
