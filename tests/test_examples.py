"""The two example projects: every planted fault is found where it stands and nothing else is; the mended twin is clean."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXPECTED: dict[str, Any] = json.loads((ROOT / "tests" / "examples" / "expected.json").read_text(encoding="utf-8"))


@cache
def check(shop: str) -> tuple[int, dict[str, Any]]:
    command = [sys.executable, "-m", "guardrails", "check", "--no-cache", "--format", "json", f"examples/{shop}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


def line_of(shop: str, finding: dict[str, Any]) -> str:
    text = (ROOT / "examples" / shop / finding["path"]).read_text(encoding="utf-8")
    return str(text.splitlines()[finding["line"] - 1].strip())


def by_place(faults: list[dict[str, str]]) -> list[dict[str, str]]:
    return sorted(faults, key=lambda fault: (fault["path"], fault["text"], fault["rule"]))


def test_every_planted_fault_is_found_and_nothing_else() -> None:
    status, document = check("unsafe-shop")
    found = [{"path": one["path"], "text": line_of("unsafe-shop", one), "rule": one["rule"]} for one in document["findings"]]
    assert by_place(found) == by_place(EXPECTED["faults"])
    assert status == 1


def test_the_mended_twin_is_entirely_clean() -> None:
    status, document = check("safe-shop")
    assert document["findings"] == []
    assert document["unreadable"] == []
    assert status == 0


@pytest.mark.parametrize("shop", ["unsafe-shop", "safe-shop"])
def test_the_work_of_a_shop_is_seen(shop: str) -> None:
    summary = check(shop)[1]["summary"]
    assert {name: summary[name] for name in EXPECTED["seen"][shop]} == EXPECTED["seen"][shop]


def test_the_twin_has_no_allow_comment() -> None:
    sources = (ROOT / "examples" / "safe-shop").rglob("*.py")
    assert [path.name for path in sources if "guardrails: allow" in path.read_text(encoding="utf-8")] == []


def test_the_readme_of_the_unsafe_shop_lists_every_fault() -> None:
    page = (ROOT / "examples" / "unsafe-shop" / "README.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    listed = sorted((row.split("`")[1], row.rstrip("| ").rpartition("`")[0].rpartition("`")[2]) for row in rows)
    assert listed == sorted((one["path"], one["rule"]) for one in EXPECTED["faults"])
