"""Several reports of one run: which, where to, and none of them half."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner
from click.testing import Result as Run

from guardrails import lint
from guardrails.cli import output, outputs
from guardrails.cli.outputs import Output, asked
from guardrails.cli.program import Mistake, program
from guardrails.report import FORMATS
from guardrails.result import Found, Result, Spot, Summary

FOUND = Found("untimed-job", Spot("tasks.py", 1, 1, 1, 4), "It may run for ever.", "Mend it.", "error", "high", "f" * 24)


@pytest.fixture
def requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[lint.Request]:
    """The linter is replaced: it finds one thing. The requests that it got are listed."""
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "tasks.py").write_text("def work():\n    pass\n")
    monkeypatch.chdir(tmp_path)
    got: list[lint.Request] = []

    def fake(request: lint.Request) -> Result:
        got.append(request)
        return Result((FOUND,), (), (), (), Summary(files=1), {"tasks.py": b"def work():\n    pass\n"})

    monkeypatch.setattr(lint, "lint", fake)
    return got


def run(*arguments: str) -> Run:
    return CliRunner().invoke(program, ["check", *arguments], catch_exceptions=False)


@pytest.mark.parametrize(
    ("form", "given", "wanted"),
    [
        (None, [], [("text", None)]),
        ("json", [], [("json", None)]),
        (None, ["a.txt"], [("text", "a.txt")]),
        ("sarif", ["a.sarif"], [("sarif", "a.sarif")]),
        ("sarif", ["-"], [("sarif", None)]),
        (None, ["html:r.html", "sarif:r.sarif"], [("html", "r.html"), ("sarif", "r.sarif")]),
        (None, ["text:-", "html:r.html"], [("text", None), ("html", "r.html")]),
        ("sarif", ["r.sarif", "html:r.html"], [("sarif", "r.sarif"), ("html", "r.html")]),
        ("json", ["html:r.html"], [("html", "r.html"), ("json", None)]),
        ("json", ["html:r.html", "text:-"], [("html", "r.html"), ("text", None)]),
        (None, ["C:\\r.txt"], [("text", "C:\\r.txt")]),
        (None, ["./html:r"], [("text", "./html:r")]),
        (None, ["html:C:\\r.html"], [("html", "C:\\r.html")]),
    ],
)
def test_what_is_asked_for(form: str | None, given: list[str], wanted: list[tuple[str, str | None]]) -> None:
    assert asked(form, given) == tuple(Output(one, Path(path) if path else None) for one, path in wanted)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["pdf:r.pdf"], "--output pdf:r.pdf: there is no format 'pdf'; use one of text, json, sarif"),
        (["html:"], "--output html:: it names no file; write html:FILE"),
        ([""], "it names no file"),
        (["html:a", "json:a"], "two reports go to a; give each a place of its own"),
        (["html:a", "json:./b/../a"], "two reports go to a;"),
        (["html:-", "-"], "two reports go to standard output;"),
    ],
)
def test_a_mistake_is_one_sentence_before_anything_is_done(requests: list[lint.Request], given: list[str], sentence: str) -> None:
    ran = run(*(word for one in given for word in ("--output", one)))
    assert ran.exit_code == 2
    assert sentence in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert requests == []


def test_two_names_of_one_file_are_one_place(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with pytest.raises(Mistake):
        asked(None, [f"html:{tmp_path}/file", f"json:{tmp_path}/link"])


def test_every_format_is_written_in_one_run(requests: list[lint.Request]) -> None:
    ran = run(*(word for form in FORMATS for word in ("--output", f"{form}:out.{form}")))
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert len(requests) == 1
    assert ran.stderr.startswith("guardrails: Found 1 error in 1 file. The reports are in out.text, out.json, ")
    for form in FORMATS:
        assert "untimed-job" in Path(f"out.{form}").read_text()
    assert [path.name for path in Path().iterdir() if path.name.startswith(".")] == []


def test_text_on_the_terminal_beside_a_file(requests: list[lint.Request]) -> None:
    ran = run("--output", "json:out.json", "--output", "text:-")
    assert "error untimed-job" in ran.stdout
    assert json.loads(Path("out.json").read_text())["findings"]


def test_only_html_asks_for_an_inventory(requests: list[lint.Request]) -> None:
    run("--output", "json:out.json")
    run("--output", "html:out.html")
    assert [request.survey for request in requests] == [False, True]


@pytest.mark.parametrize(
    "order", [("json:new.json", "html:missing/r.html"), ("html:missing/r.html", "json:new.json"), ("json:new.json", "html:.")]
)
def test_where_one_cannot_be_written_none_is(requests: list[lint.Request], order: tuple[str, ...]) -> None:
    Path("new.json").write_text("old")
    ran = run(*(word for one in order for word in ("--output", one)))
    assert ran.exit_code == 2
    assert "the report cannot be written: " in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert Path("new.json").read_text() == "old"
    assert sorted(path.name for path in Path().iterdir()) == ["new.json", "pyproject.toml", "tasks.py"]


def test_a_failure_between_two_files_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int, mode: str) -> object:
        os.close(handle)
        raise OSError(28, "No space left on device")

    (tmp_path / "a").write_text("old")
    monkeypatch.setattr(output.os, "fdopen", full)
    with pytest.raises(Mistake, match="no space left on device"):
        output.save_all([("new", tmp_path / "a"), ("new", tmp_path / "b")])
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a", "old")]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_a_device_takes_a_report(requests: list[lint.Request]) -> None:
    assert run("--output", "json:/dev/null", "--output", "html:r.html").exit_code == 1
    assert Path("r.html").exists()
    assert Path("/dev/null").is_char_device()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_where_a_device_is_full_no_file_is_written(requests: list[lint.Request]) -> None:
    assert run("--output", "html:r.html", "--output", "json:/dev/full").exit_code == 2
    assert not Path("r.html").exists()


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="pipes of POSIX")
def test_a_pipe_without_a_name_takes_a_report(requests: list[lint.Request]) -> None:
    reader, writer = os.pipe()
    assert run("--output", f"json:/dev/fd/{writer}").exit_code == 1
    os.close(writer)
    with os.fdopen(reader) as file:
        assert json.load(file)["findings"]


def test_where_the_files_are_is_one_sentence() -> None:
    assert outputs.written([Output("json")]) == ""
    assert outputs.written([Output("json"), Output("html", Path("a"))]) == "The report is in a."
    assert (
        outputs.written([Output("html", Path("a")), Output("json", Path("b")), Output("text", Path("c"))])
        == "The reports are in a, b and c."
    )


def test_a_baseline_reaches_every_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = tmp_path / "tasks.py"
    tasks.write_text("from celery import Celery\n\napp = Celery('shop')\n\n\n@app.task\ndef old() -> None:\n    pass\n")
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(program, ["baseline", "write"]).exit_code == 0
    tasks.write_text(tasks.read_text() + "\n\n@app.task\ndef new() -> None:\n    pass\n")
    ran = run("--output", "json:out.json", "--output", "sarif:out.sarif", "--output", "text:-")
    assert ran.exit_code == 1
    assert "1 known finding is not shown (the baseline); --no-baseline tells it, too." in ran.stdout
    document = json.loads(Path("out.json").read_text())
    assert (document["comparison"]["new"], document["comparison"]["known"]) == (1, 1)
    results = json.loads(Path("out.sarif").read_text())["runs"][0]["results"]
    assert [(one["baselineState"], len(one["suppressions"])) for one in results] == [("new", 0), ("unchanged", 1)]
    tasks.write_text("from celery import Celery\n\napp = Celery('shop')\n\n\n@app.task\ndef new() -> None:\n    pass\n")
    assert "1 entry of the baseline matches nothing any more: tasks.py: untimed-job" in " ".join(run().stdout.split())


def test_gitlab_paths_start_at_the_checkout(requests: list[lint.Request], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert json.loads(run("--format", "gitlab").stdout)[0]["location"]["path"] == "tasks.py"
    monkeypatch.setenv("CI_PROJECT_DIR", str(tmp_path.parent))
    assert json.loads(run("--format", "gitlab").stdout)[0]["location"]["path"] == f"{tmp_path.name}/tasks.py"
