"""The ledger of judged findings on real projects: what may be claimed from it, and that a noisy rule is not regular."""

from __future__ import annotations

import csv
import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from guardrails import rulebook

HERE = Path(__file__).resolve().parent
COLUMNS = ["package", "version", "path", "rule", "fingerprint", "verdict", "reason"]
VERDICTS = {"right", "wrong", "arguable"}
RULES = rulebook.load()
with (HERE / "ledger.tsv").open(encoding="utf-8", newline="") as file:
    READER = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    ROWS = list(READER)
REGULAR = [row for row in ROWS if RULES[row["rule"]].persona == "regular"]


def right(rows: list[dict[str, str]]) -> float:
    """The share that is right; what is arguable is not."""
    return sum(row["verdict"] == "right" for row in rows) / len(rows)


def wrong(rows: list[dict[str, str]]) -> float:
    """The share that is a false alarm."""
    return sum(row["verdict"] == "wrong" for row in rows) / len(rows)


def test_the_ledger_is_well_formed() -> None:
    assert READER.fieldnames == COLUMNS
    assert all(row["verdict"] in VERDICTS and len(row["reason"]) > 10 for row in ROWS)
    assert all(row["rule"] in RULES for row in ROWS)
    keys = Counter((row["package"], row["path"], row["rule"], row["fingerprint"]) for row in ROWS)
    assert [key for key, count in keys.items() if count > 1] == []
    assert sorted(ROWS, key=lambda row: [row[name] for name in COLUMNS]) == ROWS


def test_enough_findings_of_enough_packages_were_read() -> None:
    assert len(REGULAR) >= 200
    assert len({row["package"] for row in REGULAR}) >= 15


def test_more_than_nine_of_ten_findings_are_right_and_hardly_one_in_fifty_is_wrong() -> None:
    assert right(REGULAR) >= 0.92
    assert wrong(REGULAR) <= 0.02


def test_a_noisy_rule_is_pedantic() -> None:
    by_rule: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in REGULAR:
        by_rule[row["rule"]].append(row)
    noisy = {rule: round(wrong(rows), 2) for rule, rows in by_rule.items() if len(rows) >= 10 and wrong(rows) > 0.1}
    assert noisy == {}


@pytest.mark.parametrize("line", [line for line in (HERE / "packages.txt").read_text().splitlines() if not line.startswith("#")])
def test_a_package_is_pinned_by_its_hash(line: str) -> None:
    assert re.fullmatch(r"[\w.-]+==[\w.]+ --hash=sha256:[0-9a-f]{64}", line)
