"""What users of other bots complain about, one by one; ours does something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from story import BASE, ENDLESS, HEAD, Story, job

from guardrails.cli import review as cli
from guardrails.review import marker
from guardrails.review.objects import is_checked_out

JOBS = "shop/jobs.py"
OLD = str(BASE[JOBS])
PAY = {JOBS: OLD + job("pay")}
Begin = Callable[..., Story]


def visible(body: str) -> str:
    """What people see of a body."""
    return "\n".join(line for line in body.splitlines() if not line.startswith("<!-- guardrails:"))


def test_01_the_same_comment_on_every_push(begin: Begin) -> None:
    story = begin(PAY)
    story.run()
    story.host.resolve(story.inline[0])
    texts = [PAY[JOBS].replace(HEAD, HEAD + "X = 1\n" * 40), PAY[JOBS] + "\nY = 1\n", PAY[JOBS].replace("order_id", "order")]
    for text in texts:
        story.push({JOBS: text})
        story.run()
    story.push({JOBS: None, "shop/renamed.py": story.text()})
    story.run()
    assert [marker.read(one.body)[0].scope for one in story.inline if one.body.count("untimed-call")] == ["pay"]


def test_02_fixed_findings_stay_open(begin: Begin) -> None:
    story = begin({JOBS: OLD + job("pay", "refund")})
    story.run()
    story.host.reply(story.inline[1], "Why?")
    story.push({JOBS: OLD})
    story.run()
    assert ["Fixed in" in one.body for one in story.inline] == [True, False]


def test_03_one_line_outside_the_diff_makes_github_reject_the_whole_review(begin: Begin) -> None:
    app = "from celery import Celery\n\napp = Celery('shop')\napp.conf.task_serializer = 'json'\n{limit}"
    base = {
        "shop/app.py": app.format(limit="app.conf.task_time_limit = 60\n"),
        JOBS: "from shop.app import app\n" + ENDLESS.format(name="pay"),
    }
    story = begin({"shop/app.py": app.format(limit=""), "shop/more.py": HEAD + job("mail")}, base)
    story.run()
    assert story.host.refused == []
    assert "shop/more.py" in {one.path for one in story.inline}
    assert "untimed-job" in story.summary


def test_04_fork_pull_requests_have_a_read_only_token(begin: Begin) -> None:
    story = begin({JOBS: OLD + job(*(f"job{number}" for number in range(12)))}, fork="mona/shop")
    story.host.read_only()
    outcome = story.run()
    assert len(outcome.untold) == len(outcome.findings) == 12
    assert outcome.summary.count("untimed-call") >= 12
    assert outcome.fails


def test_04_never_with_the_head_checked_out_on_pull_request_target(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    story = begin(PAY)
    variables = story.host.environ(story.folder) | {"GITHUB_EVENT_NAME": "pull_request_target", "GITHUB_TOKEN": story.host.token}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert is_checked_out(story.repo.path, story.host.pull().head)
    done = CliRunner().invoke(cli.command, [], standalone_mode=False)
    assert "use `pull_request`" in str(done.exception)
    assert story.host.calls == []


def test_05_too_much(begin: Begin) -> None:
    story = begin({JOBS: OLD + job(*(f"job{number}" for number in range(50)))})
    story.run()
    assert len(story.inline) == 30
    assert max(len(one.body) for one in (*story.inline, *story.host.issue_comments)) <= 60_000
    assert len(story.host.issue_comments) == 1
    story.push({JOBS: OLD})
    story.run()
    assert "✅" in story.summary


def test_06_large_pull_requests(begin: Begin) -> None:
    story = begin({f"part{number:03}.py": f"X = {number}\n" for number in range(420)} | PAY)
    story.run()
    assert len(story.inline) == 1
    assert len(story.host.calls) <= 12


def test_07_lines_off_by_some(begin: Begin) -> None:
    """main went on above the place: in the merge that a checkout brings, the line is another."""
    story = begin(PAY)
    merged = story.repo.commit({JOBS: "\n" * 30 + OLD}, on="main")
    story.host.push(story.host.pull().head, base=merged)
    story.run()
    head = story.repo.git("show", f"{story.host.pull().head}:{JOBS}").splitlines()
    assert head[(story.host.line(story.inline[0]) or 0) - 1] == "    requests.get('http://pay.example')"


def test_08_check_runs_land_in_the_wrong_suite(begin: Begin) -> None:
    story = begin(PAY)
    story.run()
    assert story.host.checks == []


def test_09_suggestions_replace_exactly_their_lines(begin: Begin) -> None:
    story = begin({JOBS: OLD + "\n@app.task(time_limit=60, ignore_result=True)\ndef pay(x):\n    requests.get('```', x)\n"})
    story.run()
    (comment,) = story.inline
    fence, _, rest = comment.body.partition("suggestion\n")[0].splitlines()[-1], "", comment.body.partition("suggestion\n")[2]
    assert fence == "````"
    lines = rest.partition(f"\n{fence}")[0].split("\n")
    start, end = comment.start_line or comment.line or 0, comment.line or 0
    text = story.text().splitlines()
    text[start - 1 : end] = lines
    story.push({JOBS: "\n".join(text) + "\n"})
    assert story.run().findings == []


def test_10_injection(begin: Begin) -> None:
    evil = "shop/@octocat ![x](http://evil.example) <img src=x>.py"
    code = HEAD + "\n@app.task(name='@octocat <b>x</b> ```')\ndef pay(x):\n    requests.get('::error::@octocat ```')\n"
    story = begin({evil: code})
    outcome = story.run()
    from markdown_it import MarkdownIt

    for body in (*(one.body for one in story.inline), story.summary, outcome.summary):
        text = [token for one in MarkdownIt("gfm-like", {"linkify": False}).parse(visible(body)) for token in one.children or [one]]
        assert not [one for one in text if one.type == "image" or "<img" in (one.content if one.type.startswith("html") else "")]
        assert not [one for one in text if one.type == "text" and "@octocat" in one.content]
        assert not [line for line in body.splitlines() if line.lstrip().startswith("::")]


def test_11_floods_on_the_first_day(begin: Begin) -> None:
    """An old code base with many faults, and no configuration yet."""
    old = HEAD + job(*(f"old{number}" for number in range(40)))
    story = begin({JOBS: old + job("pay"), "guardrails.yaml": "confidence: medium\n"}, {JOBS: old})
    outcome = story.run()
    assert [one.scope for one in outcome.findings] == ["pay"]
    assert "The base has no configuration" in story.summary


def test_12_the_gate_is_apart_from_the_comments(begin: Begin, tmp_path: Path) -> None:
    story = begin(PAY)
    for gate, fails in (("never", False), ("error", False), ("info", True)):
        outcome = story.run(fail_on=gate)
        assert (outcome.fails, len(story.inline)) == (fails, 1)


@pytest.mark.parametrize("call", ["GET /repos/octo-org/shop/pulls/1", "GET /repos/octo-org/shop/pulls/1/comments", "POST /graphql"])
def test_a_problem_with_the_api_never_turns_a_clean_change_red_without_saying_so(begin: Begin, call: str) -> None:
    story = begin({JOBS: OLD + "X = 1\n"})
    story.host.fail(call, 503, times=9)
    outcome = story.run()
    assert outcome.unposted
    assert not outcome.fails
