"""`guardrails review`: lint a pull request's change and say on it what is unsafe."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click
import msgspec

from guardrails.cli import review_told
from guardrails.cli.program import Mistake, say
from guardrails.config import GATES, Gate
from guardrails.review.apart import LookError
from guardrails.review.host import HostError

if TYPE_CHECKING:
    from guardrails.review.event import Asked
    from guardrails.review.github import GitHub
    from guardrails.review.host import Host
    from guardrails.review.reviewer import Sources, Wishes

FINDINGS = 1
TOKENS = ("GITHUB_TOKEN", "GH_TOKEN")
KEY = "GUARDRAILS_APP_KEY"
API = "https://api.github.com"
_REPO = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*/[A-Za-z0-9._-]+")  # accounts that an enterprise manages have an underscore

EPILOG = """\b
Examples:
  guardrails review                                    in a workflow on `pull_request`
  guardrails review --repo acme/shop --pr 7 --dry-run  what would be posted, and nothing is
  guardrails review --repo acme/shop --pr 7            in a clone of acme/shop, or anywhere
  guardrails review --fail-on never                    the first weeks: comments, and no red cross

\b
The token is that of GITHUB_TOKEN (or GH_TOKEN); an App gives --app-id and its private key (PEM)
in GUARDRAILS_APP_KEY. It needs `contents: read` and `pull-requests: write`.

\b
Exit status: 0 nothing at or above --fail-on, 1 findings, 2 usage or configuration error,
3 internal error, 130 interrupted. What goes wrong at GitHub is said and does not change it.
"""


class Options(msgspec.Struct, frozen=True):
    """The command line, as it was given."""

    repo: str | None
    pr: int | None
    clone: str | None
    dry_run: bool
    fail_on: Gate | None
    comments: int
    closing: Literal["edit", "delete"]
    resolve: Literal["auto", "never"]
    drafts: bool
    sarif: str | None
    upload_sarif: bool
    app_id: str | None


@click.command("review", short_help="Lint a pull request's change and comment on it.", epilog=EPILOG)
@click.option("--repo", metavar="OWNER/NAME", help="The repository.  [default: that of the workflow's event]")
@click.option("--pr", type=click.IntRange(min=1), metavar="N", help="The pull request.  [default: that of the workflow's event]")
@click.option("--clone", metavar="DIR", help="A clone to take commits from.  [default: GITHUB_WORKSPACE, else the current folder]")
@click.option("--dry-run", is_flag=True, help="Print what would be posted, and post nothing.")
@click.option("--fail-on", type=click.Choice(GATES), help="Exit with 1 for a finding from here up.  [default: the configuration's]")
@click.option("--comments", type=click.IntRange(0, 100), default=30, show_default=True, help="At most so many open comments on lines.")
@click.option(
    "--closing", type=click.Choice(["edit", "delete"]), default="edit", show_default=True, help="What becomes of a comment that is done."
)
@click.option("--resolve", type=click.Choice(["auto", "never"]), default="auto", show_default=True, help="Resolve threads that are done.")
@click.option("--drafts", is_flag=True, help="Comment on drafts, too.")
@click.option("--sarif", metavar="FILE", help="Write what was found as SARIF.")
@click.option("--upload-sarif", is_flag=True, help="Hand it to code scanning (`security-events: write`; never for forks).")
@click.option("--app-id", metavar="ID", help="Log in as this GitHub App.")
def command(**given: Any) -> int:
    """Lint the change of a pull request, with the whole project as context, and comment on its lines.

    Both sides are read from git, never from the checkout; configuration, baseline and models are those of the base. A second run
    tells nothing twice, and says what is fixed.
    """
    return run(msgspec.convert(given, Options), os.environ)


def run(options: Options, environ: MutableMapping[str, str]) -> int:
    """One review; the exit status."""
    token, key = _secrets(environ)
    asked = _asked(options, environ)
    if asked.idle:
        say(asked.idle)
        return 0
    clone = Path(options.clone or environ.get("GITHUB_WORKSPACE") or Path.cwd())
    _require_safe(asked, clone)
    try:
        return _found(options, environ, asked, clone, (token, key))
    except (HostError, LookError) as error:
        raise Mistake(str(error)) from None


def _found(options: Options, environ: Mapping[str, str], asked: Asked, clone: Path, secrets: tuple[str, str]) -> int:
    """The review of what was asked for, once it is known which pull request that is."""
    github, why = _github(asked, *secrets, options)
    number = asked.number or (github.find(asked.run) if github is not None and asked.run is not None else 0)
    if not number:
        say("no open pull request has the branch and commit of the run that ended; there is nothing to review.")
        return 0
    host = github.of(number) if github is not None else None
    wishes = msgspec.structs.replace(_wishes(options), silent=why)
    return _review(options, environ, asked, host, wishes, _sources(asked.repo, number, clone, github, environ))


def _review(options: Options, environ: Mapping[str, str], asked: Asked, host: Host | None, wishes: Wishes, sources: Sources) -> int:
    from guardrails.review.apart import look_apart
    from guardrails.review.github import RealClock
    from guardrails.review.reviewer import review

    outcome = review(asked.pull, host, wishes, sources, look_apart, RealClock())
    review_told.tell(outcome, options.sarif or "", options.dry_run, environ)
    return FINDINGS if outcome.fails else 0


def _secrets(environ: MutableMapping[str, str]) -> tuple[str, str]:
    """The token and the App's key, taken out of the environment: what is started from here on has none."""
    found = [environ.pop(name, "") for name in TOKENS]
    return next(filter(None, found), ""), environ.pop(KEY, "")


def _asked(options: Options, environ: Mapping[str, str]) -> Asked:
    from guardrails.review.event import Asked, EventError, asked

    if (options.repo is None) != (options.pr is None):
        raise Mistake("--repo OWNER/NAME and --pr N belong together; give both, or neither in a workflow")
    if options.repo is not None and options.pr is not None:
        if not _REPO.fullmatch(options.repo):
            raise Mistake(f"--repo {options.repo}: this is no repository; write OWNER/NAME")
        return Asked(options.repo, options.pr)
    try:
        found = asked(environ)
    except EventError as error:
        raise Mistake(str(error)) from None
    if not found.idle and not _REPO.fullmatch(found.repo):
        raise Mistake(f"the event names no repository as OWNER/NAME ({found.repo!r}); give --repo and --pr")
    return found


def _require_safe(asked: Asked, clone: Path) -> None:
    """A token with rights and files of anybody do not go together: the next step would run them."""
    from guardrails.review.objects import is_checked_out

    if asked.is_target and asked.pull is not None and is_checked_out(clone, asked.pull.head):
        raise Mistake(
            "the workflow runs on `pull_request_target` and has checked the head of the pull request out, so code of anybody lies beside a "
            "token that may write; use `pull_request`, or leave actions/checkout's `ref` out"
        )


def _github(asked: Asked, token: str, key: str, options: Options) -> tuple[GitHub | None, str]:
    """GitHub with a login. Without one, where the event tells enough: why there is none."""
    _require_extra()
    if options.app_id and not key:
        if asked.pull is not None:
            return None, f"the App's private key ({KEY}) is empty, as runs for forks and for Dependabot get no secrets"
        raise Mistake(f"--app-id needs the App's private key (PEM) in {KEY}")
    if not token and not options.app_id:
        if asked.pull is not None:
            return None, "there is no token (GITHUB_TOKEN)"
        raise Mistake("there is no token; set GITHUB_TOKEN to one that may read the repository and write its pull requests")
    from guardrails.review.github import GitHub, Login

    login = Login(os.environ.get("GITHUB_API_URL") or API, "" if options.app_id else token, options.app_id or "", key)
    try:
        return GitHub(asked.repo, login), ""
    except HostError as error:
        if asked.pull is None:
            raise
        return None, str(error)


def _require_extra() -> None:
    try:
        import guardrails.review.github  # noqa: F401
    except ModuleNotFoundError as error:
        raise Mistake(f"`guardrails review` needs more ({error.name} is missing): pip install 'worker-guardrails[review]'") from None


def _wishes(options: Options) -> Wishes:
    from guardrails.review.reviewer import Wishes
    from guardrails.review.told import Limits

    limits = Limits(comments=options.comments, closing=options.closing, resolve=options.resolve == "auto")
    return Wishes(limits, options.fail_on, options.drafts, options.dry_run, bool(options.sarif), options.upload_sarif)


def _sources(repo: str, number: int, clone: Path, github: GitHub | None, environ: Mapping[str, str]) -> Sources:
    from guardrails.review.objects import Origin
    from guardrails.review.reviewer import Sources
    from guardrails.review.told import Web

    server = (environ.get("GITHUB_SERVER_URL") or "https://github.com").rstrip("/")
    origin = Origin(f"{server}/{repo}.git", github.token if github is not None else "")
    return Sources(clone if clone.is_dir() else None, origin, Web(server, repo, number))
