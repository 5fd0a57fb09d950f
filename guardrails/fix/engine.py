"""Repairs in rounds: edit in memory, look again, keep what mended its finding and brought no new one; nothing is written here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec

from guardrails import fix
from guardrails.finding import Repair
from guardrails.fix.source import Edit, Source, UnfitError, apply
from guardrails.read import language_of, read
from guardrails.result import Found, Result

ROUNDS = 5
_TRIES = 16  # looks at the project that one round may cost

Look = Callable[[Mapping[str, bytes]], Result]  # the findings with these contents in place of what is on disk
Load = Callable[[str], bytes | None]  # the bytes of a file; None for one that must not be changed


class Mended(msgspec.Struct, frozen=True):
    """What came of it. `before` and `after` hold the bytes of each changed file; `repaired` are the findings that are gone,
    `possible` those that `--unsafe` could repair as well, `dropped` those whose repair did not work out."""

    before: Mapping[str, bytes]
    after: Mapping[str, bytes]
    repaired: tuple[Found, ...]
    possible: tuple[Found, ...]
    dropped: tuple[Found, ...]
    result: Result


class _Change(msgspec.Struct, frozen=True):
    """The edits that mend a finding, in the file of its repair."""

    found: Found
    repair: Repair
    edits: tuple[Edit, ...]


class Engine:
    """One run of repairs over a project that is looked at with `look`."""

    def __init__(self, look: Look, load: Load, unsafe: bool = False) -> None:
        self._look, self._load, self._unsafe = look, load, unsafe
        self.before: dict[str, bytes] = {}
        self.after: dict[str, bytes] = {}
        self.repaired: list[Found] = []
        self._dropped: dict[str, Found] = {}  # by fingerprint
        self._tries = 0

    def run(self, result: Result) -> Mended:
        """Repairs what `result` found, until nothing changes."""
        for _ in range(ROUNDS):
            changes, self._tries = self._chosen(result), 0
            if not changes:
                break
            made = self._attempt(changes, result)
            if made is None:
                continue
            result = made
        changed = {path: data for path, data in self.after.items() if data != self.before[path]}
        before = {path: self.before[path] for path in changed}
        possible = tuple(one for one in result.findings if one.repair is not None and self._is_possible(one.repair, one))
        return Mended(before, changed, tuple(self.repaired), possible, tuple(self._dropped.values()), result)

    def _is_possible(self, repair: Repair, found: Found) -> bool:
        """Only `--unsafe` makes it, and it could be made."""
        source = self._source(repair.at.path) if not repair.safe and not self._unsafe else None
        return source is not None and fix.edits(source, repair) is not None

    def _chosen(self, result: Result) -> list[_Change]:
        """The repairs that can be made together: of two that touch the same bytes the first; the other waits for the next round."""
        wanted = [(one, one.repair) for one in result.findings if one.repair is not None and (one.repair.safe or self._unsafe)]
        changes: list[_Change] = []
        sources: dict[str, Source | None] = {}
        for found, repair in wanted:
            path = repair.at.path
            if path not in sources:
                sources[path] = self._source(path)
            source = sources[path]
            if source is None or found.fingerprint in self._dropped:
                continue
            edits = fix.edits(source, repair)
            if edits is None:
                self._drop(found)
            elif all(_agree(edits, one.edits) for one in changes if one.repair.at.path == path):
                changes.append(_Change(found, repair, tuple(edits)))
        return changes

    def _source(self, path: str) -> Source | None:
        data = self._bytes(path)
        try:
            return Source(path, data) if data is not None else None
        except UnfitError:
            return None

    def _bytes(self, path: str) -> bytes | None:
        if path not in self.after:
            data = self._load(path) if language_of(path) == "python" else None
            if data is None:
                return None
            self.before[path] = self.after[path] = data
        return self.after[path]

    def _drop(self, found: Found) -> None:
        self._dropped[found.fingerprint] = found

    def _attempt(self, changes: Sequence[_Change], result: Result) -> Result | None:
        """Makes the changes, looks again, and takes back those that do not hold; the findings after those that do."""
        if not changes or self._tries >= _TRIES:
            for change in changes:
                self._drop(change.found)
            return None
        made = self._made(changes)
        broken = [one for one in changes if one.repair.at.path not in made]
        if broken:
            return self._without(broken, changes, result)
        self._tries += 1
        seen = self._look({**self.after, **made})
        worse = _worse(result, seen, changes)
        if worse:
            blamed = [one for one in changes if one.repair.at.path in worse or one.found.spot.path in worse] or list(changes)
            return self._without(blamed, changes, result)
        self.after.update(made)
        self.repaired += [one.found for one in changes]
        return seen

    def _without(self, blamed: Sequence[_Change], changes: Sequence[_Change], result: Result) -> Result | None:
        """The others first; then the blamed ones by halves, until those that do not hold stand alone."""
        others = [one for one in changes if one not in blamed]
        if others:
            result_after = self._attempt(others, result)
            again = [one for one in blamed if not any(one.repair.at.path == other.repair.at.path for other in others)]
            return self._attempt(again, result_after or result) or result_after
        if len(blamed) == 1:
            self._drop(blamed[0].found)
            return None
        half = len(blamed) // 2
        first = self._attempt(blamed[:half], result)
        if first is not None:
            return first  # offsets have moved: the other half waits for the next round
        return self._attempt(blamed[half:], result)

    def _made(self, changes: Sequence[_Change]) -> dict[str, bytes]:
        """The changed files that still can be read."""
        by_path: dict[str, set[Edit]] = {}
        for change in changes:
            by_path.setdefault(change.repair.at.path, set()).update(change.edits)
        made = {path: apply(self.after[path], sorted(edits)) for path, edits in by_path.items()}
        return {path: data for path, data in made.items() if _reads(path, self.after[path], data)}


def _agree(edits: Iterable[Edit], others: Iterable[Edit]) -> bool:
    """No two edits touch the same bytes, unless they are the same."""
    other = set(others)
    return all(one == two or one.end < two.start or two.end < one.start for one in edits for two in other)


def _reads(path: str, before: bytes, after: bytes) -> bool:
    """Both readers can read it, and neither sees more broken places than before."""
    try:
        Source(path, after)
    except UnfitError:
        return False
    return len(read(path, after).broken) <= len(read(path, before).broken)


def _worse(before: Result, after: Result, changes: Sequence[_Change]) -> set[str]:
    """The files in which a rule finds more than it should once the changes are made.

    What the rule had not told because one finding of its kind was enough comes to light now, and has its own repair.
    """
    told = {(one.rule, one.spot.path, one.key) for one in before.findings}
    revealed = [one for one in after.findings if one.repair is not None and (one.rule, one.spot.path, one.key) not in told]
    were, gone = _counts(before.findings), _counts(one.found for one in changes)
    mended = set(gone)
    hidden = {one.fingerprint for one in revealed if (one.spot.path, one.rule) in mended}
    are = _counts(one for one in after.findings if one.fingerprint not in hidden)
    return {path for (path, rule), count in are.items() if count > were[path, rule] - gone[path, rule]}


def _counts(found: Iterable[Found]) -> Counter[tuple[str, str]]:
    return Counter((one.spot.path, one.rule) for one in found)
