"""Which classes are rows of a database and which are secrets: neither may travel in a payload."""

import functools
import sqlite3

from pydantic import Secret, SecretBytes, SecretStr

_BASES = {
    "beanie.odm.documents.Document": "a Beanie document",
    "django.db.models.base.Model": "a Django row",
    "mongoengine.document.Document": "a MongoEngine document",
    "ormar.models.model.Model": "an ormar row",
    "peewee.Model": "a Peewee row",
    "piccolo.table.Table": "a Piccolo row",
    "pony.orm.core.Entity": "a Pony row",
    "sqlalchemy.engine.row.Row": "a SQLAlchemy row",
    "sqlalchemy.engine.row.RowMapping": "a SQLAlchemy row",
    "tortoise.models.Model": "a Tortoise row",
    "asyncpg.protocol.record.Record": "an asyncpg row",
    "asyncpg.Record": "an asyncpg row",
}


@functools.lru_cache(maxsize=4096)
def row_kind(kind: type) -> str:
    """What sort of database row the instances of a class are, as words; empty where they are none. Imports no database library."""
    if hasattr(kind, "_sa_class_manager"):
        return "a SQLAlchemy row"
    if issubclass(kind, sqlite3.Row):
        return "a SQLite row"
    names = (f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__)
    return next((_BASES[name] for name in names if name in _BASES), "")


def is_secret(kind: type) -> bool:
    """Whether a class is one of pydantic's masks: they hide a secret when printed, and lose it when written as JSON."""
    return issubclass(kind, (SecretStr, SecretBytes, Secret))
