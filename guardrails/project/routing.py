"""Routes that hand work to a queue: who may call them, and what they answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from guardrails.facts.trust import Route
from guardrails.finding import Related
from guardrails.frameworks.sightings import EnqueueSeen, HandlerSeen
from guardrails.names.values import Home
from guardrails.outline import Attr, Call, Expr, Function, Literal_, Ref, Spread, dotted, walk
from guardrails.place import Place
from guardrails.project.calls import Reach
from guardrails.project.doors import Doors
from guardrails.project.everywhere import Everywhere
from guardrails.project.ground import Ground
from guardrails.project.main_work import is_trivial
from guardrails.project.receiving import EVENTS
from guardrails.project.secrets import words_of
from guardrails.project.verifying import Verifying

# Routes that strangers are meant to call.
_PUBLIC = frozenset(
    "login logout signup signin signon register registration reset "
    "forgot forgotten password confirm confirmation activate activation verify "
    "verification invite invitation accept unsubscribe subscribe contact public ping "
    "health healthcheck oauth oidc saml sso otp magic feedback "
    "anonymous guest join captcha track tracking telemetry beacon callback newsletter optin setup install".split()
)
# Work that nobody polls for: it tells somebody, or it tidies up.
_TELLS = frozenset(
    "mail email emails mails notify notification notifications send sms push invite "
    "invitation alert log logs track tracking audit record event events webhook "
    "webhooks hook publish emit metric metrics index reindex cache invalidate "
    "clean cleanup purge clear delete remove ping touch mark seen read "
    "slack message messages telemetry analytics usage refresh warm sync expire revoke".split()
)
_IDS = re.compile(r"(?:^|_)(?:id|ids|pk|uuid|slug|key|name|code|token|hash)$")
_PAGES = re.compile(
    r"(?i)(?:^|\.)(?:redirect|render\w*|HttpResponseRedirect|RedirectResponse|TemplateResponse|templates?|HTMLResponse|url_for|reverse|super|flash|seeother|found|html)\b"
)
_CONSTANT = re.compile(r"^(?:status|HTTPStatus|http|HTTPCode|codes)\.|^[A-Z][A-Z0-9_]*$|^(?:True|False|None)$")


class Routing:
    """Makes a fact of each route that enqueues."""

    def __init__(self, ground: Ground) -> None:
        self._ground, self._resolver = ground, ground.resolver
        self._verifying = Verifying(ground)
        self._doors, self._everywhere = Doors(ground, self._verifying), Everywhere(ground)
        self._reach = Reach(ground.callers)

    def facts(self) -> Iterator[Route]:
        """A fact a route."""
        handlers: dict[Home, list[HandlerSeen]] = {}
        for seen in self._ground.sightings(HandlerSeen):
            if (seen.route or seen.methods or seen.made) and self._resolver.part(seen.home).language == "python":
                handlers.setdefault(seen.home, []).append(seen)
        told: set[Home] = set()
        for enqueue in self._ground.sightings(EnqueueSeen):
            if enqueue.form.signature:
                continue
            for home, way in self._reach.above(enqueue.made.home, handlers.__contains__):
                if home not in told:
                    told.add(home)
                    yield self._route(home, handlers, enqueue, len(way))

    def _route(self, home: Home, handlers: dict[Home, list[HandlerSeen]], enqueue: EnqueueSeen, hops: int) -> Route:
        all_seen, function = handlers[home], self._resolver.definition(home)
        place = Place(home.file, function.name_start, function.name_end)
        door = self._door(home, all_seen)
        asking, others = self._beside(home, handlers) if not door else ([], 0)
        sibling = asking[0] if asking else None
        answered = self._answer(home, function, enqueue, all_seen)
        made = enqueue.made
        return Route(
            **self._ground.standing(all_seen[0].model, home, place),
            name=function.qualname,
            target=enqueue.target,
            door=door,
            public=self._public(home, function, all_seen),
            sibling=self._resolver.definition(sibling[0]).qualname if sibling else "",
            sibling_door=sibling[1] if sibling else "",
            mostly_open=len(asking) * 2 < others,
            answer=self._ground.text(home, answered) if answered is not None and not hops else "",
            told=self._told(function, enqueue, all_seen),
            enqueued=Related(made.place, "the work is handed over here"),
            answered=Related(Place(home.file, answered.start, answered.end), "it answers here") if answered is not None else None,
            related=self._related(sibling),
        )  # fmt: skip

    def _related(self, sibling: tuple[Home, str] | None) -> tuple[Related, ...]:
        if sibling is None:
            return ()
        other = self._resolver.definition(sibling[0])
        return (Related(Place(sibling[0].file, other.name_start, other.name_end), f"`{other.qualname}` asks: {sibling[1]}"),)

    def _door(self, home: Home, all_seen: list[HandlerSeen]) -> str:
        for seen in all_seen:
            door = self._doors.around(seen)
            if door is not None:
                return door.words
        door = self._verifying.inside(home) or self._everywhere.door(all_seen[0].model.framework)
        return door.words if door is not None else ""

    def _public(self, home: Home, function: Function, all_seen: list[HandlerSeen]) -> str:
        texts = [function.qualname, *(seen.route for seen in all_seen)]
        if any(EVENTS.search(text) for text in (*texts, home.file.rpartition(".")[0])):
            return "it receives events"
        words = {word for text in texts for word in words_of(text)}
        if words & _PUBLIC:
            return "its name says that strangers call it"
        return "it says that everybody may" if self._doors.opened(home) else ""

    def _beside(self, home: Home, handlers: dict[Home, list[HandlerSeen]]) -> tuple[list[tuple[Home, str]], int]:
        """The handlers of the same file that ask who calls, by what stands before them; and how many there are that might."""
        others = [other for other in sorted(handlers) if other.file == home.file and other != home]
        doors = ((other, self._doors.around(seen)) for other in others for seen in handlers[other])
        asking = {other: door.words for other, door in doors if door is not None}
        might = [o for o in others if o in asking or not self._public(o, self._resolver.definition(o), handlers[o])]
        return list(asking.items()), len(might)

    def _told(self, function: Function, enqueue: EnqueueSeen, all_seen: list[HandlerSeen]) -> str:
        """Why the caller needs no handle: it holds one already, or nothing is worth polling for."""
        job = self._ground.jobs.get(enqueue.job)
        if job is not None and is_trivial(self._resolver.definition(job.home)):
            return "the job does nothing"
        if any(re.search(r"[<{:(]", seen.route) or _is_detail(seen) for seen in all_seen) or any(
            _IDS.search(param.name) or param.kind == "**" for param in function.params
        ):
            return "its address names what the work is about"
        if set(words_of(enqueue.target)) & _TELLS or set(words_of(function.qualname)) & (_TELLS | _PUBLIC):
            return "nobody polls for it"
        methods = {method for seen in all_seen for method in seen.methods}
        return "it is asked for nothing new" if methods and not methods & {"POST", "PUT", "GET"} else ""

    def _answer(self, home: Home, function: Function, enqueue: EnqueueSeen, all_seen: list[HandlerSeen]) -> Expr | None:
        """What the handler answers after the enqueue, where all its answers are constants."""
        if enqueue.made.home != home:
            return None
        after = [step for step in function.steps if step.kind == "return" and step.start > enqueue.made.call.start]
        values = [step.value for step in after if step.value is not None]
        if not values or len(values) != len(after) or enqueue.site.use in ("returned", "passed"):
            return None
        return values[0] if all(_says_nothing(value) for value in values) and not self._sets_header(function) else None

    @staticmethod
    def _sets_header(function: Function) -> bool:
        """A header of the response may hold the handle: `response.headers["Location"] = ..`."""
        return any("headers" in dotted(target) for step in function.steps for target in step.targets)


def _is_detail(seen: HandlerSeen) -> bool:
    """A route of one object: `@action(detail=True)`."""
    args = seen.made.call.args if seen.made is not None else ()
    return any(arg.name == "detail" and isinstance(arg.value, Literal_) and arg.value.value is True for arg in args)


def _says_nothing(value: Expr) -> bool:
    """Constants only: a status, a sentence."""
    functions: set[int] = set()
    for expr in walk(value):
        if isinstance(expr, Call):
            if _PAGES.search(dotted(expr.func)):
                return False
            functions.add(expr.func.start)
        elif isinstance(expr, Ref | Attr):
            if expr.start not in functions and not _CONSTANT.search(dotted(expr)):
                return False
        elif isinstance(expr, Spread) or (isinstance(expr, Literal_) and isinstance(expr.value, str) and "<" in expr.value):
            return False
    return not (isinstance(value, Literal_) and value.value is None)
