"""Webhook signatures, verified over the raw body before anything else of a request is read."""

import base64
import binascii
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest, digest
from typing import Literal, Protocol

import msgspec

from guardrails.runtime import secret as secrets
from guardrails.runtime.errors import DeclarationError, SecretMissing, SignatureRefused
from guardrails.runtime.numeric import is_number
from guardrails.runtime.secret import SecretRef

Headers = Mapping[str, str] | Iterable[tuple[str, str]]
Secrets = SecretRef | Sequence[SecretRef]
Encoding = Literal["hex", "base64"]
TOLERANCE = 300.0  # seconds; what Stripe's and the Standard Webhooks' own libraries allow
ALGORITHMS = ("sha256", "sha384", "sha512", "sha1")
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Verified:
    """What is known of a request whose signature holds: the upstream event's id and kind, and when it was signed (epoch seconds)."""

    event_id: str | None
    at: float | None
    kind: str | None = None


class Verifier(Protocol):
    """A way to tell whose request it is; `names_events`: whether it finds the upstream event's id."""

    @property
    def secrets(self) -> tuple[SecretRef, ...]:
        """The secrets it needs, so that a service can ask for them when it starts."""

    @property
    def names_events(self) -> bool:
        """Whether a request that holds brings an event id."""

    def verify(self, headers: Headers, body: bytes, now: float) -> Verified:
        """Hold a request against the secrets; `now` in epoch seconds. Raises SignatureRefused, or SecretMissing where nobody holds one."""


class Head:
    """A request's headers, by name in any case; one that stands twice is refused where it is read, as readers differ in which counts."""

    def __init__(self, headers: Headers) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in headers.items() if isinstance(headers, Mapping) else headers:
            self._values.setdefault(name.lower(), []).append(value)

    def one(self, name: str) -> str:
        """A header that must be there; raises SignatureRefused."""
        value = self.maybe(name)
        if value is None:
            raise SignatureRefused(f"The request has no {name} header.")
        return value

    def maybe(self, name: str) -> str | None:
        """A header, None where it is missing or empty; raises SignatureRefused where it stands twice."""
        values = self._values.get(name.lower(), [])
        if len(values) > 1:
            raise SignatureRefused(f"The request has {len(values)} {name} headers; there must be one.")
        return values[0].strip() or None if values else None


@dataclass(frozen=True, slots=True)
class Claim:
    """What a request claims: signatures as text, the bytes they are said to cover, and when they were made (epoch seconds)."""

    signatures: list[str]
    signed: bytes
    at: float | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Scheme:
    """A kind of signature as functions: what a request claims, what it should say, and which event it brings."""

    secrets: tuple[SecretRef, ...]
    claim: Callable[[Head, bytes], Claim]
    sign: Callable[[bytes, bytes], str]
    event: Callable[[Head, bytes], tuple[str | None, str | None]]
    key: Callable[[SecretRef], bytes]
    names_events: bool = True
    tolerance: float = TOLERANCE

    def verify(self, headers: Headers, body: bytes, now: float) -> Verified:
        """Hold a request against the secrets. Raises SignatureRefused with a reason that tells neither signature nor secret."""
        head = Head(headers)
        claim = self.claim(head, body)
        if claim.at is not None and abs(now - claim.at) > self.tolerance:
            side = "old" if claim.at < now else "far in the future"
            raise SignatureRefused(f"The request's timestamp is too {side}: more than {self.tolerance:g} seconds from this clock.")
        if not self._fits(claim):
            raise SignatureRefused("The request's signature does not fit its body.")
        event_id, kind = self.event(head, body)
        return Verified(event_id, claim.at, kind)

    def _fits(self, claim: Claim) -> bool:
        expected = [self.sign(self.key(ref), claim.signed).encode() for ref in self.secrets]
        given = [text.encode("utf-8", "backslashreplace") for text in claim.signatures]
        return sum(compare_digest(mine, theirs) for mine in expected for theirs in given) > 0  # no pair is left out


def github(secret: Secrets) -> Scheme:
    """GitHub's `X-Hub-Signature-256` over the body; several secrets while one is rotated. No timestamp: the event id guards from replays.

    The event id is `X-GitHub-Delivery`, the kind `X-GitHub-Event`. A redelivery keeps the id ("If you request a redelivery, the
    X-GitHub-Delivery header will be the same as in the original delivery"). It names the event, not the delivery: two hooks or apps that
    are told of one event get the same id, with bodies that may differ (github/docs issue 32822). GitHub signs neither header, so who
    captured a body can send it under another id: where that matters, take the key from the event.
    Source: docs.github.com, "Best practices for using webhooks" and "Validating webhook deliveries".
    """
    return Scheme(
        secrets=refs(secret),
        claim=lambda head, body: Claim([head.one("X-Hub-Signature-256")], body),
        sign=lambda key, signed: "sha256=" + digest(key, signed, "sha256").hex(),
        event=lambda head, body: (head.maybe("X-GitHub-Delivery"), head.maybe("X-GitHub-Event")),
        key=_text_key,
    )


def stripe(secret: Secrets, *, tolerance: float = TOLERANCE) -> Scheme:
    """Stripe's `Stripe-Signature` (`t=..,v1=..`; several v1 while a secret is rotated) over `t.body`; `tolerance`: seconds, both ways.

    The event id is the body's `id`, the kind its `type`. Source: docs.stripe.com, "Verify webhook signatures manually".
    """
    return Scheme(
        secrets=refs(secret),
        claim=_stripe_claim,
        sign=lambda key, signed: digest(key, signed, "sha256").hex(),
        event=_stripe_event,
        key=_text_key,
        tolerance=_checked_tolerance(tolerance),
    )


def standard(secret: Secrets, *, tolerance: float = TOLERANCE) -> Scheme:
    """Standard Webhooks: `webhook-signature` (`v1,..`; several parted by spaces) over `id.timestamp.body`; `tolerance`: seconds, both ways.

    Secrets are base64, with or without `whsec_`. The event id is `webhook-id`, which stays the same over retries. Asymmetric signatures
    (`v1a`) are passed over.
    Source: github.com/standard-webhooks/standard-webhooks, spec 1.0.0.
    """
    return Scheme(
        secrets=refs(secret),
        claim=_standard_claim,
        sign=lambda key, signed: base64.b64encode(digest(key, signed, "sha256")).decode(),
        event=lambda head, body: (head.one("webhook-id"), None),
        key=standard_key,
        tolerance=_checked_tolerance(tolerance),
    )


def hmac(
    secret: Secrets,
    *,
    header: str,
    algorithm: str = "sha256",
    timestamp_header: str | None = None,
    tolerance: float = TOLERANCE,
    encoding: Encoding = "hex",
    prefix: str = "",
    signed: str | None = None,
    event_header: str | None = None,
) -> Scheme:
    """Any other HMAC: `header` holds `prefix` and the digest of `signed`, a text with {body} and, where its header is named, {timestamp}.

    `signed` is "{body}" by default, with a timestamp (epoch seconds) "{timestamp}.{body}". Slack, for one, has header="X-Slack-Signature",
    prefix="v0=", timestamp_header="X-Slack-Request-Timestamp", signed="v0:{timestamp}:{body}". `event_header` names the event's id; without
    it the webhook needs a key of its own. `tolerance`: seconds, both ways. Raises DeclarationError.
    """
    if algorithm not in ALGORITHMS:
        raise DeclarationError(f"signature.hmac(algorithm=..) is one of {', '.join(ALGORITHMS)}, not {algorithm!r}.")
    if encoding not in ("hex", "base64"):
        raise DeclarationError(f"signature.hmac(encoding=..) is 'hex' or 'base64', not {encoding!r}.")
    template = _template(signed, timestamp_header)

    def claim(head: Head, body: bytes) -> Claim:
        stamp = head.one(timestamp_header) if timestamp_header else ""
        at = _seconds(stamp, timestamp_header) if timestamp_header else None
        before, after = template.replace("{timestamp}", stamp).split("{body}")
        return Claim([head.one(header)], before.encode() + body + after.encode(), at)

    return Scheme(
        secrets=refs(secret),
        claim=claim,
        sign=lambda key, covered: prefix + _written(digest(key, covered, algorithm), encoding),
        event=lambda head, body: (head.maybe(event_header) if event_header else None, None),
        key=_text_key,
        names_events=event_header is not None,
        tolerance=_checked_tolerance(tolerance),
    )


def standard_headers(keys: Sequence[bytes], message_id: str, at: float, body: bytes) -> dict[str, str]:
    """The headers of a Standard Webhooks message, signed with each key; raises ValueError for an id that could be read in two ways."""
    if not re.fullmatch(r"[!-~]+", message_id) or "." in message_id:
        raise ValueError("a message id has visible ASCII characters and no full stop, which parts id, timestamp and body in what is signed")
    signed = f"{message_id}.{int(at)}.".encode() + body
    signatures = " ".join("v1," + base64.b64encode(digest(key, signed, "sha256")).decode() for key in keys)
    return {"webhook-id": message_id, "webhook-timestamp": str(int(at)), "webhook-signature": signatures}


def standard_key(ref: SecretRef) -> bytes:
    """The key in a Standard Webhooks secret; raises SecretMissing where it is empty or not base64."""
    text = _text_key(ref).decode().strip().removeprefix("whsec_")
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise SecretMissing(f"The secret {ref.name} is not a Standard Webhooks secret: it must be base64, usually after `whsec_`.")
    return key


def _text_key(ref: SecretRef) -> bytes:
    return secrets.reveal(ref).encode()


def _stripe_claim(head: Head, body: bytes) -> Claim:
    parts = [part.strip().partition("=") for part in head.one("Stripe-Signature").split(",")]
    stamps = [value for name, _, value in parts if name == "t"]
    if len(stamps) != 1:
        raise SignatureRefused(f"The Stripe-Signature header has {len(stamps)} timestamps (t=..); there must be one.")
    at = _seconds(stamps[0], "Stripe-Signature")
    return Claim([value for name, _, value in parts if name == "v1"], f"{stamps[0]}.".encode() + body, at)


def _stripe_event(head: Head, body: bytes) -> tuple[str | None, str | None]:
    try:
        event = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return None, None
    found = [event.get(name) for name in ("id", "type")] if isinstance(event, dict) else [None, None]
    event_id, kind = (value if isinstance(value, str) and value else None for value in found)
    return event_id, kind


def _standard_claim(head: Head, body: bytes) -> Claim:
    message_id, stamp = head.one("webhook-id"), head.one("webhook-timestamp")
    at = _seconds(stamp, "webhook-timestamp")
    signatures = [text.removeprefix("v1,") for text in head.one("webhook-signature").split() if text.startswith("v1,")]
    return Claim(signatures, f"{message_id}.{stamp}.".encode("utf-8", "backslashreplace") + body, at)


def _seconds(text: str, header: str) -> float:
    if not _SECONDS.fullmatch(text):
        raise SignatureRefused(f"The timestamp in the {header} header is not a whole number of epoch seconds.")
    return float(text)


def _written(code: bytes, encoding: Encoding) -> str:
    return code.hex() if encoding == "hex" else base64.b64encode(code).decode()


def _template(signed: str | None, timestamp_header: str | None) -> str:
    template = signed if signed is not None else "{timestamp}.{body}" if timestamp_header else "{body}"
    if template.count("{body}") != 1 or (timestamp_header is not None) != ("{timestamp}" in template):
        raise DeclarationError(
            "signature.hmac(signed=..) must hold {body} once, and {timestamp} if, and only if, timestamp_header is given: "
            "a time that is not signed proves nothing."
        )
    return template


def refs(secret: Secrets) -> tuple[SecretRef, ...]:
    """The secrets in a row; raises DeclarationError, without the value, for one that was written into the source."""
    refs = (secret,) if isinstance(secret, SecretRef) else tuple(secret)
    if not refs or not all(isinstance(ref, SecretRef) for ref in refs):
        raise DeclarationError('A signature needs secret=SecretRef("NAME"), or several while one is rotated; never the secret itself.')
    return refs


def _checked_tolerance(tolerance: float) -> float:
    if not is_number(tolerance) or not 0 < tolerance < math.inf:
        raise DeclarationError(f"A signature's tolerance is a finite number of seconds above 0, not {tolerance!r}.")
    return float(tolerance)
