"""Managed blocks: a part of a user's file that is ours, between two markers. What stands around them keeps every byte."""

from __future__ import annotations

import msgspec

from guardrails.instruct.marks import VERSION, Broken, Mark, marks, said, sha
from guardrails.instruct.text import line_end


class Block(msgspec.Struct, frozen=True):
    """A block of a text, from `start` to `stop` with both markers; `body` is what stands between them."""

    mark: Mark
    body: str
    start: int
    stop: int

    @property
    def id(self) -> str:
        """Its name."""
        return self.mark.id

    @property
    def is_edited(self) -> bool:
        """Whether somebody changed what the block says since it was written."""
        return sha(self.body) != self.mark.sha


def blocks(text: str) -> list[Block]:
    """The blocks of a text. Raises `Broken` for markers that are broken, doubled, nested, or miss their other end."""
    found: list[Block] = []
    opened: Mark | None = None
    for mark in marks(text):
        if mark.word == "file":
            continue
        if opened is None and mark.word == "end":
            raise Broken(f"the block {mark.id} ends in line {mark.number} and begins nowhere")
        if opened is None:
            opened = mark
        elif mark.word == "begin":
            raise Broken(f"the block {mark.id} begins in line {mark.number}, inside the block {opened.id}")
        elif mark.id != opened.id:
            raise Broken(f"the block {opened.id} of line {opened.number} ends in line {mark.number} as {mark.id}")
        elif any(one.id == mark.id for one in found):
            raise Broken(f"the block {mark.id} stands there twice, the second time in line {opened.number}")
        else:
            found.append(Block(opened, text[opened.stop : mark.start], opened.start, mark.stop))
            opened = None
    if opened is not None:
        raise Broken(f"the block {opened.id} begins in line {opened.number} and ends nowhere")
    return found


def block(text: str, name: str) -> Block | None:
    """The block of a name. Raises `Broken`."""
    return next((one for one in blocks(text) if one.id == name), None)


def put(path: str, text: str | None, name: str, body: str, keep: int = 0) -> str:
    """The text with this block in it: in its place where it is there, else at the end; None for a file that is not there yet."""
    old = block(text, name) if text is not None else None
    if text is None:
        return _rendered(path, Mark("begin", name, keep=keep), body, "\n")
    if old is None:
        end = line_end(text)
        gap = _gap(text)
        return text + end * gap + _rendered(path, Mark("begin", name, gap=gap), body, end)
    if said(old.body) == said(body) and not old.is_edited and old.mark.version == VERSION:
        return text
    end = "\r\n" if text[old.start : old.mark.stop].endswith("\r\n") else "\n"
    return text[: old.start] + _rendered(path, old.mark, body, end) + text[old.stop :]


def _gap(text: str) -> int:
    """How many line ends are missing for a blank line at the end of a text."""
    lines = text.replace("\r\n", "\n")
    if not lines or lines.endswith("\n\n"):
        return 0
    return 1 if lines.endswith("\n") else 2


def _rendered(path: str, mark: Mark, body: str, end: str) -> str:
    first = msgspec.structs.replace(mark, sha=sha(body), version=VERSION).line(path)
    lines = [first, "", *said(body).split("\n"), "", Mark("end", mark.id).line(path), ""]
    return end.join(lines)


def take(text: str, name: str) -> str | None:
    """The text without a block, and without the line ends that came with it; None where the file was made for it."""
    old = block(text, name)
    if old is None:
        return text
    before = text[: old.start]
    for _ in range(old.mark.gap or 0):
        before = before.removesuffix("\r\n" if before.endswith("\r\n") and text[: old.mark.stop].endswith("\r\n") else "\n")
    rest = before + text[old.stop :]
    return rest if rest or old.mark.gap is not None else None
