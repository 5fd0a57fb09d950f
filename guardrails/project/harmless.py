"""Why a value that bears the name of a secret is none: a name, a path, an address, a masked form, a handle."""

from __future__ import annotations

import re

from guardrails.names.options import Hit
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home, Value
from guardrails.outline import Call, Index, Literal_, Other, Ref, dotted, receiver, walk
from guardrails.project.secrecy import Secrecies
from guardrails.project.secrets import ADDRESSES, words_of

_ENV_NAME = re.compile(r"^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$")
_CLAIMS = re.compile(r"(?:^|\.)(?:decode|verify|get_unverified_claims)$")  # what a token says, not the token
_TEXT_TOKEN = re.compile(r"\[\*\]|split\(\)|tokeniz")
_FETCHES = frozenset("get post put head request urlopen urlretrieve fetch download stream".split())
_OPENS = frozenset("open Path exists isfile read_text read_bytes".split())
_CHALLENGES = frozenset("challenge challenges acme txt captcha".split())
_STORES = 50  # assignments of one name that are looked at


class Harmless:
    """Judges values that are named as secrets."""

    def __init__(self, resolver: Resolver, secrecies: Secrecies) -> None:
        self._resolver, self._secrecies = resolver, secrecies

    def is_harmless(self, hit: Hit, last: str) -> bool:
        """A constant that names an environment variable or a header, a token of text, a masked value, a path, a public address."""
        words = words_of(last)
        if "header" in words[:-1] or self._is_used_as_address(hit, words) or (words[-1:] == ["token"] and self._is_challenge(hit)):
            return True
        value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        if words[-1:] == ["token"] and self._is_handle(self._field(hit)):
            return True
        if value is None:
            return self._is_remade(hit)
        if isinstance(value.made, Literal_):
            text = value.made.value
            return not isinstance(text, str) or _ENV_NAME.match(text) is not None or words[-1:] == ["header"]
        if value.path.startswith(self._secrecies.masked) or self._is_own_class(value):
            return True
        if isinstance(value.made, Call) and self._secrecies.masks(dotted(value.made.func).rpartition(".")[2]):
            return True
        if isinstance(value.made, Call) and (_CLAIMS.search(dotted(value.made.func)) or _is_address(value.made)):
            return True
        if words[-1:] == ["token"] and (self._is_handle(value.path) or self._is_text(value.path)):
            return True
        return self._is_remade(hit)

    def is_own(self, hit: Hit) -> bool:
        """The attribute is taken from an instance of a class of the project, which says itself what it means."""
        owner = receiver(hit.expr)
        value = self._resolver.resolve(hit.home.file, hit.home.function, owner) if owner is not None else None
        return value is not None and value.home is not None

    def _is_own_class(self, value: Value) -> bool:
        """An instance of a class of the project's own that says how it is written."""
        if value.home is None or not value.instance or self._resolver.definition(value.home).kind != "class":
            return False
        homes = [base for base in self._resolver.bases(value.home) if isinstance(base, Home)]
        return any(self._resolver.part(home).member(home.function, name) >= 0 for home in homes for name in ("__repr__", "__str__"))

    def _is_handle(self, path: str) -> bool:
        """The value only names something: `uuid4()`, a field of type UUID."""
        bare = path.removesuffix("()")
        return any(bare == handle or bare.startswith(f"{handle}()") for handle in self._secrecies.handles)

    def _field(self, hit: Hit) -> str:
        """What the field is in the class of the file that the owner is called after: `transaction_item.token` of `TransactionItem`."""
        owner, _, name = dotted(hit.expr).rpartition(".")
        named = "".join(word.capitalize() for word in words_of(owner.rpartition(".")[2]))
        if not named or named.lower() == "self":
            return ""
        value = self._resolver.resolve(hit.home.file, 0, Ref(0, 0, f"{named}.{name}"))
        return value.path if value is not None else ""

    def _is_challenge(self, hit: Hit) -> bool:
        """The token proves a domain or a person to a third party that looks it up in public: told by the names around the place."""
        names = f"{self._resolver.definition(hit.home).qualname}.{hit.home.file}"
        return not _CHALLENGES.isdisjoint(words_of(names))

    @staticmethod
    def _is_text(path: str) -> bool:
        return _TEXT_TOKEN.search(path.lower()) is not None

    def _is_remade(self, hit: Hit) -> bool:
        """The name is assigned a masked form of itself before: `key = key[:4] + "***"`."""
        name = dotted(hit.expr)
        steps = self._resolver.part(hit.home).stores(hit.home.function).get(name, [])[:_STORES]
        for step in steps:
            parts = walk(step.value) if step.value is not None and step.start < hit.expr.start else ()
            if any(isinstance(p, Index) and isinstance(p.key, Other) and dotted(p.base) == name for p in parts):
                return True
        return False

    def _is_used_as_address(self, hit: Hit, words: list[str]) -> bool:
        """The same expression is fetched, or opened as a file, in the function: it is an address or a path."""
        name = dotted(hit.expr)
        verbs = _FETCHES if words[-1:] and words[-1] in ADDRESSES else _OPENS
        return not verbs.isdisjoint(self._resolver.part(hit.home).takers(hit.home.function).get(name, ()))


def _is_address(call: Call) -> bool:
    """A call that makes an address of a path: `route("/users/password")`."""
    first = call.args[0].value if call.args else None
    return isinstance(first, Literal_) and str(first.value).startswith(("/", "http://", "https://"))
