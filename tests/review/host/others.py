"""Repository, users, commits, contents, check runs, code scanning, limits."""

from __future__ import annotations

import base64
import gzip
import json
import uuid
from typing import Any
from urllib.parse import quote

from . import shapes
from .diff import commit as commit_of
from .diff import git
from .routes import missing, route, url_of
from .state import CheckRun, State
from .wire import Call, Refused, Reply

REPO = "/repos/{owner}/{repo}"
RUN = f"{REPO}/check-runs/{{check_run_id}}"
PER_CALL = 50
KEPT = ("id", "name", "full_name", "private", "fork", "owner", "default_branch")


@route("GET", REPO)
def get_repository(state: State, call: Call) -> Reply:
    made: dict[str, Any] = shapes.example("full-repository-default-response", state)
    own = shapes.repository(state)
    for name in ("source", "parent", "template_repository"):
        del made[name]
    return Reply(200, made | {name: own[name] for name in KEPT} | {"language": "Python"})


@route("GET", "/user", needs="user=read")
def get_user(state: State, call: Call) -> Reply:
    """Only people have one: the token of an App or of an Action is refused."""
    made: dict[str, Any] = shapes.example("private-user-response-with-public-profile-information", state)
    return Reply(200, made | shapes.user(state, call.token.actor) | {"user_view_type": "public"})


@route("GET", "/users/{username}")
def get_user_named(state: State, call: Call) -> Reply:
    known = {token.actor.login: token.actor for token in state.tokens.values()}
    if (found := known.get(call.names["username"])) is None:
        raise missing()
    made: dict[str, Any] = shapes.example("public-user-default-response", state)
    return Reply(200, made | shapes.user(state, found) | {"user_view_type": "public"})


@route("GET", "/rate_limit")
def rate_limit(state: State, call: Call) -> Reply:
    made: dict[str, Any] = shapes.example("rate-limit-overview", state)
    now = {"limit": state.limit, "used": state.used, "remaining": max(0, state.limit - state.used), "reset": int(state.reset)}
    made["resources"]["core"] = made["rate"] = now
    return Reply(200, made)


@route("GET", f"{REPO}/commits/{{ref}}")
def get_commit(state: State, call: Call) -> Reply:
    try:
        sha = commit_of(state.repo, call.names["ref"])
    except LookupError as none:
        raise Refused(422, f"No commit found for SHA: {call.names['ref']}", docs="/commits/commits#get-a-commit") from none
    made: dict[str, Any] = shapes.example("commit", state)
    url = f"{state.url}/repos/{state.name}/commits/{sha}"
    return Reply(200, made | {"sha": sha, "url": url, "comments_url": f"{url}/comments", "files": []})


@route("GET", f"{REPO}/contents/{{path}}", needs="contents=read")
def get_contents(state: State, call: Call) -> Reply:
    ref, path = call.query.get("ref", "HEAD"), call.names["path"].strip("/")
    try:
        commit_of(state.repo, ref)
    except LookupError as none:
        raise Refused(404, f"No commit found for the ref {ref}", docs="/repos/contents#get-repository-content") from none
    kind, sha, size = ("tree", "", "") if not path else next((entry[1:] for entry in listed(state, ref, path)), ("", "", ""))
    if not kind:
        raise missing()
    if kind == "tree":
        return Reply(200, [content(state, ref, *entry) for entry in listed(state, ref, f"{path}/" if path else ".")])
    raw = git(state.repo, "cat-file", "blob", sha)
    if "raw" in call.headers.get("accept", ""):
        return Reply(200, raw.decode(errors="replace"), kind="application/vnd.github.raw+json; charset=utf-8")
    big = len(raw) > 1_000_000
    packed = {"encoding": "none" if big else "base64", "content": "" if big else base64.encodebytes(raw).decode()}
    return Reply(200, content(state, ref, path, kind, sha, size) | packed)


def listed(state: State, ref: str, path: str) -> list[tuple[str, str, str, str]]:
    """Path, kind, blob and size of what git lists there."""
    lines = git(state.repo, "ls-tree", "-l", "-z", ref, "--", path).decode().rstrip("\0").split("\0")
    found = []
    for line in filter(None, lines):
        _, kind, sha, size = line.partition("\t")[0].split()
        found.append((line.partition("\t")[2], kind, sha, size))
    return found


def content(state: State, ref: str, path: str, kind: str, sha: str, size: str) -> dict[str, Any]:
    """An entry of the contents."""
    api, web = f"{state.url}/repos/{state.name}", f"{shapes.WEB}/{state.name}"
    here = f"{api}/contents/{quote(path)}?ref={quote(ref)}"
    page = f"{web}/blob/{quote(ref)}/{quote(path)}"
    return {
        "type": {"blob": "file", "tree": "dir", "commit": "submodule"}[kind],
        "size": int(size) if size.isdigit() else 0,
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": sha,
        "url": here,
        "git_url": f"{api}/git/{kind}s/{sha}",
        "html_url": page,
        "download_url": f"{web}/raw/{quote(ref)}/{quote(path)}",
        "_links": {"self": here, "git": f"{api}/git/{kind}s/{sha}", "html": page},
    }


@route("POST", f"{REPO}/check-runs", needs="checks=write")
def create_run(state: State, call: Call) -> Reply:
    asked = call.json
    run = CheckRun(next(state.ids), asked["name"], asked["head_sha"], state.clock.text())
    changed(state, run, asked)
    state.checks[run.id] = run
    return Reply(201, shapes.check_run(state, run))


@route("PATCH", RUN, needs="checks=write")
def update_run(state: State, call: Call) -> Reply:
    run = run_of(state, call)
    changed(state, run, call.json)
    return Reply(200, shapes.check_run(state, run))


def changed(state: State, run: CheckRun, asked: dict[str, Any]) -> None:
    """Takes what was sent; annotations are added to those that are there."""
    output = asked.get("output") or {}
    new = output.get("annotations") or []
    if len(new) > PER_CALL:
        raise Refused(
            422, "Invalid request.\n\nNo more than 50 annotations are allowed per request.", docs="/checks/runs#update-a-check-run"
        )
    if asked.get("status") == "completed" and not asked.get("conclusion"):
        raise Refused(422, 'Invalid request.\n\n"conclusion" wasn\'t supplied.', docs="/checks/runs#create-a-check-run")
    run.output |= {name: value for name, value in output.items() if name != "annotations"}
    run.annotations += new
    run.conclusion = asked.get("conclusion") or run.conclusion
    run.status = "completed" if run.conclusion else asked.get("status") or run.status
    run.completed = asked.get("completed_at") or (state.clock.text() if run.conclusion else None)
    run.details_url = asked.get("details_url") or run.details_url
    run.external_id = asked.get("external_id") or run.external_id
    run.name = asked.get("name") or run.name


def run_of(state: State, call: Call) -> CheckRun:
    """The check run that a call names; 404."""
    number = call.names["check_run_id"]
    if not number.isdigit() or int(number) not in state.checks:
        raise missing()
    return state.checks[int(number)]


@route("GET", RUN)
def get_run(state: State, call: Call) -> Reply:
    return Reply(200, shapes.check_run(state, run_of(state, call)))


@route("GET", f"{RUN}/annotations")
def list_annotations(state: State, call: Call) -> Reply:
    run = run_of(state, call)
    filled = {"start_column": None, "end_column": None, "title": None, "raw_details": None}
    blob = {"blob_href": f"{shapes.WEB}/{state.name}/blob/{run.head}"}
    return call.page([{**filled, **one, **blob} for one in run.annotations], url_of(state, call))


@route("GET", f"{REPO}/commits/{{ref}}/check-runs")
def runs_of_commit(state: State, call: Call) -> Reply:
    found = [shapes.check_run(state, one) for one in state.checks.values() if one.head == call.names["ref"]]
    reply = call.page(found, url_of(state, call))
    reply.data = {"total_count": len(found), "check_runs": reply.data}
    return reply


@route("POST", f"{REPO}/code-scanning/sarifs", needs="security_events=write")
def upload_sarif(state: State, call: Call) -> Reply:
    """The report is packed with gzip and written as base64, as GitHub wants it."""
    try:
        report = json.loads(gzip.decompress(base64.b64decode(call.json["sarif"], validate=True)))
    except (ValueError, OSError) as bad:
        raise Refused(422, "Invalid request.\n\nsarif is not a gzip-compressed, base64-encoded JSON file") from bad
    number = str(uuid.uuid5(uuid.NAMESPACE_URL, call.json["sarif"]))
    state.sarifs[number] = {"commit": call.json["commit_sha"], "ref": call.json["ref"], "report": report}
    return Reply(202, {"id": number, "url": f"{state.url}/repos/{state.name}/code-scanning/sarifs/{number}"})


@route("GET", f"{REPO}/code-scanning/sarifs/{{sarif_id}}", needs="security_events=read")
def get_sarif(state: State, call: Call) -> Reply:
    number = call.names["sarif_id"]
    if number not in state.sarifs:
        raise missing()
    url = f"{state.url}/repos/{state.name}/code-scanning/analyses?sarif_id={number}"
    return Reply(200, {"processing_status": "complete", "analyses_url": url})
