"""What a log call writes: each value with the secret noun that it ends in, or the whole object that it is."""

from __future__ import annotations

import re
from itertools import pairwise

import msgspec

from guardrails.facts import Logged
from guardrails.finding import Related
from guardrails.frameworks.sightings import LogSeen
from guardrails.names.evaluate import as_text
from guardrails.names.options import Hit
from guardrails.names.resolve import Resolver
from guardrails.names.values import Value
from guardrails.outline import (
    Attr,
    Await,
    Call,
    Choice,
    Comp,
    Expr,
    Group,
    Index,
    Literal_,
    Op,
    Other,
    Pair,
    Ref,
    Spread,
    Text,
    dotted,
    receiver,
    walk,
)
from guardrails.project.fields import Fields
from guardrails.project.harmless import Harmless
from guardrails.project.headers import Headers
from guardrails.project.refusals import Refusals
from guardrails.project.secrecy import Secrecies, tells_apart
from guardrails.project.secrets import words_of
from guardrails.project.terminals import Terminals

_HARMLESS_CALLS = frozenset(
    "len bool type isinstance id sorted_keys keys count exists is_none is_some is_empty startswith endswith".split()
)
_READERS = frozenset("get_password get_access_token get_api_key".split())
_SHOWERS = frozenset(
    "str repr dict json.dumps pprint.pformat pformat JSON.stringify String format list tuple dumps "
    "inspect to_string clone as_str to_owned as_ref unwrap unwrap_or_default lower upper strip encode decode".split()
)
_LABEL = re.compile(r"([A-Za-z][\w -]*?)(?: generated| is| was)?\s*[:=]\s*(?:%s|%r|\{\}|\{:\?\})?$")
_TOKEN_ADDRESS = re.compile(r"(?i)(?:^|/)(?:oauth2?/)?(?:access_)?token(?:$|[/?])|/oauth")
TOKEN_ANSWER = "what a token endpoint answered"
_HELD = frozenset(("key", "value", "plaintext", "raw"))  # attributes of a secret that are the secret
_NAMELESS = frozenset("url value val key s x v link uri".split())
_DEEPEST = 4


class Values:
    """Takes the arguments of log calls and of enqueues apart."""

    def __init__(self, resolver: Resolver, secrecies: Secrecies) -> None:
        self._resolver, self._secrecies = resolver, secrecies
        self._harmless, self._headers = Harmless(resolver, secrecies), Headers(resolver, secrecies)
        self._fields, self._terminals = Fields(resolver, secrecies), Terminals(resolver, secrecies)
        self._refusals = Refusals(resolver)

    def of(self, seen: LogSeen) -> tuple[Logged, ...]:
        """The secrets among what a log call writes; harmless values are left out."""
        found: list[Logged] = []
        made = seen.made
        args = [arg.value for arg in made.call.args if not arg.name and not arg.splat]
        found.extend(self._labelled(Hit(made.call, made.home), tuple(args)))
        for arg in made.call.args:
            if arg.name in ("exc_info", "stack_info", "stacklevel", "file", "end", "sep", "flush", "err", "target", "parent"):
                continue
            name = arg.name if arg.name != "extra" else ""
            found.extend(self.inside(Hit(arg.value, made.home), name))
        return tuple(self._spent(seen, one) for one in found if not self._is_meant(seen, one))

    def _is_meant(self, seen: LogSeen, one: Logged) -> bool:
        """It is printed for whoever asked for a new one, or cannot be used: no secret."""
        if seen.form.prints and self._secrecies.made(one.text.rpartition("(")[0].rpartition(".")[2]):
            return True
        if one.secret == TOKEN_ANSWER:
            return self._refusals.is_failed(seen.made.home, seen.site)
        return self._refusals.is_sealed(seen.made.home, seen.site, one)

    def _spent(self, seen: LogSeen, one: Logged) -> Logged:
        return msgspec.structs.replace(one, spent=True) if self._refusals.is_refused(seen.made.home, seen.site, one) else one

    def on_terminal(self, seen: LogSeen, values: tuple[Logged, ...]) -> bool:
        """What the call writes is read by the person who started the program, and kept by nobody."""
        return self._terminals.shows(seen, values)

    def inside(self, hit: Hit, name: str = "") -> list[Logged]:
        """The secrets in an expression; `name` is the key under which it is written."""
        return [] if tells_apart(name) else self._value(hit, name, 0)

    def noun(self, name: str) -> str:
        """The secret noun that a name ends in."""
        return self._secrecies.noun(name)

    def is_harmless(self, hit: Hit, name: str) -> bool:
        """A value under the name of a secret is none."""
        return self._harmless.is_harmless(hit, name)

    def _value(self, hit: Hit, name: str, depth: int) -> list[Logged]:
        """The secrets in an expression; `name` is the key under which it is written."""
        if depth > _DEEPEST:
            return []
        expr = hit.expr
        match expr:
            case Literal_() | Comp():
                return []
            case Text():
                return self._parts(hit, expr.parts, depth) or self._labelled(hit, expr.parts)
            case Op(op="%" | "+" | "or" | "??" | "and" | "?" | "&" | "|"):
                return self._parts(hit, expr.parts if expr.op != "and" else expr.parts[-1:], depth)
            case Op():
                return []
            case Group():
                return self._parts(hit, self._not_replaced(expr.items), depth)
            case Pair():
                key = as_text(expr.key) or ""
                return [] if tells_apart(key) else self._value(Hit(expr.value, hit.home), key, depth + 1)
            case Spread() | Await():
                return self._value(Hit(expr.value, hit.home), name, depth)
            case Choice():
                return self._parts(hit, (expr.yes, expr.no), depth)
            case Call():
                return self._call(hit, expr, name, depth)
            case _:
                return self._leaf(hit, name, depth)

    def _parts(self, hit: Hit, parts: tuple[Expr, ...], depth: int) -> list[Logged]:
        return [found for part in parts for found in self._value(Hit(part, hit.home), "", depth + 1)]

    def _not_replaced(self, items: tuple[Expr, ...]) -> tuple[Expr, ...]:
        """The entries of a mapping display; what is spread is left out where a later key replaces the secret in it."""
        keys = [(as_text(item.key) or "", item.start) for item in items if isinstance(item, Pair)]
        replaced = max((start for key, start in keys if self._secrecies.noun(key)), default=-1)
        return tuple(item for item in items if not (isinstance(item, Spread) and item.start < replaced))

    def _labelled(self, hit: Hit, parts: tuple[Expr, ...]) -> list[Logged]:
        """A value without a name of its own, right after a literal that names the secret: `"API key: %s", value`."""
        for label, part in pairwise(parts):
            text = as_text(label)
            words = _LABEL.search(text) if text is not None else None
            if words and isinstance(part, Ref) and part.name.rpartition(".")[2].lower() in _NAMELESS:
                noun = self._secrecies.noun(words[1].replace(" ", "_"))
                if noun:
                    return [self._logged(Hit(part, hit.home), noun)]
        return []

    def _call(self, hit: Hit, call: Call, name: str, depth: int) -> list[Logged]:
        text = dotted(call.func)
        last = text.rpartition(".")[2]
        if self._secrecies.masks(last) or last in _HARMLESS_CALLS:
            return []
        if last in self._secrecies.shown or self._discloses(hit):
            return [self._logged(hit, "secret")]
        if last in _READERS:
            return [self._logged(hit, words_of(last)[-1])]
        if self._fields.of(hit):
            return [self._all_fields(hit)]
        if text == "locals":
            return self._locals(hit)
        if last == "format" and isinstance(call.func, Attr):
            return self._pairs(hit, call, depth)
        if text in _SHOWERS or (call.macro and last == "format"):
            return self._pairs(hit, call, depth)
        if last in _SHOWERS and isinstance(call.func, Attr | Ref) and not call.args:
            base = receiver(call)
            return self._value(Hit(base, hit.home), name, depth + 1) if base is not None else []
        if last in ("get", "pop", "getenv", "get_header") and call.args:
            return self._keyed(hit, as_text(call.args[0].value) or "")
        made = self._secrecies.made(last)
        return [self._logged(hit, made)] if made else self._body(hit, f"{text}()")

    def _discloses(self, hit: Hit) -> bool:
        """A method of a usual name that gives what its own class hides: `resolve` of a reference to a secret."""
        call = hit.expr.value if isinstance(hit.expr, Await) else hit.expr
        last = dotted(call.func).rpartition(".")[2] if isinstance(call, Call) else ""
        symbols = [path for path in self._secrecies.shown if last and path.endswith(f".{last}")]
        value = self._resolver.resolve(hit.home.file, hit.home.function, call.func) if symbols and isinstance(call, Call) else None
        return value is not None and value.path in symbols

    def _pairs(self, hit: Hit, call: Call, depth: int) -> list[Logged]:
        """The arguments of a call that writes them: `dict(token=value)`, `"{}".format(value)`."""
        named = [arg for arg in call.args if not tells_apart(arg.name)]
        return [found for arg in named for found in self._value(Hit(arg.value, hit.home), arg.name, depth + 1)]

    def _all_fields(self, hit: Hit) -> Logged:
        return self._logged(hit, f"all fields of an object, its `{self._fields.of(hit)}` too", whole=True)

    def _keyed(self, hit: Hit, key: str) -> list[Logged]:
        noun = self._secrecies.noun(key)
        return [self._logged(hit, noun)] if noun else []

    def _leaf(self, hit: Hit, name: str, depth: int) -> list[Logged]:
        expr = hit.expr
        if isinstance(expr, Index):
            if isinstance(expr.key, Other):  # a slice: the usual way to show only the end
                return []
            key = as_text(expr.key)
            if key is not None:
                return [] if tells_apart(dotted(expr.base).rpartition(".")[2]) else self._keyed(hit, key)
            one_of = self._value(Hit(expr.base, hit.home), name, depth + 1)
            return [value for value in one_of if not value.whole]
        text = dotted(expr)
        last = text.rpartition(".")[2]
        noun = self._secrecies.noun(last)
        if not noun and last in _HELD and not self._harmless.is_own(hit):
            noun = self._secrecies.noun(text.rpartition(".")[0].rpartition(".")[2])
        if noun and not self._harmless.is_harmless(hit, last):
            return [self._logged(hit, noun)]
        if last in ("headers", "environ", "header") or words_of(last)[-2:] in (["request", "headers"], ["all", "headers"]):
            words = self._headers.of(hit, text, last)
            return [self._logged(hit, words, whole=True)] if words else []
        if not noun and self._fields.of(hit):
            return [self._all_fields(hit)]
        if isinstance(expr, Ref) and "." not in expr.name:
            return self._local(hit, expr, depth)
        return self._body(hit, text)

    def _body(self, hit: Hit, text: str) -> list[Logged]:
        """A whole request body or cookies: `request.data`, `await request.json()`."""
        with self._resolver.shallow():
            value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        whole = self._whole_of(value) if value is not None else ""
        if whole:
            return [self._logged(hit, whole, whole=True)]
        owner, _, last = text.rpartition(".")
        if last in ("text", "content", "json()", "text()") and self._is_token_answer(hit, hit.expr):
            return [self._logged(hit, TOKEN_ANSWER, whole=True)]
        if value is not None and value.path.startswith(self._secrecies.sent):
            return []
        if owner in self._secrecies.requests and last in self._secrecies.bodies:
            return [self._logged(hit, self._secrecies.bodies[last], whole=True)]
        return []

    def _whole_of(self, value: Value) -> str:
        """In words, what an object that carries more than a log should hold is; "" for any other."""
        if value.path in self._secrecies.whole:
            return self._secrecies.whole[value.path]
        whole = self._secrecies.whole
        if value.instance and value.home is not None:
            foreign = [base for base in self._resolver.bases(value.home) if isinstance(base, str)]
            return next((whole[f"{base}()"] for base in foreign if f"{base}()" in whole), "")
        return ""

    def _is_token_answer(self, hit: Hit, expr: Expr) -> bool:
        """The body of an answer to a request whose address names tokens: `requests.post(".../oauth/token").text`."""
        owner = receiver(expr)
        value = self._resolver.resolve(hit.home.file, hit.home.function, owner) if owner is not None else None
        made = value.made if value is not None else None
        addresses = [arg.value for arg in made.args if arg.name in ("", "url")][:2] if isinstance(made, Call) else []
        texts = [str(part.value) for address in addresses for part in walk(address) if isinstance(part, Literal_)]
        return any(_TOKEN_ADDRESS.search(text) for text in texts)

    def _local(self, hit: Hit, ref: Ref, depth: int) -> list[Logged]:
        """What a local variable was built from, where it was assigned once in the same function."""
        steps = self._resolver.part(hit.home).stores(hit.home.function).get(ref.name, [])
        if not steps:
            return self._body(hit, ref.name)
        if len(steps) != 1 or steps[0].value is None or steps[0].start >= ref.start:
            return []
        value = steps[0].value
        if not isinstance(value, Text | Op | Group | Ref | Attr | Index | Call | Await):
            return []
        if isinstance(value, Call | Await) and not self._shows(value) and not self._discloses(Hit(value, hit.home)):
            return self._body(hit, ref.name) or self._filled(hit, ref, depth)
        inner = self._value(Hit(value, hit.home), "", depth + 1) or self._filled(hit, ref, depth)
        if inner and ref.name in _HELD and self._harmless.is_public_half(hit, ref.name, inner[0].secret):
            return []
        place = hit.place
        return [
            Logged(
                f"{ref.name}",
                place,
                one.secret,
                one.whole,
                (Related(one.place, f"`{one.text}` goes into `{ref.name}` here"), *one.evidence),
            )
            for one in inner[:1]
        ]

    def _filled(self, hit: Hit, ref: Ref, depth: int) -> list[Logged]:
        """What is put into a local mapping before it is written: `fields["token"] = token`, `fields.update(token=token)`."""
        definition = self._resolver.definition(hit.home)
        for step in definition.steps:
            keys = [as_text(t.key) or "" for t in step.targets if isinstance(t, Index) and dotted(t.base) == ref.name]
            if keys and step.value is not None and step.start < ref.start and not tells_apart(keys[0]):
                found = self._value(Hit(step.value, hit.home), keys[0], depth + 1)
                if found:
                    return found
        updates = [site.call for site in definition.sites if dotted(site.call.func) == f"{ref.name}.update"]
        return next((found for call in updates if call.start < ref.start and (found := self._pairs(hit, call, depth))), [])

    def _locals(self, hit: Hit) -> list[Logged]:
        """All names of the function, where one of them is a secret's."""
        definition = self._resolver.definition(hit.home)
        names = [param.name for param in definition.params] + [dotted(target) for step in definition.steps for target in step.targets]
        secret = next((name for name in names if self._secrecies.noun(name)), "")
        return [self._logged(hit, f"all local names, `{secret}` too", whole=True)] if secret else []

    def _shows(self, value: Expr) -> bool:
        """The call writes what it is given or belongs to, or gives a secret or a whole body."""
        call = value.value if isinstance(value, Await) else value
        text = dotted(call.func) if isinstance(call, Call) else ""
        owner, _, last = text.rpartition(".")
        body = owner in self._secrecies.requests and f"{last}()" in self._secrecies.bodies
        shown = last in self._secrecies.shown or last in self._secrecies.fields or text in self._secrecies.fields_of
        return text in _SHOWERS or last in _READERS or last == "format" or body or shown or bool(self._secrecies.made(last))

    def _logged(self, hit: Hit, noun: str, whole: bool = False) -> Logged:
        text = self._resolver.text(hit.home.file, hit.expr.start, hit.expr.end)
        return Logged(" ".join(text.split())[:80], hit.place, noun, whole)
