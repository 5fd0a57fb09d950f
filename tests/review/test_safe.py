"""Nothing from the code under review acts in a comment or a log."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from review_samples import CONTEXT, HEAD, found

from guardrails.report.github import annotation
from guardrails.result import Allowed, Remark, Spot
from guardrails.review import marker, safe
from guardrails.review.hunks import Hunks, Shown
from guardrails.review.plan import Comment, Context, Suggestion, Told, job_summary, plan
from guardrails.review.safe import cell, code, fence, printable, words

GITHUB = MarkdownIt("gfm-like", {"html": True, "linkify": True})
GITHUB.linkify.set({"fuzzy_link": False}).add("//", None)  # only here are bare names and `//` links; what GitHub links stays on
PIECES = (
    "@acme/all", "@bob", "#1", "acme/shop#2", "GH-3", "gh-4", "<img src=x onerror=alert(1)>", "<b>", "</details>", "<!--", "-->",
    "[a](b)", "![a](b)", "[a]: http://b", "http://evil.example", "HTTPS://evil.example", "www.evil.example", "ftp://evil.example",
    "mailto:a@b.example", "`", "``", "```", "~~~", "```suggestion", "|", "\\|", "\\", "\n", "\r", "\r\n", "\u2028", "\x85", "\x0b",
    "\u202e", "\u200b", "\u2066", "\x1b[31m", "::error::x", "::add-mask::", "##[error]x", "::stop-commands::x", "%0A::warning::x",
    "# h", "- l", "1. l", "> q", "***", "---", "===", "    code", "$x$", "$`x`$", "&lt;script&gt;", "&#64;bob", "*", "_", "**", "~",
    ":tada:", "<script>", "<a href=x>", "\ud800", "\udc80", "\x00", "é", "漢", "{{ 7 }}", "{% raw %}", "a b", ".", "guardrails",
    "<!-- guardrails:v1 summary -->",
)  # fmt: skip
HOSTILE = st.lists(st.one_of(st.sampled_from(PIECES), st.text(st.characters(codec=None), max_size=4)), max_size=10).map("".join)
NAMEABLE = HOSTILE.map(lambda text: re.sub("[\ud800-\udc7f\udd00-\udfff]", "\udc80", text))  # what a file or its name can hold
OURS = re.compile(r"<!--.*?-->|</?(?:code|br|details|summary)>", re.DOTALL)
LINK = re.compile(rf"https://github\.example/acme/shop/(?:blob/{HEAD}/[^?#]+(?:#L\d+)?|pull/7/files#diff-[0-9a-f]{{64}}R\d+)")
COMMAND = re.compile(r"^\s*::|##\[", re.MULTILINE)  # how the runner finds its commands in a log


def told_by(text: str) -> tuple[str, list[str]]:
    """What a reader sees outside of code, and what acts: HTML that is not ours, links, pictures."""
    seen, acts = [], []
    is_code = False
    for token in _flat(GITHUB.parse(text)):
        if token.type in ("html_block", "html_inline"):
            is_code = token.content == "<code>" or (is_code and token.content != "</code>")
            left = OURS.sub("", token.content)
            acts += [left] if left.strip() else []
            seen.append("\0")
        elif token.type == "image" or (token.type == "link_open" and not LINK.fullmatch(token.attrs["href"])):
            acts.append(str(token.attrs))
        elif token.type == "text" and not is_code:
            seen.append(token.content)
        elif token.type == "code_inline":
            seen.append("\1")
        elif token.nesting or token.type in ("softbreak", "hardbreak"):
            seen.append("\n")
    return "".join(seen), acts


def _flat(tokens):
    for token in tokens:
        if token.children is None:
            yield token
        else:
            yield from _flat(token.children)


REACHES = re.compile(r"@[\w-]|#\d|\bgh-\d|://|www\.", re.IGNORECASE)


@given(HOSTILE)
@example("@bob #1 GH-3 http://evil.example")
@example("- item")
@example("1. item")
@example("===")
def test_words_are_one_paragraph_of_text_in_which_nothing_acts(text):
    made = words(text)
    seen, acts = told_by(f"Lead.\n\n{made}\n\nEnd.")
    assert acts == []
    assert not REACHES.search(seen)
    assert len(made.splitlines()) <= 1
    kinds = {token.type for token in GITHUB.parse(made)}
    assert kinds <= {"paragraph_open", "inline", "paragraph_close"}


@given(HOSTILE)
def test_a_code_span_holds_just_its_text(text):
    made = code(text)
    spans = list(_flat(GITHUB.parse(f"x {made} y")))
    assert [one.content for one in spans if one.type == "text"] == (["x ", " y"] if text else ["x  y"])
    assert all(unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in made)


@given(HOSTILE, HOSTILE)
def test_a_cell_stays_a_cell(one, other):
    row = f"| a | b | c |\n|---|---|---|\n| {cell(code(one))} | {cell(words(other))} | last |\n"
    tokens = GITHUB.parse(row)
    cells = [token.children for token, before in zip(tokens[1:], tokens, strict=False) if before.type == "td_open"]
    assert len(cells) == 3
    assert cells[2][0].content == "last"
    seen, acts = told_by(row)
    assert acts == []
    assert not REACHES.search(seen)


@given(st.lists(HOSTILE.map(lambda text: text.replace("\n", "")), max_size=6).map(tuple))
def test_no_line_closes_a_fence(lines):
    marks = fence(lines)
    longest = max((len(run) for line in lines for run in re.findall("`+", line)), default=0)
    assert len(marks) == max(3, longest + 1)


@given(HOSTILE)
@example("x\r::error::y")
@example("\t ::error::y")
@example("##[##[error]x")
@example("###[error]x")
def test_what_is_printed_into_a_log_holds_no_command(text):
    assert not COMMAND.search(printable(text).replace("\r", "\n"))


@given(HOSTILE)
def test_what_is_harmless_is_printed_as_it_is(text):
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    if not COMMAND.search(plain):
        assert printable(text) == plain


@given(NAMEABLE.map(lambda name: f"{name}.py"), NAMEABLE, NAMEABLE)
def test_a_review_of_hostile_code_says_nothing_but_its_own(path, message, line):
    """The whole way: names, messages, places, reasons and suggested lines."""
    hunks = Hunks({path: Shown(((1, 20),))})
    shown = next(iter(hunks), "jobs.py")
    related = (Remark(Spot(shown, 3, 1, 3, 2), message),)
    one = found("untimed-call", shown, 5, scope=message, key=message, message=message, fix=line, related=related, cause=path)
    more = [found("untimed-job", shown, 40 + n, scope=line, key=message, occurrence=n, message=line, cause=path) for n in range(3)]
    context = Context(web=CONTEXT.web, allowed=(Allowed(one, message),), notices=(line,))
    made = plan([Told(one), *map(Told, more)], hunks, (), None, HEAD, context=context)
    for body in (*(new.body for new in made.create), *(new.body for new in made.to_file), made.summary_body, job_summary(made)):
        seen, acts = told_by(re.sub(r"\A(?:<!-- guardrails:v1 [^\n]*-->\n)+", "", body))
        assert acts == []
        assert not REACHES.search(seen)
    for command in map(annotation, (one, *more)):
        assert "\n" not in command
        assert re.match(r"::(error|warning|notice) [^:]*::", command)


def test_a_suggestion_stays_behind_its_fence():
    lines = ("x = '''", "```", "````suggestion", "@bob <img src=x>", "::error::x")
    one = Told(found(line=2), Suggestion(2, 2, lines, safe=True))
    made = plan([one], Hunks({"jobs.py": Shown(((1, 9),))}), (), None, HEAD)
    fences = [token for token in GITHUB.parse(made.create[0].body) if token.type == "fence"]
    assert [(token.info, token.markup, token.content) for token in fences] == [
        ("suggestion", "`````", "".join(f"{line}\n" for line in lines))
    ]
    assert marker.read(made.create[0].body)[0].fp == one.found.fingerprint


def test_a_quoted_mark_is_no_mark():
    """Code under review that spells our marker does not make its finding look told."""
    other = found(key="other")
    quoted = f"`{marker.write([marker.of(other)]).strip()}`"
    made = plan([Told(found(message=quoted))], Hunks({"jobs.py": Shown(((1, 9),))}), (), None, HEAD)
    comment = Comment(1, "n", "jobs.py", 5, made.create[0].body)
    again = plan([Told(found(message=quoted)), Told(other)], Hunks({"jobs.py": Shown(((1, 9),))}), [comment], None, HEAD)
    assert [new.fingerprints for new in again.create] == [(other.fingerprint,)]


def test_an_annotation_of_hostile_text_is_one_command():
    hostile = found(path="a,line=1::x\n::error::y", message="%0A\n::warning::z\r::add-mask::q")
    said = annotation(hostile)
    assert not re.search(r"[\n\r]", said)
    assert said.split("::")[1].count("line=") - said.split("::")[1].count("%2Cline=") <= 1


@pytest.mark.parametrize(("text", "most", "shown"), [("abcdef", 6, "abcdef"), ("abcdefg", 6, "abcde…"), ("abcd  fgh", 7, "abcd…")])
def test_long_text_is_cut(text, most, shown):
    assert safe.cut(text, most) == shown


def test_of_a_long_path_the_end_is_shown():
    assert code("very/" * 50 + "jobs.py").endswith("/jobs.py`")
    assert len(code("very/" * 50 + "jobs.py")) == 122
