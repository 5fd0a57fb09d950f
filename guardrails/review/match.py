"""Which comment tells which finding, whatever has moved since."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from guardrails.result import Found
from guardrails.review.hunks import Hunks
from guardrails.review.marker import Mark, cause_of, key_of
from guardrails.review.told import Comment

TOP = ("", "<module>")  # scopes that many files have

Said = tuple[Comment, Mark]
Test = Callable[[Found, Said], bool]


class Matched:
    """Findings beside the marks of comments. `at` gives for a finding's fingerprint the comment that tells it, `alive` the marks that
    still hold, as (comment, fingerprint)."""

    def __init__(self, findings: Sequence[Found], said: Sequence[Said], hunks: Hunks) -> None:
        self.at: dict[str, Comment] = {}
        self.alive: set[tuple[int, str]] = set()
        self._hunks = hunks
        self._left = list(findings)
        self._keys = {one.fingerprint: key_of(one) for one in findings}
        opened, closed = [one for one in said if not one[1].closed], [one for one in said if one[1].closed]
        for test in (self._same_line, _same, self._same_parts, self._moved):
            self._pair(opened, test)
        self._twins(opened)
        self._causes(opened, findings)
        for test in (_same, self._same_parts):
            self._pair(closed, test)

    def _pair(self, said: Sequence[Said], test: Test) -> None:
        """Pairs what is left, one to one."""
        left = []
        for found in self._left:
            match = next((one for one in said if (one[0].id, one[1].fp) not in self.alive and test(found, one)), None)
            if match is None:
                left.append(found)
                continue
            self.alive.add((match[0].id, match[1].fp))
            self.at[found.fingerprint] = match[0]
        self._left = left

    def _twins(self, said: Sequence[Said]) -> None:
        """Two comments that say the same in one place, as two runs at once leave them, both hold."""
        hold = {(comment.path, comment.line, mark.fp) for comment, mark in said if (comment.id, mark.fp) in self.alive}
        self.alive |= {(comment.id, mark.fp) for comment, mark in said if (comment.path, comment.line, mark.fp) in hold}

    def _causes(self, said: Sequence[Said], findings: Sequence[Found]) -> None:
        """A comment about several findings of one cause holds as long as there is one of them."""
        for comment, mark in said:
            shared = [one for one in findings if one.fingerprint in mark.also or (mark.cause and mark.cause == cause_of(one))]
            for one in shared:
                self.at.setdefault(one.fingerprint, comment)
            if shared:
                self.alive.add((comment.id, mark.fp))
        self._left = [one for one in self._left if one.fingerprint not in self.at]

    def _alike(self, found: Found, mark: Mark) -> bool:
        return mark.rule == found.rule and mark.scope == found.scope and mark.key == self._keys[found.fingerprint]

    def _same_line(self, found: Found, said: Said) -> bool:
        """Equal faults of one function are told apart by where they stand: which is the first of them may have changed."""
        comment, mark = said
        here = (
            comment.line is not None
            and found.spot.line <= comment.line <= found.spot.end_line
            and comment.path == self._hunks.real(found.spot.path)
        )
        return here and mark.path == found.spot.path and self._alike(found, mark)

    def _same_parts(self, found: Found, said: Said) -> bool:
        path = found.spot.path
        return self._alike(found, said[1]) and said[1].path in (path, self._hunks.former(path)) and bool(said[1].path)

    def _moved(self, found: Found, said: Said) -> bool:
        """In another file: a function went there, or the whole file has another name that the change as a whole does not show."""
        mark = said[1]
        return self._alike(found, mark) and bool(mark.path) and (mark.scope not in TOP or mark.path not in self._hunks)


def _same(found: Found, said: Said) -> bool:
    return found.fingerprint == said[1].fp or (said[1].closed and found.fingerprint in said[1].also)


def marked(comments: Sequence[Comment], marks: Callable[[str], Sequence[Mark]]) -> Iterator[Said]:
    """Each mark of each comment, in order of the comments."""
    for comment in sorted(comments, key=lambda one: one.id):
        yield from ((comment, mark) for mark in marks(comment.body))
