"""The house keeps its own rules: sizes, one to one names, generated files, nothing of one machine."""

from __future__ import annotations

import ast
import importlib.util
import re
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "guardrails").rglob("*.py"))

# Judged by the linter itself, on comments and files rather than on facts.
WITHOUT_CHECK = {"unreadable-file", "unjustified-allow", "unused-allow", "unknown-rule-in-allow"}


def tracked() -> list[Path]:
    """Every file that is, or would be, committed."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", ROOT / "tools" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def functions() -> Iterator[tuple[str, int]]:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node.end_lineno - node.lineno + 1


def test_no_file_is_longer_than_400_lines() -> None:
    files = [*SOURCES, *sorted((ROOT / "tools").glob("*.py"))]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: length for name, length in lengths.items() if length > 400} == {}


def test_functions_are_about_half_a_screen() -> None:
    lengths = sorted(length for _, length in functions())
    assert statistics.median(lengths) <= 10
    assert lengths[int(len(lengths) * 0.95)] <= 40


def test_rule_pages_and_checks_match_one_to_one() -> None:
    pages = {path.stem for path in (ROOT / "rules").glob("*.md")}
    checks = {path.stem.replace("_", "-") for path in (ROOT / "guardrails" / "checks").glob("*.py") if not path.stem.startswith("_")}
    assert pages - checks <= WITHOUT_CHECK
    assert checks - pages == set()


def test_generated_files_are_current() -> None:
    assert generate().stale() == []


def test_the_changelog_has_a_section_for_what_is_not_released() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_no_committed_file_names_a_machine_or_a_package_registry() -> None:
    hosts = r"pypi\.org|pythonhosted\.org|registry\.npmjs\.org|registry\.yarnpkg\.com|crates\.io"
    homes = r"(?<![\w.$}])/(?:work/(?:main|venv|shared|corpus|notes)|root/|home/\w+/|Users/\w+/|opt/pypi)"
    pattern = re.compile(f"{homes}|{hosts}")
    found = []
    for path in tracked():
        text = path.read_bytes().decode("utf-8", "replace")
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in pattern.finditer(text) if path != Path(__file__).resolve()]
    assert found == []


@pytest.mark.parametrize("name", ["Makefile", ".ci/run", "LICENSE", "README.md", "SECURITY.md", "action.yml", ".pre-commit-hooks.yaml"])
def test_the_house_has_its(name: str) -> None:
    assert (ROOT / name).stat().st_size > 0
