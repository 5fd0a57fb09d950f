"""Statements compiled once: SQLAlchemy's way from a statement to the driver costs more than the database's work on it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultDialect


def converter(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    """What makes a value of this type the driver's; None where it takes the value as it is."""
    return kind.dialect_impl(dialect).bind_processor(dialect)


class Prepared:
    """A statement whose parameters all have names, for one kind of database; what it returns has the driver's own types."""

    def __init__(self, statement: Any, engine: sa.Engine) -> None:
        """engine: any to the database; the statement may be given to every connection with the same driver."""
        dialect = cast("type[DefaultDialect]", type(engine.dialect))(paramstyle="named" if engine.dialect.name == "sqlite" else "pyformat")
        compiled = statement.compile(dialect=dialect)
        self._sql = str(compiled)
        self._constants: dict[str, Any] = {}
        self._convert: list[tuple[str, Callable[[Any], Any]]] = []
        for name, bind in compiled.binds.items():
            if not bind.required:
                self._constants[name] = bind.effective_value
            if (convert := converter(bind.type, dialect)) is not None:
                self._convert.append((name, convert))

    def run(self, connection: sa.Connection, values: Mapping[str, Any]) -> sa.CursorResult[Any]:
        """Execute it."""
        return connection.exec_driver_sql(self._sql, self._bound(values))

    def run_many(self, connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute it for each."""
        connection.exec_driver_sql(self._sql, [self._bound(values) for values in rows])

    def _bound(self, values: Mapping[str, Any]) -> dict[str, Any]:
        bound = {**self._constants, **values}
        for name, convert in self._convert:
            bound[name] = convert(bound[name])
        return bound
