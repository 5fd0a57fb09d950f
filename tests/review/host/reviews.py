"""Pull requests, their files and their reviews."""

from __future__ import annotations

from typing import Any

from . import places, shapes
from .diff import commit as commit_of
from .routes import missing, pull_of, route, url_of
from .state import Comment, Pull, Review, State, Thread
from .wire import Call, Refused, Reply

PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"
DOCS = "/pulls/reviews#create-a-review-for-a-pull-request"
FILES, LINES, LISTED = 300, 20_000, 3_000
STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


@route("GET", PULL)
def get_pull(state: State, call: Call) -> Reply:
    pull = pull_of(state, call)
    accept = call.headers.get("accept", "")
    if "diff" in accept:
        return Reply(200, diff(pull), kind="application/vnd.github.diff; charset=utf-8")
    return Reply(200, shapes.pull(state, pull))


def diff(pull: Pull) -> str:
    """The whole diff, or 406."""
    docs = "/pulls/pulls#list-pull-requests-files"
    errors = [{"resource": "PullRequest", "field": "diff", "code": "too_large"}]
    if len(pull.changes) > FILES:
        words = "Consider using 'List pull requests files' API or locally cloning the repository instead."
        raise Refused(406, f"Sorry, the diff exceeded the maximum number of files ({FILES}). {words}", errors, docs)
    if sum(len(one.rows) for one in pull.changes) > LINES:
        raise Refused(406, f"Sorry, the diff exceeded the maximum number of lines ({LINES})", errors, docs)
    return "".join(one.whole for one in pull.changes)


@route("GET", "/repos/{owner}/{repo}/pulls")
def list_pulls(state: State, call: Call) -> Reply:
    wanted, head = call.query.get("state", "open"), call.query.get("head", "")
    found = [one for one in reversed(state.pulls.values()) if wanted == "all" or (one.closed or one.merged) == (wanted == "closed")]
    shown = [shapes.pull(state, one, full=False) for one in found]
    return call.page([one for one in shown if not head or one["head"]["label"] == head], url_of(state, call))


@route("GET", "/repos/{owner}/{repo}/commits/{commit_sha}/pulls")
def pulls_of_commit(state: State, call: Call) -> Reply:
    """GitHub knows the pull requests of its own branches here, not those of forks."""
    sha = call.names["commit_sha"]
    found = [one for one in state.pulls.values() if not one.fork and places.is_of(one, sha)]
    return call.page([shapes.pull(state, one, full=False) for one in found], url_of(state, call))


@route("GET", f"{PULL}/files")
def files(state: State, call: Call) -> Reply:
    pull = pull_of(state, call)
    return call.page([shapes.entry(state, pull, one) for one in pull.changes[:LISTED]], url_of(state, call))


@route("GET", f"{PULL}/reviews")
def list_reviews(state: State, call: Call) -> Reply:
    pull = pull_of(state, call)
    seen = [one for one in pull.reviews if one.state != "PENDING" or one.user == call.token.actor]
    return call.page([shapes.review(state, pull, one) for one in seen], url_of(state, call))


@route("POST", f"{PULL}/reviews", needs="pull_requests=write")
def create_review(state: State, call: Call) -> Reply:
    """All or nothing: one comment at a bad place refuses the whole review, and GitHub does not say which."""
    pull, asked = pull_of(state, call), call.json
    commit = checked(pull, asked.get("commit_id"))
    comments, event = asked.get("comments") or [], asked.get("event")
    refuse(pull, comments, commit)
    if len(asked.get("body") or "") > places.LONG or any(len(one["body"]) > places.LONG for one in comments):
        raise Refused(422, "Unprocessable Entity", [f"Body is too long (maximum is {places.LONG} characters)"], DOCS)
    if event in ("COMMENT", "REQUEST_CHANGES") and not comments and not (asked.get("body") or "").strip():
        raise Refused(422, "Unprocessable Entity", ["Review Can not be empty"], DOCS)
    if event == "APPROVE" and pull.author == call.token.actor:
        raise Refused(422, "Unprocessable Entity", ["Review Can not approve your own pull request"], DOCS)
    if is_pending(pull, call):
        raise Refused(422, "Unprocessable Entity", ["User can only have one pending review per pull request"], DOCS)
    review = add_review(state, pull, call, commit, asked.get("body") or "", event)
    for one in comments:
        add(pull, places.made(state, pull, call.token.actor, one, commit, review.id))
    return Reply(200, shapes.review(state, pull, review))


def is_pending(pull: Pull, call: Call) -> bool:
    """Whether this account has a review that it has not submitted: GitHub then takes no other of it, submitted at once or not."""
    return any(one.state == "PENDING" and one.user == call.token.actor for one in pull.reviews)


def refuse(pull: Pull, comments: list[dict[str, Any]], commit: str) -> None:
    """422 with the words about the first bad place only."""
    for one in comments:
        if found := places.refusals(pull, one, commit):
            words = [f"Pull request review thread {word}" for word in found]
            said = ", ".join(words[:-1]) + (", and " if len(words) > 2 else " and ") + words[-1] if len(words) > 1 else words[0]
            raise Refused(422, "Unprocessable Entity", [said], DOCS)


def checked(pull: Pull, asked: str | None) -> str:
    """The full name of the commit that a review is about."""
    try:
        found = commit_of(pull.repo, asked) if asked else pull.head
    except LookupError:
        found = ""
    if not found or not places.is_of(pull, found):
        raise Refused(422, "Unprocessable Entity", ["Commit is not part of the pull request"], DOCS)
    return found


def add_review(state: State, pull: Pull, call: Call, commit: str, body: str, event: str | None) -> Review:
    submitted = state.clock.text() if event else None
    review = Review(next(state.ids), call.token.actor, body, STATES.get(event or "", "PENDING"), commit, submitted)
    pull.reviews.append(review)
    return review


def add(pull: Pull, comment: Comment) -> None:
    pull.comments.append(comment)
    pull.threads.setdefault(comment.thread, Thread(comment.thread))


def review_of(pull: Pull, call: Call) -> Review:
    """The review that a call names; 404."""
    for one in pull.reviews:
        if str(one.id) == call.names["review_id"] and (one.state != "PENDING" or one.user == call.token.actor):
            return one
    raise missing()


@route("GET", f"{PULL}/reviews/{{review_id}}")
def get_review(state: State, call: Call) -> Reply:
    pull = pull_of(state, call)
    return Reply(200, shapes.review(state, pull, review_of(pull, call)))


@route("PUT", f"{PULL}/reviews/{{review_id}}", needs="pull_requests=write")
def update_review(state: State, call: Call) -> Reply:
    pull = pull_of(state, call)
    review = review_of(pull, call)
    review.body = call.json["body"]
    return Reply(200, shapes.review(state, pull, review))


@route("DELETE", f"{PULL}/reviews/{{review_id}}", needs="pull_requests=write")
def delete_review(state: State, call: Call) -> Reply:
    pull = pull_of(state, call)
    review = review_of(pull, call)
    if review.state != "PENDING":
        raise Refused(422, "Unprocessable Entity", ["Can not delete a non-pending pull request review"])
    pull.reviews.remove(review)
    pull.comments = [one for one in pull.comments if one.review != review.id]
    return Reply(200, shapes.review(state, pull, review))


@route("POST", f"{PULL}/reviews/{{review_id}}/events", needs="pull_requests=write")
def submit_review(state: State, call: Call) -> Reply:
    pull = pull_of(state, call)
    review = review_of(pull, call)
    if review.state != "PENDING":
        raise Refused(422, "Unprocessable Entity", ["Could not submit review: it is not pending"])
    review.body = call.json.get("body") or review.body
    review.state, review.submitted = STATES[call.json["event"]], state.clock.text()
    return Reply(200, shapes.review(state, pull, review))


@route("GET", f"{PULL}/reviews/{{review_id}}/comments")
def comments_of_review(state: State, call: Call) -> Reply:
    pull = pull_of(state, call)
    found = [one for one in pull.comments if one.review == review_of(pull, call).id]
    return call.page([shapes.comment(state, pull, one, legacy=True) for one in found], url_of(state, call))
