"""Handlers of other systems' events: what they do, and what verifies who sent them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

import msgspec

from guardrails.facts.trust import Receiver
from guardrails.finding import Related
from guardrails.frameworks.sightings import EnqueueSeen, HandlerSeen, SpawnSeen
from guardrails.names.code import last_word
from guardrails.names.evaluate import as_text
from guardrails.names.options import Hit
from guardrails.names.values import Home
from guardrails.outline import Attr, Expr, Function, Literal_, Op, Ref, Site, dotted, is_within, walk
from guardrails.place import Place
from guardrails.project.doors import Doors
from guardrails.project.everywhere import Everywhere
from guardrails.project.ground import Ground
from guardrails.project.secrets import words_of
from guardrails.project.verifying import Door, Verifying

EVENTS = re.compile(r"(?i)(?:^|[_/.\-^]|(?<=[a-z]))(?:web_?hooks?|ipn|events?_api)(?:$|[_/.\-$?]|(?=[A-Z]))|(?:^\^?|/)hooks?(?:/|$)")
_HANDLES = re.compile(
    rb"""@[\w.]+\.(?:post|route|api_route|put)\(|\w+View\b|\bView\b|ViewSet|csrf_exempt|require_POST|api_view|\.post\(|\.route\(|"""
    rb"""\b(?:re_)?path\(|\burl\(|add_url_rule\(|add_route\(|\bRoute\(|MethodView|\bResource\b|HTTPEndpoint|\bHttpRequest\b"""
)
# Words of routes that manage subscriptions, for their owner.
_MANAGES = frozenset(
    "create creates add edit update updates delete deletes "
    "remove list register unregister subscribe unsubscribe subscription subscriptions rotate "
    "toggle enable disable regenerate setting settings config configuration "
    "configure manage management form new resend retry replay redeliver "
    "send trigger log logs deliver delivery deliveries destroy preview "
    "install deactivate reactivate activate admin test tests ping lists set".split()
)
_RECEIVES = frozenset(
    "receive receiver receives receiving handle handler handles handling incoming inbound listener callback event events hook".split()
)
_RAW = re.compile(
    r"(?:^|\.)(?:request|req)(?:\(\))?\.(?:body|data|json|form|POST|get_json|get_data|stream|text|read|values|content|read_body)(?:$|\(|\.|\[)|"
    r"^(?:self\.)?request\.body|get_json|get_data"
)
_PAYLOADS = frozenset("event events payload body data hook webhook notification message update raw".split())
_WRITES = frozenset(
    "save create delete update insert commit bulk_create bulk_update "
    "get_or_create update_or_create add_all asave acreate insert_one update_one execute_write "
    "delete_one create_or_update upsert destroy".split()
)
_SENDS = frozenset(
    "send publish enqueue dispatch trigger notify mail emit sync charge refund cancel capture fulfill activate provision process".split()
)
_NOT_SENT = frozenset(("json", "response", "status", "headers", "error", "file", "message", "exception", "breadcrumb"))
_DEEPEST = 3


class _Act(msgspec.Struct, frozen=True):
    """What a handler does with an event: in words, the call in the handler, and where the work is."""

    words: str
    site: Site
    place: Place


class Receiving:
    """Makes a fact of each handler that receives events."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._resolver = ground, ground.resolver
        self._verifying = Verifying(ground)
        self._doors, self._everywhere = Doors(ground, self._verifying), Everywhere(ground)

    def reads(self) -> Iterator[str]:
        """The files that may declare or register such a handler."""
        index = self._ground.code.words
        words = [word.decode("utf-8", "surrogateescape") for word in index.containing(("webhook", "web_hook"), ignore_case=True)]
        for path in index.holding_any(words):
            if path.endswith(".py") and _HANDLES.search(self._ground.code.text(path)):
                yield path

    def facts(self) -> Iterator[Receiver]:
        """A fact a receiver."""
        self._handed = {
            (seen.made.home.file, seen.made.call.start): f"`{seen.target}` is enqueued"
            if isinstance(seen, EnqueueSeen)
            else "work is started"
            for seen in self._ground.seen
            if isinstance(seen, EnqueueSeen | SpawnSeen)
        }
        yield from (self._registered(seen) for seen in self._ground.sightings(EnqueueSeen) if seen.form.receives)
        registrations: dict[Home, list[HandlerSeen]] = {}
        for seen in self._ground.sightings(HandlerSeen):
            registrations.setdefault(seen.home, []).append(seen)
        for home, all_seen in registrations.items():
            if self._resolver.part(home).language == "python":
                why = self._receives(home, all_seen)
                if why:
                    yield self._judged(home, all_seen, why)

    def _registered(self, seen: EnqueueSeen) -> Receiver:
        """A webhook that a framework's own call registers: it verifies what it is told to."""
        answer, route = seen.options.get(seen.form.receives), seen.options.get("0")
        is_there = isinstance(answer, Hit) and not (isinstance(answer.expr, Literal_) and answer.expr.value is None)
        return Receiver(
            **self._ground.at(seen.model, seen.made.home, seen.made.call),
            name=(as_text(route.expr) if isinstance(route, Hit) else None) or seen.target,
            why="it is registered as one",
            acts=f"`{seen.target}` is enqueued",
            door=f"`{seen.form.receives}`" if is_there else "",
            perhaps="its options" if answer == "maybe" else "",
        )

    def _receives(self, home: Home, all_seen: list[HandlerSeen]) -> str:
        """How it is known that another system calls the handler, "" where it does not, or where its owner does."""
        function = self._resolver.definition(home)
        methods = {method for seen in all_seen for method in seen.methods}
        if methods and not methods & {"POST", "PUT"}:
            return ""
        routes = [seen.route for seen in all_seen if seen.route]
        texts = [("its route", route) for route in routes]
        texts += [("its name", function.qualname), ("its file", home.file.rpartition(".")[0])]
        what = next((what for what, text in texts if EVENTS.search(text)), "")
        if not what or any(re.search(r"(?i)auth|login|sso|saml|oidc", text) for _, text in texts[:-1]):
            return ""
        if what == "its file" and not methods and not routes:
            return ""
        words = {word for text in (*routes, function.qualname) for word in words_of(text)}
        if words & _MANAGES and not words & _RECEIVES:
            return ""
        if not self._takes_event(home, function):
            return ""
        return f"{what} says that it receives events"

    def _takes_event(self, home: Home, function: Function) -> bool:
        """It reads the request's body, or has a parameter that is the event."""
        if any(_PAYLOADS.intersection(words_of(param.name)) for param in function.params):
            return True
        part = self._resolver.part(home)
        return any(
            _RAW.search(dotted(expr))
            for index in (home.function, *part.members.get(home.function, ()))
            for step in part.functions[index].steps
            if step.value is not None
            for expr in walk(step.value)
            if isinstance(expr, Ref | Attr)
        ) or any(_is_request(arg.value) for site in function.sites for arg in site.call.args)

    def _judged(self, home: Home, all_seen: list[HandlerSeen], why: str) -> Receiver:
        function = self._resolver.definition(home)
        acts = list(self._acts(home, function))
        first = acts[0] if acts else None
        door = next((door for seen in all_seen if (door := self._doors.around(seen)) is not None), None)
        late = False
        if door is None:
            door = self._verifying.inside(home)
            late = door is not None and first is not None and self._is_late(home, function, first)
        if door is None and not self._doors.opened(home):
            door = self._everywhere.door(all_seen[0].model.framework)
        ignored, lost = self._lost(home, function)
        place = first.place if first is not None else Place(home.file, function.name_start, function.name_end)
        at = self._ground.standing(all_seen[0].model, home, Place(home.file, function.name_start, function.name_end))
        related = (Related(place, first.words),) if first is not None else ()
        return Receiver(
            **at,
            name=function.qualname,
            why=why,
            acts=first.words if first is not None else "",
            door=door.words if door is not None else "",
            late=late,
            perhaps="" if door is not None else self._perhaps(home, function),
            ignored=ignored.words if ignored is not None else "",
            lost=lost,
            related=related,
        )  # fmt: skip

    def _acts(self, home: Home, function: Function, depth: int = 0) -> Iterator[_Act]:
        """What the handler does, in the order of its calls; also in what it calls."""
        part = self._resolver.part(home)
        for index in (home.function, *(i for i in part.members.get(home.function, ()) if part.functions[i].kind != "class")):
            for site in part.functions[index].sites:
                words = self._act(Home(home.file, index), site, depth)
                if words is not None:
                    yield _Act(words[0], site, words[1])

    def _act(self, home: Home, site: Site, depth: int) -> tuple[str, Place] | None:
        place = Place(home.file, site.call.start, site.call.end)
        handed = self._handed.get((home.file, site.call.start))
        if handed is not None:
            return handed, place
        text, word = dotted(site.call.func), last_word(site)
        words = words_of(word)
        if "." in text and word in _WRITES and not text.startswith(("hashlib", "hmac", "headers", "dict", "json")):
            base = text.rpartition(".")[0].rpartition(".")[2].removesuffix("()")
            if word != "update" or not (base.islower() and base in _PLAIN):
                return f"`{text}` writes", place
        if word in self._ground.catalogue.loose and "." in text:
            return f"`{text}` hands work over", place
        if words and words[0] in _SENDS and not _NOT_SENT.intersection(words) and "." in text:
            return f"`{text}` acts", place
        if depth >= _DEEPEST:
            return None
        value = self._resolver.resolve(home.file, home.function, site.call.func)
        if value is None or value.home is None or self._resolver.definition(value.home).kind != "function" or value.home == home:
            return None
        inner = next(self._acts(value.home, self._resolver.definition(value.home), depth + 1), None)
        return (inner.words, inner.place) if inner is not None else None

    def _is_late(self, home: Home, function: Function, act: _Act) -> bool:
        """Work was done, on every way, before anything verified the sender."""
        for step in function.steps:
            if step.start > act.site.call.start:
                break
            if self._verifying.step(home, step) is not None:
                return False
        own = next((site for site in function.sites if site is act.site), None)
        if own is None:
            return False
        for site in function.sites:
            if (site.call.start >= act.site.call.start and site.call.end <= act.site.call.end) or site is own:
                if self._verifying.at(home, site) is not None:
                    return False
                break
            if self._verifying.at(home, site) is not None:
                return False
        block = function.steps[own.step].block
        later = [site for site in function.sites if site.call.start > own.call.start and self._verifying.at(home, site) is not None]
        return any(is_within(function, function.steps[site.step].block, block) for site in later)

    def _lost(self, home: Home, function: Function) -> tuple[Door | None, Literal["", "dropped", "not awaited"]]:
        """A verifier of the project whose answer nobody looks at, or which is a coroutine that nobody awaits."""
        for site in function.sites:
            words = words_of(last_word(site))
            if (
                not words
                or words[0] not in ("verify", "validate", "check", "is")
                or not {"signature", "webhook", "hmac", "sig", "signed"} & set(words)
            ):
                continue
            value = self._resolver.resolve(home.file, home.function, site.call.func)
            if value is None or value.home is None or self._resolver.definition(value.home).kind != "function":
                continue
            verifier = self._resolver.definition(value.home)
            door = Door(dotted(site.call.func), Place(home.file, site.call.start, site.call.end))
            if verifier.is_async and site.use not in ("awaited", "passed", "returned", "assigned", "kept", "yielded", "chained"):
                return door, "not awaited"
            if site.use == "dropped" and _only_tells(verifier):
                return door, "dropped"
            if site.use == "awaited" and _only_tells(verifier) and _is_statement(function, site):
                return door, "dropped"
        return None, ""

    def _perhaps(self, home: Home, function: Function) -> str:
        """A call that takes the request and could not be followed may verify it."""
        for site in function.sites:
            value = self._resolver.resolve(home.file, home.function, site.call.func)
            known = value is not None and (value.home is not None or self._is_foreign(value.path))
            if known or not any(_is_request(expr) for arg in site.call.args for expr in walk(arg.value)):
                continue
            if not dotted(site.call.func).startswith(("request", "super", "log", "print", "json", "str", "len", "isinstance", "getattr")):
                return f"`{dotted(site.call.func)}`"
        return ""

    @staticmethod
    def _is_foreign(path: str) -> bool:
        return path.startswith(("json.", "django.", "logging", "flask.", "fastapi.", "rest_framework.", "starlette.", "datetime."))


_PLAIN = frozenset(
    "context data headers params kwargs payload result response config d out extra defaults attrs options environ log_context".split()
)


def _is_request(expr: Expr) -> bool:
    return isinstance(expr, Ref) and expr.name in ("request", "req", "self.request")


def _is_statement(function: Function, site: Site) -> bool:
    step = function.steps[site.step]
    return step.kind in ("expr", "expression") and not step.targets


def _only_tells(verifier: Function) -> bool:
    """The verifier says yes or no and never raises."""
    returns = [step for step in verifier.steps if step.kind == "return" and step.value is not None]
    raises = any(step.kind == "raise" for step in verifier.steps)
    told = verifier.returns is not None and dotted(verifier.returns) == "bool"
    yes_or_no = [
        s
        for s in returns
        if isinstance(s.value, Op)
        or (isinstance(s.value, Literal_) and isinstance(s.value.value, bool))
        or (s.value is not None and dotted(s.value).endswith("compare_digest()"))
    ]
    return not raises and bool(returns) and (told or len(yes_or_no) == len(returns))
