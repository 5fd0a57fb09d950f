"""What `guardrails init` sees in a project: where its worker code stands, service by service, and which commands it has.

Whatever is said here changes only when the project does: nothing of the machine, the clone or the run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from guardrails import git
from guardrails.files import discover, is_test
from guardrails.instruct.commands import Folder, read, tests
from guardrails.instruct.globs import globs
from guardrails.inventory import Handler, Inventory, Job, Node, Schedule, Spawn
from guardrails.paths import folders_above
from guardrails.read import LANGUAGES, language_of
from guardrails.result import Result

MANIFESTS = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile", "package.json", "Cargo.toml")
CLIENTS = {"claude": ".claude", "copilot": ".github", "cursor": ".cursor", "codex": ".codex", "gemini": ".gemini"}
GATE = ".github/workflows/guardrails.yml"
ON_REQUEST = (".pre-commit-config.yaml", ".gitlab-ci.yml", GATE, "GEMINI.md")
MOST_IN_HOME = 1_000  # files of a client's folder that are looked at where git does not list them
MOST_FILES = 30  # patterns of all files with worker code
MANY_SERVICES = 5  # of more, none gets a file of its own that it has not
TEST_BYTES = 20_000_000  # of test files that are read

_OURS = re.compile(r"^(?:<!--|#) guardrails:begin id=.*?^(?:<!--|#) guardrails:end id=[^\n]*\n?", re.DOTALL | re.MULTILINE)
_MARKER = re.compile(r"guardrails:(?:begin|file) id=")
_REPOS = re.compile(r"repos[ \t]*:")
_IMPORTS_AGENTS = re.compile(r"(?<![\w`])@(?:\./)?AGENTS\.md\b")
_TEST_FILE = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test|tests)\.py$|\.(?:test|spec)\.[cm]?[jt]sx?$")
_DEPENDS = re.compile(r"(?<![\w.-])(worker-guardrails|guardrails-ai)(?![\w-])")


class Work(msgspec.Struct, frozen=True):
    """Jobs of one framework in one service: its title, patterns of their files, and the queues that they are told to use."""

    title: str
    files: tuple[str, ...]
    queues: tuple[str, ...] = ()


class Command(msgspec.Struct, frozen=True):
    """A command line, and the folder in which it is typed, relative to the root. `names_jobs`: it runs the tests that name jobs."""

    folder: str
    line: str
    names_jobs: bool = False


class Service(msgspec.Struct, frozen=True):
    """A part of the project with manifests of its own; `folder` is relative to the root, "" for the root.

    `files` are patterns of all files in which worker code stands, `tests` commands that run tests, the smallest first.
    `has_agents`: an AGENTS.md stands in its folder.
    """

    folder: str
    jobs: tuple[Work, ...] = ()
    spawns: tuple[str, ...] = ()
    handlers: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    tests: tuple[Command, ...] = ()
    has_agents: bool = False


class Seen(msgspec.Struct, frozen=True):
    """A project as its instruction files speak of it.

    `frameworks` are names of models, `languages` those of worker code; `clients` have a folder here. `command` is how guardrails is
    called; `in_git`: changes can be compared with the last commit. `agents_in_use`: AGENTS.md holds words that are not ours.
    `claude`: a CLAUDE.md does not lead to AGENTS.md by itself; the same for `gemini`. `every_job_framework` tells names of frameworks
    of jobs from others. Of the files that are written on request only, `holds` are there and `ours` have our marker; `hooks_indent` is
    how far an item of pre-commit's list is indented, -1 where there is no list, None where nothing can be added to its end.
    """

    services: tuple[Service, ...] = ()
    frameworks: frozenset[str] = frozenset()
    every_job_framework: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    clients: frozenset[str] = frozenset()
    command: str = "guardrails"
    in_git: bool = False
    has_handlers: bool = False
    agents_in_use: bool = False
    claude: bool = False
    gemini: bool = False
    holds: frozenset[str] = frozenset()
    ours: frozenset[str] = frozenset()
    hooks_indent: int | None = -1

    @property
    def found(self) -> bool:
        """Whether there is worker code at all."""
        return bool(self.services)

    @property
    def titles(self) -> tuple[str, ...]:
        """The frameworks of its jobs, in words."""
        return tuple(dict.fromkeys(work.title for service in self.services for work in service.jobs))

    @property
    def has_schedules(self) -> bool:
        """Whether a clock starts a job."""
        return any(service.schedules for service in self.services)


def look(root: Path, result: Result, exclude: Sequence[str] = ()) -> Seen:
    """What the project in `root` holds; `result` is a run over all of it with an inventory, `exclude` what the run left out."""
    inventory = _of_workers(result.inventory or Inventory())
    paths = _worker_files(inventory)
    folders = {path: _service(root, path) for path in paths}
    nodes = [node for node in inventory.nodes() if node.at.path in folders]
    named = _tests_by_folder(root, inventory.jobs, sorted(set(folders.values())), exclude)
    services = tuple(_made(root, folder, _inside(nodes, folders, folder), _mine(paths, folders, folder), named.get(folder, ()))
                     for folder in sorted(set(folders.values())))  # fmt: skip
    return Seen(
        services=services,
        frameworks=frozenset(node.framework for node in nodes),
        every_job_framework=frozenset(result.summary.looked_for),
        languages=frozenset(_language(path) for path in paths),
        clients=_at_home(root),
        command=_command(root),
        in_git=any((folder / ".git").exists() for folder in (root, *root.parents)),
        has_handlers=inventory.all_handlers > 0,
        agents_in_use=bool(without_ours(read(root, "AGENTS.md")).strip()),
        claude=_needs_lead(root, "CLAUDE.md"),
        gemini=_needs_lead(root, "GEMINI.md"),
        holds=frozenset(name for name in ON_REQUEST if (root / name).exists()),
        ours=frozenset(name for name in ON_REQUEST if _MARKER.search(read(root, name))),
        hooks_indent=_hooks_indent(read(root, ON_REQUEST[0])),
    )


def without_ours(text: str) -> str:
    """A file without the blocks that we manage."""
    head, end, rest = text.rpartition("guardrails:end id=")  # behind it no block ends
    last, line, rest = rest.partition("\n")
    return _OURS.sub("", head + end + last + line) + rest if end else text


def _needs_lead(root: Path, name: str) -> bool:
    """Whether a file for one client is there and does not lead to AGENTS.md by itself; a link may lead there."""
    return (root / name).is_file() and not (root / name).is_symlink() and not _IMPORTS_AGENTS.search(without_ours(read(root, name)))


def _hooks_indent(text: str) -> int | None:
    """How far an item is indented in the list of repositories; -1 where the list is to be begun, None where nothing can be added to
    its end, as something else stands there."""
    lines = [line for line in without_ours(text).splitlines() if line.strip() and not line.lstrip().startswith("#")]
    top = [number for number, line in enumerate(lines) if line[:1] not in (" ", "-")]
    begun = next((number for number in top if _REPOS.match(lines[number])), None)
    if begun is None:
        return -1
    items = [line for line in lines[begun + 1 :] if line.lstrip().startswith("- ")]
    is_last = begun == top[-1] or _MARKER.search(text) is not None
    return len(items[0]) - len(items[0].lstrip()) if items and is_last and lines[begun].rstrip().endswith(":") else None


def _at_home(root: Path) -> frozenset[str]:
    """The clients that have something in their folder which a clone has, too, and which is no gate of ours."""
    folders = [folder for folder in CLIENTS.values() if (root / folder).is_dir() and not (root / folder).is_symlink()]
    listed = git.run(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *folders) if folders else b""
    if listed is None:
        paths = {file.relative_to(root).as_posix() for folder in folders for file in islice((root / folder).rglob("*"), MOST_IN_HOME)}
    else:
        paths = {os.fsdecode(path) for path in listed.split(b"\0")}
    paths -= {path for path in paths if path == GATE and _MARKER.search(read(root, path))} | {GATE.rpartition("/")[0]}
    homes = {path.partition("/")[0] for path in paths}
    return frozenset(client for client, folder in CLIENTS.items() if folder in homes)


def _of_workers(inventory: Inventory) -> Inventory:
    """The inventory without what is started beside the flow of programs that do other things: a promise in a page, a thread in a script."""
    code = {node.id for node in inventory.code}
    started = {edge.target for edge in inventory.edges if edge.source not in code}
    spawns = [one for one in inventory.spawns if one.id in started or (not inventory.jobs and language_of(one.at.path) != "typescript")]
    left = {one.id for one in inventory.spawns} - {one.id for one in spawns}
    edges = tuple(edge for edge in inventory.edges if edge.target not in left and edge.source not in left)
    ends = {end for edge in edges for end in (edge.source, edge.target)}
    code_left = tuple(one for one in inventory.code if one.id in ends)
    return msgspec.structs.replace(inventory, spawns=tuple(spawns), code=code_left, edges=edges)


def _worker_files(inventory: Inventory) -> tuple[str, ...]:
    """Every file in which a job, what starts one, or a setting of one stands."""
    spots = [node.at for node in inventory.nodes()]
    spots += [value.at for job in inventory.jobs for value in (job.limit, job.retries, job.queue) if value.at is not None]
    spots += [edge.at for edge in inventory.edges]
    return tuple(sorted({spot.path for spot in spots if language_of(spot.path) and not is_test(spot.path)}))


def _service(root: Path, path: str) -> str:
    """The nearest folder above a file that has manifests of its own."""
    above = [*folders_above(path)]
    return next((folder for folder in reversed(above) if any((root / folder / name).is_file() for name in MANIFESTS)), "")


def _mine(paths: Iterable[str], folders: Mapping[str, str], folder: str) -> list[str]:
    return [path for path in paths if folders[path] == folder]


def _inside(nodes: Iterable[Node], folders: Mapping[str, str], folder: str) -> list[Node]:
    return [node for node in nodes if folders[node.at.path] == folder]


def _made(root: Path, folder: str, nodes: Sequence[Node], paths: Sequence[str], named: Sequence[str]) -> Service:
    jobs = [node for node in nodes if isinstance(node, Job)]
    return Service(
        folder=folder,
        jobs=tuple(_work(title, [job for job in jobs if job.title == title]) for title in sorted({job.title for job in jobs})),
        spawns=_files(node for node in nodes if isinstance(node, Spawn)),
        handlers=_files(node for node in nodes if isinstance(node, Handler)),
        schedules=_files(node for node in nodes if isinstance(node, Schedule)),
        files=globs(paths, MOST_FILES),
        tests=_commands(root, folder, named, "typescript" if {_language(path) for path in paths} == {"typescript"} else "python"),
        has_agents=(root / folder / "AGENTS.md").is_file(),
    )


def _commands(root: Path, folder: str, named: Sequence[str], language: str) -> tuple[Command, ...]:
    """Those of the service, else those of the whole project."""
    for place in dict.fromkeys((folder, "")):
        inside = [path.removeprefix(f"{place}/") for path in named if not place or path.startswith(f"{place}/")]
        if lines := tests(Folder(root, place), inside, language):
            return tuple(Command(place, line, names_jobs) for line, names_jobs in lines)
    return ()


def _work(title: str, jobs: Sequence[Job]) -> Work:
    queues = {job.queue.words for job in jobs if job.queue.source in ("job", "settings")}
    return Work(title, _files(jobs), tuple(sorted(queues)))


def _files(nodes: Iterable[Node]) -> tuple[str, ...]:
    return globs({node.at.path for node in nodes})


def _tests_by_folder(root: Path, jobs: Sequence[Job], folders: Sequence[str], exclude: Sequence[str]) -> dict[str, list[str]]:
    """By service, the test files that name its jobs; those that name most come first."""
    tree, room = discover(root, (), LANGUAGES, exclude), TEST_BYTES
    words = {folder: _words(job for job in jobs if _owner(job.at.path, folders) == folder) for folder in folders}
    counts: dict[str, dict[str, int]] = {folder: {} for folder in folders}
    for path in (path for path in tree.paths if _TEST_FILE.search(path)):
        held = _held(tree.load(path)) if room > 0 else frozenset()
        room -= len(tree.load(path)) if room > 0 else 0
        for folder, named in words.items():
            if _owner(path, folders) in (folder, "", None) and (found := {name for name, module in named if {name, module} <= held}):
                counts[folder][path] = len(found)
    return {folder: sorted(found, key=lambda path: (-found[path], path)) for folder, found in counts.items()}


def _held(data: bytes) -> frozenset[bytes]:
    return frozenset(re.findall(rb"[A-Za-z_]\w*", data))


def _words(jobs: Iterable[Job]) -> list[tuple[bytes, bytes]]:
    """What a test of a job names: the job, and the module in which it stands."""
    modules = ((job.name.rpartition(".")[2], job.at.path.removesuffix("/__init__.py").rpartition("/")[2].partition(".")[0]) for job in jobs)
    return [(name.encode(), module.encode()) for name, module in modules if name]


def _owner(path: str, folders: Sequence[str]) -> str | None:
    """The innermost of the folders in which a path stands."""
    return max((folder for folder in folders if not folder or path.startswith(f"{folder}/")), key=len, default=None)


def _command(root: Path) -> str:
    """How guardrails is called here: from the project's environment where it is a dependency, by its other name beside a namesake."""
    here = Folder(root, "")
    named = set(_DEPENDS.findall(here.manifests())) - {here.project().get("project", {}).get("name")}
    word = "worker-guardrails" if "guardrails-ai" in named else "guardrails"
    return f"{here.prefix()}{word}" if "worker-guardrails" in named else word


def _language(path: str) -> str:
    return language_of(path) or "python"
