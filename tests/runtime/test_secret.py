from __future__ import annotations

import copy
import json
import pickle
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from guardrails.runtime import context, logs, secret, settings
from guardrails.runtime.errors import DeclarationError, SecretMissing
from guardrails.runtime.payload import Shape
from guardrails.runtime.pool.frames import Frame
from guardrails.runtime.secret import SecretRef, Sensitive


class Link:
    """A worker that only listens."""

    def __init__(self) -> None:
        self.heard: list[Frame] = []

    def send(self, frame: Frame) -> None:
        self.heard.append(frame)

    def receive(self, timeout: float | None = None) -> Frame | None:
        return None


@contextmanager
def body(link: Link | None = None) -> Iterator[logs.Redactor]:
    """As if a job's body ran here."""
    running = context.Running("id-1", "charge", "key-1", "default", 1, 1)
    with context.running(context.Body(running, link or Link(), 0.0, {})), logs.capture(running, lambda *_line: None) as redactor:
        yield redactor


@pytest.fixture(autouse=True)
def as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "_current", None)
    monkeypatch.setattr(logs, "_process", logs.Redactor())


class Call(BaseModel):
    url: str
    token: SecretRef
    others: list[SecretRef] = []
    maybe: SecretRef | None = None


def test_only_the_name_travels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "hunter2-hunter2")
    shape = Shape(Call)
    call = Call(url="u", token=SecretRef("API_KEY"), others=[SecretRef("A"), SecretRef("B")])
    text = shape.dump(call)
    assert json.loads(text) == {"url": "u", "token": {"secret": "API_KEY"}, "others": [{"secret": "A"}, {"secret": "B"}], "maybe": None}
    assert shape.load(text, 1) == call
    for told in (text, repr(call), str(call), str(call.model_dump()), call.model_dump_json(), pickle.dumps(call).decode("latin-1")):
        assert "API_KEY" in told
        assert "hunter2" not in told


def test_a_ref_shows_its_name_alone_and_is_a_value() -> None:
    ref = SecretRef("stripe/key-1.live:v2")
    assert repr(ref) == str(ref) == f"{ref}" == "SecretRef('stripe/key-1.live:v2')"
    assert {ref} == {SecretRef("stripe/key-1.live:v2")}
    assert ref != SecretRef("other")
    assert pickle.loads(pickle.dumps(ref)) == copy.deepcopy(ref) == ref
    with pytest.raises(AttributeError):
        ref.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize("name", ["", "1A", "a b", "a\n", "a" * 201, "=", "ключ", None, 7, b"A"])
def test_a_name_that_is_none_is_refused(name: object) -> None:
    with pytest.raises(DeclarationError, match=r"^SecretRef\(\.\.\) takes a secret's name, up to 200 letters"):
        SecretRef(name)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    ["sk_live_0123456789abcdef", "AKIA" + "A1B2C3D4" * 2, "ghp_" + "a1" * 15, "xoxb-123456789012-abc", "eyJhbGciOiJIUzI1.eyJzdWIiOiIx.abc"],
)
def test_a_secret_in_place_of_a_name_is_refused_without_telling_it(value: str) -> None:
    with pytest.raises(DeclarationError, match="what looks like the secret itself: give the name under which it is kept") as refused:
        SecretRef(value)
    assert value not in str(refused.value)
    with pytest.raises(ValidationError):
        TypeAdapter(SecretRef).validate_python({"secret": value})


@pytest.mark.parametrize("name", ["STRIPE_SECRET_KEY", "xml-signing-key-for-acme", "PRODUCTIONDATABASEPW", "webhook/github", "SK_LIVE"])
def test_ordinary_names_are_names(name: str) -> None:
    assert SecretRef(name).name == name


@pytest.mark.parametrize("data", ["API_KEY", {}, {"secret": 7}, {"secret": ""}, {"secret": "A", "value": "x"}, {"name": "A"}, None])
def test_nothing_but_a_ref_or_its_json_is_accepted(data: object) -> None:
    for validate in (TypeAdapter(SecretRef).validate_python, lambda value: TypeAdapter(SecretRef).validate_json(json.dumps(value))):
        with pytest.raises(ValidationError):
            validate(data)  # type: ignore[operator]


def test_its_json_schema_is_an_object_with_a_name() -> None:
    schema = Shape(Call).schema()["properties"]["token"]
    assert schema["required"] == ["secret"]
    assert schema["additionalProperties"] is False


def test_a_body_resolves_it_from_the_environment_and_the_secret_is_redacted_from_then_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "hunter2-hunter2")
    link = Link()
    with body(link) as redactor:
        assert redactor.text("hunter2-hunter2") == "hunter2-hunter2"
        assert SecretRef("API_KEY").resolve() == "hunter2-hunter2"
        assert redactor.text("the key hunter2-hunter2 failed") == "the key [redacted] failed"
    assert [getattr(frame, "value", None) for frame in link.heard] == ["hunter2-hunter2"]


def test_outside_a_body_nothing_is_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "hunter2-hunter2")
    with pytest.raises(SecretMissing, match=r"^SecretRef\('API_KEY'\) is resolved only inside a job's body, not in a thread"):
        SecretRef("API_KEY").resolve()


def test_a_thread_of_the_body_is_told_to_resolve_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "hunter2-hunter2")
    faults: list[str] = []

    def work() -> None:
        try:
            SecretRef("API_KEY").resolve()
        except SecretMissing as missing:
            faults.append(str(missing))

    with body():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    assert len(faults) == 1
    assert faults[0].endswith("resolve it before, and pass it on.")


@pytest.mark.parametrize("value", [None, ""])
def test_a_missing_or_empty_secret_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("API_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("API_KEY", value)
    with body(), pytest.raises(SecretMissing) as missing:
        SecretRef("API_KEY").resolve()
    assert str(missing.value) == (
        "Nobody here holds the secret API_KEY: set the environment variable of that name, or runtime.configure(secrets=..)."
    )


def test_a_resolver_of_ones_own_is_asked_by_name() -> None:
    secret.configure({"API_KEY": "from-the-vault"}.get)
    with body():
        assert SecretRef("API_KEY").resolve() == "from-the-vault"
        with pytest.raises(SecretMissing, match="Nobody here holds the secret OTHER"):
            SecretRef("OTHER").resolve()


def test_a_resolver_that_fails_or_gives_no_text_is_told_without_its_words() -> None:
    def broken(name: str) -> str:
        raise ConnectionError("vault password hunter2")

    secret.configure(broken)
    with body(), pytest.raises(SecretMissing, match=r"^The resolver of secrets failed on API_KEY with ConnectionError\.$"):
        SecretRef("API_KEY").resolve()
    secret.configure(lambda name: b"bytes")  # type: ignore[arg-type, return-value]
    with body(), pytest.raises(SecretMissing, match="Nobody here holds"):
        SecretRef("API_KEY").resolve()


def test_the_runtime_itself_may_reveal_one_outside_a_body_and_its_process_redacts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK", "whispered-words")
    assert secret.reveal(SecretRef("HOOK")) == "whispered-words"
    assert logs.redactor().text("whispered-words") == "[redacted]"
    with body() as redactor:
        assert redactor.text("whispered-words") == "[redacted]"


def test_what_one_body_resolves_is_not_known_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEY", "hunter2-hunter2")
    with body():
        SecretRef("API_KEY").resolve()
    with body() as redactor:
        assert redactor.values == frozenset()


def test_sensitive_is_a_mark_and_changes_no_value() -> None:
    class Card(BaseModel):
        number: Annotated[str, Sensitive]
        holder: Annotated[str, Sensitive()]

    card = Card(number="4242", holder="Ada")
    assert Shape(Card).load(Shape(Card).dump(card), 1) == card
    assert Card.model_json_schema()["properties"]["holder"]["writeOnly"] is True
