"""The guide names tests and examples: they are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "runtime.md").read_text()


def test_every_proof_that_the_guide_names_is_a_test() -> None:
    named = re.findall(r"`((?:\w+/)?test_\w+\.py)(?:::(\w+))?`", GUIDE)
    assert len(named) > 30
    for file, test in named:
        path = ROOT / "tests" / "runtime" / file
        assert path.is_file(), file
        assert not test or f"def {test}(" in path.read_text(), f"{file}::{test}"


def test_every_example_that_the_guide_names_is_there() -> None:
    named = {name for name in re.findall(r"\| `(\w+\.py)` \|", GUIDE) if not name.startswith("test_")}
    assert len(named) > 15
    assert {name for name in named if not (ROOT / "examples" / "runtime" / name).is_file()} == set()
