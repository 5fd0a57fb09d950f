"""A second opinion about calls and replies: Prism, in front of the fake, with the same description."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from github import Auth, Github, GithubException

from host import GitHub, judge

SECONDS = 60
WANTED = "npm install --global @stoplight/prism-cli@5.14.2"


@pytest.fixture
def proxy(host: GitHub, tmp_path: Path) -> Iterator[str]:
    """Prism before the fake; a wrong call gets an answer of the type problem+json."""
    command = os.environ.get("PRISM") or shutil.which("prism")
    if not command:
        pytest.skip(f"Prism is not here; for a second opinion: {WANTED}")
    (tmp_path / "openapi.json").write_text(json.dumps(judge.corrected()))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    said = (tmp_path / "prism.log").open("wb")
    started = subprocess.Popen(
        [command, "proxy", "--errors", "-p", str(port), "openapi.json", host.url], cwd=tmp_path, stdout=said, stderr=said
    )
    try:
        _wait(address, started, tmp_path / "prism.log")
        host.state.url = address  # the addresses in its replies lead through Prism, too
        yield address
    finally:
        started.terminate()
        started.wait(SECONDS)
        said.close()


def _wait(address: str, started: subprocess.Popen[bytes], log: Path) -> None:
    """Until it listens."""
    ends = time.monotonic() + SECONDS
    while b"is listening" not in log.read_bytes():
        assert started.poll() is None, log.read_text()
        assert time.monotonic() < ends, f"Prism does not listen at {address}: {log.read_text()}"
        time.sleep(0.1)


@pytest.mark.slow
def test_prism_agrees_with_the_judge(host: GitHub, proxy: str) -> None:
    quiet: dict[str, Any] = {"seconds_between_requests": 0, "seconds_between_writes": 0, "retry": None, "lazy": True}
    repository = Github(auth=Auth.Token(host.token), base_url=proxy, **quiet).get_repo(host.name)
    pull = repository.get_pull(1)
    assert [one.filename for one in pull.get_files()] == ["jobs.py"]
    pull.create_review(
        repository.get_commit(pull.head.sha), "Look", "COMMENT", [{"path": "jobs.py", "body": "x", "line": 10, "side": "RIGHT"}]
    )
    pull.create_review_comment("x", pull.head.sha, "jobs.py", subject_type="file")
    pull.create_issue_comment("x")
    host.push(host.pull().base)
    assert [one.raw_data["line"] for one in pull.get_review_comments()] == [None, None]
    host.excuse("is not one of")
    with pytest.raises(GithubException) as wrong:
        pull.create_review(body="x", event="SHOUT")
    assert wrong.value.status == 422
    assert "stoplight" in json.dumps(wrong.value.data)
    asked = requests.post(f"{proxy}/repos/{host.name}/issues/1/comments", json={"text": "x"}, timeout=SECONDS)
    assert asked.headers["Content-Type"].startswith("application/problem+json")
