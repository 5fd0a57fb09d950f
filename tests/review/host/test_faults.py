"""What goes wrong on purpose, and that the judge sees what nobody meant to be wrong."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import openapi_spec_validator
import pytest
import requests
from github import Auth, Github, GithubException

from host import OCTOCAT, GitHub, judge
from host.git_repo import Repo

QUIET: dict[str, Any] = {"seconds_between_requests": 0, "seconds_between_writes": 0, "retry": None, "lazy": True}


def pull(host: GitHub) -> Any:
    return Github(auth=Auth.Token(host.token), base_url=host.url, **QUIET).get_repo(host.name).get_pull(1)


def send(host: GitHub, method: str, path: str, json: Any = None, **headers: str) -> requests.Response:
    sent = {"Authorization": f"Bearer {host.token}", "User-Agent": "test", **headers}
    return requests.request(method, f"{host.url}/repos/{host.name}{path}", json=json, headers=sent, timeout=9)


@pytest.fixture
def rude(host: GitHub) -> GitHub:
    """A host whose complaints are the point of the test: they are looked at, then they do not fail it."""
    host.excuse("")
    return host


def complaints(host: GitHub) -> str:
    host._excused.clear()
    found = "\n".join(host.violations)
    host.excuse("")
    return found


def test_an_answer_is_lost_after_the_effect(host: GitHub) -> None:
    host.fail("POST /repos/.../comments", 502, after_effect=True, html=True)
    one = pull(host)
    with pytest.raises(GithubException) as lost:
        one.create_issue_comment("x")
    assert lost.value.status == 502
    assert "<html>" in lost.value.data["data"]
    assert [it.body for it in host.issue_comments] == ["x"]
    one.create_issue_comment("y")
    assert len(host.issue_comments) == 2


def test_a_connection_is_dropped(host: GitHub) -> None:
    host.fail("GET /repos/.../pulls/1", drop=True)
    with pytest.raises(requests.ConnectionError):
        assert pull(host).title
    assert host.calls[0].reply is None


def test_the_head_moves_in_between(host: GitHub, repo: Repo) -> None:
    first, second = host.pull().head, repo.commit({"new.py": "x\n"})
    host.when("GET /repos/.../pulls/1", lambda: host.push(second), skip=1)
    assert [pull(host).head.sha, pull(host).head.sha] == [first, second]


def test_a_secondary_limit_is_waited_for(host: GitHub) -> None:
    host.slow_down("POST ...", seconds=60)
    one = pull(host)
    with pytest.raises(GithubException) as refused:
        one.create_issue_comment("x")
    assert refused.value.headers is not None
    assert refused.value.headers["retry-after"] == "60"
    host.clock.sleep(60)
    one.create_issue_comment("x")


def test_pygithubs_own_patience_costs_no_time(host: GitHub) -> None:
    host.slow_down("GET ...", seconds=60)
    patient = Github(auth=Auth.Token(host.token), base_url=host.url, seconds_between_requests=0, lazy=True)
    assert patient.get_repo(host.name).get_pull(1).title
    assert sum(host.clock.slept) >= 60


def test_who_does_not_wait_is_told(rude: GitHub) -> None:
    rude.slow_down("POST ...", seconds=60)
    one = pull(rude)
    for _ in range(2):
        with nullcontext() if rude.writes else pytest.raises(GithubException):
            one.create_issue_comment("x")
    assert "came back 60 s too early" in complaints(rude)


def test_the_primary_limit_lasts_until_its_reset(host: GitHub) -> None:
    host.exhaust(left=1, seconds=600)
    one = pull(host)
    with pytest.raises(GithubException) as refused:
        one.create_issue_comment("x")
    assert refused.value.headers is not None
    assert refused.value.headers["x-ratelimit-remaining"] == "0"
    host.clock.sleep(600)
    one.create_issue_comment("x")


def test_a_planned_fault_that_never_comes_fails_the_test(host: GitHub) -> None:
    host.fail("POST /never", 500)
    with pytest.raises(AssertionError, match="planned, but never called: POST /never"):
        host.check()
    host._script.faults.clear()


def test_calls_are_counted(host: GitHub) -> None:
    pull(host).create_issue_comment("x")
    assert (len(host.reads), len(host.writes)) == (1, 1)
    host.forget()
    assert host.calls == []


def test_the_trimmed_description_is_a_right_one() -> None:
    openapi_spec_validator.validate(judge.corrected())


LINE = {"path": "jobs.py", "body": "x", "line": 10, "side": "RIGHT"}


@pytest.mark.parametrize(
    ("method", "path", "body", "words"),
    [
        ("POST", "/pulls/1/reviews", {"event": "SHOUT"}, "is not one of"),
        ("POST", "/pulls/1/reviews", {"comments": [{"path": "jobs.py"}]}, "'body' is a required property"),
        ("POST", "/pulls/1/reviews", {"bodi": "x"}, "unknown 'bodi' in the body"),
        ("POST", "/pulls/1/reviews", {"comments": [{**LINE, "subject_type": "file"}]}, "unknown 'comments.subject_type'"),
        ("POST", "/pulls/1/reviews", {"event": "COMMENT", "comments": [LINE]}, "without commit_id"),
        ("POST", "/pulls/1/reviews", {"comments": [LINE]}, "stays pending"),
        ("POST", "/pulls/1/reviews", {"event": "COMMENT", "comments": [{**LINE, "line": 20}]}, "line must be part of the diff"),
        ("POST", "/pulls/1/reviews", {"event": "COMMENT", "comments": [{**LINE, "side": "right"}]}, "side is 'right'"),
        ("POST", "/pulls/1/reviews", {"event": "COMMENT", "comments": [{**LINE, "start_line": 10}]}, "not above line 10"),
        ("POST", "/pulls/1/comments", {"body": "x", "path": "jobs.py"}, "'commit_id' is a required property"),
        ("POST", "/issues/1/comments", {"body": "x" * 65_537}, "a body of 65537 characters"),
        ("POST", "/issues/1/comments", {"text": "x"}, "'body' is a required property"),
        ("GET", "/pulls/1/files?perpage=100", None, "unknown parameter 'perpage'"),
        ("GET", "/pulls/1/files?per_page=many", None, "per_page"),
        ("POST", "/check-runs", {"name": "x", "head_sha": "1" * 40, "status": "completed"}, "completed without a conclusion"),
        ("POST", "/check-runs", {"name": "x", "head_sha": "1" * 40, "conclusion": "great"}, "great"),
    ],
)
def test_the_judge_catches(rude: GitHub, method: str, path: str, body: dict[str, Any] | None, words: str) -> None:
    rude.allow({"contents": "read", "pull_requests": "write", "checks": "write"})
    send(rude, method, path, body)
    assert words in complaints(rude)


def test_nobody_elses_words_are_touched(rude: GitHub) -> None:
    said = rude.say("mine")
    send(rude, "PATCH", f"/issues/comments/{said.id}", {"body": "yours"})
    assert "edits comment" in complaints(rude)
    sent = {"body": "x", "commit_id": rude.pull().head, "event": "COMMENT", "comments": [LINE]}
    send(rude, "POST", "/pulls/1/reviews", sent)
    rude.reply(rude.comments[0], "Why?")
    send(rude, "DELETE", f"/pulls/comments/{rude.comments[0].id}")
    assert "which octocat answered" in complaints(rude)


def test_a_token_in_a_body_is_told(rude: GitHub) -> None:
    send(rude, "POST", "/issues/1/comments", {"body": f"I am {rude.token}"})
    assert "a token is in the body" in complaints(rude)


def test_a_wrong_query_is_told(rude: GitHub) -> None:
    answer = requests.post(
        f"{rude.url}/graphql", json={"query": "{ viewer { shoeSize } }"}, headers={"Authorization": f"Bearer {rude.token}"}, timeout=9
    )
    assert "shoeSize" in answer.json()["errors"][0]["message"]
    assert "Cannot query field 'shoeSize'" in complaints(rude)


def test_the_judge_catches_a_wrong_reply(rude: GitHub) -> None:
    rude.say("x", OCTOCAT)
    rude.issue_comments[0].created = "yesterday"
    send(rude, "GET", "/issues/1/comments")
    assert "a mistake of the fake" in complaints(rude)


def test_duplicates_are_found(host: GitHub) -> None:
    one = pull(host)
    commit = one.base.repo.get_commit(one.head.sha)
    one.create_review(commit, "x", "COMMENT", [LINE, LINE, {**LINE, "line": 30, "body": "y"}])
    assert host.duplicates() == [("jobs.py", "x")]
    assert host.duplicates(lambda comment: comment.line) == [10]
