"""Every Bad example of a rule that has repairs: what is repaired is gone, brings nothing new, parses, and nothing else was touched."""

from __future__ import annotations

import ast
import difflib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import libcst as cst
import pytest

from guardrails import lint, rulebook
from guardrails.config import Config
from guardrails.fix.engine import Engine, Mended
from guardrails.result import Result
from guardrails.rulebook import Example

ROOT = Path(__file__).resolve().parent.parent.parent
RULES = rulebook.load(ROOT / "rules")
REPAIRABLE = (
    "untimed-job", "untimed-call", "retry-without-backoff", "enqueue-in-transaction", "unsafe-serializer", "timing-unsafe-comparison",
    "dangling-task", "missing-idempotency-key", "whole-row-payload", "secret-in-log",
)  # fmt: skip
NEVER = "fire-and-forget-spawn"
MENDED = {
    "untimed-job": 4, "untimed-call": 4, "retry-without-backoff": 3, "enqueue-in-transaction": 3, "unsafe-serializer": 2,
    "timing-unsafe-comparison": 1, "dangling-task": 1, "missing-idempotency-key": 3, "secret-in-log": 5,
}  # fmt: skip  # of the Python examples on the pages, how many are mended wholly


def bad(rule: str) -> Iterator[Example]:
    text = (ROOT / "tests" / "cases" / f"{rule}.md").read_text(encoding="utf-8").partition("\n## Known misses\n")[0]
    for example in (*RULES[rule].examples, *rulebook.cases(rule, text)):
        if example.kind == "Bad" and example.language == "python":
            yield example


def mend(files: Mapping[str, bytes], unsafe: bool = True) -> tuple[Result, Mended]:
    def look(contents: Mapping[str, bytes]) -> Result:
        return lint.lint_texts({**files, **contents}, Config(tests="report"), today=date(2026, 6, 1))

    before = look({})
    return before, Engine(look, files.get, unsafe).run(before)


def counted(result: Result) -> Counter[str]:
    return Counter(one.rule for one in result.findings)


def touched(before: bytes, places: list[tuple[int, int]]) -> set[int]:
    """The lines (from 1) of the statements in which repairs stand."""
    found: set[int] = set()
    for node in ast.walk(ast.parse(before)):
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            first = min([node.lineno, *(mark.lineno for mark in getattr(node, "decorator_list", ()))])
            last = body[0].lineno if isinstance(body, list) and body else node.end_lineno or node.lineno
            for start, end in places:
                line = before.count(b"\n", 0, start) + 1
                if first <= line <= max(last, node.lineno):
                    found.update(range(first, max(last, before.count(b"\n", 0, end) + 1) + 1))
    return found


def strays(before: bytes, after: bytes, places: list[tuple[int, int]]) -> list[bytes]:
    """Lines of before that are gone although no repair stands in their statement."""
    lines, allowed = before.splitlines(True), touched(before, places)
    imports = {n for n, line in enumerate(lines, 1) if line.lstrip().startswith((b"from ", b"import "))}
    gone = []
    for tag, start, end, _, _ in difflib.SequenceMatcher(None, lines, after.splitlines(True), autojunk=False).get_opcodes():
        if tag in ("replace", "delete"):
            gone += [lines[n] for n in range(start, end) if n + 1 not in allowed | imports]
    return gone


EXAMPLES = [pytest.param(rule, example, id=f"{rule}: {example.id}") for rule in REPAIRABLE for example in bad(rule)]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_a_repaired_example_is_clean_whole_and_stable(rule: str, example: Example) -> None:
    files = {path: text.encode() for path, text in example.files.items()}
    before, mended = mend(files)
    were, gone, are = counted(before), Counter(one.rule for one in mended.repaired), counted(mended.result)
    assert all(are[name] <= max(were[name] - gone[name], 0) or (name == "unsafe-serializer" and not are[name]) for name in are | gone)
    for path, data in mended.after.items():
        cst.parse_module(data)
        places = [(one.repair.at.start, one.repair.at.end) for one in mended.repaired if one.repair and one.repair.at.path == path]
        if "whole-row-payload" not in gone:
            assert strays(mended.before[path], data, places) == []
    again = mend({**files, **mended.after})[1]
    assert again.after == {}


@pytest.mark.parametrize("rule", REPAIRABLE)
def test_as_many_page_examples_are_mended_as_were(rule: str) -> None:
    done = 0
    for example in RULES[rule].examples:
        if example.kind == "Bad" and example.language == "python":
            _, mended = mend({path: text.encode() for path, text in example.files.items()})
            done += not counted(mended.result)[rule]
    assert done == MENDED.get(rule, 0)


@pytest.mark.parametrize("example", list(bad(NEVER)), ids=lambda example: example.id)
def test_work_that_a_handler_spawns_is_never_repaired_by_guess(example: Example) -> None:
    before, _ = mend({path: text.encode() for path, text in example.files.items()})
    assert [one for one in before.findings if one.rule == NEVER and one.repair is not None] == []
