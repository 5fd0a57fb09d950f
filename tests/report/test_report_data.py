"""The reports for programs: json, sarif, github."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import report_samples as samples

import guardrails
from guardrails import report
from guardrails.report import ink, json_, sarif
from guardrails.report.view import View
from guardrails.result import Remark, Result, Spot

SCHEMA = Path(guardrails.__file__).parent / "schemas/check.schema.json"
SARIF_SCHEMA = Path(__file__).parent.parent / "data/sarif-2.1.0.schema.json"
ODD = "a dir/ä%:,\udcff.py"


def odd() -> Result:
    """Whatever a report may trip over: undecodable names, several lines, braces, links, a rule without a page, places without a line."""
    found = samples.found("odd-rule", Spot(ODD, 3, 5, 6, 2), "50%: {0} is [a](b),\r\n::error::x\udcff", cause="c")
    return samples.result(found, unreadable=(Remark(Spot("gone.py", 0, 0, 0, 0), "permission denied"),))


RESULTS = {
    "few": samples.few, "many": samples.many, "clean": samples.result, "odd": odd, "compared": samples.compared, "hostile": samples.hostile,
    "crowd": samples.crowd,
}  # fmt: skip


def rendered(form: str, result: Result, **view: Any) -> str:
    return report.render(form, result, View(rules=samples.RULES, **view))


def run(result: Result, **view: Any) -> dict[str, Any]:
    log: dict[str, Any] = json.loads(rendered("sarif", result, **view))
    return log["runs"][0]  # type: ignore[no-any-return]


@pytest.mark.parametrize("form", report.FORMATS)
@pytest.mark.parametrize("name", RESULTS)
def test_the_same_result_gives_the_same_bytes(form: str, name: str) -> None:
    assert rendered(form, RESULTS[name]()).encode() == rendered(form, RESULTS[name]()).encode()


MARKS = """
import hashlib, sys
sys.path.insert(0, {folder!r})
import report_samples as samples
from guardrails import report
from guardrails.report.view import View
for form in report.FORMATS:
    for made in (samples.many(), samples.compared(), samples.hostile()):
        print(form, hashlib.sha256(report.render(form, made, View(rules=samples.RULES)).encode()).hexdigest())
"""


def test_another_process_gives_the_same_bytes() -> None:
    def marks(seed: str) -> bytes:
        environ = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(guardrails.__file__).parent.parent)}
        command = [sys.executable, "-c", MARKS.format(folder=str(Path(__file__).parent))]
        return subprocess.run(command, env=environ, capture_output=True, check=True, timeout=120).stdout

    assert len(marks("1").splitlines()) == 3 * len(report.FORMATS)
    assert marks("1") == marks("2")


@pytest.mark.parametrize("name", RESULTS)
def test_json_is_valid_under_the_published_schema(name: str) -> None:
    jsonschema.validate(json.loads(rendered("json", RESULTS[name]())), json.loads(SCHEMA.read_text()))


def test_the_published_schema_is_made_from_the_structures() -> None:
    assert json.loads(SCHEMA.read_text()) == json_.schema()


def test_json_has_exactly_the_promised_shape() -> None:
    document = json.loads(rendered("json", samples.few()))
    assert list(document) == ["version", "findings", "unknown", "unreadable", "summary", "comparison", "known", "statistics"]
    assert document["version"] == 1
    place = ["rule", "path", "line", "column", "end_line", "end_column"]
    assert list(document["findings"][0]) == [*place, "message", "fix", "severity", "confidence", "fingerprint", "cause", "related", "state"]
    assert document["findings"][0]["related"] == [{"path": "shop/celery.py", "line": 1, "message": "this app sets no task_time_limit"}]
    assert document["summary"] == {"files": 212, "parsed": 18, "jobs": 14, "enqueues": 9, "handlers": 22, "schedules": 3, "ended": 0}
    assert document["unknown"][0]["rule"] == "untimed-job"
    assert list(document["unreadable"][0]) == ["path", "line", "message"]


def test_json_carries_undecodable_names_as_escapes() -> None:
    assert json.loads(rendered("json", odd()))["findings"][0]["path"] == "a dir/ä%:,\\xff.py"


@pytest.mark.parametrize("name", RESULTS)
def test_sarif_is_valid_under_the_schema_of_oasis(name: str) -> None:
    validator = jsonschema.Draft4Validator(json.loads(SARIF_SCHEMA.read_text()))
    assert [error.message for error in validator.iter_errors(json.loads(rendered("sarif", RESULTS[name]())))] == []


def test_sarif_tells_rules_from_their_pages() -> None:
    rules = {rule["id"]: rule for rule in run(samples.few())["tool"]["driver"]["rules"]}
    assert list(rules) == sorted(samples.RULES)
    assert rules["untimed-job"]["shortDescription"]["text"] == "Job without a time limit"
    assert rules["untimed-job"]["fullDescription"]["text"] == "A job that never ends holds its worker slot."
    assert rules["untimed-job"]["help"]["markdown"] == samples.RULES["untimed-job"].page
    assert rules["fire-and-forget-spawn"]["defaultConfiguration"]["level"] == "warning"


def test_sarif_results_carry_place_fingerprint_and_secondary_places() -> None:
    made = run(samples.few())
    result = made["results"][0]
    rules = made["tool"]["driver"]["rules"]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "untimed-job"
    assert result["partialFingerprints"] == {"guardrails/v1": "untimed-job:shop/tasks.py:5"}
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 5, "startColumn": 5, "endLine": 5, "endColumn": 16}
    assert result["relatedLocations"][0]["message"]["text"] == "this app sets no task_time_limit"
    assert made["columnKind"] == "unicodeCodePoints"


def test_sarif_marks_allowed_findings_as_suppressed() -> None:
    *open_, allowed = run(samples.few())["results"]
    assert not any("baselineState" in result for result in (*open_, allowed))
    assert all(result["suppressions"] == [] for result in open_)
    assert allowed["suppressions"] == [{"kind": "inSource", "status": "accepted", "justification": "the outbox sends it again"}]


def test_sarif_keeps_known_findings_as_suppressed_and_says_what_is_new() -> None:
    new, first, second, allowed = run(samples.compared())["results"]
    assert (new["ruleId"], new["baselineState"], new["suppressions"]) == ("missing-idempotency-key", "new", [])
    for known in (first, second):
        assert (known["ruleId"], known["baselineState"]) == ("untimed-job", "unchanged")
        assert known["suppressions"] == [{"kind": "external", "status": "accepted", "justification": "Known to the baseline."}]
    assert allowed["suppressions"][0]["kind"] == "inSource"
    assert allowed["baselineState"] == "unchanged"


def test_sarif_describes_all_that_it_names_as_code_scanning_wants() -> None:
    driver = run(odd())["tool"]["driver"]
    for told in (*driver["rules"], *driver["notifications"]):
        assert {"shortDescription", "fullDescription", "help"} <= told.keys()


def test_json_says_what_was_compared_and_what_is_known() -> None:
    document = json.loads(rendered("json", samples.compared()))
    comparison = document["comparison"]
    assert (comparison["against"], comparison["new"], comparison["known"], len(comparison["stale"])) == ("the baseline", 1, 2, 3)
    assert [one["state"] for one in document["findings"]] == ["new"]
    assert [(one["rule"], one["state"]) for one in document["known"]] == [("untimed-job", "unchanged")] * 2
    assert json.loads(rendered("json", samples.few()))["comparison"] is None


def test_sarif_tells_exit_status_and_unreadable_files() -> None:
    invocation = run(odd(), status=1)["invocations"][0]
    assert (invocation["exitCode"], invocation["executionSuccessful"]) == (1, True)
    assert invocation["toolExecutionNotifications"][0]["message"]["text"] == "permission denied"
    assert run(odd(), status=2)["invocations"][0]["executionSuccessful"] is False


def test_sarif_text_is_neither_placeholder_nor_link() -> None:
    words = run(odd())["results"][0]["message"]["text"]
    assert words.startswith("50%: {{0}} is \\[a](b),")


@pytest.mark.parametrize(
    ("path", "uri"), [("a dir/ä%:,\udcff.py", "a%20dir/%C3%A4%25%3A%2C%FF.py"), ("x#y?.py", "x%23y%3F.py"), ("a\nb.py", "a%0Ab.py")]
)
def test_sarif_uris_are_percent_encoded(path: str, uri: str) -> None:
    assert sarif.uri(path) == uri


def test_github_has_one_escaped_command_a_finding() -> None:
    lines = rendered("github", odd()).splitlines()
    assert lines[0] == (
        "::error file=a dir/ä%25%3A%2C\\xff.py,line=3,endLine=6,title=odd-rule::50%25: {0} is [a](b),\\r\\n::error::x\\xff%0Afix: Mend it."
    )
    assert lines[1] == "::warning file=gone.py,title=unreadable-file::permission denied"
    assert lines[2].startswith("Found 1 error in 1 file. Looked at 212 files")


def test_github_gives_columns_within_one_line() -> None:
    assert ",line=5,endLine=5,col=5,endColumn=16,title=untimed-job::" in rendered("github", samples.few())


def test_github_says_the_gravest_first() -> None:
    commands = [line.split(" ")[0] for line in rendered("github", samples.result(samples.dropped(), samples.untimed())).splitlines()]
    assert commands[:2] == ["::error", "::warning"]


@pytest.mark.parametrize(
    ("environ", "terminal", "color"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"NO_COLOR": "1"}, True, False),
        ({"NO_COLOR": ""}, True, True),
        ({"FORCE_COLOR": "1"}, False, True),
        ({"FORCE_COLOR": "1", "TERM": "dumb"}, False, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, True, False),
    ],
)
def test_when_colours_are_shown(environ: dict[str, str], terminal: bool, color: bool) -> None:
    assert ink.wanted(environ, terminal) is color
