"""What GitHub's description cannot say and a good guest does: judged before the call takes effect."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from . import places
from .routes import find
from .state import Comment, IssueComment, State
from .wire import Call

REVIEWS = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews"
COMMENTS = "/repos/{owner}/{repo}/pulls/{pull_number}/comments"
ANNOTATED = 50


def faults(state: State, call: Call) -> Iterator[str]:
    """Everything that is wrong with a call, though its schema may be right."""
    if not call.headers.get("user-agent"):
        yield "no User-Agent: GitHub refuses such calls"
    if any(token and token.encode() in call.raw for token in state.tokens):
        yield "a token is in the body"
    if find(call) is None or not (call.raw or call.method == "DELETE"):
        return
    try:
        asked = call.json
    except ValueError:
        yield "the body is no JSON"
        return
    if not isinstance(asked, dict):
        return
    yield from _length(asked)
    if call.method == "POST" and call.template == REVIEWS:
        yield from _review(asked)
    if call.method == "POST" and call.template == COMMENTS and not asked.get("in_reply_to"):
        yield from _place(asked)
    if call.method in ("PATCH", "DELETE") and "comment_id" in call.names:
        yield from _ownership(state, call)
    if "check-runs" in call.template:
        yield from _check_run(asked)
    if call.template.endswith("/sarifs") and not str(asked.get("ref", "")).startswith("refs/"):
        yield "the ref of a SARIF upload is a full one (refs/heads/.., refs/pull/N/head)"


def _length(asked: dict[str, Any]) -> Iterator[str]:
    bodies = [asked.get("body"), *(one.get("body") for one in asked.get("comments") or [] if isinstance(one, dict))]
    for body in bodies:
        if isinstance(body, str) and len(body) > places.LONG:
            yield f"a body of {len(body)} characters: GitHub keeps {places.LONG}"
        if isinstance(body, str) and "\0" in body:
            yield "a NUL in a body"


def _review(asked: dict[str, Any]) -> Iterator[str]:
    if not asked.get("commit_id"):
        yield "a review without commit_id lands on whatever is the head by then"
    if not asked.get("event"):
        yield "a review without event stays pending: nobody sees it"
    for one in asked.get("comments") or []:
        yield from _place(one)


def _place(one: dict[str, Any]) -> Iterator[str]:
    """A comment on lines says them, its side, and the side of its first line."""
    if one.get("subject_type") == "file":
        if one.get("line") is not None:
            yield "a comment on the file has no line"
        return
    if one.get("position") is not None:
        yield "position is closing down: use line and side"
    elif not isinstance(one.get("line"), int) or one["line"] < 1:
        yield f"no line ({one.get('line')!r}) for {one.get('path')!r}"
    elif one.get("side") not in ("RIGHT", "LEFT"):
        yield f"side is {one.get('side')!r}, not RIGHT or LEFT"
    elif one.get("start_line") is not None:
        if one["start_line"] >= one["line"]:
            yield f"start_line {one['start_line']} is not above line {one['line']}"
        if one.get("start_side") not in ("RIGHT", "LEFT"):
            yield f"start_side is {one.get('start_side')!r}, not RIGHT or LEFT"
    elif one.get("start_side") is not None:
        yield "start_side without start_line"


def _ownership(state: State, call: Call) -> Iterator[str]:
    """Nobody's words but its own are edited or deleted, and nothing that somebody answered disappears."""
    found: Comment | IssueComment | None = None
    every = state.all_comments() if "/pulls/" in call.template else state.all_issue_comments()
    for pull, one in every:
        if str(one.id) == call.names["comment_id"]:
            found = one
            others = [it for it in pull.comments if isinstance(one, Comment) and it.thread == one.thread and it.user != one.user]
            if call.method == "DELETE" and others:
                yield f"deletes comment {one.id}, which {others[0].user.login} answered"
    if found and call.token and found.user != call.token.actor:
        yield f"{'deletes' if call.method == 'DELETE' else 'edits'} comment {found.id} of {found.user.login}"


def _check_run(asked: dict[str, Any]) -> Iterator[str]:
    if asked.get("status") == "completed" and not asked.get("conclusion"):
        yield "completed without a conclusion"
    annotations = (asked.get("output") or {}).get("annotations") or []
    if len(annotations) > ANNOTATED:
        yield f"{len(annotations)} annotations in one call: GitHub takes {ANNOTATED}"
    for one in annotations:
        if one.get("start_line", 0) > one.get("end_line", 0):
            yield f"an annotation ends above its beginning: {json.dumps(one)[:80]}"
        elif one.get("start_line") != one.get("end_line") and (one.get("start_column") or one.get("end_column")):
            yield "columns in an annotation of several lines"
