"""What is logged, and what is a database row."""

from __future__ import annotations

import msgspec

from guardrails.frameworks.forms.work import Scalar


class LogForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What writes to logs. `receivers` are names that mean a logger where the access path cannot be told."""

    call: str
    receivers: tuple[str, ...] = ()
    prints: bool = False  # to a terminal, not to a log


class Rows(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is a database row: instances of classes derived from `bases`."""

    bases: tuple[str, ...] = ()
    key: str = "id"  # the attribute that is a row's primary key
    only_with: dict[str, Scalar] = {}  # arguments of the class without which it is no row: table=True
    managers: tuple[str, ...] = ()  # attributes of the class that query
    one: tuple[str, ...] = ()  # query methods that give a row
    inserts: tuple[str, ...] = ()  # query methods that add a row
    insert_skips: tuple[str, ...] = ()  # their arguments under which a row that is there is left alone
    many: tuple[str, ...] = ()  # query methods that give rows
    dicts: tuple[str, ...] = ()  # query methods that give rows as dicts
    calls_one: tuple[str, ...] = ()  # functions whose first argument is a model class: get_object_or_404, session.get
    calls_many: tuple[str, ...] = ()
    as_dict: tuple[str, ...] = ()  # functions that turn a row into a dict
    fields: tuple[str, ...] = ()  # attributes and methods of a row that give all its fields: `__dict__`, `to_dict()`
    plain: tuple[str, ...] = ()  # calls that give plain texts and small structures
    serializers: tuple[str, ...] = ()  # classes whose `.data` is the row
    requests: tuple[str, ...] = ()  # symbols that are the request object
    frames: tuple[str, ...] = ()  # symbols that are data frames
    current: tuple[str, ...] = ()  # expressions that are a row wherever a handler stands: request.user
    load: str = ""  # how a row is read by its key, as a repair writes it: `{model}.objects.get(pk={key})`
    signals: tuple[str, ...] = ()  # decorators whose function gets a row as `instance`
