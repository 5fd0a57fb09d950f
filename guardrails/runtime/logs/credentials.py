r"""What a credential looks like in text: patterns as data, each with the words at which it begins, so that text without them is cheap.

Each pattern is linear in the text: it begins at its word, repeats without bound only one class of characters, and crosses no line end.
The group `s`, where there is one, is the secret part; else it is the whole match.
"""

import functools
import re
from typing import NamedTuple

Found = tuple[int, int, int]
"""Where a credential's secret begins and ends, and where the match began that recognised it."""


class Pattern(NamedTuple):
    """A kind of credential: the words (ASCII, lower case) at which it can begin, and the expression that must match there."""

    words: frozenset[bytes]
    expression: re.Pattern[str]

    def found(self, text: str, places: dict[bytes, list[int]]) -> list[Found]:
        """Its matches, apart from each other; `places` tells where each word stands in the text."""
        group = "s" if "s" in self.expression.groupindex else 0
        spans: list[Found] = []
        reach = 0
        for at in sorted(place for word in self.words & places.keys() for place in places[word]):
            match = self.expression.match(text, at) if at >= reach else None
            if match is not None:
                spans.append((*match.span(group), at))
                reach = match.end()
        return spans


class Credentials:
    """Finds credentials; make one with `finder`."""

    def __init__(self, patterns: list[Pattern]) -> None:
        self._patterns = patterns
        self._words = frozenset(word for pattern in self._patterns for word in pattern.words)

    def found(self, text: str) -> list[Found]:
        """Where they stand, in no order; they may overlap."""
        low = _low(text)
        places = {word: _places(word, low) for word in self._words if word in low}
        return [found for pattern in self._patterns if not pattern.words.isdisjoint(places) for found in pattern.found(text, places)]


@functools.lru_cache(maxsize=256)
def finder(names: frozenset[str] = frozenset()) -> Credentials:
    """Finds credentials; the values behind `names` (field names) count as such, too."""
    return Credentials(_patterns(sorted(names)))


@functools.lru_cache(maxsize=1024)
def hides(name: str, names: frozenset[str] = frozenset()) -> bool:
    """Whether what stands behind a name is a credential, whatever it looks like."""
    return bool(finder(names).found(f'"{name}": "hidden"'))


def _low(text: str) -> bytes:
    """A text in lower case, one byte a character, `?` for what is not ASCII."""
    return text.encode("ascii", "replace").lower()


def _places(word: bytes, low: bytes) -> list[int]:
    places = []
    at = low.find(word)
    while at >= 0:
        places.append(at)
        at = low.find(word, at + 1)
    return places


# as documented by their makers: AWS IAM "Unique identifiers", GitHub "About authentication", GitLab "Token overview", Stripe "API keys",
# Slack "Token types", and so on; a JSON Web Token begins with the base64 of `{"`
_PREFIXED = {
    "akia asia abia acca": r"A(?:KI|SI|BI|CC)A[A-Z0-9]{16}(?![A-Za-z0-9])",
    "ghp_ gho_ ghu_ ghs_ ghr_": r"gh[opsur]_[A-Za-z0-9]{20,}",
    "github_pat_": r"github_pat_\w{20,}",
    "glpat-": r"glpat-[\w-]{16,}",
    "sk_live_ sk_test_ rk_live_ rk_test_": r"[rs]k_(?:live|test)_[A-Za-z0-9]{8,}",
    "whsec_": r"whsec_[\w+/=-]{16,}",
    "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xapp-": r"(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{8,}",
    "sk-": r"sk-[\w-]{20,}",
    "aiza": r"AIza[\w-]{30,}",
    "ya29.": r"ya29\.[\w-]{16,}",
    "npm_ hf_": r"(?:npm|hf)_[A-Za-z0-9]{30,}",
    "pypi-": r"pypi-[\w-]{30,}",
    "dop_v1_": r"dop_v1_[a-f0-9]{40,}",
    "sg.": r"SG\.[\w-]{16,}\.[\w-]{16,}",
    "eyj": r"eyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?",
}
_GAP = r"[ \t]{0,4}"
_CLOSED = r"(?:\\{0,3}[\"'])?"
_QUOTED = r"[bru]?(?P<q>\\{0,3}[\"'])(?P<s>(?:(?!(?P=q))(?:\\.|[^\\\r\n]))+)"
_OPEN = r"(?!(?i:none|null|nil|true|false|undefined|SecretRef\(|\*+)(?![\w.]))(?P<s>[^\s\"'\\,;&<>()\[\]{}][^\s\"'\\,;&<>]*)"
_PROSE = r"(?P<s>(?=[^\s,;]{0,200}[0-9!#$%^*+/~])[^\s\"'\\,;<>(){}\[\]]{6,})"
_SCHEME = r"(?i:basic|bearer|digest|token|negotiate|apikey|aws4-hmac-sha256|signature)[ \t]"
_AUTHORIZATION, _COOKIE = r"(?i:authorization)", r"(?i:cookie)"
_OTHERS = {
    "authorization": [
        rf"{_AUTHORIZATION}{_CLOSED}{_GAP}[=:]{_GAP}{_QUOTED}",
        rf"{_AUTHORIZATION}{_GAP}[=:]{_GAP}(?P<s>{_SCHEME}[^\r\n]+)",
        rf"{_AUTHORIZATION}{_GAP}[=:]{_GAP}(?P<s>[^\s\"'\\,;]{{8,}})(?=[ \t]{{0,40}}(?:[\r\n,;]|$))",
    ],
    "cookie": [rf"{_COOKIE}{_CLOSED}{_GAP}[=:]{_GAP}{_QUOTED}", rf"{_COOKIE}:{_GAP}(?P<s>[^\s=;,]{{1,200}}=[^\r\n]+)"],
    "x-": [r"(?i:x-(?:[a-z0-9]{1,40}-){0,4}(?:key|token|secret|signature))" + rf"{_GAP}:{_GAP}(?P<s>[^\s\"'\\,;]{{8,}})"],
    "bearer": [r"(?i:bearer)[ \t]{1,4}(?!(?i:auth|credential|scheme|token[ \t\r\n.,:;]))(?P<s>[A-Za-z0-9._~+/=-]{8,})"],
    "basic": [r"(?i:basic)[ \t]{1,4}(?P<s>(?=[A-Za-z+/]{0,200}[0-9=])[A-Za-z0-9+/]{12,}={0,2})"],
    "://": [r"://[^\s/:@?#\"'<>]{0,256}:(?P<s>[^\s/?#\"'<>]{1,256})@"],
    "sig=": [r"(?<=[?&])(?i:sig)=(?P<s>[^\s&\"'<>]{8,})"],
    "hooks.slack.com/services/": [r"(?i:hooks\.slack\.com/services/)(?P<s>[A-Za-z0-9/]{8,})"],
}
_NAMES = {
    "pass": "(?:word|wd|phrase)?",
    "pwd": "",
    "secret": "(?:[_-]?key)?",
    "token": "",
    "apikey api_key api-key": "",
    "credential": "s?",
    "signature": "",
    "access account auth encryption private signing": "[_-]?(?:key|token)",
}

BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----", re.ASCII)
END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----", re.ASCII)
LONGEST_BLOCK = 16_384
"""Characters behind a private key's first line within which its last line is looked for; without one, so many are redacted."""


def _patterns(names: list[str]) -> list[Pattern]:
    prefixed = [_pattern(words, rf"(?<![\w-]){shape}") for words, shape in _PREFIXED.items()]
    others = [_pattern(words, shape) for words, shapes in _OTHERS.items() for shape in shapes]
    known = [(words, f"(?i:(?:{words.replace(' ', '|')}){rest})") for words, rest in _NAMES.items()]
    given = [(name, rf"(?<![A-Za-z0-9_])(?i:{re.escape(name)})") for name in names]
    return [*prefixed, *others, *(found for words, name in (*known, *given) for found in _named(words, name))]


def _named(words: str, name: str) -> list[Pattern]:
    """A value behind a name: `password=..`, `"token": ".."`, `'api_key': '..'`; behind `password: ` it must not look like prose."""
    head = rf"{name}(?![A-Za-z0-9])"
    return [
        _pattern(words, rf"{head}{_CLOSED}{_GAP}[=:]>?{_GAP}{_QUOTED}"),
        _pattern(words, rf"{head}{_GAP}={_GAP}{_OPEN}"),
        _pattern(words, rf"{head}:{_GAP}{_PROSE}"),
    ]


def _pattern(words: str, shape: str) -> Pattern:
    return Pattern(frozenset(_low(word) for word in words.split(" ")), re.compile(shape, re.ASCII))


_LOOKS = re.compile("|".join([BEGIN.pattern, *_PREFIXED.values()]), re.ASCII)


def looks_secret(text: str) -> bool:
    """Whether a text begins with a recognisable credential."""
    return _LOOKS.match(text) is not None


def private_keys(text: str) -> list[tuple[int, int, bool]]:
    """Where private keys begin and end, and whether the text may go on with one that has not ended."""
    blocks = []
    begin = BEGIN.search(text)
    while begin is not None:
        limit = begin.end() + LONGEST_BLOCK
        end = END.search(text, begin.end(), limit)
        stop = end.end() if end else min(len(text), limit)
        blocks.append((begin.start(), stop, end is None and len(text) < limit))
        begin = BEGIN.search(text, stop)
    return blocks
