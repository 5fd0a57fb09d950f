"""`guardrails check --add-allow`: comments that allow what they stand above, and change nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from click.testing import Result as Run

from guardrails.cli.program import program

TASKS = (
    "from celery import Celery\n\napp = Celery()\n\n\n"
    "@app.task(\n    bind=True,\n)\ndef settle(self, pk, token):\n    if pk:\n        print('settling', token)\n    charge(pk)\n"
)
API = (
    'import express from "express";\nimport { Queue } from "bullmq";\nconst app = express();\nconst q = new Queue("pay");\n'
    'app.post("/webhook", async (req, res) => {\n  await q.add("pay", { order: req.body.id });\n  res.send("ok");\n});\n'
)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*args: str) -> Run:
    return CliRunner().invoke(program, ["check", "--no-cache", "--format", "json", *args])


def rules(said: Run) -> list[str]:
    return sorted(one["rule"] for one in json.loads(said.stdout)["findings"])


def test_each_finding_gets_a_comment_above_its_statement(project: Path) -> None:
    (project / "tasks.py").write_text(TASKS)
    before = rules(run("tasks.py"))
    assert {"untimed-job", "secret-in-log"} <= set(before)
    said = run("tasks.py", "--add-allow", "a demo that nobody runs")
    assert (rules(said), said.exit_code) == ([], 0)
    text = (project / "tasks.py").read_text()
    assert "# guardrails: allow untimed-job -- a demo that nobody runs\n@app.task(\n" in text
    assert "        # guardrails: allow secret-in-log -- a demo that nobody runs\n        print(" in text
    kept = "".join(line for line in text.splitlines(keepends=True) if "guardrails: allow" not in line)
    assert kept == TASKS
    assert rules(run("tasks.py")) == []


def test_only_what_was_asked_for_is_allowed(project: Path) -> None:
    (project / "tasks.py").write_text(TASKS)
    run("--select", "secret-in-log", "--add-allow", "a demo")
    assert "untimed-job" in rules(run())
    assert "secret-in-log" not in rules(run())


def test_line_ends_marks_and_encodings_are_kept(project: Path) -> None:
    data = b"\xef\xbb\xbf" + TASKS.replace("\n", "\r\n").encode()
    (project / "tasks.py").write_bytes(data)
    run("--add-allow", "über allem")
    after = (project / "tasks.py").read_bytes()
    assert after.startswith(b"\xef\xbb\xbffrom")
    assert b"-- \xc3\xbcber allem\r\n" in after
    assert b"".join(line for line in after.splitlines(keepends=True) if b"guardrails" not in line) == data


def test_a_statement_in_the_middle_of_a_line_is_left(project: Path) -> None:
    (project / "tasks.py").write_text(TASKS.replace("        print('settling', token)\n", "        pk += 1; print('settling', token)\n"))
    run("--select", "secret-in-log", "--add-allow", "a demo")
    assert "secret-in-log" in rules(run())
    assert "guardrails: allow" not in (project / "tasks.py").read_text()


def test_other_languages_get_their_own_marks(project: Path) -> None:
    (project / "api.ts").write_text(API)
    assert rules(run()) != []
    said = run("--add-allow", "the sender never repeats")
    assert rules(said) == []
    assert "  // guardrails: allow missing-idempotency-key -- the sender never repeats\n  await q.add(" in (project / "api.ts").read_text()


def test_a_read_only_file_is_left_and_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = project / "tasks.py"
    file.write_text(TASKS)
    file.chmod(0o444)
    said = run("--add-allow", "a demo")
    assert said.exit_code == 1
    assert "tasks.py was left as it is: it is read-only" in said.stderr
    assert file.read_text() == TASKS


@pytest.mark.parametrize("reason", ["", "  ", "two\nlines", "a\x1b[31m", "a\u202eb"])
def test_a_reason_that_says_nothing_or_hides_something_is_refused(project: Path, reason: str) -> None:
    (project / "tasks.py").write_text(TASKS)
    said = run("--add-allow", reason)
    assert (said.exit_code, said.stderr.count("\n")) == (2, 1)
    assert (project / "tasks.py").read_text() == TASKS


@pytest.mark.parametrize("more", [("--fix",), ("--staged",), ("--diff", "a..b"), ("--stdin-filename", "tasks.py")])
def test_files_on_disk_must_be_what_is_looked_at(project: Path, more: tuple[str, ...]) -> None:
    said = CliRunner().invoke(program, ["check", "--add-allow", "a demo", *more], input=TASKS)
    assert (said.exit_code, said.stderr.count("\n")) == (2, 1)


def test_no_comment_parts_a_continued_line(project: Path) -> None:
    head = "import requests\nfrom celery import Celery\n\napp = Celery()\n\n\n@app.task\ndef settle(url):\n"
    text = head + "    if url: \\\n    requests.get(url)\n"
    (project / "tasks.py").write_text(text)
    run("tasks.py", "--add-allow", "a demo")
    after = (project / "tasks.py").read_text()
    compile(after, "tasks.py", "exec")
    assert after.endswith("    if url: \\\n    requests.get(url)\n")
