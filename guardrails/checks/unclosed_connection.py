"""unclosed-connection: what start-up opens, shutdown closes."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding, unsure
from guardrails.facts.lifecycle import Opened
from guardrails.finding import Finding, Unsure

RULE = "unclosed-connection"


def check(opened: Opened) -> Iterator[Finding | Unsure]:
    """Only what start-up code keeps is judged."""
    if opened.closed == "no":
        message = (
            f"`{opened.start}` opens {opened.what} (`{opened.call}`, kept as `{opened.holder}`) when the process starts, and nothing "
            "closes it: each restart drops what is still under way, and leaves the other side to find out."
        )
        fix = f"Close it with `{opened.close}()` in {opened.stop}."
        yield finding(opened, RULE, message, fix, subject=f"{opened.start}:{opened.holder}")
    elif opened.closed == "maybe":
        yield unsure(opened, RULE, f"whether {opened.what} that `{opened.start}` opens (`{opened.holder}`) is closed could not be told.")
