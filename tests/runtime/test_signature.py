"""Whose request it is: what holds, what does not, and that no refusal tells a secret."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from guardrails.runtime import settings, signature
from guardrails.runtime.errors import DeclarationError, SecretMissing, SignatureRefused
from guardrails.runtime.secret import SecretRef

NOW = 1_750_000_000.0
RAW = bytes(range(24))
WHSEC = "whsec_" + base64.b64encode(RAW).decode()
SECRETS = {
    "HOOK": "It's a Secret to Everybody",
    "NEXT": "the-second-one",
    "STANDARD": WHSEC,
    "OTHER": "whsec_" + base64.b64encode(b"o" * 32).decode(),
}
HOOK, NEXT, STANDARD, OTHER = (SecretRef(name) for name in SECRETS)
BODY = b'{"id":"evt_1","type":"charge.failed"}'


@pytest.fixture(autouse=True, scope="module")
def _secrets() -> Iterator[None]:
    before, settings._current = settings._current, settings.Settings(secrets={**SECRETS, "EMPTY": "", "CROOKED": "whsec_%%%"}.get)
    yield
    settings._current = before


def mac(secret: str, signed: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(secret.encode(), signed, getattr(hashlib, algorithm)).hexdigest()


def from_github(body: bytes = BODY, secret: str = SECRETS["HOOK"]) -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + mac(secret, body), "X-GitHub-Delivery": "72d3162e", "X-GitHub-Event": "issues"}


def from_stripe(body: bytes = BODY, secret: str = SECRETS["HOOK"], at: float = NOW) -> dict[str, str]:
    return {"Stripe-Signature": f"t={at:.0f},v1={mac(secret, f'{at:.0f}.'.encode() + body)},v0=6ffbb59b"}


def from_standard(body: bytes = BODY, secret: str = WHSEC, at: float = NOW) -> dict[str, str]:
    signed = standardwebhooks.Webhook(secret).sign("msg_1", datetime.fromtimestamp(at, UTC), body.decode())
    return {"webhook-id": "msg_1", "webhook-timestamp": f"{at:.0f}", "webhook-signature": signed}


def from_slack(body: bytes = BODY, secret: str = SECRETS["HOOK"], at: float = NOW) -> dict[str, str]:
    code = mac(secret, f"v0:{at:.0f}:".encode() + body)
    return {"X-Slack-Signature": f"v0={code}", "X-Slack-Request-Timestamp": f"{at:.0f}", "X-Event": "Ev9"}


def slack(secret: signature.Secrets = HOOK, **options: Any) -> signature.Verifier:
    given: dict[str, Any] = {
        "header": "X-Slack-Signature",
        "prefix": "v0=",
        "timestamp_header": "X-Slack-Request-Timestamp",
        "signed": "v0:{timestamp}:{body}",
        "event_header": "X-Event",
    }
    return signature.hmac(secret, **given | options)


KINDS: dict[str, tuple[signature.Verifier, Callable[..., dict[str, str]], str]] = {
    "github": (signature.github(HOOK), from_github, "X-Hub-Signature-256"),
    "stripe": (signature.stripe(HOOK), from_stripe, "Stripe-Signature"),
    "standard": (signature.standard(STANDARD), from_standard, "webhook-signature"),
    "hmac": (slack(), from_slack, "X-Slack-Signature"),
}
TIMED = ["stripe", "standard", "hmac"]
STAMPS = {"standard": "webhook-timestamp", "hmac": "X-Slack-Request-Timestamp"}
each = pytest.mark.parametrize("kind", list(KINDS))


def refused(verifier: signature.Verifier, headers: signature.Headers, body: bytes = BODY, now: float = NOW) -> str:
    """The reason, after a look that it is one line and tells nothing that was secret or sent."""
    with pytest.raises(SignatureRefused) as caught:
        verifier.verify(headers, body, now)
    reason = str(caught.value)
    assert "\n" not in reason
    sent = headers.items() if isinstance(headers, dict) else headers
    codes = [value for name, value in sent if "ignature" in name.lower() and len(value) > 8]  # type: ignore[misc]
    assert not [told for told in (*SECRETS.values(), *codes) if told in reason]
    return reason


@each
def test_what_the_sender_signed_holds(kind: str) -> None:
    verifier, send, _ = KINDS[kind]
    expected = {
        "github": signature.Verified("72d3162e", None, "issues"),
        "stripe": signature.Verified("evt_1", NOW, "charge.failed"),
        "standard": signature.Verified("msg_1", NOW),
        "hmac": signature.Verified("Ev9", NOW),
    }
    assert verifier.verify(send(), BODY, NOW + 10) == expected[kind]
    assert verifier.names_events


def test_githubs_own_example_holds() -> None:
    told = {"x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}
    assert signature.github(HOOK).verify(told, b"Hello, World!", NOW) == signature.Verified(None, None, None)


@each
def test_names_of_headers_may_be_in_any_case_and_come_as_pairs(kind: str) -> None:
    verifier, send, _ = KINDS[kind]
    pairs = [(name.upper(), value) for name, value in send().items()]
    assert verifier.verify(pairs, BODY, NOW) == verifier.verify(send(), BODY, NOW)


@each
def test_another_body_is_refused(kind: str) -> None:
    verifier, send, _ = KINDS[kind]
    for body in (BODY + b" ", BODY[:-1], b"", json.dumps(json.loads(BODY)).encode()):
        assert "does not fit" in refused(verifier, send(), body)


@each
def test_another_secret_is_refused(kind: str) -> None:
    verifier, send, _ = KINDS[kind]
    refused(verifier, send(secret=SECRETS["OTHER"] if kind == "standard" else SECRETS["NEXT"]))


@each
def test_a_missing_empty_or_doubled_signature_is_refused(kind: str) -> None:
    verifier, send, name = KINDS[kind]
    good = send()
    rest = {key: value for key, value in good.items() if key != name}
    assert f"no {name} header" in refused(verifier, rest)
    assert f"no {name} header" in refused(verifier, rest | {name: " "})
    assert f"2 {name} headers" in refused(verifier, [*good.items(), (name.lower(), good[name])])


@each
@pytest.mark.parametrize(
    "text", ["garbage", "sha256=", "v1,", "t=1,v1=", "v0=", "sha256=é", "v1,\udcff", "v1,é v1,", ",,,===", "\x00", "v1=" * 9_000]
)
def test_a_garbage_signature_is_refused(kind: str, text: str) -> None:
    verifier, send, name = KINDS[kind]
    refused(verifier, send() | {name: text})


@each
def test_a_signature_with_a_part_of_the_digest_is_refused(kind: str) -> None:
    verifier, send, name = KINDS[kind]
    whole = send()[name].split(",v0=")[0]
    for text in (whole[:-1], whole + "0", whole.upper(), whole + " x" if kind != "standard" else whole + "x"):
        refused(verifier, send() | {name: text})


@pytest.mark.parametrize("kind", TIMED)
def test_a_timestamp_holds_up_to_the_tolerance_to_both_sides(kind: str) -> None:
    verifier, send, _ = KINDS[kind]
    for off in (-300, 300):
        assert verifier.verify(send(at=NOW + off), BODY, NOW).at == NOW + off
    assert "too old" in refused(verifier, send(at=NOW - 301))
    assert "too far in the future" in refused(verifier, send(at=NOW + 301))


@pytest.mark.parametrize("kind", TIMED)
def test_a_fresh_timestamp_over_an_old_signature_is_refused(kind: str) -> None:
    verifier, send, name = KINDS[kind]
    old, fresh = send(at=NOW - 1000), send(at=NOW)
    forged = (
        {"Stripe-Signature": old[name].replace(f"t={NOW - 1000:.0f}", f"t={NOW:.0f}")} if kind == "stripe" else fresh | {name: old[name]}
    )
    assert "does not fit" in refused(verifier, forged)


@pytest.mark.parametrize("kind", list(STAMPS))
@pytest.mark.parametrize("stamp", ["", "now", "1e9", "-1", "+1750000000", "1750000000.0", "17_50000000", "٣" * 10, "9" * 400, "NaN", "inf"])
def test_a_garbage_timestamp_is_refused(kind: str, stamp: str) -> None:
    verifier, send, _ = KINDS[kind]
    refused(verifier, send() | {STAMPS[kind]: stamp})


@pytest.mark.parametrize("head", ["v1=aa", "t=,v1=aa", "t=1750000000", "t=1750000000,t=1750000000,v1=aa", "t=1e9,v1=aa", "t"])
def test_a_stripe_header_without_one_time_and_a_signature_is_refused(head: str) -> None:
    refused(signature.stripe(HOOK), {"Stripe-Signature": head})


def test_a_second_time_beside_a_good_stripe_signature_is_refused() -> None:
    headers = {name: f"{value},t={NOW - 5:.0f}" for name, value in from_stripe().items()}
    assert "2 timestamps" in refused(signature.stripe(HOOK), headers)


@pytest.mark.parametrize("stamp", ["1750000000.0", "1.75e9", "+1750000000", "٣", "1750000000000"])
def test_a_time_that_is_signed_but_is_no_whole_number_of_seconds_is_refused(stamp: str) -> None:
    code = mac(SECRETS["HOOK"], f"v0:{stamp}:".encode() + BODY)
    pairs = [("X-Slack-Signature", f"v0={code}"), ("X-Slack-Request-Timestamp", stamp)]
    assert "does not fit" not in refused(slack(), pairs)


def test_the_older_stripe_scheme_alone_is_refused() -> None:
    headers = {
        "Stripe-Signature": from_stripe()["Stripe-Signature"]
        .replace("v1=", "v2=")
        .replace("v0=6ffbb59b", "v0=" + mac(SECRETS["HOOK"], BODY))
    }
    refused(signature.stripe(HOOK), headers)


@pytest.mark.parametrize("order", [(HOOK, NEXT), (NEXT, HOOK)])
def test_while_a_secret_is_rotated_either_holds(order: tuple[SecretRef, SecretRef]) -> None:
    for secret in ("HOOK", "NEXT"):
        assert signature.github(order).verify(from_github(secret=SECRETS[secret]), BODY, NOW).event_id == "72d3162e"
        assert signature.stripe(list(order)).verify(from_stripe(secret=SECRETS[secret]), BODY, NOW).event_id == "evt_1"
    refused(signature.github(order), from_github(secret="a third"))


def test_of_several_signatures_one_has_to_fit() -> None:
    right, wrong = from_standard()["webhook-signature"], from_standard(secret=SECRETS["OTHER"])["webhook-signature"]
    verifier = signature.standard(STANDARD)
    for line in (f"{wrong} {right}", f"{right} {wrong}", f"v1a,{right[3:]} {right}", f"v9,zzz {right}"):
        assert verifier.verify(from_standard() | {"webhook-signature": line}, BODY, NOW).event_id == "msg_1"
    for line in (wrong, f"{wrong} {wrong}", f"v1a,{right[3:]}", right[3:]):
        refused(verifier, from_standard() | {"webhook-signature": line})


def test_the_id_of_a_standard_webhook_is_signed_too() -> None:
    assert "does not fit" in refused(signature.standard(STANDARD), from_standard() | {"webhook-id": "msg_2"})
    assert "no webhook-id" in refused(signature.standard(STANDARD), {k: v for k, v in from_standard().items() if k != "webhook-id"})


def test_a_delivery_id_that_stands_twice_is_refused() -> None:
    assert "2 X-GitHub-Delivery headers" in refused(signature.github(HOOK), [*from_github().items(), ("x-github-delivery", "other")])


@pytest.mark.parametrize("body", [b"not json", b"[]", b'{"id": 7}', b'{"id": ""}', b"[" * 100_000, b"\xff"])
def test_a_stripe_body_without_an_id_still_holds_and_names_none(body: bytes) -> None:
    assert signature.stripe(HOOK).verify(from_stripe(body), body, NOW).event_id is None


@pytest.mark.parametrize("algorithm", signature.ALGORITHMS)
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_other_hmacs_hold_with_each_algorithm_and_encoding(algorithm: str, encoding: signature.Encoding) -> None:
    code = hmac.new(SECRETS["HOOK"].encode(), BODY, getattr(hashlib, algorithm)).digest()
    text = code.hex() if encoding == "hex" else base64.b64encode(code).decode()
    verifier = signature.hmac(HOOK, header="X-Sig", algorithm=algorithm, encoding=encoding)
    assert verifier.verify({"x-sig": text}, BODY, NOW) == signature.Verified(None, None)
    assert not verifier.names_events
    refused(verifier, {"x-sig": text}, BODY + b"x")


def test_a_named_timestamp_is_signed_with_the_body_by_default() -> None:
    verifier = signature.hmac(HOOK, header="X-Sig", timestamp_header="X-Time")
    code = mac(SECRETS["HOOK"], b"%d." % NOW + BODY)
    assert verifier.verify({"x-sig": code, "x-time": f"{NOW:.0f}"}, BODY, NOW).at == NOW
    refused(verifier, {"x-sig": mac(SECRETS["HOOK"], BODY), "x-time": f"{NOW:.0f}"})


@pytest.mark.parametrize(
    "declare",
    [
        lambda: signature.github("It's a Secret to Everybody"),  # type: ignore[arg-type]
        lambda: signature.stripe(()),
        lambda: signature.standard([STANDARD, WHSEC]),  # type: ignore[list-item]
        lambda: signature.hmac("", header="X"),  # type: ignore[arg-type]
        lambda: signature.stripe(HOOK, tolerance=0),
        lambda: signature.standard(STANDARD, tolerance=float("inf")),
        lambda: signature.stripe(HOOK, tolerance=float("nan")),
        lambda: signature.hmac(HOOK, header="X", algorithm="md5"),
        lambda: signature.hmac(HOOK, header="X", encoding="base32"),  # type: ignore[arg-type]
        lambda: signature.hmac(HOOK, header="X", timestamp_header="T", signed="{body}"),
        lambda: signature.hmac(HOOK, header="X", signed="{timestamp}{body}"),
        lambda: signature.hmac(HOOK, header="X", signed="{body}{body}"),
    ],
)
def test_what_would_let_anyone_in_is_refused_at_declaration(declare: Callable[[], object]) -> None:
    with pytest.raises(DeclarationError) as caught:
        declare()
    assert not [secret for secret in SECRETS.values() if secret in str(caught.value)]


def test_a_secret_that_nobody_holds_or_that_is_empty_lets_nobody_in() -> None:
    for name in ("NOBODY", "EMPTY"):
        with pytest.raises(SecretMissing, match=name):
            signature.github(SecretRef(name)).verify(from_github(secret=""), BODY, NOW)
    with pytest.raises(SecretMissing, match="CROOKED is not a Standard Webhooks secret"):
        signature.standard(SecretRef("CROOKED")).verify(from_standard(), BODY, NOW)


def test_what_is_signed_here_holds_for_the_librarys_judge() -> None:
    headers = signature.standard_headers([RAW, b"another"], "job-1", time.time(), BODY)
    assert standardwebhooks.Webhook(WHSEC).verify(BODY, headers) == json.loads(BODY)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SECRETS["OTHER"]).verify(BODY, headers)


@pytest.mark.parametrize("message", ["", "a.b", "a b", "é", "a\n"])
def test_an_id_that_could_be_read_in_two_ways_is_not_signed(message: str) -> None:
    with pytest.raises(ValueError, match="message id"):
        signature.standard_headers([RAW], message, NOW, BODY)


@given(
    kind=st.sampled_from(list(KINDS)),
    body=st.binary(max_size=60),
    text=st.text(max_size=90),
    others=st.dictionaries(st.text(max_size=8), st.text(max_size=8)),
)
def test_random_bodies_and_signatures_never_hold(kind: str, body: bytes, text: str, others: dict[str, str]) -> None:
    verifier, send, name = KINDS[kind]
    for value in (text, f"sha256={text}", f"v0={text}", f"v1,{text}", f"t={NOW:.0f},v1={text}"):
        with pytest.raises(SignatureRefused):
            verifier.verify(send() | others | {name: value}, body, NOW)


@given(
    kind=st.sampled_from(["github", "stripe", "hmac"]),
    body=st.binary(max_size=200),
    at=st.integers(0, 200),
    place=st.integers(0, 10_000),
    bit=st.integers(0, 7),
)
def test_one_changed_bit_never_holds(kind: str, body: bytes, at: int, place: int, bit: int) -> None:
    verifier, send, _ = KINDS[kind]
    headers = send(body=body)
    verifier.verify(headers, body, NOW + at)
    changed = bytearray(body or b"\0")
    changed[place % len(changed)] ^= 1 << bit
    with pytest.raises(SignatureRefused):
        verifier.verify(headers, bytes(changed), NOW + at)


@given(
    body=st.text(max_size=50).map(str.encode),
    keys=st.lists(st.binary(min_size=1, max_size=70), min_size=1, max_size=3),
    at=st.integers(0, 10**11),
)
def test_what_is_signed_here_holds_here_under_each_key(body: bytes, keys: list[bytes], at: int) -> None:
    headers = signature.standard_headers(keys, "m", at, body)
    for key in keys:
        scheme = signature.Scheme(
            (HOOK,), **{name: getattr(signature.standard(STANDARD), name) for name in ("claim", "sign", "event")}, key=lambda ref, k=key: k
        )
        assert scheme.verify(headers, body, at) == signature.Verified("m", float(at))
