"""Secrets in a stream of bytes: replaced although a value may arrive in pieces."""

import re
from bisect import bisect_left
from collections.abc import Iterable

MARK = b"[redacted]"


class Redactor:
    """Replaces values in bytes that arrive piece by piece. What may be the beginning of a value is held back until that is decided."""

    def __init__(self, values: Iterable[bytes]) -> None:
        self._values = sorted({value for value in values if value}, key=len, reverse=True)
        self._any = re.compile(b"|".join(map(re.escape, self._values))) if self._values else None
        self._held = b""

    def feed(self, data: bytes) -> bytes:
        """What can be told of all that was fed so far."""
        if self._any is None:
            return data
        data, told, at = self._held + data, list[bytes](), 0
        doubts = self._doubts(data)
        while True:
            found, doubt = self._any.search(data, at), doubts[bisect_left(doubts, at)]
            if found is None or found.start() >= doubt:  # a longer value may begin where a shorter one was found
                break
            told += [data[at : found.start()], MARK]
            at = found.end()
        self._held = data[doubt:]
        return b"".join([*told, data[at:doubt]])

    def end(self, *, cut: bool = False) -> bytes:
        """The rest; with `cut` more would have followed, so a value's beginning is replaced, too."""
        rest, self._held = self._held, b""
        if cut and rest:
            return MARK
        return self.whole(rest)

    def whole(self, data: bytes) -> bytes:
        """Bytes that are complete."""
        return data if self._any is None else self._any.sub(MARK, data)

    def text(self, text: str) -> str:
        """The same for text."""
        return self.whole(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")

    def _doubts(self, data: bytes) -> list[int]:
        """The places at which the rest of the data is the beginning of a value; last, the end."""
        first = max(0, len(data) - len(self._values[0]) + 1)
        ends = ((at, data[at:]) for at in range(first, len(data)))
        return [*(at for at, end in ends if any(len(value) > len(end) and value.startswith(end) for value in self._values)), len(data)]
