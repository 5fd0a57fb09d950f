"""The events of GitHub, from recorded ones: what is true now is put over them."""

from __future__ import annotations

import copy
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

from . import shapes
from .state import Pull, State

RECORDED = Path(__file__).parent / "github" / "events.json"
FILES = {"GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary.md", "GITHUB_ENV": "env", "GITHUB_PATH": "path"}


@lru_cache(maxsize=1)
def _recorded() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return loaded


def recorded(name: str) -> dict[str, Any]:
    """An event as GitHub sent it once."""
    found: dict[str, Any] = copy.deepcopy(_recorded()[name])
    return found


def event(state: State, name: str, pull: Pull, action: str = "") -> dict[str, Any]:
    """`pull_request` and `workflow_run` about this pull request; others as they were recorded, for this repository."""
    made = recorded(name) | {"repository": shapes.repository(state)}
    made["sender"] = shapes.user(state, pull.author)
    if action:
        made["action"] = action
    if name == "pull_request":
        made = _pull_request(state, made, pull, action)
    elif name == "workflow_run":
        made["workflow_run"] |= _run(state, pull)
    return made


def _pull_request(state: State, made: dict[str, Any], pull: Pull, action: str) -> dict[str, Any]:
    before = pull.pushes[-2] if len(pull.pushes) > 1 else None
    made["action"] = action or ("synchronize" if before else "opened")
    made |= {"number": pull.number, "pull_request": shapes.pull(state, pull)}
    made |= {"before": before, "after": pull.head}
    if made["action"] != "synchronize":
        del made["before"], made["after"]
    return made


def _run(state: State, pull: Pull) -> dict[str, Any]:
    """A run for a pull request of a fork has no `pull_requests`."""
    ends = {"head": {"ref": pull.head_ref, "sha": pull.head}, "base": {"ref": pull.base_ref, "sha": pull.base}}
    listed = [{"id": pull.number, "number": pull.number, "url": f"{state.url}/repos/{state.name}/pulls/{pull.number}", **ends}]
    return {
        "event": "pull_request",
        "status": "completed",
        "conclusion": "success",
        "head_branch": pull.head_ref,
        "head_sha": pull.head,
        "head_repository": shapes.repository(state, pull.fork),
        "repository": shapes.repository(state),
        "pull_requests": [] if pull.fork else listed,
    }


def environ(state: State, sent: dict[str, Any], name: str, pull: Pull, folder: Path) -> dict[str, str]:
    """The variables of a run; the files they name are made in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "event.json").write_text(json.dumps(sent), encoding="utf-8")
    for file in FILES.values():
        (folder / file).touch()
    graphql = state.url.removesuffix("/v3") + "/graphql"
    ours = name == "pull_request"
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_API_URL": state.url,
        "GITHUB_GRAPHQL_URL": graphql,
        "GITHUB_SERVER_URL": shapes.WEB,
        "GITHUB_REPOSITORY": state.name,
        "GITHUB_REPOSITORY_OWNER": state.name.partition("/")[0],
        "GITHUB_EVENT_NAME": name,
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_WORKSPACE": str(state.repo),
        "GITHUB_SHA": pull.head,
        "GITHUB_REF": f"refs/pull/{pull.number}/merge" if ours else f"refs/heads/{pull.base_ref}",
        "GITHUB_HEAD_REF": pull.head_ref if ours else "",
        "GITHUB_BASE_REF": pull.base_ref if ours else "",
        "GITHUB_RUN_ID": "1589141559",
        "GITHUB_RUN_ATTEMPT": "1",
        "RUNNER_TEMP": str(folder),
        **{variable: str(folder / file) for variable, file in FILES.items()},
    }
