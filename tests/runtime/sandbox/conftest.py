"""Every driver that works here; the others are skipped, and say why."""

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from guardrails.runtime import settings
from tests.runtime.sandbox.boxes import IMAGE, Box


@functools.cache
def missing(driver: str) -> str:
    """Why a driver cannot work on this machine; found out without our own code, whose faults must not look like this."""
    if driver == "bubblewrap":
        return _tried("bubblewrap", "bwrap --unshare-user --unshare-pid --ro-bind / / --proc /proc true")
    if driver == "docker":
        return _tried("docker", "docker version") or _tried("docker", f"docker image inspect {IMAGE}")
    return ""


def _tried(driver: str, line: str) -> str:
    if shutil.which(line.split()[0]) is None:
        return f"{driver} is not installed"
    done = subprocess.run(line.split(), capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode == 0 else f"{driver} does not work here: {line}: {done.stderr.strip()[-200:]}"


def _box(driver: str) -> Box:
    if why := missing(driver):
        pytest.skip(why)
    if driver == "bubblewrap":
        return Box("bubblewrap")
    if driver == "docker":
        return Box("docker", {"driver": "docker", "image": IMAGE})
    return Box("process", {"driver": "process", "network": True})


@pytest.fixture(params=["bubblewrap", "docker", "process"])
def box(request: pytest.FixtureRequest) -> Box:
    """Each driver."""
    return _box(request.param)


@pytest.fixture(params=["bubblewrap", "docker"])
def closed_box(request: pytest.FixtureRequest) -> Box:
    """Each driver that isolates."""
    return _box(request.param)


@pytest.fixture(params=["bubblewrap", "process"])
def local_box(request: pytest.FixtureRequest) -> Box:
    """Each driver whose processes are our descendants."""
    return _box(request.param)


@pytest.fixture
def bubblewrap() -> Box:
    return _box("bubblewrap")


@pytest.fixture
def docker() -> Box:
    return _box("docker")


@pytest.fixture
def process() -> Box:
    return _box("process")


@pytest.fixture
def secrets() -> Iterator[dict[str, str]]:
    """A resolver's secrets, to be filled."""
    held: dict[str, str] = {}
    settings.configure(secrets=held.get)
    yield held
    settings._current = None


@pytest.fixture(autouse=True)
def own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scratch folders of this test only."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that alone is searched for programs, to put counterfeits into; everybody may run them."""
    monkeypatch.undo()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        monkeypatch.setenv("PATH", folder)
        yield Path(folder)
