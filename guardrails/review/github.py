"""A pull request on GitHub: few calls, each judged by what GitHub answered. The only module that knows PyGithub."""

from __future__ import annotations

import base64
import gzip
import re
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
import requests
import urllib3
from github import Auth, Github, GithubException, GithubIntegration
from github.Requester import Requester

from guardrails import __version__
from guardrails.review import faults, marker
from guardrails.review.event import pull_of
from guardrails.review.host import PAUSE, TRIES, Clock, HostError, LimitedError, LostError, MissingError, Pull, Run, Said
from guardrails.review.hunks import Changed
from guardrails.review.told import Comment, New

PATIENCE = 240.0  # seconds of waiting in one run: the job that it is part of ends, too, and a longer wait costs more than the next push
PAGE = 100
MOST_FILES = 3_000  # GitHub lists no more of a change
MOST_PAGES = 50  # of comments
BETWEEN_WRITES = 1.0  # seconds, as GitHub asks for
T = TypeVar("T")

_THREADS = """query($owner: String!, $name: String!, $number: Int!, $after: String) {
  viewer { login databaseId }
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { reviewThreads(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor } nodes { id isResolved comments(first: 1) { nodes { url } } } } } }
}"""
_NUMBER = re.compile(r"#discussion_r(\d+)$")  # of a comment, in its address: the schema's own field for it is to go
_RESOLVE = "mutation($thread: ID!) { resolveReviewThread(input: {threadId: $thread}) { thread { id } } }"


class RealClock:
    """This machine's."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Waits."""
        time.sleep(seconds)


class Login(msgspec.Struct, frozen=True):
    """Where GitHub's API is, and who speaks: a token, or an App by its id and private key (PEM)."""

    api: str
    token: str = ""
    app: str = ""
    key: str = ""


class GitHub:
    """Pull requests of one repository (OWNER/NAME). Raises `HostError` for a login that GitHub does not take."""

    def __init__(self, repo: str, login: Login, *, clock: Clock | None = None, pace: float = BETWEEN_WRITES) -> None:
        self.repo, self.clock, self._patience = repo, clock or RealClock(), PATIENCE
        self._common: dict[str, Any] = {
            "base_url": login.api.rstrip("/"),
            "timeout": 30,
            "user_agent": f"worker-guardrails/{__version__}",
            "retry": urllib3.Retry(  # of faults; where GitHub asks for patience, `_patiently` has it
                total=3,
                backoff_factor=1,
                allowed_methods={"GET", "PUT", "PATCH", "DELETE"},
                status_forcelist=range(500, 600),
                respect_retry_after_header=False,
            ),
            "seconds_between_requests": 0,
            "seconds_between_writes": pace,
            "lazy": True,
        }
        self.token = login.token or self._of_app(login)
        self._requester: Requester = Github(auth=Auth.Token(self.token), per_page=PAGE, **self._common).requester

    def of(self, number: int) -> PullRequest:
        """One of its pull requests."""
        return PullRequest(self, number)

    def close(self) -> None:
        """Ends the connections."""
        self._requester.close()

    def find(self, run: Run) -> int:
        """The open pull request whose head is what a run was for; 0 where there is none. GitHub tells it by branch only, forks included."""
        owner = run.repo.partition("/")[0]
        for one in self.pages("pulls", {"state": "open", "head": f"{owner}:{run.branch}"}, 10):
            head = one.get("head") or {}
            if head.get("sha") == run.head and ((head.get("repo") or {}).get("full_name") or run.repo) == run.repo:
                return int(one["number"])
        return 0

    def ask(self, verb: str, path: str, parameters: dict[str, Any] | None = None, given: dict[str, Any] | None = None) -> Any:
        """One request below the repository; what GitHub answered. Waits where GitHub asks for it."""
        return self._answer(verb, path, parameters, given)[1]

    def _answer(self, verb: str, path: str, parameters: dict[str, Any] | None, given: dict[str, Any] | None) -> tuple[dict[str, Any], Any]:
        """The headers, and what else was answered."""
        return self._patiently(lambda: self._requester.requestJsonAndCheck(verb, f"/repos/{self.repo}/{path}", parameters, input=given))

    def pages(self, path: str, parameters: dict[str, Any] | None = None, most: int = MOST_PAGES) -> Iterator[dict[str, Any]]:
        """The items of a list."""
        for page in range(1, most + 1):
            headers, answer = self._answer("GET", path, {**(parameters or {}), "per_page": PAGE, "page": page}, None)
            items = _as(list[dict[str, Any]], answer)
            yield from items
            if (
                'rel="next"' not in headers.get("link", "") if "link" in headers else len(items) < PAGE
            ):  # a page that is not full may have one
                return

    def graph(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        """What a GraphQL query gives. One that only reads is asked again where it had a fault."""
        tries = TRIES if query.startswith("query") else 1
        for number in range(1, tries):
            try:
                return self._patiently(lambda: self._graphed(query, variables))
            except (LostError, MissingError):  # of a pull request that is new GraphQL may know nothing yet
                self.clock.sleep(PAUSE * number)
        return self._patiently(lambda: self._graphed(query, variables))

    def _graphed(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        given = {"query": query, "variables": variables}
        said = _as(dict[str, Any], self._requester.requestJsonAndCheck("POST", self._requester.graphql_url, input=given)[1])
        if said.get("errors"):
            raise faults.of_graph(said["errors"])
        return _as(dict[str, Any], said.get("data"))

    def _patiently(self, call: Callable[[], T]) -> T:
        """Waits where GitHub asks for it, in one run for so long in all."""
        while True:
            try:
                return call()
            except Exception as error:
                problem = self._problem(error)
                if not isinstance(problem, LimitedError) or problem.seconds > self._patience:
                    raise problem from error
                self._patience -= problem.seconds
                self.clock.sleep(problem.seconds)

    def _problem(self, error: Exception) -> HostError:
        """What went wrong, in our words; what is none of GitHub's making is raised as it is."""
        if isinstance(error, HostError):
            return error
        if isinstance(error, GithubException):
            data = error.data if isinstance(error.data, dict) else {"message": error.message}
            limited = Requester.isRateLimitError(str(data.get("message") or ""))
            return faults.told(error.status, data, error.headers or {}, limited, self.repo, self.clock.now())
        if isinstance(error, requests.RequestException | urllib3.exceptions.HTTPError | OSError):
            return LostError(f"GitHub cannot be reached ({_why(error)}); run it again later")
        if isinstance(error, ValueError):
            return LostError("GitHub answered with something that is no JSON; run it again later")
        raise error

    def _of_app(self, login: Login) -> str:
        """A token of the App's installation in the repository."""
        if not login.app:
            raise HostError("there is no token; set GITHUB_TOKEN")
        owner, _, name = self.repo.partition("/")

        def buy() -> str:
            given = GithubIntegration(auth=Auth.AppAuth(login.app, login.key), **self._common)
            return given.get_access_token(given.get_repo_installation(owner, name).id).token

        try:
            return self._patiently(buy)
        except MissingError:
            raise HostError(f"the App {login.app} is not installed in {self.repo}; install it there, or use a token") from None
        except HostError:
            raise
        except Exception as error:  # jwt and cryptography have errors of their own for a broken key
            raise HostError(f"the App's key is no private key as PEM ({type(error).__name__}); set GUARDRAILS_APP_KEY to it") from None


class PullRequest:
    """One pull request: a `Host`."""

    def __init__(self, github: GitHub, number: int) -> None:
        self._github, self.number = github, number
        self._threads: dict[str, str] = {}  # thread by comment, node ids both

    def pull(self) -> Pull:
        """As it is now."""
        return _shaped(lambda: pull_of(self._github.ask("GET", f"pulls/{self.number}")))

    def files(self) -> Sequence[Changed]:
        """As GitHub lists them: at most 3,000, and without a patch where that is long."""
        return _shaped(lambda: [_changed(one) for one in self._github.pages(f"pulls/{self.number}/files", most=MOST_FILES // PAGE)])

    def said(self) -> Said:
        """Comments and our summary. `mine` is what the account of the token wrote."""
        return _shaped(self._said)

    def _said(self) -> Said:
        viewer, resolved = self._graph()
        listed = list(self._github.pages(f"pulls/{self.number}/comments"))
        replied = {one.get("in_reply_to_id") for one in listed}
        self._threads = {one["node_id"]: resolved[one["id"]][0] for one in listed if one["id"] in resolved}
        comments = [
            Comment(
                one["id"], one["node_id"], one["path"], one.get("line"), one["body"] or "", one["id"] in replied,
                resolved.get(one["id"], ("", False))[1], viewer(one),
            )
            for one in listed if not one.get("in_reply_to_id")
        ]  # fmt: skip
        below = [
            Comment(one["id"], one["node_id"], "", None, one["body"])
            for one in self._github.pages(f"issues/{self.number}/comments") if viewer(one) and marker.is_summary(one["body"] or "")
        ]  # fmt: skip
        return Said(tuple(comments), below[0] if below else None, tuple(one.id for one in below[1:]))

    def _graph(self) -> tuple[Callable[[dict[str, Any]], bool], dict[int, tuple[str, bool]]]:
        """Who we are, and thread and state by the id of the first comment: only GraphQL tells both to every kind of token."""
        owner, _, name = self._github.repo.partition("/")
        threads: dict[int, tuple[str, bool]] = {}
        after: str | None = None
        for _ in range(MOST_PAGES):
            data = self._github.graph(_THREADS, {"owner": owner, "name": name, "number": self.number, "after": after})
            listed = data["repository"]["pullRequest"]["reviewThreads"]
            threads |= {
                int(number[1]): (one["id"], one["isResolved"])
                for one in listed["nodes"]
                if one["comments"]["nodes"] and (number := _NUMBER.search(one["comments"]["nodes"][0]["url"]))
            }
            after = listed["pageInfo"]["endCursor"]
            if not listed["pageInfo"]["hasNextPage"]:
                break
        return _Viewer(data["viewer"]["login"], data["viewer"].get("databaseId")), threads

    def review(self, head: str, comments: Sequence[New]) -> str:
        """All or none; the review's address."""
        given = {"commit_id": head, "event": "COMMENT", "comments": [_placed(one) for one in comments]}
        return self._address(self._github.ask("POST", f"pulls/{self.number}/reviews", given=given))

    def comment(self, head: str, new: New) -> str:
        """One comment; its address."""
        place = _placed(new) if new.line is not None else {"path": new.path, "body": new.body, "subject_type": "file"}
        return self._address(self._github.ask("POST", f"pulls/{self.number}/comments", given={"commit_id": head, **place}))

    def edit(self, comment: int, body: str) -> None:
        """Another text."""
        self._github.ask("PATCH", f"pulls/comments/{comment}", given={"body": body})

    def delete(self, comment: int) -> None:
        """No comment any more; one that is gone already is as good."""
        self._without(f"pulls/comments/{comment}")

    def resolve(self, node: str) -> None:
        """Its thread is done."""
        if node in self._threads:
            self._github.graph(_RESOLVE, {"thread": self._threads[node]})

    def say(self, body: str) -> str:
        """A comment below the pull request; its address."""
        return self._address(self._github.ask("POST", f"issues/{self.number}/comments", given={"body": body}))

    def say_again(self, comment: int, body: str) -> str:
        """Another text for it; its address."""
        return self._address(self._github.ask("PATCH", f"issues/comments/{comment}", given={"body": body}))

    def unsay(self, comment: int) -> None:
        """No such comment any more; one that is gone already is as good."""
        self._without(f"issues/comments/{comment}")

    def upload(self, head: str, sarif: str) -> None:
        """To code scanning, packed as it wants it."""
        packed = base64.b64encode(gzip.compress(sarif.encode(), mtime=0)).decode()
        given = {"commit_sha": head, "ref": f"refs/pull/{self.number}/head", "sarif": packed, "tool_name": "guardrails"}
        self._github.ask("POST", "code-scanning/sarifs", given=given)

    def _without(self, path: str) -> None:
        try:
            self._github.ask("DELETE", path)
        except MissingError:
            return

    def _address(self, answer: Any) -> str:
        return str(answer.get("html_url") or "") if isinstance(answer, dict) else ""


class _Viewer:
    """Whether something is written by the account of the token. GraphQL calls a bot by its bare name, and so may a person be called."""

    def __init__(self, login: str, number: int | None) -> None:
        self._login, self._number = login.removesuffix("[bot]"), number

    def __call__(self, one: dict[str, Any]) -> bool:
        user = one.get("user") or {}
        if self._number is not None:
            return bool(user.get("id") == self._number)
        return str(user.get("login", "")).removesuffix("[bot]") == self._login


def _placed(new: New) -> dict[str, Any]:
    place: dict[str, Any] = {"path": new.path, "body": new.body, "line": new.line, "side": "RIGHT"}
    return place if new.start_line is None else place | {"start_line": new.start_line, "start_side": "RIGHT"}


def _changed(one: dict[str, Any]) -> Changed:
    return Changed(one["filename"], one["status"], one.get("previous_filename") or "", one.get("patch"))


def _shaped(read: Callable[[], T]) -> T:
    """What an answer gives; one that has not GitHub's form (a proxy's page) is as good as none."""
    try:
        return read()
    except (KeyError, TypeError, IndexError, AttributeError, msgspec.ValidationError):
        raise LostError("GitHub answered with something that is not in its form; run it again later") from None


def _as(kind: type[T], answer: Any) -> T:
    """An answer of this kind. Raises `LostError`: PyGithub hands a page of HTML on as an object."""
    return _shaped(lambda: msgspec.convert(answer, kind))


def _why(error: Exception) -> str:
    words = {"ReadTimeout": "no answer in time", "ConnectTimeout": "no answer in time", "RetryError": "it had a fault four times"}
    return words.get(type(error).__name__, "no connection")
