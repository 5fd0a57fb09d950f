"""What a review writes: on the first push, and on every one after it."""

from __future__ import annotations

import random
from collections import Counter

import msgspec
import pytest
from review_samples import CONTEXT, HEAD, NEXT, demoted, found, several, span, standing, summary, told

from guardrails.fingerprint import make
from guardrails.result import Allowed
from guardrails.review import marker
from guardrails.review.hunks import Hunks, Shown
from guardrails.review.plan import Comment, Context, Limits, Plan, Suggestion, Told, as_file, job_summary, plan

HUNKS = Hunks({"jobs.py": span(1, 100), "web.py": span(1, 100)})


def first(findings, hunks=HUNKS, **more):
    return plan(findings, hunks, (), None, HEAD, **more)


def second(findings, before: Plan, comments=None, hunks=HUNKS, **more):
    return plan(findings, hunks, standing(before) if comments is None else comments, summary(before.summary_body), NEXT, **more)


def seen(made: Plan) -> list[tuple[str, ...]]:
    return [new.fingerprints for new in made.create]


def words(made: Plan) -> str:
    assert made.summary_body is not None
    return made.summary_body


# The first push


def test_a_finding_in_the_change_gets_a_comment_and_a_row():
    one = found()
    made = first([Told(one)])
    assert [(new.path, new.start_line, new.line, new.fingerprints) for new in made.create] == [("jobs.py", None, 5, (one.fingerprint,))]
    assert "| error | `untimed-call` | `jobs.py:5` |" in words(made)
    assert made.writes == 2


def test_a_change_without_findings_is_left_in_peace():
    assert first([]).writes == 0
    assert first([], context=Context(unknown=4, from_head=True)).writes == 0


def test_a_finding_of_less_confidence_stands_in_the_summary_only():
    made = first([Told(found(confidence="medium"))])
    assert made.create == made.to_file == ()
    assert "*(medium confidence)*" in words(made)


def test_a_finding_outside_the_change_stands_in_the_summary_only():
    made = first([Told(found(path="other.py"))])
    assert made.create == made.to_file == ()
    assert "*(not on a line of this change)*" in words(made)


def test_a_finding_on_another_line_of_a_changed_file_is_said_of_the_file():
    made = first([Told(found(line=500))])
    assert made.create == ()
    assert [(new.path, new.line) for new in made.to_file] == [("jobs.py", None)]
    assert "at `jobs.py:500`" in made.to_file[0].body


def test_only_some_files_get_a_comment_as_a_whole():
    hunks = Hunks({f"{name}.py": span(1, 2) for name in "abcde"})
    findings = [Told(found(path=f"{name}.py", line=50)) for name in "abcde"]
    made = first(findings, hunks)
    assert [new.path for new in made.to_file] == ["a.py", "b.py"]
    assert words(made).count("not on a line of this change") == 3
    assert second(findings, made, hunks=hunks).writes == 0


def test_a_finding_of_several_lines_stands_at_the_first_that_the_change_shows():
    hunks = Hunks({"jobs.py": Shown(((8, 12),))})
    made = first([Told(found(line=5, end=20))], hunks)
    assert [new.line for new in made.create] == [8]


def test_findings_of_one_line_share_a_comment():
    made = first(several(["untimed-call", "untimed-job", "secret-in-log"]))
    assert [len(new.fingerprints) for new in made.create] == [3]
    assert len(marker.read(made.create[0].body)) == 3
    assert "`# guardrails: allow untimed-call, untimed-job, secret-in-log -- reason`" in made.create[0].body


def test_more_findings_of_one_line_than_a_comment_takes_get_another():
    findings = [Told(found(key=str(number))) for number in range(8)]
    assert [len(new.fingerprints) for new in first(findings).create] == [6, 2]


def test_findings_of_one_cause_share_a_comment_that_names_their_places():
    findings = [Told(found(line=line, key=str(line), cause="celery")) for line in range(1, 10)]
    made = first(findings)
    assert [new.line for new in made.create] == [1]
    assert "The same cause: `jobs.py:2`, `jobs.py:3`, `jobs.py:4`, `jobs.py:5`, `jobs.py:6` and 3 more." in made.create[0].body
    assert "`jobs.py:1` and 8 more places" in words(made)
    assert second(findings, made).writes == 0


def test_of_one_cause_the_surest_place_in_the_change_is_told():
    findings = [
        Told(found(line=1, key="a", cause="c", confidence="medium")),
        Told(found(path="other.py", line=2, key="b", cause="c", severity="warning")),
        Told(found(line=3, key="c", cause="c", severity="warning")),
    ]
    made = first(findings)
    assert [(new.path, new.line) for new in made.create] == [("jobs.py", 3)]
    assert second(findings, made).writes == 0


def test_no_more_comments_than_the_limit_and_the_gravest_first():
    findings = [Told(found(line=line, key=str(line), severity="error" if line > 60 else "warning")) for line in range(1, 91)]
    made = first(findings)
    assert [new.line for new in made.create] == list(range(61, 91))
    assert words(made).count("no room for a comment of its own") == 60
    assert second(findings, made).writes == 0


def test_what_went_makes_room_for_what_had_none():
    findings = [Told(found(line=line, key=str(line))) for line in range(1, 6)]
    made = first(findings, limits=Limits(comments=2))
    after = second(findings[1:], made, limits=Limits(comments=2))
    assert [new.line for new in after.create] == [3]
    assert [edit.id for edit in after.edit] == [1]


def test_four_hundred_findings_fit_into_what_github_takes():
    message = "`handler` does a thing that goes on for quite a while and then some more, so that nobody knows what came of it in the end."
    findings = [
        Told(found(path="web.py" if number % 2 else "jobs.py", line=number % 100 + 1, key=str(number), message=message))
        for number in range(400)
    ]
    made = first(findings)
    assert len(made.create) <= 30
    assert all(len(new.body) <= 60_000 for new in made.create)
    assert 30_000 < len(words(made)) <= 60_000
    assert "not listed: there is no room; the job's summary has them." in words(made)
    assert len(job_summary(made).encode()) <= 2**20
    assert job_summary(made).count("| error |") > words(made).count("| error |")
    assert second(findings, made).writes == 0


def test_the_worst_texts_stay_below_the_limit_too():
    nasty = "@`|" * 2_000
    hunks = Hunks({"漢" * 80 + ".py": span(1, 9)})
    findings = [
        Told(found(path=next(iter(hunks)), line=3, scope="漢" * 90, key=str(number), occurrence=number, message=nasty, fix=nasty))
        for number in range(90)
    ]
    made = first(findings, hunks, context=CONTEXT)
    assert made.create
    assert all(len(new.body) <= 60_000 and len(new.file_body) <= 60_000 for new in made.create)
    assert len(words(made)) <= 60_000
    assert len(job_summary(made).encode()) <= 2**20
    gone = plan([], hunks, standing(made), summary(made.summary_body), NEXT)
    assert len(words(gone)) <= 60_000


def test_a_suggestion_makes_the_comment_stand_at_just_its_lines():
    made = first([Told(found(line=5), Suggestion(4, 6, ("x = 1", "y = 2"), safe=True))])
    assert [(new.start_line, new.line) for new in made.create] == [(4, 6)]
    assert "```suggestion\nx = 1\ny = 2\n```\n" in made.create[0].body
    assert "suggestion" not in made.create[0].file_body


def test_a_suggestion_that_no_hunk_holds_is_left_out():
    hunks = Hunks({"jobs.py": Shown(((1, 5), (7, 9)))})
    made = first([Told(found(line=5), Suggestion(4, 7, ("x",), safe=True))], hunks)
    assert [(new.start_line, new.line) for new in made.create] == [(None, 5)]
    assert "suggestion" not in made.create[0].body


def test_one_comment_has_one_suggestion():
    one, other = several(["untimed-call", "untimed-job"])
    made = first(
        [
            msgspec.structs.replace(one, suggestion=Suggestion(5, 5, ("a",), safe=True)),
            msgspec.structs.replace(other, suggestion=Suggestion(5, 6, ("b",), safe=True)),
        ]
    )
    assert [(new.start_line, new.line) for new in made.create] == [(None, 5)]
    assert made.create[0].body.count("suggestion\n") == 1


def test_a_name_that_cannot_be_printed_is_sent_as_git_has_it():
    hunks = Hunks({"a\nb.py": span(1, 9)})
    made = first([Told(found(path="a\\nb.py"))], hunks)
    assert [new.path for new in made.create] == ["a\nb.py"]
    assert second([Told(found(path="a\\nb.py"))], made, hunks=hunks).writes == 0


def test_the_summary_says_what_the_change_allows_and_where_the_configuration_came_from():
    context = Context(allowed=(Allowed(found(), "bounded by the pool"),), unknown=2, from_head=True, notices=("The history is short.",))
    made = first([], context=context)
    assert "- `untimed-call` at `jobs.py:5`: bounded by the pool" in words(made)
    assert "2 places could not be judged." in words(made)
    assert "The base has no configuration of guardrails" in words(made)
    assert "The history is short." in words(made)


# The pushes after it


def test_the_same_findings_write_nothing():
    findings, hunks = told()
    made = plan(findings, hunks, (), None, HEAD, context=CONTEXT)
    assert len(made.create) > 3
    after = plan(findings, hunks, standing(made), summary(made.summary_body), NEXT, context=CONTEXT)
    assert after.writes == 0


def test_shifted_lines_write_the_summary_only():
    made = first([Told(found(line=5))])
    after = second([Told(found(line=55))], made)
    assert after.writes == 1
    assert "`jobs.py:55`" in words(after)


@pytest.mark.parametrize("state", [{"line": None}, {"resolved": True}, {"replied": True}, {"line": None, "resolved": True}])
def test_an_outdated_resolved_or_answered_comment_is_not_made_again(state):
    made = first([Told(found())])
    comments = [msgspec.structs.replace(comment, **state) for comment in standing(made)]
    after = second([Told(found())], made, comments)
    assert after.create == after.edit == after.delete == ()
    assert ("*(resolved)*" in (after.summary_body or "")) == ("resolved" in state)


def test_a_comment_of_somebody_else_tells_nothing():
    made = first([Told(found())])
    forged = [msgspec.structs.replace(comment, mine=False) for comment in standing(made)]
    after = second([Told(found())], made, forged)
    assert len(after.create) == 1
    assert second([], made, forged).edit == ()


def test_a_fixed_finding_is_said_to_be():
    made = first([Told(found())])
    after = second([], made)
    assert [(edit.id, edit.body.splitlines()[1:]) for edit in after.edit] == [
        (1, [f"✅ Fixed in {NEXT[:7]}: Untimed call (`untimed-call`)."])
    ]
    assert after.delete == after.resolve == ()
    assert "### guardrails: ✅ no unsafe worker code in this change" in words(after)
    assert f"- `untimed-call` in `jobs.py` ({NEXT[:7]})" in words(after)
    comments = [msgspec.structs.replace(comment, body=after.edit[0].body, line=None) for comment in standing(made)]
    assert plan([], HUNKS, comments, summary(after.summary_body), HEAD).writes == 0


def test_a_fixed_finding_goes_where_that_is_wanted():
    made = first([Told(found())])
    after = second([], made, limits=Limits(closing="delete"))
    assert (after.edit, after.delete) == ((), (1,))
    assert "`untimed-call` in `jobs.py`" in words(after)
    assert plan([], HUNKS, (), summary(after.summary_body), HEAD, limits=Limits(closing="delete")).writes == 0


def test_a_thread_is_resolved_once_where_that_is_wanted():
    made = first([Told(found())])
    after = second([], made, limits=Limits(resolve=True))
    assert after.resolve == ("node1",)
    comments = [msgspec.structs.replace(comment, body=after.edit[0].body) for comment in standing(made)]
    assert plan([], HUNKS, comments, summary(after.summary_body), HEAD, limits=Limits(resolve=True)).writes == 0


@pytest.mark.parametrize("state", [{"replied": True}, {"resolved": True}])
@pytest.mark.parametrize("closing", ["edit", "delete"])
def test_a_comment_that_people_dealt_with_stays_as_it_is(state, closing):
    made = first([Told(found())])
    comments = [msgspec.structs.replace(comment, **state) for comment in standing(made)]
    after = second([], made, comments, limits=Limits(closing=closing, resolve=True))
    assert (after.edit, after.delete, after.resolve) == ((), (), ())
    assert "`untimed-call` in `jobs.py`" in words(after)
    assert plan([], HUNKS, comments, summary(after.summary_body), HEAD).writes == 0


def test_what_an_allow_comment_silences_is_not_called_fixed():
    made = first([Told(found())])
    after = second([], made, context=Context(silenced=frozenset({found().fingerprint})))
    assert "Allowed by a comment in the code" in after.edit[0].body
    assert "allowed by a comment" in words(after)


def test_silence_about_a_file_that_was_not_read_means_nothing():
    made = first([Told(found())])
    after = second([], made, context=Context(unread=frozenset({"jobs.py"})))
    assert after.edit == ()
    assert "Gone since" not in words(after)


def test_a_finding_that_is_back_opens_its_comment_again():
    made = first([Told(found())])
    fixed = second([], made)
    comments = [msgspec.structs.replace(comment, body=fixed.edit[0].body) for comment in standing(made)]
    back = plan([Told(found())], HUNKS, comments, summary(fixed.summary_body), HEAD)
    assert back.create == ()
    assert [edit.id for edit in back.edit] == [1]
    assert "**Untimed call**" in back.edit[0].body
    assert "Gone since" not in words(back)
    comments = [msgspec.structs.replace(comment, body=back.edit[0].body) for comment in comments]
    assert plan([Told(found())], HUNKS, comments, summary(back.summary_body), NEXT).writes == 0


def test_of_a_comment_about_two_findings_one_may_go():
    one, other = several(["untimed-call", "untimed-job"])
    made = first([one, other])
    after = second([other], made)
    assert after.create == ()
    assert [mark.rule for mark in marker.read(after.edit[0].body)] == ["untimed-job"]
    comments = [msgspec.structs.replace(comment, body=after.edit[0].body) for comment in standing(made)]
    assert plan([other], HUNKS, comments, summary(after.summary_body), HEAD).writes == 0


def test_a_new_finding_on_a_line_that_has_a_comment_gets_its_own():
    one, other = several(["untimed-call", "untimed-job"])
    after = second([one, other], first([one]))
    assert seen(after) == [(other.found.fingerprint,)]


def test_a_cause_lives_as_long_as_one_of_its_findings():
    findings = [Told(found(line=line, key=str(line), cause="celery")) for line in (1, 2, 3)]
    made = first(findings)
    assert second(findings[2:], made).edit == ()
    newer = Told(found(line=9, key="9", cause="celery"))
    assert second([*findings, newer], made).create == ()
    assert len(second([], made).edit) == 1


def test_a_cause_whose_name_has_changed_is_known_by_its_findings():
    made = first([Told(found(line=line, key=str(line), cause="call:10")) for line in (1, 2, 3)])
    after = second([Told(found(line=line, key=str(line), cause="call:99")) for line in (2, 3, 4)], made)
    assert after.create == after.edit == ()


@pytest.mark.parametrize("is_shown", [True, False], ids=["renamed since the base", "new in the change, then renamed"])
def test_a_renamed_file_keeps_its_comments(is_shown):
    made = first([Told(found())])
    hunks = Hunks({"work.py": span(1, 100)}, {"work.py": "jobs.py"} if is_shown else {})
    after = second([Told(found(path="work.py"))], made, hunks=hunks)
    assert after.create == after.edit == ()
    again = plan([Told(found(path="work.py"))], hunks, standing(made), summary(after.summary_body), HEAD)
    assert again.writes == 0


def test_a_module_is_followed_only_where_its_old_file_is_gone():
    one = found(scope="<module>")
    made = first([Told(one)])
    moved = [Told(found(path="web.py", scope="<module>"))]
    assert len(second(moved, made).create) == 1
    assert second(moved, made, hunks=Hunks({"web.py": span(1, 9)})).create == ()


def test_a_function_that_went_to_another_file_keeps_its_comment():
    made = first([Told(found(path="jobs.py"))])
    assert second([Told(found(path="web.py"))], made).create == ()


def test_of_equal_faults_the_comment_on_the_line_is_the_one():
    """The first of two is fixed, so that the second becomes the first."""
    one, other = found(line=5), found(line=8, occurrence=1)
    made = first([Told(one), Told(other)])
    moved = [msgspec.structs.replace(comment, line=line) for comment, line in zip(standing(made), (None, 8), strict=True)]
    after = second([Told(found(line=8))], made, moved)
    assert after.create == ()
    assert [edit.id for edit in after.edit] == [1]
    settled = [msgspec.structs.replace(moved[0], body=after.edit[0].body), msgspec.structs.replace(moved[1], line=None)]
    assert plan([Told(found(line=9))], HUNKS, settled, summary(after.summary_body), HEAD).edit == ()


def test_two_comments_that_say_the_same_both_stand():
    made = first([Told(found())])
    twins = [*standing(made), *standing(made, first=50)]
    assert second([Told(found())], made, twins).writes == 0


def test_a_comment_after_a_force_push_is_known_without_its_commit():
    made = plan([Told(found())], HUNKS, (), None, HEAD, context=CONTEXT)
    comments = [msgspec.structs.replace(comment, line=None) for comment in standing(made)]
    assert plan([Told(found())], HUNKS, comments, summary(made.summary_body), NEXT, context=CONTEXT).writes == 0


def test_a_summary_of_somebody_else_is_no_memory():
    made = first([Told(found(confidence="medium"))])
    forged = msgspec.structs.replace(summary(made.summary_body), mine=False)
    assert "Gone since" not in (plan([], HUNKS, (), forged, NEXT).summary_body or "")


def test_what_stood_in_the_summary_only_is_said_to_be_gone():
    made = first([Told(found(confidence="medium"))])
    after = second([], made)
    assert f"- `untimed-call` in `jobs.py` ({NEXT[:7]})" in words(after)


def test_line_ends_of_a_browser_are_no_change():
    made = first([Told(found())])
    body = words(made).replace("\n", "\r\n").rstrip()
    assert plan([Told(found())], HUNKS, standing(made), summary(body), NEXT).writes == 0


# Where GitHub refuses


def test_what_github_refuses_is_told_in_the_summary_and_not_tried_again():
    one, other = Told(found(line=5)), Told(found(line=9, key="other"))
    made = first([one, other])
    after = demoted(made, made.create[:1])
    assert words(after).count("*(GitHub took no comment here)*") == 1
    assert demoted(made, ()).summary_body == made.summary_body
    comments = standing(made)[1:]
    assert plan([one, other], HUNKS, comments, summary(after.summary_body), NEXT).writes == 0
    assert plan([other], HUNKS, comments, summary(after.summary_body), NEXT).edit == ()


def test_what_github_refuses_at_its_lines_can_be_said_of_the_file():
    one = Told(found(line=5), Suggestion(5, 6, ("x",), safe=True))
    made = first([one])
    new = as_file(made.create[0])
    assert (new.path, new.line, new.start_line) == ("jobs.py", None, None)
    assert new.body == made.create[0].file_body
    comment = Comment(1, "n", new.path, None, new.body)
    assert plan([one], HUNKS, [comment], summary(made.summary_body), NEXT).writes == 0


# Any pushes


PUSHES = 15


class World:
    """A pull request that people work on, and what the reviewer wrote there."""

    def __init__(self, seed: int, limits: Limits) -> None:
        self.random, self.limits = random.Random(seed), limits
        self.faults: list[tuple[int, str, str, str]] = []  # file, scope, key, cause of each
        self.names = [f"f{number}.py" for number in range(5)]
        self.history: list[tuple[list[tuple[int, str, str, str]], list[str]]] = []
        self.comments: dict[int, Comment] = {}
        self.summary: Comment | None = None
        self.number, self.shift, self.resolved = 0, 0, Counter[tuple[str, str]]()

    def push(self) -> None:
        """Some things happen, in any order."""
        self.history.append(([*self.faults], [*self.names]))
        for _ in range(self.random.randint(1, 5)):
            self.random.choice((self.add, self.add, self.add, self.mend, self.move, self.rename, self.people, self.outdate, self.force))()

    def add(self) -> None:
        number = self.random.randint(0, 40)
        scope, cause = "<module>" if number % 7 == 0 else f"job{number}", f"cause{number % 3}" if number % 4 == 0 else ""
        fault = (number % 5, scope, f"call {number}", cause)
        if fault not in self.faults:
            self.faults.append(fault)

    def mend(self) -> None:
        if self.faults:
            self.faults.pop(self.random.randrange(len(self.faults)))

    def move(self) -> None:
        self.shift += self.random.randint(1, 9)

    def rename(self) -> None:
        self.number += 1
        self.names[self.random.randrange(5)] = f"g{self.number}.py"

    def people(self) -> None:
        """Somebody answers a comment, or resolves it."""
        if self.comments:
            comment = self.comments[self.random.choice(sorted(self.comments))]
            what = self.random.choice(("replied", "resolved"))
            self.comments[comment.id] = msgspec.structs.replace(comment, **{what: True})

    def outdate(self) -> None:
        self.comments = {key: msgspec.structs.replace(one, line=None) for key, one in self.comments.items()}

    def force(self) -> None:
        """The branch is what it was before, its comments are not."""
        faults, names = self.random.choice(self.history)
        self.faults, self.names = [*faults], [*names]

    def findings(self) -> tuple[list[Told], Hunks]:
        told = [
            Told(found("untimed-call", self.names[file], (index * 3 + self.shift) % 300 + 1, scope=scope, key=key, cause=cause))
            for index, (file, scope, key, cause) in enumerate(self.faults)
        ]
        return told, Hunks({path: span(1, 40) for path in self.names})

    def review(self) -> Plan:
        findings, hunks = self.findings()
        self.number += 1
        head = f"{self.number:040x}"
        return plan(findings, hunks, list(self.comments.values()), self.summary, head, self.limits)

    def apply(self, made: Plan) -> None:
        for new in (*made.create, *made.to_file):
            number = self.number * 1_000 + len(self.comments) + 1
            assert number not in self.comments
            self.comments[number] = Comment(number, f"n{number}", new.path, new.line, new.body)
        for edit in made.edit:
            self.comments[edit.id] = msgspec.structs.replace(self.comments[edit.id], body=edit.body)
        for gone in made.delete:
            del self.comments[gone]
        if made.summary_body is not None:
            self.summary = Comment(1, "summary", "", None, made.summary_body)


def identity(one: Told) -> tuple[str, str]:
    return one.found.scope, marker.key_of(one.found)


@pytest.mark.parametrize("seed", range(50))
def test_whatever_is_pushed_nothing_is_said_twice(seed):
    """Over a sequence of pushes: no finding has two open comments, a resolved one is not made again, one that is gone is closed, and
    the same state once more writes nothing."""
    world = World(seed, Limits(comments=8 if seed % 3 else 30, closing="delete" if seed % 2 else "edit", resolve=seed % 5 == 0))
    dealt_with: set[tuple[str, str]] = set()
    for _ in range(PUSHES):
        world.push()
        dealt_with |= {
            (mark.scope, mark.key) for one in world.comments.values() if one.resolved for mark in marker.read(one.body) if not mark.closed
        }
        made = world.review()
        made_now = {(mark.scope, mark.key) for new in (*made.create, *made.to_file) for mark in marker.read(new.body)}
        assert not made_now & dealt_with
        world.apply(made)
        there = {identity(one) for one in world.findings()[0]}
        causes = {marker.cause_of(one.found) for one in world.findings()[0]} - {""}
        marks = [(one, mark) for one in world.comments.values() for mark in marker.read(one.body) if not mark.closed]
        assert max(Counter((mark.scope, mark.key) for _, mark in marks).values(), default=0) <= 1
        open_ones = [(one, mark) for one, mark in marks if not one.replied and not one.resolved]
        assert all((mark.scope, mark.key) in there or mark.cause in causes for _, mark in open_ones)
        assert len(open_ones) <= max(world.limits.comments * 6, 1)
        assert len(made.create) + len(made.to_file) <= world.limits.comments
        again = world.review()
        assert again.writes == 0, (again.create, again.edit, again.delete, again.to_file, again.summary_body)


def test_the_worlds_are_worth_their_while():
    """They hold comments, edits, deletions, answers and findings that are back."""
    total = Counter[str]()
    for seed in range(50):
        world = World(seed, Limits(closing="delete" if seed % 2 else "edit"))
        for _ in range(PUSHES):
            world.push()
            made = world.review()
            total.update(create=len(made.create), edit=len(made.edit), delete=len(made.delete), file=len(made.to_file))
            total.update(back=sum("Fixed" not in edit.body for edit in made.edit))
            world.apply(made)
        total.update(
            resolved=sum(one.resolved for one in world.comments.values()), replied=sum(one.replied for one in world.comments.values())
        )
    assert all(total[name] >= 10 for name in ("create", "edit", "delete", "file", "back", "resolved", "replied")), total


def test_a_fingerprint_is_made_as_the_linter_makes_it():
    assert found().fingerprint == make("untimed-call", "jobs.py", "run", "get ( )", 0)
