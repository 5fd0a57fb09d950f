"""What the database knows of blobs: how long each is kept. Rows are changed under their lock, so that a put and a prune cannot cross."""

import sqlalchemy as sa

from guardrails.runtime.store.database import DAY, Database


def enter(database: Database, connection: sa.Connection, name: str, size: int, content_type: str, ttl: float | None) -> None:
    """Note a blob, or that it is wanted for longer; `ttl` in days, None = without end."""
    table, expires = database.tables.blob, None if ttl is None else database.now + ttl * DAY
    values = {"id": name, "size": size, "content_type": content_type, "created": database.now, "expires": expires}
    insert = database.insert(table).values(**values)
    new, old = insert.excluded.expires, table.c.expires
    longest = sa.case((sa.or_(old.is_(None), new.is_(None)), sa.null()), (old > new, old), else_=new)
    connection.execute(insert.on_conflict_do_update(index_elements=[table.c.id], set_={"expires": longest}))


def strike(database: Database, connection: sa.Connection, name: str) -> None:
    """Forget a blob."""
    connection.execute(sa.delete(database.tables.blob).where(database.tables.blob.c.id == name))


def prune(database: Database, batch: int = 200) -> int:
    """Remove blobs whose time is over, each in a transaction of its own; returns how many went. Raises RuntimeFault."""
    table, removed = database.tables.blob, 0
    while True:
        with database.read() as connection:
            names = list(connection.execute(sa.select(table.c.id).where(table.c.expires <= database.now).limit(batch)).scalars())
        removed += sum(_pruned(database, name) for name in names)
        if len(names) < batch:
            return removed


def _pruned(database: Database, name: str) -> bool:
    from guardrails.runtime.blobs.stores import store

    table = database.tables.blob
    with database.begin() as connection:
        over = sa.delete(table).where(table.c.id == name, table.c.expires <= database.now)
        if connection.execute(over).rowcount != 1:
            return False  # wanted again, or pruned by another worker
        store().delete(name)
    return True
