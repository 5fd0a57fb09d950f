"""A secret reaches its command, and nobody else."""

from pathlib import Path

import pytest

from guardrails.runtime import SecretRef
from guardrails.runtime.errors import SandboxRefused, SecretMissing
from tests.runtime.sandbox.boxes import Box

VALUE = "s3cr3t-v4lue-0f-the-api"


@pytest.fixture
def token(secrets: dict[str, str]) -> SecretRef:
    secrets["token"] = VALUE
    return SecretRef("token")


def test_the_command_has_it_and_cannot_say_it(box: Box, token: SecretRef) -> None:
    heard: list[tuple[str, bytes]] = []
    outcome = box.sh(
        'echo ${#TOKEN}; echo "token $TOKEN!"; echo "$TOKEN" >&2; printf %s "$TOKEN" | base64',
        secrets={"TOKEN": token},
        on_output=lambda stream, data: heard.append((stream, data)),
    )
    assert outcome.stdout.startswith(b"23\ntoken [redacted]!\n[redacted]")
    assert outcome.stderr == b"[redacted]\n"
    assert b"".join(data for stream, data in heard if stream == "stdout") == outcome.stdout
    assert VALUE not in repr(outcome)


def test_it_cannot_be_said_in_pieces(box: Box, token: SecretRef) -> None:
    outcome = box.sh('printf %s "${TOKEN%api}"; sleep 0.2; echo api', secrets={"TOKEN": token})
    assert outcome.stdout == b"[redacted]\n"


def test_it_is_not_left_in_files_or_their_names(box: Box, token: SecretRef) -> None:
    outcome = box.sh('echo "a $TOKEN b" > out.txt; : > "name-$TOKEN"', secrets={"TOKEN": token}, collect=["*"])
    assert {left.name: left.data for left in outcome.files} == {"out.txt": b"a [redacted] b\n", "name-[redacted]": b""}


def test_a_cap_does_not_let_its_beginning_through(local_box: Box, token: SecretRef) -> None:
    outcome = local_box.sh('printf "0123456789%s" "$TOKEN$TOKEN"', secrets={"TOKEN": token}, output=20)
    assert (outcome.stdout, outcome.truncated) == (b"0123456789", True)


def test_it_is_in_no_argument_of_any_process(box: Box, token: SecretRef) -> None:
    seen: list[bytes] = []

    def look(_stream: str, _data: bytes) -> None:
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                seen.append(path.read_bytes())
            except OSError:
                continue

    assert box.sh("for i in 1 2 3 4 5 6 7 8; do echo begun; sleep 0.2; done", secrets={"TOKEN": token}, on_output=look).ok
    assert any(b"echo begun" in line for line in seen)
    assert not any(VALUE.encode() in line for line in seen)


def test_a_described_command_does_not_hold_it(box: Box, token: SecretRef) -> None:
    command = box.command(["env"], secrets={"TOKEN": token}, files={"a": b"private"}, stdin=b"private")
    assert VALUE not in repr(command)
    assert "private" not in repr(command)
    assert command.run().ok


def test_its_other_secrets_are_not_given(box: Box, token: SecretRef, secrets: dict[str, str]) -> None:
    secrets["other"] = "another-value"
    assert b"another-value" not in box.run(["env"], secrets={"TOKEN": token}).stdout


def test_a_secret_that_nobody_holds_is_said_before_anything_runs(process: Box, secrets: dict[str, str]) -> None:
    with pytest.raises(SecretMissing, match="Nobody here holds the secret absent"):
        process.run(["true"], secrets={"TOKEN": SecretRef("absent")})


@pytest.mark.parametrize(("value", "words"), [("a\0bcdef", "such as NUL"), ("abc", "less than 4 characters")])
def test_a_secret_that_could_not_be_kept_is_refused(process: Box, secrets: dict[str, str], value: str, words: str) -> None:
    secrets["odd"] = value
    with pytest.raises(SandboxRefused, match=words):
        process.run(["true"], secrets={"ODD": SecretRef("odd")})
