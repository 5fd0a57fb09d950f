"""Review comments and the comments below a pull request."""

from __future__ import annotations

from typing import Any

from . import places, shapes
from .reviews import PULL, add, add_review, checked, is_pending
from .routes import missing, pull_of, route, url_of
from .state import Comment, IssueComment, Pull, State
from .wire import Call, Refused, Reply

ONE = "/repos/{owner}/{repo}/pulls/comments/{comment_id}"
ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
ISSUE_ONE = "/repos/{owner}/{repo}/issues/comments/{comment_id}"
PULLS, EITHER = "pull_requests=write", "pull_requests=write|issues=write"
DOCS = "/pulls/comments#create-a-review-comment-for-a-pull-request"
CODES = {
    places.LINE: {
        "code": "custom",
        "field": "pull_request_review_thread.line",
        "message": "pull_request_review_thread.line must be part of the diff",
    },
    places.HUNK: {"code": "missing_field", "field": "pull_request_review_thread.diff_hunk"},
    places.PATH: {"code": "invalid", "field": "pull_request_review_thread.path"},
}


def invalid(errors: list[dict[str, Any]], resource: str = "PullRequestReviewComment") -> Refused:
    return Refused(422, "Validation Failed", [{"resource": resource, **one} for one in errors], DOCS)


def too_long(body: str, resource: str) -> None:
    """422 for what is longer than GitHub keeps, or empty."""
    if not body.strip():
        raise invalid([{"code": "missing_field", "field": "body"}], resource)
    if len(body) > places.LONG:
        words = f"body is too long (maximum is {places.LONG} characters)"
        raise invalid([{"code": "custom", "field": "body", "message": words}], resource)


@route("GET", f"{PULL}/comments")
def list_comments(state: State, call: Call) -> Reply:
    pull = pull_of(state, call)
    found = sorted(pull.visible(), key=lambda one: one.id, reverse=call.query.get("direction") == "desc")
    return call.page([shapes.comment(state, pull, one) for one in found], url_of(state, call))


@route("POST", f"{PULL}/comments", needs=PULLS)
def create_comment(state: State, call: Call) -> Reply:
    pull, asked = pull_of(state, call), call.json
    too_long(asked["body"], "PullRequestReviewComment")
    if asked.get("in_reply_to"):
        return reply_to(state, call, pull, asked["in_reply_to"])
    if is_pending(pull, call):
        raise invalid([{"code": "custom", "field": "user_id", "message": "user_id can only have one pending review per pull request"}])
    try:
        commit = checked(pull, asked["commit_id"])
    except Refused as bad:
        raise invalid([{"code": "custom", "field": "commit_id", "message": "commit_id is not part of the pull request"}]) from bad
    if found := places.refusals(pull, asked, commit):
        raise invalid(
            [CODES.get(word) or {"code": "custom", "field": "pull_request_review_thread.start_line", "message": word} for word in found]
        )
    review = add_review(state, pull, call, commit, "", "COMMENT")
    comment = places.made(state, pull, call.token.actor, asked, commit, review.id)
    add(pull, comment)
    return Reply(201, shapes.comment(state, pull, comment))


@route("POST", f"{PULL}/comments/{{comment_id}}/replies", needs=PULLS)
def create_reply(state: State, call: Call) -> Reply:
    too_long(call.json["body"], "PullRequestReviewComment")
    return reply_to(state, call, pull_of(state, call), int(call.names["comment_id"]))


def reply_to(state: State, call: Call, pull: Pull, number: int) -> Reply:
    """A comment in an existing thread; GitHub gives every answer the id of the first as `in_reply_to_id`."""
    first = next((one for one in pull.visible() if one.id == number), None)
    if first is None:
        raise missing()
    comment = answered(state, pull, first, call.token.actor, call.json["body"])
    comment.review = add_review(state, pull, call, comment.commit, "", "COMMENT").id
    return Reply(201, shapes.comment(state, pull, comment))


def answered(state: State, pull: Pull, first: Comment, user: Any, body: str) -> Comment:
    """Puts an answer below a comment."""
    now = state.clock.text()
    comment = Comment(next(state.ids), user, body, first.path, first.base, first.commit, first.review, now, first.side, first.line)
    comment.start_line, comment.start_side, comment.position = first.start_line, first.start_side, first.position
    comment.hunk, comment.subject, comment.updated = first.hunk, first.subject, now
    comment.reply_to, comment.thread = first.thread, first.thread
    pull.comments.append(comment)
    return comment


def comment_of(state: State, call: Call) -> tuple[Pull, Comment]:
    """The review comment that a call names; 404."""
    for pull, one in state.all_comments():
        if str(one.id) == call.names["comment_id"]:
            return pull, one
    raise missing()


@route("GET", ONE)
def get_comment(state: State, call: Call) -> Reply:
    pull, one = comment_of(state, call)
    return Reply(200, shapes.comment(state, pull, one))


@route("PATCH", ONE, needs=PULLS)
def edit_comment(state: State, call: Call) -> Reply:
    pull, one = comment_of(state, call)
    too_long(call.json["body"], "PullRequestReviewComment")
    one.body, one.updated = call.json["body"], state.clock.text()
    return Reply(200, shapes.comment(state, pull, one))


@route("DELETE", ONE, needs=PULLS)
def delete_comment(state: State, call: Call) -> Reply:
    pull, one = comment_of(state, call)
    pull.comments.remove(one)
    state.deleted.append(one)
    if not any(other.thread == one.thread for other in pull.comments):
        pull.threads.pop(one.thread)
    return Reply(204)


@route("GET", ISSUE)
def list_issue_comments(state: State, call: Call) -> Reply:
    pull = pull_of(state, call)
    return call.page([shapes.issue_comment(state, pull, one) for one in pull.issue_comments], url_of(state, call))


@route("POST", ISSUE, needs=EITHER)
def create_issue_comment(state: State, call: Call) -> Reply:
    pull = pull_of(state, call)
    if pull.locked:
        raise Refused(403, "Unable to create comment because issue is locked.")
    too_long(call.json["body"], "IssueComment")
    now = state.clock.text()
    one = IssueComment(next(state.ids), call.token.actor, call.json["body"], now, now)
    pull.issue_comments.append(one)
    made = shapes.issue_comment(state, pull, one)
    return Reply(201, made, {"Location": made["url"]})


def issue_comment_of(state: State, call: Call) -> tuple[Pull, IssueComment]:
    """The comment that a call names; 404."""
    for pull, one in state.all_issue_comments():
        if str(one.id) == call.names["comment_id"]:
            return pull, one
    raise missing()


@route("GET", ISSUE_ONE)
def get_issue_comment(state: State, call: Call) -> Reply:
    pull, one = issue_comment_of(state, call)
    return Reply(200, shapes.issue_comment(state, pull, one))


@route("PATCH", ISSUE_ONE, needs=EITHER)
def edit_issue_comment(state: State, call: Call) -> Reply:
    pull, one = issue_comment_of(state, call)
    too_long(call.json["body"], "IssueComment")
    one.body, one.updated = call.json["body"], state.clock.text()
    return Reply(200, shapes.issue_comment(state, pull, one))


@route("DELETE", ISSUE_ONE, needs=EITHER)
def delete_issue_comment(state: State, call: Call) -> Reply:
    pull, one = issue_comment_of(state, call)
    pull.issue_comments.remove(one)
    state.deleted.append(one)
    return Reply(204)
