"""People at the page: a link that signs in once, and the session it opens. Kept in this process; a restart signs everybody out."""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import TypeVar

V = TypeVar("V")
MOST = 1000


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in: the token that their forms carry, and until when (monotonic seconds)."""

    id: str
    csrf: str
    until: float


class Sessions:
    """Links and sessions by the hash of their token, so that neither can be read from memory dumps or compared byte by byte."""

    def __init__(self, login_seconds: float, session_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._login_seconds, self._session_seconds, self._clock = login_seconds, session_seconds, clock
        self._links: dict[str, float] = {}
        self._sessions: dict[str, Session] = {}

    def link(self) -> str:
        """A token that signs in once, soon."""
        token = secrets.token_urlsafe(32)
        self._links = _bounded({place: until for place, until in self._links.items() if until > self._clock()})
        self._links[_hash(token)] = self._clock() + self._login_seconds
        return token

    def enter(self, token: str) -> str | None:
        """Use a link up: the new session's secret, None where the link is unknown, used or too old."""
        until = self._links.pop(_hash(token), 0.0)
        if until <= self._clock():
            return None
        secret = secrets.token_urlsafe(32)
        self._sessions = _bounded({place: one for place, one in self._sessions.items() if one.until > self._clock()})
        self._sessions[_hash(secret)] = Session(_hash(secret), secrets.token_urlsafe(32), self._clock() + self._session_seconds)
        return secret

    def of(self, secret: str) -> Session | None:
        """The session of a cookie; None where there is none, or its time is over."""
        found = self._sessions.get(_hash(secret))
        return found if found is not None and found.until > self._clock() else None

    def leave(self, session: Session) -> None:
        """End a session."""
        self._sessions.pop(session.id, None)


def same(one: str, other: str) -> bool:
    """Whether two tokens are the same, in constant time."""
    return compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _bounded(found: dict[str, V]) -> dict[str, V]:
    """The latest ones, so that whoever asks for many cannot fill the memory."""
    return dict(list(found.items())[-MOST:])
