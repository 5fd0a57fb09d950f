"""The body of a rule page: sections, and the examples in their fences. Case files of the tests have the same form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal, cast

import msgspec

Kind = Literal["Bad", "Good", "Cannot tell"]

KINDS: tuple[Kind, ...] = ("Bad", "Good", "Cannot tell")
# the first word of a fence: (language, suffix of a file that has no name)
FENCES = {
    "python": ("python", "py"), "py": ("python", "py"), "typescript": ("typescript", "ts"), "ts": ("typescript", "ts"),
    "tsx": ("typescript", "tsx"), "javascript": ("typescript", "js"), "js": ("typescript", "js"), "jsx": ("typescript", "jsx"),
    "rust": ("rust", "rs"), "rs": ("rust", "rs"),
}  # fmt: skip

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^`\n]*)\Z")
_MARK = re.compile(r"[ \t]*(?:#|//)[ \t]*(flagged|unknown):[ \t]*([a-z0-9-]+(?:[ \t]*,[ \t]*[a-z0-9-]+)*)[ \t]*\Z")


class PageError(Exception):
    """A page that cannot be understood; the message is one sentence: file, line, what, remedy."""

    def __init__(self, where: str, line: int, what: str) -> None:
        super().__init__(f"{where}:{line}: {what}")


class Expectation(msgspec.Struct, frozen=True, order=True):
    """A rule speaks at a line (from 1) of a file: as a finding (`flagged`) or because it cannot tell (`unknown`)."""

    path: str
    line: int
    rule: str
    kind: Literal["flagged", "unknown"] = "flagged"


class Example(msgspec.Struct, frozen=True):
    """A small project. `id` is its heading or sentence; `files` are without the marks; `line` (from 1) is where it stands in its page.

    `before` holds the files that were otherwise before the change which the example is about; none: it is about no change.
    """

    id: str
    kind: Kind
    files: Mapping[str, str]
    language: str
    framework: str
    expectations: tuple[Expectation, ...]
    line: int
    before: Mapping[str, str] = {}

    @property
    def base(self) -> Mapping[str, str] | None:
        """The project before the change, None where the example is about none; a file that was empty was not there."""
        return {path: text for path, text in {**self.files, **self.before}.items() if text} if self.before else None


def sections(body: str, first: int, where: str) -> Iterator[tuple[str, str, int]]:
    """(title, text, line of the text's first line) of each `## Title`; headings inside fences are code."""
    title, start, fence = "", 0, ""
    lines = body.split("\n")
    for index, line in enumerate(lines):
        fence = _fence_after(fence, line)
        if not fence and line.startswith("## "):
            if title:
                yield title, "\n".join(lines[start:index]).strip("\n"), first + start
            title, start = line[3:].strip(), index + 1
    if fence:
        raise PageError(where, first + len(lines) - 1, "a code fence is not closed; close it with the marks that open it")
    if title:
        yield title, "\n".join(lines[start:]).strip("\n"), first + start


def _fence_after(fence: str, line: str) -> str:
    """The marks of the fence that is open after this line, "" for none."""
    match = _FENCE.match(line)
    if not match:
        return fence
    marks, info = match.groups()
    if not fence:
        return marks
    return "" if marks.startswith(fence) and not info.strip() else fence


class _Open:
    """An example while its fences are being collected."""

    def __init__(self, kind: Kind) -> None:
        self.title, self.kind = "", kind
        self.files: dict[str, str] = {}
        self.before: dict[str, str] = {}
        self.marks: list[Expectation] = []
        self.language, self.framework, self.line = "", "", 0

    def add_before(self, path: str, lines: list[str], line: int) -> None:
        self.before[path] = "".join(f"{one}\n" for one in lines)
        self.line = self.line or line

    def add(self, path: str, language: str, framework: str, lines: list[str], line: int) -> None:
        clean, marks = _unmark(path, lines)
        self.files[path] = "".join(f"{one}\n" for one in clean)
        self.marks += marks
        self.line = self.line or line
        self.language = self.language or language
        self.framework = self.framework or framework

    def close(self, taken: set[str]) -> Iterator[Example]:
        if self.files:
            marks = tuple(sorted(self.marks))
            name = _unique(self.title or self.kind, taken)
            yield Example(name, self.kind, self.files, self.language, self.framework, marks, self.line, self.before)


def _unique(title: str, taken: set[str]) -> str:
    number, name = 1, title
    while name in taken:
        number += 1
        name = f"{title} ({number})"
    taken.add(name)
    return name


def _unmark(path: str, lines: list[str]) -> tuple[list[str], list[Expectation]]:
    """The lines without their marks, and what the marks expect; a line may carry a `flagged` and an `unknown` mark."""
    clean, marks = [], []
    for number, line in enumerate(lines, 1):
        while match := _MARK.search(line):
            kind = cast('Literal["flagged", "unknown"]', match[1])
            marks += [Expectation(path, number, rule.strip(), kind) for rule in match[2].split(",")]
            line = line[: match.start()]
        clean.append(line)
    return clean, marks


def examples(body: str, first: int, where: str) -> Iterator[Example]:
    """The examples of all sections that have any. Raises `PageError`."""
    taken: set[str] = set()
    for title, text, line in sections(body, first, where):
        if title in KINDS:
            yield from _in_section(title, text, line + _leading(body, line - first), where, taken)


def _leading(body: str, index: int) -> int:
    """Blank lines at the start of a section, which its text has lost."""
    lines, count = body.split("\n"), 0
    while index + count < len(lines) and not lines[index + count]:
        count += 1
    return count


def _in_section(kind: Kind, text: str, first: int, where: str, taken: set[str]) -> Iterator[Example]:
    """A heading or prose starts an example; fences with `file=` join the open one, a fence without is one of its own."""
    current, title, is_heading, is_named = _Open(kind), "", False, False
    for number, chunk in _chunks(text, first):
        if isinstance(chunk, str):
            if not is_named:  # the first words behind a fence: they name what follows
                yield from current.close(taken)
                current, title, is_heading, is_named = _Open(kind), "", False, True
            if chunk.startswith("### "):
                title, is_heading = chunk[4:].strip(), True
            elif not is_heading:
                title = f"{title} {chunk}".strip()
            continue
        language, framework, path, was = _info(chunk[0], where, number)
        if path in (current.before if was else current.files) or not path:
            yield from current.close(taken)
            current = _Open(kind)
        name, suffix = FENCES.get(language, ("", "txt"))
        current.title, is_named = title.rstrip(":. "), False
        if was:
            current.add_before(path, chunk[1:], number)
            continue
        current.add(path or f"shop.{suffix}", name, framework, chunk[1:], number)
        if not path:
            yield from current.close(taken)
            current = _Open(kind)
    yield from current.close(taken)


def _chunks(text: str, first: int) -> Iterator[tuple[int, str | list[str]]]:
    """Lines of prose and headings as text; fences as a list: the info string, then the code lines."""
    fence, code, opened = "", [""], 0
    for number, line in enumerate(text.split("\n"), first):
        after = _fence_after(fence, line)
        if after and not fence:
            match = _FENCE.match(line)
            code, opened = [match[2].strip() if match else ""], number
        elif fence and not after:
            yield opened, code
        elif after:
            code.append(line)
        elif line.strip():
            yield number, line.strip()
        fence = after


def _info(info: str, where: str, line: int) -> tuple[str, str, str, bool]:
    """(language, framework, path, whether it was so before the change) of ```` ```python celery file=shop/tasks.py ````, or `before=`."""
    words = info.split()
    key, _, path = next((word for word in words if word.startswith(("file=", "before="))), "").partition("=")
    names = [word for word in words if not word.startswith(("file=", "before="))]
    if not names or len(names) > 2:
        raise PageError(where, line, f"a fence of an example says {info!r}; write: language framework file=path or before=path")
    return names[0], names[1] if len(names) == 2 else "", path, key == "before"
