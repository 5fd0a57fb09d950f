"""The fake GitHub for the stories of the reviewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from host import GitHub
from host.git_repo import Files, Repo
from story import BASE, Story


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., GitHub]]:
    """Starts fake GitHubs (arguments as of `GitHub`); what they complain of fails the test at its end.

    What urllib3 would sleep before it tries again goes to the clock of the last one.
    """
    started: list[GitHub] = []

    def start(repo: Path | Repo, *args: Any, **more: Any) -> GitHub:
        made = GitHub(repo.path if isinstance(repo, Repo) else repo, *args, **more)
        started.append(made)
        monkeypatch.setattr("urllib3.util.retry.time", made.clock)
        return made.start()

    yield start
    for one in started:
        one.stop()
    for one in started:
        one.check()


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    """A repository with one commit on `main`."""
    numbers = "".join(f"line {number}\n" for number in range(1, 41))
    return Repo(tmp_path / "shop", {"jobs.py": numbers, "README.md": "# Shop\n", "old.py": "def gone():\n    return 1\n"})


@pytest.fixture
def host(hosts: Callable[..., GitHub], repo: Repo) -> GitHub:
    """A fake GitHub with pull request 1: lines 10 and 30 of jobs.py changed."""
    text = (repo.path / "jobs.py").read_text()
    repo.branch({"jobs.py": text.replace("line 10\n", "line ten\n").replace("line 30\n", "line thirty\n")})
    return hosts(repo)


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder for all stories: the models of frameworks are read once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def begin(hosts: Callable[..., GitHub], tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Story]:
    """Begins a story: files of the change (over `base`), then arguments of `GitHub.open`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))

    def made(change: Files, base: Files = BASE, rights: dict[str, str] | None = None, **pull: Any) -> Story:
        repo = Repo(tmp_path / "origin", base)
        repo.branch(change)
        host = hosts(repo, rights=rights)
        if pull:
            host.state.pulls.clear()
            host.open("HEAD", **pull)
        return Story(repo, host, tmp_path / "runner")

    return made
