"""Which pull request a run is about."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from host import GitHub
from host.events import recorded

from guardrails.review.event import EventError, asked
from guardrails.review.host import Pull, Run


def environ(folder: Path, name: str, event: Any) -> dict[str, str]:
    (folder / "event.json").write_text(event if isinstance(event, str) else json.dumps(event))
    return {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(folder / "event.json"), "GITHUB_REPOSITORY": "octo-org/shop"}


def test_a_recorded_event_of_github(tmp_path: Path) -> None:
    event = recorded("pull_request")
    found = asked(environ(tmp_path, "pull_request", event))
    assert (found.repo, found.number) == ("Codertocat/Hello-World", 2)
    assert found.pull == Pull(2, event["pull_request"]["base"]["sha"], event["pull_request"]["head"]["sha"], files=1)


def test_a_fork_and_a_deleted_fork(host: GitHub, tmp_path: Path) -> None:
    for name, gone in (("mona/shop", False), ("mona/shop", True)):
        host.pull().fork, host.pull().fork_deleted = name, gone
        found = asked(host.environ(tmp_path)).pull
        assert found is not None
        assert found.fork


def test_a_draft_and_a_closed_one(host: GitHub, tmp_path: Path) -> None:
    host.pull().draft, host.pull().closed = True, True
    found = asked(host.environ(tmp_path)).pull
    assert found is not None
    assert (found.draft, found.is_open) == (True, False)


def test_pull_request_target_is_marked(host: GitHub, tmp_path: Path) -> None:
    assert asked(host.environ(tmp_path) | {"GITHUB_EVENT_NAME": "pull_request_target"}).is_target


def test_a_merge_queue_has_nothing_to_review(tmp_path: Path) -> None:
    assert "merge queue" in asked({"GITHUB_EVENT_NAME": "merge_group", "GITHUB_REPOSITORY": "acme/shop"}).idle


def test_a_finished_run_of_another_workflow(host: GitHub, tmp_path: Path) -> None:
    host.pull().fork = "mona/shop"
    found = asked(host.environ(tmp_path, "workflow_run"))
    assert (found.repo, found.number, found.run) == ("octo-org/shop", 0, Run("mona/shop", "change", host.pull().head))


def test_a_finished_run_that_was_for_no_pull_request(host: GitHub, tmp_path: Path) -> None:
    event = host.event("workflow_run")
    event["workflow_run"]["event"] = "push"
    assert "nothing to review" in asked(environ(tmp_path, "workflow_run", event)).idle
    event["workflow_run"] |= {"event": "pull_request", "head_repository": None}
    assert "gone" in asked(environ(tmp_path, "workflow_run", event)).idle


@pytest.mark.parametrize(
    ("name", "event", "words"),
    [
        ("push", "{}", "'push' has no pull request"),
        ("pull_request", "{}", "holds no pull request"),
        ("workflow_run", "{}", "holds no workflow run"),
        ("pull_request", "<html>", "is no event of the kind"),
        ("pull_request", '{"pull_request": {"number": "one"}}', "is no event of the kind"),
        ("pull_request", '{"pull_request": [' * 5_000, "is no event of the kind"),
    ],
)
def test_an_event_without_a_pull_request_says_what_to_do(tmp_path: Path, name: str, event: str, words: str) -> None:
    with pytest.raises(EventError, match="--repo OWNER/NAME --pr N") as error:
        asked(environ(tmp_path, name, event))
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("break_it", [lambda one: one.pop("GITHUB_EVENT_PATH"), lambda one: one.update(GITHUB_EVENT_PATH="/nowhere.json")])
def test_an_event_file_that_is_not_there(host: GitHub, tmp_path: Path, break_it: Callable[[dict[str, str]], object]) -> None:
    variables = host.environ(tmp_path)
    break_it(variables)
    with pytest.raises(EventError, match="--repo OWNER/NAME --pr N"):
        asked(variables)


def test_no_workflow_at_all() -> None:
    with pytest.raises(EventError, match="no workflow run"):
        asked({})
