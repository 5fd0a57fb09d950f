"""What verifies a sender or asks who calls, in a function's body and in what it calls.

A name that says so (`verify_signature`, `require_admin`, `current_user`) is believed; else what it calls is looked through.
"""

from __future__ import annotations

import re

import msgspec

from guardrails.names.code import Part, last_word
from guardrails.names.values import Home
from guardrails.outline import Attr, Call, Expr, Function, Index, Literal_, Op, Ref, Site, Step, dotted, walk
from guardrails.place import Place
from guardrails.project.ground import Ground
from guardrails.project.secrets import secret_noun, words_of

# A name that asks: one word of the first group with one of the second.
_ASKS = frozenset(
    "verify verified verifies verification validate validates validated "
    "check checks authenticate authorize authorise require requires required "
    "assert ensure enforce is has guard protect need needs only allowed must valid confirm can".split()
)
_ABOUT = frozenset(
    "signature signatures sig hmac token tokens secret auth "
    "authentication authorization login permission permissions perm perms admin staff "
    "superuser apikey role roles scope scopes access credential "
    "credentials jwt bearer sender origin signed authenticated authorized logged "
    "authority identity principal passes".split()
)
# One word is enough.
_SURELY = frozenset(
    "authenticate authenticated authenticator authorize authorized "
    "authorise authentication authorization authenticates login_required auth "
    "logged unauthorized unauthenticated protected signed unsign signature "
    "signatures hmac jwt permission permissions credentials oauth oidc "
    "verify verified verifier verification guard csrf_protect".split()
)
_SENDERS = re.compile(r"(?i)signature|hmac|authorization|x-[\w-]*(?:token|secret|key)|api[-_]?key|(?:webhook|shared)[-_]?secret")
_QUERIES = frozenset(
    "get filter filter_by first one find find_one get_object_or_404 aget exists select where get_or_404 get_or_none".split()
)
_METHODS_ONLY = frozenset(("require_http_methods", "require_post", "require_get", "require_safe"))
_FETCHES = frozenset(("retrieve", "refetch"))  # the event is only a trigger: its object is taken from the sender's API
_DEEPEST = 4
_WIDEST = 400  # calls that are looked at below one handler


class Door(msgspec.Struct, frozen=True):
    """What lets a caller in: in words, and where."""

    words: str
    place: Place


class Verifying:
    """Looks through functions; what was looked through is remembered."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._resolver = ground, ground.resolver
        models = ground.catalogue.models
        self._verifies = frozenset(path for model in models if model.trust for path in model.trust.verifies)
        self._verify_words = frozenset(path.rpartition(".")[2] for path in self._verifies)
        self._calls = frozenset(path for model in models if model.access for path in model.access.calls)
        self._inside: dict[Home, Door | None] = {}
        self._left = 0

    def inside(self, home: Home) -> Door | None:
        """What verifies the sender in a function's body, or in what it calls."""
        self._left = _WIDEST
        return self._within(home, 0)

    def at(self, home: Home, site: Site) -> Door | None:
        """What one call verifies, itself or inside."""
        self._left = _WIDEST
        return self._site(home, site, 0)

    def below(self, home: Home) -> Door | None:
        """The same for a function that is not a handler itself: a decorator's, a dependency's."""
        self._left = max(self._left, _WIDEST)
        return self._within(home, 1)

    def _within(self, home: Home, depth: int) -> Door | None:
        if home in self._inside:
            return self._inside[home]
        self._inside[home] = None
        part = self._resolver.part(home)
        found = None
        for index in (home.function, *self._nested(part, home.function)):
            found = self._in_body(Home(home.file, index), part.functions[index], depth)
            if found is not None:
                break
        if found is not None or depth <= 1:
            self._inside[home] = found
        else:
            del self._inside[home]
        return found

    @staticmethod
    def _nested(part: Part, index: int) -> list[int]:
        """The functions and closures inside a function."""
        found = list(part.members.get(index, ()))
        for one in found:
            if len(found) < 40:
                found.extend(part.members.get(one, ()))
        return [one for one in found if part.functions[one].kind != "class"]

    def _in_body(self, home: Home, function: Function, depth: int) -> Door | None:
        for step in function.steps:
            door = self.step(home, step)
            if door is not None:
                return door
        return next((door for site in function.sites if (door := self._site(home, site, depth)) is not None), None)

    def step(self, home: Home, step: Step) -> Door | None:
        """A condition on who calls or on a secret."""
        if step.value is None:
            return None
        for one in walk(step.value):
            if isinstance(one, Op) and one.op in ("==", "!=", "in", "not in") and any(_is_secret(part) for part in one.parts):
                if not any(isinstance(part, Literal_) for part in one.parts):
                    return Door(f"`{self._ground.text(home, one)}` is compared", Place(home.file, one.start, one.end))
            elif isinstance(one, Ref | Attr) and dotted(one).rpartition(".")[2] in (
                "is_authenticated",
                "is_staff",
                "is_superuser",
                "current_user",
            ):
                return Door(f"`{dotted(one)}` is asked", Place(home.file, one.start, one.end))
            elif isinstance(one, Literal_) and isinstance(one.value, str) and _is_header(one.value):
                return Door(f"`{one.value}` is read", Place(home.file, one.start, one.end))
        return None

    def _site(self, home: Home, site: Site, depth: int) -> Door | None:
        self._left -= 1
        if self._left < 0:
            return None
        call = site.call
        text, word = dotted(call.func), last_word(site)
        place = Place(home.file, call.start, call.end)
        if is_asking(word):
            return Door(f"`{text}` is asked", place)
        if word in _QUERIES and any(arg.name and _is_secret_name(arg.name.partition("__")[0]) for arg in call.args):
            return Door(f"`{text}` looks the sender up", place)
        if word.startswith(("get_by_", "find_by_", "get_for_")) and _is_secret_name(word):
            return Door(f"`{text}` looks the sender up", place)
        value = self._resolver.resolve(home.file, home.function, call.func)
        path = value.path if value is not None else ""
        if _FETCHES.intersection(words_of(word)) or any(_is_fetch(arg.value) for arg in call.args):
            return Door(f"`{text}` asks the sender itself", place)
        if path in self._verifies or path in self._calls or (word in self._verify_words and len(word) > 10):
            return Door(f"`{text}` verifies it", place)
        if value is None or value.home is None or depth >= _DEEPEST:
            return None
        definition = self._resolver.definition(value.home)
        if definition.kind == "function" and self._within(value.home, depth + 1) is not None:
            return Door(f"`{text}` verifies it", place)
        return None


def is_asking(name: str) -> bool:
    """A name that says it asks who calls."""
    words = words_of(name.rpartition(".")[2])
    if not words or "_".join(words) in _METHODS_ONLY:
        return False
    found = set(words)
    return (
        bool(found & _SURELY) or bool(found & _ASKS and found & _ABOUT) or name.rpartition(".")[2] in ("current_user", "get_current_user")
    )


def _is_header(text: str) -> bool:
    return len(text) < 60 and " " not in text and _SENDERS.search(text) is not None


def _is_fetch(expr: Expr) -> bool:
    """A request for the object that the event is about: `OrdersGetRequest(order_id)`."""
    return isinstance(expr, Call) and words_of(dotted(expr.func))[-2:] == ["get", "request"]


def _is_secret_name(name: str) -> bool:
    words = words_of(name)
    return bool(words) and (words[-1] in ("token", "secret", "key", "signature", "uuid", "apikey", "hash") or secret_noun(name) != "")


def _is_secret(expr: Expr) -> bool:
    """A name that ends in a secret noun; the text of a key that does."""
    if isinstance(expr, Index) and isinstance(expr.key, Literal_):
        return _is_secret(expr.key)
    if isinstance(expr, Call):
        return any(_is_secret(arg.value) for arg in expr.args[:1]) or _is_secret(expr.func)
    if isinstance(expr, Literal_):
        return isinstance(expr.value, str) and _is_secret_name(expr.value)
    name = dotted(expr).rpartition(".")[2]
    words = words_of(name)
    return bool(words) and (words[-1] in ("signature", "sig", "hmac", "digest", "mac") or secret_noun(name) != "")
