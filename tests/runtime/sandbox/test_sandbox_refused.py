"""What is refused, each with one sentence that says what to do: descriptions that could not be kept, and drivers that cannot work here."""

import sys
from pathlib import Path
from typing import Any

import pytest

from guardrails.runtime import SecretRef, sandbox
from guardrails.runtime.errors import SandboxRefused
from guardrails.runtime.sandbox.drivers.docker import state
from tests.runtime.sandbox.boxes import Box

FREE: dict[str, Any] = {"driver": "process", "network": True}


@pytest.mark.parametrize(
    ("words", "options", "sentence"),
    [
        pytest.param("rm -rf /", {}, "a list of words", id="a shell's line"),
        pytest.param(b"ls", {}, "a list of words", id="bytes"),
        pytest.param([], {}, "the program first", id="nothing"),
        pytest.param(["", "x"], {}, "the program first", id="a program without a name"),
        pytest.param(["ls", 3], {}, "a list of strings", id="a number among the words"),
        pytest.param(["ls", "a\0b"], {}, "without NUL", id="NUL"),
        pytest.param(["ls", "\ud800"], {}, "UTF-8", id="no text"),
        pytest.param(["ls"], {"wall": 0}, "wall=0 is not a number of seconds", id="no time"),
        pytest.param(["ls"], {"wall": -1.0}, "wall=-1.0", id="negative time"),
        pytest.param(["ls"], {"wall": float("inf")}, "wall=inf", id="endless time"),
        pytest.param(["ls"], {"wall": float("nan")}, "wall=nan", id="a time that is no number"),
        pytest.param(["ls"], {"wall": True}, "wall=True", id="a truth for a time"),
        pytest.param(["ls"], {"wall": None}, "wall=None", id="None for a time"),
        pytest.param(["ls"], {"cpu": 0}, "cpu=0", id="no processor"),
        pytest.param(["ls"], {"memory": 0}, "memory=0", id="no memory"),
        pytest.param(["ls"], {"memory": 1.5}, "memory=1.5", id="half a byte"),
        pytest.param(["ls"], {"output": None}, "output=None", id="endless output"),
        pytest.param(["ls"], {"processes": 0}, "processes=0", id="no processes"),
        pytest.param(["ls"], {"disk": -5}, "disk=-5", id="negative disk"),
        pytest.param(["ls"], {"driver": "chroot"}, "There is no driver 'chroot'", id="an unknown driver"),
        pytest.param(["ls"], {"network": False}, "cannot cut a command off from the network", id="process without network"),
        pytest.param(["ls"], {"image": "alpine"}, "no other driver takes one", id="an image without docker"),
        pytest.param(["ls"], {"driver": "docker"}, "needs image", id="docker without an image"),
        pytest.param(["ls"], {"secrets": {"A": "plain"}}, "is not a SecretRef", id="a plain secret"),
        pytest.param(["ls"], {"secrets": {"PATH": SecretRef("x")}}, "variable 'PATH'", id="a secret as PATH"),
        pytest.param(["ls"], {"secrets": {"LD_PRELOAD": SecretRef("x")}}, "variable 'LD_PRELOAD'", id="a secret for the loader"),
        pytest.param(["ls"], {"secrets": {"A=B": SecretRef("x")}}, "variable 'A=B'", id="a secret with an odd name"),
        pytest.param(["ls"], {"files": {"a": "text"}}, "is not bytes", id="text as a file"),
        pytest.param(["ls"], {"files": {"a": b"", "a/b": b""}}, "cannot both exist", id="a file below a file"),
        pytest.param(["ls"], {"files": {"a": b"xx"}, "disk": 1}, "more than disk=1 bytes", id="files over the disk limit"),
        pytest.param(["ls"], {"collect": "*.csv"}, "collect is a list", id="one pattern without a list"),
        pytest.param(["ls"], {"collect": ["../*"]}, "not a path within", id="a pattern that goes up"),
        pytest.param(["ls"], {"collect": ["/etc/*"]}, "not a path within", id="an absolute pattern"),
        pytest.param(["ls"], {"readable": ["opt"]}, "not an absolute path", id="a relative path to read"),
        pytest.param(["ls"], {"readable": ["/"]}, "not an absolute path", id="all of the machine to read"),
        pytest.param(["ls"], {"readable": ["/opt/../home"]}, "not an absolute path", id="a path to read that goes up"),
        pytest.param(["ls"], {"readable": ["/opt,readonly=false"]}, "comma", id="a path to read with options in it"),
        pytest.param(["ls"], {"readable": ["/work/x"]}, "for itself", id="a path to read that the sandbox uses"),
    ],
)
def test_a_description_that_could_not_be_kept_is_refused(words: Any, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SandboxRefused, match=sentence):
        sandbox.command(words, **{"wall": 1.0, **FREE, **options})


@pytest.mark.parametrize(
    "name", ["..", "../x", "a/../../x", "/etc/passwd", "", ".", "a//b", "a/", "./a", "a\0b", "\ud800", "a" * 256, ".tmp/x", "a/" * 40 + "a"]
)
def test_a_hostile_file_name_is_refused(name: str) -> None:
    with pytest.raises(SandboxRefused, match=r"is not a path within|is in \.tmp"):
        sandbox.command(["ls"], wall=1.0, files={name: b""}, **FREE)


def test_wall_has_no_default() -> None:
    with pytest.raises(TypeError, match="wall"):
        sandbox.run(["ls"])  # type: ignore[call-arg]


@pytest.mark.parametrize("word", ["nosuchprogram", "./nosuch", "/work/nosuch"])
def test_a_command_that_is_not_there_is_refused(box: Box, word: str) -> None:
    with pytest.raises(SandboxRefused, match=r"cannot be started|not in the image") as refused:
        box.run([word])
    assert word in str(refused.value)
    assert str(refused.value).count("\n") == 0


def test_a_readable_path_that_is_not_there_is_refused(bubblewrap: Box) -> None:
    with pytest.raises(SandboxRefused, match="each path must exist"):
        bubblewrap.run(["true"], readable=["/opt/no/such/path"])


def test_an_image_that_is_not_there_is_refused(docker: Box) -> None:
    with pytest.raises(SandboxRefused, match="docker pull no-such-image first"):
        docker.run(["true"], image="no-such-image")


def counterfeit(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("driver", "script", "sentence"),
    [
        pytest.param("bubblewrap", None, "install the package bubblewrap", id="no bwrap"),
        pytest.param("bubblewrap", "echo bubblewrap 0.4.1", r"too old \(0.4.1\): install 0.8 or newer", id="an old bwrap"),
        pytest.param("docker", None, "docker is not installed", id="no docker"),
        pytest.param("docker", "echo Cannot connect to the daemon >&2; exit 1", "Cannot connect to the daemon.*start it", id="no engine"),
        pytest.param("docker", "exec /bin/sleep 1000", "does not answer", id="an engine that hangs"),
    ],
)
def test_a_driver_that_is_not_installed_is_refused_with_the_remedy(programs: Path, driver: Any, script: str | None, sentence: str) -> None:
    if script is not None:
        counterfeit(programs, {"bubblewrap": "bwrap"}.get(driver, driver), script)
    with pytest.raises(SandboxRefused, match=sentence):
        sandbox.run(["true"], wall=1.0, driver=driver, image="x" if driver == "docker" else None)


@pytest.mark.parametrize(
    ("complaint", "sentence"),
    [
        ("No permissions to create new namespace, likely because the kernel does not allow", "sysctl kernel.unprivileged_userns_clone=1"),
        ("setting up uid map: Permission denied", "a profile for bwrap in AppArmor"),
        ("Can't mount proc on /newroot/proc: Operation not permitted", "allow this user namespaces"),
        ("loopback: Failed RTM_NEWADDR: Operation not permitted", "a profile for bwrap in AppArmor"),
        ("unknown option", "run bwrap by hand"),
    ],
)
def test_a_bwrap_that_may_not_is_told_with_the_remedy(programs: Path, complaint: str, sentence: str) -> None:
    counterfeit(programs, "bwrap", f'[ "$1" = --version ] && echo bubblewrap 0.9.0 && exit 0; echo "bwrap: {complaint}" >&2; exit 1')
    with pytest.raises(SandboxRefused, match=sentence) as refused:
        sandbox.run(["true"], wall=30.0)
    assert complaint in str(refused.value)


def test_elsewhere_than_on_linux_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SandboxRefused, match="need Linux"):
        sandbox.run(["true"], wall=1.0)


def test_a_folder_that_others_may_enter_is_not_used_for_scratch(process: Box, tmp_path: Path) -> None:
    assert process.run(["true"]).ok
    (home,) = tmp_path.glob("guardrails-process-*")
    home.chmod(0o755)
    with pytest.raises(SandboxRefused, match="others may enter it"):
        process.run(["true"])
    home.rmdir()
    home.symlink_to(tmp_path)
    with pytest.raises(SandboxRefused, match="cannot hold scratch folders"):
        process.run(["true"])


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ('[{"State": {"Error": "", "OOMKilled": true}}]', ("", True)),
        ('[{"State": {"Error": "exec: no", "OOMKilled": false}}]', ("exec: no", False)),
        ("[]", ("", False)),
        ("", ("", False)),
        ("Error: No such object", ("", False)),
    ],
)
def test_what_docker_tells_of_a_container(told: str, expected: tuple[str, bool]) -> None:
    assert state(told) == expected
