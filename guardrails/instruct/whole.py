"""Files that are ours as a whole: a marker behind their front matter says so. One without it is somebody else's, and stays."""

from __future__ import annotations

import re

import msgspec

from guardrails.instruct.marks import HASHED, Broken, Mark, marks, said, sha

_FRONT = re.compile(r"---[ \t]*\r?\n(?:.*\r?\n)*?---[ \t]*\r?\n")


class Whole(msgspec.Struct, frozen=True):
    """A file of ours. `body` is all that it says, without the marker."""

    mark: Mark
    body: str

    @property
    def is_edited(self) -> bool:
        """Whether somebody changed it since it was written."""
        return sha(self.body) != self.mark.sha


def whole(text: str) -> Whole | None:
    """What a file of ours says, None for one that is not. Raises `Broken` for a marker that is broken or stands there twice."""
    found = [mark for mark in marks(text) if mark.word == "file"]
    if not found:
        return None
    if len(found) > 1:
        raise Broken(f"the guardrails marker stands there twice, the second time in line {found[1].number}")
    mark = found[0]
    head, rest = said(text[: mark.start]), said(text[mark.stop :])
    return Whole(mark, _body(head, rest))


def render(path: str, name: str, body: str, keep: int = 0, end: str = "\n") -> str:
    """The file with its marker."""
    head, rest = _split(path, said(body))
    mark = Mark("file", name, sha=sha(_body(head, rest)), keep=keep).line(path)
    lead = f"{head}\n\n{mark}" if head else mark
    gap = "\n" if path.endswith(HASHED) else "\n\n"
    return f"{lead}{gap}{rest}\n".replace("\n", end)


def says(path: str, found: Whole, body: str) -> bool:
    """Whether a file of ours says this, and nothing else."""
    return found.body == _body(*_split(path, said(body)))


def _body(head: str, rest: str) -> str:
    return f"{head}\n\n{rest}" if head else rest


def _split(path: str, body: str) -> tuple[str, str]:
    """The front matter, where a file of this name has one, and what follows."""
    front = None if path.endswith(HASHED) else _FRONT.match(body + "\n")
    return (said(front.group()), said(body[front.end() :])) if front else ("", body)


def put(path: str, old: str | None, name: str, body: str, keep: int = 0) -> str:
    """The file as it shall be, with the line ends that it has; unchanged where it says that already. `old` is one of ours, or not there."""
    if old is None:
        return render(path, name, body, keep)
    found = whole(old)
    if found is None:
        raise Broken("it has no marker of guardrails")
    fresh = render(path, name, body, found.mark.keep)
    if found.mark.id == name and old.replace("\r\n", "\n").rstrip("\n") == fresh.rstrip("\n"):
        return old
    return render(path, name, body, found.mark.keep, "\r\n" if "\r\n" in old else "\n")
