"""Lints what a coding agent just edited. It never stands in the agent's way: whatever fails is a note on stderr.

It is loaded after every edit, so that it knows nothing of the command line: neither commands nor colours.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from guardrails.instruct import hooks

MAX_BYTES = 20_000_000  # of an event
CAP = 9_000  # bytes of an answer: clients cut at 10,000


def main(client: str) -> int:
    """Answers the event on standard input. The exit status is 0, whatever happens: agents take another for a word on what they did."""
    try:
        if told := answer(client, _stdin()):
            sys.stdout.write(f"{told}\n")
            sys.stdout.flush()
    except Exception as error:
        _note(f"{_why(error)}; the edit was not checked")
        _let_go()
    return 0


def _stdin() -> bytes:
    data = sys.stdin.buffer.read(MAX_BYTES + 1) if sys.stdin is not None else b""
    if len(data) > MAX_BYTES:
        raise ValueError("the event is too large")
    return data


def _why(error: Exception) -> str:
    said = " ".join(str(error).split()).rstrip(".")[:300]
    return said if isinstance(error, (ValueError, OSError)) and said else f"{type(error).__name__}: {said}"


def _note(sentence: str) -> None:
    from guardrails.report.safe import visible

    try:
        sys.stderr.write(f"guardrails: hook: {visible(sentence)}\n")
    except (OSError, ValueError):
        _let_go()


def _let_go() -> None:
    """Streams that nobody reads lead nowhere; else the interpreter fails when it flushes at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):
            with open(os.devnull, "w") as nowhere:  # noqa: PTH123
                os.dup2(nowhere.fileno(), 1 if stream is sys.stdout else 2)


def answer(client: str, text: bytes) -> str:
    """The answer to an event, "" where there is nothing to say."""
    event = hooks.event(client, text)
    folder = Path(event.folder or Path.cwd())
    if event.waits:
        _keep(event, folder)
        return ""
    names = _kept(event, folder) if event.ends else event.files
    said = report(folder, names) if names else ""
    return hooks.answer(client, event, said) if said else ""


def report(folder: Path, names: Sequence[str]) -> str:
    """What is new in these files, in few lines, "" where nothing is."""
    from guardrails.files import find_root

    bounds = _bounds(folder)
    groups: dict[Path, list[Path]] = {}
    for path in dict.fromkeys(_inside(folder, name, bounds) for name in names):
        if path is not None:
            groups.setdefault(find_root([path]), []).append(path)
    whole = "\n".join(filter(None, map(_linted, groups.values()))).encode("utf-8", "replace")
    return whole.decode() if len(whole) <= CAP else whole[: CAP - 4].decode("utf-8", "ignore") + " ..."


def _bounds(folder: Path) -> Path:
    """The repository in which the session runs, else the project."""
    from guardrails.files import find_root

    real = folder.resolve()
    return next((one for one in (real, *real.parents) if (one / ".git").exists()), None) or find_root([real])


def _inside(folder: Path, name: str, bounds: Path) -> Path | None:
    """An edited file that is linted, None for any other; a path that leads out is refused."""
    from guardrails.paths import is_instructions
    from guardrails.read import language_of

    path = Path(os.path.normpath(folder / name))
    real = path.resolve()
    if not (language_of(name) or is_instructions(real.as_posix())) or not real.is_file():
        return None
    if not real.is_relative_to(bounds):
        _note(f"{name} lies outside of {bounds}, so it was not checked")
        return None
    return real


def _linted(paths: Sequence[Path]) -> str:
    """What files of one project have that the last commit has not."""
    import msgspec

    from guardrails import baseline, git, lint, report, rulebook
    from guardrails.instruct.reader import reader
    from guardrails.report.view import View

    request = lint.prepare(paths)
    request = msgspec.structs.replace(request, baseline=baseline.usual(request.root), more=reader(request.config))
    result = lint.lint_edited(request, lambda path: git.run(request.root, "cat-file", "blob", f"HEAD:./{path}"))
    if not result.findings:
        return ""
    edited = " ".join(dict.fromkeys(found.spot.path for found in result.findings))
    return report.render("agent", result, View(rules=rulebook.load(), again=f"guardrails check --diff HEAD {edited}"))


def _record(event: hooks.Event, folder: Path) -> Path:
    """Where the edits of a turn are kept: beside the cache, by a name that says nothing."""
    from guardrails.cache import user_folder

    session = f"{event.session}\0{folder}".encode("utf-8", "surrogatepass")
    return user_folder() / "turns" / hashlib.sha256(session).hexdigest()[:32]


def _keep(event: hooks.Event, folder: Path) -> None:
    record = _record(event, folder)
    record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with record.open("a", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(f"{name}\n" for name in event.files if "\n" not in name)


def _kept(event: hooks.Event, folder: Path) -> Sequence[str]:
    """The files of a turn, which are forgotten with that."""
    record = _record(event, folder)
    try:
        names = record.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return ()
    record.unlink(missing_ok=True)
    return list(dict.fromkeys(names))[: hooks.MOST_FILES]
