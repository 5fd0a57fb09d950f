"""Time the linter: one file, and a project of 4,000 files and 28 MB: Python files of this environment, and worker code among them.

Ratios to the start of Python itself, and a peer on the same files, make figures of different machines comparable.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FILES, MEGABYTES, SHOPS = 4000, 28, 20


def sources() -> Iterator[Path]:
    """Real Python files: of the installed packages, then of the standard library; over and over."""
    paths = sysconfig.get_paths()
    found = [path for key in ("purelib", "stdlib") for path in sorted(Path(paths[key]).rglob("*.py")) if path.stat().st_size < 400_000]
    while True:
        yield from found


def build(folder: Path) -> tuple[int, int]:
    """A project below `folder`; (files, bytes). Worker code: the example shops, copied."""
    (folder / "pyproject.toml").write_text('[tool.guardrails]\nfail_on = "never"\n')
    for number in range(SHOPS):
        shutil.copytree(ROOT / "examples" / "unsafe-shop" / "shop", folder / f"service{number}" / "shop")
    count, size = sum(1 for _ in folder.rglob("*.py")), 0
    for path in sources():
        if count >= FILES:
            break
        data = path.read_bytes()
        room = (MEGABYTES * 1_000_000 - size) / (FILES - count)
        if len(data) > 8 * room:
            continue
        target = folder / f"package{count % 40}" / f"module{count}.py"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(data)
        count, size = count + 1, size + len(data)
    return count, sum(path.stat().st_size for path in folder.rglob("*.py"))


class Run(NamedTuple):
    """One run of a command."""

    wall: float
    cpu: float
    peak: float  # MiB


def run(command: list[str], cwd: Path, cache: Path) -> Run:
    """Run a command to its end; findings are no failure. Compiled modules are kept, as for every user who has not forbidden it."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PYTHONPYCACHEPREFIX": str(cache / "modules")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    told = process.stderr.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(told or f"{command} exited with {process.returncode}")
    peak = used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return Run(wall, used.ru_utime + used.ru_stime, peak)


def best(command: list[str], cwd: Path, cache: Path, times: int) -> Run:
    """The quickest of several runs by CPU time, with the highest peak of memory."""
    runs = [run(command, cwd, cache) for _ in range(times)]
    return min(runs, key=lambda one: one.cpu)._replace(peak=max(one.peak for one in runs))


def tell(label: str, one: Run, start_up: Run) -> None:
    """One line of the report; `start_up` is what Python itself takes, which says how fast the machine is just now."""
    print(f"  {label:<22}{one.wall:7.3f} s wall {one.cpu:7.3f} s CPU {one.peak:6.0f} MiB {one.cpu / start_up.cpu:8.1f} x python -c pass")


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        cache, project = work / "cache", work / "project"
        check = [sys.executable, "-I", "-m", "guardrails", "check"]
        one = str(ROOT / "examples" / "safe-shop" / "shop" / "mail" / "client.py")
        run([*check, one], work, cache)
        start_up = best([sys.executable, "-I", "-c", "pass"], work, cache, 9)
        print("one file:")
        tell("python -c pass", start_up, start_up)
        tell("no cache", best([*check, "--no-cache", one], work, cache, 9), start_up)
        tell("with cache", best([*check, one], work, cache, 9), start_up)
        project.mkdir()
        count, size = build(project)
        print(f"project of {count} files, {size / 1e6:.1f} MB:")
        tell("cold (no cache)", best([*check, "--no-cache", "."], project, cache, 3), start_up)
        tell("first (fills the cache)", run([*check, "."], project, cache), start_up)
        tell("warm", best([*check, "."], project, cache, 3), start_up)
        if ruff := shutil.which("ruff", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))):
            peer = [ruff, "check", "--no-cache", "--isolated", "--exit-zero", "."]
            tell("ruff check, one core", best(_on_one_core(peer), project, cache, 3), start_up)


def _on_one_core(command: list[str]) -> list[str]:
    taskset = shutil.which("taskset")
    return [taskset, "-c", "0", *command] if taskset else command


if __name__ == "__main__":
    main()
