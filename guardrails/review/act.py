"""Does what a plan says, and copes with what goes wrong: places that GitHub refuses, answers that are lost, rights that are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from guardrails.review import marker
from guardrails.review.host import (
    PAUSE,
    TRIES,
    Clock,
    ForbiddenError,
    Host,
    HostError,
    LostError,
    MissingError,
    MovedError,
    RefusedError,
)
from guardrails.review.plan import as_file, demoted
from guardrails.review.told import Comment, New, Plan

BREATH = 3.0  # seconds between two single comments: GitHub takes many in a row for spam


class Done(msgspec.Struct, frozen=True):
    """What came of a plan. `address` is that of the review, else of the summary; `notices` are sentences; `left` was not written, as the
    host stopped us before."""

    created: int = 0
    edited: int = 0
    deleted: int = 0
    resolved: int = 0
    refused: tuple[New, ...] = ()
    left: tuple[New, ...] = ()
    address: str = ""
    notices: tuple[str, ...] = ()


def act(plan: Plan, host: Host, head: str, clock: Clock) -> Done:
    """Comments first, then the summary. Nothing is asked where there is nothing to do.

    Raises `MovedError` where the head is another one by now, `HostError` where nothing could be written. What stands when something goes
    wrong in the middle is counted, and found by the next run.
    """
    if not plan.writes:
        return Done()
    return _Actor(plan, host, head, clock).done()


class _Actor:
    def __init__(self, plan: Plan, host: Host, head: str, clock: Clock) -> None:
        self._plan, self._host, self._head, self._clock = plan, host, head, clock
        self._open = [*plan.create, *plan.to_file]
        self._refused: list[New] = []
        self._numbers = {"created": 0, "edited": 0, "deleted": 0, "resolved": 0}
        self._notices: list[str] = []
        self._address = ""

    def done(self) -> Done:
        self._stay()
        try:
            self._comments()
            self._summary()
        except HostError as error:
            if not any(self._numbers.values()):
                raise
            what = "Not all comments could be written" if self._open else "The summary could not be written"
            self._notices.append(f"{what}: {error}.")
        notices = tuple(dict.fromkeys(self._notices))
        return Done(**self._numbers, refused=tuple(self._refused), left=tuple(self._open), address=self._address, notices=notices)

    def _comments(self) -> None:
        self._create()
        self._numbers["edited"] = sum([self._tried(self._host.edit, one.id, one.body) for one in self._plan.edit])
        self._numbers["deleted"] = sum([self._tried(self._host.delete, one) for one in self._plan.delete])
        self._numbers["resolved"] = self._resolve()

    def _stay(self) -> None:
        """The head is still what was looked at."""
        now = self._host.pull()
        if now.head != self._head or not now.is_open:
            raise MovedError

    def _create(self) -> None:
        """Posts what is new."""
        news = self._plan.create
        if news:
            try:
                self._post(news, lambda some: self._host.review(self._head, some))
            except RefusedError:
                self._stay()  # a commit that is no more part of the change is refused in the same way
                self._singly(news)
        for one in self._plan.to_file:
            self._about_file(one)

    def _singly(self, news: Sequence[New]) -> None:
        for number, new in enumerate(news):
            if number:
                self._clock.sleep(BREATH)
            try:
                self._post_one(new)
            except RefusedError:
                self._about_file(as_file(new))

    def _about_file(self, new: New) -> None:
        try:
            self._post_one(new)
        except RefusedError:
            self._refused.append(new)
            self._close([new])

    def _post_one(self, new: New) -> None:
        self._post((new,), lambda some: self._host.comment(self._head, some[0]))

    def _post(self, news: Sequence[New], post: Callable[[Sequence[New]], str]) -> None:
        """Posts all; after a lost answer looks what is there before it tries again."""
        for number in range(1, TRIES + 1):
            try:
                address = post(news)
                self._address = self._address or address
                self._written(news)
                return
            except LostError:
                if number == TRIES:
                    raise
                self._clock.sleep(PAUSE * number)
                there = self._host.said().comments
                stands = [one for one in news if _is_there(one, there)]
                self._written(stands)
                news = [one for one in news if one not in stands]
                if not news:
                    return

    def _written(self, news: Sequence[New]) -> None:
        self._numbers["created"] += len(news)
        self._close(news)

    def _close(self, news: Sequence[New]) -> None:
        """Nothing more is to be done about these; a comment about a file stands for the one at a line, too."""
        closed = {one.fingerprints for one in news}
        self._open = [one for one in self._open if one.fingerprints not in closed]

    def _tried(self, do: Callable[..., None], *what: object) -> bool:
        """One change of what stands there; where it fails the others are done all the same."""
        try:
            do(*what)
        except MissingError:
            return False
        except HostError as error:
            self._notices.append(f"A comment could not be changed: {error}.")
            return False
        return True

    def _resolve(self) -> int:
        """Threads, as far as the token may: it is said to need `contents: write`."""
        number = 0
        for node in self._plan.resolve:
            try:
                self._host.resolve(node)
                number += 1
            except ForbiddenError:
                self._notices.append("Threads stay open: the token may not resolve them (`resolve: never` asks for it no more).")
                break
            except HostError as error:
                self._notices.append(f"A thread stays open: {error}.")
        return number

    def _summary(self) -> None:
        for one in self._plan.spare:
            self._tried(self._host.unsay, one)
        plan = demoted(self._plan, self._refused) if self._refused else self._plan
        if plan.summary_body is None:
            return
        address = self._say(plan.summary_body, plan.summary)
        self._address = self._address or address

    def _say(self, body: str, old: Comment | None) -> str:
        for number in range(1, TRIES + 1):
            try:
                return self._host.say(body) if old is None else self._host.say_again(old.id, body)
            except MissingError:
                old = None  # somebody took it away meanwhile
            except LostError:
                if number == TRIES:
                    raise
                self._clock.sleep(PAUSE * number)
                old = self._host.said().summary
                if old is not None and old.body == body:
                    return ""
        raise HostError("the summary could not be written; run it again later")


def _is_there(new: New, comments: Iterable[Comment]) -> bool:
    wanted = marker.read(new.body)
    return any(one.mine and one.path == new.path and marker.read(one.body) == wanted for one in comments)
