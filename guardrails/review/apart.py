"""Looks at a change in a process of its own, which holds no token: what it reads was written by anybody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec

import guardrails
from guardrails.review.look import Looked, Task

SECONDS = 1_200
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME", "LOCALAPPDATA", "USERPROFILE", "SYSTEMROOT", "TZ")
# The child runs this package and no other of its name, wherever it lies, and nothing of the current folder.
_BOOT = """
import importlib.util, sys
folder = sys.argv[1]
spec = importlib.util.spec_from_file_location("guardrails", folder + "/__init__.py", submodule_search_locations=[folder])
sys.modules["guardrails"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
from guardrails.review import apart
apart.main()
"""


class LookError(Exception):
    """A mistake in the project that is looked at; the message is one sentence with a remedy."""


class BrokenError(Exception):
    """The look failed through a fault of ours; its note is the traceback there."""

    def __init__(self, message: str, report: str = "") -> None:
        super().__init__(message)
        self.add_note(report)


class _Answer(msgspec.Struct):
    looked: Looked | None = None
    mistake: str = ""
    fault: str = ""
    report: str = ""


def look_apart(task: Task) -> Looked:
    """As `look`, in another process. Raises `LookError` and `BrokenError`."""
    answer = _asked(task)
    if answer.mistake:
        raise LookError(answer.mistake)
    if answer.looked is None:
        raise BrokenError(answer.fault or "the look at the change ended without a result", answer.report)
    return answer.looked


def _asked(task: Task) -> _Answer:
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    command = [sys.executable, "-I", "-c", _BOOT, str(Path(guardrails.__file__).parent)]
    try:
        done = subprocess.run(
            command, cwd=task.folder, env=environment, input=msgspec.json.encode(task), capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise BrokenError(f"the look at the change had not ended after {SECONDS} s") from None
    try:
        return _read(done.stdout)
    except (ValueError, msgspec.ValidationError, RecursionError):
        raise BrokenError(f"the look at the change ended with status {done.returncode}", os.fsdecode(done.stderr[-4_000:])) from None


def main() -> None:
    """The other process: a task on standard input, an answer on standard output."""
    sys.stdout.write(_written(_answered(msgspec.json.decode(sys.stdin.buffer.read(), type=Task))))


def _answered(task: Task) -> _Answer:
    from guardrails.review import look

    try:
        return _Answer(look.look(task))
    except look.MISTAKES as error:
        return _Answer(mistake=str(error))
    except Exception as error:
        import traceback

        return _Answer(fault=f"{type(error).__name__}: {error}"[:300], report="".join(traceback.format_exception(error))[-8_000:])


def _written(answer: _Answer) -> str:
    """ASCII: names and code may hold what is no Unicode text, and come back as they were."""
    return json.dumps(msgspec.to_builtins(answer))


def _read(data: bytes) -> _Answer:
    return msgspec.convert(json.loads(data), _Answer)


__all__ = ["BrokenError", "LookError", "look_apart", "main"]
