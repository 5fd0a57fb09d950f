"""Time the linter: one file, and a project of 4,000 files and 28 MB: Python files of this environment, and worker code among them."""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

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


def timed(arguments: list[str], cwd: Path, cache: Path) -> float:
    """Wall seconds of one run of the command."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    start = time.perf_counter()
    command = [sys.executable, "-I", "-m", "guardrails", "check", *arguments]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise SystemExit(done.stderr or f"guardrails exited with {done.returncode}")
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        one = ["--no-cache", str(ROOT / "examples" / "safe-shop" / "shop" / "exports" / "queue.py")]
        seconds = [timed(one, work, work / "cache") for _ in range(9)]
        print(f"one file, no cache: {statistics.median(seconds):.3f} s (median of 9)")
        project = work / "project"
        project.mkdir()
        count, size = build(project)
        print(f"project of {count} files, {size / 1e6:.1f} MB:")
        for label, arguments in (("no cache", ["--no-cache", "."]), ("first run", ["."]), ("second run", ["."])):
            seconds = [timed(arguments, project, work / "cache") for _ in range(3 if label != "first run" else 1)]
            print(f"  {label}: {min(seconds):.2f} s (best of {len(seconds)})")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
        print(f"  peak memory: {peak:.0f} MiB")


if __name__ == "__main__":
    main()
