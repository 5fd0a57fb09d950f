"""Which files are worth reading: those that hold a word that matters. Bytes only; nothing is parsed here."""

from __future__ import annotations

import re
from collections.abc import Iterable

from guardrails.frameworks.catalogue import Catalogue
from guardrails.frameworks.sightings import JobSeen
from guardrails.names.code import Code
from guardrails.project.secrets import NOUNS

_LOG_CALL = re.compile(rb"(?:\.(?:debug|info|warn|warning|error|exception|critical|log|trace|fatal)!?|\bprint|\bprintln!|\b(?:info|warn|error|debug|trace)!)\(")
_LOG_WORDS = ("debug", "info", "warn", "warning", "error", "exception", "critical", "log", "print", "trace", "fatal", "println")
_NOUN = rb"(?i:" + b"|".join(sorted({noun.encode() for noun in NOUNS} | {b"headers", b"environ", b"_key", b"apikey", b"_url", b"_link"})) + rb")"
_SECRET = re.compile(_NOUN)
_SECRET_WORD = re.compile(rb"\w*" + _NOUN + rb"\w*|request|req|job")
_WHOLE = re.compile(rb"\b(?:request|req)\.(?:data|body|json|form|POST|META)\b|\bjob\b")
# A plain string that is neither a key nor an argument of a reader.
_PROSE = re.compile(rb"""(?<![fF\[(])(?:"[^"\n]*"|'[^'\n]*'|`[^`$]*`)(?!\s*[:\]])""")
_LABEL = re.compile(_NOUN + rb"""[\w ]*[:=]\s*(?:%[sr]|\{\})?["']\s*[,%+]|""" + _NOUN + rb"[\w ]*[:=]\s*\{")
_ASSIGNED = re.compile(rb"(?m)^[ \t]+(?:const |let |var |self\.)?(\w+)(?:: [^\n=]{1,40})? ?= [^\n]*" + _NOUN)
_WEBHOOK = re.compile(rb"""(?i)(?:\bdef|\bclass|\bfunction|\bfn|\bconst)\s+\w*web_?hook|["'`/][^"'`\n]*web_?hook[^"'`\n]*["'`]""")
_HANDLES = re.compile(rb"""@[\w.]+\.(?:post|route|api_route|put)\(|\w+View\b|\bView\b|ViewSet|csrf_exempt|require_POST|api_view|\.post\(|\.route\(""")
_ARGUMENTS = 500  # bytes of a log call that are looked at
_BEFORE = 1200  # and of what stands before it, for a local variable that was built there


class Sift:
    """Chooses files by their words."""

    def __init__(self, code: Code, catalogue: Catalogue) -> None:
        self._code, self._catalogue = code, catalogue

    def first(self) -> list[str]:
        """The files that hold a word of a model, a settings key, an allow comment, or a log call near a secret word."""
        index = self._code.words
        words = {*self._catalogue.words(), "guardrails"}
        phrases = {word for word in words if not word.replace("_", "a").isalnum()}
        keys = b"|".join(key.upper().encode() for key in sorted(self._catalogue.settings_keys()))
        words.update(self._catalogue.settings_keys(), index.matching(re.compile(rb"\w*(?:" + keys + rb")\w*")))
        matching = [*index.holding_any(words - phrases), *(path for phrase in phrases for path in self._holding_phrase(phrase))]
        secret = set(index.holding_any(index.matching(_SECRET_WORD)))
        logging = secret.intersection(index.holding_any(_LOG_WORDS)).difference(matching)
        return sorted({*matching, *(path for path in logging if _logs_a_secret(self._code.text(path)))})

    def webhooks(self) -> list[str]:
        """The files that may hold the handler of a webhook: the word in a route or a definition's name, and a sign of a handler."""
        index = self._code.words
        words = index.matching(re.compile(rb"\w*web_?hook\w*", re.IGNORECASE))
        return [path for path in index.holding_any(words) if _WEBHOOK.search(text := self._code.text(path)) and _HANDLES.search(text)]

    def _holding_phrase(self, phrase: str) -> list[str]:
        """The files that hold a text of several words or signs: `tokio::spawn`."""
        words = re.findall(r"\w+", phrase)
        return [path for path in self._code.words.holding(words[-1]) if phrase.encode() in self._code.text(path)]

    def naming_jobs(self, jobs: Iterable[JobSeen]) -> list[str]:
        """The files that name a job whose framework enqueues without a word of its own: `charge.send(..)`, `charge(..)`."""
        names = {job.symbol.rpartition(".")[2] for job in jobs if not job.symbol.startswith("?") and _hands_over_quietly(job)}
        found = self._code.words.holding_any(name for name in names if len(name) > 5)
        return [path for path in found if not self._code.is_read(path)]


def _hands_over_quietly(job: JobSeen) -> bool:
    return any(form.on_job and not form.signature and form.on_job.rpartition(".")[2] not in {word.strip(".") for word in job.model.words} for form in job.model.enqueues)


def _logs_a_secret(text: bytes) -> bool:
    """Whether a log call may write a secret: by its arguments, or by a local variable that was built above it."""
    built = [(match.start(), match[1]) for match in _ASSIGNED.finditer(text)]
    for call in _LOG_CALL.finditer(text):
        said = text[call.end() : call.end() + _ARGUMENTS]
        said = said[: end + 1] if (end := said.find(b")\n")) >= 0 else said
        values = _PROSE.sub(b"", said)
        if _SECRET.search(values) or _WHOLE.search(values) or _LABEL.search(said):
            return True
        near = {name for at, name in built if call.start() - _BEFORE < at < call.start()}
        if near and not near.isdisjoint(re.findall(rb"\w+", values)):
            return True
    return False
