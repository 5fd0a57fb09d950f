"""`check --fix`: what is written, what is only shown, and what is left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from click.testing import Result as Run

from guardrails import lint
from guardrails.cli.program import program

TASKS = (
    "\ufeffimport requests\r\nfrom celery import Celery\r\n\r\napp = Celery('shop')  # ours\r\n\r\n\r\n@app.task\r\n"
    "def book(url):\r\n    requests.get(url)"
)
MENDED = TASKS.replace("get(url)", "get(url, timeout=30)")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one safe and one unsafe repair, as the current folder."""
    (tmp_path / "pyproject.toml").write_text("[tool.guardrails]\n")
    (tmp_path / "tasks.py").write_bytes(TASKS.encode())
    monkeypatch.chdir(tmp_path)
    return tmp_path / "tasks.py"


def run(*arguments: str) -> Run:
    return CliRunner().invoke(program, ["check", "--no-cache", *arguments])


def test_safe_repairs_are_written_and_the_rest_is_told(shop: Path) -> None:
    shop.chmod(0o754)
    done = run("--fix")
    assert done.exit_code == 1
    assert shop.read_bytes() == MENDED.encode()
    assert shop.stat().st_mode & 0o777 == 0o754
    assert "1 finding repaired in 1 file. 1 more can be with --unsafe" in done.stderr
    assert "untimed-job" in done.stdout
    assert "untimed-call" not in done.stdout
    assert list(shop.parent.glob(".tasks.py*")) == []


def test_unsafe_repairs_are_made_when_asked_for_and_only_once(shop: Path) -> None:
    assert run("--fix", "--unsafe").exit_code == 0
    assert shop.read_bytes() == MENDED.replace("@app.task\r", "@app.task(time_limit=300)\r").encode()
    again = run("--fix", "--unsafe")
    assert (again.exit_code, "no findings repaired." in again.stderr) == (0, True)


def test_a_dry_run_shows_the_difference_and_writes_nothing(shop: Path) -> None:
    done = run("--fix", "--dry-run")
    assert done.exit_code == 1
    assert shop.read_bytes() == TASKS.encode()
    assert "--- a/tasks.py\n+++ b/tasks.py\n" in done.stdout
    assert "-    requests.get(url)\n\\ No newline at end of file\n+    requests.get(url, timeout=30)\n" in done.stdout
    assert "1 finding would be repaired" in done.stderr


def test_the_difference_is_coloured_and_harmless_for_a_terminal(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write_text(
        "import requests\nfrom celery import Celery\n\napp = Celery('s')\n\n\n"
        "@app.task(time_limit=90)\ndef b(u):\n    requests.get(u)  # \x1b[31m\n"
    )
    monkeypatch.setenv("FORCE_COLOR", "1")
    shown = run("--fix", "--dry-run").stdout
    assert "+    requests.get(u, timeout=30)  # \\x1b[31m\x1b[0m" in shown


def test_a_report_for_machines_stays_one(shop: Path) -> None:
    done = run("--fix", "--format", "json")
    assert [one["rule"] for one in json.loads(done.stdout)["findings"]] == ["untimed-job"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--unsafe"], "--unsafe belongs to --fix; add --fix"),
        (["--dry-run"], "--dry-run belongs to --fix; add --fix"),
        (
            ["--fix", "--stdin-filename", "tasks.py", "-"],
            "--fix changes files on disk, and --stdin-filename reads none; name the file instead",
        ),
        (["--fix", "--staged"], "--fix changes files on disk, and this run looks at the index; leave one of them out"),
        (["--fix", "--diff", "a...b"], "--fix changes files on disk, and this run looks at commits; leave one of them out"),
    ],
)
def test_options_that_do_not_go_together_are_one_sentence(shop: Path, arguments: list[str], sentence: str) -> None:
    done = subprocess.run([sys.executable, "-m", "guardrails", "check", *arguments], capture_output=True, text=True, input="", check=False)
    assert (done.returncode, done.stderr) == (2, f"guardrails: {sentence}\n")


def test_a_read_only_file_is_left_as_it_is(shop: Path) -> None:
    shop.chmod(0o444)
    done = run("--fix")
    assert shop.read_bytes() == TASKS.encode()
    assert "tasks.py was left as it is: it is read-only." in done.stderr
    assert "untimed-call" in done.stdout


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_file_in_a_read_only_folder_is_left_as_it_is(shop: Path) -> None:
    shop.parent.chmod(0o555)
    try:
        done = run("--fix")
    finally:
        shop.parent.chmod(0o755)
    assert shop.read_bytes() == TASKS.encode()
    assert "its folder is read-only" in done.stderr


@pytest.mark.parametrize("looks", [1, 2])
def test_a_file_that_somebody_changed_meanwhile_is_left_to_them(shop: Path, monkeypatch: pytest.MonkeyPatch, looks: int) -> None:
    theirs, real, count = TASKS.encode() + b"\r\n# theirs\r\n", lint.lint, 0

    def changing(request: Any) -> Any:
        nonlocal count
        result = real(request)
        count += 1
        if count == looks:
            shop.write_bytes(theirs)
        return result

    monkeypatch.setattr(lint, "lint", changing)
    done = run("--fix")
    assert shop.read_bytes() == theirs
    assert "tasks.py was left as it is: it was changed while it was looked at; run again." in done.stderr
    assert "untimed-call" in done.stdout


def test_a_full_disk_leaves_the_file_whole(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    done = run("--fix")
    assert shop.read_bytes() == TASKS.encode()
    assert "it cannot be written (no space left on device)" in done.stderr
    assert sorted(one.name for one in shop.parent.iterdir()) == ["pyproject.toml", "tasks.py"]


def test_links_are_not_followed(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "real.py"
    outside.write_bytes(TASKS.encode())
    shop.unlink()
    shop.symlink_to(outside)
    (shop.parent / "folder").symlink_to(outside.parent)
    run("--fix", "--unsafe")
    for named in ("tasks.py", "folder/real.py", str(shop)):
        for writes in (("--fix",), ("--add-allow", "none")):
            done = run(*writes, named)
            assert (done.exit_code, "through a link" in done.stderr) == (2, True)
    assert outside.read_bytes() == TASKS.encode()
    assert shop.is_symlink()


def test_a_run_without_repairs_imports_no_libcst(shop: Path) -> None:
    run_it = "program.main(['check', 'tasks.py'], standalone_mode=False)"
    code = f"import sys; from guardrails.cli.program import program; {run_it}; print('libcst' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[-1] == "False"


def files(folder: Path) -> Mapping[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.is_file()}


def test_a_file_that_cannot_be_parsed_keeps_every_byte(shop: Path) -> None:
    shop.write_bytes(TASKS.encode() + b"\r\n\r\ndef broken(:\r\n")
    before = files(shop.parent)
    run("--fix", "--unsafe")
    assert files(shop.parent) == before
