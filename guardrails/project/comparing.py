"""Comparisons of signatures and secrets with operators that stop at the first difference."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, TypeAlias

import msgspec

from guardrails.facts.trust import Comparison
from guardrails.finding import Related
from guardrails.frameworks.model import Model
from guardrails.names.code import Part
from guardrails.names.values import Home
from guardrails.outline import (
    Attr,
    Await,
    Call,
    Choice,
    Expr,
    Function,
    Index,
    Literal_,
    Op,
    Ref,
    Step,
    Text,
    dotted,
    enclosing,
    receiver,
    walk,
)
from guardrails.place import Place
from guardrails.project.ground import Ground
from guardrails.project.secrets import NOUNS, secret_noun, words_of
from guardrails.project.string_types import StringTypes

_HINT = re.compile(r"(?i)sig|token|secret|digest|mac$|hash|key|pass|hexdigest|expected|calculated|computed|actual|cred|auth|checksum")
_SIGNATURES = frozenset(("signature", "sig", "hmac"))
_SPELLED = frozenset("decode encode lower upper strip hex removeprefix replace get_secret_value casefold lstrip rstrip tobytes".split())
# A word beside the secret that says: both are one person's, or one and the same kept in two places.
_SAME_SIDE = frozenset(
    "confirm confirmation confirmed repeat repeated again retype new old current existing previous prev last cached original redacted "
    "mask masked placeholder default dummy type id name count limit desired updated "
    "initial before after changed decoded reservation lease lock fence fencing claim etag cursor".split()
)
_PASSED = frozenset("cached old new previous prev existing failed expired stale".split())  # the same of whatever holds the secret
_REQUESTS = frozenset(("request", "req", "websocket", "kwargs"))
_OPENS = frozenset(("loads", "unsign", "unseal", "verify"))
_DEEPEST = 6
_LEFT = re.compile(rb"(\w+)(?:\(\))?$")
_RIGHT = re.compile(rb"(?:\w+\.)*(\w+)")
_LONGEST = 60  # bytes of a name before a comparison that are looked at


_Judged: TypeAlias = tuple[Literal["digest", "secret"], str, tuple[Related, ...]]


def _compares_secrets(text: bytes) -> bool:
    """Two names of secrets stand on either side of a comparison."""
    for sign in (b" == ", b" != "):
        at = text.find(sign)
        while at >= 0:
            left, right = _LEFT.search(text[max(0, at - _LONGEST) : at]), _RIGHT.match(text, at + len(sign))
            if left and right and secret_noun(right[1].decode("latin-1")) and secret_noun(left[1].decode("latin-1")):
                return True
            at = text.find(sign, at + 1)
    return False


class _Side(msgspec.Struct, frozen=True):
    """One side of a comparison: the secret that its name says, and where it comes from."""

    noun: str
    sent: bool  # it surely comes from a client
    given: bool  # it is handed to the function
    kept: bool


class Comparing:
    """Makes a fact of each comparison of a signature or a secret."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        models = [model for model in ground.catalogue.models if model.trust is not None]
        self._model: Model | None = next((model for model in models if model.trust and model.trust.compares), None)
        trusts = [model.trust for model in models if model.trust is not None]
        self._signs = frozenset(path for trust in trusts for path in trust.signs)
        self._hashes = frozenset(path for trust in trusts for path in trust.hashes)
        self._recodes = frozenset(path for trust in trusts for path in trust.recodes)
        self._sent = frozenset(word for trust in trusts for word in trust.sent)
        self._kept = frozenset(path for trust in trusts for path in trust.kept)
        self._types = StringTypes(ground.resolver)

    def reads(self) -> Iterator[str]:
        """The files in which the names of two secrets are compared."""
        index = self._ground.code.words
        words = (word.decode("utf-8", "surrogateescape") for word in index.containing(NOUNS, ignore_case=True))
        return (path for path in index.holding_any(words) if path.endswith(".py") and _compares_secrets(self._ground.code.text(path)))

    def facts(self) -> Iterator[Comparison]:
        """A fact a comparison."""
        if self._model is None or self._model.trust is None:
            return
        for part in self._ground.parts():
            if part.language in self._model.languages:
                for index, function in enumerate(part.functions):
                    yield from self._in_function(self._model, self._model.trust.compares, part, index, function)

    def _in_function(self, model: Model, fix: str, part: Part, index: int, function: Function) -> Iterator[Comparison]:
        for step in function.steps:
            for op in _comparisons(step.value) if isinstance(step.value, Op | Choice) else ():
                found = self._judged(Home(part.path, index), function, step, op)
                if found is not None:
                    kind, secret, related = found
                    at = self._ground.at(model, Home(part.path, index), op)
                    text = self._ground.text(Home(part.path, index), op)
                    repair = self._types.repair(Home(part.path, index), function, op, model.trust) if model.trust else None
                    opened = kind == "secret" and _is_opened(function, op)
                    yield Comparison(**at, kind=kind, secret=secret, text=text, fix=fix, opened=opened, related=related, repair=repair)

    def _judged(self, home: Home, function: Function, step: Step, op: Op) -> _Judged | None:
        left, right = op.parts
        if not any(_HINT.search(_last(side)) for side in op.parts) or _is_column(left) or _is_column(right):
            return None
        hashed = any(words_of(_last(side))[-1:] == ["hash"] for side in op.parts)  # of a token: who guesses does not choose its bytes
        for one, other in ((left, right), (right, left)):
            made = self._signed(home, one, 0) if not hashed else None
            if made is not None and self._signed(home, other, 0) is None and not _is_plain(other):
                return "digest", _last(other) or _last(one), (Related(made, "the digest is made here"),)
        return self._secrets(home, function, step, op)

    def _signed(self, home: Home, expr: Expr, depth: int) -> Place | None:
        """Where a keyed digest is made, if the expression is one."""
        if depth > _DEEPEST:
            return None
        match expr:
            case Await():
                return self._signed(home, expr.value, depth + 1)
            case Text() | Op(op="+" | "%"):
                return next((found for part in expr.parts if (found := self._signed(home, part, depth + 1))), None)
            case Call():
                return self._signing_call(home, expr, depth)
            case Ref() if "." not in expr.name:
                return self._signed_name(home, expr, depth)
            case _:
                return None

    def _signed_name(self, home: Home, ref: Ref, depth: int) -> Place | None:
        part = self._ground.resolver.part(home)
        steps = [step for step in part.stores(home.function).get(ref.name, ()) if step.start < ref.start]
        value = steps[-1].value if steps else None
        return self._signed(home, value, depth + 1) if value is not None else None

    def _signing_call(self, home: Home, call: Call, depth: int) -> Place | None:
        resolver = self._ground.resolver
        last = _word(call.func)
        base = receiver(call.func)
        if base is not None and last in _SPELLED:
            return self._signed(home, base, depth + 1)
        func = resolver.resolve(home.file, home.function, call.func)
        path = func.path if func is not None else ""
        place = Place(home.file, call.start, call.end)
        if f"{path}()" in self._signs or (f"{path}()" in self._hashes and self._holds_secret(home, call)):
            return place
        if path in self._recodes and call.args:
            return self._signed(home, call.args[0].value, depth + 1)
        inner = func.home if func is not None and func.home is not None else None
        if inner is None or resolver.definition(inner).kind != "function":
            return None
        returned = (step.value for step in resolver.definition(inner).steps if step.kind == "return" and step.value is not None)
        return next((found for value in returned if (found := self._signed(inner, value, depth + 2))), None)

    def _holds_secret(self, home: Home, call: Call) -> bool:
        """What is digested holds a secret: `sha256(secret + body).hexdigest()`."""
        steps = [call, *(site.call for site in self._ground.resolver.definition(home).sites if _word(site.call.func) == "update")]
        text = dotted(call.func)
        names = (
            _last(expr)
            for one in steps
            if one is call or dotted(one.func).partition(".")[0] == text.partition(".")[0]
            for expr in walk(one)
        )
        return any(secret_noun(name) not in ("", "password") for name in names if name)

    def _secrets(self, home: Home, function: Function, step: Step, op: Op) -> _Judged | None:
        """What a client sent is compared with what is kept, and its name says that it is a secret."""
        left, right = (self._side(home, function, side) for side in op.parts)
        for one, other in ((left, right), (right, left)):
            if one.noun and other.noun and (one.sent or one.given) and other.kept and not other.sent:
                base = _base(op.parts[0])
                if (base and base == _base(op.parts[1])) or not _refuses(function, step, op):
                    return None
                return "secret", other.noun, ()
        return None

    def _side(self, home: Home, function: Function, expr: Expr) -> _Side:
        inner = self._plain(home, expr)
        noun = _noun(inner)
        sent = self._is_sent(inner)
        given = isinstance(inner, Ref) and "." not in inner.name and any(inner.name == param.name for param in function.params)
        kept = not sent and not given and self._is_kept(home, inner)
        if not sent and not given and isinstance(inner, Ref) and "." not in inner.name:
            steps = [
                step for step in self._ground.resolver.part(home).stores(home.function).get(inner.name, ()) if step.start < inner.start
            ]
            value = self._plain(home, steps[-1].value) if steps and steps[-1].value is not None else None
            sent = value is not None and self._is_sent(value)
            kept = kept or (value is not None and not sent and self._is_kept(home, value))
        return _Side(noun, sent, given, kept)

    def _plain(self, home: Home, expr: Expr) -> Expr:
        """Without calls that only spell it otherwise: `str(x)`, `x.lower()`, `x.get_secret_value()`, `x or ""`."""
        for _ in range(_DEEPEST):
            if isinstance(expr, Await):
                expr = expr.value
            elif isinstance(expr, Op) and expr.op == "or":
                expr = expr.parts[0]
            elif isinstance(expr, Call) and _word(expr.func) in _SPELLED and (base := receiver(expr.func)) is not None:
                expr = base
            elif isinstance(expr, Call) and expr.args and isinstance(expr.func, Ref) and self._recoding(home, expr.func):
                expr = expr.args[0].value
            else:
                break
        return expr

    def _recoding(self, home: Home, func: Ref) -> bool:
        if func.name in self._recodes:
            return True
        value = self._ground.resolver.resolve(home.file, home.function, func) if "." in func.name or "_" in func.name else None
        return value is not None and value.path in self._recodes

    def _is_sent(self, expr: Expr) -> bool:
        """`request.headers["X-Token"]`, `self.request.query_params.get("token")`, `self.kwargs["secret"]`."""
        names = dotted(expr).replace("[]", "").replace("()", "").split(".")
        if _REQUESTS.intersection(names[:-1]) or (names[0] in _REQUESTS and isinstance(expr, Call | Index)):
            return True
        return (names[0] in self._sent and len(names) > 1) or (names[0] in self._sent and isinstance(expr, Index))

    def _is_kept(self, home: Home, expr: Expr) -> bool:
        """An attribute, an item, a constant of the module, a setting; what is written in the code is a mark and no secret."""
        resolver = self._ground.resolver
        if isinstance(expr, Call):
            value = resolver.resolve(home.file, home.function, expr.func)
            return value is not None and value.path in self._kept
        if isinstance(expr, Index):
            return isinstance(expr.key, Literal_)
        if not isinstance(expr, Ref | Attr) or (isinstance(expr, Ref) and "." not in expr.name and not expr.name.isupper()):
            return False
        value = resolver.resolve(home.file, home.function, expr)
        return value is None or not isinstance(value.made, Literal_)


def _comparisons(expr: Expr) -> Iterator[Op]:
    """The comparisons of two values that a condition or a result consists of."""
    todo = [expr]
    while todo:
        one = todo.pop()
        if isinstance(one, Op):
            if one.op in ("==", "!=") and len(one.parts) == 2:
                if not any(isinstance(part, Literal_ | Op) for part in one.parts) or any(
                    isinstance(p, Op) and p.op == "+" for p in one.parts
                ):
                    yield one
            else:
                todo.extend(one.parts)
        elif isinstance(one, Choice):
            todo.extend((one.test, one.yes, one.no))


def _is_opened(function: Function, op: Op) -> bool:
    """A side of the comparison was given to a call that fails for what it did not sign: `signer.loads(token)`."""
    sides = {dotted(part) for part in op.parts}
    calls = (site.call for site in function.sites if site.call.start < op.start and _OPENS.intersection(words_of(_word(site.call.func))))
    return any(dotted(arg.value) in sides for call in calls for arg in call.args)


def _word(func: Expr) -> str:
    return dotted(func).rpartition(".")[2]


def _key_of(expr: Expr) -> str:
    """The name under which something is looked up: `headers["X-Token"]`, `args.get("token")`."""
    key = expr.key if isinstance(expr, Index) else expr.args[0].value if isinstance(expr, Call) and expr.args else None
    return str(key.value) if isinstance(key, Literal_) and isinstance(key.value, str) else ""


def _last(expr: Expr) -> str:
    """The name of what an expression gives."""
    if isinstance(expr, Await):
        return _last(expr.value)
    if isinstance(expr, Call):
        base = receiver(expr.func)
        if base is not None and _word(expr.func) in _SPELLED:
            return _last(base)
        return _key_of(expr) or (_last(expr.args[0].value) if expr.args and isinstance(expr.func, Ref) else "") or _word(expr.func)
    if isinstance(expr, Index):
        return _key_of(expr)
    return dotted(expr).rpartition(".")[2]


def _noun(expr: Expr) -> str:
    name = _last(expr)
    words = words_of(name)
    if not words or _SAME_SIDE.intersection(words) or _PASSED.intersection(words_of(dotted(expr))):
        return ""
    return "signature" if words[-1] in _SIGNATURES else secret_noun(name)


def _is_plain(expr: Expr) -> bool:
    """What is no secret whatever it is compared with: a literal, a length, an enumeration, a checksum of contents."""
    return isinstance(expr, Literal_) or bool({"etag", "checksum", "md5", "fingerprint"}.intersection(words_of(_last(expr))))


def _is_column(expr: Expr) -> bool:
    """A column of a model class in a query: `Token.key == key`, `cls.api_key == key`."""
    head, _, rest = dotted(expr).partition(".")
    return bool(rest) and (head == "cls" or (head[:1].isupper() and not head.isupper()))


def _base(expr: Expr) -> str:
    if isinstance(expr, Index):
        return dotted(expr.base)
    if isinstance(expr, Call):
        return dotted(expr.func)
    return dotted(expr).rpartition(".")[0]


def _refuses(function: Function, step: Step, op: Op) -> bool:
    """The comparison decides who comes in: its mismatch raises or returns, or its match is the answer."""
    if op.op == "==" or step.kind == "return":
        return True
    return any(
        block.kind == "if"
        and 0 <= block.opened_by < len(function.steps)
        and function.steps[block.opened_by] is step
        and _leaves(function, index)
        for index, block in enumerate(function.blocks)
    )


def _leaves(function: Function, index: int) -> bool:
    """The block raises or returns, or calls what does."""
    if function.blocks[index].ends in ("raise", "return"):
        return True
    inside = (
        site
        for site in function.sites
        if any(block is function.blocks[index] for block in enclosing(function, function.steps[site.step].block))
    )
    return any(words_of(_word(site.call.func))[:1] in (["abort"], ["fail"], ["deny"], ["raise"]) for site in inside)
