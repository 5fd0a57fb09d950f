"""The map of jobs as text, JSON and Mermaid: nothing that a project is called can break out of it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails.inventory import Code, Edge, Elsewhere, Handler, Inventory, Job, Schedule, Spawn, Value
from guardrails.place import Spot
from guardrails.report import jobs_json, jobs_mermaid, jobs_text
from guardrails.report.ink import Ink
from guardrails.report.safe import width

SCHEMA = Path(__file__).resolve().parent.parent.parent / "guardrails" / "schemas" / "jobs-map.schema.json"
HOSTILE = [
    'quote " here', "tick ` here", "end", "]] --> x[[", "<img src=x onerror=alert(1)>", "%%{init: {}}%%", "a\nb\tc", "#quot;", "&amp;",
    "click job1 href", "\x1b[31mred", "\u202eevil", "日本語のジョブ", "x" * 400, "", ";", "|pipe|", "{{x}}", "\udcff",
]  # fmt: skip
_LABEL = r'"[^"`<>%{}\[\]|\\]*(?:<br/>[^"`<>%{}\[\]|\\]*)*"'
_ID = r"[a-z]+[0-9]+"
_SHAPES = [r"\(\[L\]\)", r"\{\{L\}\}", r"\[L\]", r"\[/L/\]", r"\(L\)", r"\[\[L\]\]"]
_LINES = [
    r"flowchart LR", rf"  subgraph framework[0-9]+\[{_LABEL}\]", r"  end", rf"  {_ID} -->\|{_LABEL}\| {_ID}",
    *(rf" +{_ID}{shape.replace('L', _LABEL)}" for shape in _SHAPES),
]  # fmt: skip


def spot(path: str = "shop/tasks.py", line: int = 3) -> Spot:
    return Spot(path, line, 5, line, 9)


def inventory(name: str, starts: int = 2) -> Inventory:
    value = Value(name, "job", spot(name or "a.py"), name, 60)
    job = Job(
        id="job-1", name=name, at=spot(name or "a.py"), framework="celery", title=name or "Celery", symbol=name, language="python",
        limit=value, retries=value, queue=value, again=name,
    )  # fmt: skip
    handlers = tuple(
        Handler(id=f"handler-{n}", name=f"{name}{n}", at=spot(), framework="flask", route=name, methods=("POST",))
        for n in range(1, starts + 1)
    )
    schedule = Schedule(id="schedule-1", name=name, at=spot(), when=name)
    spawn = Spawn(id="spawn-1", name=name, at=spot(), kind="thread", kept=name)
    code, other = Code(id="code-1", name=name, at=spot()), Elsewhere(id="elsewhere-1", name=name, at=spot(), framework="rq")
    edges = [Edge(one.id, "job-1", "enqueues", spot(), (name,), name) for one in handlers]
    edges += [
        Edge("schedule-1", "job-1", "schedules", spot()),
        Edge("code-1", "spawn-1", "spawns", spot()),
        Edge("job-1", "elsewhere-1", "enqueues", spot()),
    ]
    return Inventory((job,), handlers, (schedule,), (spawn,), (code,), (other,), tuple(edges), starts)


def assert_is_flowchart(text: str) -> None:
    """A grammar that is narrower than Mermaid's: one statement a line, every label quoted, nothing special in a label."""
    lines = text.splitlines()
    assert lines[0] == "flowchart LR"
    for line in lines:
        assert any(re.fullmatch(pattern, line) for pattern in _LINES), line
    defined = set(re.findall(rf"^ +({_ID})[\[({{]", text, re.MULTILINE))
    for source, target in re.findall(rf"^  ({_ID}) -->.* ({_ID})$", text, re.MULTILINE):
        assert {source, target} <= defined


@pytest.mark.parametrize("name", HOSTILE)
def test_a_flowchart_stays_one_whatever_a_project_is_called(name):
    assert_is_flowchart(jobs_mermaid.render(inventory(name)))


@given(st.text())
def test_a_label_holds_nothing_that_means_something_to_mermaid(name):
    assert re.fullmatch(_LABEL, f'"{jobs_mermaid.escaped(name)}"')


def test_a_label_says_the_same_to_its_reader():
    label = jobs_mermaid.escaped('a "b" <c> #d')
    assert re.sub(r"#(\d+);", lambda found: chr(int(found[1])), label) == 'a "b" <c> #d'


@pytest.mark.parametrize("name", HOSTILE)
def test_text_fits_and_acts_on_no_terminal(name):
    text = jobs_text.render(inventory(name), Ink(False), 100)
    assert "\x1b" not in text
    assert "\u202e" not in text
    if " " not in name.strip() and len(name) > 40:
        return  # one long name is not cut
    assert max(width(line) for line in text.splitlines()) <= 100


def test_many_starts_are_told_in_short_unless_all_are_asked_for():
    many = inventory("work", starts=40)
    short, full = (jobs_text.render(many, Ink(False), 100, every) for every in (False, True))
    assert "... and 36 more (--all)" in short
    assert "work40" not in short
    assert "work40" in full


def test_an_empty_map_says_so():
    assert jobs_text.render(Inventory(), Ink(False), 100) == "No background job was recognised.\n"
    assert jobs_mermaid.render(Inventory()) == "flowchart LR\n"


@pytest.mark.parametrize("name", HOSTILE)
def test_json_keeps_its_published_schema(name):
    document = json.loads(jobs_json.render(inventory(name)))
    jsonschema.validate(document, json.loads(SCHEMA.read_text()))
    assert document["jobs"][0]["started_by"][0]["id"].startswith("handler-")
    assert document["jobs"][0]["limit"]["number"] == 60


def test_no_limit_has_no_number():
    none = Value("none", "framework")
    job = Job(id="job-1", name="a", at=spot(), symbol="a", language="python", limit=none, retries=none, queue=none)
    assert json.loads(jobs_json.render(Inventory((job,))))["jobs"][0]["limit"]["number"] is None
    assert "1 job (1 without a time limit)" in jobs_text.render(Inventory((job,)), Ink(False), 100)
