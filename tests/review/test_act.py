"""A plan meets a host where things go wrong in the middle."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from story import BASE, Story, job

from guardrails.review import marker

JOBS = "shop/jobs.py"
OLD = str(BASE[JOBS])
PULL = "/repos/octo-org/shop/pulls/1"
Begin = Callable[..., Story]


@pytest.fixture
def story(begin: Begin) -> Story:
    """Two faults, told; both are mended by now."""
    made = begin({JOBS: OLD + job("pay", "refund")})
    made.run()
    made.push({JOBS: OLD})
    made.host.forget()
    return made


def test_nothing_is_asked_where_there_is_nothing_to_do(begin: Begin) -> None:
    made = begin({JOBS: OLD + "X = 1\n"})
    made.run()
    assert [one.path for one in made.host.calls].count(PULL) == 1
    assert made.host.writes == []


def test_an_edit_that_fails_does_not_stop_the_others(story: Story) -> None:
    story.host.fail("PATCH /repos/octo-org/shop/pulls/comments/...", 403)
    outcome = story.run()
    assert outcome.done.edited == 1
    assert len(outcome.notices) == 1
    assert "no unsafe worker code" in story.summary
    assert story.run().done.edited == 1


def test_a_comment_that_is_gone_meanwhile_is_no_fault(story: Story) -> None:
    story.host.fail("PATCH /repos/octo-org/shop/pulls/comments/...", 404)
    outcome = story.run()
    assert (outcome.done.edited, outcome.notices, outcome.unposted) == (1, (), "")


def test_a_summary_that_is_gone_meanwhile_is_written_anew(story: Story) -> None:
    (old,) = story.host.issue_comments
    story.host.when("PATCH /repos/octo-org/shop/issues/comments/...", lambda: story.host.pull().issue_comments.clear())
    story.run()
    (new,) = story.host.issue_comments
    assert new.id != old.id
    assert marker.is_summary(new.body)


def test_answers_that_are_lost_three_times_end_the_review(begin: Begin) -> None:
    made = begin({JOBS: OLD + job("pay")})
    made.host.fail(f"POST {PULL}/reviews", 502, times=3)
    outcome = made.run()
    assert "fault (502)" in outcome.unposted
    assert [one.rule for one in outcome.untold] == ["untimed-call"]
    assert made.summary == ""
    assert len(made.run().notices) == 0
    assert len(made.inline) == 1


def test_half_of_a_review_that_was_stored_singly_is_not_told_again(begin: Begin) -> None:
    """The review is refused, then the second of the single comments is stored and its answer lost."""
    made = begin({JOBS: OLD + job("pay", "refund", "mail")})
    made.host.fail(f"POST {PULL}/reviews", 422, message="Unprocessable Entity")
    made.host.fail(f"POST {PULL}/comments", 502, after_effect=True, skip=1)
    outcome = made.run()
    assert outcome.done.created == 3
    assert len(made.inline) == 3


def test_a_missing_right_is_found_at_the_first_write(begin: Begin) -> None:
    made = begin({JOBS: OLD + job("pay", "refund")}, rights={"contents": "read", "pull_requests": "read"})
    outcome = made.run()
    assert "pull-requests: write" in outcome.unposted
    assert len(made.host.writes) == 1


def test_comments_that_stand_are_told_where_the_summary_fails(begin: Begin) -> None:
    made = begin({JOBS: OLD + job("pay")})
    made.host.fail("POST /repos/octo-org/shop/issues/1/comments", 403)
    outcome = made.run()
    assert (outcome.done.created, outcome.unposted, len(made.inline)) == (1, "", 1)
    assert any("The summary could not be written" in notice for notice in outcome.notices)
    made.run()
    assert made.summary
    assert len(made.inline) == 1


REVIEW = f"POST {PULL}/reviews"


def test_comments_that_came_too_quickly_are_no_bad_places(begin: Begin) -> None:
    made = begin({JOBS: OLD + job("pay", "refund")})
    made.host.fail(REVIEW, 422, message="Unprocessable Entity", errors=["Review was submitted too quickly"])
    outcome = made.run()
    assert (outcome.done.created, len(made.inline)) == (2, 2)
    assert made.host.clock.slept == [60]


@pytest.mark.parametrize("errors", [["Body holds something"], "Something else", [{"code": "custom", "message": "no"}]])
def test_what_has_nothing_to_do_with_the_place_is_not_held_against_it(begin: Begin, errors: object) -> None:
    made = begin({JOBS: OLD + job("pay", "refund")})
    made.host.fail(REVIEW, 422, message="Validation Failed", errors=errors)
    assert "Validation Failed; " in made.run().unposted
    assert len(made.host.writes) == 1
    made.run()
    assert len(made.inline) == 2


def test_a_review_that_is_not_submitted_is_named(begin: Begin) -> None:
    made = begin({JOBS: OLD + job("pay", "refund")})
    for words in ("without event", "refused"):
        made.host.excuse(words)
    made.client().ask("POST", "pulls/1/reviews", given={"commit_id": made.host.pull().head})
    outcome = made.run()
    assert "a review of the pull request that is not submitted" in outcome.unposted
    assert (made.inline, made.summary) == ([], "")
    made.host.pull().reviews.clear()
    assert made.run().done.created == 2


def test_what_was_written_before_the_host_stopped_us_is_counted(begin: Begin) -> None:
    made = begin({JOBS: OLD + job("pay", "refund", "mail")})
    made.host.fail(REVIEW, 422, message="Unprocessable Entity")
    made.host.slow_down(f"POST {PULL}/comments", seconds=9_000).skip = 1
    outcome = made.run()
    assert (outcome.done.created, outcome.unposted, len(made.inline)) == (1, "", 1)
    assert [one for one in outcome.notices if one.startswith("Not all comments could be written: GitHub's rate limit")]
    assert len(outcome.untold) == 2
    made.host.clock.sleep(9_000)
    assert made.run().done.created == 2


def test_a_place_that_was_refused_is_tried_again_at_another_line(begin: Begin) -> None:
    made = begin({JOBS: OLD + job("pay")})
    bad = [{"code": "custom", "message": "pull_request_review_thread.line must be part of the diff"}]
    made.host.fail(REVIEW, 422, message="Unprocessable Entity", errors=["Line could not be resolved"])
    made.host.fail(f"POST {PULL}/comments", 422, message="Validation Failed", errors=bad, times=2)
    assert len(made.run().done.refused) == 1
    made.host.forget()
    made.push({JOBS: made.text() + "Y = 1\n"})
    made.run()
    assert made.inline == []
    made.push({JOBS: made.text().replace(OLD, OLD + "Z = 1\n")})
    made.run()
    assert len(made.inline) == 1


def test_a_second_summary_is_taken_away(begin: Begin) -> None:
    """Two runs at the same time make one each."""
    made = begin({JOBS: OLD + job("pay")})
    made.run()
    made.client().of(1).say(made.summary)
    assert len(made.host.issue_comments) == 2
    made.run()
    assert made.summary
    assert made.again().done.created == 0
    assert made.host.writes == []


def test_a_change_that_github_cannot_list_has_its_lines_from_git(begin: Begin) -> None:
    made = begin({JOBS: OLD + job("pay")})
    made.host.fail(f"GET {PULL}/files", 422, message="Sorry, this diff is taking too long to generate.", errors=[{"code": "not_available"}])
    outcome = made.run()
    assert (outcome.unposted, len(made.inline)) == ("", 1)
