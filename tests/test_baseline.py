"""Baselines: what they hold is known, what came is new, and what is broken says so in a sentence."""

from __future__ import annotations

import itertools
import random
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guardrails import baseline
from guardrails.baseline import Baseline, BaselineError
from guardrails.lint import lint_texts
from guardrails.result import Found, Spot

SHOP = Path(__file__).resolve().parent.parent / "examples" / "unsafe-shop"
FILES = {path.relative_to(SHOP).as_posix(): path.read_text(encoding="utf-8") for path in sorted(SHOP.rglob("*.py"))}


def found(rule: str = "untimed-job", path: str = "shop/tasks.py", line: int = 1, scope: str = "settle", key: str = "settle") -> Found:
    return Found(rule, Spot(path, line, 1, line, 9), "It may hang.", "Limit it.", "error", "high", "0" * 24, scope=scope, key=key)


def test_what_it_holds_is_known_and_the_next_equal_one_is_new() -> None:
    known = Baseline.of([found(line=3)])
    split = known.split([found(line=30), found(line=40)])
    assert [one.spot.line for one in split.known] == [30]
    assert [one.spot.line for one in split.new] == [40]
    assert split.stale == ()


def test_of_equal_findings_the_picked_one_is_new() -> None:
    split = Baseline.of([found(line=3)]).split([found(line=30), found(line=40)], first=lambda one: one.spot.line == 30)
    assert [one.spot.line for one in split.new] == [30]
    split = Baseline.of([found(line=3)]).split([found(line=40), found(line=30)], first=lambda one: one.spot.line == 40)
    assert [one.spot.line for one in split.new] == [40]


def test_counts_say_how_many_equal_findings_are_known() -> None:
    known = Baseline.of([found(), found(), found()])
    assert [entry.count for entry in known.entries] == [3]
    split = known.split([found()])
    assert [entry.count for entry in split.stale] == [2]
    assert known.without(split.stale).size == 1


def test_a_function_that_moved_to_another_file_keeps_its_entry() -> None:
    known = Baseline.of([found(path="shop/old.py")])
    assert known.split([found(path="shop/new.py")]).new == ()
    both = known.split([found(path="shop/old.py"), found(path="shop/new.py")])
    assert [one.spot.path for one in both.new] == ["shop/new.py"]


def test_a_finding_of_a_module_follows_only_a_file_that_is_gone() -> None:
    known = Baseline.of([found(path="shop/old.py", scope="")])
    here = [found(path="shop/new.py", scope="")]
    assert known.split(here, exists=lambda _: True).new != ()
    assert known.split(here, exists=lambda path: path != "shop/old.py").new == ()


def test_renames_are_mapped() -> None:
    known = Baseline.of([found(path="a.py", scope="")], {"a.py": "b.py"})
    assert [entry.path for entry in known.entries] == ["b.py"]


def test_the_file_is_sorted_has_a_line_an_entry_and_reads_back() -> None:
    known = Baseline.of([found(path="b.py"), found(path="a.py", key='say("x")'), found(path="a.py", rule="a-rule")])
    text = known.text()
    assert baseline.read(text, "f") == known or baseline.read(text, "f").entries == known.entries
    lines = [line for line in text.splitlines() if '"path"' in line]
    assert len(lines) == 3
    assert [re.findall(r'"path":"(\w+.py)"', line)[0] for line in lines] == ["a.py", "a.py", "b.py"]
    assert text == Baseline(reversed(known.entries)).text()


def test_an_empty_one_reads_back() -> None:
    assert baseline.read(Baseline(()).text(), "f").entries == ()


def test_an_entry_that_a_merge_left_twice_counts_once() -> None:
    text = Baseline.of([found(), found()]).text()
    line = next(line for line in text.splitlines() if '"path"' in line)
    assert baseline.read(text.replace(line, f"{line},\n{line}"), "f").size == 2


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('{\n<<<<<<< HEAD\n  "tool": 1\n=======\n>>>>>>> other\n}', 2, "conflict marks"),
        ('{\n  "tool": "worker-guardrails",\n  "version": 1,\n  "findings": [', 4, "no whole baseline"),
        ("", 1, "no whole baseline"),
        ("[" * 100_000, 1, "no whole baseline"),
        ('{"version": 1}', 1, "no baseline of guardrails"),
        ("[]", 1, "no baseline of guardrails"),
        ('{"tool": "worker-guardrails", "version": 2, "findings": []}', 1, "version 2"),
        ('{"tool": "worker-guardrails", "version": 1,\n"findings": [\n{"path": "a"}]}', 3, "broken"),
        (Baseline.of([found()]).text().replace('"fingerprint"', '"count":0,"fingerprint"'), 5, "count 0"),
    ],
)
def test_a_broken_file_is_one_sentence_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(BaselineError) as raised:
        baseline.read(text, "base.json")
    assert str(raised.value).startswith(f"base.json:{line}: ")
    assert words in str(raised.value)
    assert "\n" not in str(raised.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_bytes(b'{\n"tool": "\xff"}')
    with pytest.raises(BaselineError, match=r"^b.json:2: this is not UTF-8"):
        baseline.load(tmp_path / "b.json", "b.json")


def test_a_missing_file_says_how_to_write_one(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="guardrails baseline write"):
        baseline.load(tmp_path / "none.json", "none.json")


def test_only_what_a_run_could_have_matched_is_stale() -> None:
    entries = Baseline.of([found(path="a.py"), found(path="b.py"), found(path="a.py", rule="other-rule")]).entries
    kept = baseline.judged(entries, {"a.py"}, False, {"untimed-job"})
    assert [(entry.path, entry.rule) for entry in kept] == [("a.py", "untimed-job")]
    assert len(baseline.judged(entries, set(), True, {"untimed-job"})) == 2


# Edits that touch no finding. Each takes the text of a file and a source of chance.

_TOP = re.compile(r"^(?=(?:@|def |class |async def ))", re.MULTILINE)
_BODY = re.compile(r"^( +)(?=(?:return|if|for|with)\b)", re.MULTILINE)
_STRING = re.compile(r"'(\w+)'")


def _blocks(text: str) -> list[str]:
    """Head, then top-level definitions with their decorators."""
    starts = [match.start() for match in _TOP.finditer(text)]
    firsts = [start for start in starts if not re.search(r"@[^\n]*\n\Z", text[:start])]
    edges = [0, *firsts, len(text)]
    return [text[a:b] for a, b in itertools.pairwise(edges)]


def blank(text: str, chance: random.Random) -> str:
    blocks = _blocks(text)
    at = chance.randrange(len(blocks))
    return "".join([*blocks[:at], "\n" * chance.randint(1, 3), *blocks[at:]]) if at else text + "\n"


def comment(text: str, chance: random.Random) -> str:
    blocks = _blocks(text)
    at = chance.randrange(len(blocks))
    return "".join([*blocks[:at], f"# note {chance.random()}\n", *blocks[at:]]) if at else text + "# the end\n"


def inner_comment(text: str, chance: random.Random) -> str:
    places = list(_BODY.finditer(text))
    if not places:
        return text
    place = chance.choice(places)
    return f"{text[: place.start()]}{place[1]}# {chance.random()}\n{text[place.start() :]}"


def function(text: str, chance: random.Random) -> str:
    return f"{text}\n\ndef added_{chance.randrange(10**9)}(value):\n    return value + {chance.randint(0, 9)}\n"


def moved(text: str, chance: random.Random) -> str:
    head, *blocks = _blocks(text)
    plain = [at for at, block in enumerate(blocks) if block.startswith(("def ", "async def ")) and block.endswith("\n")]
    if len(plain) < 2:
        return text
    one, other = chance.sample(plain, 2)
    blocks[one], blocks[other] = blocks[other], blocks[one]
    return head + "".join(blocks)


def quotes(text: str, chance: random.Random) -> str:
    return _STRING.sub(r'"\1"', text, count=1)


def line_ends(text: str, chance: random.Random) -> str:
    return text.replace("\r\n", "\n") if "\r\n" in text else text.replace("\n", "\r\n")


EDITS = (blank, comment, inner_comment, function, moved, quotes, line_ends)
STEPS, ROUNDS = 25, 40  # 1,000 edits


@settings(max_examples=ROUNDS, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32))
def test_after_edits_elsewhere_no_finding_is_new_and_none_vanishes(seed: int) -> None:
    chance, files = random.Random(seed), dict(FILES)
    for _ in range(STEPS):
        name = chance.choice(list(files))
        plain = files[name].replace("\r\n", "\n")
        edit = chance.choice(EDITS)
        files[name] = edit(files[name] if edit is line_ends else plain, chance)
    before = lint_texts(FILES).findings
    split = Baseline.of(before).split(lint_texts(files).findings)
    assert len(before) > 10
    assert (split.new, split.stale) == ((), ())
