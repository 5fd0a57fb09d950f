"""What every command finds in its environment, and where its scratch folder is."""

import os
import secrets
import tempfile

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
NOBODY = 65534  # whom root becomes before it runs what it does not trust: limits and permissions bind no root


def variables(values: dict[str, str], *, home: str, temporary: str, path: str = PATH) -> dict[str, str]:
    """The whole environment of a command: nothing of ours, and its secrets."""
    return {"PATH": path, "LANG": "C.UTF-8", "HOME": home, "TMPDIR": temporary} | values


def scratch(driver: str) -> str:
    """A new name for a scratch folder; nothing is made yet."""
    return f"{tempfile.gettempdir()}/guardrails-{driver}-{os.geteuid()}/{secrets.token_hex(8)}"
