from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.files import matcher
from guardrails.instruct.globs import globs

NAMES = st.sampled_from(["tasks.py", "views.py", "__init__.py", "[id].ts", "a,b.py", "Makefile", "jobs.py", "{x}.tsx"])
PATHS = st.builds(lambda folders, name: "/".join([*folders, name]), st.lists(st.sampled_from("abc"), max_size=4), NAMES)


@pytest.mark.parametrize(
    ("paths", "patterns"),
    [
        ("shop/mail/tasks.py shop/orders/tasks.py shop/settings.py", "shop/**/tasks.py shop/settings.py"),
        ("shop/api/a.py shop/api/b.py shop/api/c.py shop/api/d/e.py", "shop/api/*.py shop/api/d/e.py"),
        ("a/__init__.py a/b/__init__.py", "a/__init__.py a/b/__init__.py"),
        ("tasks.py", "tasks.py"),
        ("app/[id]/route.ts", "app/*/route.ts"),
        ("", ""),
    ],
)
def test_files_of_one_kind_become_one_pattern(paths: str, patterns: str) -> None:
    assert " ".join(globs(paths.split())) == patterns


def test_where_there_are_too_many_the_deepest_folders_are_said_as_a_whole_first() -> None:
    paths = ["shop/settings.py", "shop/web/app.py", *(f"shop/a/b/m{n}/x{n}.py" for n in range(6))]
    assert globs(paths, 4) == ("shop/a/b/**/*.py", "shop/settings.py", "shop/web/app.py")


@settings(max_examples=300, deadline=None)
@given(st.sets(PATHS, max_size=20), st.integers(1, 8))
def test_every_file_is_matched_and_a_second_pass_changes_nothing(paths: set[str], most: int) -> None:
    found = globs(paths, most)
    assert all(matcher([f"/{pattern}" for pattern in found]).match_file(path) for path in paths)
    assert len(found) <= max(most, len({Path(path).suffix for path in paths}))
    assert globs(found, most) == found
    assert not any(mark in pattern for pattern in found for mark in ",[]{}")
