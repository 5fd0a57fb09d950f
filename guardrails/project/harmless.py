"""Why a value that bears the name of a secret is none: a name, a path, an address, a masked form, a handle."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrails.names.options import Hit
from guardrails.names.resolve import Resolver
from guardrails.names.values import Home, Value
from guardrails.outline import Attr, Call, Import, Index, Literal_, Other, Ref, Step, Text, dotted, receiver, walk
from guardrails.project.secrecy import Secrecies
from guardrails.project.secrets import ADDRESSES, words_of

_ENV_NAME = re.compile(r"^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$")
# What a token says, not the token.
_CLAIMS = re.compile(r"(?:^|\.)(?:decode|verify|get_unverified_claims|(?:decode|parse|verify)_(?:\w+_)?(?:jwt|claims)(?:_\w+)?)$")
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
        if (words[-1:] == ["dsn"] and self._is_beside_password(hit)) or self._is_said_in_public(hit):
            return True
        value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        if words[-1:] == ["token"] and any(self._is_handle(field.path) or self._is_record(field) for field in self._field(hit)):
            return True
        if value is None:
            return self._is_read_out(hit) or self._is_remade(hit)
        if isinstance(value.made, Literal_):
            text = value.made.value
            return not isinstance(text, str) or _ENV_NAME.match(text) is not None or words[-1:] == ["header"] or _is_prose(text)
        if value.path.startswith(self._secrecies.masked) or self._is_own_class(value):
            return True
        if isinstance(value.made, Call) and self._secrecies.masks(dotted(value.made.func).rpartition(".")[2]):
            return True
        if isinstance(value.made, Call) and (_CLAIMS.search(dotted(value.made.func)) or _is_address(value.made)):
            return True
        if words[-1:] == ["token"] and (self._is_handle(value.path) or self._is_text(value.path) or self._is_record(value)):
            return True
        return self._is_remade(hit)

    def is_own(self, hit: Hit) -> bool:
        """The attribute is taken from an instance of a class of the project, which says itself what it means; the class of the file
        that the owner is called after counts where nothing else is known."""
        owner = receiver(hit.expr)
        value = self._resolver.resolve(hit.home.file, hit.home.function, owner) if owner is not None else None
        if owner is not None and (value is None or value.home is None):
            value = self._resolver.resolve(hit.home.file, 0, Ref(0, 0, _class_name(dotted(owner)) or "?"))
        return value is not None and value.home is not None

    def is_public_half(self, hit: Hit, name: str, noun: str) -> bool:
        """The class of the project that the secret is called after holds a part of this name, and its secret beside it."""
        value = self._resolver.resolve(hit.home.file, 0, Ref(0, 0, _class_name(noun)))
        if value is None or value.home is None or self._resolver.definition(value.home).kind != "class":
            return False
        parts = self._resolver.part(value.home).bindings(value.home.function)
        return name in parts and "secret" in parts

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

    def _field(self, hit: Hit) -> Iterator[Value]:
        """What the field is in the class that the owner is asked to be an instance of, or in the one of the file that it is called after:
        `transaction_item.token` of `TransactionItem`."""
        owner, _, name = dotted(hit.expr).rpartition(".")
        named = _class_name(owner)
        for found in (*self._asked(hit, owner), *([named] if named and named.lower() != "self" else [])):
            made = Call(hit.expr.start, hit.expr.start, Ref(hit.expr.start, hit.expr.start, found), ())
            for holder in (made.func, made):
                value = self._resolver.resolve(hit.home.file, hit.home.function, Attr(hit.expr.start, hit.expr.start, holder, name))
                if value is not None:
                    yield value

    def _asked(self, hit: Hit, owner: str) -> Iterator[str]:
        """The class of `isinstance(owner, Class)`, asked anywhere in the function."""
        for site in self._resolver.definition(hit.home).sites if owner else ():
            args = site.call.args
            if dotted(site.call.func) == "isinstance" and len(args) == 2 and dotted(args[0].value) == owner:
                yield dotted(args[1].value)

    def _is_record(self, value: Value) -> bool:
        """A record of the project's own without a secret among its fields: what a token says, not the token."""
        if value.home is None or not value.instance or self._resolver.definition(value.home).kind != "class":
            return False
        homes = list(self._resolver.bases(value.home))
        if not any(isinstance(base, str) and base in self._secrecies.records for base in homes):
            return False
        names = (name for home in homes if isinstance(home, Home) for name in self._resolver.part(home).bindings(home.function))
        return not any(self._secrecies.noun(name) or name in ("key", "raw", "value") for name in names)

    def _is_beside_password(self, hit: Hit) -> bool:
        """A call of the file takes the name of the database and the password apart, so the one does not hold the other."""
        for site in (site for function in self._resolver.part(hit.home).functions for site in function.sites):
            names = {arg.name for arg in site.call.args}
            if "dsn" in names and any(self._secrecies.noun(name) == "password" for name in names):
                return True
        return False

    def _is_said_in_public(self, hit: Hit) -> bool:
        """A constant of a module, here or imported, that is written as a path or made of one."""
        name = dotted(hit.expr)
        if not name.isupper() or "." in name:
            return False
        part = self._resolver.part(hit.home)
        bound = next(iter(part.bindings(0).get(name, ())), None)
        if isinstance(bound, Import):
            owner, _, name = bound.target.rpartition(".")
            module = self._resolver.imported(hit.home.file, owner)
            part = self._resolver.part(module.home) if module is not None and module.home is not None else part
            bound = next(iter(part.bindings(0).get(name, ())), None)
        made = bound.value if isinstance(bound, Step) else None
        first = made.parts[0] if isinstance(made, Text) and made.parts else made
        return (isinstance(made, Call) and _is_address(made)) or (isinstance(first, Literal_) and _is_prose(str(first.value)))

    def _is_challenge(self, hit: Hit) -> bool:
        """The token proves a domain or a person to a third party that looks it up in public: told by the names around the place."""
        names = f"{self._resolver.definition(hit.home).qualname}.{hit.home.file}"
        return not _CHALLENGES.isdisjoint(words_of(names))

    @staticmethod
    def _is_text(path: str) -> bool:
        return _TEXT_TOKEN.search(path.lower()) is not None

    def _is_read_out(self, hit: Hit) -> bool:
        """The local name is given what a call says of a token: `token = manager.parse_jwt(raw)`."""
        steps = self._resolver.part(hit.home).stores(hit.home.function).get(dotted(hit.expr), [])
        made = steps[0].value if len(steps) == 1 else None
        return isinstance(made, Call) and _CLAIMS.search(dotted(made.func)) is not None

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


def _class_name(owner: str) -> str:
    """The name of a class after which a value is called."""
    return "".join(word.capitalize() for word in words_of(owner.rpartition(".")[2]))


def _is_prose(text: str) -> bool:
    """A path, or a sentence."""
    return text.startswith("/") or len(text.split()) > 2


def _is_address(call: Call) -> bool:
    """A call that makes an address of a path: `route("/users/password")`."""
    first = call.args[0].value if call.args else None
    return isinstance(first, Literal_) and str(first.value).startswith(("/", "http://", "https://"))
