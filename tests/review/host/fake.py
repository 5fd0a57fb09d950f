"""The fake GitHub: one repository, real commits, calls counted and judged."""

from __future__ import annotations

import json
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import apps, comments, events, faults, graph, judge, manners, others, reviews  # noqa: F401  routes enter themselves
from .clock import Clock
from .diff import commit as commit_of
from .routes import Route, find, fresh
from .state import ACTIONS, OCTOCAT, READ, WRITE, Actor, CheckRun, Comment, IssueComment, Pull, Review, State, Token
from .wire import Call, Refused, Reply, Server

TOKEN = "ghs_ofTheActionsRun"
NOBODY = Token(Actor("nobody", 0), {})
HOUR = 3600


class GitHub:
    """A GitHub on 127.0.0.1 with the repository `name`, whose commits are those of the git repository at `repo`.

    `start` opens pull request 1 unless one was opened before: from `main` to the commit that is checked out. `token` is that of an
    Action, with `rights`. `check` raises what was wrong with any call; the fixture `host` calls it at the end of each test.
    """

    def __init__(
        self,
        repo: Path | str,
        name: str = "octo-org/shop",
        *,
        clock: Clock | None = None,
        rights: dict[str, str] | None = None,
        private: bool = False,
        enterprise: bool = False,
    ) -> None:
        self.clock = clock or Clock()
        self.state = State(Path(repo).resolve(), name, self.clock, private)
        self.token = TOKEN
        self.state.tokens[TOKEN] = Token(ACTIONS, dict(rights or WRITE))
        self.calls: list[Call] = []
        self.refused: list[str] = []
        self.seconds = 0.0  # spent in here, to be taken off where the reviewer is timed
        self._prefix = "/api/v3" if enterprise else ""
        self._script = faults.Script()
        self._rude: list[str] = []
        self._excused: list[str] = []
        self._judged = 0
        self._not_before = 0.0
        self._server = Server(self._answer)
        self.state.url = ""

    # -- its life

    def start(self) -> GitHub:
        """Begins to listen."""
        self.state.url = self._server.start() + self._prefix
        self.state.reset = self.clock.now() + HOUR
        if not self.state.pulls:
            self.open("HEAD")
        return self

    def stop(self) -> None:
        self._server.stop()

    def __enter__(self) -> GitHub:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stop()
        if kind is None:
            self.check()

    @property
    def url(self) -> str:
        """What GITHUB_API_URL says."""
        return self.state.url

    @property
    def name(self) -> str:
        return self.state.name

    # -- what people do

    def open(self, head: str, base: str = "main", **more: Any) -> Pull:
        """Opens a pull request (`fork`, `draft`, `head_ref`, `author` .. as in `Pull`)."""
        repo, number = self.state.repo, len(self.state.pulls) + 1
        pull = Pull(repo, number, commit_of(repo, base), commit_of(repo, head), **{"base_ref": base} | more)
        pull.pushes.append(pull.head)
        self.state.pulls[number] = pull
        return pull

    def pull(self, number: int = 1) -> Pull:
        return self.state.pulls[number]

    def push(self, commit: str, number: int = 1, base: str = "") -> str:
        """Moves the head (forced or not) and, where `base` is given, the base branch; the new head's full name."""
        pull, repo = self.pull(number), self.state.repo
        pull.head = commit_of(repo, commit)
        pull.base = commit_of(repo, base) if base else pull.base
        pull.pushes.append(pull.head)
        return pull.head

    def reply(self, comment: Comment, text: str, user: Actor = OCTOCAT) -> Comment:
        """Somebody answers a review comment."""
        pull = next(pull for pull, one in self.state.all_comments() if one is comment)
        made = comments.answered(self.state, pull, comment, user, text)
        made.review = next(self.state.ids)
        pull.reviews.append(Review(made.review, user, "", "COMMENTED", pull.head, self.clock.text()))
        return made

    def resolve(self, comment: Comment, user: Actor | None = OCTOCAT) -> None:
        """Somebody resolves a thread; `user` None opens it again."""
        pull = next(pull for pull, one in self.state.all_comments() if one is comment)
        pull.threads[comment.thread].resolved_by = user

    def say(self, text: str, user: Actor = OCTOCAT, number: int = 1) -> IssueComment:
        """Somebody writes below a pull request."""
        now = self.clock.text()
        made = IssueComment(next(self.state.ids), user, text, now, now)
        self.pull(number).issue_comments.append(made)
        return made

    def app(self, slug: str = "guardrails", rights: dict[str, str] | None = None) -> apps.App:
        """Installs an App; its `id`, `key` and `installation` log in."""
        made = apps.new(len(self.state.apps) + 1, slug, dict(rights or WRITE))
        self.state.apps[made.id] = made
        return made

    def token_of(self, user: Actor = OCTOCAT, rights: dict[str, str] | None = None) -> str:
        """A token of a person."""
        text = f"ghp_of{user.login}{len(self.state.tokens)}"
        self.state.tokens[text] = Token(user, {"user": "read", **(rights or WRITE)}, installation=False)
        return text

    def allow(self, rights: dict[str, str]) -> None:
        """What the Action's token may do from now on (`READ` for a fork)."""
        self.state.tokens[TOKEN] = Token(ACTIONS, dict(rights))

    def read_only(self) -> None:
        """The token of a pull request from a fork."""
        self.allow(READ)

    # -- what goes wrong

    def fail(self, next: str, status: int = 0, **more: Any) -> faults.Fault:  # noqa: A002
        """The next call that fits (`"POST /repos/.../reviews"`) goes wrong; see `Fault`."""
        fault = faults.Fault(next, status, **more)
        self._script.faults.append(fault)
        return fault

    def when(self, next: str, do: Callable[[], object], **more: Any) -> faults.Fault:  # noqa: A002
        """Something happens just before the next call that fits."""
        return self.fail(next, do=do, **more)

    def slow_down(self, next: str = "POST ...", seconds: int | None = 60, status: int = 403, times: int = 1) -> faults.Fault:  # noqa: A002
        """A secondary rate limit; a call before `seconds` are over is a fault of the caller."""
        return self.fail(next, status, message=faults.SECONDARY, retry_after=seconds, times=times)

    def exhaust(self, left: int = 0, seconds: int = HOUR) -> None:
        """The primary rate limit: `left` more calls, then 403 until the clock has gone on by `seconds`."""
        self.state.used, self.state.reset = self.state.limit - left, self.clock.now() + seconds

    # -- what is there

    @property
    def comments(self) -> list[Comment]:
        """Review comments of every pull request that everybody sees."""
        return [one for pull in self.state.pulls.values() for one in pull.visible()]

    @property
    def reviews(self) -> list[Review]:
        return [one for pull in self.state.pulls.values() for one in pull.reviews]

    @property
    def issue_comments(self) -> list[IssueComment]:
        return [one for pull in self.state.pulls.values() for one in pull.issue_comments]

    @property
    def checks(self) -> list[CheckRun]:
        return list(self.state.checks.values())

    @property
    def sarifs(self) -> list[dict[str, Any]]:
        return list(self.state.sarifs.values())

    @property
    def deleted(self) -> list[Comment | IssueComment]:
        return self.state.deleted

    def outdated(self, comment: Comment) -> bool:
        return next(pull.outdated(comment) for pull, one in self.state.all_comments() if one is comment)

    def resolved(self, comment: Comment) -> bool:
        return next(pull.threads[comment.thread].resolved for pull, one in self.state.all_comments() if one is comment)

    def line(self, comment: Comment) -> int | None:
        """Where a comment stands now; None where it is outdated or on the file."""
        return next(pull.line(comment)[1] for pull, one in self.state.all_comments() if one is comment)

    @property
    def reads(self) -> list[Call]:
        return [one for one in self.calls if not one.write]

    @property
    def writes(self) -> list[Call]:
        return [one for one in self.calls if one.write]

    def forget(self) -> None:
        """Judges what was called so far, then counts from zero: between two runs of the reviewer."""
        self.check(leftovers=False)
        self.calls.clear()
        self.refused.clear()
        self._judged, self.seconds = 0, 0.0

    def duplicates(self, key: Callable[[Comment], object] = lambda one: (one.path, one.body)) -> list[object]:
        """What was said twice: keys that more than one comment (not answer) has."""
        counted = Counter(key(one) for one in self.comments if not one.reply_to)
        return [one for one, count in counted.items() if count > 1]

    def event(self, name: str = "pull_request", number: int = 1, action: str = "") -> dict[str, Any]:
        """The event that GitHub would send now."""
        return events.event(self.state, name, self.pull(number), action)

    def environ(self, folder: Path, name: str = "pull_request", number: int = 1, action: str = "") -> dict[str, str]:
        """The `GITHUB_*` of a run for that event; the event file and the files for outputs are made in `folder`."""
        return events.environ(self.state, self.event(name, number, action), name, self.pull(number), folder)

    # -- the judge

    def excuse(self, words: str) -> None:
        """Complaints with these words do not count: for stories about exactly that mistake."""
        self._excused.append(words)

    @property
    def violations(self) -> list[str]:
        """What was wrong with the calls so far, as the description and the manners say."""
        for call in self.calls[self._judged :]:
            if call.template:
                self._rude += [f"{call}: {one}" for one in judge.judged(call)]
        self._judged = len(self.calls)
        return [one for one in self._rude if not any(words in one for words in self._excused)]

    def check(self, leftovers: bool = True) -> None:
        """Raises AssertionError with every violation, and with faults that were planned and never came about."""
        wrong = [*self.violations, *(f"planned, but never called: {one.next}" for one in self._script.left() if leftovers)]
        assert not wrong, "the fake GitHub complains:\n  " + "\n  ".join(wrong)

    # -- a call

    def _answer(self, call: Call) -> Reply | None:
        began = time.perf_counter()
        try:
            return self._served(call)
        finally:
            self.seconds += time.perf_counter() - began

    def _served(self, call: Call) -> Reply | None:
        call.path = self._stripped(call.path)
        call.short = self.state.short
        self.calls.append(call)
        if self.clock.now() < self._not_before:
            self._rude.append(f"{call}: came back {self._not_before - self.clock.now():.0f} s too early")
        fault = self._script.taken(call.method, call.path)
        if fault and fault.do:
            fault.do()
        if fault and (fault.status or fault.drop):
            if fault.after_effect:
                self._effect(call)
            call.fault = "dropped" if fault.drop else "scripted"
            call.reply = None if fault.drop else self._faulty(fault)
            return call.reply
        call.reply = self._limited(call) or self._effect(call)
        return self._with_limits(call.reply)

    def _stripped(self, path: str) -> str:
        """Without what GitHub Enterprise puts before it."""
        if not self._prefix:
            return path
        return "/graphql" if path == "/api/graphql" else path.removeprefix(self._prefix) if path.startswith(self._prefix) else "/nowhere"

    def _faulty(self, fault: faults.Fault) -> Reply:
        headers = dict(fault.headers)
        if fault.retry_after is not None:
            headers["Retry-After"] = str(fault.retry_after)
            self._not_before = self.clock.now() + fault.retry_after
        if fault.html:
            return Reply(fault.status, faults.HTML, headers, "text/html; charset=utf-8")
        return self._with_limits(Reply(fault.status, fault.body(), headers))

    def _limited(self, call: Call) -> Reply | None:
        """The primary limit; asking for the limits is free."""
        state = self.state
        if self.clock.now() >= state.reset:
            state.used, state.reset = 0, self.clock.now() + HOUR
        if call.path == "/rate_limit":
            return None
        if state.used >= state.limit:
            self._not_before = state.reset
            call.fault = "rate limit"
            return Refused(403, faults.PRIMARY, docs="/overview/resources-in-the-rest-api#rate-limiting").reply
        state.used += 1
        return None

    def _with_limits(self, reply: Reply) -> Reply:
        state = self.state
        left = max(0, state.limit - state.used)
        numbers = {"Limit": state.limit, "Remaining": left, "Used": state.used, "Reset": int(state.reset), "Resource": "core"}
        return fresh(reply, **{f"X-RateLimit-{name}": str(value) for name, value in numbers.items()})

    def _effect(self, call: Call) -> Reply:
        """Lets a call do its work."""
        try:
            row = find(call)
            call.token = self._who(call, row)
            self._rude += [f"{call.method} {call.path}: {one}" for one in manners.faults(self.state, call)]
            if row is None or not self._here(call):
                raise Refused(404, "Not Found")
            self._may(call, row)
            return row.answer(self.state, call)
        except Refused as no:
            self._refuse(call, no)
            return no.reply
        except Exception:
            if call.template and call.template != "/graphql" and judge.request_faults(call):
                return Refused(422, "Invalid request.").reply
            self._rude.append(f"{call.method} {call.path}: the fake failed\n{traceback.format_exc()}")
            return Reply(500, {"message": "Server Error"})

    def _refuse(self, call: Call, no: Refused) -> None:
        """A refused place is the caller's mistake, unless it is excused: places can be known beforehand."""
        self.refused.append(f"{call.method} {call.path}: {json.dumps(no.reply.data)}")
        if no.reply.status == 422:
            self._rude.append(f"{call.method} {call.path}: refused: {json.dumps(no.reply.data.get('errors', no.reply.data['message']))}")

    def _here(self, call: Call) -> bool:
        named = f"{call.names.get('owner')}/{call.names.get('repo')}"
        return "owner" not in call.names or named.lower() == self.state.name.lower()

    def _who(self, call: Call, row: Route | None) -> Any:
        """Whose token it is; 401 for an unknown one, and for none where one is needed."""
        given = call.headers.get("authorization", "").partition(" ")[2]
        if row and row.app:
            return apps.login(self.state, given)
        if given and given not in self.state.tokens:
            raise Refused(401, "Bad credentials")
        if not given and (call.method != "GET" or call.path == "/user"):
            raise Refused(401, "Requires authentication")
        if not given and self.state.private:
            raise Refused(404, "Not Found")
        return self.state.tokens.get(given, NOBODY)

    def _may(self, call: Call, row: Route) -> None:
        if row.app or call.token.may(row.needs) or (row.needs == "contents=read" and not self.state.private):
            return
        kind = "integration" if call.token.installation else "personal access token"
        raise Refused(403, f"Resource not accessible by {kind}", X_Accepted_GitHub_Permissions=row.needs.replace("|", "; "))
