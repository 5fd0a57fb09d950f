"""The commits of a pull request as git objects in a repository of our own: nothing counts that the clone configures, no file of it is read.

The objects are borrowed from a clone where that has them all, else fetched.
"""

from __future__ import annotations

import base64
import os
import re
import subprocess
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from guardrails import git

DEPTHS = (50, 1_000, 2_147_483_647)  # the last is git's word for all
SECONDS = 600  # for a fetch
MOST_CLONES = 100  # that are looked for in a workspace
_TRUSTING = ("-c", "safe.directory=*")  # a workspace may belong to another user; of it we only ask where things lie
_SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SECRET = re.compile(r"(?i)(authorization:.*|//[^/\s]*@)")


class Origin(msgspec.Struct, frozen=True):
    """Where commits can be fetched from, with a token where that is asked for one."""

    url: str
    token: str = ""


def gather(folder: Path, clone: Path | None, origin: Origin | None, base: str, head: str) -> None:
    """Makes `folder` (there, empty) a repository that holds both commits and the one at which the change left its base.

    Raises `GitError` with what to add to the workflow.
    """
    if not (_SHA.fullmatch(base) and _SHA.fullmatch(head)):
        raise git.GitError(f"{base!r} and {head!r} are no names of commits; the event or the API is broken, so run it again")
    _init(folder)
    if clone is not None and _borrow(folder, clone) and _has_all(folder, base, head):
        return
    _return(folder)
    _fetch_all(folder, origin, base, head)


def is_checked_out(clone: Path, head: str) -> bool:
    """Whether files of this commit, or of a merge of it, lie in a clone or in one right below it; also where git does not tell."""
    return any(_holds(one.parent, head) for one in (clone / ".git", *islice(clone.glob("*/.git"), MOST_CLONES)) if one.exists())


def _holds(clone: Path, head: str) -> bool:
    name = git.text(clone, *_TRUSTING, "rev-parse", "--verify", "--quiet", "HEAD")
    commit = git.text(clone, *_TRUSTING, "cat-file", "commit", "HEAD")  # itself: of a shallow one, git shows no parents
    parents = re.findall(r"(?m)^parent ([0-9a-f]+)$", commit.partition("\n\n")[0])
    return not name or not commit or head in (name, *parents)


def _init(folder: Path) -> None:
    if git.run(folder, "init", "--quiet", "--template=", str(folder)) is None:
        raise git.GitError("git is not installed here, or cannot make a repository; install git 2.30 or newer")


def _borrow(folder: Path, clone: Path) -> bool:
    """Lets the repository see the objects of a clone; not those of a partial one, which has gaps anywhere."""
    objects, shallow = (_path(clone, name) for name in ("objects", "shallow"))
    if objects is None or "\n" in str(objects) or git.text(clone, *_TRUSTING, "config", "--get-regexp", r"remote\..*\.promisor"):
        return False
    (folder / ".git" / "objects" / "info").mkdir(parents=True, exist_ok=True)
    (folder / ".git" / "objects" / "info" / "alternates").write_bytes(os.fsencode(objects) + b"\n")
    if shallow is not None and shallow.is_file():
        (folder / ".git" / "shallow").write_bytes(shallow.read_bytes())
    return True


def _return(folder: Path) -> None:
    """Half of another's history would be in the way."""
    for name in ("objects/info/alternates", "shallow"):
        (folder / ".git" / name).unlink(missing_ok=True)


def _path(clone: Path, name: str) -> Path | None:
    found = git.text(clone, *_TRUSTING, "rev-parse", "--git-path", name)
    return (clone / found).resolve() if found else None


def _has_all(folder: Path, base: str, head: str) -> bool:
    """Both commits, and the one that they have in common."""
    if not all(git.text(folder, "rev-parse", "--verify", "--quiet", f"{one}^{{tree}}") for one in (base, head)):
        return False
    common = git.text(folder, "merge-base", base, head)
    return bool(common) and bool(git.text(folder, "rev-parse", "--verify", "--quiet", f"{common}^{{tree}}"))


def _fetch_all(folder: Path, origin: Origin | None, base: str, head: str) -> None:
    why = "there is no address to fetch them from"
    for depth in DEPTHS if origin is not None else ():
        why = _fetch(folder, origin, depth, base, head) if origin is not None else why
        if why:
            break
        if _has_all(folder, base, head):
            return
        why = f"{head[:10]} and {base[:10]} have no commit in common"
    raise git.GitError(
        f"the commits of the change ({base[:10]} to {head[:10]}) are not all in this clone and could not be fetched ({why}); "
        "in the workflow give actions/checkout `fetch-depth: 0`"
    )


def _fetch(folder: Path, origin: Origin, depth: int, base: str, head: str) -> str:
    """Fetches; why it failed, "" where it did not. The token is in the environment of this one process, never in its arguments."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": "https:http:file", "LC_ALL": "C"} | _header(origin)
    command = [
        "git", "-c", f"core.hooksPath={os.devnull}", "-c", "gc.auto=0", "-c", "maintenance.auto=false",
        "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", f"--depth={depth}", origin.url, base, head,
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"no end after {SECONDS} s"
    except OSError as error:
        return (error.strerror or "git cannot be run").lower()
    if done.returncode == 0:
        return ""
    lines = [line for line in os.fsdecode(done.stderr).splitlines() if line.startswith(("fatal:", "error:"))] or ["git fetch failed"]
    return _SECRET.sub("", lines[-1])[:200].removeprefix("fatal: ").removeprefix("error: ")


def _header(origin: Origin) -> dict[str, str]:
    if not origin.token or urlsplit(origin.url).scheme not in ("https", "http"):
        return {}
    given = base64.b64encode(f"x-access-token:{origin.token}".encode()).decode()
    place = f"{urlsplit(origin.url).scheme}://{urlsplit(origin.url).netloc}/"
    return {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"http.{place}.extraheader", "GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {given}"}
