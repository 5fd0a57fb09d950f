"""Stories of pull requests: what stands there after each push. Every call is judged by GitHub's own description."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from story import BASE, ENDLESS, HEAD, Story, job

from guardrails.review import marker, reviewer
from guardrails.review.event import asked

JOBS = "shop/jobs.py"
OLD = str(BASE[JOBS])
PAY = {JOBS: OLD + job("pay")}
Begin = Callable[..., Story]


def test_first_push(begin: Begin) -> None:
    story = begin(PAY)
    outcome = story.run()
    (comment,) = story.inline
    line = story.text().splitlines().index("    requests.get('http://pay.example')") + 1
    assert (comment.path, story.host.line(comment)) == (JOBS, line)
    assert "```suggestion\n    requests.get('http://pay.example', timeout=" in comment.body
    assert "untimed-call" in story.summary
    assert outcome.fails
    assert story.verbs() == ["POST /pulls/1/reviews", "POST /issues/1/comments"]


def test_second_push_with_nothing_new_writes_nothing(begin: Begin) -> None:
    story = begin(PAY)
    story.run()
    story.push({"README.md": "# A better shop\n"})
    story.again()
    assert story.host.writes == []
    assert story.outcome is not None
    assert story.outcome.fails


def test_second_push_with_shifted_lines(begin: Begin) -> None:
    story = begin(PAY)
    story.run()
    story.push({JOBS: story.text().replace(HEAD, f"{HEAD}LIMIT = 60\nOTHER = 61\n")})
    story.again()
    assert story.verbs() == ["PATCH /issues/comments/1003"]  # the summary names lines
    assert len(story.inline) == 1


def test_second_fault_gets_a_comment_of_its_own(begin: Begin) -> None:
    story = begin(PAY)
    story.run()
    story.push({JOBS: story.text() + job("refund")})
    story.again()
    assert story.verbs() == ["POST /pulls/1/reviews", "PATCH /issues/comments/1003"]
    assert [marker.read(one.body)[0].scope for one in story.inline] == ["pay", "refund"]


def test_fixed_finding(begin: Begin) -> None:
    story = begin(PAY)
    story.run()
    head = story.push({JOBS: OLD + job("pay", good=True)})
    outcome = story.again()
    (comment,) = story.inline
    assert f"Fixed in {head[:7]}" in comment.body
    assert "no unsafe worker code" in story.summary
    assert not outcome.fails
    assert outcome.done.edited == 1


def test_fixed_finding_is_deleted_where_that_is_wished(begin: Begin) -> None:
    story = begin(PAY)
    story.wishes = reviewer.Wishes(limits=reviewer.Limits(closing="delete"))
    story.run()
    story.push({JOBS: OLD})
    assert story.again().done.deleted == 1
    assert story.inline == []


def test_fixed_finding_that_comes_back_is_told_anew_once(begin: Begin) -> None:
    story = begin(PAY)
    for text in (PAY[JOBS], OLD, PAY[JOBS], PAY[JOBS] + "\n"):
        story.push({JOBS: text})
        story.run()
    assert len(story.open) == 1


def test_replied_comment_is_kept(begin: Begin) -> None:
    story = begin(PAY)
    story.run()
    before = story.inline[0].body
    story.host.reply(story.inline[0], "It never takes long.")
    story.push({JOBS: OLD})
    story.again()
    assert story.inline[0].body == before
    assert not story.host.deleted


def test_resolved_thread_is_never_told_again(begin: Begin) -> None:
    story = begin(PAY)
    story.run()
    story.host.resolve(story.inline[0])
    for number in range(3):
        story.push({JOBS: PAY[JOBS].replace(HEAD, HEAD + "X = 1\n" * number)})
        outcome = story.run()
        assert len(story.inline) == 1
        assert outcome.untold == []
        assert outcome.fails


def test_threads_of_fixed_findings_are_resolved_where_the_token_may(begin: Begin) -> None:
    story = begin(PAY)
    story.host.state.resolvable = True
    story.wishes = reviewer.Wishes(limits=reviewer.Limits(resolve=True))
    story.run()
    story.push({JOBS: OLD})
    assert story.again().done.resolved == 1
    assert story.host.resolved(story.inline[0])


def test_refused_resolving_is_one_notice_and_breaks_nothing(begin: Begin) -> None:
    story = begin({JOBS: OLD + job("pay", "refund")})
    story.wishes = reviewer.Wishes(limits=reviewer.Limits(resolve=True))
    story.run()
    story.push({JOBS: OLD})
    outcome = story.again()
    assert len(outcome.notices) == 1
    assert "may not resolve" in outcome.notices[0]
    assert "no unsafe worker code" in story.summary


def test_force_push_and_back(begin: Begin) -> None:
    story = begin(PAY)
    story.run()
    first = story.host.pull().head
    story.host.push(story.repo.branch({JOBS: OLD + job("other") + job("pay")}, name="again"))
    story.run()
    assert len(story.inline) == 2
    story.host.push(first)
    story.run()
    story.again()
    assert story.host.writes == []
    assert [marker.read(one.body)[0].scope for one in story.open] == ["pay"]


def test_rename_of_a_file_moves_what_was_said(begin: Begin) -> None:
    story = begin(PAY)
    story.run()
    story.push({JOBS: None, "shop/tasks.py": story.text()})
    story.run()
    assert len(story.inline) == 1
    assert {one.spot.path for one in story.outcome.findings} == {"shop/tasks.py"}  # type: ignore[union-attr]


def test_line_outside_the_diff_is_told_in_the_summary_only(begin: Begin) -> None:
    """The limit that is taken away in one file is the fault of jobs in another."""
    app = "from celery import Celery\n\napp = Celery('shop')\napp.conf.task_serializer = 'json'\n{limit}"
    jobs = "from shop.app import app\n" + ENDLESS.format(name="pay")
    base = {"shop/__init__.py": "", "shop/app.py": app.format(limit="app.conf.task_time_limit = 60\n"), JOBS: jobs}
    story = begin({"shop/app.py": app.format(limit="")}, base)
    outcome = story.run()
    assert [one.spot.path for one in outcome.findings if one.rule == "untimed-job"] == [JOBS]
    assert all(one.path == "shop/app.py" for one in story.inline)
    assert "not on a line of this change" in story.summary
    assert [one.spot.path for one in outcome.untold if one.rule == "untimed-job"] == [JOBS]


def test_422_on_one_of_many(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub shows fewer lines than it said: the one that it refuses goes to the file, the others to their lines."""
    story = begin({JOBS: OLD + job("pay", "refund", "mail")})
    story.host.excuse("refused")
    pull = story.host.pull()
    bad = story.text().splitlines().index("    requests.get('http://refund.example')") + 1
    real = type(pull.changes[0]).at
    monkeypatch.setattr(type(pull.changes[0]), "at", lambda one, line, side: None if line == bad else real(one, line, side))
    outcome = story.run()
    assert outcome.done.created == 3
    assert sorted(one.subject for one in story.inline) == ["file", "line", "line"]
    monkeypatch.undo()
    story.again()
    assert story.host.writes == []


def test_422_everywhere_leaves_it_to_the_summary(begin: Begin) -> None:
    story = begin(PAY)
    for path in ("reviews", "comments", "comments"):
        story.host.fail(f"POST /repos/octo-org/shop/pulls/1/{path}", 422, message="Unprocessable Entity")
    outcome = story.run()
    assert (len(outcome.done.refused), story.inline) == (1, [])
    assert "GitHub took no comment here" in story.summary
    assert [one.rule for one in outcome.untold] == ["untimed-call"]
    story.again()
    assert story.host.writes == []


def test_502_after_a_stored_review(begin: Begin) -> None:
    story = begin({JOBS: OLD + job("pay", "refund")})
    story.host.fail("POST /repos/octo-org/shop/pulls/1/reviews", 502, after_effect=True)
    story.run()
    assert len(story.inline) == 2
    assert len([one for one in story.host.writes if one.path.endswith("/reviews")]) == 1
    assert story.summary


def test_502_before_anything_was_stored(begin: Begin) -> None:
    story = begin(PAY)
    story.host.fail("POST /repos/octo-org/shop/pulls/1/reviews", 502, times=2)
    story.run()
    assert len(story.inline) == 1


def test_502_after_a_stored_summary(begin: Begin) -> None:
    story = begin(PAY)
    story.host.fail("POST /repos/octo-org/shop/issues/1/comments", 502, after_effect=True)
    story.run()
    assert story.summary
    assert len(story.host.issue_comments) == 1


def test_dropped_connection_after_a_stored_review(begin: Begin) -> None:
    story = begin(PAY)
    story.host.fail("POST /repos/octo-org/shop/pulls/1/reviews", drop=True, after_effect=True)
    story.run()
    assert len(story.inline) == 1


@pytest.mark.parametrize("status", [403, 429])
def test_secondary_rate_limit_with_retry_after(begin: Begin, status: int) -> None:
    story = begin(PAY)
    story.host.slow_down("POST /repos/octo-org/shop/pulls/1/reviews", seconds=45, status=status)
    story.run()
    assert len(story.inline) == 1
    assert 45 in story.host.clock.slept


def test_secondary_rate_limit_without_retry_after_waits_a_minute(begin: Begin) -> None:
    story = begin(PAY)
    story.host.slow_down("POST /repos/octo-org/shop/pulls/1/reviews", seconds=None)
    story.run()
    assert len(story.inline) == 1
    assert story.host.clock.slept == [60]


def test_secondary_rate_limit_on_a_get(begin: Begin) -> None:
    story = begin(PAY)
    story.host.slow_down("GET /repos/octo-org/shop/pulls/1/files", seconds=30)
    story.run()
    assert len(story.inline) == 1
    assert sum(story.host.clock.slept) >= 30


def test_primary_rate_limit_that_ends_soon(begin: Begin) -> None:
    story = begin(PAY)
    story.host.exhaust(left=6, seconds=120)
    story.run()
    assert len(story.inline) == 1
    assert sum(story.host.clock.slept) >= 119


def test_rate_limit_that_ends_late_stops_and_says_so(begin: Begin) -> None:
    story = begin(PAY)
    story.host.exhaust()
    outcome = story.run()
    assert "rate limit" in outcome.unposted
    assert (story.inline, story.host.clock.slept) == ([], [])
    assert [one.rule for one in outcome.untold] == ["untimed-call"]


def test_endless_retry_after_stops_and_says_so(begin: Begin) -> None:
    story = begin(PAY)
    story.host.slow_down("GET /repos/octo-org/shop/pulls/1/files", seconds=20_000)
    outcome = story.run()
    assert "rate limit" in outcome.unposted
    assert story.host.clock.slept == []


def test_read_only_token(begin: Begin) -> None:
    story = begin(PAY, fork="mona/shop")
    story.host.read_only()
    outcome = story.run()
    assert "read-only token" in outcome.unposted
    assert [one.rule for one in outcome.untold] == ["untimed-call"]
    assert "untimed-call" in outcome.summary
    assert outcome.fails
    assert story.inline == []


def test_four_hundred_findings(begin: Begin) -> None:
    story = begin({f"shop/many{number}.py": HEAD + job(*(f"job{one}" for one in range(40))) for number in range(10)})
    outcome = story.run()
    assert len(outcome.findings) >= 400
    assert len(story.inline) == 30
    assert len(story.summary) <= 60_000
    assert len([one for one in story.host.writes if one.path.endswith("/reviews")]) == 1
    assert len(outcome.summary.encode()) < 2**20
    story.again()
    assert story.host.writes == []


def test_change_of_350_files(begin: Begin) -> None:
    story = begin({f"shop/part{number:03}.py": f"X = {number}\n" for number in range(349)} | PAY)
    story.run()
    assert len(story.inline) == 1
    assert len(story.host.calls) <= 12


def test_change_of_more_files_than_are_worth_asking_for(begin: Begin) -> None:
    story = begin({f"shop/part{number:03}.py": f"X = {number}\n" for number in range(420)} | PAY)
    story.run()
    assert len(story.inline) == 1
    assert not [one for one in story.host.calls if one.path.endswith("/files")]


def test_file_whose_patch_github_does_not_show(begin: Begin) -> None:
    """Its lines are known from git; GitHub takes no comment there, and the file gets one."""
    story = begin({"shop/big.py": HEAD + "X = 1\n" * 21_000 + job("pay")})
    story.host.excuse("refused")
    story.run()
    assert [one.subject for one in story.inline] == ["file"]
    story.again()
    assert story.host.writes == []


def test_deleted_file(begin: Begin) -> None:
    story = begin(PAY)
    story.run()
    story.push({JOBS: None})
    story.run()
    assert "Fixed" in story.inline[0].body
    story.again()
    assert story.host.writes == []


def test_binary_file_and_submodule(begin: Begin) -> None:
    story = begin({"logo.png": b"\x89PNG\0\1", **PAY})
    story.host.push(story.repo.submodule("vendored", "1" * 40))
    story.run()
    assert [one.path for one in story.inline] == [JOBS]


def test_head_that_moved_while_linting(begin: Begin) -> None:
    story = begin(PAY)
    story.host.when("GET /repos/octo-org/shop/pulls/1", lambda: story.push({JOBS: OLD}), skip=1)
    outcome = story.run()
    assert "moved" in outcome.unposted
    assert story.host.writes == []
    assert [one.rule for one in outcome.untold] == ["untimed-call"]


def test_head_that_moved_before_the_run(begin: Begin) -> None:
    story = begin(PAY)
    story.host.when("GET /repos/octo-org/shop/pulls/1", lambda: story.push({JOBS: OLD}))
    outcome = story.run()
    assert "late" in outcome.unposted
    assert story.host.writes == []
    assert outcome.fails


def test_head_that_moved_between_the_answer_and_the_refusal(begin: Begin) -> None:
    """A commit that is no more part of the change is refused as a bad line is; that is no reason to try each comment."""
    story = begin({JOBS: OLD + job("pay", "refund")})
    story.host.excuse("refused")
    gone = story.repo.branch({JOBS: OLD + "Y = 1\n"}, name="forced")
    story.host.when("POST /repos/octo-org/shop/pulls/1/reviews", lambda: story.host.push(gone))
    outcome = story.run()
    assert "moved" in outcome.unposted
    assert len(story.host.writes) == 1


def test_draft_waits(begin: Begin) -> None:
    story = begin(PAY, draft=True)
    outcome = story.run()
    assert "draft" in outcome.unposted
    assert story.host.writes == []
    assert outcome.fails
    story.run(drafts=True)
    assert len(story.inline) == 1


def test_closed_pull_request(begin: Begin) -> None:
    story = begin(PAY)
    story.host.pull().closed = True
    assert "closed" in story.run().idle
    assert story.host.writes == []


def test_empty_change(begin: Begin) -> None:
    story = begin({})
    outcome = story.run()
    assert (outcome.findings, story.host.writes) == ([], [])


def test_clean_change_says_nothing(begin: Begin) -> None:
    story = begin({JOBS: OLD + job("pay", good=True)})
    outcome = story.run()
    assert (outcome.findings, story.host.writes, outcome.fails) == ([], [], False)


def test_hostile_names_and_code(begin: Begin) -> None:
    evil = "shop/<img src=x onerror=1> @octocat `::error::`.py"
    text = (
        HEAD
        + "\n@app.task(name='@octocat <b>``` ##[error] https://evil.example')\ndef pay(order_id):\n    requests.get('http://`@octocat`')\n"
    )
    story = begin({evil: text, "shop/line\nfeed.py": text.replace("pay", "mail")})
    outcome = story.run()
    assert {one.path for one in story.inline} == {evil, "shop/line\nfeed.py"}
    for body in (*(one.body for one in story.inline), story.summary, outcome.summary):
        visible = "\n".join(line for line in body.splitlines() if not line.startswith("<!-- guardrails:"))
        assert "<img" not in visible.replace("`", "") or "`" in visible
        assert "\n::" not in visible
    story.again()
    assert story.host.writes == []


def test_comments_of_others_are_left_alone(begin: Begin) -> None:
    """Somebody copies our hidden lines into a comment of their own: it counts for nothing and is never touched."""
    story = begin(PAY)
    story.run()
    ours = story.inline[0]
    story.host.state.pulls[1].comments.remove(ours)
    story.host.state.pulls[1].threads.clear()
    story.host.say(story.summary)
    story.run()
    assert len(story.inline) == 1
    assert len([one for one in story.host.issue_comments if marker.is_summary(one.body)]) == 2


def test_configuration_comes_from_the_base(begin: Begin) -> None:
    base = {**BASE, "guardrails.yaml": "fail_on: info\n"}
    story = begin({**PAY, "guardrails.yaml": "ignore: [untimed-call]\n"}, base)
    outcome = story.run()
    assert "untimed-call" in {one.rule for one in outcome.findings}


def test_configuration_of_the_head_is_used_and_told_where_the_base_has_none(begin: Begin) -> None:
    base = {path: text for path, text in BASE.items() if path != "guardrails.yaml"}
    story = begin({**PAY, "guardrails.yaml": "ignore: [missing-idempotency-key]\nfail_on: never\n"}, base)
    outcome = story.run()
    assert not outcome.fails
    assert "The base has no configuration" in story.summary


def test_baseline_comes_from_the_base(begin: Begin) -> None:
    """A change cannot adopt its own faults."""
    story = begin(PAY)
    found = story.run().findings
    from guardrails.baseline import Baseline

    base = {**BASE, "guardrails-baseline.json": Baseline.of([]).text()}
    other = story.repo.commit(base, "Base", on="main")
    story.repo.git("branch", "-f", "main", other)
    head = story.repo.branch({**PAY, "guardrails-baseline.json": Baseline.of(found).text()}, name="sly")
    story.host.push(head, base="main")
    assert "untimed-call" in {one.rule for one in story.run().findings}


def test_allow_comments_of_the_change_are_listed(begin: Begin) -> None:
    allowed = "    # guardrails: allow untimed-call -- the {} answers\n    requests"
    old = OLD + job("was").replace("    requests", allowed.format("neighbour"))
    story = begin({JOBS: old + job("pay").replace("    requests", allowed.format("bank"))}, {**BASE, JOBS: old})
    outcome = story.run()
    assert [one.found.scope for one in outcome.looked.allowed] == ["pay"]
    assert "the bank answers" in story.summary
    assert "neighbour" not in story.summary


def test_first_weeks_never_fail(begin: Begin) -> None:
    story = begin(PAY)
    outcome = story.run(fail_on="never")
    assert (outcome.fails, len(story.inline)) == (False, 1)


def test_a_run_that_is_started_again_knows_the_base_that_the_change_has_now(begin: Begin) -> None:
    story = begin(PAY)
    first = asked(story.host.environ(story.folder)).pull
    assert first is not None
    story.push({"README.md": "# The shop\n"})
    story.host.pull().base = first.head  # another branch, which holds the fault already
    outcome = story.run(told=msgspec.structs.replace(first, head=story.host.pull().head))
    assert outcome.findings == []
    assert outcome.pull.base == first.head
