"""The command line as a process of its own: exit status, signals, pipes, what start-up loads."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CLEAN = "def add(a: int, b: int) -> int:\n    return a + b\n"
HEAVY = {"libcst", "jinja2", "rich", "markdown_it", "pygments", "github", "dbos", "httpx", "jsonschema", "unidiff"}

# The linter is replaced by code that is run in its place, in the same process.
STUB = """
import sys
from guardrails import lint
from guardrails.result import Found, Result, Spot, Summary

def result(number):
    found = Found("rule", Spot("a.py", 1, 1, 1, 2), "It is wrong. " * 40, "", "error", "high", "f")
    return Result((found,) * number, (), (), (), Summary(files=1), {})

def stub(request):
"""
WAITING = "import threading\nprint('ready', file=sys.stderr, flush=True)\nthreading.Event().wait()"
RUN = "\nlint.lint = stub\nfrom guardrails.__main__ import main\nmain()\n"


# A shell that starts the tests in the background hands an ignored SIGINT on.
INTERRUPTIBLE = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"


def start(code: str, *arguments: str, cwd: Path, **more: int) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", INTERRUPTIBLE + code, *arguments]
    return subprocess.Popen(command, cwd=cwd, env=environ, stderr=subprocess.PIPE, **more)


def stubbed(body: str) -> str:
    return STUB + "".join(f"    {line}\n" for line in body.splitlines()) + RUN


def check(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "guardrails", "check", *arguments]
    return subprocess.run(command, cwd=cwd, env=environ, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize(("number", "status"), [(0, 0), (1, 1)])
def test_the_status_of_the_process_tells_of_findings(tmp_path: Path, number: int, status: int) -> None:
    process = start(stubbed(f"return result({number})"), "check", cwd=tmp_path, stdout=subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    assert process.returncode == status
    assert out.endswith(b"\n")
    assert err == b""


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    process = start(stubbed("return result(3000)"), "check", "--all", cwd=tmp_path, stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline().startswith(b"a.py:1:1")
    process.stdout.close()
    assert process.stderr
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        process = start(stubbed("return result(3)"), "check", cwd=tmp_path, stdout=full.fileno())
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (2, b"guardrails: the report cannot be written: No space left on device\n")


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interrupt_ends_with_130(tmp_path: Path) -> None:
    process = start(stubbed(WAITING), "check", cwd=tmp_path)
    assert process.stderr
    assert process.stderr.readline() == b"ready\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.decode().strip() == "guardrails: interrupted"


def test_an_internal_error_ends_with_3(tmp_path: Path) -> None:
    process = start(stubbed("raise ValueError('no')"), "check", cwd=tmp_path)
    environ_report = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 3
    assert environ_report.startswith("guardrails: internal error: ValueError: no\n")
    [path] = [Path(word.rstrip(";")) for word in environ_report.split() if "guardrails-error-" in word]
    path.unlink()


def test_one_file_is_checked_without_what_it_does_not_need(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(CLEAN)
    code = (
        "import sys\nsys.argv = ['guardrails', 'check', 'one.py']\nfrom guardrails.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        f"print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    process = start(code, cwd=tmp_path, stdout=subprocess.PIPE)
    out, err = process.communicate(timeout=60)
    assert err == b"[]\n"
    assert out.startswith(b"No unsafe worker code found.\n")


def test_one_real_file_is_clean(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text(CLEAN)
    ran = check("one.py", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "Looked at 1 file" in ran.stdout


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    ran = check(cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "guardrails: no Python, TypeScript, JavaScript or Rust file was found there.\n")


def test_a_missing_path_is_told(tmp_path: Path) -> None:
    ran = check("gone", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (2, "guardrails: gone: there is no such file or folder; check the spelling\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_no_traceback_for_the_help_nor_for_a_sentence(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-m", "guardrails"]
    with Path("/dev/full").open("wb") as full:
        helped = subprocess.run([*program, "--help"], cwd=tmp_path, env=environ, stdout=full, stderr=subprocess.PIPE, check=False)
        said = subprocess.run([*program, "check", "gone"], cwd=tmp_path, env=environ, stderr=full, check=False)
    assert (helped.returncode, helped.stderr) == (2, b"guardrails: this cannot be written: no space left on device\n")
    assert said.returncode == 2


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
def test_closed_standard_input_is_one_sentence(tmp_path: Path) -> None:
    command = ["/bin/sh", "-c", 'exec "$0" -m guardrails check --stdin-filename a.py <&-', sys.executable]
    ran = subprocess.run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    assert ran.stderr.startswith("guardrails: standard input is closed;")
