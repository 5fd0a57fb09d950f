"""What a review says where it runs: annotations, the summary of the job, outputs; and what it would post."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from guardrails.cli import output
from guardrails.cli.program import say
from guardrails.report.github import annotation
from guardrails.report.order import rank
from guardrails.report.safe import visible
from guardrails.report.tally import by_severity, count, listed, severity_count
from guardrails.review.safe import printable, words

if TYPE_CHECKING:
    from guardrails.result import Found
    from guardrails.review.reviewer import Outcome
    from guardrails.review.told import New, Plan

MOST_SUMMARY = 1_000_000  # bytes: the summary of a job ends at 1 MiB


def tell(outcome: Outcome, sarif: str, dry_run: bool, environ: Mapping[str, str]) -> None:
    """Everything; `sarif` names the file of that report, "" for none."""
    if outcome.idle:
        say(printable(outcome.idle))
        _outputs(outcome, "", environ)
        return
    if sarif:
        output.save(outcome.looked.sarif, Path(sarif))
    if dry_run and outcome.plan is not None:
        output.emit(printable("".join(_planned(outcome.plan, outcome.pull.head))))
    elif environ.get("GITHUB_ACTIONS") == "true":
        output.emit("".join(f"{annotation(one)}\n" for one in sorted(outcome.untold, key=rank)))
    else:
        output.emit("".join(f"{printable(_line(one))}\n" for one in sorted(outcome.untold, key=rank)))
    if not dry_run:
        _append(environ.get("GITHUB_STEP_SUMMARY", ""), _job(outcome))
        _outputs(outcome, sarif, environ)
    for sentence in _sentences(outcome, dry_run):
        say(printable(sentence))


def _line(found: Found) -> str:
    spot = found.spot
    return visible(f"{spot.path}:{spot.line}:{spot.column}: {found.severity} {found.rule}: {found.message}")


def _sentences(outcome: Outcome, dry_run: bool) -> Iterator[str]:
    """What was found and done."""
    if outcome.unposted:
        yield f"no comments were written: {outcome.unposted}."
    yield from outcome.notices
    found = outcome.findings
    verdict = listed(severity_count(*pair) for pair in by_severity(found)) if found else "nothing unsafe"
    done = outcome.done
    numbers = ((done.created, "made"), (done.edited, "edited"), (done.deleted, "deleted"))
    parts = [f"{count(number, 'comment')} {verb}" for number, verb in numbers if number] if not dry_run else ["nothing was posted"]
    tail = f"; {listed(parts)}" if parts else ""
    yield f"{verdict} in pull request {outcome.pull.number}{tail}.{f' {done.address}' if done.address else ''}"


def _job(outcome: Outcome) -> str:
    """The summary of the job, with what went wrong."""
    why = f"No comments were written: {outcome.unposted}." if outcome.unposted else ""
    said = "".join(f"\n> {words(one, 600)}\n" for one in (why, *outcome.notices) if one)
    return f"{outcome.summary}{said}\n"


def _append(path: str, text: str) -> None:
    """Adds to a file of the runner; where that is not possible, the log has it all."""
    data = text.encode("utf-8", "backslashreplace")
    if not path or len(data) > MOST_SUMMARY:
        return
    try:
        with Path(path).open("ab") as file:
            file.write(data)
    except OSError as error:
        say(f"{path} cannot be written: {(error.strerror or str(error)).lower()}.")


def _outputs(outcome: Outcome, sarif: str, environ: Mapping[str, str]) -> None:
    """For the steps behind: numbers, a path, an address; a line each."""
    from guardrails.review.reviewer import counts

    numbers = counts(outcome.findings)
    values = {"findings": sum(numbers.values()), "errors": numbers["error"], "warnings": numbers["warning"], "infos": numbers["info"]}
    more = {"comments": outcome.done.created, "sarif": os.path.abspath(sarif) if sarif else "", "review-url": outcome.done.address}  # noqa: PTH100
    lines = "".join(f"{name}={''.join(str(value).splitlines())}\n" for name, value in (values | more).items())
    _append(environ.get("GITHUB_OUTPUT", ""), lines)


def _planned(plan: Plan, head: str) -> Iterator[str]:
    """What would be posted, in the order in which it would be."""
    for new in (*plan.create, *plan.to_file):
        yield f"--- new comment at {head[:10]} {_place(new)}\n{new.body}\n"
    for edit in plan.edit:
        yield f"--- comment {edit.id} becomes\n{edit.body}\n"
    for gone in plan.delete:
        yield f"--- comment {gone} is deleted\n"
    for node in plan.resolve:
        yield f"--- the thread of {node} is resolved\n"
    if plan.summary_body is not None:
        which = f"summary {plan.summary.id} becomes" if plan.summary is not None else "new summary"
        yield f"--- {which}\n{plan.summary_body}\n"
    if not plan.writes:
        yield "--- nothing to post\n"


def _place(new: New) -> str:
    path = visible(new.path)
    if new.line is None:
        return f"{path} (the file)"
    return f"{path}:{new.line}" if new.start_line is None else f"{path}:{new.start_line}-{new.line}"
