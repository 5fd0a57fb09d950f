"""Each limit by experiment, with every driver that has it."""

import os

import pytest

from tests.runtime.sandbox.boxes import Box, alive, mark, scratch_folders

MIB = 1 << 20


def test_a_command_within_its_limits_is_told_as_it_was(box: Box) -> None:
    outcome = box.sh("echo out; echo err >&2; exit 3")
    assert (outcome.exit_code, outcome.signal, outcome.stopped_by, outcome.ok) == (3, None, None, False)
    assert (outcome.stdout, outcome.stderr, outcome.truncated) == (b"out\n", b"err\n", False)
    assert outcome.wall_seconds > 0


def test_a_command_that_succeeds_is_ok(box: Box) -> None:
    assert box.run(["true"]).ok


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("sleep {mark}", id="it sleeps"),
        pytest.param("trap '' TERM INT HUP; while :; do sleep {mark}; done", id="it ignores signals"),
        pytest.param("setsid sleep {mark} & sleep {mark}", id="a child calls setsid"),
        pytest.param("(setsid sh -c 'sleep {mark} & sleep {mark}' &) & exec sleep {mark}", id="orphans of orphans"),
        pytest.param("exec <&- >&- 2>&-; sleep {mark}", id="it closes its streams"),
        pytest.param("cat; sleep {mark}", id="it reads its input for ever"),
    ],
)
def test_nothing_is_alive_after_the_wall_limit(box: Box, script: str) -> None:
    sleeping = mark()
    outcome = box.sh(script.format(mark=sleeping), wall=10 if box.driver == "docker" else 1)
    assert (outcome.stopped_by, outcome.exit_code, outcome.signal) == ("wall", None, 9)
    assert alive(sleeping) == []


def test_nothing_is_alive_after_the_command_ended(box: Box) -> None:
    sleeping = mark()
    outcome = box.sh(f"setsid sleep {sleeping} & sleep {sleeping} & echo begun; exit 0")
    assert (outcome.ok, outcome.stdout) == (True, b"begun\n")
    assert alive(sleeping) == []


def test_a_limit_that_passes_before_the_start_is_the_wall_limit(local_box: Box) -> None:
    outcome = local_box.run(["sleep", "60"], wall=0.001)
    assert outcome.stopped_by == "wall"


def test_a_flood_is_cut_and_its_command_stopped(box: Box) -> None:
    outcome = box.sh("yes 0123456789", output=100_000)
    assert (outcome.stopped_by, outcome.truncated) == ("output", True)
    assert outcome.stdout == (b"0123456789\n" * 10_000)[:100_000]


def test_both_streams_count_against_one_cap(local_box: Box) -> None:
    outcome = local_box.sh("yes out & yes err >&2", output=50_000)
    assert (outcome.stopped_by, len(outcome.stdout) + len(outcome.stderr)) == ("output", 50_000)


def test_output_of_exactly_the_cap_is_whole(box: Box) -> None:
    outcome = box.sh("printf 12345678", output=8)
    assert (outcome.ok, outcome.stdout, outcome.truncated) == (True, b"12345678", False)


def test_processor_time_is_counted_and_limited(box: Box) -> None:
    outcome = box.sh("while :; do :; done", cpu=0.5)
    assert outcome.stopped_by == "cpu"
    assert outcome.cpu_seconds is None if box.driver == "docker" else outcome.cpu_seconds is not None and outcome.cpu_seconds > 0.3


def test_processor_time_of_all_processes_is_counted_together(local_box: Box) -> None:
    outcome = local_box.sh("for i in 1 2 3 4; do (while :; do :; done) & done; wait", cpu=1.0)
    assert outcome.stopped_by == "cpu"


def test_processor_time_of_children_that_ended_is_counted(local_box: Box) -> None:
    burn = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"
    outcome = local_box.sh(f"while :; do sh -c '{burn}'; done", cpu=0.5)
    assert outcome.stopped_by == "cpu"


def test_processor_time_of_orphans_that_ended_is_counted(local_box: Box) -> None:
    burn = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"
    outcome = local_box.sh(f"while :; do (sh -c '{burn}; :' &); sleep 0.1; done", cpu=0.5)
    assert outcome.stopped_by == "cpu"


def test_who_grows_beyond_its_memory_is_stopped(box: Box) -> None:
    outcome = box.sh("x=0123456789abcdef; while :; do x=$x$x; sleep 0.05; done", memory=40 * MIB)
    assert outcome.stopped_by == "memory"


def test_memory_of_all_processes_is_counted_together(local_box: Box) -> None:
    grow = "x=0123456789abcdef; while [ ${#x} -lt 16000000 ]; do x=$x$x; done; sleep 1000; : $x"
    outcome = local_box.sh(f"for i in 1 2 3 4 5 6; do ({grow}) & done; wait", memory=60 * MIB)
    assert outcome.stopped_by == "memory"


def test_one_allocation_far_beyond_the_memory_fails_in_the_command(local_box: Box) -> None:
    outcome = local_box.sh("head -c 1 /dev/zero; dd if=/dev/zero of=/dev/null bs=2G count=1", memory=50 * MIB)
    assert (outcome.stopped_by, outcome.exit_code) == (None, 1)
    assert b"memory exhausted" in outcome.stderr


def test_memory_within_the_limit_is_no_matter(local_box: Box) -> None:
    assert local_box.sh("x=0123456789abcdef; while [ ${#x} -lt 1000000 ]; do x=$x$x; done", memory=100 * MIB).ok


def test_who_keeps_too_many_processes_is_stopped(local_box: Box) -> None:
    sleeping = mark()
    outcome = local_box.sh(f"for i in 1 2 3 4 5 6 7 8; do sleep {sleeping} & done; wait", processes=8)
    assert outcome.stopped_by == "processes"
    assert alive(sleeping) == []


def test_as_many_processes_as_allowed_are_no_matter(box: Box) -> None:
    assert box.sh("for i in 1 2 3 4 5 6 7; do sleep 0.3 & done; wait", processes=8).ok


def test_the_kernel_refuses_far_more_processes(closed_box: Box) -> None:
    sleeping = mark()
    outcome = closed_box.sh(f"for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do sleep {sleeping} & done; wait", processes=8)
    assert not outcome.ok
    assert b"fork" in outcome.stderr
    assert alive(sleeping) == []


def test_a_fork_bomb_ends(local_box: Box) -> None:
    if local_box.driver == "process" and os.geteuid() == 0:
        pytest.skip("root without bubblewrap: the kernel limits no number of root's processes, so a bomb that never pauses can win")
    bomb = mark()
    outcome = local_box.run(["sh", "-c", "f() { f | f & }; f; sleep 1000", bomb], wall=2, processes=32)
    assert not outcome.ok
    assert alive(bomb) == []


def test_who_forks_in_all_its_processes_is_stopped(local_box: Box) -> None:
    leaf = mark()
    outcome = local_box.sh(f'f() {{ [ "$1" -eq 0 ] || {{ f $(($1 - 1)) & f $(($1 - 1)) & }}; sleep {leaf}; }}; f 6', wall=2, processes=32)
    assert outcome.stopped_by == "processes" or b"fork" in outcome.stderr
    assert alive(leaf) == []


def test_a_full_scratch_folder_is_the_end(box: Box) -> None:
    outcome = box.sh("cat /dev/zero > all; sleep 1000", disk=2 * MIB)
    assert outcome.stopped_by == "disk"
    assert not any(left.size > 3 * MIB for left in outcome.files)


def test_many_files_fill_the_scratch_folder_too(box: Box) -> None:
    outcome = box.sh("i=0; while :; do i=$((i+1)); head -c 100000 /dev/zero > $i 2>/dev/null; done", disk=2 * MIB)
    assert outcome.stopped_by == "disk"


def test_temporary_files_count_as_well(box: Box) -> None:
    outcome = box.sh('cat /dev/zero > "$TMPDIR/all"; sleep 1000', disk=2 * MIB)
    assert outcome.stopped_by == "disk"


def test_a_disk_that_was_filled_by_a_command_that_then_ended_is_told(local_box: Box) -> None:
    outcome = local_box.sh("head -c 2097153 /dev/zero > all; exit 0", disk=2 * MIB)
    assert (outcome.stopped_by, outcome.ok) == ("disk", False)


def test_a_scratch_folder_does_not_outlive_its_command(box: Box) -> None:
    outcome = box.sh("mkdir -p a/b; echo x > a/b/c; chmod 000 a/b a; ln -s / root; mkfifo pipe")
    assert outcome.ok, outcome.stderr
    assert scratch_folders() == set()
