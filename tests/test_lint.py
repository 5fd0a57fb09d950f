from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails import files, lint, rulebook
from guardrails.cache import NoCache
from guardrails.config import Config, Override
from guardrails.facts import Absent, Job, Scope
from guardrails.finding import Finding, Related, Unsure
from guardrails.lint import InternalError, Known, Request, RequestError
from guardrails.outline import Outline
from guardrails.place import Place
from guardrails.read import LANGUAGES, read
from guardrails.registry import Check
from guardrails.result import Result, Spot

TODAY = date(2026, 5, 1)


def rule(name: str, **more) -> rulebook.Rule:
    base = rulebook.Rule(name, name, "error", "high", "timeout", "x", "regular", ("python",), {}, "", 1)
    return msgspec.structs.replace(base, **more)


RULES = {
    one.name: one
    for one in (
        rule("untimed-job"), rule("dangling-task", severity="warning", confidence="low"), rule("shared-queue", persona="pedantic"),
        rule("unreadable-file", severity="warning"), rule("unjustified-allow"), rule("unused-allow"), rule("unknown-rule-in-allow"),
    )
}  # fmt: skip


class Fake:
    """A project in which every function whose name starts with `job` is a job."""

    ended: tuple[Unsure, ...] = ()

    def __init__(self, tree: files.Tree) -> None:
        self.sources: dict[str, bytes] = {path: tree.load(path) for path in tree.paths}
        self.outlines: Mapping[str, Outline] = {path: read(path, source) for path, source in self.sources.items() if b"job" in source}
        named = [(path, index, f.name) for path, one in self.outlines.items() for index, f in enumerate(one.functions)]
        self.facts = [self._job(path, index) for path, index, name in named if name.startswith("job")]

    def _job(self, path: str, index: int) -> Job:
        function = self.outlines[path].functions[index]
        place, scope = Place(path, function.name_start, function.name_end), Scope(path, index, function.qualname)
        return Job(
            place=place, scope=scope, framework="fake", language="python", name=function.name, symbol=function.name, timeout=Absent(None)
        )


def untimed(job: Job) -> Iterator[Finding]:
    related = (Related(Place(job.place.path, 0, 1), "the file"),)
    yield Finding("untimed-job", job.place, f"{job.name} may run for ever", "limit it", job.scope.name, cause="app", related=related)


def dangling(job: Job) -> Iterator[Finding]:
    yield Finding("dangling-task", job.place, "dangling", "keep it", job.scope.name)


def unsure(job: Job) -> Iterator[Unsure]:
    yield Unsure("shared-queue", job.place, "options come from elsewhere")


CHECKS = {
    name: Check(name, run, (Job,), False)
    for name, run in {"untimed-job": untimed, "dangling-task": dangling, "shared-queue": unsure}.items()
}


def run(sources: Mapping[str, str | bytes] | str, config: Config | None = None, checks=CHECKS, scope=None, **more) -> Result:
    texts = {"a.py": sources} if isinstance(sources, str) else sources
    tree = files.memory(texts, LANGUAGES, scope)
    request = Request(tree.root, config or Config(), TODAY, **more)
    return lint.judge(tree, Fake(tree), Known(frozenset({"celery"}), ("celery",)), request, NoCache(), rules=RULES, find=checks.get)


def told(result: Result) -> list[tuple[str, str, int]]:
    return [(one.rule, one.spot.path, one.spot.line) for one in result.findings]


JOB = "def job_one():\n    pass\n"


def test_a_finding_takes_its_weight_from_the_rule_page_and_its_place_in_lines():
    [found] = run("# a word\n" + JOB).findings
    assert (found.rule, found.severity, found.confidence) == ("untimed-job", "error", "high")
    assert found.spot == Spot("a.py", 2, 5, 2, 12)
    assert (found.scope, found.cause, found.message) == ("job_one", "app", "job_one may run for ever")
    assert found.related[0].spot.line == 1


def test_the_summary_says_what_was_looked_at():
    result = run({"a.py": JOB + JOB.replace("one", "two"), "b.py": "x = 1\n", "tests/test_a.py": JOB, "c.min.js": "x"})
    summary = result.summary
    assert (summary.files, summary.parsed, summary.jobs, summary.frameworks, summary.looked_for) == (2, 1, 2, ("fake",), ("celery",))
    assert summary.passed_over == {"minified": 1, "test": 1}
    assert set(result.sources) == {"a.py"}


def test_only_what_is_in_scope_is_reported():
    result = run({"a.py": JOB, "b.py": JOB}, scope=["b.py"])
    assert told(result) == [("untimed-job", "b.py", 1)]
    assert (result.summary.files, result.summary.jobs) == (1, 1)


def test_findings_in_tests_are_reported_on_request():
    assert told(run({"tests/a.py": JOB})) == []
    assert told(run({"tests/a.py": JOB}, Config(tests="report"))) == [("untimed-job", "tests/a.py", 1)]


def test_confidence_severity_select_ignore_and_persona_filter():
    assert [one.rule for one in run(JOB, Config(confidence="low")).findings] == ["dangling-task", "untimed-job"]
    assert [one.rule for one in run(JOB, Config(confidence="low"), at_least="error").findings] == ["untimed-job"]
    assert run(JOB, Config(ignore=("untimed-job",))).findings == ()
    assert [one.rule for one in run(JOB, Config(confidence="low", select=("dangling-task",))).findings] == ["dangling-task"]
    assert run(JOB).unknown == ()
    assert [one.rule for one in run(JOB, Config(pedantic=True)).unknown] == ["shared-queue"]
    assert [one.message for one in run(JOB, Config(select=("shared-queue",))).unknown] == ["options come from elsewhere"]


def test_the_configuration_has_the_last_word_on_severity():
    [found] = run(JOB, Config(severity={"untimed-job": "info"})).findings
    assert found.severity == "info"


def test_overrides_hold_for_their_paths_and_later_ones_win():
    config = Config(
        overrides=(
            Override(paths=("legacy/",), ignore=("untimed-job",)),
            Override(paths=("legacy/new/",), select=("untimed-job",), severity={"untimed-job": "warning"}),
        )
    )
    result = run({"a.py": JOB, "legacy/b.py": JOB, "legacy/new/c.py": JOB}, config)
    assert [(one.spot.path, one.severity) for one in result.findings] == [("a.py", "error"), ("legacy/new/c.py", "warning")]


def test_a_rule_that_only_an_override_selects_runs_there():
    config = Config(overrides=(Override(paths=("x/",), select=("shared-queue",)),))
    assert [one.spot.path for one in run({"a.py": JOB, "x/a.py": JOB}, config).unknown] == ["x/a.py"]


def test_an_allow_comment_takes_the_finding_out_and_is_kept_with_its_reason():
    result = run("# guardrails: allow untimed-job -- the supervisor ends it\n" + JOB)
    assert result.findings == ()
    assert [(one.found.rule, one.reason) for one in result.allowed] == [("untimed-job", "the supervisor ends it")]


def test_what_is_wrong_with_allow_comments_is_a_finding():
    source = "# guardrails: allow untimed-job\n" + JOB + "x = 1  # guardrails: allow untimed-jobs, untimed-job -- r\n"
    assert told(run(source)) == [
        ("unjustified-allow", "a.py", 1), ("untimed-job", "a.py", 2), ("unknown-rule-in-allow", "a.py", 4), ("unused-allow", "a.py", 4),
    ]  # fmt: skip


def test_an_unused_comment_is_told_even_in_a_file_without_worker_code():
    assert told(run("x = 1  # guardrails: allow untimed-job -- r\n")) == [("unused-allow", "a.py", 1)]


def test_a_comment_is_not_unused_when_its_rule_did_not_run():
    assert run("x = 1  # guardrails: allow untimed-job -- r\n", Config(ignore=("untimed-job",))).findings == ()


def test_a_comment_on_a_finding_that_is_not_shown_is_of_use():
    assert run(JOB.replace("():", "():  # guardrails: allow untimed-job, dangling-task -- r")).findings == ()


def test_a_comment_at_a_place_that_cannot_be_told_is_of_use():
    source = JOB.replace("():", "():  # guardrails: allow shared-queue, untimed-job -- r")
    result = run(source, Config(pedantic=True))
    assert (result.findings, result.unknown) == ((), ())


def test_what_is_said_about_comments_cannot_be_allowed_away():
    source = "# guardrails: allow unused-allow -- r\nx = 1  # guardrails: allow untimed-job -- r\n"
    assert told(run(source)) == [("unknown-rule-in-allow", "a.py", 1), ("unused-allow", "a.py", 2)]


def test_in_a_partial_tree_no_comment_counts_as_unused():
    tree = files.Tree(Path("/"), ["a.py"], contents={"a.py": b"x = 1  # guardrails: allow untimed-job -- r\n"}, partial=True)
    result = lint.judge(tree, Fake(tree), Known(), Request(tree.root, Config(), TODAY), NoCache(), rules=RULES, find=CHECKS.get)
    assert result.findings == ()


BROKEN = "def job_two():\n    x = )\n"


def test_what_cannot_be_read_is_a_warning_and_the_rest_is_judged():
    result = run("import x\n" + JOB + BROKEN)
    assert [(one.rule, one.severity) for one in result.findings if one.rule == "unreadable-file"] == [("unreadable-file", "warning")]
    assert ("untimed-job", "a.py", 2) in told(result)
    assert len(result.unreadable) == 1


def test_what_cannot_be_read_is_an_error_where_it_holds_worker_code_or_when_strict():
    [one] = [one for one in run(JOB + "x = celery )(\n").findings if one.rule == "unreadable-file"]
    assert one.severity == "error"
    assert "'celery'" in one.message
    [one] = [one for one in run(JOB + BROKEN, strict=True).findings if one.rule == "unreadable-file"]
    assert one.severity == "error"


def test_a_file_that_cannot_be_opened_is_told():
    tree = files.memory({"a.py": JOB}, LANGUAGES)
    tree.unreadable["a.py"] = "permission denied"
    project = Fake(files.memory({}, LANGUAGES))
    result = lint.judge(tree, project, Known(), Request(tree.root, Config(), TODAY), NoCache(), rules=RULES, find=CHECKS.get)
    assert [one.message for one in result.findings] == ["a.py could not be opened (permission denied), so nothing in it was judged"]
    assert result.summary.files == 0


def test_a_named_file_that_is_passed_over_is_told(tmp_path):
    (tmp_path / "a.py").write_bytes(b"x\0")
    tree = files.discover(tmp_path, [tmp_path / "a.py"], LANGUAGES)
    result = lint.judge(tree, Fake(tree), Known(), Request(tmp_path, Config(), TODAY), NoCache(), rules=RULES, find=CHECKS.get)
    assert [one.message for one in result.unreadable] == ["a.py was passed over (binary), so nothing in it was judged"]
    assert result.summary.passed_over == {"binary": 1}


def test_two_facts_that_say_the_same_are_one_finding():
    def twice(job: Job) -> Iterator[Finding]:
        yield from untimed(job)
        yield from untimed(job)

    assert len(run(JOB, checks={"untimed-job": Check("untimed-job", twice, (Job,), False)}).findings) == 1


def test_a_check_that_fails_names_its_rule_and_file():
    def fails(job: Job) -> Iterator[Finding]:
        raise KeyError("x")

    with pytest.raises(InternalError, match=r"the check of untimed-job failed on a.py: KeyError: 'x'") as error:
        run(JOB, checks={"untimed-job": Check("untimed-job", fails, (Job,), False)})
    assert (error.value.rule, error.value.path) == ("untimed-job", "a.py")


def test_a_check_may_ask_for_the_project():
    def asks(job: Job, project: Fake) -> Iterator[Finding]:
        yield Finding("untimed-job", job.place, f"{len(project.facts)} facts", "x")

    [found] = run(JOB, checks={"untimed-job": Check("untimed-job", asks, (Job,), True)}).findings
    assert found.message == "1 facts"


def marks(source: str) -> list[str]:
    return [one.fingerprint for one in run(source, Config(confidence="low")).findings]


LINES = [
    "import celery",
    "",
    "def job_one(a, b):",
    "    return a",
    "",
    "def job_two():",
    "    x = ['a', 1]",
    "    def job_one():",
    "        pass",
    "x = 2",
]


@given(st.lists(st.sampled_from(["", "\n", "# a comment\n", "\n\n# guardrails are good\n\n"]), min_size=len(LINES), max_size=len(LINES)))
def test_blank_lines_and_comments_change_no_fingerprint(gaps):
    assert marks("".join(gap + line + "\n" for gap, line in zip(gaps, LINES, strict=True))) == marks("\n".join(LINES) + "\n")


def test_findings_alike_in_one_scope_have_fingerprints_of_their_own():
    assert len(set(marks(JOB + JOB))) == 4


def test_an_allow_comment_on_the_first_of_two_does_not_change_the_fingerprint_of_the_second():
    both = [one.fingerprint for one in run(JOB + JOB).findings]
    allowed = run("# guardrails: allow untimed-job -- r\n" + JOB + JOB)
    assert [one.fingerprint for one in allowed.findings] == both[1:]


@given(st.permutations(["a.py", "b/c.py", "d.py", "tests/e.py"]))
def test_the_order_of_files_changes_nothing(names):
    result = run(dict.fromkeys(names, JOB + BROKEN), Config(confidence="low"))
    assert result == run(dict.fromkeys(sorted(names), JOB + BROKEN), Config(confidence="low"))


@given(st.binary(max_size=300))
def test_any_bytes_are_judged_without_a_crash(source):
    run({"a.py": source, "b.ts": source, "c.rs": source})


def test_a_path_that_is_missing_is_one_sentence(tmp_path):
    with pytest.raises(RequestError, match=r"gone\.py: there is no such file or folder; check the spelling$"):
        lint.prepare([tmp_path / "gone.py"])


def test_a_request_knows_its_project_and_configuration(tmp_path):
    (tmp_path / "guardrails.yaml").write_text("tests: report\n")
    (tmp_path / "src").mkdir()
    request = lint.prepare([tmp_path / "src"])
    assert request.root == tmp_path.resolve()
    assert request.config.tests == "report"
    assert request.paths == ((tmp_path / "src").resolve(),)


def test_start_up_imports_nothing_that_only_other_commands_need():
    import subprocess

    heavy = ["libcst", "jinja2", "rich", "markdown_it", "pathspec", "yaml", "tomllib", "difflib", "subprocess"]
    code = f"import sys, guardrails.lint; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=Path(lint.__file__).parent.parent)
    assert done.stdout.strip() == "[]"


def test_a_real_project_is_linted_from_disk_with_and_without_a_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "shop"
    (root / "shop").mkdir(parents=True)
    (root / "pyproject.toml").write_text("[tool.guardrails]\n")
    text = "from celery import Celery\n\napp = Celery()\n\n\n@app.task\ndef charge(order_id):\n    print(order_id)\n"
    (root / "shop" / "tasks.py").write_text(text * 9)
    request = lint.prepare([root])
    results = [lint.lint(msgspec.structs.replace(request, cached=cached)) for cached in (False, True, True)]
    assert results[0] == results[1] == results[2]
    assert results[0].summary.jobs >= 1
    assert results[0].summary.files == 1


def test_a_project_in_memory_is_linted_without_a_look_at_the_disk():
    result = lint.lint_texts(
        {"shop/tasks.py": "from celery import Celery\n\napp = Celery()\n\n\n@app.task\ndef charge(order_id):\n    pass\n"}
    )
    assert result.summary.jobs == 1
    assert result.summary.files == 1


def test_a_model_of_the_user_is_used() -> None:
    model = (
        "framework: mine\ntitle: Mine\nlanguages: [python]\npackages: [minequeue]\njobs:\n  - decorator: minequeue.job\n"
        "timeout: {default: null, source: its documentation, fix: Give it a limit., arguments: [limit]}\n"
    )
    code = "from minequeue import job\n\n\n@job\ndef charge(order_id):\n    ...\n"
    found = lint.lint_texts({".guardrails/frameworks/mine.yml": model, "shop/jobs.py": code}).findings
    assert [(one.rule, one.spot.line) for one in found] == [("untimed-job", 4)]


@pytest.mark.skipif(sys.platform == "win32", reason="names of POSIX")
def test_what_stands_in_for_a_file_of_an_odd_name_is_read(tmp_path):
    (tmp_path / "pyproject.toml").write_text("")
    request = lint.prepare([tmp_path / "we\nird\x1b.py"], b"from celery import Celery\napp = Celery()\n@app.task\ndef f():\n    pass\n")
    result = lint.lint(msgspec.structs.replace(request, cached=False))
    assert result.summary.files == 1
    assert {one.spot.path for one in result.findings} == {"we\\nird\\x1b.py"}


def test_a_rules_option_moves_its_threshold() -> None:
    job = "import requests\nfrom celery import shared_task\n\n\n@shared_task(time_limit=50)\ndef f(url):\n    requests.get(url)\n"
    short = Config(tests="report", options={"untimed-call": {"short": 10}})
    told = [lint.lint_texts({"shop/tasks.py": job}, config).findings[0].severity for config in (Config(tests="report"), short)]
    assert told == ["info", "warning"]
