"""Small git repositories for stories: commits from dictionaries of files, byte for byte the same from run to run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

Files = Mapping[str, str | bytes | None]


class Repo:
    """A repository at `path` on branch `main`; its commits are made without a work tree of their own."""

    def __init__(self, path: Path, files: Files | None = None) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit({} if files is None else files, "Begin")

    def git(self, *args: str, given: bytes = b"", **variables: str) -> str:
        """What git says."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        who = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", "Mona"), ("EMAIL", "mona@example.org"))
        }
        when = {"GIT_AUTHOR_DATE": "1700000000 +0000", "GIT_COMMITTER_DATE": "1700000000 +0000", "GIT_CONFIG_GLOBAL": os.devnull}
        done = subprocess.run(["git", *args], cwd=self.path, env=clean | who | when | variables, input=given, capture_output=True)
        assert done.returncode == 0, done.stderr.decode(errors="replace")
        return done.stdout.decode(errors="surrogateescape").strip()

    def commit(self, files: Files, message: str = "Change", on: str = "HEAD") -> str:
        """Writes files (None deletes one), commits; the commit's full name. `on`: its parent, HEAD or any other."""
        if on != "HEAD":
            self.git("checkout", "--quiet", "--detach", on)
        for name, text in files.items():
            target = self.path / name
            if text is None:
                target.unlink()
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text if isinstance(text, bytes) else text.encode())
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", "--no-gpg-sign", "-m", message)
        return self.git("rev-parse", "HEAD")

    def branch(self, files: Files, message: str = "Change", name: str = "change", on: str = "main") -> str:
        """A commit on a new branch from `on`."""
        self.git("checkout", "--quiet", "-B", name, on)
        return self.commit(files, message)

    def submodule(self, path: str, commit: str) -> str:
        """A commit in which `path` is a submodule at `commit`."""
        self.git("update-index", "--add", "--cacheinfo", f"160000,{commit},{path}")
        self.git("commit", "--quiet", "--no-verify", "--no-gpg-sign", "-m", "Submodule")
        return self.git("rev-parse", "HEAD")
