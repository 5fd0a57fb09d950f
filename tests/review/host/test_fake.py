"""The fake GitHub behaves as GitHub does: driven with PyGithub, as the reviewer will."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from github import Auth, Github, GithubException, GithubIntegration
from github.PullRequest import PullRequest
from github.Repository import Repository

from host import ACTIONS, OCTOCAT, READ, GitHub, reviews
from host.git_repo import Repo

QUIET: dict[str, Any] = {"seconds_between_requests": 0, "seconds_between_writes": 0, "retry": None, "lazy": True}
THREADS = """query($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { reviewThreads(first: 1, after: $after) {
    pageInfo { hasNextPage endCursor } nodes { id isResolved isOutdated
    comments(first: 1) { nodes { fullDatabaseId author { login } } } } } } }
}"""


def client(host: GitHub, token: str = "") -> Github:
    return Github(auth=Auth.Token(token or host.token), base_url=host.url, **QUIET)


def repository(host: GitHub) -> Repository:
    return client(host).get_repo(host.name)


def pull(host: GitHub, number: int = 1) -> PullRequest:
    return repository(host).get_pull(number)


def place(line: int, **more: Any) -> dict[str, Any]:
    return {"path": "jobs.py", "body": f"about {line}", "line": line, "side": "RIGHT", **more}


def review(host: GitHub, *comments: Any, body: str = "Look") -> int:
    one = pull(host)
    return one.create_review(repository(host).get_commit(one.head.sha), body, "COMMENT", list(comments)).id


def replaced(repo: Repo, old: str, new: str) -> str:
    return (repo.path / "jobs.py").read_text().replace(old, new)


def test_a_pull_request_tells_its_head_and_its_size(host: GitHub) -> None:
    one = pull(host)
    assert (one.head.sha, one.base.sha) == (host.pull().head, host.pull().base)
    assert (one.changed_files, one.additions, one.deletions, one.draft, one.state) == (1, 2, 2, False, "open")


def test_files_tell_what_git_does(hosts: Callable[..., GitHub], repo: Repo) -> None:
    many = (repo.path / "jobs.py").read_text()
    repo.branch(
        {"jobs.py": None, "shop/jobs.py": many + "more\n", "old.py": None, "a.bin": b"\0\1", "new.py": "x\n", "big.py": "y\n" * 20_001}
    )
    repo.submodule("lib", "1" * 40)
    told = {one.filename: one for one in pull(hosts(repo)).get_files()}
    assert {name: one.status for name, one in told.items()} == {
        "a.bin": "added",
        "big.py": "added",
        "lib": "added",
        "new.py": "added",
        "old.py": "removed",
        "shop/jobs.py": "renamed",
    }
    assert (told["shop/jobs.py"].previous_filename, told["shop/jobs.py"].changes) == ("jobs.py", 1)
    assert told["new.py"].patch == "@@ -0,0 +1 @@\n+x"
    assert [name for name, one in told.items() if "patch" not in one.raw_data] == ["a.bin", "big.py"]
    assert told["lib"].patch == f"@@ -0,0 +1 @@\n+Subproject commit {'1' * 40}"


def test_hostile_file_names_and_texts_do_not_mix_patches_up(hosts: Callable[..., GitHub], repo: Repo) -> None:
    names = ['a "quoted" name.py', "line\nfeed.py", "ümlaut.py", "<b>@team</b>.py", "-n"]
    repo.branch({**dict.fromkeys(names, "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\r\n\f\n"), "no-end.py": "x"})
    told = {one.filename: one.patch for one in pull(hosts(repo)).get_files()}
    assert set(told) == {*names, "no-end.py"}
    assert {told[name] for name in names} == {"@@ -0,0 +1,5 @@\n+diff --git a/x b/x\n+--- a/x\n++++ b/x\n+@@ -1 +1 @@\r\n+\f"}
    assert told["no-end.py"] == "@@ -0,0 +1 @@\n+x\n\\ No newline at end of file"


def test_lists_come_in_pages(hosts: Callable[..., GitHub], repo: Repo) -> None:
    repo.branch({f"f/{number:03}.py": "x\n" for number in range(301)})
    host = hosts(repo)
    assert pull(host).get_files().totalCount == 301
    host.forget()
    pages = Github(auth=Auth.Token(host.token), base_url=host.url, per_page=100, **QUIET).get_repo(host.name).get_pull(1)
    assert len({one.filename for one in pages.get_files()}) == 301
    assert [call.query.get("page") for call in host.calls if call.path.endswith("/files")] == [None, "2", "3", "4"]
    answer = requests.get(f"{host.url}/repos/{host.name}/pulls/1", headers={"Accept": "application/vnd.github.diff"}, timeout=9)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (406, "too_large")


def test_a_small_diff_comes_whole(host: GitHub) -> None:
    answer = requests.get(f"{host.url}/repos/{host.name}/pulls/1", headers={"Accept": "application/vnd.github.diff"}, timeout=9)
    assert answer.headers["Content-Type"].startswith("application/vnd.github.diff")
    assert "+line ten\n" in answer.text


def test_the_list_of_files_stops(hosts: Callable[..., GitHub], repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    assert reviews.LISTED == 3_000
    monkeypatch.setattr(reviews, "LISTED", 2)
    repo.branch(dict.fromkeys(("a.py", "b.py", "c.py"), "x\n"))
    one = pull(hosts(repo))
    assert ([it.filename for it in one.get_files()], one.changed_files) == (["a.py", "b.py"], 3)


@pytest.mark.parametrize(
    ("change", "told"), [("draft", (True, "open", False)), ("closed", (False, "closed", False)), ("merged", (False, "closed", True))]
)
def test_a_pull_request_tells_its_state(host: GitHub, change: str, told: tuple[bool, str, bool]) -> None:
    setattr(host.pull(), change, True)
    one = pull(host)
    assert (one.draft, one.state, one.merged) == told


def test_a_pending_review_is_seen_when_it_is_sent(host: GitHub) -> None:
    host.excuse("stays pending")
    made = pull(host).create_review(repository(host).get_commit(host.pull().head), "Look", comments=[place(10)])  # type: ignore[list-item]
    assert (made.state, host.comments, list(pull(host).get_review_comments())) == ("PENDING", [], [])
    client(host).requester.requestJsonAndCheck("POST", f"/repos/{host.name}/pulls/1/reviews/{made.id}/events", input={"event": "COMMENT"})
    assert [one.line for one in host.comments] == [10]


def test_a_comment_on_a_line_that_was_taken_away(host: GitHub, repo: Repo) -> None:
    review(host, place(10, side="LEFT"))
    told = next(iter(pull(host).get_review_comments())).raw_data
    assert (told["line"], told["side"], told["diff_hunk"].splitlines()[-1]) == (10, "LEFT", "-line 10")
    host.push(repo.commit({"jobs.py": replaced(repo, "line 5\n", "line 5\nanother\n")}))
    assert host.line(host.comments[0]) == 10


def test_a_review_is_stored_with_its_comments(host: GitHub) -> None:
    number = review(host, place(10), place(31, start_line=29, start_side="RIGHT"))
    assert [(one.user, one.line, one.start_line, one.review) for one in host.comments] == [
        (ACTIONS, 10, None, number),
        (ACTIONS, 31, 29, number),
    ]
    told = [one.raw_data for one in pull(host).get_review_comments()]
    assert [(one["line"], one["start_line"], one["subject_type"]) for one in told] == [(10, None, "line"), (31, 29, "line")]
    assert told[0]["diff_hunk"].endswith(" line 9\n-line 10\n+line ten")
    assert [one.body for one in pull(host).get_reviews()] == ["Look"]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (place(20), "line must be part of the diff"),
        (place(31, start_line=10, start_side="RIGHT"), "start line must be part of the same hunk"),
        (place(10) | {"path": "nowhere.py"}, "path is invalid"),
    ],
)
def test_one_bad_line_refuses_the_whole_review(host: GitHub, bad: dict[str, Any], words: str) -> None:
    host.excuse("refused")
    with pytest.raises(GithubException) as refused:
        review(host, place(10), bad)
    assert refused.value.status == 422
    assert words in refused.value.data["errors"][0]
    assert (host.comments, host.reviews) == ([], [])


def test_a_single_comment_is_refused_in_other_words(host: GitHub) -> None:
    host.excuse("refused")
    with pytest.raises(GithubException) as refused:
        pull(host).create_review_comment("x", host.pull().head, "jobs.py", line=20, side="RIGHT")
    assert [one["field"] for one in refused.value.data["errors"]] == [
        "pull_request_review_thread.line",
        "pull_request_review_thread.diff_hunk",
    ]


def test_a_comment_on_a_file_has_no_line(host: GitHub) -> None:
    made = pull(host).create_review_comment("x", host.pull().head, "jobs.py", subject_type="file").raw_data
    assert (made["line"], made["subject_type"]) == (None, "file")
    host.push(host.pull().base)
    assert host.outdated(host.comments[0])


def test_a_push_moves_comments_or_makes_them_outdated(host: GitHub, repo: Repo) -> None:
    first = host.pull().head
    review(host, place(10), place(30))
    second = repo.commit({"jobs.py": replaced(repo, "line 5\n", "line 5\nanother\n").replace("line thirty\n", "line 30\n")})
    host.push(second)
    told = [one.raw_data for one in pull(host).get_review_comments()]
    assert [(one["line"], one["position"] is None) for one in told] == [(11, False), (None, True)]
    assert [(one["original_line"], one["commit_id"]) for one in told] == [(10, second), (30, first)]
    host.push(first)  # forced back
    assert [host.line(one) for one in host.comments] == [10, 30]


def test_a_renamed_file_makes_its_comments_outdated(host: GitHub, repo: Repo) -> None:
    review(host, place(10))
    host.push(repo.commit({"jobs.py": None, "tasks.py": (repo.path / "jobs.py").read_text()}))
    assert host.outdated(host.comments[0])


def test_comments_are_answered_edited_and_deleted(host: GitHub) -> None:
    review(host, place(10), place(30))
    first, second = host.comments
    answer = host.reply(first, "Why?")
    one = pull(host)
    one.create_review_comment_reply(first.id, "Because")
    one.get_review_comment(first.id).edit("about ten")
    one.get_review_comment(second.id).delete()
    assert [(it.body, it.reply_to, it.user) for it in host.comments] == [
        ("about ten", None, ACTIONS),
        ("Why?", first.id, OCTOCAT),
        ("Because", first.id, ACTIONS),
    ]
    assert host.deleted == [second]
    assert pull(host).get_review_comment(answer.id).in_reply_to_id == first.id


def test_the_summary_is_a_comment_below(host: GitHub) -> None:
    host.say("Nice work")
    made = pull(host).create_issue_comment("All is well")
    made.edit("Not all is well")
    assert [(one.body, one.user) for one in host.issue_comments] == [("Nice work", OCTOCAT), ("Not all is well", ACTIONS)]
    made.delete()
    assert [one.body for one in pull(host).get_issue_comments()] == ["Nice work"]


def test_threads_are_listed_in_pages_and_resolved_with_the_right_to_it(host: GitHub) -> None:
    review(host, place(10), place(30))
    owner, _, name = host.name.partition("/")
    asked: dict[str, Any] = {"owner": owner, "name": name, "number": 1}
    requester = client(host).requester
    seen = []
    for _ in range(2):
        page = requester.graphql_query(THREADS, asked)[1]["data"]["repository"]["pullRequest"]["reviewThreads"]
        seen += page["nodes"]
        asked["after"] = page["pageInfo"]["endCursor"]
    assert page["pageInfo"]["hasNextPage"] is False
    assert [one["comments"]["nodes"][0]["fullDatabaseId"] for one in seen] == [str(one.id) for one in host.comments]
    assert {one["comments"]["nodes"][0]["author"]["login"] for one in seen} == {"github-actions"}
    with pytest.raises(GithubException, match="Resource not accessible by integration"):
        requester.graphql_named_mutation("resolveReviewThread", {"threadId": seen[0]["id"]}, "thread { isResolved }")
    host.allow({"contents": "write", "pull_requests": "write"})
    requester.graphql_named_mutation("resolveReviewThread", {"threadId": seen[0]["id"]}, "thread { isResolved }")
    assert [host.resolved(one) for one in host.comments] == [True, False]


def test_a_read_only_token_reads_and_does_not_write(host: GitHub) -> None:
    host.allow(READ)
    with pytest.raises(GithubException, match="Resource not accessible by integration") as refused:
        pull(host).create_issue_comment("x")
    assert refused.value.status == 403
    with pytest.raises(GithubException, match="Resource not accessible by integration"):
        assert client(host).get_user().login
    assert client(host, host.token_of()).get_user().login == "octocat"


def test_unknown_tokens_repositories_and_numbers(host: GitHub) -> None:
    for token, name, number, status in (
        ("ghs_no", host.name, 1, 401),
        (host.token, "octo-org/else", 1, 404),
        (host.token, host.name, 9, 404),
    ):
        with pytest.raises(GithubException) as refused:
            assert client(host, token).get_repo(name).get_pull(number).title
        assert refused.value.status == status


def test_an_app_logs_in_with_its_key(host: GitHub) -> None:
    app = host.app()
    owner, _, name = host.name.partition("/")
    integration = GithubIntegration(auth=Auth.AppAuth(app.id, app.key), base_url=host.url, **QUIET)
    installed = integration.get_repo_installation(owner, name)
    token = integration.get_access_token(installed.id).token
    client(host, token).get_repo(host.name).get_pull(1).create_issue_comment("x")
    assert host.issue_comments[0].user.login == "guardrails[bot]"
    stranger = GithubIntegration(auth=Auth.AppAuth(app.id, host.app("other").key), base_url=host.url, **QUIET)
    with pytest.raises(GithubException) as refused:
        stranger.get_repo_installation(owner, name)
    assert refused.value.status == 401


def test_check_runs_gather_annotations(host: GitHub) -> None:
    host.allow({"contents": "read", "checks": "write"})
    notes: list[Any] = [{"path": "jobs.py", "start_line": 1, "end_line": 1, "annotation_level": "warning", "message": "x"}] * 50
    head = host.pull().head
    run = repository(host).create_check_run(
        "guardrails", head, status="in_progress", output={"title": "t", "summary": "s", "annotations": notes}
    )
    run.edit(status="completed", conclusion="neutral", output={"title": "t", "summary": "s", "annotations": notes})
    assert (len(host.checks[0].annotations), host.checks[0].conclusion) == (100, "neutral")
    assert repository(host).get_commit(head).get_check_runs()[0].output.annotations_count == 100


def test_a_sarif_upload_needs_its_right_and_its_packing(host: GitHub) -> None:
    packed = base64.b64encode(gzip.compress(json.dumps({"version": "2.1.0"}).encode())).decode()
    asked = {"commit_sha": host.pull().head, "ref": "refs/pull/1/head", "sarif": packed}
    path = f"/repos/{host.name}/code-scanning/sarifs"
    with pytest.raises(GithubException) as refused:
        client(host).requester.requestJsonAndCheck("POST", path, input=asked)
    assert refused.value.status == 403
    host.allow({"security_events": "write"})
    client(host).requester.requestJsonAndCheck("POST", path, input=asked)
    assert [one["report"] for one in host.sarifs] == [{"version": "2.1.0"}]


def test_contents_come_from_a_commit(host: GitHub) -> None:
    made = repository(host).get_contents("old.py", ref=host.pull().base)
    assert not isinstance(made, list)
    assert made.decoded_content == b"def gone():\n    return 1\n"
    listed = repository(host).get_contents("", ref=host.pull().base)
    assert isinstance(listed, list)
    assert {one.path for one in listed} == {"README.md", "jobs.py", "old.py"}


def test_pull_requests_are_found_by_branch_and_those_of_forks_not_by_commit(hosts: Callable[..., GitHub], repo: Repo) -> None:
    repo.branch({"new.py": "x\n"})
    host = GitHub(repo.path)
    host.open("change", fork="mallory/shop", head_ref="patch")
    host = host.start()
    found = repository(host).get_pulls(state="open", head="mallory:patch")
    assert [(one.number, one.head.repo.full_name, one.head.repo.fork) for one in found] == [(1, "mallory/shop", True)]
    assert list(repository(host).get_commit(host.pull().head).get_pulls()) == []
    host.pull().fork_deleted = True
    assert (pull(host).raw_data["head"]["repo"], pull(host).head.sha) == (None, host.pull().head)
    host.stop()
    host.check()


def test_an_enterprise_server_has_other_addresses(hosts: Callable[..., GitHub], repo: Repo) -> None:
    host = hosts(repo, enterprise=True)
    assert host.url.endswith("/api/v3")
    assert client(host).requester.graphql_query("{ viewer { login } }", {})[1]["data"]["viewer"]["login"] == "github-actions[bot]"
    assert pull(host).number == 1


def test_events_tell_what_is_true_now(host: GitHub, repo: Repo, tmp_path: Path) -> None:
    assert (host.event()["action"], host.event()["pull_request"]["head"]["sha"]) == ("opened", host.pull().head)
    before = host.pull().head
    host.push(repo.commit({"new.py": "x\n"}))
    event = host.event()
    assert (event["action"], event["before"], event["after"]) == ("synchronize", before, host.pull().head)
    assert host.event("workflow_run")["workflow_run"]["head_sha"] == host.pull().head
    environ = host.environ(tmp_path / "run")
    assert json.loads(Path(environ["GITHUB_EVENT_PATH"]).read_text()) == event
    assert (environ["GITHUB_API_URL"], environ["GITHUB_REPOSITORY"]) == (host.url, host.name)
