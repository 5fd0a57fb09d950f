"""Arguments of a call or of a decorator: added, or given another value. `values`: code by name; `$` in it is what `needs` brings in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import libcst as cst

from guardrails.finding import Repair
from guardrails.fix import items
from guardrails.fix.needed import filled
from guardrails.fix.source import Edit, Source


def edits(source: Source, repair: Repair) -> list[Edit] | None:
    """The edits; None where the call cannot take the arguments."""
    made = filled(source, repair)
    if made is None:
        return None
    given, more = made
    call = source.at(repair.at, cst.Call)
    if call is not None:
        changed = list(_in_call(source, call, given))
        return [*changed, *more] if changed else None
    bare = source.expression(repair.at)
    if bare is None or not isinstance(source.parent(bare), cst.Decorator):
        return None
    end = source.outer(bare)[1]
    return [source.edit(end, end, f"({_written(given)})"), *more]


def _written(given: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={code}" for name, code in given.items())


def _in_call(source: Source, call: cst.Call, given: Mapping[str, str]) -> Iterator[Edit]:
    there = {arg.keyword.value: arg for arg in call.args if arg.keyword is not None}
    for name in given.keys() & there.keys():
        start, end = source.outer(there[name].value)
        yield source.edit(start, end, given[name])
    fresh = {name: code for name, code in given.items() if name not in there}
    if fresh:
        yield from _added(source, call, _written(fresh))


def _added(source: Source, call: cst.Call, text: str) -> list[Edit]:
    close = source.span(call)[1] - 1
    if not call.args:
        inside = source.slice(source.outer(call.func)[1], close)
        return [source.edit(close, close, text)] if inside.strip() == "(" and "\n" not in inside else []
    spread = next((arg for arg in call.args if arg.star == "**"), None)
    if spread is not None:
        return items.before(source, spread, text)
    only = call.args[0].value
    if isinstance(only, cst.GeneratorExp) and not only.lpar:
        return []
    return items.append(source, call.args, close, text)
