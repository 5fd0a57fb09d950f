"""The JSON of things. Large objects start from the examples in GitHub's own description; what matters is put over them."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .diff import Change
from .state import Actor, CheckRun, Comment, IssueComment, Pull, Review, State, node

WEB = "https://github.com"
OPENAPI = Path(__file__).parent / "github" / "openapi.json"
REACTIONS = "total_count +1 -1 laugh hooray confused heart rocket eyes".split()


@lru_cache(maxsize=1)
def description() -> dict[str, Any]:
    """GitHub's description, trimmed."""
    loaded: dict[str, Any] = json.loads(OPENAPI.read_text(encoding="utf-8"))
    return loaded


def example(name: str, state: State, number: int = 1347) -> Any:
    """A copy of one of GitHub's examples, its addresses on this server, its repository renamed, its pull request renumbered."""
    return json.loads(_example(name, state.url, state.name, number))


@lru_cache(maxsize=256)
def _example(name: str, url: str, repo: str, number: int) -> str:
    text = json.dumps(description()["components"]["examples"][name]["value"])
    owner, _, short = repo.partition("/")
    text = text.replace("https://api.github.com", url).replace("octocat/Hello-World", repo).replace("1347", str(number))
    return text.replace('"Hello-World"', json.dumps(short)).replace('"login": "octocat"', f'"login": {json.dumps(owner)}')


def user(state: State, actor: Actor) -> dict[str, Any]:
    api = f"{state.url}/users/{quote(actor.login)}"
    lists = "followers subscriptions repos received_events".split()
    made = {f"{one}_url": f"{api}/{one}" for one in lists}
    return made | {
        "login": actor.login,
        "id": actor.id,
        "node_id": node("U" if actor.kind == "User" else "BOT", actor.id),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{actor.id}?v=4",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{WEB}/apps/{actor.login.removesuffix('[bot]')}" if actor.kind == "Bot" else f"{WEB}/{actor.login}",
        "following_url": f"{api}/following{{/other_user}}",
        "gists_url": f"{api}/gists{{/gist_id}}",
        "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
        "organizations_url": f"{api}/orgs",
        "events_url": f"{api}/events{{/privacy}}",
        "type": actor.kind,
        "site_admin": False,
    }


def repository(state: State, name: str = "") -> dict[str, Any]:
    """The repository, or a fork of it."""
    made: dict[str, Any] = example("pull-request", state)["base"]["repo"]
    fork = bool(name) and name != state.name
    name = name or state.name
    text = json.dumps(made).replace(state.name, name) if fork else json.dumps(made)
    owner, _, short = name.partition("/")
    made = json.loads(text)
    made["owner"] = user(state, Actor(owner, 2 if fork else 1))
    made |= {"id": 1296270 if fork else 1296269, "fork": fork, "private": state.private, "name": short, "full_name": name}
    return made | {"default_branch": "main", "visibility": "private" if state.private else "public"}


def pull(state: State, one: Pull, full: bool = True) -> dict[str, Any]:
    found = example("pull-request" if full else "pull-request-simple-items", state, one.number)
    made: dict[str, Any] = found if full else found[0]
    made |= {
        "number": one.number,
        "state": "closed" if one.closed or one.merged else "open",
        "draft": one.draft,
        "locked": one.locked,
        "title": one.title,
        "user": user(state, one.author),
        "requested_teams": [],  # the example's are not what the description says
        "merged_at": state.clock.text() if one.merged else None,
        "closed_at": state.clock.text() if one.closed or one.merged else None,
        "head": end(state, one, head=True),
        "base": end(state, one, head=False),
    }
    return made | (counted(one) if full else {})


def end(state: State, one: Pull, head: bool) -> dict[str, Any]:
    """The head or the base of a pull request."""
    name = (one.fork if head else "") or state.name
    ref = one.head_ref if head else one.base_ref
    return {
        "label": f"{name.partition('/')[0]}:{ref}",
        "ref": ref,
        "sha": one.head if head else one.base,
        "user": user(state, Actor(name.partition("/")[0], 2 if head and one.fork else 1)),
        "repo": None if head and one.fork_deleted else repository(state, name),
    }


def counted(one: Pull) -> dict[str, Any]:
    """What only the pull request itself tells, not the list of them."""
    return {
        "merged": one.merged,
        "mergeable": None if one.merged else True,
        "comments": len(one.issue_comments),
        "review_comments": len(one.visible()),
        "additions": sum(change.additions for change in one.changes),
        "deletions": sum(change.deletions for change in one.changes),
        "changed_files": len(one.changes),
    }


def entry(state: State, one: Pull, change: Change) -> dict[str, Any]:
    """A file of the files API."""
    path = quote(change.path.encode(errors="surrogateescape"))
    made: dict[str, Any] = {
        "sha": change.sha,
        "filename": change.path.encode(errors="surrogateescape").decode(errors="replace"),
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": f"{WEB}/{state.name}/blob/{one.head}/{path}",
        "raw_url": f"{WEB}/{state.name}/raw/{one.head}/{path}",
        "contents_url": f"{state.url}/repos/{state.name}/contents/{path}?ref={one.head}",
    }
    if change.patch is not None:
        made["patch"] = change.patch
    if change.status in ("renamed", "copied"):
        made["previous_filename"] = change.old
    return made


def comment(state: State, one: Pull, it: Comment, legacy: bool = False) -> dict[str, Any]:
    """A review comment. `legacy`: as the list of one review gives them, without lines."""
    position, line, start = one.line(it)
    api, web = f"{state.url}/repos/{state.name}/pulls", f"{WEB}/{state.name}/pull/{one.number}"
    made: dict[str, Any] = {
        "url": f"{api}/comments/{it.id}",
        "pull_request_review_id": it.review,
        "id": it.id,
        "node_id": it.node_id,
        "diff_hunk": it.hunk,
        "path": it.path,
        "position": position,
        "original_position": it.position if it.position is not None else 1,
        "commit_id": it.commit if position is None else one.head,
        "original_commit_id": it.commit,
        "user": user(state, it.user),
        "body": it.body,
        "created_at": it.created,
        "updated_at": it.updated,
        "html_url": f"{web}#discussion_r{it.id}",
        "pull_request_url": f"{api}/{one.number}",
        "author_association": "NONE" if it.user.kind == "Bot" else "CONTRIBUTOR",
        "_links": {
            "self": {"href": f"{api}/comments/{it.id}"},
            "html": {"href": f"{web}#discussion_r{it.id}"},
            "pull_request": {"href": f"{api}/{one.number}"},
        },
        "reactions": reactions(f"{api}/comments/{it.id}"),
    }
    if it.reply_to:
        made["in_reply_to_id"] = it.reply_to
    if legacy:
        return made
    made |= {"line": line, "original_line": it.line, "side": it.side, "subject_type": it.subject}
    return made | {"start_line": start, "original_start_line": it.start_line, "start_side": it.start_side}


def reactions(url: str) -> dict[str, Any]:
    return {"url": f"{url}/reactions", **dict.fromkeys(REACTIONS, 0)}


def review(state: State, one: Pull, it: Review) -> dict[str, Any]:
    web, api = f"{WEB}/{state.name}/pull/{one.number}", f"{state.url}/repos/{state.name}/pulls/{one.number}"
    made: dict[str, Any] = {
        "id": it.id,
        "node_id": node("PRR", it.id),
        "user": user(state, it.user),
        "body": it.body,
        "state": it.state,
        "html_url": f"{web}#pullrequestreview-{it.id}",
        "pull_request_url": api,
        "author_association": "NONE",
        "_links": {"html": {"href": f"{web}#pullrequestreview-{it.id}"}, "pull_request": {"href": api}},
        "commit_id": it.commit,
    }
    return made | ({"submitted_at": it.submitted} if it.submitted else {})


def issue_comment(state: State, one: Pull, it: IssueComment) -> dict[str, Any]:
    api = f"{state.url}/repos/{state.name}/issues"
    return {
        "id": it.id,
        "node_id": it.node_id,
        "url": f"{api}/comments/{it.id}",
        "html_url": f"{WEB}/{state.name}/pull/{one.number}#issuecomment-{it.id}",
        "issue_url": f"{api}/{one.number}",
        "body": it.body,
        "user": user(state, it.user),
        "created_at": it.created,
        "updated_at": it.updated,
        "author_association": "NONE" if it.user.kind == "Bot" else "CONTRIBUTOR",
        "performed_via_github_app": None,
        "reactions": reactions(f"{api}/comments/{it.id}"),
    }


def check_run(state: State, it: CheckRun) -> dict[str, Any]:
    made: dict[str, Any] = example("check-run", state)
    api = f"{state.url}/repos/{state.name}/check-runs/{it.id}"
    output = {name: it.output.get(name) for name in ("title", "summary", "text")}
    return made | {
        "id": it.id,
        "name": it.name,
        "head_sha": it.head,
        "external_id": it.external_id,
        "url": api,
        "html_url": f"{WEB}/{state.name}/runs/{it.id}",
        "details_url": it.details_url,
        "status": it.status,
        "conclusion": it.conclusion,
        "started_at": it.started,
        "completed_at": it.completed,
        "output": output | {"annotations_count": len(it.annotations), "annotations_url": f"{api}/annotations"},
        "pull_requests": [],
    }
