"""Which files are worth reading: those that hold a word that matters. Bytes only; nothing is parsed here."""

from __future__ import annotations

import re
from collections.abc import Iterable

from guardrails.frameworks.catalogue import Catalogue
from guardrails.names.code import Code
from guardrails.project.secrets import NOUNS

_LOG_CALL = re.compile(rb"(?:\.(?:debug|info|warn|warning|error|exception|critical|log|trace|fatal)!?|\bprint|\bprintln!|\b(?:info|warn|error|debug|trace)!)\(")
_LOG_WORDS = ("debug", "info", "warn", "warning", "error", "exception", "critical", "log", "print", "trace", "fatal", "println")
_SECRET = re.compile(rb"(?i)" + b"|".join(sorted({noun.encode() for noun in NOUNS} | {b"headers", b"environ", b"_key", b"apikey", b"_url", b"\\.body", b"\\.data", b"\\.json"})))
_NEAR = 500  # bytes after a log call in which its arguments are looked for
_BEFORE = 160  # and before it, for a local variable that was built just above


class Sift:
    """Chooses files by their words."""

    def __init__(self, code: Code, catalogue: Catalogue) -> None:
        self._code, self._catalogue = code, catalogue

    def first(self) -> list[str]:
        """The files that hold a word of a model, a settings key, an allow comment, or a log call near a secret word."""
        index = self._code.words
        words = {*self._catalogue.words(), "guardrails"}
        for key in self._catalogue.settings_keys():
            words.update((key, *index.containing(key.upper())))
        matching = index.holding_any(words)
        logging = set(index.holding_any(_LOG_WORDS)) - set(matching)
        return sorted({*matching, *(path for path in logging if _logs_a_secret(self._code.text(path)))})

    def naming_jobs(self, symbols: Iterable[str]) -> list[str]:
        """The files that name a job: they may enqueue it without a framework word."""
        names = {symbol.rpartition(".")[2] for symbol in symbols if not symbol.startswith("?")}
        found = self._code.words.holding_any(name for name in names if len(name) > 5)
        return [path for path in found if not self._code.is_read(path)]


def _logs_a_secret(text: bytes) -> bool:
    return any(_SECRET.search(text, max(0, m.start() - _BEFORE), m.end() + _NEAR) for m in _LOG_CALL.finditer(text))
