"""Which files may log a secret, told from their bytes: a log call that names one, or a variable that was built from one above it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrails.names.words import Words
from guardrails.project.secrets import NOUNS, PAIRS, secret_noun

_LEVELS = (b"debug", b"info", b"warn", b"warning", b"error", b"exception", b"critical", b"log", b"trace", b"fatal")
_MACROS = (b"info!", b"warn!", b"error!", b"debug!", b"trace!", b"println!")
_OTHERS = (b"echo", b"secho", b"bind", b"set_attribute", b"setAttribute", b"bind_contextvars")
_CALLS = (*(b"." + level for level in (*_LEVELS, *_OTHERS)), b"print", *_MACROS)  # what stands before the bracket of a log call
_WORDS = (*(level.decode() for level in (*_LEVELS, *_OTHERS)), "print", "pprint", "println")
_WHOLE_NAMES = frozenset((b"headers", b"environ", b"all_headers", b"get_secret_value"))
_REQUESTS = ("request", "req", "settings", "config", "env", "text", "job")
# Only as they stand: an attribute or an item of theirs is told by its own name.
_WHOLE = re.compile(
    rb"\b(?:request|req)\.(?:data|body|json|form|POST|META)\b|\bprocess\.env\b(?![.\[\w])|"
    rb"(?:\bsettings|\bjob|\.config)\b(?![.\[(\w=])|\bsettings\.(?:model_dump|dict)\(|\.text\b(?![.\[(\w=])"
)
_NAME = re.compile(rb"[\w-]+")
_STRING = re.compile(rb"""(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)(?=\s*([:\]])?)""")
_FILLED = re.compile(rb"\{([^{}]*)\}")
_LABELLED = re.compile(rb"""\s*[:=]\s*(?:%[sr]|[{"'])""")
_FILLERS = (b" generated", b" is", b" was")
_ASSIGNED = re.compile(rb"[ \t]+(?:const |let |var |self\.)?(\w+)(?:(?:\[[^]\n]{1,40}\])?(?:: [^\n=]{1,40})? ?= |\.update\()")
_ARGUMENTS = 500  # bytes of a log call that are looked at
_BEFORE = 1200  # and of what stands before it, for a local variable that was built there
_KEY = 40  # the longest text in brackets that is taken for a key


class Leaks:
    """The words of a project that name a secret, and the files in which a log call may write one."""

    def __init__(self, words: Words, more: frozenset[str] = frozenset(), fields: frozenset[str] = frozenset()) -> None:
        self._words, self._more = words, more
        self._all, self._fields = _any_of(fields), tuple(name.encode() for name in sorted(fields))
        parts = NOUNS | {pair[1] for pair in PAIRS} | more
        self._names = {
            word for word in words.containing(parts, ignore_case=True) if secret_noun(word.decode("utf-8", "replace"), more)
        } | _WHOLE_NAMES
        self._held: dict[str, list[bytes]] = {}
        for name in sorted(self._names):
            for path in words.holding(name.decode("utf-8", "surrogateescape")):
                self._held.setdefault(path, []).append(name)
        self._with_names = self._held.keys()

    def candidates(self) -> set[str]:
        """The files that hold the word of a log call and one that names a secret or a request."""
        logging = set(self._words.holding_any(_WORDS))
        return logging.intersection((*self._held, *self._words.holding_any(_REQUESTS)))

    def may_log(self, path: str, text: bytes) -> bool:
        """Whether a log call may write a secret: by its arguments, or by a local variable that was built above it."""
        built: list[tuple[int, bytes]] | None = None
        for start in _log_calls(text):
            said = text[start : start + _ARGUMENTS]
            said = said[: end + 1] if (end := said.find(b")\n")) >= 0 else said
            values = _STRING.sub(_outside, said)
            if self._tells(said, values) or _WHOLE.search(values) or (path in self._with_names and self._all.search(values)):
                return True
            if built is None:
                built = list(self._built(path, text))
            near = {name for at, name in built if start - _BEFORE < at < start}
            if near and not near.isdisjoint(_NAME.findall(values)):
                return True
        return False

    def _tells(self, said: bytes, values: bytes) -> bool:
        """An expression names a secret, or a label does right before a value."""
        if any(name in self._names or (b"-" in name and self._noun(name)) for name in _NAME.findall(values)):
            return True
        return any(self._noun(_label(said, end.start())) for end in _LABELLED.finditer(said))

    def _noun(self, name: bytes) -> str:
        return secret_noun(name.decode("latin-1"), self._more)

    def _built(self, path: str, text: bytes) -> Iterator[tuple[int, bytes]]:
        """The variables that are assigned something with a secret in it, with the place."""
        held = self._held.get(path, ())
        for name in (*held, b"request.", b"req.", *(self._fields if held else ())):
            at = text.find(name)
            while at >= 0:
                line = text.rfind(b"\n", 0, at) + 1
                end = text.find(b"\n", at)
                end = len(text) if end < 0 else end
                found = _ASSIGNED.match(text, line, at)
                rest = text[found.end() : end] if found else b""
                if found and (_WHOLE.search(rest) or self._all.search(rest) or self._tells(rest, _STRING.sub(_outside, rest))):
                    yield line, found[1]
                at = text.find(name, end)


def _any_of(fields: frozenset[str]) -> re.Pattern[bytes]:
    """All fields of an object, or all local names, by the words that give them."""
    return re.compile(rb"\b(?:" + b"|".join(re.escape(name.encode()) for name in ("locals", *sorted(fields))) + rb")\b")


def _log_calls(text: bytes) -> Iterator[int]:
    """Where the arguments of each log call begin."""
    at = 0
    for piece in text.split(b"("):
        at += len(piece) + 1
        if piece.endswith(_CALLS):
            yield at


def _outside(string: re.Match[bytes]) -> bytes:
    """What a string says beside its prose: the expressions that fill it; all of it, where it is a key or an argument of a reader."""
    text, start = string[0], string.start()
    if (string[1] or string.string[start - 1 : start] in (b"[", b"(")) and len(text) <= _KEY:
        return text
    return b" ".join((b"", *_FILLED.findall(text), b"")) if b"{" in text else b" "


def _label(said: bytes, end: int) -> bytes:
    """The words before a place."""
    label = said[max(0, end - _KEY) : end]
    for filler in _FILLERS:
        label = label.removesuffix(filler)
    return label
