"""The page, as text: whole, without a network, and with nothing in it that scanned code could make act."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise

import msgspec
import pytest
import report_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from guardrails import report
from guardrails.inventory import Edge, Inventory
from guardrails.report.html.chart import DEEPEST, MOST, TALL, WIDE, chart
from guardrails.report.html.excerpt import WIDEST, Excerpt, Excerpts
from guardrails.report.view import View
from guardrails.result import Result, Spot

VOID = {"meta", "input", "br", "hr", "img", "link", "wbr"}
RESULTS = {
    "few": samples.few, "many": samples.many, "clean": samples.result, "compared": samples.compared, "hostile": samples.hostile,
    "crowd": samples.crowd, "mapped": lambda: samples.result(inventory=samples.inventory()),
    "empty map": lambda: samples.result(inventory=Inventory()),
}  # fmt: skip


class Outline(HTMLParser):
    """Elements with their attributes; whether each is closed where it should be."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if len(dict(attributes)) != len(attributes):
            self.faults.append(f"<{tag}> says an attribute twice")
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.open[-1] if self.open else "", []).append(data)


def made(result: Result) -> str:
    return report.render("html", result, View(rules=samples.RULES))


@pytest.fixture(scope="module", params=RESULTS)
def page(request: pytest.FixtureRequest) -> str:
    return made(RESULTS[request.param]())


def test_every_element_is_closed_where_it_should_be(page: str) -> None:
    outline = Outline(page)
    assert (outline.faults, outline.open) == ([], [])


def test_no_id_is_given_twice_and_every_label_leads_somewhere(page: str) -> None:
    tags = Outline(page).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in tags:
        for name in ("aria-labelledby", "form"):
            assert attributes.get(name) is None or attributes[name] in ids
        link = attributes.get("href") or ""
        if link.startswith("#") and "=" not in link:
            assert link[1:] in ids


def test_the_page_loads_nothing(page: str) -> None:
    for tag, attributes in Outline(page).tags:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "image", "use", "video", "audio")
        assert not attributes.keys() & {"src", "srcset", "style", "background", "action"}
        assert (attributes.get("href") or "#").startswith(("#", "https://"))
        assert not any(name.startswith("on") for name in attributes)
    assert "@import" not in page
    assert re.findall(r"url\(([^)]*)\)", page) in ([], ["#tip"] * page.count("url(#tip)"))


def test_only_our_own_style_and_script_may_run(page: str) -> None:
    outline = Outline(page)
    [policy] = [attributes["content"] for tag, attributes in outline.tags if attributes.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        [text] = ["".join(outline.texts[tag])]
        assert [one for one, _ in outline.tags].count(tag) == 1
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_hostile_text_stays_text() -> None:
    shown = made(samples.hostile())
    outline = Outline(shown)
    assert "<script>alert" not in shown
    assert not any(tag in ("img", "raw") for tag, _ in outline.tags)
    assert "49" not in re.sub(r"&#\d+;", "", shown).split("alert(2)>", 1)[-1][:9]
    assert "{{7*7}}" in shown
    for sign in ("\x1b", "\x00", "\u202e", "\udcff"):
        assert sign not in shown
    assert "\\u202e" in shown
    assert not any((attributes.get("href") or "").startswith("javascript") for _, attributes in outline.tags)


def test_hostile_text_adds_no_element() -> None:
    """The same page with harmless words has just the same elements."""
    both = (samples.result(inventory=samples.inventory(name)) for name in (samples.EVIL, "word"))
    first, second = ([tag for tag, _ in Outline(made(one)).tags] for one in both)
    assert first == second


def test_a_card_says_where_what_why_and_how() -> None:
    shown = made(samples.few())
    assert ">shop/tasks.py:5:5</a>" in shown
    assert "Job <code>charge_card</code> has no time limit" in shown
    assert '<mark class="primary">charge_card</mark>' in shown
    assert "this app sets no task_time_limit" in shown
    assert "<b>Fix</b> <span>Set <code>task_time_limit=300</code> on the app" in shown
    assert "A job that never ends holds its worker slot." in shown
    assert "1 more place with the same cause" in shown


def test_totals_are_by_rule_and_by_guardrail() -> None:
    shown = made(samples.few())
    assert re.search(r'href="#rule=untimed-job"[^>]*>untimed-job</a></th><td class="count">2<', shown)
    assert re.search(r'href="#guardrail=idempotency"[^>]*>idempotency</a></th><td class="count">1<', shown)


def test_a_clean_page_says_so_and_offers_no_filter() -> None:
    shown = made(samples.result())
    assert '<p class="clean">No unsafe worker code found.</p>' in shown
    assert 'id="filter"' not in shown


def test_known_and_allowed_findings_are_listed() -> None:
    shown = made(samples.compared())
    assert 'Known: the baseline <span class="count">2</span>' in shown
    assert "the outbox sends it again" in shown


def test_the_map_holds_every_node_and_says_who_starts_what() -> None:
    shown = made(samples.result(inventory=samples.inventory()))
    for key in ("job-1", "job-2", "handler-1", "schedule-1", "spawn-1", "code-1", "elsewhere-1"):
        assert f'id="{key}"' in shown
    assert "21 more handlers start no background work." in shown
    assert ">send_receipt</a>" in shown
    assert "enqueues it at shop/tasks.py:5:5 through charge_card" in shown


def test_the_source_of_two_thousand_findings_makes_no_huge_page() -> None:
    assert len(made(samples.crowd())) < 8_000_000


# the source


def excerpt(source: str, spot: Spot) -> Excerpt:
    found = samples.found("untimed-job", spot, "M.")
    return Excerpts([(spot.path, source.encode("utf-8", "surrogateescape"))]).of(found)[0]


def marked(shown: Excerpt) -> str:
    return "|".join("".join(piece.text for piece in row.pieces if piece.mark) for row in shown.rows)


def test_a_place_of_several_lines_is_marked_in_each() -> None:
    assert marked(excerpt("a\nb = call(\n    1,\n)\nc\n", Spot("a.py", 2, 5, 4, 2))) == "|call(|1,|)|"


def test_a_long_line_is_cut_around_its_mark() -> None:
    shown = excerpt("x = 1; " * 300 + "call()" + "; y" * 300, Spot("a.py", 1, 2101, 1, 2107))
    assert marked(shown) == "call()"
    assert len("".join(piece.text for piece in shown.rows[0].pieces)) <= WIDEST + 2


def test_kinds_of_code_are_told_apart() -> None:
    [row] = excerpt('return "a # b"  # why\n', Spot("a.py", 1, 1, 1, 2)).rows
    assert [(piece.text, piece.kind) for piece in row.pieces if piece.kind] == [
        ("r", "word"), ("eturn", "word"), ('"a # b"', "text"), ("# why", "remark"),
    ]  # fmt: skip


@given(
    st.text(max_size=400),
    st.integers(0, 9),
    st.integers(0, 400),
    st.integers(0, 9),
    st.integers(0, 400),
    st.sampled_from("a.py a.ts a.rs a".split()),
)
def test_no_source_and_no_place_breaks_an_excerpt(text: str, line: int, column: int, end_line: int, end_column: int, path: str) -> None:
    found = samples.found("untimed-job", Spot(path, line, column, end_line, end_column), "M.")
    source = text.encode("utf-8", "surrogatepass")
    for shown in Excerpts([(path, source)]).of(found):
        assert all(piece.text for row in shown.rows for piece in row.pieces)


# the drawing


def test_who_starts_stands_left_of_what_is_started() -> None:
    drawn = chart(samples.inventory())
    assert drawn is not None
    column = {box.id: box.x for box in drawn.boxes}
    assert column["handler-1"] == column["schedule-1"] == column["code-1"] < column["job-1"] == column["spawn-1"]
    assert drawn.left_out == 0


def test_boxes_do_not_overlap_and_lie_in_the_drawing() -> None:
    drawn = chart(samples.inventory())
    assert drawn is not None
    places = sorted((box.x, box.y) for box in drawn.boxes)
    assert len(set(places)) == len(places)
    for (x, y), (next_x, next_y) in pairwise(places):
        assert next_x > x or next_y >= y + TALL
    assert all(0 <= x <= drawn.width - WIDE and 0 <= y <= drawn.height - TALL for x, y in places)


def test_a_map_without_edges_is_not_drawn() -> None:
    assert chart(Inventory()) is None
    assert chart(msgspec.structs.replace(samples.inventory(), edges=())) is None


@given(st.lists(st.tuples(st.integers(0, 150), st.integers(0, 150)), max_size=300))
def test_any_graph_is_drawn_within_bounds(pairs: list[tuple[int, int]]) -> None:
    job, here = samples.inventory().jobs[0], Spot("a.py", 1, 1, 1, 2)
    jobs = tuple(msgspec.structs.replace(job, id=f"job-{number}") for number in range(151))
    edges = tuple(Edge(f"job-{source}", f"job-{target}", "enqueues", here) for source, target in pairs)
    drawn = chart(Inventory(jobs=jobs, edges=edges))
    if drawn is None:
        assert len(pairs) == 0 or len({end for pair in pairs for end in pair}) > MOST
        return
    assert len(drawn.boxes) <= MOST
    assert len({box.x for box in drawn.boxes}) <= DEEPEST
    assert len(drawn.boxes) + drawn.left_out == len({end for pair in pairs for end in pair})
