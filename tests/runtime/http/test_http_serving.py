"""What must be there before the service begins, and the command that begins it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from guardrails.cli.program import program
from guardrails.runtime.errors import DeclarationError
from guardrails.runtime.http import Serving, server, serving
from tests.runtime.http.served import KEY
from tests.runtime.workers import wait_for


@pytest.mark.parametrize("keys", [(), ("short",), (KEY, "x" * 15), ("with a space in between",), ("é" * 20,)])
def test_a_service_without_a_good_key_is_refused(keys: tuple[str, ...]) -> None:
    with pytest.raises(DeclarationError, match="GUARDRAILS_API_KEY"):
        Serving(keys)


def test_keys_come_from_the_environment_and_several_may_hold() -> None:
    given = {"GUARDRAILS_API_KEY": f" {KEY} ,, old-key-0123456789abcdef"}
    assert serving.keys_for("0.0.0.0", given) == ((KEY, "old-key-0123456789abcdef"), False)
    assert Serving(serving.keys_of(given)).holder("old-key-0123456789abcdef") == "key 2"
    assert KEY not in repr(Serving((KEY,)))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org", ""])
def test_a_public_address_without_a_key_is_refused(host: str) -> None:
    with pytest.raises(DeclarationError, match="no API key"):
        serving.keys_for(host, {})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.9", "::1", "localhost"])
def test_this_machine_alone_gets_a_key_of_the_run(host: str) -> None:
    [first], made = serving.keys_for(host, {})
    [second], _ = serving.keys_for(host, {})
    assert made
    assert first != second
    assert Serving((first,)).holder(first) == "key 1"


def test_a_port_that_is_taken_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DeclarationError, match=f"127.0.0.1:{port} cannot be served"):
            server.bound(Serving((KEY,), port=port))


def test_of_two_that_are_started_together_one_gets_the_port() -> None:
    with server.bound(Serving((KEY,), port=0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(DeclarationError, match=f"127.0.0.1:{port} cannot be served"):
            server.bound(Serving((KEY,), port=port))


APP = """
from pydantic import BaseModel
from guardrails import runtime

class Charge(BaseModel):
    order_id: str

@runtime.job(timeout=30, key=lambda p: p.order_id)
def charge(p: Charge) -> None: ...
"""


@pytest.mark.slow
def test_the_command_serves_tells_its_link_and_ends_on_sigterm(tmp_path: Path, url: str) -> None:
    (tmp_path / "shop.py").write_text(APP)
    environment = {**os.environ, "GUARDRAILS_API_KEY": KEY}
    command = [sys.executable, "-m", "guardrails", "serve", "shop", "--port", "0", "--database", url]
    log = tmp_path / "serve.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=out, stderr=out)
    try:
        wait_for("it tells its link", lambda: "/login?token=" in log.read_text() or process.poll() is not None)
        link = re.search(r"http://127\.0\.0\.1:\d+/login\?token=\S+", log.read_text())
        assert link, log.read_text()
        with httpx.Client(base_url=link[0].partition("/login")[0], timeout=30) as client:
            assert client.get(link[0]).status_code == 200
            assert "Queues" in client.get("/").text
            headers = {"Authorization": f"Bearer {KEY}"}
            made = client.post("/api/tasks", json={"job": "charge", "payload": {"order_id": "7"}}, headers=headers)
            assert made.status_code == 202
            with client.stream("GET", made.headers["location"] + "/events", headers=headers) as followed:
                lines = followed.iter_lines()
                while next(lines) != "event: Queued":
                    pass
                process.send_signal(signal.SIGTERM)
                assert not any("event:" in line for line in lines), "whoever follows is let go"
        process.wait(30)
        assert "Traceback" not in log.read_text()
        assert "token" not in log.read_text().replace(link[0], "")
    finally:
        process.kill()
        process.wait(10)


def test_what_cannot_be_served_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GUARDRAILS_API_KEY", raising=False)
    (tmp_path / "shop.py").write_text(APP)
    for options, words in ((["--host", "0.0.0.0"], "no API key"), (["--database", "mysql://x/y"], "SQLite or PostgreSQL")):
        done = subprocess.run(
            [sys.executable, "-m", "guardrails", "serve", "shop", *options],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
        assert words in done.stderr


def test_the_command_s_help_has_examples() -> None:
    told = CliRunner().invoke(program, ["serve", "--help"])
    assert told.exit_code == 0
    assert "GUARDRAILS_API_KEY" in told.output
