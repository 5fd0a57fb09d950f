"""slow-handler: slow work between a request and its answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from guardrails.facts import NEVER, Absent, Fact, Handler, Unknown, finding, in_effect, never_ends, unsure
from guardrails.facts.effects import WAITS, Slow, is_long
from guardrails.facts.waiting import Deadline, Wait
from guardrails.files import is_aside
from guardrails.finding import Finding, Related, Unsure
from guardrails.place import Place
from guardrails.project import Entry, Project
from guardrails.project.secrets import words_of

RULE = "slow-handler"
FIX = "Enqueue it and answer 202 with the job's id and a status URL."
FIX_WAIT = "Give it a limit of a few seconds, or enqueue it and answer 202 with a status URL."
_DOES = {
    "network": "calls another service",
    "subprocess": "runs another program",
    "mail": "sends mail",
    "llm": "calls a language model",
    "git": "talks to a git remote",
}
_MORE = 3  # further handlers, and further slow calls behind one place, that are shown
_FAR = 4  # calls between a handler and a wait: beyond, other things may decide whether it comes to that
_OFTEN_QUICK = frozenset(("network", "subprocess"))
_NEAR = 2  # and between a handler and a pause
_BEARABLE = 30.0  # seconds: up to here a limit that is given says that somebody thought of the client
# Who asks for one of these asks for the call itself, and waits for what it says.
_TRIALS = frozenset("test debug ping health healthcheck probe check verify validate preview try".split())

Reached = tuple[bool, Fact, tuple[Entry, ...]]  # whether it weighs little, the slow call, the handlers


def check(handler: Handler, project: Project) -> Iterator[Finding | Unsure]:
    """One finding a place in the handler that leads to slow calls: there they would be enqueued. The nearest handler has it."""
    if handler.streams:
        return
    patience = project.option(RULE, "patience")
    groups: dict[Place, list[tuple[Fact, tuple[Entry, ...]]]] = {}
    for slow, entries in project.answering.after(handler, (Slow, Wait), lambda fact: _is_slow(fact, patience) or _is_open(fact), _is_trial):
        if isinstance(slow, Wait) and project.is_within(slow.place, Deadline):
            continue
        if isinstance(slow, Wait) and _is_open(slow):
            yield unsure(
                slow,
                RULE,
                f"handler `{handler.name}` may wait long in `{slow.call}`: its limit arrives by an argument that was not resolved.",
            )
        else:
            groups.setdefault(project.answering.place_in(entries[0], slow), []).append((slow, entries))
    for place, group in sorted(groups.items()):
        lightest = [(_is_light(slow, entries, project), slow, entries) for slow, entries in group]
        yield _say(place, sorted(lightest, key=_weight))


def _is_slow(fact: Fact, patience: float) -> bool:
    if not isinstance(fact, Wait):
        return isinstance(fact, Slow)
    aside = fact.weak or fact.debugging or fact.streamed
    return fact.kind in WAITS and not aside and is_long(fact.limit, patience)


def _is_open(fact: Fact) -> bool:
    """Whether it has a limit cannot be told."""
    return isinstance(fact, Wait) and fact.kind in WAITS and isinstance(fact.limit, Unknown) and fact.limit.present == "maybe"


def _weight(reached: Reached) -> tuple[bool, bool, int, Place]:
    """What is surely slow first, then what may take longest, then what is nearest."""
    light, slow, entries = reached
    return light, isinstance(slow, Wait), len(entries[0].way), slow.place


def _say(place: Place, group: list[Reached]) -> Finding:
    light, slow, entries = group[0]
    entry, does, call = entries[0], _does(slow), getattr(slow, "call", "")
    by = f" in `{call}`" if place == slow.place else ""
    more = f" (and {len(entries) - 1} more)" if len(entries) > 1 else ""
    message = f"Handler `{entry.name}`{more} {does}{by} before it answers: the client waits, and with it a place in the web server."
    behind = list({one.place: one for _, one, _ in reversed(group) if one.place != place}.values())[::-1][: 1 + _MORE]
    related = (
        Related(entry.fact.place, "the handler"),
        *entry.way,
        *(Related(one.place, f"`{getattr(one, 'call', '')}` {_does(one)}") for one in behind),
        *(Related(other.fact.place, f"so does `{other.name}`") for other in entries[1 : 1 + _MORE]),
    )
    anchor = msgspec.structs.replace(slow, place=place, scope=entry.fact.scope)
    fix = FIX if isinstance(slow, Slow) else FIX_WAIT
    return finding(anchor, RULE, message, fix, confidence="low" if light else None, related=related)


def _does(fact: Fact) -> str:
    """What it does, in words."""
    if isinstance(fact, Slow):
        return fact.does
    return f"{_DOES[fact.kind]} {_limit(fact)}" if isinstance(fact, Wait) else ""


def _limit(wait: Wait) -> str:
    value = in_effect(wait.limit)
    return "without a time limit" if value == NEVER or not isinstance(value, int | float) else f"with a limit of {value:g} s"


def _is_light(fact: Fact, entries: tuple[Entry, ...], project: Project) -> bool:
    """Its input, its callers or the way decide whether it is slow, it holds nothing but its client, or the request asks for it."""
    far = len(entries[0].way)
    if isinstance(fact, Wait):
        bounded = not never_ends(fact.limit) and (fact.rare or _is_borne(fact, entries[0], project))
        light = fact.inferred or bounded or (far > _FAR and fact.kind in _OFTEN_QUICK)
    else:
        light = isinstance(fact, Slow) and (fact.weak or (fact.pauses and far > _NEAR))
    return light or _is_trial(entries[0])


def _is_borne(wait: Wait, entry: Entry, project: Project) -> bool:
    """A limit that somebody may have chosen for a request, or that nobody chose; a blocking call in a coroutine holds all requests."""
    if isinstance(wait.limit, Absent) or project.answering.is_async(wait.scope):
        return True
    return not project.answering.holds_loop(entry) and not is_long(wait.limit, _BEARABLE)


def _is_trial(entry: Entry) -> bool:
    route = entry.fact.route if isinstance(entry.fact, Handler) else ""
    named = {word for text in re.split(r"\W+", f"{entry.name} {route}") for word in words_of(text)}
    return bool(named & _TRIALS or is_aside(entry.fact.place.path))
