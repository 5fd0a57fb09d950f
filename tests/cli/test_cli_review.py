"""`guardrails review` where its extra is not installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PULL = {"number": 1, "base": {"sha": "a" * 40}, "head": {"sha": "b" * 40}}
PROGRAM = "import sys; sys.modules['requests'] = None; from guardrails.__main__ import main; main()"


@pytest.mark.parametrize("token", ["", "t0ken"])
def test_without_the_extra_it_is_named_with_a_token_and_without(token: str, tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": PULL, "repository": {"full_name": "acme/shop"}}))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "GH_"))}
    environ = {**kept, "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event), "GITHUB_TOKEN": token}
    command = [sys.executable, "-c", PROGRAM, "review", "--dry-run"]
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2, done.stderr
    assert done.stderr == "guardrails: `guardrails review` needs more (requests is missing): pip install 'worker-guardrails[review]'\n"
