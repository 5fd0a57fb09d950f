"""GraphQL: review threads, resolved or not; minimised comments. Judged by GitHub's own schema."""

from __future__ import annotations

import base64
from functools import lru_cache
from pathlib import Path
from typing import Any

from graphql import GraphQLError, GraphQLSchema, NoDeprecatedCustomRule, build_schema, execute_sync, parse, validate

from .routes import route
from .shapes import WEB
from .state import Actor, Comment, IssueComment, Pull, State, Thread, Token, node
from .wire import Call, Reply

SCHEMA = Path(__file__).parent / "github" / "schema.graphql"
REFUSED = "Resource not accessible by integration"
MOST = 100


class Forbidden(Exception):
    """GitHub's error of the type FORBIDDEN."""


class NotFound(Exception):
    """GitHub's error of the type NOT_FOUND."""


@lru_cache(maxsize=1)
def schema() -> GraphQLSchema:
    """GitHub's schema, trimmed."""
    made = build_schema(SCHEMA.read_text(encoding="utf-8"), assume_valid=True)
    for name in ("Node", "Actor", "Minimizable"):
        made.type_map[name].resolve_type = lambda value, _info, _type: value["__typename"]  # type: ignore[attr-defined]
    return made


def faults(query: str) -> list[str]:
    """What GitHub's schema says against a query."""
    try:
        return [one.message for one in validate(schema(), parse(query))]
    except GraphQLError as bad:
        return [bad.message]


def complaints(query: str) -> list[str]:
    """The same, with what GitHub still answers and will not for ever."""
    return faults(query) or [one.message for one in validate(schema(), parse(query), [NoDeprecatedCustomRule])]


@route("POST", "/graphql")
def graphql(state: State, call: Call) -> Reply:
    asked = call.json
    if wrong := faults(asked.get("query", "")):
        return Reply(200, {"errors": [{"message": one, "locations": [{"line": 1, "column": 1}]} for one in wrong]})
    root = Root(state, call.token)
    done = execute_sync(schema(), parse(asked["query"]), root_value=root, variable_values=asked.get("variables") or {})
    made: dict[str, Any] = {"data": done.data}
    if done.errors:
        made["errors"] = [_error(one) for one in done.errors]
    return Reply(200, made)


def _error(one: GraphQLError) -> dict[str, Any]:
    kinds = {Forbidden: "FORBIDDEN", NotFound: "NOT_FOUND"}
    made: dict[str, Any] = {"message": one.message, "path": one.path}
    if kind := kinds.get(type(one.original_error)):  # type: ignore[arg-type]
        made["type"] = kind
    if one.locations:
        made["locations"] = [{"line": at.line, "column": at.column} for at in one.locations]
    return made


class Root:
    """What queries and mutations begin with."""

    def __init__(self, state: State, token: Token) -> None:
        self.state, self.token = state, token

    def viewer(self, _info: Any) -> dict[str, Any]:
        """An Action's token has a viewer, though it has no REST user."""
        return actor(self.token.actor) | {"__typename": "User", "name": None, "login": self.token.actor.login}

    def repository(self, _info: Any, owner: str, name: str, **_: Any) -> dict[str, Any]:
        if f"{owner}/{name}".lower() != self.state.name.lower():
            raise NotFound(f"Could not resolve to a Repository with the name '{owner}/{name}'.")
        return repository(self.state) | {"pullRequest": self._pull}

    def _pull(self, _info: Any, number: int) -> dict[str, Any]:
        if number not in self.state.pulls:
            raise NotFound(f"Could not resolve to a PullRequest with the number of {number}.")
        return pull(self.state, self.state.pulls[number], self.token)

    def node(self, _info: Any, **asked: str) -> dict[str, Any]:
        return self._node(asked["id"])

    def _node(self, named: str) -> dict[str, Any]:
        for one in self.state.pulls.values():
            for thread in one.threads.values():
                if thread.node_id == named:
                    return thread_of(self.state, one, thread, self.token)
            for comment in one.visible():
                if comment.node_id == named:
                    return comment_of(self.state, one, comment)
            if node("PR", one.number) == named:
                return pull(self.state, one, self.token)
        raise NotFound(f"Could not resolve to a node with the global id of '{named}'")

    def nodes(self, _info: Any, ids: list[str]) -> list[dict[str, Any]]:
        return [self._node(one) for one in ids]

    def rateLimit(self, _info: Any, **_: Any) -> dict[str, Any]:
        left = max(0, self.state.limit - self.state.used)
        return {
            "cost": 1,
            "limit": self.state.limit,
            "nodeCount": 1,
            "remaining": left,
            "used": self.state.used,
            "resetAt": self.state.clock.text(),
        }

    def resolveReviewThread(self, _info: Any, **asked: Any) -> dict[str, Any]:
        return self._resolve(asked["input"], self.token.actor)

    def unresolveReviewThread(self, _info: Any, **asked: Any) -> dict[str, Any]:
        return self._resolve(asked["input"], None)

    def _resolve(self, asked: dict[str, Any], by: Actor | None) -> dict[str, Any]:
        allowed = self.state.resolvable
        if not (allowed if allowed is not None else self.token.may("contents=write")):
            raise Forbidden(REFUSED)
        for one in self.state.pulls.values():
            for thread in one.threads.values():
                if thread.node_id == asked["threadId"]:
                    thread.resolved_by = by
                    shown = thread_of(self.state, one, thread, self.token)
                    return {"thread": shown, "clientMutationId": asked.get("clientMutationId")}
        raise NotFound(f"Could not resolve to a node with the global id of '{asked['threadId']}'")

    def minimizeComment(self, _info: Any, **asked: Any) -> dict[str, Any]:
        if not self.token.may("pull_requests=write|issues=write"):
            raise Forbidden(REFUSED)
        for one in self.state.pulls.values():
            every: list[Comment | IssueComment] = [*one.visible(), *one.issue_comments]
            for comment in every:
                if comment.node_id == asked["input"]["subjectId"]:
                    comment.minimized = asked["input"]["classifier"]
                    kind = "PullRequestReviewComment" if isinstance(comment, Comment) else "IssueComment"
                    shown = {
                        "__typename": kind,
                        "isMinimized": True,
                        "minimizedReason": asked["input"]["classifier"].lower(),
                        "viewerCanMinimize": True,
                    }
                    return {"minimizedComment": shown, "clientMutationId": asked["input"].get("clientMutationId")}
        raise NotFound(f"Could not resolve to a node with the global id of '{asked['input']['subjectId']}'")


def actor(one: Actor) -> dict[str, Any]:
    """GraphQL says `github-actions` where REST says `github-actions[bot]`."""
    kind = "Bot" if one.kind == "Bot" else "User"
    login = one.login.removesuffix("[bot]")
    url = f"{WEB}/{login}"
    shown = {"databaseId": one.id, "id": node("BOT" if kind == "Bot" else "U", one.id), "url": url, "resourcePath": f"/{login}"}
    return {"__typename": kind, "login": login, "avatarUrl": lambda _info, **_: f"{url}.png", **shown}


def repository(state: State) -> dict[str, Any]:
    owner, _, name = state.name.partition("/")
    shown = {"id": node("R", 1), "name": name, "nameWithOwner": f"{owner}/{name}"}
    return {"__typename": "Repository", "isFork": False, "isPrivate": state.private, **shown}


def pull(state: State, one: Pull, token: Token) -> dict[str, Any]:
    threads = [thread for thread in one.threads.values() if one.of_thread(thread)]
    shown = [thread_of(state, one, thread, token) for thread in threads]
    kind = "MERGED" if one.merged else "CLOSED" if one.closed else "OPEN"
    return {
        "__typename": "PullRequest",
        "id": node("PR", one.number),
        "databaseId": one.number,
        "number": one.number,
        "title": one.title,
        "state": kind,
        "isDraft": one.draft,
        "closed": one.closed or one.merged,
        "merged": one.merged,
        "locked": one.locked,
        "headRefOid": one.head,
        "headRefName": one.head_ref,
        "baseRefOid": one.base,
        "baseRefName": one.base_ref,
        "isCrossRepository": bool(one.fork),
        "changedFiles": len(one.changes),
        "author": actor(one.author),
        "repository": repository(state),
        "url": f"{WEB}/{state.name}/pull/{one.number}",
        "reviewThreads": lambda _info, **asked: connection(shown, asked),
    }


def place(cursor: str) -> int:
    """Cursors are opaque to the caller; ours are numbers."""
    return int(base64.b64decode(cursor))


def connection(items: list[dict[str, Any]], asked: dict[str, Any]) -> dict[str, Any]:
    """A page of a list: `first` and `after`, or `last` and `before`. GitHub wants one of them and gives at most 100."""
    size = asked.get("first", asked.get("last"))
    if size is None or not 1 <= size <= MOST:
        raise GraphQLError("You must provide a `first` or `last` value between 1 and 100 to properly paginate the connection.")
    start = place(asked["after"]) if asked.get("after") else 0
    if asked.get("first") is None:
        end = place(asked["before"]) - 1 if asked.get("before") else len(items)
        start = max(0, end - size)
        part = items[start:end]
    else:
        part = items[start : start + size]
    cursors = [base64.b64encode(str(start + number).encode()).decode() for number in range(1, len(part) + 1)]
    info: dict[str, object] = {"hasNextPage": start + len(part) < len(items), "hasPreviousPage": start > 0}
    info |= {"startCursor": cursors[0] if cursors else None, "endCursor": cursors[-1] if cursors else None}
    edges = [{"cursor": cursor, "node": one} for cursor, one in zip(cursors, part, strict=True)]
    return {"nodes": part, "edges": edges, "totalCount": len(items), "pageInfo": info}


def thread_of(state: State, one: Pull, thread: Thread, token: Token) -> dict[str, Any]:
    comments = one.of_thread(thread)
    first = comments[0]
    position, line, start = one.line(first)
    able = state.resolvable if state.resolvable is not None else token.may("contents=write")
    return {
        "__typename": "PullRequestReviewThread",
        "id": thread.node_id,
        "isResolved": thread.resolved,
        "isCollapsed": thread.resolved or position is None,
        "isOutdated": position is None,
        "path": first.path,
        "line": line,
        "startLine": start,
        "originalLine": first.line,
        "originalStartLine": first.start_line,
        "diffSide": first.side,
        "startDiffSide": first.start_side,
        "subjectType": first.subject.upper(),
        "resolvedBy": actor(thread.resolved_by) | {"__typename": "User", "name": None} if thread.resolved_by else None,
        "viewerCanReply": token.may("pull_requests=write"),
        "viewerCanResolve": bool(able) and not thread.resolved,
        "viewerCanUnresolve": bool(able) and thread.resolved,
        "repository": repository(state),
        "comments": lambda _info, **asked: connection([comment_of(state, one, it) for it in comments], asked),
    }


def comment_of(state: State, one: Pull, it: Comment) -> dict[str, Any]:
    position, line, start = one.line(it)
    first = next((other for other in one.comments if other.id == it.reply_to), None)
    return {
        "__typename": "PullRequestReviewComment",
        "id": it.node_id,
        "databaseId": it.id,
        "fullDatabaseId": str(it.id),
        "author": actor(it.user),
        "body": it.body,
        "bodyText": it.body,
        "path": it.path,
        "position": position,
        "originalPosition": it.position or 1,
        "line": line,
        "startLine": start,
        "originalLine": it.line,
        "originalStartLine": it.start_line,
        "outdated": position is None,
        "subjectType": it.subject.upper(),
        "diffHunk": it.hunk,
        "createdAt": it.created,
        "updatedAt": it.updated,
        "isMinimized": it.minimized is not None,
        "minimizedReason": it.minimized.lower() if it.minimized else None,
        "replyTo": comment_of(state, one, first) if first else None,
        "url": f"{WEB}/{state.name}/pull/{one.number}#discussion_r{it.id}",
        "repository": repository(state),
    }
