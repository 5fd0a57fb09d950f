"""Our own runtime, its examples and the shop on it are what the rules ask for: nothing is found in them, by no rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from guardrails import lint
from guardrails.config import Config

ROOT = Path(__file__).resolve().parents[2]
CONFIG = Config(pedantic=True, tests="report")  # examples count as tests elsewhere


@pytest.mark.parametrize("folder", ["guardrails/runtime", "examples/runtime", "examples/safe-shop"])
def test_nothing_is_found_by_any_rule(folder: str) -> None:
    paths = [path for path in sorted((ROOT / folder).rglob("*")) if path.suffix in (".py", "") and path.is_file()]
    files = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}
    assert any(name.endswith(".py") for name in files)
    result = lint.lint_texts(files, CONFIG)
    assert [f"{one.spot.path}:{one.spot.line} {one.rule}" for one in result.findings] == []


def test_a_fault_in_the_runtime_s_place_would_be_found() -> None:
    text = "from guardrails import runtime\n\n@runtime.job(timeout=None, key=lambda p: p.id)\ndef work(p) -> None:\n    run(p)\n"
    result = lint.lint_texts({"examples/runtime/app.py": text}, CONFIG)
    assert [one.rule for one in result.findings] == ["untimed-job"]
