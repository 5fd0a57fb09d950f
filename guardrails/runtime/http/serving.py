"""How the service is served: its address, its keys and its limits, checked before anything is bound."""

import hashlib
import ipaddress
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hmac import compare_digest

from guardrails.runtime.declare import Registry
from guardrails.runtime.errors import DeclarationError, SecretMissing
from guardrails.runtime.secret import reveal

VARIABLE = "GUARDRAILS_API_KEY"
SHORTEST_KEY = 16
OURS = ("api", "health", "metrics", "openapi.json", "jobs", "login", "logout", "")


@dataclass(frozen=True, slots=True)
class Serving:
    """Where the service listens, whom it knows, and what it allows. Sizes in bytes, times in seconds.

    Raises DeclarationError for what would be unsafe: no key, a short one, or a public address without one.
    """

    keys: tuple[str, ...] = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8000
    body_limit: int = 128 * 1024
    body_seconds: float = 20.0
    """How long a request's body may take."""
    heartbeat: float = 15.0
    followers: int = 20
    """Connections that one key may hold open to follow jobs and streams."""
    poll: float = 0.25
    """Seconds between two looks at the jobs that are followed; one look serves all followers."""
    stall: float = 30.0
    """How long a client may read nothing of what it was sent."""
    login_seconds: float = 600.0
    session_seconds: float = 12 * 3600.0

    def __post_init__(self) -> None:
        if not self.keys:
            raise DeclarationError(f"The service has no API key: set {VARIABLE}, for example to the output of `openssl rand -hex 32`.")
        if any(len(key) < SHORTEST_KEY or not key.isascii() or not key.isprintable() or " " in key for key in self.keys):
            raise DeclarationError(
                f"An API key has at least {SHORTEST_KEY} printable ASCII characters without spaces: set {VARIABLE} to a random one."
            )

    def holder(self, given: str) -> str | None:
        """Which key this is ("key 1", as they are listed), None for none of them; it takes as long whichever it is."""
        mine = [hashlib.sha256(key.encode()).digest() for key in self.keys]
        theirs = hashlib.sha256(given.encode("utf-8", "surrogatepass")).digest()
        found = [place for place, key in enumerate(mine, 1) if compare_digest(key, theirs)]
        return f"key {found[0]}" if found else None


def keys_of(environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The keys of GUARDRAILS_API_KEY, parted by commas: several while one is rotated."""
    return tuple(key.strip() for key in environment.get(VARIABLE, "").split(",") if key.strip())


def loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def keys_for(host: str, environment: Mapping[str, str] = os.environ) -> tuple[tuple[str, ...], bool]:
    """The keys to serve with, and whether one was made up for this run: only where nobody else can reach it. Raises DeclarationError."""
    keys = keys_of(environment)
    if keys:
        return keys, False
    if not loopback(host):
        raise DeclarationError(
            f"{host} can be reached by others and there is no API key: set {VARIABLE} (openssl rand -hex 32), or serve on 127.0.0.1."
        )
    return (secrets.token_urlsafe(32),), True


def faults(registry: Registry) -> Iterable[str]:
    """What the declared webhooks still need, one sentence each."""
    for path, hook in registry.webhooks.items():
        if path.split("/")[1] in OURS:
            yield f"The webhook {path} lies where the service has its own routes: declare it below /hooks/."
        for ref in hook.verify.secrets:
            try:
                reveal(ref)
            except SecretMissing as missing:
                yield f"The webhook {path} cannot verify its sender. {missing}"


def check(registry: Registry) -> None:
    """Raise DeclarationError with all that the environment lacks."""
    found = list(faults(registry))
    if found:
        raise DeclarationError(" ".join(found))
