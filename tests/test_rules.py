"""Rule pages and case files are executed: what is marked is told, exactly there, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from guardrails import lint, rulebook
from guardrails.config import Config
from guardrails.instruct.reader import reader
from guardrails.result import Result
from guardrails.rulebook import Example, Expectation, Rule

ROOT = Path(__file__).resolve().parent.parent
RULES = rulebook.load(ROOT / "rules")
TODAY = date(2026, 6, 1)  # of every example: dates in allow comments are before or after it
JUDGED_ELSEWHERE = {"unreadable-file", "unjustified-allow", "unused-allow", "unknown-rule-in-allow"}
MISSES = "Known misses"
FRAMEWORKS = {"guardrails-runtime"}  # case files of a framework and not of a rule: all rules judge them, the pedantic ones too

Case = tuple[str, Example]


def page_examples() -> list[Case]:
    return [(name, example) for name, rule in RULES.items() for example in rule.examples]


def cases() -> Iterator[tuple[str, Example, bool]]:
    """(rule, case, whether it is a known miss) of every case file. A miss stands under its own heading; its marks say how it should be."""
    for page in sorted((ROOT / "tests" / "cases").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        head, mark, tail = text.partition(f"\n## {MISSES}\n")
        assert not re.search(r"^## ", tail, re.MULTILINE), f"{page.name}: nothing follows the known misses"
        yield from ((page.stem, case, False) for case in rulebook.cases(page.stem, head))
        misses = rulebook.cases(page.stem, f"## Bad\n{tail}") if mark else ()
        yield from ((page.stem, case, True) for case in misses)


CASES = [(rule, case) for rule, case, missed in cases() if not missed]
KNOWN_MISSES = [(rule, case) for rule, case, missed in cases() if missed]


def named(pairs: list[Case]) -> list[object]:
    return [pytest.param(rule, case, id=f"{rule}: {case.id}") for rule, case in pairs]


def told(result: Result) -> set[Expectation]:
    return {Expectation(one.spot.path, one.spot.line, one.rule) for one in result.findings}


def doubted(result: Result) -> set[Expectation]:
    return {Expectation(one.spot.path, one.spot.line, one.rule, "unknown") for one in result.unknown}


@cache
def run(files: tuple[tuple[str, str], ...], pedantic: bool = False, before: tuple[tuple[str, str], ...] = ()) -> Result:
    config = Config(tests="report", pedantic=pedantic)
    return lint.lint_texts(dict(files), config, today=TODAY, before=dict(before) or None, more=reader(config))


def wrong(rule: str, example: Example, whole: bool = False) -> str:
    """How the linter differs from the marks of an example, "" where it does not.

    Judged are the page's rule and the rules that are marked; a `whole` example without a flagged line must be clean under all rules.
    What is marked as unknown must be doubted; beside that the page's rule must be sure, except where a line is flagged anyhow.
    """
    pedantic = rule in FRAMEWORKS or RULES[rule].persona == "pedantic"
    result = run(tuple(example.files.items()), pedantic, tuple((example.base or {}).items()))
    marked = {one.rule for one in example.expectations} | {rule}
    wanted = {one for one in example.expectations if one.kind == "flagged"}
    others = {one.name for one in RULES.values() if one.persona == "regular"} if whole and not wanted else set()
    others |= RULES.keys() if rule in FRAMEWORKS else set()
    found = {one for one in told(result) if one.rule in marked | others}
    unsure = {one for one in example.expectations if one.kind == "unknown"}
    doubts = {one for one in doubted(result) if one.rule == rule and not wanted} | (doubted(result) & unsure)
    return "; ".join(
        [f"{one.path}:{one.line} is not flagged: {one.rule}" for one in sorted(wanted - found)]
        + [f"{one.path}:{one.line} is flagged: {one.rule}" for one in sorted(found - wanted)]
        + [f"{one.path}:{one.line} is not doubted: {one.rule}" for one in sorted(unsure - doubts)]
        + [f"{one.path}:{one.line} is doubted: {one.rule}" for one in sorted(doubts - unsure)]
    )


@pytest.mark.parametrize(("rule", "example"), named(page_examples()))
def test_page(rule: str, example: Example) -> None:
    assert wrong(rule, example, whole=True) == ""


@pytest.mark.parametrize(("rule", "case"), named(CASES))
def test_case(rule: str, case: Example) -> None:
    assert wrong(rule, case) == ""


@pytest.mark.parametrize(("rule", "case"), named(KNOWN_MISSES))
def test_known_miss_is_still_missed(rule: str, case: Example) -> None:
    assert wrong(rule, case) != "", "this works now: move the case out of the known misses"


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_page_is_whole(rule: Rule) -> None:
    again = rulebook.parse(rule.name, (ROOT / "rules" / f"{rule.name}.md").read_text(encoding="utf-8"))
    assert all(text.strip() for text in again.sections.values()), "a section is empty"
    assert {example.kind for example in again.examples} >= {"Bad", "Good"}
    assert len({example.id for example in again.examples}) == len(again.examples)


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_page_names_its_sources(rule: Rule) -> None:
    entries = re.findall(r"^- ", rule.sections["Sources"], re.MULTILINE)
    assert len(entries) >= 1
    assert re.search(r"Neexo|Agentuity|Oxy|Moru", rule.sections["Sources"]), (
        "none of the four documents that every rule comes from is named"
    )
    if rule.name not in JUDGED_ELSEWHERE:
        assert "https://" in rule.sections["Sources"], "no documentation is named"


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_instruction_is_one_short_sentence(rule: Rule) -> None:
    assert len(rule.instruct) <= 120
    assert re.fullmatch(r"[A-Z][^.!?]*\.", rule.instruct.replace("`", ""))


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_first_sentence_of_why_stands_alone(rule: Rule) -> None:
    paragraph = " ".join(rule.why.split("\n\n")[0].split())
    first = re.split(r"(?<=[.!?])\s", paragraph)[0]
    assert 40 <= len(first) <= 200, first
    assert not re.match(r"(?i)(?:it|this|that|they|these)\b", first), first


@pytest.mark.parametrize("rule", [rule for rule in RULES.values() if rule.name not in JUDGED_ELSEWHERE], ids=lambda rule: rule.name)
def test_rule_has_bad_and_good_examples_in_each_of_its_languages(rule: Rule) -> None:
    for kind in ("Bad", "Good"):
        assert {example.language for example in rule.examples if example.kind == kind} == set(rule.languages), kind


def test_pages_and_checks_match_one_to_one() -> None:
    checks = {path.stem.replace("_", "-") for path in (ROOT / "guardrails" / "checks").glob("[a-z]*.py")}
    assert checks == RULES.keys() - JUDGED_ELSEWHERE


def test_case_files_belong_to_rules() -> None:
    assert {rule for rule, _ in CASES} == RULES.keys() | FRAMEWORKS
    assert {page.stem for page in (ROOT / "tests" / "cases").glob("*.md")} == RULES.keys() | FRAMEWORKS


def test_case_ids_are_sentences() -> None:
    ids = [(rule, case.id) for rule, case in (*CASES, *KNOWN_MISSES)]
    assert len(set(ids)) == len(ids)
    assert [one for _, one in ids if len(one.split()) < 3 or re.search(r"\(\d+\)$", one)] == []


@pytest.mark.parametrize(("rule", "case"), named(CASES))
def test_case_stands_under_its_verdict(rule: str, case: Example) -> None:
    kinds = {one.kind for one in case.expectations if one.rule == rule or rule in FRAMEWORKS}
    assert kinds == {"Bad": {"flagged"}, "Good": set(), "Cannot tell": {"unknown"}}[case.kind]
