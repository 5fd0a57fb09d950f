"""GitHub as the reviewer speaks to it: logins, answers that are none, rights that are missing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from host import OCTOCAT, Clock, GitHub
from host.git_repo import Repo

from guardrails.review.github import GitHub as Client
from guardrails.review.github import Login
from guardrails.review.host import ForbiddenError, HostError, LimitedError, LostError, MissingError, RefusedError, Run
from guardrails.review.told import New

PULL = "/repos/octo-org/shop/pulls/1"


def client(host: GitHub, token: str = "", repo: str = "") -> Client:
    return Client(repo or host.name, Login(host.url, token or host.token), clock=host.clock, pace=0)


def test_a_pull_request(host: GitHub) -> None:
    found = client(host).of(1).pull()
    assert (found.number, found.head, found.base, found.files, found.fork) == (1, host.pull().head, host.pull().base, 1, False)


def test_the_address_of_github_enterprise(hosts: Callable[..., GitHub], repo: Repo) -> None:
    repo.branch({"jobs.py": "x\n"})
    host = hosts(repo, enterprise=True)
    assert client(host).of(1).pull().head == host.pull().head
    assert client(host).of(1).said().comments == ()


def test_an_app_logs_in(host: GitHub) -> None:
    app = host.app()
    made = Client(host.name, Login(host.url, app=str(app.id), key=app.key), clock=host.clock, pace=0).of(1)
    made.review(host.pull().head, [New("jobs.py", 10, "Look")])
    assert host.comments[0].user == app.actor
    assert [one.mine for one in made.said().comments] == [True]
    assert [one.mine for one in client(host).of(1).said().comments] == [False]


def test_an_app_with_a_broken_key(host: GitHub) -> None:
    with pytest.raises(HostError, match="no private key as PEM"):
        Client(host.name, Login(host.url, app="1", key="-----BEGIN nothing"), clock=host.clock, pace=0)


def test_a_person_s_token(host: GitHub) -> None:
    mine = client(host, host.token_of(OCTOCAT)).of(1)
    mine.review(host.pull().head, [New("jobs.py", 10, "Look")])
    client(host).of(1).review(host.pull().head, [New("jobs.py", 30, "Look")])
    assert [one.mine for one in mine.said().comments] == [True, False]


def test_comments_tell_whether_somebody_answered_and_resolved(host: GitHub) -> None:
    ours = client(host).of(1)
    ours.review(host.pull().head, [New("jobs.py", 10, "One"), New("jobs.py", 30, "Two")])
    host.reply(host.comments[0], "No.")
    host.resolve(host.comments[1])
    assert [(one.line, one.replied, one.resolved) for one in ours.said().comments] == [(10, True, False), (30, False, True)]


def test_more_comments_than_a_page(host: GitHub) -> None:
    ours = client(host).of(1)
    for _ in range(3):
        ours.review(host.pull().head, [New("jobs.py", line, f"{line}") for line in (9, 10, 11, 29, 30, 31, 32) for _ in range(6)])
    assert len(ours.said().comments) == 126


def test_a_run_finds_its_pull_request(hosts: Callable[..., GitHub], repo: Repo) -> None:
    head = repo.branch({"jobs.py": "x\n"})
    host = hosts(repo)
    host.state.pulls.clear()
    for fork in ("mona/shop", "evil/shop"):
        host.open(head, fork=fork, head_ref="patch-1")
    assert client(host).find(Run("evil/shop", "patch-1", head)) == 2
    assert client(host).find(Run("evil/shop", "patch-1", "0" * 40)) == 0
    assert client(host).find(Run("nobody/shop", "patch-1", head)) == 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, ForbiddenError), (403, ForbiddenError), (404, MissingError), (410, HostError), (422, RefusedError), (500, LostError)],
)
def test_each_status_is_a_sentence(host: GitHub, status: int, kind: type[HostError]) -> None:
    host.fail(f"POST {PULL}/reviews", status)
    with pytest.raises(kind) as error:
        client(host).of(1).review(host.pull().head, [New("jobs.py", 10, "Look")])
    assert str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("status", [200, 502])
@pytest.mark.parametrize("call", [f"GET {PULL}", f"GET {PULL}/files", f"GET {PULL}/comments", "POST /graphql"])
def test_html_instead_of_json(host: GitHub, call: str, status: int) -> None:
    host.fail(call, status, html=True, times=9)
    ours = client(host).of(1)
    with pytest.raises(LostError):
        (ours.files if call.endswith("files") else ours.pull if call.endswith("1") else ours.said)()


def test_half_of_an_answer(host: GitHub) -> None:
    host.fail(f"GET {PULL}", 200, message="no pull request")
    with pytest.raises(LostError, match="not in its form"):
        client(host).of(1).pull()


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("urllib3.util.retry.time", Clock())
    with pytest.raises(LostError, match="cannot be reached"):
        Client("a/b", Login("http://127.0.0.1:9", "x"), pace=0).of(1).review("0" * 40, [New("a", 1, "x")])


def test_an_unknown_repository(host: GitHub) -> None:
    with pytest.raises(MissingError, match="octo-org/shoe"):
        client(host, repo="octo-org/shoe").of(1).pull()


def test_a_post_is_not_repeated_by_itself(host: GitHub) -> None:
    host.fail(f"POST {PULL}/reviews", 502)
    with pytest.raises(LostError):
        client(host).of(1).review(host.pull().head, [New("jobs.py", 10, "Look")])
    assert len(host.writes) == 1


def test_patience_ends(host: GitHub) -> None:
    host.slow_down(f"POST {PULL}/reviews", seconds=100, times=3)
    with pytest.raises(LimitedError):
        client(host).of(1).review(host.pull().head, [New("jobs.py", 10, "Look")])
    assert host.clock.slept == [100, 100]


def test_deleting_what_is_gone_is_no_mistake(host: GitHub) -> None:
    client(host).of(1).delete(4711)
    assert host.calls[-1].reply is not None
    assert host.calls[-1].reply.status == 404


def test_a_page_that_is_not_full_may_have_a_next_one(host: GitHub) -> None:
    ours = client(host).of(1)
    for _ in range(3):
        ours.review(host.pull().head, [New("jobs.py", line, f"{line}") for line in (9, 10, 11, 29, 30, 31, 32) for _ in range(6)])
    host.state.short = 30
    assert len(ours.said().comments) == 126


def test_a_query_that_had_a_fault_is_asked_again(host: GitHub) -> None:
    host.fail("POST /graphql", 502)
    host.fail("POST /graphql", 200, message="", errors=[{"message": "Something went wrong while executing your query. Please include .."}])
    assert client(host).of(1).said().comments == ()
    assert host.clock.slept == [2, 4]


def test_a_query_that_came_too_often_waits(host: GitHub) -> None:
    host.fail("POST /graphql", 200, errors=[{"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 1."}])
    assert client(host).of(1).said().comments == ()
    assert host.clock.slept == [60]


def test_all_waiting_of_a_run_has_one_measure(host: GitHub) -> None:
    ours = client(host).of(1)
    for call in (f"GET {PULL}", f"GET {PULL}/files", f"GET {PULL}/comments"):
        host.slow_down(call, seconds=100)
    assert ours.pull().number == 1
    assert len(ours.files()) == 1
    with pytest.raises(LimitedError):
        ours.said()
    assert host.clock.slept == [100, 100]
    host.excuse("too early")
