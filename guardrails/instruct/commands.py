"""The commands of a project that an agent may run: only what its own files declare, with the prefix of its package manager."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from guardrails.paths import CONFIG_BYTES, folders_above, read_plain, stays_inside

PREFIXES = {
    "uv.lock": "uv run ",
    "poetry.lock": "poetry run ",
    "pdm.lock": "pdm run ",
    "Pipfile.lock": "pipenv run ",
    "pixi.lock": "pixi run ",
}
MANAGERS = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn", "bun.lockb": "bun run", "bun.lock": "bun run"}
WORDS = ("test", "tests")  # what a target that runs the tests is called, best first
SMALLEST = 3  # test files that are named; of more, the one that names most jobs

_PYTEST = re.compile(r"(?<![\w-])pytest\b")
_MANIFESTS = ("pyproject.toml", "setup.cfg", "setup.py", "tox.ini", "pytest.ini", "Pipfile")
_REQUIREMENTS = re.compile(r"[\w.-]*requirements[\w.-]*\.(?:txt|in)")


class Folder:
    """A folder of a project whose files declare commands; what it lacks, the folders above it may have, up to the root."""

    def __init__(self, root: Path, path: str) -> None:
        self._root, self.path = root, path
        self._texts: dict[str, str] = {}

    def text(self, name: str) -> str:
        """What a plain file of the folder holds, empty where there is none."""
        if name not in self._texts:
            self._texts[name] = read(self._root, f"{self.path}/{name}" if self.path else name)
        return self._texts[name]

    def above(self) -> Iterator[str]:
        """The folder and those above it, relative to the root, nearest first."""
        yield from dict.fromkeys((self.path, *reversed(list(folders_above(f"{self.path}/x" if self.path else "x"))), ""))

    def has(self, name: str) -> bool:
        """Whether a plain file of that name stands in the folder."""
        return (self._root / self.path / name).is_file()

    def prefix(self) -> str:
        """What goes before a command so that it runs in the project's environment."""
        return next((word for folder in self.above() for lock, word in PREFIXES.items() if (self._root / folder / lock).is_file()), "")

    def manager(self) -> str:
        """How scripts of a package.json are run."""
        found = (word for folder in self.above() for lock, word in MANAGERS.items() if (self._root / folder / lock).is_file())
        return next(found, "npm run")

    def manifests(self) -> str:
        """Everything that declares dependencies or the settings of tools."""
        here = self._root / self.path
        names = sorted(one.name for one in here.iterdir() if _REQUIREMENTS.fullmatch(one.name)) if here.is_dir() else []
        return "\n".join(self.text(name) for name in (*_MANIFESTS, *names))

    def runs_pytest(self) -> bool:
        """Whether its manifests or its configuration speak of pytest."""
        return self.has("conftest.py") or self.has("tests/conftest.py") or _PYTEST.search(self.manifests()) is not None

    def project(self) -> Mapping[str, Any]:
        """Its pyproject.toml, empty where there is none or it is broken."""
        try:
            return tomllib.loads(self.text("pyproject.toml"))
        except (ValueError, RecursionError):
            return {}


def read(root: Path, path: str) -> str:
    """A small plain file of a project as text, empty where there is none; links are not followed."""
    if not stays_inside(path) or any((root / folder).is_symlink() for folder in folders_above(path)):
        return ""
    try:
        data = read_plain(root / path, CONFIG_BYTES)
    except OSError:
        return ""
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else ""


def tests(folder: Folder, named: Sequence[str], language: str) -> tuple[tuple[str, bool], ...]:
    """Commands that run tests, to be typed in the folder: those of its worker code (`named`: the test files, those that name
    most jobs first), then all; with each whether it is the first of these."""
    smallest = _smallest(folder, named[:1] if len(named) > SMALLEST else sorted(named))
    everything = next(_declared(folder, language), "")
    return tuple((line, names_jobs) for line, names_jobs in ((smallest, True), (everything, False)) if line)


def _smallest(folder: Folder, named: Sequence[str]) -> str:
    """The tests that name jobs, where their runner is known."""
    python = [path for path in named if path.endswith(".py")]
    if not python:
        return ""
    if folder.runs_pytest():
        return f"{folder.prefix()}pytest {shlex.join(python)}"
    if folder.has("manage.py"):
        labels = [path.removesuffix(".py").replace("/", ".") for path in python]
        return f"{folder.prefix()}python manage.py test {shlex.join(labels)}"
    return ""


def _declared(folder: Folder, language: str) -> Iterator[str]:
    """Commands that run all tests, the project's own word first."""
    yield from (f"make {word}" for word in WORDS if word in _targets(folder.text("Makefile") or folder.text("makefile")))
    yield from (f"just {word}" for word in WORDS if word in _targets(folder.text("justfile") or folder.text("Justfile"), "[ :]"))
    if language == "typescript":
        yield from _scripts(folder)
    yield from _tasks(folder)
    yield from (f"{folder.prefix()}{tool}" for tool, name in (("tox", "tox.ini"), ("nox", "noxfile.py")) if folder.has(name))
    if folder.runs_pytest():
        yield f"{folder.prefix()}pytest"
    if folder.has("manage.py"):
        yield f"{folder.prefix()}python manage.py test"
    yield from _scripts(folder)
    if folder.has("Cargo.toml"):
        yield "cargo test"


def _targets(text: str, end: str = ":(?!=)") -> set[str]:
    """What a Makefile or justfile can make."""
    return set(re.findall(rf"^@?({'|'.join(WORDS)})[ \t]*(?={end})", text, re.MULTILINE))


def _scripts(folder: Folder) -> Iterator[str]:
    """The scripts of a package.json that run tests."""
    try:
        scripts = json.loads(folder.text("package.json") or "{}").get("scripts", {})
    except (ValueError, RecursionError, AttributeError):
        return
    found = scripts if isinstance(scripts, dict) else {}
    yield from (f"{folder.manager()} {word}" for word in WORDS if word in found and "no test specified" not in str(found[word]))


def _tasks(folder: Folder) -> Iterator[str]:
    """Tasks that a pyproject.toml declares for a runner of tasks."""
    tool = folder.project().get("tool", {})
    for runner, *keys in (
        ("poe", "poe", "tasks"),
        ("task", "taskipy", "tasks"),
        ("pdm run", "pdm", "scripts"),
        ("pixi run", "pixi", "tasks"),
    ):
        found: Any = tool
        for key in keys:
            found = found.get(key, {}) if isinstance(found, dict) else {}
        before = "" if " " in runner else folder.prefix()
        yield from (f"{before}{runner} {word}" for word in WORDS if isinstance(found, dict) and word in found)
    if isinstance(tool, dict) and "tox" in tool and not folder.has("tox.ini"):
        yield f"{folder.prefix()}tox"
