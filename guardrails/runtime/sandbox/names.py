"""Names that come from outside: of files, patterns, paths and variables. What could reach out of a sandbox is refused."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePosixPath

from guardrails.runtime.errors import SandboxRefused
from guardrails.runtime.secret import SecretRef

TEMPORARY = ".tmp"  # the folder of temporary files within a scratch folder
OWN = frozenset({"PATH", "LANG", "HOME", "TMPDIR", "PWD"})
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_LONGEST, _DEEPEST = 255, 32  # bytes of one name; folders above a file
_TAKEN = ("/work", "/tmp", "/proc", "/dev", "/run")


def several(what: str, given: Sequence[str]) -> tuple[str, ...]:
    """A list of strings, as a tuple; one string alone is a mistake."""
    if isinstance(given, (str, bytes)) or not all(isinstance(each, str) for each in given):
        raise SandboxRefused(f"{what} is a list of strings.")
    return tuple(given)


def is_text(text: str) -> bool:
    """Whether a program can be given this: text that UTF-8 can write, without NUL."""
    return "\0" not in text and not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)


def check_secrets(secrets: Mapping[str, SecretRef]) -> None:
    """Refuse variables that would change how a program is found or loaded, and values in place of references."""
    for name, reference in secrets.items():
        if not isinstance(reference, SecretRef):
            raise SandboxRefused(
                f'The secret {name!r} is not a SecretRef: write SecretRef("name"), so that its value stays out of the description.'
            )
        if not isinstance(name, str) or not _VARIABLE.match(name) or name in OWN or name.startswith(("LD_", "DOCKER_")):
            raise SandboxRefused(
                f"A secret cannot be given as the variable {name!r}; choose another name of letters, digits and underscores."
            )


def check_files(files: Mapping[str, bytes], disk: int) -> None:
    """Refuse paths that leave the scratch folder or stand in each other's way, and more bytes than it may hold."""
    for name, content in files.items():
        _check_path(name, "The file")
        if not isinstance(content, bytes):
            raise SandboxRefused(f"The content of the file {name!r} is not bytes.")
        above = next((str(parent) for parent in PurePosixPath(name).parents if str(parent) in files), None)
        if above:
            raise SandboxRefused(f"The files {above!r} and {name!r} cannot both exist: a file is no folder.")
    if sum(map(len, files.values())) > disk:
        raise SandboxRefused(f"The given files hold more than disk={disk} bytes; give fewer, or raise disk.")


def check_patterns(patterns: Iterable[str]) -> None:
    """Refuse patterns that speak of anything outside the scratch folder."""
    for pattern in patterns:
        _check_path(pattern, "The pattern")


def check_readable(paths: Iterable[str]) -> None:
    """Refuse what is not an absolute path, and what a sandbox has an own folder for."""
    for path in paths:
        whole = PurePosixPath(path)
        if not whole.is_absolute() or ".." in whole.parts or not is_text(path) or ":" in path or "," in path or path in ("/", "/etc"):
            raise SandboxRefused(f"readable={path!r} is not an absolute path without `..`, colon or comma.")
        if any(whole.is_relative_to(taken) for taken in _TAKEN):
            raise SandboxRefused(f"readable={path!r} is a place that the sandbox has for itself; copy it elsewhere, or give it as files.")


def _check_path(name: str, what: str) -> None:
    """Each part is a plain name: so nothing is absolute, goes up, is empty or names the folder itself."""
    parts = name.split("/") if isinstance(name, str) and is_text(name) else [""]
    if any(part in ("", ".", "..") or len(part.encode()) > _LONGEST for part in parts) or len(parts) > _DEEPEST:
        raise SandboxRefused(f"{what} {name!r} is not a path within the scratch folder; write it relative, without `.` and `..`.")
    if parts[0] == TEMPORARY:
        raise SandboxRefused(f"{what} {name!r} is in {TEMPORARY}, where the command keeps its temporary files; choose another folder.")
