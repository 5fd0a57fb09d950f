"""Findings that are known: a baseline file, or what the base of a change has, too. Only what they do not hold is new.

An entry is keyed by the fingerprint of the first such finding in its scope, and says how many of them are known: a second equal fault in
the same scope is new. Code that moves or is reformatted keeps its entry; one whose file was renamed, or whose function went to another
file, is followed as long as nothing is left at the old place.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from guardrails import fingerprint
from guardrails.paths import read_plain
from guardrails.result import Found

FILE = "guardrails-baseline.json"
TOOL, VERSION = "worker-guardrails", 1
MAX_BYTES = 50_000_000
CODE = 160  # characters of anchored code that an entry shows

_CONFLICT = re.compile(r"^(?:<{7}|={7}|>{7})(?: |$)", re.MULTILINE)
_REWRITE = "rewrite it: guardrails baseline write --force"
_AT_BYTE = re.compile(r"\(byte (\d+)\)")


class BaselineError(Exception):
    """A baseline that cannot be used; the message is one sentence: `FILE:LINE: what; remedy`."""


class Entry(msgspec.Struct, frozen=True, order=True, omit_defaults=True):
    """Equal findings of one scope. `code` is the subject or the anchored code, shortened: for readers, never compared."""

    path: str
    rule: str
    scope: str
    code: str
    fingerprint: str
    count: int = 1

    @property
    def times(self) -> str:
        """` (3 times)`; "" for once."""
        return f" ({self.count} times)" if self.count > 1 else ""


class _File(msgspec.Struct, frozen=True):
    tool: str
    version: int
    findings: tuple[Entry, ...]


class Split(msgspec.Struct, frozen=True):
    """Findings by whether they are known, and the entries (with the number of findings that they miss) that matched too little."""

    new: tuple[Found, ...]
    known: tuple[Found, ...]
    stale: tuple[Entry, ...]


class Baseline:
    """Entries, asked for whole runs at a time."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries = tuple(sorted(entries))

    @classmethod
    def of(cls, findings: Iterable[Found], renames: Mapping[str, str] | None = None) -> Baseline:
        """What these findings amount to; `renames` gives the path by which a file is known now, by that of then."""
        now = renames or {}
        groups: Counter[Entry] = Counter()
        for one in findings:
            path = now.get(one.spot.path, one.spot.path)
            groups[Entry(path, one.rule, one.scope, _shown(one.key), _mark(one, path))] += 1
        return cls(msgspec.structs.replace(entry, count=count) for entry, count in groups.items())

    def split(
        self, findings: Sequence[Found], *, first: Callable[[Found], bool] = lambda _: False, exists: Callable[[str], bool] = lambda _: True
    ) -> Split:
        """The findings by whether they are known. Of equal ones those that `first` picks are the new ones before the others.

        `exists` says whether a file is still there.
        """
        room = Counter({entry.fingerprint: entry.count for entry in self.entries})
        order = sorted(range(len(findings)), key=lambda index: (first(findings[index]), index))
        known = {index for index in order if _take(room, _mark(findings[index], findings[index].spot.path))}
        left: dict[tuple[str, str], list[Entry]] = {}
        for entry in self.entries:
            if room[entry.fingerprint] and (entry.scope or not exists(entry.path)):
                left.setdefault((entry.rule, entry.scope), []).append(entry)
        for index in (index for index in order if index not in known):
            one = findings[index]
            if any(_take(room, _mark(one, entry.path)) for entry in left.get((one.rule, one.scope), ())):
                known.add(index)
        stale = (msgspec.structs.replace(entry, count=room[entry.fingerprint]) for entry in self.entries if room[entry.fingerprint] > 0)
        new = tuple(one for index, one in enumerate(findings) if index not in known)
        return Split(new, tuple(findings[index] for index in sorted(known)), tuple(stale))

    def without(self, stale: Iterable[Entry]) -> Baseline:
        """These entries less the counts of the stale ones."""
        less = Counter({entry.fingerprint: entry.count for entry in stale})
        kept = (msgspec.structs.replace(entry, count=entry.count - less[entry.fingerprint]) for entry in self.entries)
        return Baseline(entry for entry in kept if entry.count > 0)

    @property
    def size(self) -> int:
        """How many findings are known."""
        return sum(entry.count for entry in self.entries)

    def text(self) -> str:
        """The file: JSON, sorted, a line an entry, so that a change shows what came and went."""
        head = f'{{\n  "tool": "{TOOL}",\n  "version": {VERSION},\n  "findings": ['
        lines = ",\n".join("    " + msgspec.json.encode(entry).decode() for entry in self.entries)
        return f"{head}\n{lines}\n  ]\n}}\n" if lines else f"{head}]\n}}\n"


def read(text: str, name: str) -> Baseline:
    """A baseline from the text of its file. Raises `BaselineError`."""
    if found := _CONFLICT.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise BaselineError(f"{name}:{line}: a merge left its conflict marks here; keep the lines of both sides, or {_REWRITE}")
    try:
        raw = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        at = _AT_BYTE.search(str(error))
        line = text.encode()[: int(at[1])].count(b"\n") + 1 if at else text.count("\n") + 1
        raise BaselineError(f"{name}:{line}: this is no whole baseline ({_cut(error)}); restore it from git, or {_REWRITE}") from None
    if not isinstance(raw, dict) or raw.get("tool") != TOOL:
        raise BaselineError(f'{name}:1: this is no baseline of guardrails (it has no `"tool": "{TOOL}"`); name another file')
    if raw.get("version") != VERSION:
        raise BaselineError(
            f"{name}:1: this baseline has version {raw.get('version')!r}, and this guardrails knows version {VERSION}; "
            f"use the guardrails that wrote it, or {_REWRITE}"
        )
    try:
        entries = msgspec.convert(raw, _File).findings
    except msgspec.ValidationError as error:
        raise BaselineError(f"{name}:{_line(text, error)}: this entry is broken ({_cut(error)}); mend it, or rewrite the file") from None
    merged: dict[str, Entry] = {}
    for entry in entries:
        if entry.count < 1:
            raise BaselineError(f"{name}:{_line_of(text, entry)}: this entry has the count {entry.count}; a count is 1 or more")
        if (other := merged.get(entry.fingerprint)) is None or other.count < entry.count:
            merged[entry.fingerprint] = entry  # a merge may leave an entry twice
    return Baseline(merged.values())


def load(path: Path, name: str) -> Baseline:
    """The baseline of a file. Raises `BaselineError`."""
    try:
        data = read_plain(path, MAX_BYTES)
    except FileNotFoundError:
        named = "" if name == FILE else f" --file {shlex.quote(name)}"
        raise BaselineError(f"{name}: there is no such baseline; write one: guardrails baseline write{named}") from None
    except OSError as error:
        raise BaselineError(f"{name}: this baseline cannot be read ({(error.strerror or 'error').lower()}); mend its permissions") from None
    if isinstance(data, str):
        raise BaselineError(f"{name}: this baseline cannot be read ({data}); name a plain file")
    try:
        return read(data.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BaselineError(f"{name}:{line}: this is not UTF-8; restore the file from git") from None


def usual(root: Path) -> Baseline | None:
    """The baseline that a project keeps in the usual place; None where it keeps none. Raises `BaselineError`."""
    path = root / FILE
    return load(path, FILE) if path.exists() else None


def judged(entries: Iterable[Entry], paths: Collection[str], whole: bool, rules: Collection[str]) -> tuple[Entry, ...]:
    """The entries that a run could have matched: of rules that ran, in files that were looked at; in vanished ones after a `whole` run."""
    return tuple(entry for entry in entries if entry.rule in rules and (whole or entry.path in paths))


def _mark(found: Found, path: str) -> str:
    """What equal findings of a scope have in common."""
    return fingerprint.make(found.rule, path, found.scope, found.key, 0)


def _take(room: Counter[str], mark: str) -> bool:
    if room[mark] <= 0:
        return False
    room[mark] -= 1
    return True


def _shown(key: str) -> str:
    text = key.encode("utf-8", "replace").decode()
    return text if len(text) <= CODE else f"{text[: CODE - 3]}..."


def _cut(error: Exception) -> str:
    said = " ".join(str(error).split())
    return said[:1].lower() + said[1:]


def _line(text: str, error: msgspec.ValidationError) -> int:
    """The line of the entry that a decoder complains about: they stand a line each."""
    number = re.search(r"findings\[(\d+)\]", str(error))
    starts = [match.start() for match in re.finditer(r'\{"path"', text)]
    return text.count("\n", 0, starts[int(number[1])]) + 1 if number and int(number[1]) < len(starts) else 1


def _line_of(text: str, entry: Entry) -> int:
    return text.count("\n", 0, max(text.find(entry.fingerprint), 0)) + 1
