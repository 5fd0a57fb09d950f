"""What goes into a scratch folder, and what comes out of it."""

import os
import stat
from pathlib import Path

import pytest

from guardrails.runtime.errors import SandboxRefused
from guardrails.runtime.sandbox import leftovers
from guardrails.runtime.sandbox.supervisor import folder
from tests.runtime.sandbox.boxes import Box


def test_given_files_are_found_and_may_be_run_and_changed(box: Box) -> None:
    outcome = box.sh(
        "cat in/deep/a.txt; ./tool; echo more >> in/deep/a.txt", files={"in/deep/a.txt": b"a\n", "tool": b"#!/bin/sh\necho tool\n"}
    )
    assert (outcome.stdout, outcome.stderr) == (b"a\ntool\n", b"")
    assert {left.name: left.size for left in outcome.files} == {"in/deep/a.txt": 7, "tool": 20}


def test_any_bytes_come_back_as_they_went(box: Box) -> None:
    content = bytes(range(256)) * 5000
    outcome = box.run(["cp", "in.bin", "out.bin"], files={"in.bin": content}, collect=["out.*"])
    assert [(left.name, left.data == content, left.cut) for left in outcome.files] == [("in.bin", False, False), ("out.bin", True, False)]


def test_only_what_matches_a_pattern_is_collected(box: Box) -> None:
    outcome = box.sh("mkdir -p out/deep; for f in a.csv b.txt out/c.csv out/deep/d.csv; do echo x > $f; done", collect=["out/*", "b.*"])
    assert {left.name: left.data for left in outcome.files} == {
        "a.csv": None,
        "b.txt": b"x\n",
        "out/c.csv": b"x\n",
        "out/deep/d.csv": b"x\n",
    }


def test_input_is_read_to_its_end(box: Box) -> None:
    outcome = box.run(["cat"], stdin=b"0123456789" * 30_000)
    assert outcome.stdout == b"0123456789" * 30_000


def test_without_input_there_is_its_end(box: Box) -> None:
    assert box.run(["cat"]).ok


def test_input_that_nobody_reads_is_no_matter(box: Box) -> None:
    assert box.run(["true"], stdin=b"x" * 1_000_000).ok


def test_links_pipes_and_devices_are_neither_followed_nor_listed(box: Box, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("ours")
    links = f"ln -s {tmp_path}/secret.txt a.txt; ln -s {tmp_path} folder; ln -s /etc etc; mkfifo pipe.txt"
    outcome = box.sh(f"{links}; echo x > plain.txt; ln plain.txt same.txt", collect=["*"])
    assert outcome.ok, outcome.stderr
    assert {left.name: left.data for left in outcome.files} == {"plain.txt": b"x\n", "same.txt": b"x\n"}


def test_names_that_are_no_text_are_told_as_text(local_box: Box) -> None:
    outcome = local_box.sh(r"touch $(printf 'a\377b') 'a b' $(printf 'a\033b')")
    assert {left.name for left in outcome.files} == {"a\\xffb", "a b", "a\x1bb"}


def test_an_apparent_size_costs_nothing(box: Box) -> None:
    outcome = box.sh("dd if=/dev/zero of=sparse bs=1 count=0 seek=50000000 2>/dev/null; echo x > small", collect=["*"])
    assert {left.name: (left.data, left.cut) for left in outcome.files} == {"sparse": (None, True), "small": (b"x\n", False)}


def test_many_files_are_listed_up_to_a_number(local_box: Box) -> None:
    outcome = local_box.sh("i=0; while [ $i -lt 10010 ]; do i=$((i+1)); : > $i; done")
    assert (outcome.stopped_by, len(outcome.files), outcome.files_cut) == (None, leftovers.LISTED, True)


def test_an_endless_path_is_over_the_limit_and_goes_away(process: Box, tmp_path: Path) -> None:
    outcome = process.sh("i=0; while [ $i -lt 2000 ]; do i=$((i+1)); mkdir d && cd d; done; echo x > deep")
    assert (outcome.stopped_by, outcome.files) == ("disk", ())
    assert [path for path in tmp_path.rglob("*") if path.name == "d"] == []


def test_files_that_do_not_fit_are_refused(bubblewrap: Box) -> None:
    with pytest.raises(SandboxRefused, match="cannot be put into the scratch folder"):
        bubblewrap.run(["true"], files={str(number): b"x" for number in range(100)}, disk=10_000)


def test_a_folder_is_emptied_however_deep_and_locked(tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for part in ["top", *["down"] * 1200]:
        os.mkdir(part, 0o700, dir_fd=here)
        for name in ("a", "-", "\n"):
            os.close(os.open(name + part, os.O_CREAT, dir_fd=here)) if part == "down" else None
        inner = os.open(part, os.O_RDONLY, dir_fd=here)
        os.fchmod(here, 0o300) if part == "down" else None
        os.close(here)
        here = inner
    os.symlink("/", "root", dir_fd=here)
    os.close(here)
    top = os.open(tmp_path, os.O_RDONLY)
    folder.remove(top, "top")
    os.close(top)
    assert list(tmp_path.iterdir()) == []


def test_a_walk_sees_each_entry_and_passes_over_what_is_gone(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "c").write_text("x")
    (tmp_path / "link").symlink_to("/")
    top = os.open(tmp_path, os.O_RDONLY)
    seen = []
    for entry in folder.walk(top):
        seen.append((entry.path, stat.S_ISDIR(entry.status.st_mode)))
        if entry.path == "a/b":
            (tmp_path / "a" / "b" / "c").unlink()
            (tmp_path / "a" / "b").rmdir()
    os.close(top)
    assert seen == [("a", True), ("a/b", True), ("link", False)]


def test_measuring_counts_blocks_entries_and_depth(tmp_path: Path) -> None:
    top = os.open(tmp_path, os.O_RDONLY)
    (tmp_path / "file").write_bytes(bytes(100_000))
    assert not folder.over(top, 200_000)
    assert folder.over(top, 90_000)
    deep = tmp_path.joinpath(*["d"] * (folder.DEEPEST + 1))
    deep.mkdir(parents=True)
    assert folder.over(top, 1 << 40)
    os.close(top)
