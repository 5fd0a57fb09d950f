"""What a command sees and can reach: nearly nothing where the driver isolates."""

import os
import socket
from pathlib import Path

import pytest

from tests.runtime.sandbox.boxes import Box, alive, mark, user_of

USUAL = {"PATH", "LANG", "HOME", "TMPDIR"}
OF_SHELLS = {"PWD", "OLDPWD", "SHLVL", "_", "HOSTNAME"}  # shells, bwrap and docker add these


def variables(output: bytes) -> dict[str, str]:
    return dict(line.split("=", 1) for line in output.decode().splitlines())


def test_the_environment_is_nearly_empty(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_TOKEN", "must stay here")
    found = variables(box.run(["env"]).stdout)
    assert found.keys() - OF_SHELLS == USUAL
    assert found["LANG"] == "C.UTF-8"


def test_home_and_working_directory_are_the_scratch_folder(box: Box) -> None:
    home, here, temporary = box.sh('echo "$HOME"; pwd -P; cd "$TMPDIR" && echo "$TMPDIR"').stdout.decode().splitlines()
    assert home == here != temporary
    if box.isolates:
        assert (home, temporary) == ("/work", "/tmp")


def test_files_of_the_machine_are_not_seen(closed_box: Box, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("ours")
    outcome = closed_box.sh(f"cat {tmp_path}/secret.txt; ls {Path.home()} {Path(__file__).parent}; cat /etc/shadow")
    assert outcome.stdout == b""
    assert not outcome.ok


def test_nothing_but_the_scratch_folder_can_be_written(closed_box: Box) -> None:
    for place in ("/", "/usr", "/etc", "/dev", "/bin", "/proc", "/run"):
        assert not closed_box.sh(f"echo x > {place}/new").ok, place
    assert closed_box.sh('echo x > new && echo x > /tmp/new && echo x > "$HOME/other"').ok


def test_processes_of_the_machine_are_not_seen(closed_box: Box) -> None:
    outcome = closed_box.sh(f"ls -d /proc/[0-9]*; kill -0 {os.getpid()}")
    assert len(outcome.stdout.split()) < 8
    assert not outcome.ok


def test_there_is_no_network_by_default(closed_box: Box) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    with listening:
        port = listening.getsockname()[1]
        outcome = closed_box.sh(f"cat /proc/net/route; cat /proc/net/tcp; : > /dev/tcp/127.0.0.1/{port}")
    told = outcome.stdout.decode()
    assert f":{port:04X} " not in told
    assert len(told.splitlines()) <= 2, "headings only: no routes, nobody listens"


def test_the_network_is_there_when_asked_for(bubblewrap: Box) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        outcome = bubblewrap.sh("cat /proc/net/tcp; ls /etc", network=True)
    assert f":{port:04X} " in outcome.stdout.decode()
    assert b"nsswitch.conf" in outcome.stdout


def test_no_privilege_is_left(closed_box: Box) -> None:
    told = closed_box.run(["cat", "/proc/self/status"]).stdout.decode()
    rows = dict(line.split(":\t", 1) for line in told.splitlines() if ":\t" in line)
    assert {int(rows[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert rows["NoNewPrivs"] == "1"


def test_no_new_namespaces_can_be_made(bubblewrap: Box) -> None:
    outcome = bubblewrap.run(["unshare", "--user", "true"])
    assert not outcome.ok
    assert b"unshare failed" in outcome.stderr


def test_set_user_id_programs_give_nothing(process: Box) -> None:
    assert b"NoNewPrivs:\t1" in process.run(["cat", "/proc/self/status"]).stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is replaced by nobody")
def test_root_runs_nothing_untrusted_as_root(bubblewrap: Box) -> None:
    sleeping, users = mark(), set[int]()

    def look(_stream: str, _data: bytes) -> None:
        users.update(map(user_of, alive(sleeping)))

    assert bubblewrap.sh(f"sleep {sleeping} & for i in 1 2 3 4 5 6 7 8; do sleep 0.2; echo begun; done", on_output=look).ok
    assert users - {-1} == {65534}


def test_there_is_a_user_and_a_host_of_its_own(bubblewrap: Box) -> None:
    outcome = bubblewrap.sh("id -un; uname -n; cat /etc/passwd | wc -l")
    assert outcome.stdout.split() == [b"sandbox", b"sandbox", b"1"]


def test_what_is_named_readable_is_seen_and_cannot_be_changed(bubblewrap: Box) -> None:
    place = Path("/opt") / f"guardrails-test-{mark()}"
    if not os.access("/opt", os.W_OK):
        pytest.skip("/opt cannot be written here, and a sandbox has a /tmp of its own")
    place.mkdir(0o755)
    try:
        (place / "tool.txt").write_text("tool\n")
        outcome = bubblewrap.sh(f"cat {place}/tool.txt; echo x > {place}/tool.txt", readable=[str(place)])
        assert outcome.stdout == b"tool\n"
        assert b"Read-only" in outcome.stderr
        assert (place / "tool.txt").read_text() == "tool\n"
    finally:
        (place / "tool.txt").unlink()
        place.rmdir()


def test_memory_shared_between_its_processes_is_bounded(bubblewrap: Box) -> None:
    outcome = bubblewrap.sh("cat /dev/zero > /dev/shm/all; wc -c < /dev/shm/all", disk=1 << 20)
    assert int(outcome.stdout) == 1 << 20
    assert b"No space" in outcome.stderr
