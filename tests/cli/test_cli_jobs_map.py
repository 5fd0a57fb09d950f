"""`guardrails jobs-map` and `guardrails check --statistics` on the example shop."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner
from click.testing import Result as Run

from guardrails.cli.program import program

ROOT = Path(__file__).resolve().parent.parent.parent
SHOP = ROOT / "examples" / "unsafe-shop"


def run(*args: str | Path) -> Run:
    return CliRunner().invoke(program, [str(arg) for arg in args])


def test_the_map_answers_which_jobs_there_are():
    done = run("jobs-map", SHOP)
    assert done.exit_code == 0
    assert "Celery (5 jobs)" in done.stdout
    assert "RQ (3 jobs)" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100
    assert done.stdout.splitlines()[-1] == "8 jobs (4 without a time limit), 2 schedules, 3 spawns, 7 of 9 handlers hand work over."


def test_paths_are_told_from_the_current_folder_and_in_json_from_the_root(monkeypatch):
    monkeypatch.chdir(SHOP / "shop")
    assert "  send_order_confirmation  mail/tasks.py:12" in run("jobs-map").stdout
    paths = {one["at"]["path"] for one in json.loads(run("jobs-map", "--format", "json").stdout)["jobs"]}
    assert "shop/mail/tasks.py" in paths


@pytest.mark.parametrize(("form", "start"), [("json", "{"), ("mermaid", "flowchart LR"), ("text", "Celery")])
def test_a_map_goes_to_a_file(tmp_path, form, start):
    done = run("jobs-map", SHOP, "--format", form, "-o", tmp_path / "map")
    assert done.stdout == ""
    assert done.exit_code == 0
    assert (tmp_path / "map").read_text().startswith(start)


def test_a_path_that_is_not_there_is_a_sentence():
    done = run("jobs-map", "no/such/place")
    assert done.exit_code == 2
    assert "no/such/place" in done.stderr
    assert "Traceback" not in done.output


def test_a_folder_without_code_says_so(tmp_path):
    done = run("jobs-map", tmp_path)
    assert (done.exit_code, done.stdout) == (0, "No background job was recognised.\n")
    assert "no file of a known language" in done.stderr


def test_statistics_count_what_the_report_tells():
    document = json.loads(run("check", SHOP, "--statistics", "--format", "json").stdout)
    jsonschema.validate(document, json.loads((ROOT / "guardrails" / "schemas" / "check.schema.json").read_text()))
    counts = document["statistics"]
    assert counts["findings"] == len(document["findings"]) > 0
    for kind in ("rules", "severities", "guardrails", "frameworks", "confidences"):
        assert sum(counts[kind].values()) == counts["findings"], kind
    assert sum(counts["limits"].values()) == counts["recognised"]["jobs"] == document["summary"]["jobs"]
    assert counts["limits"] == {"limited": 4, "endless": 4, "unknown": 0}
    assert counts["frameworks"]["Celery"] == 7


def test_statistics_stand_before_the_verdict_and_only_when_asked_for():
    plain, counted = run("check", SHOP), run("check", SHOP, "--statistics")
    assert counted.exit_code == plain.exit_code == 1
    assert "By guardrail" not in plain.stdout
    assert counted.stdout.index("By rule") < counted.stdout.index("By guardrail") < counted.stdout.index("Found ")
    assert "  4  untimed-job" in counted.stdout
    assert "  4  without a time limit" in counted.stdout
    assert json.loads(run("check", SHOP, "--format", "json").stdout)["statistics"] is None


def test_statistics_in_a_form_that_cannot_hold_them_are_a_mistake():
    done = run("check", SHOP, "--statistics", "--format", "sarif")
    assert done.exit_code == 2
    assert "--statistics" in done.stderr
