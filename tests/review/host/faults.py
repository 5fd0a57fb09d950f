"""What goes wrong, as a script: the next call that fits a pattern gets a fault, once or more often."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

HTML = "<!DOCTYPE html>\n<html><head><title>Unicorn!</title></head><body><h1>This page is taking too long to load.</h1></body></html>\n"
WORDS = {401: "Bad credentials", 404: "Not Found", 410: "Gone", 500: "Server Error", 502: "Server Error", 503: "Service Unavailable"}
PRIMARY = "API rate limit exceeded for installation ID 77."
SECONDARY = (
    "You have exceeded a secondary rate limit and have been temporarily blocked from content creation. "
    "Please retry your request again later."
)


@dataclass
class Fault:
    """One line of the script.

    `next` is a method and a path, `...` for any part of it. `after_effect`: the call does its work first, and only the answer is lost.
    `drop`: the connection closes without an answer. `do` is called when the call arrives, before anything else; without a status the
    call then goes its way (the head that moves meanwhile).
    """

    next: str
    status: int = 0
    after_effect: bool = False
    times: int = 1
    skip: int = 0
    html: bool = False
    drop: bool = False
    message: str = ""
    errors: list[Any] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    retry_after: int | None = None
    do: Callable[[], object] | None = None
    served: int = 0

    def fits(self, method: str, path: str) -> bool:
        """Whether this call is meant."""
        verb, _, rest = self.next.partition(" ")
        pattern = ".*".join(re.escape(part) for part in rest.split("..."))
        return verb in (method, "*") and re.fullmatch(pattern, path) is not None

    def body(self) -> dict[str, Any]:
        """GitHub's words."""
        made: dict[str, Any] = {"message": self.message or WORDS.get(self.status, "Forbidden")}
        if self.errors:
            made["errors"] = self.errors
        return made | {"documentation_url": "https://docs.github.com/rest", "status": str(self.status)}


class Script:
    """Faults in the order in which they were written down."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def taken(self, method: str, path: str) -> Fault | None:
        """The fault for a call; it is used up."""
        for fault in self.faults:
            if fault.served < fault.times and fault.fits(method, path):
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.served += 1
                return fault
        return None

    def left(self) -> list[Fault]:
        """Faults that never came about: a test that waits for them tests nothing."""
        return [fault for fault in self.faults if not fault.served]
