"""Which lines of the head a change shows."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.git import GitError
from guardrails.review.hunks import Changed, Hunks, Shown, from_git, of, parse

PATCH = """@@ -1,4 +1,5 @@ def f():
 a
-b
+B
+C
 d
 e
@@ -20,3 +21,2 @@
 x
-y
 z
\\ No newline at end of file"""


def git(root: Path, *args: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main"]
    return subprocess.run(["git", *identity, *args], cwd=root, check=True, capture_output=True, text=True).stdout


def commit(root: Path, files: dict[str, str | bytes | None]) -> str:
    for name, text in files.items():
        path = root / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    git(root, "add", "-A")
    git(root, "commit", "-q", "--allow-empty", "-m", "x")
    return git(root, "rev-parse", "HEAD").strip()


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init", "-q")
    return tmp_path


def lines(*numbers: int) -> str:
    return "".join(f"line {number}\n" for number in numbers)


def test_a_patch_shows_its_context_and_what_it_adds():
    assert parse(PATCH) == Shown(((1, 5), (21, 22)), frozenset({2, 3}))


@pytest.mark.parametrize(
    ("patch", "shown"),
    [
        ("@@ -0,0 +1 @@\n+a", Shown(((1, 1),), frozenset({1}))),
        ("@@ -1 +0,0 @@\n-a", Shown()),
        ("@@ -5,2 +4,0 @@\n-a\n-b", Shown()),
        ("@@ -1,2 +1,3 @@\n a\n++++ b/other\n c", Shown(((1, 3),), frozenset({2}))),
        ("@@ -1,3 +1,2 @@\n a\n---- a/other\n c", Shown(((1, 2),))),
        ("@@ -1,2 +1,2 @@\n a\n@@", Shown(((1, 2),))),
        ("", Shown()),
    ],
    ids=["one new line", "the only line goes", "lines go", "a line like a head comes", "a line like a head goes", "cut short", "empty"],
)
def test_odd_patches(patch, shown):
    assert parse(patch) == shown


def test_a_range_has_to_lie_in_one_hunk():
    hunks = Hunks({"a.py": parse(PATCH)})
    assert hunks.hold("a.py", 1, 5)
    assert hunks.hold("a.py", 21, 22)
    assert not hunks.hold("a.py", 5, 21)
    assert not hunks.hold("a.py", 6, 6)
    assert not hunks.hold("a.py", 3, 2)
    assert not hunks.hold("b.py", 1, 1)


def test_of_a_file_without_a_patch_git_knows_more():
    files = [Changed("a.py", "modified", patch="@@ -1 +1 @@\n-a\n+b"), Changed("big.py", "modified"), Changed("gone.py", "removed")]
    local = Hunks({"a.py": Shown(((9, 9),)), "big.py": Shown(((3, 4),))})
    assert of(files, local).hold("big.py", 3, 4)
    assert of(files, local).hold("a.py", 1, 1)
    assert not of(files, local).hold("a.py", 9, 9)
    assert "big.py" in of(files)
    assert not of(files).hold("big.py", 3, 3)
    assert "gone.py" not in of(files, local)


def test_a_name_that_cannot_be_printed_is_known_as_findings_show_it():
    hunks = of([Changed("a\nb\u202e.py", "renamed", "old\n.py", "@@ -1 +1 @@\n-a\n+b")])
    assert hunks.hold("a\\nb\\u202e.py", 1, 1)
    assert hunks.real("a\\nb\\u202e.py") == "a\nb\u202e.py"
    assert hunks.former("a\\nb\\u202e.py") == "old\\n.py"


def test_a_name_that_no_request_can_carry_is_none():
    assert list(Hunks({"a\udcff.py": Shown(((1, 1),))})) == []


def test_git_shows_what_left_the_base(repository):
    base = commit(repository, {"a.py": lines(*range(1, 41)), "old.py": lines(*range(100, 140)), "gone.py": "x\n", "b.bin": b"\0\1"})
    moved = lines(*range(100, 120), 7, *range(120, 140))
    changes = {
        "a.py": lines(*range(1, 20), 99, *range(20, 41)),
        "old.py": None,
        "new name.py": moved,
        "gone.py": None,
        "b.bin": b"\0\2",
        "c.py": "c\n",
    }
    head = commit(repository, changes)
    git(repository, "checkout", "-q", "-b", "other", base)
    later = commit(repository, {"a.py": lines(0, *range(1, 41))})
    hunks = from_git(repository, later, head)
    assert sorted(hunks) == ["a.py", "c.py", "new name.py"]
    assert hunks.shown("a.py") == Shown(((17, 23),), frozenset({20}))
    assert hunks.shown("new name.py") == Shown(((18, 24),), frozenset({21}))
    assert hunks.former("new name.py") == "old.py"
    assert hunks.shown("c.py") == Shown(((1, 1),), frozenset({1}))


def test_a_file_that_only_moved_is_among_them(repository):
    base = commit(repository, {"old.py": lines(*range(40))})
    head = commit(repository, {"old.py": None, "new.py": lines(*range(40))})
    hunks = from_git(repository, base, head)
    assert "new.py" in hunks
    assert hunks.former("new.py") == "old.py"
    assert hunks.shown("new.py") == Shown()


def test_hostile_names_in_git(repository):
    names = [
        'say "hi".py',
        "tab\there.py",
        "line\nbreak.py",
        "back\\slash.py",
        "umläut 漢.py",
        "b/+++ b",
        "diff --git a b",
        " lead.py",
        "bell\a.py",
    ]
    base = commit(repository, {"x": "x\n"})
    head = commit(repository, dict.fromkeys(names, "+++ b/other.py\n@@ -1 +1 @@\n"))
    hunks = from_git(repository, base, head)
    assert {hunks.real(path) for path in hunks} == set(names)
    assert all(hunks.shown(path) == Shown(((1, 2),), frozenset({1, 2})) for path in hunks)


def test_nothing_that_the_repository_configures_changes_the_picture(repository):
    base = commit(repository, {"a.py": lines(*range(60)), "sub/.keep": "", ".gitattributes": "*.py diff=evil\n"})
    head = commit(repository, {"a.py": lines(*range(30), 99, *range(30, 60))})
    ran = repository / "ran"
    for key, value in {
        "diff.external": f"touch {ran}", "diff.evil.textconv": f"touch {ran};cat",
        "diff.evil.command": f"touch {ran}", "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true", "diff.context": "9", "diff.interHunkContext": "50", "color.diff": "always", "color.ui": "always",
        "diff.renames": "false", "diff.orderFile": "missing", "diff.relative": "true", "diff.suppressBlankEmpty": "true",
        "core.quotePath": "true", "diff.algorithm": "patience",
    }.items():  # fmt: skip
        git(repository, "config", key, value)
    assert from_git(repository, base, head).shown("a.py") == Shown(((28, 34),), frozenset({31}))
    assert not ran.exists()


def test_a_base_that_is_not_here_is_said(repository):
    head = commit(repository, {"a.py": "a\n"})
    with pytest.raises(GitError, match="there is no commit"):
        from_git(repository, "1" * 40, head)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from("abcd"), max_size=30), st.lists(st.sampled_from("abcd"), max_size=30))
def test_git_and_a_patch_tell_the_same(tmp_path_factory, before, after):
    root = tmp_path_factory.mktemp("same")
    git(root, "init", "-q")
    base = commit(root, {"a.py": "".join(f"{line}\n" for line in before), "x": "x"})
    head = commit(root, {"a.py": "".join(f"{line}\n" for line in after)})
    said = git(root, "diff", "--no-ext-diff", base, head, "--", "a.py")
    patch = said[said.find("@@") :].removesuffix("\n") if "@@" in said else ""
    assert from_git(root, base, head).shown("a.py") == parse(patch)
    added = parse(patch).added
    assert len(after) - len(added) == len(before) - sum(line.startswith("-") for line in patch.splitlines())
