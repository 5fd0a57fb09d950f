"""`guardrails jobs schema` and `try`, as processes, on an application in a file."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

APP = '''
import os, time
from typing import Annotated
from pydantic import BaseModel
from guardrails import runtime

class Charge(BaseModel):
    """An order's charge."""
    order: str
    card: Annotated[str, runtime.Sensitive] = "4242-9999-card"
    cents: int | None = None

@runtime.step
def reserve(order: str) -> list[str]:
    return [order]

@runtime.job(timeout=2, key=lambda p: p.order, version=2, upcast={1: lambda old: old})
def charge(p: Charge) -> dict[str, str]:
    runtime.log.info("charging %s with %s", p.order, runtime.SecretRef("PAY_KEY").resolve())
    print("printed", p.card)
    reserve(p.order)
    runtime.progress(1, 2, "half")
    with runtime.stream("report", content_type="text/csv") as out:
        out.write("a,b")
    if p.order == "bad":
        raise RuntimeError(f"no money on {p.card}")
    if p.order == "slow":
        time.sleep(60)
    if p.order == "die":
        os._exit(3)
    return {"ok": p.order}
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "trial.py").write_text(APP)
    return tmp_path


def jobs(folder: Path, *args: str, status: int = 0, given: str = "") -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PAY_KEY": "pay-s3cret-value", "GUARDRAILS_APP": "trial.py", "GUARDRAILS_DATABASE_URL": ""}
    command = [sys.executable, "-m", "guardrails", "jobs", *args]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, input=given, timeout=120)
    assert done.returncode == status, done.stdout + done.stderr
    assert not {"4242-9999-card", "pay-s3cret-value"} & set((done.stdout + done.stderr).split()), "secrets are shown"
    assert not list(folder.glob("*.db*")), "a trial makes no database"
    return done


def trial(folder: Path, payload: str, status: int = 0) -> Any:
    return json.loads(jobs(folder, "try", "charge", "--payload", payload, "--format", "json", status=status).stdout)


def test_a_trial_tells_result_log_steps_progress_and_streams(folder: Path) -> None:
    told = trial(folder, '{"order": "7"}')
    assert (told["status"], told["result"], told["key"], told["error"]) == ("done", {"ok": "7"}, "7", None)
    lines = [(line["level"], line["message"]) for line in told["log"]]
    assert sorted(lines) == [("INFO", "charging 7 with [redacted]"), ("stdout", "printed [redacted]")]
    assert (told["steps"], told["streams"]) == ({"reserve#1": ["7"]}, {"report": 3})
    assert told["progress"] == [{"done": 1.0, "total": 2.0, "note": "half"}]


def test_a_trial_for_people(folder: Path) -> None:
    (folder / "payload.json").write_text('{"order": "7"}')
    told = jobs(folder, "try", "charge", "--payload", "@payload.json").stdout
    for part in (
        "INFO      charging 7",
        "stdout    printed",
        'step      reserve#1 gave ["7"]',
        "progress  1 of 2 half",
        "text/csv, 3 bytes",
    ):
        assert part in told
    assert told.splitlines()[-1].startswith("done in ")
    assert told.splitlines()[-1].endswith('{"ok": "7"}')


@pytest.mark.parametrize(
    ("order", "error"),
    [
        ("bad", "RuntimeError: no money on [redacted]"),
        ("slow", "stopped at its time limit of 2 s"),
        ("die", "the job's process died: "),
    ],
)
def test_a_trial_that_fails_ends_with_status_1(folder: Path, order: str, error: str) -> None:
    told = trial(folder, json.dumps({"order": order}), status=1)
    assert (told["status"], told["result"]) == ("failed", None)
    assert told["error"].startswith(error)


def test_a_payload_may_come_from_standard_input(folder: Path) -> None:
    assert "done in" in jobs(folder, "try", "charge", "--payload", "@-", given='{"order": "7"}').stdout


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["charge", "--payload", "{bad"], "--payload is not JSON: expecting property name enclosed in double quotes (line 1, column 2)."),
        (["charge", "--payload", "7"], "This is no Charge"),
        (["charge", "--payload", '{"card": 4}'], "order: Field required"),
        (["charge", "--payload", "@none.json"], "cannot be read from none.json: no such file"),
        (["refund", "--payload", "{}"], "No job is called 'refund'; this application declares: charge"),
    ],
)
def test_what_cannot_be_tried_is_one_sentence(folder: Path, args: list[str], told: str) -> None:
    done = jobs(folder, "try", *args, status=2)
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_application_must_be_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "GUARDRAILS_APP"}
    command = [sys.executable, "-m", "guardrails", "jobs", "schema"]
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "name it with --app APP" in done.stderr


def test_schemas_are_printed_with_their_versions(folder: Path) -> None:
    schema = json.loads(jobs(folder, "schema", "charge").stdout)
    assert (schema["version"], schema["upcasts"], schema["required"]) == (2, [1], ["order"])
    assert schema["properties"]["card"]["writeOnly"] is True
    assert json.loads(jobs(folder, "schema").stdout) == {"charge": schema}
    told = jobs(folder, "schema", "--format", "text").stdout.splitlines()
    assert told[0] == "charge version 2, reads 1, too; 2 s, 5 attempts, queue default"
    assert told[2] == "  card                 string (optional, sensitive)"
