"""One review from its beginning to its end: the pull request as it is now, a look at the change, a plan, and what becomes of it.

Findings are told in any case: where comments cannot be written, by annotations and the summary of the job.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from guardrails.config import Gate
from guardrails.finding import SEVERITIES
from guardrails.result import Found
from guardrails.review import hunks
from guardrails.review.act import Done, act
from guardrails.review.host import Clock, ForbiddenError, Host, HostError, LimitedError, MovedError, Pull, Said
from guardrails.review.hunks import Hunks
from guardrails.review.look import Looked, Task
from guardrails.review.objects import Origin, gather
from guardrails.review.plan import job_summary, plan
from guardrails.review.told import Context, Limits, Plan, Web

MOST_LISTED = 400  # files that are asked for at GitHub, a hundred a call; of a larger change git tells the lines


class Wishes(msgspec.Struct, frozen=True):
    """How to review. `fail_on` None: as the configuration says; `drafts`: comment on them, too; `dry_run`: write nothing;
    `silent` says why there is no host to speak to."""

    limits: Limits = Limits()
    fail_on: Gate | None = None
    drafts: bool = False
    dry_run: bool = False
    sarif: bool = False
    upload: bool = False
    silent: str = ""


class Sources(msgspec.Struct, frozen=True):
    """Where the commits are: in a clone, and where else they can be fetched from."""

    clone: Path | None = None
    origin: Origin | None = None
    web: Web | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What came of a review. `idle` says why there was nothing to do, and then there is no plan; `unposted` why nothing was written."""

    pull: Pull
    idle: str = ""
    looked: Looked = Looked()
    plan: Plan | None = None
    done: Done = Done()
    unposted: str = ""
    notices: tuple[str, ...] = ()
    gate: Gate = "error"

    @property
    def findings(self) -> list[Found]:
        """What was found."""
        return [one.found for one in self.looked.told]

    @property
    def fails(self) -> bool:
        """Whether something at or above the gate was found."""
        if self.gate == "never":
            return False
        return any(SEVERITIES.index(one.severity) <= SEVERITIES.index(self.gate) for one in self.findings)

    @property
    def summary(self) -> str:
        """Markdown for the summary of the job."""
        return job_summary(self.plan) if self.plan is not None else ""

    @property
    def untold(self) -> list[Found]:
        """The findings that no comment tells: all where none could be written. What somebody resolved is not among them."""
        if self.plan is None:
            return []
        rows = self.plan.overview.rows
        gone = {mark for new in (*self.done.refused, *self.done.left) for mark in new.fingerprints}
        told = [one for row in rows for one in row.story if row.note == "" and not self.unposted and one.fingerprint not in gone]
        told += [one for row in rows if row.note == "resolved" for one in row.story]
        known = {one.fingerprint for one in told}
        return [one for one in self.findings if one.fingerprint not in known]


Look = Callable[[Task], Looked]


def review(pull: Pull | None, host: Host | None, wishes: Wishes, sources: Sources, look: Look, clock: Clock) -> Outcome:
    """`pull` is what an event told (None: only the host knows), `host` None where there is no token to ask it with.

    Raises `HostError` where nothing is known of the pull request, `GitError` where its commits are not to be had, and what `look` raises.
    """
    return _Reviewer(pull, host, wishes, sources, look, clock).outcome()


class _Reviewer:
    def __init__(self, pull: Pull | None, host: Host | None, wishes: Wishes, sources: Sources, look: Look, clock: Clock) -> None:
        self._told, self._host, self._wishes, self._sources, self._look, self._clock = pull, host, wishes, sources, look, clock
        self._notices: list[str] = []
        self._unposted = wishes.silent

    def outcome(self) -> Outcome:
        pull, now = self._pulls()
        if not now.is_open:
            return Outcome(pull, idle=f"pull request {pull.number} is closed; there is nothing to review.")
        if now.head != pull.head:
            self._stop(f"its head is {now.head[:10]} by now and a review of {pull.head[:10]} would be late; the next run tells of it")
        elif now.draft and not self._wishes.drafts:
            self._stop("it is a draft, and comments wait until it is ready for review (`drafts: true` does not wait)")
        with tempfile.TemporaryDirectory(prefix="guardrails-review-", ignore_cleanup_errors=True) as folder:
            gather(Path(folder), self._sources.clone, self._sources.origin, pull.base, pull.head)
            looked = self._look(Task(folder, pull.base, pull.head, self._wishes.sarif or self._wishes.upload))
        said, shown = self._seen(looked, now)
        made = self._plan(looked, pull, said, shown)
        done = self._act(made, pull)
        self._upload(looked, pull)
        gate = self._wishes.fail_on or looked.fail_on
        return Outcome(pull, "", looked, made, done, self._unposted, (*self._notices, *done.notices), gate)

    def _stop(self, why: str) -> None:
        """From here on nothing is asked and nothing written."""
        self._host, self._unposted = None, why

    def _pulls(self) -> tuple[Pull, Pull]:
        """The pull request that is looked at, and as it is now."""
        if self._host is None:
            if self._told is None:
                raise HostError(self._unposted or "nobody says which commits to look at; give a token")
            return self._told, self._told
        try:
            now = self._host.pull()
        except HostError as error:
            if self._told is None:
                raise
            self._stop(str(error))
            return self._told, self._told
        told = self._told
        return (now if told is None or told.head == now.head else told), now  # an event that is run again tells the base of its time

    def _seen(self, looked: Looked, pull: Pull) -> tuple[Said, Hunks]:
        """The comments that stand there, and the lines that the change shows."""
        if self._host is None:
            return Said((), None), looked.hunks
        try:
            said = self._host.said()
            return said, self._lines(looked, pull, self._host)
        except HostError as error:
            self._stop(str(error))
            return Said((), None), looked.hunks

    def _lines(self, looked: Looked, pull: Pull, host: Host) -> Hunks:
        """As GitHub lists the change; some it cannot list, and then git knows the lines, too."""
        if not 0 <= pull.files <= MOST_LISTED:
            return looked.hunks
        try:
            return hunks.of(host.files(), looked.hunks)
        except LimitedError:
            raise
        except HostError:
            return looked.hunks

    def _plan(self, looked: Looked, pull: Pull, said: Said, shown: Hunks) -> Plan:
        context = Context(
            self._sources.web, looked.allowed, frozenset(looked.silenced), looked.unknown, looked.from_head, frozenset(looked.unread)
        )
        made = plan(looked.told, shown, said.comments, said.summary, pull.head, self._wishes.limits, context)
        return msgspec.structs.replace(made, spare=said.spare)

    def _act(self, made: Plan, pull: Pull) -> Done:
        if self._host is None or self._wishes.dry_run:
            return Done()
        try:
            return act(made, self._host, pull.head, self._clock)
        except MovedError:
            self._stop("its head moved, or it was closed, while it was looked at; a run for the new head tells of it")
        except ForbiddenError as error:
            fork = "; a fork's pull request has a read-only token, see the recipe for forks in docs/review.md" if pull.fork else ""
            self._stop(f"{error}{fork}")
        except HostError as error:
            self._stop(str(error))
        return Done()

    def _upload(self, looked: Looked, pull: Pull) -> None:
        if not self._wishes.upload or self._host is None or self._wishes.dry_run:
            return
        if pull.fork:
            self._notices.append("SARIF is not uploaded for the pull request of a fork.")
            return
        try:
            self._host.upload(pull.head, looked.sarif)
        except HostError as error:
            self._notices.append(f"SARIF was not uploaded: {error} (it needs `security-events: write`).")


def counts(findings: Sequence[Found]) -> dict[str, int]:
    """How many findings there are of each severity."""
    return {severity: sum(one.severity == severity for one in findings) for severity in SEVERITIES}
