"""`guardrails review` as a command: in a workflow, and anywhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from story import BASE, Story, job

ROOT = Path(__file__).resolve().parents[2]
JOBS = "shop/jobs.py"
PAY = {JOBS: str(BASE[JOBS]) + job("pay")}
Begin = Callable[..., Story]


def call(
    story: Story, *args: str, event: str = "pull_request", cwd: Path | None = None, **variables: str | None
) -> subprocess.CompletedProcess[str]:
    """Runs the command in a process of its own; a variable that is None is not set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "GITHUB_", "GH_", "CI"))}
    made = story.host.environ(story.folder, event) if event else {"GITHUB_API_URL": story.host.url}
    given = {"GITHUB_TOKEN": story.host.token, **variables}
    base = kept | made | {"PYTHONPATH": str(ROOT)} | {name: value for name, value in given.items() if value is not None}
    command = [sys.executable, "-m", "guardrails", "review", *args]
    return subprocess.run(command, cwd=cwd or story.repo.path, env=base, capture_output=True, text=True, check=False)


def test_anywhere(begin: Begin) -> None:
    story = begin(PAY)
    done = call(story, "--repo", "octo-org/shop", "--pr", "1", event="")
    assert done.returncode == 1, done.stderr
    assert len(story.inline) == 1
    assert "1 comment made" in done.stderr
    assert done.stdout == ""


def test_dry_run_prints_exactly_what_would_be_posted(begin: Begin) -> None:
    story = begin(PAY)
    done = call(story, "--dry-run")
    assert (done.returncode, story.host.writes) == (1, [])
    story.run()
    assert story.inline[0].body in done.stdout
    assert story.summary in done.stdout
    assert f"{JOBS}:{story.inline[0].line}" in done.stdout


def test_dry_run_of_hostile_code_is_no_command(begin: Begin) -> None:
    code = "import requests\nfrom celery import shared_task\n@shared_task(time_limit=9)\ndef f():\n"
    code += "    requests.get('''\n::error::x\n##[error]''')\n"
    story = begin({"shop/x.py": code, "shop/::error::##[x].py": code})
    done = call(story, "--dry-run")
    assert "untimed-call" in done.stdout
    assert not [line for line in done.stdout.splitlines() if line.lstrip().startswith("::") or "##[" in line]


def test_without_a_clone_the_commits_are_fetched(begin: Begin, tmp_path: Path) -> None:
    story = begin(PAY)
    bare = tmp_path / "server" / "octo-org" / "shop.git"
    story.repo.git("clone", "--quiet", "--bare", str(story.repo.path), str(bare))
    empty = tmp_path / "empty"
    empty.mkdir()
    server = f"file://{tmp_path}/server"
    done = call(story, "--repo", "octo-org/shop", "--pr", "1", "--clone", str(empty), event="", GITHUB_SERVER_URL=server)
    assert done.returncode == 1, done.stderr
    assert len(story.inline) == 1


def test_missing_commits_name_the_line_for_the_workflow(begin: Begin, tmp_path: Path) -> None:
    story = begin(PAY)
    shallow = tmp_path / "shallow"
    story.repo.git("clone", "--quiet", "--depth=1", story.repo.path.as_uri(), str(shallow))
    done = call(story, "--clone", str(shallow), GITHUB_SERVER_URL=f"file://{tmp_path}/nowhere")
    assert done.returncode == 2
    assert "fetch-depth: 0" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_no_token_in_a_workflow_annotates(begin: Begin) -> None:
    story = begin(PAY)
    done = call(story, GITHUB_TOKEN=None)
    assert done.returncode == 1
    assert "no token" in done.stderr
    assert "::notice file=shop/jobs.py" in done.stdout
    assert story.host.calls == []


def test_a_token_without_the_right_annotates(begin: Begin) -> None:
    story = begin(PAY, rights={"contents": "read", "pull_requests": "read"})
    done = call(story)
    assert done.returncode == 1
    assert "pull-requests: write" in done.stderr
    assert "::notice file=shop/jobs.py" in done.stdout


def test_an_app_without_its_key_annotates(begin: Begin) -> None:
    """Runs for forks and for Dependabot get no secrets."""
    story = begin(PAY)
    done = call(story, "--app-id", "5", GUARDRAILS_APP_KEY="")
    assert done.returncode == 1
    assert "GUARDRAILS_APP_KEY) is empty" in done.stderr
    assert "::notice file=shop/jobs.py" in done.stdout
    assert story.host.calls == []


def test_a_merge_queue_is_let_pass(begin: Begin) -> None:
    done = call(begin(PAY), GITHUB_EVENT_NAME="merge_group")
    assert (done.returncode, "nothing to review" in done.stderr) == (0, True)


def test_github_is_down(begin: Begin) -> None:
    story = begin(PAY)
    done = call(story, "--fail-on", "never", GITHUB_TOKEN="x", GITHUB_API_URL="http://127.0.0.1:9")
    assert done.returncode == 0
    assert "cannot be reached" in done.stderr
    assert "::notice file=shop/jobs.py" in done.stdout


@pytest.mark.parametrize(
    ("args", "event", "words"),
    [
        (("--repo", "octo-org/shoe", "--pr", "1"), "", "octo-org/shoe"),
        (("--repo", "octo-org/shop", "--pr", "99"), "", "no such pull request"),
        (("--repo", "octo-org/shop"), "", "belong together"),
        (("--repo", "shop", "--pr", "1"), "", "write OWNER/NAME"),
        (("--repo", "mona_acme/shop", "--pr", "1"), "", "mona_acme/shop"),
        ((), "", "no workflow run"),
        ((), "issue_comment", "'issue_comment' has no pull request"),
        (("--app-id", "5", "--repo", "acme/shop", "--pr", "1"), "", "GUARDRAILS_APP_KEY"),
    ],
)
def test_a_mistake_is_one_sentence(begin: Begin, args: tuple[str, ...], event: str, words: str) -> None:
    story = begin(PAY)
    more = {"GITHUB_EVENT_NAME": event} if event not in ("", "pull_request") else {}
    done = call(story, *args, event="pull_request" if event else "", **more)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert story.host.writes == []


def test_no_token_outside_of_a_workflow_is_a_mistake(begin: Begin) -> None:
    done = call(begin(PAY), "--repo", "octo-org/shop", "--pr", "1", event="", GITHUB_TOKEN=None)
    assert (done.returncode, "set GITHUB_TOKEN" in done.stderr) == (2, True)


def test_a_closed_pull_request_is_no_mistake(begin: Begin) -> None:
    story = begin(PAY)
    story.host.pull().closed = True
    done = call(story)
    assert (done.returncode, "is closed" in done.stderr) == (0, True)


def test_a_broken_configuration_of_the_base_is_said(begin: Begin) -> None:
    story = begin(PAY, {**BASE, "guardrails.yaml": "ignor: []\n"})
    done = call(story)
    assert done.returncode == 2
    assert "guardrails.yaml:1" in done.stderr


def test_an_app_comments(begin: Begin) -> None:
    story = begin(PAY)
    app = story.host.app()
    done = call(story, "--app-id", str(app.id), GUARDRAILS_APP_KEY=app.key)
    assert done.returncode == 1, done.stderr
    assert story.inline[0].user == app.actor


def test_nothing_that_is_started_holds_a_token(begin: Begin, tmp_path: Path) -> None:
    """git and the linting process are started through stand-ins that keep their environment and their arguments."""
    story = begin(PAY)
    tools = tmp_path / "tools"
    tools.mkdir()
    log = tmp_path / "log"
    real = subprocess.run(["which", "git"], capture_output=True, text=True, check=True).stdout.strip()
    (tools / "git").write_text(f'#!/bin/sh\nenv >> "{log}"; echo "$@" >> "{log}"\nexec {real} "$@"\n')
    (tools / "git").chmod(0o755)
    done = call(story, PATH=f"{tools}{os.pathsep}{os.environ['PATH']}", GH_TOKEN="ghs_second", GUARDRAILS_APP_KEY="ghs_third")
    assert done.returncode == 1, done.stderr
    seen = log.read_text()
    assert "cat-file" in seen
    assert not [word for word in (story.host.token, "ghs_second", "ghs_third") if word in seen]


def test_the_linting_process_has_few_variables(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    from guardrails.review import apart
    from guardrails.review.look import Task

    given: dict[str, object] = {}

    def ran(command: list[str], **more: object) -> subprocess.CompletedProcess[bytes]:
        given.update(more, command=command)
        return subprocess.CompletedProcess(command, 0, b'{"mistake": "enough"}')

    monkeypatch.setattr(apart.subprocess, "run", ran)
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_secret")
    monkeypatch.setenv("ACTIONS_RUNTIME_TOKEN", "secret")
    with pytest.raises(apart.LookError, match="enough"):
        apart.look_apart(Task("/", "a", "b"))
    assert set(given["env"]) <= set(apart.KEPT)  # type: ignore[call-overload]
    assert given["command"][1] == "-I"  # type: ignore[index]


def test_code_in_the_project_is_not_imported(begin: Begin, tmp_path: Path) -> None:
    bait = f"open({str(tmp_path / 'ran')!r}, 'w')\n"
    story = begin({**PAY, **dict.fromkeys(("yaml.py", "sitecustomize.py", "guardrails_plugin.py", "requests.py"), bait)})
    done = call(story, "--clone", str(story.repo.path), cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert not (tmp_path / "ran").exists()


def test_what_comes_back_from_the_linting_process_is_what_was_seen() -> None:
    from guardrails.review import apart
    from guardrails.review.look import Looked

    answer = apart._Answer(Looked(unread=("a\udc80.py",), former={"b": "c"}), "", "", "")
    assert apart._read(apart._written(answer).encode()) == answer


def test_a_broken_linting_process_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from guardrails.review import apart
    from guardrails.review.look import Task

    monkeypatch.setattr(apart, "_BOOT", "import sys; sys.exit('boom')")
    with pytest.raises(apart.BrokenError, match="status 1"):
        apart.look_apart(Task(str(tmp_path), "a", "b"))
