"""Versions of payloads: what a job must declare about them, and the way of a stored payload to the present one."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from guardrails.runtime.errors import DeclarationError, NewerVersion, RuntimeFault
from guardrails.runtime.logs.redact import Redactor
from guardrails.runtime.numeric import is_whole
from guardrails.runtime.payload.canonical import written

Upcast = Callable[[dict[str, Any]], dict[str, Any]]


class PayloadUnreadable(RuntimeFault):
    """A stored payload that can never be run: not JSON, not what the job takes, or its upcaster fails."""


def check(name: str, version: object, upcast: Mapping[int, Upcast]) -> None:
    """Raise DeclarationError unless there is a way from each version from 1 on to this one."""
    if not is_whole(version) or version < 1:
        raise DeclarationError(f"The version of {name} must be a whole number from 1, not {version!r}.")
    needed = set(range(1, version))
    if missing := sorted(needed - set(upcast)):
        raise DeclarationError(
            f"{name} has version {version}, and rows queued by older releases need upcast={{..}} from each older version; "
            f"missing: {', '.join(map(str, missing))}."
        )
    if extra := sorted(map(repr, set(upcast) - needed)):
        raise DeclarationError(f"{name} has version {version}, so there is nothing to upcast from {', '.join(extra)}: raise the version.")
    for step, function in upcast.items():
        if not callable(function):
            raise DeclarationError(f"upcast[{step}] of {name} must be a function from the dict of version {step} to that of {step + 1}.")


def document(text: str, name: str) -> dict[str, Any]:
    """A stored payload's JSON object; raises PayloadUnreadable."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise PayloadUnreadable(f"A stored payload of {name} is no JSON: its row was damaged or written by something else.") from None
    if not isinstance(data, dict):
        raise PayloadUnreadable(f"A stored payload of {name} is no JSON object: its row was damaged or written by something else.")
    return data


def raised(name: str, text: str, stored: int, present: int, upcast: Mapping[int, Upcast]) -> dict[str, Any]:
    """The dict of a stored payload, brought from its version to the present one. Raises NewerVersion, or PayloadUnreadable."""
    if stored > present:
        raise NewerVersion(
            f"This payload of {name} has version {stored}, and this release knows up to {present}: deploy the newer release here, too."
        )
    if stored != present and stored not in upcast:
        raise PayloadUnreadable(f"This payload of {name} has version {stored!r}, and there is no upcaster from it.")
    data = document(text, name)
    for step in range(stored, present):
        data = _step(f"The upcaster of {name} from version {step} to {step + 1}", upcast[step], data)
    return data


def _step(told: str, function: Upcast, data: dict[str, Any]) -> dict[str, Any]:
    try:
        lifted = function(data)
        written(lifted)
    except Exception as error:
        redactor = Redactor()
        sentence = f"{told} failed with {type(error).__name__} ({redactor.text(str(error))}): mend it, and requeue the job."
        raise PayloadUnreadable(sentence, redactor.exception(error)) from None
    if not isinstance(lifted, dict):
        raise PayloadUnreadable(f"{told} returned a {type(lifted).__name__} in place of a dict: mend it, and requeue the job.")
    return lifted
