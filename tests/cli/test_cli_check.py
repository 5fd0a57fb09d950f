"""`guardrails check`: options, errors, exit status. The linter itself is replaced where a test is not about it."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from click.testing import Result as Run

from guardrails import __main__ as entry
from guardrails import lint, rulebook
from guardrails.cli import progress
from guardrails.cli.program import program
from guardrails.result import Found, Remark, Result, Spot, Summary
from guardrails.rulebook import Rule

Stub = Callable[..., list[lint.Request]]


def _rule(name: str) -> Rule:
    page = f"""---
severity: error
confidence: high
guardrail: timeout
instruct: Do it.
---
# About {name}
## Why
It hurts. Much.
## Bad
```python celery file=shop/tasks.py
call()
```
## Good
## Fix
Mend it.
## Cannot tell
## Sources
"""
    return rulebook._head(name, page)


@pytest.fixture(autouse=True)
def rules(monkeypatch: pytest.MonkeyPatch) -> dict[str, Rule]:
    made = {name: _rule(name) for name in ("secret-in-log", "untimed-job")}
    monkeypatch.setattr(rulebook, "load", lambda folder=None: made)
    return made


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "tasks.py").write_text("def work():\n    pass\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch, project: Path) -> Stub:
    """Replaces the linter: it returns a result with these findings; the requests that it got are returned."""

    def install(*findings: Found, **more: Any) -> list[lint.Request]:
        requests: list[lint.Request] = []

        def fake(request: lint.Request) -> Result:
            requests.append(request)
            values = {"unknown": (), "unreadable": (), "allowed": (), "summary": Summary(files=1), "sources": {}, **more}
            return Result(findings=findings, **values)

        monkeypatch.setattr(lint, "lint", fake)
        return requests

    return install


def found(severity: str = "error") -> Found:
    return Found("untimed-job", Spot("tasks.py", 1, 5, 1, 9), "It never ends.", "End it.", severity, "high", "f")  # type: ignore[arg-type]


def run(*arguments: str, stdin: bytes | None = None) -> Run:
    return CliRunner().invoke(program, ["check", *arguments], input=stdin)


@pytest.mark.parametrize(
    ("severity", "gate", "status"),
    [
        ("error", [], 1),
        ("warning", [], 0),
        ("warning", ["--fail-on", "warning"], 1),
        ("info", ["--fail-on", "warning"], 0),
        ("info", ["--fail-on", "info"], 1),
        ("error", ["--fail-on", "never"], 0),
    ],
)
def test_the_gate_decides_on_the_exit_status(stub: Stub, severity: str, gate: list[str], status: int) -> None:
    stub(found(severity))
    assert run(*gate).exit_code == status


def test_the_gate_of_the_configuration_holds_unless_the_command_line_says_otherwise(stub: Stub, project: Path) -> None:
    stub(found("warning"))
    (project / "pyproject.toml").write_text('[tool.guardrails]\nfail_on = "warning"\n')
    assert run().exit_code == 1
    assert run("--fail-on", "error").exit_code == 0


def path_shown(form: str, folder: Path, monkeypatch: pytest.MonkeyPatch, stub: Stub, project: Path) -> str:
    """The path that a format gives to a finding in `tasks.py`, for a run that is started in a folder."""
    stub(found())
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    printed = run(str(project), "--format", form).stdout
    if form == "json":
        return str(json.loads(printed)["findings"][0]["path"])
    return printed.partition("file=")[2].partition(",")[0] if form == "github" else printed.partition(":1:5")[0]


@pytest.mark.parametrize("form", ["text", "github"])
def test_paths_can_be_followed_from_the_current_folder(form: str, stub: Stub, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    assert path_shown(form, project, monkeypatch, stub, project) == "tasks.py"
    assert path_shown(form, project.parent, monkeypatch, stub, project) == f"{project.name}/tasks.py"
    assert path_shown(form, project / "inner", monkeypatch, stub, project) == "../tasks.py"


def test_annotations_have_paths_from_the_workspace(stub: Stub, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(project.parent))
    assert path_shown("github", project / "inner", monkeypatch, stub, project) == f"{project.name}/tasks.py"


def test_json_has_paths_from_the_root_wherever_it_is_started(stub: Stub, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert path_shown("json", project.parent, monkeypatch, stub, project) == "tasks.py"


def test_a_clean_run_exits_with_0_and_says_what_was_looked_at(stub: Stub) -> None:
    stub()
    ran = run()
    assert ran.exit_code == 0
    assert ran.stdout.startswith("No unsafe worker code found.\nLooked at 1 file")


def test_options_reach_the_request(stub: Stub, project: Path) -> None:
    requests = stub()
    assert run("tasks.py", "--strict", "--tests", "--pedantic", "--severity", "warning", "--confidence", "low", "--no-cache").exit_code == 0
    [request] = requests
    assert request.paths == (project / "tasks.py",)
    assert (request.strict, request.at_least, request.cached) == (True, "warning", False)
    assert (request.config.tests, request.config.pedantic, request.config.confidence) == ("report", True, "low")


def test_rules_are_selected_by_repeated_options_and_comma_lists(stub: Stub, project: Path) -> None:
    requests = stub()
    (project / "pyproject.toml").write_text('[tool.guardrails]\nignore = ["untimed-job"]\n')
    run("--select", "secret-in-log, untimed-job", "--select", "untimed-job")
    run("--ignore", "secret-in-log")
    assert [(one.config.select, one.config.ignore) for one in requests] == [
        (("secret-in-log", "untimed-job"), ()),
        ((), ("untimed-job", "secret-in-log")),
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--select", "untimed-jobs"], "there is no rule 'untimed-jobs'; did you mean untimed-job?"),
        (["--ignore", "secret_in_log"], "there is no rule 'secret_in_log'; did you mean secret-in-log?"),
        (["--select", "untimed-job", "--ignore", "untimed-job"], "every rule of --select is also ignored; nothing is left to run"),
        (["gone.py"], "gone.py: there is no such file or folder; check the spelling"),
        (["-"], "to check standard input, say what file it is: --stdin-filename NAME"),
        (["--stdin-filename", "a.py", "b.py"], "--stdin-filename checks standard input only; name no other path than -"),
        (["--sellect", "untimed-job"], "No such option '--sellect'."),
        (["--format", "xml"], "Invalid value for '--format': 'xml' is not one of"),
    ],
)
def test_a_mistake_is_one_sentence(stub: Stub, arguments: list[str], sentence: str) -> None:
    stub()
    ran = run(*arguments)
    assert ran.exit_code == 2
    assert ran.stderr.startswith(f"guardrails: {sentence}")
    assert ran.stderr.count("\n") == 1
    assert ran.stdout == ""


def test_a_mistake_in_the_configuration_is_one_sentence(stub: Stub, project: Path) -> None:
    stub()
    (project / "pyproject.toml").write_text('[tool.guardrails]\nfail_on = "warnings"\n')
    ran = run()
    assert ran.exit_code == 2
    assert ran.stderr == "guardrails: pyproject.toml:2: fail_on is 'warnings'; use one of error, warning, info, never\n"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_entered_is_one_sentence(stub: Stub, project: Path) -> None:
    stub()
    (project / "closed").mkdir(mode=0o000)
    ran = run("closed/tasks.py")
    assert (ran.exit_code, ran.stderr) == (2, "guardrails: closed/tasks.py: permission denied\n")


def test_a_name_that_is_too_long_is_one_sentence(stub: Stub) -> None:
    stub()
    ran = run("x" * 5000)
    assert ran.exit_code == 2
    assert ran.stderr.endswith(": file name too long\n")


def test_files_that_could_not_be_read_exit_with_2(stub: Stub) -> None:
    spot = Spot("tasks.py", 1, 1, 1, 1)
    stub(unreadable=(Remark(spot, "tasks.py could not be opened (permission denied)"),), summary=Summary(files=0))
    ran = run("tasks.py")
    assert ran.exit_code == 2
    assert ran.stderr == "guardrails: none of the files could be read.\n"
    assert "Could not be read whole:\n  tasks.py:1:1 tasks.py could not be opened (permission denied)\n" in ran.stdout


def test_no_file_of_a_known_language_is_said_and_exits_with_0(stub: Stub) -> None:
    stub(summary=Summary(files=0))
    ran = run("--format", "json")
    assert ran.exit_code == 0
    assert ran.stderr == "guardrails: no Python, TypeScript, JavaScript or Rust file was found there.\n"
    assert json.loads(ran.stdout)["findings"] == []


def test_named_test_files_that_were_passed_over_are_told(stub: Stub) -> None:
    stub(summary=Summary(files=0, passed_over={"test": 2}))
    assert run().stderr == "guardrails: Passed over 2 files: 2 in tests (--tests looks there, too).\n"


@pytest.mark.parametrize("arguments", [["-", "--stdin-filename", "new/tasks.py"], ["--stdin-filename", "new/tasks.py"]])
def test_standard_input_stands_in_for_a_file(stub: Stub, project: Path, arguments: list[str]) -> None:
    requests = stub()
    run(*arguments, stdin=b"x = 1\xff\n")
    [request] = requests
    assert request.root == project
    assert request.paths == (project / "new/tasks.py",)
    assert request.contents == {"new/tasks.py": b"x = 1\xff\n"}


def test_a_report_is_written_to_a_file(stub: Stub, project: Path) -> None:
    stub(found())
    ran = run("--format", "json", "--output", "out.json")
    assert ran.exit_code == 1
    assert ran.stdout == ""
    assert ran.stderr == "guardrails: Found 1 error in 1 file. The report is in out.json.\n"
    assert json.loads((project / "out.json").read_text())["findings"][0]["rule"] == "untimed-job"
    assert [path.name for path in project.iterdir() if path.name.startswith(".")] == []


def test_a_report_replaces_a_file_and_keeps_its_mode(stub: Stub, project: Path) -> None:
    stub()
    target = project / "out.txt"
    target.write_text("x" * 100_000)
    target.chmod(0o640)
    (project / "link.txt").symlink_to(target)
    run("--output", "link.txt")
    assert target.read_text().startswith("No unsafe worker code found.")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert (project / "link.txt").is_symlink()


@pytest.mark.parametrize("target", ["missing/out.json", "."])
def test_a_report_that_cannot_be_written_is_one_sentence(stub: Stub, target: str) -> None:
    stub()
    ran = run("--output", target)
    assert ran.exit_code == 2
    assert ran.stderr.startswith(f"guardrails: {target}: the report cannot be written: ")
    assert ran.stderr.count("\n") == 1


def test_an_internal_error_is_told_in_short_and_kept_in_a_file(project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def fail(request: lint.Request) -> Result:
        try:
            raise KeyError("x\x1b[31m")
        except KeyError as error:
            raise lint.InternalError("untimed-job", "tasks.py", error) from error

    monkeypatch.setattr(lint, "lint", fail)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ran = run()
    assert ran.exit_code == 3
    assert "Traceback" not in ran.output
    assert "\x1b" not in ran.output
    assert "internal error: the check of untimed-job failed on tasks.py: KeyError" in ran.stderr
    assert "--ignore untimed-job" in ran.stderr
    [kept] = tmp_path.glob("guardrails-error-*.txt")
    assert str(kept) in ran.stderr
    text = kept.read_text()
    assert all(word in text for word in ("guardrails 0.", "Python 3.", "Platform ", "Rule untimed-job", "Traceback", "KeyError"))


def test_an_interrupted_run_exits_with_130(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(request: lint.Request) -> Result:
        raise KeyboardInterrupt

    monkeypatch.setattr(lint, "lint", interrupted)
    ran = run()
    assert ran.exit_code == 130
    assert ran.stderr.strip() == "guardrails: interrupted"


def test_colours_are_for_terminals_unless_forced(stub: Stub) -> None:
    stub(found())
    assert "\x1b" not in run().stdout
    assert "\x1b[1m" in CliRunner().invoke(program, ["check"], env={"FORCE_COLOR": "1"}, color=True).stdout


def test_hints_repeat_the_paths(stub: Stub) -> None:
    stub(*[found()] * 25)
    assert "guardrails check tasks.py --select untimed-job --all" in run("tasks.py").stdout


def test_progress_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    with progress.Progress() as shown:
        shown("reading")
    assert capsys.readouterr().err == ""


def test_progress_is_shown_and_taken_away(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "is_watched", lambda: True)
    shown = progress.Progress()
    shown("reading 4 files")
    shown._write(f"guardrails: {shown.words} ...")
    shown._write("")
    line = "guardrails: reading 4 files ..."
    assert capsys.readouterr().err == f"\r{line}\r{' ' * len(line)}\r"


def test_rules_are_listed() -> None:
    ran = CliRunner().invoke(program, ["rules"])
    assert ran.stdout.splitlines() == [
        "RULE           SEVERITY  CONFIDENCE  GUARDRAIL  LANGUAGES  FINDS",
        "secret-in-log  error     high        timeout    py ts rs   About secret-in-log",
        "untimed-job    error     high        timeout    py ts rs   About untimed-job",
    ]


def test_rules_are_listed_as_json() -> None:
    document = json.loads(CliRunner().invoke(program, ["rules", "--format", "json"]).stdout)
    assert document["version"] == 1
    assert document["rules"][1] == {
        "name": "untimed-job",
        "title": "About untimed-job",
        "severity": "error",
        "confidence": "high",
        "guardrail": "timeout",
        "persona": "regular",
        "languages": ["python", "typescript", "rust"],
        "instruct": "Do it.",
    }


def test_a_rule_is_explained() -> None:
    ran = CliRunner().invoke(program, ["explain", "untimed-job"])
    assert ran.exit_code == 0
    facts = "`untimed-job`: error, high confidence, guardrail timeout, python, typescript, rust."
    assert ran.stdout.startswith(f"# About untimed-job\n\n{facts}\n\n## Why\n")


def test_a_rule_is_explained_in_colour() -> None:
    ran = CliRunner().invoke(program, ["explain", "untimed-job"], env={"FORCE_COLOR": "1"}, color=True)
    assert "\x1b[" in ran.stdout
    assert "shop/tasks.py" in ran.stdout


def test_explain_without_a_rule_lists_them() -> None:
    ran = CliRunner().invoke(program, ["explain"])
    assert ran.stdout.startswith("timeout\n  secret-in-log  About secret-in-log\n  untimed-job    About untimed-job\n")


def test_explain_knows_what_was_meant() -> None:
    ran = CliRunner().invoke(program, ["explain", "untimed-jbo"])
    assert (ran.exit_code, ran.stderr) == (2, "guardrails: there is no rule 'untimed-jbo'; did you mean untimed-job?\n")


def test_an_unknown_command_is_one_sentence() -> None:
    ran = CliRunner().invoke(program, ["chekc"])
    assert ran.exit_code == 2
    assert ran.stderr == "guardrails: No such command 'chekc'. program --help lists what there is.\n"


def test_without_a_command_the_help_is_shown() -> None:
    ran = CliRunner().invoke(program, [])
    assert ran.exit_code == 2
    assert "guardrails check src worker.py" in ran.output


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(program, ["--version"]).stdout.startswith("guardrails 0.")


@pytest.mark.parametrize("name", ["guard.py", "validator_base.py", "hub"])
def test_foreign_files_in_the_package_end_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / name).mkdir()
    monkeypatch.setattr(entry, "__file__", str(tmp_path / "__main__.py"))
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("guardrails: the package guardrails-ai is installed over worker-guardrails")
    assert told.count("\n") == 1


def test_our_own_package_holds_nothing_foreign() -> None:
    assert entry.foreign(Path(sys.modules["guardrails"].__file__ or "").parent) == ""


@pytest.mark.parametrize("name", ["", ".", "/"])
def test_standard_input_needs_the_name_of_a_file(stub: Stub, name: str) -> None:
    stub()
    ran = run("--stdin-filename", name, stdin=b"")
    assert ran.exit_code == 2
    assert "it is no name of a file" in ran.stderr


@pytest.mark.skipif(os.name == "nt", reason="names of POSIX")
def test_a_loop_of_links_is_no_place_for_a_report(stub: Stub, project: Path) -> None:
    stub()
    (project / "o").symlink_to("o")
    ran = run("--output", "o")
    assert ran.exit_code == 2
    assert ran.stderr.startswith("guardrails: o: the report cannot be written: ")
