"""Which files are worth reading: those that hold a word that matters. Bytes only; nothing is parsed here."""

from __future__ import annotations

import re
from collections.abc import Iterable

from guardrails.frameworks.catalogue import Catalogue
from guardrails.frameworks.sightings import JobSeen
from guardrails.names.code import Code
from guardrails.project.leaks import Leaks
from guardrails.project.secrecy import fields_of
from guardrails.read import LANGUAGES, language_of

_WEBHOOK = re.compile(rb"""(?i)(?:\bdef|\bclass|\bfunction|\bfn|\bconst)\s+\w*web_?hook|["'`/][^"'`\n]*web_?hook[^"'`\n]*["'`]""")
_HANDLES = re.compile(
    rb"""@[\w.]+\.(?:post|route|api_route|put)\(|\w+View\b|\bView\b|ViewSet|csrf_exempt|require_POST|api_view|\.post\(|\.route\("""
)


class Sift:
    """Chooses files by their words."""

    def __init__(self, code: Code, catalogue: Catalogue, secret_words: frozenset[str] = frozenset()) -> None:
        self._code, self._catalogue, self._secret_words = code, catalogue, secret_words

    def first(self) -> list[str]:
        """The files that hold a word of a model of their language, a settings key, an allow comment, or a log call near a secret word."""
        index, keys = self._code.words, self._catalogue.settings_keys()
        upper = (word.decode("utf-8", "surrogateescape") for word in index.containing({key.upper() for key in keys}))
        matching = {*self._holding("guardrails: allow"), *index.holding_any((*keys, *upper))}
        for language in sorted(set(LANGUAGES.values())):
            found = (path for word in self._catalogue.words(language) for path in self._holding(word))
            matching.update(path for path in found if language_of(path) == language)
        leaks = Leaks(index, self._secret_words, fields_of(self._catalogue))
        logging = leaks.candidates().difference(matching)
        return sorted({*matching, *(path for path in logging if leaks.may_log(path, self._code.text(path)))})

    def naming(self, exports: Iterable[tuple[str, str]]) -> list[str]:
        """The files that import a name from a module, both given by their last words."""
        found: set[str] = set()
        for name, module in sorted(set(exports)):
            near = set(self._code.words.holding(module))
            found.update(path for path in self._code.words.holding(name) if path in near and not self._code.is_read(path))
        return sorted(found)

    def webhooks(self) -> list[str]:
        """The files that may hold the handler of a webhook: the word in a route or a definition's name, and a sign of a handler."""
        index = self._code.words
        words = [word.decode("utf-8", "surrogateescape") for word in index.containing(("webhook", "web_hook"), ignore_case=True)]
        return [path for path in index.holding_any(words) if _HANDLES.search(text := self._code.text(path)) and _names_webhook(text)]

    def _holding(self, text: str) -> list[str]:
        """The files that hold a word, or a text of several words or signs: `tokio::spawn`."""
        words = re.findall(r"\w+", text)
        found = self._code.words.holding(words[-1])
        return found if words[-1] == text else [path for path in found if text.encode() in self._code.text(path)]

    def naming_jobs(self, jobs: Iterable[JobSeen]) -> list[str]:
        """The files that name a job whose framework enqueues without a word of its own: `charge.send(..)`, `charge(..)`."""
        names = {job.symbol.rpartition(".")[2] for job in jobs if not job.symbol.startswith("?") and _hands_over_quietly(job)}
        found = self._code.words.holding_any(name for name in names if len(name) > 5)
        return [path for path in found if not self._code.is_read(path)]


def _names_webhook(text: bytes) -> bool:
    """A definition or a text in quotes is called after a webhook; only the lines that hold the word are looked at."""
    lower = text.lower()
    at = lower.find(b"hook")
    while at >= 0:
        end = text.find(b"\n", at)
        end = len(text) if end < 0 else end
        if _WEBHOOK.search(text, text.rfind(b"\n", 0, at) + 1, end):
            return True
        at = lower.find(b"hook", end)
    return False


def _hands_over_quietly(job: JobSeen) -> bool:
    return any(
        form.on_job and not form.signature and form.on_job.rpartition(".")[2] not in {word.strip(".") for word in job.model.words}
        for form in job.model.enqueues
    )
