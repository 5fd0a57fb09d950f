"""Which files hold which words: one pass over all bytes, so that every later question is a look-up."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

# Everything but ASCII letters, digits, `_` and non-ASCII bytes separates words.
_SEPARATED = bytes(c if c == 0x5F or c >= 0x80 or chr(c).isalnum() else 0x20 for c in range(256))


class Words:
    """An inverted index: whole words to the files that hold them."""

    def __init__(self) -> None:
        self._paths: list[str] = []
        self._files: dict[bytes, list[int]] = {}

    def add(self, path: str, text: bytes) -> frozenset[bytes]:
        """Index one file; gives its words."""
        number = len(self._paths)
        self._paths.append(path)
        files = self._files
        words = frozenset(text.translate(_SEPARATED).split())
        for word in words:
            try:
                files[word].append(number)
            except KeyError:
                files[word] = [number]
        return words

    def holding(self, word: str) -> list[str]:
        """The files that hold a word, in the order in which they were added."""
        return [self._paths[number] for number in self._files.get(word.encode("utf-8", "surrogateescape"), ())]

    def holding_any(self, words: Iterable[str]) -> list[str]:
        """The files that hold one of the words, in the order in which they were added."""
        numbers: set[int] = set()
        for word in words:
            numbers.update(self._files.get(word.encode("utf-8", "surrogateescape"), ()))
        return [self._paths[number] for number in sorted(numbers)]

    def containing(self, parts: Iterable[str], ignore_case: bool = False) -> set[bytes]:
        """The words that hold one of the parts (lower case, where case does not matter)."""
        text = self._lower if ignore_case else self._text
        found = set()
        for part in parts:
            needle = part.encode()
            at = text.find(needle)
            while at >= 0:
                start, end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at)
                found.add(self._text[start:end])
                at = text.find(needle, end)
        return found

    @cached_property
    def _text(self) -> bytes:
        return b"\n".join((*self._files, b""))

    @cached_property
    def _lower(self) -> bytes:
        return self._text.lower()
