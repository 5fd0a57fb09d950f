"""The picture of the demo."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest
import report_samples as samples

from guardrails import report
from guardrails.report.view import View

PATH = Path(__file__).resolve().parent.parent.parent / "tools/picture.py"


@pytest.fixture(scope="module")
def picture() -> ModuleType:
    spec = importlib.util.spec_from_file_location("picture", PATH)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def printed() -> str:
    return report.render("text", samples.few(), View(rules=samples.RULES, color=True))


def test_the_picture_is_the_same_from_run_to_run(picture: ModuleType) -> None:
    made = picture.svg("guardrails check", printed())
    assert made == picture.svg("guardrails check", printed())
    assert ElementTree.fromstring(made).tag.endswith("svg")
    assert "font-face" not in made
    assert "url(http" not in made.replace('"', "")


def test_a_long_output_is_cut_between_findings_and_keeps_its_end(picture: ModuleType) -> None:
    lines = printed().splitlines()
    kept = picture.excerpt(lines, 30)
    assert len(kept) <= 31
    assert kept[-1] == lines[-1]
    cut = kept.index("[...]")
    assert kept[: cut - 1] == lines[: cut - 1]
    assert lines[cut - 1] == ""


def test_a_short_output_is_shown_whole(picture: ModuleType) -> None:
    assert picture.excerpt(["a", "", "b"], 30) == ["a", "", "b"]
