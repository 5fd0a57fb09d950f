"""Takes secrets out of text: known values in each form in which they are printed, and whatever looks like a credential."""

import base64
import html
import json
import re
import threading
import traceback
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple
from urllib.parse import quote, quote_plus

from guardrails.runtime.logs import credentials

MARK = "[redacted]"
SHORTEST = 4
"""Characters that a value must have to be looked for: shorter ones stand in ordinary text."""
LONGEST_LINE = 1 << 18
"""Bytes of a line without an end that a stream holds back."""
_MARGIN = 8_192
_SHORTEST_LINE = 8
_SHORTEST_CORE = 8


class Span(NamedTuple):
    """Where a secret stands: from `start` to before `end`; recognised from `seen` on; `open`: more of it may follow."""

    start: int
    end: int
    seen: int
    open: bool = False


class Redactor:
    """Replaces secrets by `[redacted]`, in time linear in the text.

    `values` are secrets (four characters or more; shorter ones are not looked for), `names` are fields whose values are secrets where they
    are printed as `name=value` or `"name": "value"`. Safe to use from many threads.
    """

    def __init__(self, values: Iterable[str] = (), names: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._values: frozenset[str] = frozenset()
        self._forms: tuple[str, ...] = ()
        self.encoded: tuple[str, ...] = ()
        """The forms of all values as a stream sees them: one character a byte."""
        self._names: frozenset[str] = frozenset()
        self._credentials = credentials.finder()
        self.learn(*values, names=names)

    @property
    def values(self) -> frozenset[str]:
        """The secrets that are looked for."""
        return self._values

    def learn(self, *values: str, names: Iterable[str] = ()) -> None:
        """Look for these values, and for what stands behind these names, too; also in streams that are open already."""
        with self._lock:
            if more := frozenset(names) - self._names:
                self._names |= more
                self._credentials = credentials.finder(self._names)
            if fresh := frozenset(values) - self._values:
                self._values |= fresh
                self._forms += tuple({form for value in fresh for form in _forms(value)} - set(self._forms))
                self.encoded = tuple(_raw(form).decode("latin-1") for form in self._forms)

    def text(self, text: str) -> str:
        """The text without secrets; the same text where there are none."""
        return replaced(text, self.spans(text, self._forms))

    def fields(self, fields: Mapping[str, object]) -> dict[str, str]:
        """Values by name as redacted text; those behind a secret's name are hidden altogether."""
        return {
            name: MARK if value is not None and credentials.hides(name, self._names) else self.text(str(value))
            for name, value in fields.items()
        }

    def exception(self, error: BaseException) -> str:
        """An exception's traceback, with its causes, without secrets."""
        return self.text("".join(traceback.format_exception(error)))

    def stream(self) -> "Stream":
        """A redactor of bytes that come in chunks."""
        return Stream(self)

    def spans(self, text: str, forms: tuple[str, ...]) -> list[Span]:
        """Where secrets stand: in order, apart from each other."""
        return _apart([*_literals(text, forms), *self._recognised(text)])

    def _recognised(self, text: str) -> Iterator[Span]:
        for start, end, seen in self._credentials.found(text):
            yield Span(start, end, seen)
        for start, end, goes_on in credentials.private_keys(text):
            yield Span(start, end, start, goes_on)


class Stream:
    """Redacts bytes in chunks: the same bytes come out however they are cut. A line is held back until it is complete."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._chunks: list[str] = []
        self._size = 0
        self._skipping = False

    def feed(self, data: bytes) -> bytes:
        """Take a chunk, and give what is certain to hold no secret."""
        self._chunks.append(data.decode("latin-1"))
        self._size += len(data)
        complete = b"\n" in data or b"\r" in data
        return self._give(last=False) if complete or self._size > LONGEST_LINE else b""

    def flush(self) -> bytes:
        """Give the rest, when no more comes."""
        return self._give(last=True)

    def _give(self, last: bool) -> bytes:
        text = "".join(self._chunks)
        if self._skipping:
            text = self._skip(text)
        forms = self._redactor.encoded
        spans = self._redactor.spans(text, forms)
        cut = len(text) if last else _cut(text, spans, forms)
        if len(text) - cut > LONGEST_LINE:
            cut = _forced(text, spans, forms)
            self._skipping = cut == len(text)
        self._chunks, self._size = [text[cut:]], len(text) - cut
        return replaced(text[:cut], [span for span in spans if span.start < cut]).encode("latin-1")

    def _skip(self, text: str) -> str:
        """Drop the rest of a line whose secret had no end in sight."""
        end = re.search(r"[\r\n]", text)
        self._skipping = end is None
        return text[end.start() :] if end else ""


def _cut(text: str, spans: list[Span], forms: tuple[str, ...]) -> int:
    """Up to where nothing that may still come changes the text: the end of a line that no secret crosses."""
    cut = _line_start(text, len(text))
    many = [form for form in forms if "\n" in form or "\r" in form]
    crossing = [span.start for span in spans if span.open]
    crossing += [start for form in many if (start := _begun(text, form)) < len(text)]
    while True:
        before = [start for start in crossing if start < cut] + [span.start for span in spans if span.start < cut < span.end]
        if not before:
            return cut
        cut = _line_start(text, min(before))


def _forced(text: str, spans: list[Span], forms: tuple[str, ...]) -> int:
    """Where to cut a line that is too long to hold: not within a secret, nor near the end, where one may begin. Its end: nowhere else."""
    cut = len(text) - max([_MARGIN, *map(len, forms)])
    for span in reversed(spans):
        if span.seen < cut < span.end:
            cut = span.seen
    return cut if cut > _MARGIN else len(text)


def _line_start(text: str, before: int) -> int:
    return max(text.rfind("\n", 0, before), text.rfind("\r", 0, before)) + 1


def _begun(text: str, form: str) -> int:
    """Where the text's end begins to be the form; the text's length where it does not."""
    at = text.find(form[0], max(0, len(text) - len(form) + 1))
    while at >= 0 and not form.startswith(text[at:]):
        at = text.find(form[0], at + 1)
    return len(text) if at < 0 else at


def replaced(text: str, spans: Iterable[Span]) -> str:
    """The text with the mark in place of each span."""
    kept, done = [], 0
    for span in spans:
        kept += [text[done : span.start], MARK]
        done = span.end
    return "".join([*kept, text[done:]])


def _apart(spans: list[Span]) -> list[Span]:
    """Spans in order, those that overlap made one."""
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start < joined[-1].end:
            last = joined.pop()
            span = Span(last.start, max(last.end, span.end), min(last.seen, span.seen), last.open or span.open)
        joined.append(span)
    return joined


def _literals(text: str, forms: Iterable[str]) -> Iterator[Span]:
    for form in forms:
        start = end = at = text.find(form)
        while at >= 0:
            if at >= end > start:
                yield Span(start, end, start)
                start = at
            end = at + len(form)
            at = text.find(form, at + 1)
        if end > start:
            yield Span(start, end, start)


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _forms(value: str) -> set[str]:
    """A secret as it may stand in text: escaped, quoted, in base64 (also within more) and in hexadecimal, whole and by lines."""
    lines = [line for line in value.splitlines() if len(line.strip()) >= _SHORTEST_LINE]
    found: set[str] = set()
    for plain in {value, value.strip(), *(line.strip() for line in lines)}:
        if len(plain) >= SHORTEST:
            found.update(_escaped(plain), _base64(_raw(plain)), (_raw(plain).hex(), _raw(plain).hex().upper()))
    return {form for form in found if len(form) >= SHORTEST and form not in MARK}


def _escaped(plain: str) -> Iterator[str]:
    yield from (plain, repr(plain)[1:-1], repr(_raw(plain))[2:-1], html.escape(plain), html.escape(plain, quote=False))
    yield from (json.dumps(plain)[1:-1], json.dumps(plain, ensure_ascii=False)[1:-1])
    for quoted in (quote(_raw(plain)), quote(_raw(plain), safe=""), quote_plus(_raw(plain))):
        yield from (quoted, re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), quoted))


def _base64(raw: bytes) -> Iterator[str]:
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode()
        yield from (whole, whole.rstrip("="))
        for shift in range(3):
            core = encode(b"\0" * shift + raw).decode()[-(-shift * 8 // 6) : (shift + len(raw)) * 8 // 6]
            if len(core) >= _SHORTEST_CORE:
                yield core
