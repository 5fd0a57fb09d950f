"""Which function answers which call: a table that the other modules fill."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from .state import Pull, State
from .wire import Call, Refused, Reply

Answer = Callable[[State, Call], Reply]


@dataclass(frozen=True)
class Route:
    """A row: `needs` is a right of the token (`pull_requests=write|issues=write`), `app` wants an App's own login."""

    method: str
    template: str
    answer: Answer
    needs: str
    app: bool
    pattern: re.Pattern[str]


TABLE: list[Route] = []


def route(method: str, template: str, needs: str = "", app: bool = False) -> Callable[[Answer], Answer]:
    """Enters a function into the table."""

    def enter(answer: Answer) -> Answer:
        pattern = re.sub(
            r"\\\{(\w+)\\\}", lambda found: f"(?P<{found[1]}>{'.*' if found[1] in ('path', 'ref') else '[^/]+'})", re.escape(template)
        )
        TABLE.append(Route(method, template, answer, needs, app, re.compile(pattern)))
        return answer

    return enter


@lru_cache(maxsize=1)
def ordered() -> list[Route]:
    """The longest templates first, so that `.../{ref}/check-runs` is asked before `.../{ref}`."""
    return sorted(TABLE, key=lambda row: (-row.template.count("/"), -len(row.template)))


def find(call: Call) -> Route | None:
    """The row for a call; its names are put into the call."""
    for row in ordered():
        if row.method == call.method and (found := row.pattern.fullmatch(call.path)):
            call.template, call.names = row.template, found.groupdict()
            return row
    return None


def missing() -> Refused:
    return Refused(404, "Not Found")


def pull_of(state: State, call: Call) -> Pull:
    """The pull request that a call names; 404."""
    number = call.names.get("pull_number") or call.names.get("issue_number", "")
    found = state.pulls.get(int(number)) if number.isdigit() else None
    if found is None:
        raise missing()
    return found


def url_of(state: State, call: Call) -> str:
    """The address of a call without its query."""
    return f"{state.url}{call.path}"


def fresh(reply: Reply, **headers: str) -> Reply:
    return replace(reply, headers={**reply.headers, **headers})
