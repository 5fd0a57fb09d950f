"""untested-job-change: a job was changed, and no test knows it."""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.facts import finding, unsure
from guardrails.facts.change import ChangedJob
from guardrails.finding import Finding, Unsure

RULE = "untested-job-change"


def check(changed: ChangedJob) -> Iterator[Finding | Unsure]:
    """A test that names the job and was left alone still runs the new code, and may hold it to something or not."""
    what = " and ".join(filter(None, [", ".join(changed.what[:-1]), changed.what[-1]]))
    if changed.tests == "left alone":
        yield unsure(changed, RULE, f"This change edits the {what} of `{changed.job}`; the tests that name it are left as they were.")
    elif changed.tests == "none":
        behaves = "how it behaves when it runs twice or fails is unproved"
        message = f"This change edits the {what} of `{changed.job}`, and no test of this project names it: {behaves}."
        fix = f"Add a test that runs `{changed.job}` twice with the same arguments, and once with a failure in the middle."
        yield finding(changed, RULE, message, fix, subject=changed.job, cause="untested")
