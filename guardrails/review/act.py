"""Does what a plan says, and copes with what goes wrong: places that GitHub refuses, answers that are lost, rights that are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from guardrails.review import marker
from guardrails.review.host import Clock, ForbiddenError, Host, HostError, LostError, MissingError, MovedError, RefusedError
from guardrails.review.plan import as_file, demoted
from guardrails.review.told import Comment, New, Plan

TRIES = 3
PAUSE = 2.0  # seconds before the second try; twice as many before the third


class Done(msgspec.Struct, frozen=True):
    """What came of a plan. `address` is that of the review, else of the summary; `notices` are sentences."""

    created: int = 0
    edited: int = 0
    deleted: int = 0
    resolved: int = 0
    refused: tuple[New, ...] = ()
    address: str = ""
    notices: tuple[str, ...] = ()


def act(plan: Plan, host: Host, head: str, clock: Clock) -> Done:
    """Comments first, then the summary. Nothing is asked where there is nothing to do.

    Raises `MovedError` where the head is another one by now, `HostError` where a comment could not be written, or nothing but the summary
    was to be; what stands by then is found by the next run.
    """
    if not plan.writes:
        return Done()
    return _Actor(plan, host, head, clock).done()


class _Actor:
    def __init__(self, plan: Plan, host: Host, head: str, clock: Clock) -> None:
        self._plan, self._host, self._head, self._clock = plan, host, head, clock
        self._refused: list[New] = []
        self._notices: list[str] = []
        self._address = ""

    def done(self) -> Done:
        self._stay()
        created = self._create()
        edited = sum([self._tried(self._host.edit, one.id, one.body) for one in self._plan.edit])
        deleted = sum([self._tried(self._host.delete, one) for one in self._plan.delete])
        resolved = self._resolve()
        try:
            self._summary()
        except HostError as error:
            if not created + edited + deleted + resolved:
                raise
            self._notices.append(f"The summary could not be written: {error}.")
        return Done(created, edited, deleted, resolved, tuple(self._refused), self._address, tuple(dict.fromkeys(self._notices)))

    def _stay(self) -> None:
        """The head is still what was looked at."""
        now = self._host.pull()
        if now.head != self._head or not now.is_open:
            raise MovedError

    def _create(self) -> int:
        """Posts what is new; how many comments that makes."""
        news = self._plan.create
        if news:
            try:
                self._post(news, lambda some: self._host.review(self._head, some))
            except RefusedError:
                self._stay()  # a commit that is no more part of the change is refused in the same way
                for one in news:
                    self._singly(one)
        for one in self._plan.to_file:
            self._about_file(one)
        return len(news) + len(self._plan.to_file) - len(self._refused)

    def _singly(self, new: New) -> None:
        try:
            self._post_one(new)
        except RefusedError:
            self._about_file(as_file(new))

    def _about_file(self, new: New) -> None:
        try:
            self._post_one(new)
        except RefusedError:
            self._refused.append(new)

    def _post_one(self, new: New) -> None:
        self._post((new,), lambda some: self._host.comment(self._head, some[0]))

    def _post(self, news: Sequence[New], post: Callable[[Sequence[New]], str]) -> None:
        """Posts all; after a lost answer looks what is there before it tries again."""
        for number in range(1, TRIES + 1):
            try:
                address = post(news)
                self._address = self._address or address
                return
            except LostError:
                if number == TRIES:
                    raise
                self._clock.sleep(PAUSE * number)
                there = self._host.said().comments
                news = [one for one in news if not _is_there(one, there)]
                if not news:
                    return

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
