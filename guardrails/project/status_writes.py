"""Where code writes the state of some work: `export.status = "running"`, `rows.update(status=DONE)`, `mark_failed(export)`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from guardrails.names.code import last_word
from guardrails.outline import Attr, Call, Choice, Expr, Function, Index, Literal_, Ref, dotted, enclosing
from guardrails.project.secrets import words_of

State: TypeAlias = Literal["queued", "running", "done", "failed", "other"]

_FIELDS = frozenset(("status", "state", "phase", "stage"))
_STATES: tuple[tuple[State, frozenset[str]], ...] = (
    (
        "failed",
        frozenset("failed failure fail error errored errors aborted crashed dead timeout timedout cancelled canceled rejected".split()),
    ),
    ("queued", frozenset("queued pending waiting scheduled enqueued new created initial".split())),
    ("done", frozenset("done complete completed success succeeded successful finished processed ready synced sent published".split())),
    ("running", frozenset("processing running started progress executing inprogress ongoing".split())),
)
_SETS = frozenset("set update mark change transition move write save put hset hmset".split())
_ASKS = frozenset(
    "filter exclude get q count exists get_or_404 get_object_or_404 first where order_by values all_with has_status is_status".split()
)


_TELLS = frozenset("send asend emit publish broadcast notify signal dispatch announce".split())


class Write(msgspec.Struct, frozen=True):
    """One write: the field, the owner as it is written, the state and where it stands; `late` in an except or finally block.

    `told`: whoever listens just then is told the state, and nothing keeps it.
    """

    field: str
    owner: str
    state: State
    start: int
    end: int
    text: str
    late: bool
    told: bool = False


def state_of(expr: Expr | None) -> State:
    """The state that a constant names."""
    if isinstance(expr, Literal_):
        words = words_of(expr.value) if isinstance(expr.value, str) and len(expr.value) < 40 else []
    elif isinstance(expr, Ref | Attr):
        words = words_of(dotted(expr).removesuffix(".value").removesuffix(".name").rpartition(".")[2])
    else:
        return "other"
    return next((state for state, names in _STATES if names.intersection(words)), "other")


def writes(function: Function) -> Iterator[Write]:
    """The writes of a function, in order of their kind and place."""
    for step in function.steps:
        if step.kind == "assign":
            for target in step.targets:
                field, owner = _field(target)
                if field:
                    yield _write(function, step.block, (field, owner), step.value, (step.start, step.end))
    for site in function.sites:
        yield from _called(function, site.call, last_word(site), function.steps[site.step].block)


def _field(target: Expr) -> tuple[str, str]:
    """The field that an assignment sets, and whose it is; nothing for a plain name."""
    if isinstance(target, Index) and isinstance(target.key, Literal_):
        name, owner = str(target.key.value), dotted(target.base)
    elif isinstance(target, Ref | Attr):
        owner, _, name = dotted(target).rpartition(".")
    else:
        return "", ""
    is_state = bool(owner) and "meta" not in owner and bool(_FIELDS.intersection(words_of(name)[-1:]))
    return (name, owner) if is_state else ("", "")


def _called(function: Function, call: Call, word: str, block: int) -> Iterator[Write]:
    words = words_of(word)
    owner, span = dotted(call.func).rpartition(".")[0], (call.start, call.end)
    named = [arg for arg in call.args if arg.name and _FIELDS.intersection(words_of(arg.name)[-1:])]
    if word not in _ASKS and words != ["update", "state"] and not set(words) & {"filter", "log", "get", "find"}:
        for arg in named:
            if state_of(arg.value) != "other":
                write = _write(function, block, (arg.name, owner), arg.value, span)
                yield msgspec.structs.replace(write, told=bool(words) and words[0] in _TELLS)
    if words and words[0] in _SETS and _FIELDS.intersection(words) and not named and words != ["update", "state"]:
        for arg in call.args:
            if state_of(arg.value) != "other":
                yield _write(function, block, ("status", owner), arg.value, span)
    elif words and words[0] in ("mark", "set") and (state := _last_state(words)) != "other":
        yield Write("status", owner, state, *span, dotted(call.func), _is_late(function, block))
    elif word in ("fail", "failed", "fail_job", "record_failure", "on_failure", "handle_failure", "handle_error"):
        yield Write("status", owner, "failed", *span, dotted(call.func), _is_late(function, block))


def _last_state(words: list[str]) -> State:
    return next((state for state, names in _STATES if words[-1] in names), "other")


def _write(function: Function, block: int, whose: tuple[str, str], value: Expr | None, span: tuple[int, int]) -> Write:
    state = state_of(value)
    if isinstance(value, Choice):
        both = {state_of(value.yes), state_of(value.no)}
        state = "failed" if "failed" in both else "other"
    text = str(value.value) if isinstance(value, Literal_) else dotted(value) if value is not None else ""
    return Write(*whose, state, *span, text, _is_late(function, block))


def _is_late(function: Function, block: int) -> bool:
    return any(one.kind in ("except", "finally") for one in enclosing(function, block))
