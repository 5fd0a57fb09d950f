"""What a log call writes: each value with the secret noun that it ends in, or the whole object that it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

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
from guardrails.place import Place
from guardrails.project.secrets import ADDRESSES, secret_noun, words_of

_MASKS = re.compile(
    r"(?i)(?:mask|redact|obfuscat|sanitiz|scrub|fingerprint|anonymi[sz]|censor|hash|digest|sha\d*|md5|hexdigest|truncate|shorten|preview|last4|safe_)"
)
_HARMLESS_CALLS = frozenset(
    "len bool type isinstance id sorted_keys keys count exists is_none is_some is_empty startswith endswith".split()
)
_READERS = frozenset("get_secret_value expose_secret get_password get_access_token get_api_key".split())
_SHOWERS = frozenset(
    "vars asdict model_dump model_dump_json to_dict as_dict "
    "str repr dict json.dumps pprint.pformat pformat JSON.stringify String format list tuple dumps "
    "inspect to_string clone as_str to_owned as_ref unwrap unwrap_or_default lower upper strip encode decode".split()
)
_REQUEST = frozenset("request req self.request ctx.request info.context.request http_request".split())
_BODIES = frozenset("data body POST form json cookies COOKIES headers META body() json() form() get_json() text()".split())
_HARMLESS_HEADERS = frozenset(
    "e err exc error exception response resp res result reply reader row table sheet worksheet csv writer df columns column".split()
)
_ENV_NAME = re.compile(r"^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*$")
_LABEL = re.compile(r"([A-Za-z][\w -]*?)(?: generated| is| was)?\s*[:=]\s*(?:%s|%r|\{\}|\{:\?\})?$")
_CLIENT = re.compile(r"^(?:requests|httpx|aiohttp|urllib|urllib3)\.")
_TOKEN_ADDRESS = re.compile(r"(?i)(?:^|/)(?:oauth2?/)?(?:access_)?token(?:$|[/?])|/oauth")
_ANSWERS = re.compile(r"(?:^|\.)(?:get|post|put|patch|delete|head|request|send|urlopen|fetch)$")
_HELD = frozenset(("key", "value", "plaintext", "raw"))  # attributes of a secret that are the secret
_CLAIMS = re.compile(r"(?:^|\.)(?:decode|verify|get_unverified_claims)$")  # what a token says, not the token
_HANDLES = re.compile(r"uuid[14]\(\)|UUIDField\(\)|UUID\(\)$|^object\(\)$")  # a token that names something
_TEXT_TOKEN = re.compile(r"\[\*\]|split\(\)|tokeniz")
_FETCHES = frozenset("get post put head request urlopen urlretrieve fetch download stream".split())
_OPENS = frozenset("open Path exists isfile read_text read_bytes".split())
_NAMELESS = frozenset("url value val key s x v link uri".split())
_DEEPEST = 4
_STORES = 50  # assignments of one name that are looked at


class Values:
    """Takes the arguments of log calls apart. `masks` are the project's own redaction helpers, `more` its secret words."""

    def __init__(self, resolver: Resolver, masks: frozenset[str], more: frozenset[str], whole: Mapping[str, str]) -> None:
        self._resolver, self._masks, self._more, self._whole = resolver, masks, more, whole

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
            found.extend(self._value(Hit(arg.value, made.home), name, 0))
        return tuple(found)

    def _value(self, hit: Hit, name: str, depth: int) -> list[Logged]:
        """The secrets in an expression; `name` is the key under which it is logged."""
        if depth > _DEEPEST:
            return []
        expr = hit.expr
        match expr:
            case Literal_() | Comp():
                return []
            case Text():
                return self._parts(hit, expr.parts, depth) or self._labelled(hit, expr.parts)
            case Op(op="%" | "+" | "or" | "??" | "and" | "?" | "&"):
                return self._parts(hit, expr.parts if expr.op != "and" else expr.parts[-1:], depth)
            case Op():
                return []
            case Group():
                return self._parts(hit, _not_replaced(expr.items), depth)
            case Pair():
                key = as_text(expr.key) or ""
                return self._value(Hit(expr.value, hit.home), key, depth + 1)
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

    def _labelled(self, hit: Hit, parts: tuple[Expr, ...]) -> list[Logged]:
        """A value without a name of its own, right after a literal that names the secret: `"API key: %s", value`."""
        for label, part in pairwise(parts):
            text = as_text(label)
            words = _LABEL.search(text) if text is not None else None
            if words and isinstance(part, Ref) and part.name.rpartition(".")[2].lower() in _NAMELESS:
                noun = secret_noun(words[1].replace(" ", "_"), self._more)
                if noun:
                    return [self._logged(Hit(part, hit.home), noun)]
        return []

    def _call(self, hit: Hit, call: Call, name: str, depth: int) -> list[Logged]:
        text = dotted(call.func)
        last = text.rpartition(".")[2]
        if last in self._masks or _MASKS.search(last) or last in _HARMLESS_CALLS:
            return []
        if last in _READERS:
            return [self._logged(hit, words_of(last)[-1] if last != "get_secret_value" else "secret")]
        if last == "format" and isinstance(call.func, Attr):
            return self._parts(hit, tuple(arg.value for arg in call.args), depth)
        if text in _SHOWERS or (call.macro and last == "format"):
            return self._parts(hit, tuple(arg.value for arg in call.args), depth)
        if last in _SHOWERS and isinstance(call.func, Attr | Ref) and not call.args:
            base = receiver(call)
            return self._value(Hit(base, hit.home), name, depth + 1) if base is not None else []
        if last in ("get", "pop", "getenv", "get_header") and call.args:
            return self._keyed(hit, as_text(call.args[0].value) or "")
        return self._body(hit, f"{text}()")

    def _keyed(self, hit: Hit, key: str) -> list[Logged]:
        noun = secret_noun(key, self._more)
        return [self._logged(hit, noun)] if noun else []

    def _leaf(self, hit: Hit, name: str, depth: int) -> list[Logged]:
        expr = hit.expr
        if isinstance(expr, Index):
            if isinstance(expr.key, Other):  # a slice: the usual way to show only the end
                return []
            key = as_text(expr.key)
            if key is not None:
                return self._keyed(hit, key)
            one_of = self._value(Hit(expr.base, hit.home), name, depth + 1)
            return [value for value in one_of if not value.whole]
        text = dotted(expr)
        last = text.rpartition(".")[2]
        noun = secret_noun(last, self._more)
        if not noun and last in _HELD and not self._is_own(hit):
            noun = secret_noun(text.rpartition(".")[0].rpartition(".")[2], self._more)
        if noun and not self._is_harmless(hit, last):
            return [self._logged(hit, noun)]
        if last in ("headers", "environ", "header") or words_of(last)[-2:] in (["request", "headers"], ["all", "headers"]):
            return self._headers(hit, text, last)
        if isinstance(expr, Ref) and "." not in expr.name:
            return self._local(hit, expr, depth)
        return self._body(hit, text)

    def _headers(self, hit: Hit, text: str, last: str) -> list[Logged]:
        owner = text.rpartition(".")[0].rpartition(".")[2]
        if last == "environ":
            value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
            return [self._logged(hit, "the whole environment", whole=True)] if value is not None and value.path == "os.environ" else []
        if last == "header" or set(words_of(owner)) & _HARMLESS_HEADERS or "response" in text.lower():
            return []
        value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        made = value.made if value is not None else None
        if value is not None and any(word in value.path for word in ("csv.", "openpyxl", "tabulate", "response", "Response")):
            return []
        if isinstance(made, Call) and (_ANSWERS.search(dotted(made.func)) or any("csv" in dotted(part) for part in walk(made))):
            return []
        if isinstance(made, Group):
            return self._literal_headers(hit, made)
        if isinstance(made, Comp | Literal_) and not any(secret_noun(key, self._more) for key in self._added_keys(hit)):
            return []
        return [self._logged(hit, "whole headers", whole=True)]

    def _literal_headers(self, hit: Hit, group: Group) -> list[Logged]:
        """A literal mapping is judged by its keys, and by those that are added later; a list is a table's head."""
        keys = [as_text(item.key) or "" for item in group.items if isinstance(item, Pair)] + self._added_keys(hit)
        secret = next((key for key in keys if secret_noun(key.replace("-", "_"), self._more) or "api-key" in key.lower()), "")
        hidden = any(isinstance(item, Spread) for item in group.items)
        return [self._logged(hit, "whole headers", whole=True)] if group.kind == "dict" and (secret or hidden) else []

    def _added_keys(self, hit: Hit) -> list[str]:
        """Keys that are added to a mapping: `headers["Authorization"] = ..`; what `.update(..)` adds is not known: a secret."""
        name = getattr(hit.expr, "name", "")
        definition = self._resolver.definition(hit.home)
        steps = [t for step in definition.steps if step.start < hit.expr.start for t in step.targets]
        keys = [as_text(t.key) or "" for t in steps if isinstance(t, Index) and dotted(t.base) == name]
        updates = [s for s in definition.sites if dotted(s.call.func) == f"{name}.update" and s.call.start < hit.expr.start]
        return keys + ["secret" for site in updates if site.call.args and not isinstance(site.call.args[0].value, Group)]

    def _body(self, hit: Hit, text: str) -> list[Logged]:
        """A whole request body or cookies: `request.data`, `await request.json()`."""
        with self._resolver.shallow():
            value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        whole = self._whole_of(value) if value is not None else ""
        if whole:
            return [self._logged(hit, whole, whole=True)]
        owner, _, last = text.rpartition(".")
        if last in ("text", "content", "json()", "text()") and self._is_token_answer(hit, hit.expr):
            return [self._logged(hit, "what a token endpoint answered", whole=True)]
        if value is not None and _CLIENT.search(value.path):
            return []
        if owner in _REQUEST and last in _BODIES:
            return [self._logged(hit, "whole headers" if last in ("headers", "META") else "the whole request body", whole=True)]
        return []

    def _whole_of(self, value: Value) -> str:
        """In words, what an object that carries more than a log should hold is; "" for any other."""
        if value.path in self._whole:
            return self._whole[value.path]
        if value.instance and value.home is not None:
            foreign = [base for base in self._resolver.bases(value.home) if isinstance(base, str)]
            return next((self._whole[f"{base}()"] for base in foreign if f"{base}()" in self._whole), "")
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
        if isinstance(value, Call | Await) and not self._shows(value):
            return self._body(hit, ref.name)
        inner = self._value(Hit(value, hit.home), "", depth + 1)
        place = Place(hit.home.file, hit.expr.start, hit.expr.end)
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

    @staticmethod
    def _shows(value: Expr) -> bool:
        call = value.value if isinstance(value, Await) else value
        text = dotted(call.func) if isinstance(call, Call) else ""
        last = text.rpartition(".")[2]
        return text in _SHOWERS or last in _READERS or last == "format" or (text.rpartition(".")[0] in _REQUEST and f"{last}()" in _BODIES)

    def _is_harmless(self, hit: Hit, last: str) -> bool:
        """A constant that names an environment variable or a header, a token of text, a masked value, a path, a public address."""
        words = words_of(last)
        value = self._resolver.resolve(hit.home.file, hit.home.function, hit.expr)
        if "header" in words[:-1] or self._is_used_as_address(hit, words):
            return True
        if value is None:
            return self._is_remade(hit)
        if isinstance(value.made, Literal_):
            text = value.made.value
            return not isinstance(text, str) or _ENV_NAME.match(text) is not None or words[-1:] == ["header"]
        if "SecretStr" in value.path or "SecretBytes" in value.path:
            return True
        if isinstance(value.made, Call) and _MASKS.search(dotted(value.made.func).rpartition(".")[2]):
            return True
        if isinstance(value.made, Call) and _CLAIMS.search(dotted(value.made.func)):
            return True
        if words[-1:] == ["token"] and _HANDLES.search(value.path):
            return True
        return self._is_remade(hit) or (words[-1:] == ["token"] and _TEXT_TOKEN.search(value.path.lower()) is not None)

    def _is_own(self, hit: Hit) -> bool:
        """The attribute is taken from an instance of a class of the project, which says itself what it means."""
        owner = receiver(hit.expr)
        value = self._resolver.resolve(hit.home.file, hit.home.function, owner) if owner is not None else None
        return value is not None and value.home is not None

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

    def _logged(self, hit: Hit, noun: str, whole: bool = False) -> Logged:
        text = self._resolver.text(hit.home.file, hit.expr.start, hit.expr.end)
        return Logged(" ".join(text.split())[:80], Place(hit.home.file, hit.expr.start, hit.expr.end), noun, whole)


def _not_replaced(items: tuple[Expr, ...]) -> tuple[Expr, ...]:
    """The entries of a mapping display; what is spread first and replaced by a later key is that key's value."""
    return (
        items if not any(isinstance(item, Spread) for item in items[:-1]) else tuple(i for i in items if not isinstance(i, Spread)) or items
    )
