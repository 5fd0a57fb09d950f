"""SARIF under Microsoft's validator, with the rules of GitHub's code scanning.

It comes from npm: `npm install @microsoft/sarif-multitool`, with `sarif-multitool` on the PATH, or its path in SARIF_MULTITOOL.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import report_samples as samples

from guardrails import report
from guardrails.report.view import View

TOOL = os.environ.get("SARIF_MULTITOOL") or shutil.which("sarif-multitool")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        TOOL is None, reason="sarif-multitool (npm: @microsoft/sarif-multitool) is not installed: SARIF is judged by the schema only"
    ),
]


@pytest.mark.parametrize("kind", ["Sarif", "Gh"])
@pytest.mark.parametrize("name", ["few", "many", "result", "compared", "hostile", "crowd"])
def test_the_validator_finds_no_error(tmp_path: Path, name: str, kind: str) -> None:
    assert TOOL is not None
    log, judged = tmp_path / "run.sarif", tmp_path / "judged.sarif"
    log.write_text(report.render("sarif", getattr(samples, name)(), View(rules=samples.RULES)), encoding="utf-8")
    environ = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    command = [TOOL, "validate", str(log), "--rule-kind", kind, "--output", str(judged), "--log", "ForceOverwrite"]
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)
    assert judged.exists(), ran.stdout + ran.stderr
    [run] = json.loads(judged.read_text(encoding="utf-8-sig"))["runs"]
    assert run["invocations"][0]["executionSuccessful"] is True
    said = [(one["ruleId"], one["message"]) for one in run.get("results", []) if one.get("level", "warning") == "error"]
    assert said == []
