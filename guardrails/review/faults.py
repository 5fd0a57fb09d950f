"""What it means when GitHub does not do what was asked: by status, headers and words."""

from __future__ import annotations

import re
from collections.abc import Mapping

from guardrails.review.host import ForbiddenError, HostError, LimitedError, LostError, MissingError, RefusedError

MINUTE = 60.0  # seconds: what GitHub's documentation asks for where an answer names no time
_PENDING = re.compile(r"(?i)\bone pending review\b")
_QUICK = re.compile(r"(?i)\btoo quickly\b|\bspam|\babuse\b")
_PLACE = re.compile(r"(?i)\b(line|path|position|side|hunk|commit|commit_id)\b|_(line|side|hunk)\b|review_thread")
_BUSY = "something went wrong while executing your query"


def told(status: int, data: object, headers: Mapping[str, str], limited: bool, repo: str, now: float) -> HostError:
    """An answer of REST. `limited`: its words are those of a rate limit; `now`: seconds since 1970."""
    low = {name.lower(): value for name, value in headers.items()}
    message, reasons = _words(data)
    said = f"{message}{''.join(f'; {one}' for one in reasons[:2])}"
    if status in (403, 429) and ("retry-after" in low or limited):
        return too_many(_seconds(low, now))
    if status == 401:
        return ForbiddenError("GitHub does not know the token (401); give one that has not expired")
    if status == 403:
        return ForbiddenError(f"the token may not do that ({message}); in a workflow give `permissions: pull-requests: write`")
    if status == 404:
        return MissingError(
            f"GitHub shows no such pull request or repository ({repo}) to this token; check the name and what the token may read"
        )
    if status == 422:
        return _unprocessable(said, reasons, low, now)
    return (
        LostError(f"GitHub has a fault ({status}); run it again later") if status >= 500 else HostError(f"GitHub says {status}: {message}")
    )


def of_graph(errors: object) -> HostError:
    """The errors of a GraphQL answer, which has the status 200; the first one decides."""
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    message, kind = str(first.get("message") or "an error"), first.get("type", "")
    if kind == "RATE_LIMITED":
        return too_many(MINUTE)
    kinds = {"FORBIDDEN": ForbiddenError, "NOT_FOUND": MissingError}
    lost = LostError if message.lower().startswith(_BUSY) else HostError
    return kinds.get(kind, lost)(f"GitHub's GraphQL says: {message}")


def too_many(seconds: float) -> LimitedError:
    """A rate limit."""
    return LimitedError(f"GitHub's rate limit asks to wait for {seconds:,.0f} s, which is too long; run it again later", seconds)


def _unprocessable(said: str, reasons: list[str], headers: Mapping[str, str], now: float) -> HostError:
    """A place that is none, which the next run would find again, is told from what has nothing to do with the place."""
    if _PENDING.search(said):
        return HostError("this account has a review of the pull request that is not submitted; submit or discard it, and run this again")
    if _QUICK.search(said):
        return too_many(_seconds(headers, now))
    if reasons and not _PLACE.search(said):
        return HostError(f"GitHub refused this ({said})")
    return RefusedError(f"GitHub refused this ({said})")


def _seconds(headers: Mapping[str, str], now: float) -> float:
    """How long to wait: as GitHub says, else until the hour begins anew, else a minute."""
    after = headers.get("retry-after", "")
    if re.fullmatch(r"\d{1,9}", after):
        return float(after)
    if headers.get("x-ratelimit-remaining") == "0" and re.fullmatch(r"\d{1,12}", headers.get("x-ratelimit-reset", "")):
        return max(1.0, float(headers["x-ratelimit-reset"]) - now + 1)
    return MINUTE


def _words(data: object) -> tuple[str, list[str]]:
    """The message of an answer, and its reasons, which GitHub gives as objects, as strings, or as one string."""
    given = data if isinstance(data, dict) else {}
    errors = given.get("errors") or []
    reasons = [_reason(one) for one in (errors if isinstance(errors, list) else [errors])]
    return _line(given.get("message") or "no reason given"), [one for one in reasons if one]


def _reason(error: object) -> str:
    if isinstance(error, dict):
        return _line(error.get("message") or error.get("field") or "")
    return _line(error) if isinstance(error, str) else ""


def _line(text: object) -> str:
    return " ".join(str(text).split())[:200]
