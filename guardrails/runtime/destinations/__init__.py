"""Where a job or its outcome is delivered over HTTP: signed, with the job's key, and only to public addresses."""

import math
import re
import socket
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from guardrails.runtime import secret as secrets
from guardrails.runtime import signature
from guardrails.runtime.destinations import addresses
from guardrails.runtime.errors import DestinationRefused, SecretMissing, Terminal, Transient
from guardrails.runtime.numeric import is_number
from guardrails.runtime.secret import SecretRef

if TYPE_CHECKING:
    from guardrails.runtime.destinations.pinned import Deadline

LONGEST_AFTER = 86_400.0  # seconds; a Retry-After beyond a day is cut to it
AGAIN = (408, 425, 429)
PORTS = {"https": 443, "http": 80}
_OURS = (
    *"host content-length content-type transfer-encoding connection expect upgrade te trailer".split(),
    *"idempotency-key webhook-id webhook-timestamp webhook-signature".split(),
)
_SECRET_HEADERS = ("authorization", "proxy-authorization", "cookie")
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_VALUE = re.compile(r"[!-~]([ -~]*[!-~])?", re.ASCII)
_VISIBLE = "".join(chr(code) for code in range(33, 127) if chr(code) != "%")


def _resolve(host: str, port: int) -> list[str]:
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True)
class _Network:
    """How names and addresses are judged; only our own tests, whose servers are on this machine, give another one."""

    resolve: Callable[[str, int], list[str]] = _resolve
    refusal: Callable[[addresses.Address], str | None] = addresses.refusal
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Destination:
    """An HTTP address that takes deliveries; make one with `http(..)`. Its repr holds no path, which may be a secret."""

    scheme: str
    host: str
    port: int
    target: str
    secrets: tuple[SecretRef, ...]
    timeout: float
    headers: Mapping[str, str | SecretRef]
    network: _Network = field(default_factory=_Network)

    @property
    def origin(self) -> str:
        """Scheme, host and port, as `https://example.com`."""
        return f"{self.scheme}://{self.authority}"

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __repr__(self) -> str:
        return f"Destination({self.origin!r})"


@dataclass(frozen=True, slots=True)
class Delivered:
    """The other side took the message; its status is 2xx."""

    status: int


def http(
    url: str,
    *,
    secret: signature.Secrets,
    timeout: float = 10.0,
    headers: Mapping[str, str | SecretRef] | None = None,
    ports: Collection[int] | None = None,
    allow_http: bool = False,
    _network: _Network | None = None,
) -> Destination:
    """Declare where to deliver; `secret`: a Standard Webhooks secret (`whsec_..`), several while one is rotated; `timeout`: seconds in all.

    `ports`: those that the URL may name, by default 443, and 80 with `allow_http`. Loopback, private, link-local, shared, multicast,
    reserved and metadata addresses are refused, here where the URL holds one, and at each delivery where the name resolves to one.
    Raises DestinationRefused or DeclarationError.
    """
    scheme, host, port, target = _parts(url)
    if scheme == "http" and not allow_http:
        raise DestinationRefused(f"{host} must be reached by https, so that nobody reads the message on its way (or say allow_http=True).")
    allowed = set(ports) if ports is not None else {443, 80} if allow_http else {443}
    if port not in allowed:
        raise DestinationRefused(f"Port {port} of {host} is not among the ports allowed ({sorted(allowed)}); name it with ports=({port},).")
    if not is_number(timeout) or not 0 < timeout < math.inf:
        raise DestinationRefused(f"A destination's timeout is a finite number of seconds above 0, not {timeout!r}.")
    return Destination(
        scheme, host, port, target, signature.refs(secret), float(timeout), _checked_headers(headers or {}), _network or _Network()
    )


def _parts(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port and target of a URL that can be read in one way only."""
    if not re.fullmatch(r"[!-~]+", url) or "\\" in url:
        raise DestinationRefused(
            "A destination's URL has visible ASCII characters only; percent-encode others, and write names as punycode."
        )
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise DestinationRefused("A destination's URL has a host or port that cannot be read.") from error
    if parts.scheme not in ("https", "http") or not host or "@" in parts.netloc or parts.fragment:
        raise DestinationRefused("A destination is an absolute https URL without user, password and fragment; pass credentials as headers.")
    host = host.removesuffix(".")
    fault = addresses.host_fault(host)
    if fault:
        raise DestinationRefused(f"Nothing is delivered to {host}: {fault}.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return parts.scheme, host, port if port is not None else PORTS[parts.scheme], target


def _checked_headers(headers: Mapping[str, str | SecretRef]) -> dict[str, str | SecretRef]:
    for name, value in headers.items():
        if not _NAME.fullmatch(name) or name.lower() in _OURS:
            raise DestinationRefused(f"The header {name!r} cannot be set: it is no header name, or the delivery sets it itself.")
        if isinstance(value, SecretRef):
            continue
        if name.lower() in _SECRET_HEADERS:
            raise DestinationRefused(f'The header {name} is a credential: give SecretRef("NAME") in place of its text.')
        if not _VALUE.fullmatch(value):
            raise DestinationRefused(f"The header {name} must hold visible ASCII characters.")
    return dict(headers)


def deliver(destination: Destination, body: bytes, *, message_id: str, key: str, at: float) -> Delivered:
    """POST a JSON body, one attempt. `message_id` (without full stops) stays the same over attempts; `at` is now, in epoch seconds.

    `key` is sent as `Idempotency-Key`, percent-encoded where it is not visible ASCII: a receiver may have acted on a delivery whose
    answer was lost. Raises Transient for what may work later (network, time-out, 5xx, 408, 425, 429, a secret that nobody holds; `after`
    from Retry-After) and Terminal for what will not: other statuses, redirects, a name that resolves to an address that is refused.
    """
    import httpcore

    from guardrails.runtime.destinations import pinned

    deadline = pinned.Deadline(destination.timeout)
    url = httpcore.URL(
        scheme=destination.scheme.encode(), host=destination.host.encode(), port=destination.port, target=destination.target.encode()
    )
    sent = _headers(destination, body, message_id, key, at)
    try:
        checked = _addresses(destination, deadline)
        status, answered = pinned.post(url, checked, sent, body, deadline, destination.network.tls)
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise Transient(f"{destination.origin} could not be reached: {type(error).__name__}: {error}") from error
    return _verdict(destination, status, answered, at)


def _headers(destination: Destination, body: bytes, message_id: str, key: str, at: float) -> list[tuple[str, str]]:
    own = {"Host": destination.authority, "Content-Type": "application/json", "Content-Length": str(len(body))}
    try:
        signed = signature.standard_headers([signature.standard_key(ref) for ref in destination.secrets], message_id, at, body)
        given = {name: _revealed(name, value) for name, value in destination.headers.items()}
    except SecretMissing as error:
        raise Transient(str(error)) from error
    if "user-agent" not in {name.lower() for name in given}:
        own["User-Agent"] = "worker-guardrails"
    return [*(own | signed | {"Idempotency-Key": quote(key, safe=_VISIBLE)} | given).items()]


def _revealed(name: str, value: str | SecretRef) -> str:
    if isinstance(value, str):
        return value
    text = secrets.reveal(value)
    if not _VALUE.fullmatch(text):
        raise SecretMissing(f"The secret {value.name} cannot stand in the header {name}: it must be visible ASCII characters.")
    return text


def _addresses(destination: Destination, deadline: "Deadline") -> Sequence[str]:
    """What the host resolves to; raises Terminal if any of it is refused: a name that mixes them may answer differently each time."""
    found = _lookup(destination, deadline.left())
    if not found:
        raise Transient(f"{destination.host} has no address.")
    for text in found:
        kind = destination.network.refusal(ip_address(text))
        if kind:
            refused = DestinationRefused(f"Nothing is delivered to {destination.host}: it resolves to a {kind} address.")
            raise Terminal(str(refused)) from refused
    return list(dict.fromkeys(found))


def _lookup(destination: Destination, seconds: float) -> list[str]:
    """Resolve within the delivery's time: the system's resolver knows no limit, so a thread asks it, and is left behind where it hangs."""
    answers: SimpleQueue[list[str] | Exception] = SimpleQueue()

    def ask() -> None:
        try:
            answers.put(destination.network.resolve(destination.host, destination.port))
        except Exception as error:
            answers.put(error)

    thread = Thread(target=ask, name="guardrails-resolver", daemon=True)
    thread.start()
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise Transient(f"{destination.host} could not be resolved within the delivery's time limit.") from None
    thread.join()
    if isinstance(answer, Exception):
        raise Transient(f"{destination.host} could not be resolved: {answer}.") from answer
    return answer


def _verdict(destination: Destination, status: int, headers: Mapping[str, str], at: float) -> Delivered:
    if 200 <= status < 300:
        return Delivered(status)
    if status >= 500 or status in AGAIN:
        raise Transient(f"{destination.origin} answered {status}.", after=_after(headers.get("retry-after"), at))
    if 300 <= status < 400:
        raise Terminal(f"{destination.origin} answered {status}: redirects are not followed, so declare the final address.")
    raise Terminal(f"{destination.origin} answered {status}.")


def _after(text: str | None, at: float) -> float | None:
    """Seconds to wait by a Retry-After header (a number or an HTTP date), None where it says nothing that can be read."""
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}", text.strip(), re.ASCII):
        return min(float(text), LONGEST_AFTER)
    try:
        return min(max(0.0, parsedate_to_datetime(text).timestamp() - at), LONGEST_AFTER)
    except (ValueError, TypeError, OverflowError):
        return None
