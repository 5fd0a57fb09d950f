"""What a review looks like. The pictures are Markdown; `GUARDRAILS_SNAPSHOTS=write` writes them anew, and the change shows in git."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec
import pytest
from jinja2 import UndefinedError
from markdown_it import MarkdownIt
from review_samples import CONTEXT, HEAD, NEXT, SHOP, demoted, found, span, standing, summary, told

from guardrails import assets, rulebook
from guardrails.result import Allowed, Remark, Spot
from guardrails.review import render
from guardrails.review.hunks import Hunks
from guardrails.review.plan import Context, Limits, Told, job_summary, plan

PICTURES = Path(__file__).parent / "snapshots"
GITHUB = MarkdownIt("commonmark", {"html": True}).enable("table")


def shop():
    findings, hunks = told()
    allowed = (Allowed(findings[0].found, "the pool stops it"),)
    return findings, hunks, msgspec.structs.replace(CONTEXT, allowed=allowed, unknown=3, from_head=True)


def pictures():
    findings, hunks, context = shop()
    first = plan(findings, hunks, (), None, HEAD, context=context)
    comments = standing(first)
    later = plan(findings[1:3], hunks, comments, summary(first.summary_body), NEXT, context=CONTEXT)
    clean = plan([], hunks, comments, summary(first.summary_body), NEXT, context=CONTEXT)
    silenced = msgspec.structs.replace(CONTEXT, silenced=frozenset({findings[0].found.fingerprint, findings[2].found.fingerprint}))
    allowed = plan(findings[3:], hunks, comments, summary(first.summary_body), NEXT, context=silenced)
    return {
        **{f"comment-{number}": new.body for number, new in enumerate(first.create, 1)},
        "comment-about-a-file": first.create[0].file_body,
        "comment-fixed": later.edit[-1].body,
        "comment-allowed": allowed.edit[0].body,
        "summary": first.summary_body,
        "summary-without-links": plan(findings, hunks, (), None, HEAD).summary_body,
        "summary-later": later.summary_body,
        "summary-clean": clean.summary_body,
        "summary-refused": demoted(first, first.create[1:2]).summary_body,
        "job": job_summary(first),
    }


@pytest.fixture(scope="module")
def made():
    return pictures()


def test_the_pictures_are_what_is_said(made):
    if os.environ.get("GUARDRAILS_SNAPSHOTS") == "write":
        PICTURES.mkdir(exist_ok=True)
        for old in PICTURES.glob("*.md"):
            old.unlink()
        for name, text in made.items():
            (PICTURES / f"{name}.md").write_text(text, encoding="utf-8")
    assert {path.stem: path.read_text(encoding="utf-8") for path in PICTURES.glob("*.md")} == made


def test_every_picture_is_tidy(made):
    for name, text in made.items():
        assert text.endswith("\n"), name
        assert not re.search(r"\n{3}|[ \t]\n", text), name
        assert "None" not in text, name


def test_every_row_of_a_table_has_its_cells(made):
    tokens = GITHUB.parse(made["summary"])
    rows = sum(token.type == "tr_open" for token in tokens)
    cells = sum(token.type in ("td_open", "th_open") for token in tokens)
    assert rows == 8
    assert cells == 4 * rows


def test_a_comment_is_short(made):
    for name, text in made.items():
        if re.fullmatch(r"comment-\d", name):
            visible = re.sub(r"\A(?:<!--[^\n]*\n)+|\(https:[^)]*\)", "", text)
            assert len(visible) <= 750 * (visible.count("**Fix:**") or 1), name
            assert "!" not in re.sub(r"`[^`]*`", "", visible), name


def test_the_why_is_the_first_sentence_of_the_rule_page(made):
    assert "A job without a time limit that hangs holds its worker until somebody kills it." in rulebook.load()["untimed-job"].why.replace(
        "\n", " "
    )
    assert "A job without a time limit that hangs holds its worker until somebody kills it." in made["comment-1"]


def test_links_lead_to_this_commit_in_comments_and_to_the_change_in_the_summary(made):
    assert f"https://github.example/acme/shop/blob/{HEAD}/shop/app.py#L9" in made["comment-1"]
    assert re.search(r"https://github\.example/acme/shop/pull/7/files#diff-[0-9a-f]{64}R4\)", made["summary"])
    assert HEAD not in made["summary"]


@pytest.mark.parametrize(
    ("path", "sign"),
    [
        ("a.py", "`# guardrails: allow X -- reason`"),
        ("a.ts", "`// guardrails: allow X -- reason`"),
        ("a.rs", "`// guardrails: allow X -- reason`"),
        ("AGENTS.md", "`<!-- guardrails: allow X -- reason -->`"),
    ],
)
def test_how_to_silence_is_said_in_the_language_of_the_file(path, sign):
    made = plan([Told(found(path=path))], Hunks({path: span(1, 9)}), (), None, HEAD)
    assert sign.replace("X", "untimed-call") in made.create[0].body


@pytest.mark.parametrize("rule", ["unjustified-allow", "rule-of-a-plugin"])
def test_what_no_comment_can_allow_is_not_said_to_be_allowable(rule):
    made = plan([Told(found(rule))], Hunks({"jobs.py": span(1, 9)}), (), None, HEAD)
    assert "Right as it is?" not in made.create[0].body
    assert ("guardrails explain" in made.create[0].body) == (rule in rulebook.load())
    assert f"`{rule}`" in made.create[0].body


def test_of_many_rows_most_are_folded():
    hunks = Hunks({"jobs.py": span(1, 99)})
    findings = [Told(found(line=line, key=str(line))) for line in range(1, 41)]
    made = plan(findings, hunks, (), None, HEAD)
    assert made.summary_body is not None
    before, _, after = made.summary_body.partition("<details><summary>30 more</summary>\n\n")
    assert (before.count("| error |"), after.count("| error |")) == (10, 30)
    assert "<details>" not in job_summary(made)
    blocks = [token.content.strip() for token in GITHUB.parse(made.summary_body) if token.type == "html_block"]
    assert blocks[-2:] == ["<details><summary>30 more</summary>", "</details>"]
    assert sum(token.type == "table_open" for token in GITHUB.parse(made.summary_body)) == 2


def test_the_job_names_every_fix():
    findings, hunks, context = shop()
    said = job_summary(plan(findings, hunks, (), None, HEAD, context=context))
    assert said.count("<br>Fix: ") == said.count("\n| ") - said.count("\n| |")


def test_related_places_are_told_up_to_a_number():
    related = tuple(Remark(Spot("jobs.py", line, 1, line, 2), f"step {line}") for line in range(1, 9))
    made = plan([Told(found(related=related))], Hunks({"jobs.py": span(1, 9)}), (), None, HEAD)
    assert made.create[0].body.count("\n- `jobs.py:") == render.MOST_RELATED


def test_a_comment_without_room_says_that_there_is_more():
    findings = [Told(found(key=str(number), message="a" * 390)) for number in range(6)]
    made = plan(findings, Hunks({"jobs.py": span(1, 9)}), (), None, HEAD, Limits(letters=3_000))
    body = made.create[0].body
    assert len(body) <= 3_000
    assert re.search(r"\n\d more findings on this line: the summary has them\.\n", body)


def test_a_template_that_names_what_is_not_there_fails():
    with pytest.raises(UndefinedError):
        render._say("closed", gone=[{}])


def test_every_template_is_used_and_named():
    folder = assets.folder("templates") / "review"
    assert sorted(path.name for path in folder.iterdir()) == ["closed.md.j2", "comment.md.j2", "suggestion.md.j2", "summary.md.j2"]


def test_text_of_ours_is_escaped_by_default():
    """A template cannot forget it."""
    template = render._environment().from_string("{{ a }} {% for one in b %}{{ one }}{% endfor %}")
    assert template.render(a="see @bob", b=["<b>"]) == "see @<!-- -->bob &#60;b&#62;"
    made = plan([], Hunks({}), (), None, HEAD, context=Context(notices=("see @bob <b>",)))
    assert "see @<!-- -->bob &#60;b&#62;" in (made.summary_body or "")


def test_the_shop_has_what_the_pictures_need():
    findings = told(SHOP)[0]
    assert {one.found.confidence for one in findings} >= {"high", "medium"}
    assert {one.suggestion.safe for one in findings if one.suggestion is not None} == {True, False}
