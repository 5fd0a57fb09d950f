"""Which pull request a workflow run is about: the event file and the `GITHUB_*` variables. Pure but for reading that file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from guardrails.paths import read_plain
from guardrails.review.host import Pull, Run

MAX_BYTES = 30_000_000
PULL_REQUEST, TARGET, RUN, QUEUE = "pull_request", "pull_request_target", "workflow_run", "merge_group"
_WHERE = "run it on `pull_request`, or say which one: --repo OWNER/NAME --pr N"


class EventError(Exception):
    """There is no pull request to review; the message is one sentence with a remedy."""


class Asked(msgspec.Struct, frozen=True):
    """What a run is to review: a pull request as the event tells it, or (`run`) the one that another workflow's run was for, or only its
    `number`. `is_target`: the event gives a token with rights to code of anybody."""

    repo: str
    number: int = 0
    pull: Pull | None = None
    run: Run | None = None
    is_target: bool = False
    idle: str = ""  # why there is nothing to do


class _Repo(msgspec.Struct):
    full_name: str


class _End(msgspec.Struct):
    sha: str
    repo: _Repo | None = None


class _Pull(msgspec.Struct):
    number: int
    base: _End
    head: _End
    state: str = "open"
    draft: bool | None = False
    changed_files: int = -1

    @property
    def seen(self) -> Pull:
        fork = self.head.repo is None or self.base.repo is None or self.head.repo.full_name != self.base.repo.full_name
        return Pull(self.number, self.base.sha, self.head.sha, self.state == "open", bool(self.draft), fork, self.changed_files)


class _Run(msgspec.Struct):
    event: str
    head_sha: str
    head_branch: str | None = None
    head_repository: _Repo | None = None


class _Event(msgspec.Struct):
    repository: _Repo | None = None
    pull_request: _Pull | None = None
    workflow_run: _Run | None = None


def asked(environ: Mapping[str, str]) -> Asked:
    """What the run of a workflow is to review. Raises `EventError`."""
    name = environ.get("GITHUB_EVENT_NAME", "")
    if not name:
        raise EventError(f"this is no workflow run (GITHUB_EVENT_NAME is not set), so no pull request is known: {_WHERE}")
    if name == QUEUE:
        return Asked("", idle="a merge queue tries what was reviewed in its pull requests; there is nothing to review.")
    if name not in (PULL_REQUEST, TARGET, RUN):
        raise EventError(f"the event {name!r} has no pull request to review: {_WHERE}")
    event = _read(environ.get("GITHUB_EVENT_PATH", ""), name)
    repo = event.repository.full_name if event.repository is not None else environ.get("GITHUB_REPOSITORY", "")
    if name == RUN:
        return _of_run(repo, event.workflow_run)
    if event.pull_request is None:
        raise EventError(f"the event file holds no pull request though the event is {name!r}: {_WHERE}")
    return Asked(repo, event.pull_request.number, event.pull_request.seen, is_target=name == TARGET)


def pull_of(data: object) -> Pull:
    """A pull request as the API tells it. Raises `msgspec.ValidationError`."""
    return msgspec.convert(data, _Pull).seen


def _of_run(repo: str, run: _Run | None) -> Asked:
    if run is None:
        raise EventError(f"the event file holds no workflow run though the event is {RUN!r}: {_WHERE}")
    if run.event != PULL_REQUEST:
        return Asked(repo, idle=f"the run that ended was for {run.event!r}, not for a pull request; there is nothing to review.")
    if run.head_repository is None or not run.head_branch:
        return Asked(repo, idle="the repository or branch of the pull request is gone; there is nothing to review.")
    return Asked(repo, run=Run(run.head_repository.full_name, run.head_branch, run.head_sha))


def _read(path: str, name: str) -> _Event:
    if not path:
        raise EventError(f"GITHUB_EVENT_PATH is not set, so it is not known which pull request the event {name!r} is about: {_WHERE}")
    try:
        data = read_plain(Path(path), MAX_BYTES)
    except OSError as error:
        raise EventError(f"the event file {path} cannot be read ({(error.strerror or 'error').lower()}): {_WHERE}") from None
    if isinstance(data, str):
        raise EventError(f"the event file {path} cannot be read ({data}): {_WHERE}")
    try:
        return msgspec.json.decode(data, type=_Event)
    except (msgspec.DecodeError, RecursionError):
        raise EventError(f"the event file {path} is no event of the kind {name!r}: {_WHERE}") from None
