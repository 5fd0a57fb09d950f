"""Python's strings: plain, interpolated, and several in a row that make one."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import TypeAlias

from tree_sitter import Node

from guardrails.outline import Expr, Literal_, Other, Text
from guardrails.read.python_text import unescape
from guardrails.read.python_tree import EXTRAS, Reader, kind

Lower: TypeAlias = Callable[[Reader, Node], Expr]

_QUOTES = ("'", '"')
_START, _CONTENT, _INTERPOLATION = kind("string_start"), kind("string_content"), kind("interpolation")
_CONVERSION, _SPECIFIER, _FORMAT = kind("type_conversion"), kind("format_specifier"), kind("format_expression")


def string(r: Reader, node: Node, lower: Lower) -> Expr:
    """One string literal: a `Text` if it is interpolated, else a `Literal_`."""
    start, end = node.start_byte, node.end_byte
    text = r.text[start:end]
    if text[:1] in _QUOTES:
        body = text[1:-1]
        if body[:1] not in _QUOTES and "\\" not in body and body.isascii() and "\r" not in body:
            return Literal_(start, end, "string", body)
        return _plain(r, start, end, text, "")
    if text[:1] == "`" or not text:
        return Literal_(start, end, "string", r.decode(text[1:-1]))
    prefix = text[: 2 if text[1:2].isalpha() else 1].lower()
    if "f" in prefix or "t" in prefix:
        return Text(start, end, _parts(r, node, "r" in prefix, lower))
    return _plain(r, start, end, text[len(prefix) :], prefix)


def _plain(r: Reader, start: int, end: int, quoted: str, prefix: str) -> Literal_:
    width = 3 if len(quoted) >= 6 and quoted[:3] in ('"""', "'''") else 1
    body = quoted[width:-width]
    is_binary = "b" in prefix
    if not body.isascii() and not is_binary:
        body = r.decode(body)
    return Literal_(start, end, "bytes" if is_binary else "string", _value(body, "r" in prefix, is_binary))


def _value(body: str, is_raw: bool, is_binary: bool = False) -> str:
    if "\r" in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    return body if is_raw or "\\" not in body else unescape(body, is_binary)


def _parts(r: Reader, node: Node, is_raw: bool, lower: Lower) -> tuple[Expr, ...]:
    parts: list[Expr] = []
    for child in node.children:
        found = child.kind_id
        if found == _CONTENT:
            body = r.of(child).replace("{{", "{").replace("}}", "}")
            parts.append(Literal_(child.start_byte, child.end_byte, "string", _value(body, is_raw)))
        elif found == _INTERPOLATION:
            parts.append(interpolation(r, child, lower))
        elif found in EXTRAS:
            r.extra(child)
    return tuple(parts)


def interpolation(r: Reader, node: Node, lower: Lower) -> Expr:
    """The expression between braces; with those in its format, if it has any, an `Other` of kind format."""
    parts = []
    for child in r.parts(node):
        if child.kind_id == _SPECIFIER:
            parts.extend([lower(r, part) for part in r.parts(child) if part.kind_id == _FORMAT])
        elif child.kind_id != _CONVERSION:
            parts.append(lower(r, child))
    return parts[0] if len(parts) == 1 else Other(node.start_byte, node.end_byte, "format", tuple(parts))


def concatenated(r: Reader, node: Node, lower: Lower) -> Expr:
    """Strings in a row: literal stretches are merged."""
    parts: list[Expr] = []
    for child in r.parts(node):
        one = lower(r, child)
        parts.extend(one.parts if type(one) is Text else (one,))
    runs = [list(run) for _, run in groupby(parts, _is_stretch)]
    merged = [part for run in runs for part in ([_merge(run)] if _is_stretch(run[0]) else run)]
    only = merged[0] if len(merged) == 1 else None
    if type(only) is Literal_:
        return Literal_(node.start_byte, node.end_byte, only.kind, only.value)
    return Text(node.start_byte, node.end_byte, tuple(merged))


def _is_stretch(part: Expr) -> bool:
    return type(part) is Literal_ and part.kind in ("string", "bytes")


def _merge(run: list[Expr]) -> Expr:
    literals = [part for part in run if type(part) is Literal_]
    return Literal_(run[0].start, run[-1].end, literals[0].kind, "".join([str(part.value) for part in literals]))
