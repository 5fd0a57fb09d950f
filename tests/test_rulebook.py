from __future__ import annotations

import time
from textwrap import dedent

import pytest

from guardrails import rulebook
from guardrails.rulebook import Expectation, PageError

HEAD = """\
---
severity: error
confidence: high
guardrail: timeout   # a comment
instruct: "Give every job a limit: in seconds."
languages: [python, rust]
---
# Untimed job

"""
BODY = """\
## Why
A job that hangs holds a worker.

## Bad
### A task without a limit
```python celery file=shop/tasks.py
@app.task
def charge(order):  # flagged: untimed-job
    ...
```
```python celery file=shop/app.py
app = Celery()  # flagged: other-rule, untimed-job
```

An actor that takes its limit away:

```python dramatiq
@actor(time_limit=None)
def pay(): ...  # flagged: untimed-job
```

## Good
```rust tokio
fn main() {}
```
```rust tokio
fn other() {}
```

## Fix
Set `time_limit`.
```python
## Not a section
```

## Cannot tell
A splat:
```python
@app.task(**options)
def f(): ...  # unknown: untimed-job
```

## Sources
- Celery docs
"""


def page(text: str = HEAD + BODY) -> rulebook.Rule:
    return rulebook.parse("untimed-job", text)


def test_the_front_matter_and_the_title_are_read():
    rule = page()
    assert (rule.name, rule.title, rule.severity, rule.confidence, rule.guardrail) == (
        "untimed-job",
        "Untimed job",
        "error",
        "high",
        "timeout",
    )
    assert rule.instruct == "Give every job a limit: in seconds."
    assert rule.persona == "regular"
    assert rule.languages == ("python", "rust")


def test_sections_are_read_and_a_heading_in_a_fence_is_code():
    rule = page()
    assert tuple(rule.sections) == rulebook.SECTIONS
    assert rule.why == "A job that hangs holds a worker."
    assert "## Not a section" in rule.fix


def test_fences_with_a_file_form_one_example_without_their_marks():
    bad = page().examples[0]
    assert bad.id == "A task without a limit"
    assert bad.kind == "Bad"
    assert bad.files == {"shop/tasks.py": "@app.task\ndef charge(order):\n    ...\n", "shop/app.py": "app = Celery()\n"}
    assert (bad.language, bad.framework) == ("python", "celery")
    assert bad.expectations == (
        Expectation("shop/app.py", 1, "other-rule"),
        Expectation("shop/app.py", 1, "untimed-job"),
        Expectation("shop/tasks.py", 2, "untimed-job"),
    )  # fmt: skip


def test_a_sentence_before_a_fence_is_its_id_and_a_fence_without_a_file_stands_alone():
    examples = page().examples
    assert [example.id for example in examples] == [
        "A task without a limit", "An actor that takes its limit away", "Good", "Good (2)", "A splat",
    ]  # fmt: skip
    assert list(examples[2].files) == ["shop.rs"]


def test_an_example_knows_its_line_in_the_page():
    text = (HEAD + BODY).splitlines()
    for example in page().examples:
        assert text[example.line - 1].startswith("```")


def test_what_cannot_be_told_is_marked_as_unknown():
    assert page().examples[-1].expectations == (Expectation("shop.py", 2, "untimed-job", "unknown"),)


def test_a_line_may_carry_both_marks():
    [example] = rulebook.cases("x.md", "## Bad\n```ts bullmq\nf()  // flagged: a-b // unknown: c\n```\n")
    assert example.files == {"shop.ts": "f()\n"}
    assert example.expectations == (Expectation("shop.ts", 1, "a-b"), Expectation("shop.ts", 1, "c", "unknown"))


def test_the_marks_go_and_the_comment_before_them_stays():
    [example] = rulebook.cases("x.md", "## Bad\n```python\nf()  # guardrails: allow x -- y  # flagged: unused-allow\n```\n")
    assert example.files["shop.py"] == "f()  # guardrails: allow x -- y\n"


def test_a_case_file_may_repeat_its_sections():
    text = "# Cases\n## Bad\n### one\n```python\na\n```\n## Good\n### two\n```python\nb\n```\n## Bad\n### one\n```python\nc\n```\n"
    assert [(example.id, example.kind) for example in rulebook.cases("x.md", text)] == [("one", "Bad"), ("two", "Good"), ("one (2)", "Bad")]


def test_two_projects_below_one_heading_are_told_apart_by_a_file_that_comes_twice():
    text = "## Good\n### both\n```python file=a.py\n1\n```\n```python file=b.py\n2\n```\n```python file=a.py\n3\n```\n"
    assert [(example.id, list(example.files)) for example in rulebook.cases("x.md", text)] == [
        ("both", ["a.py", "b.py"]),
        ("both (2)", ["a.py"]),
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("---\nsev", "sev", "rules/untimed-job.md:1: the page does not start with front matter; start it with a line ---"),
        ("severity: error", "severity: fatal", "rules/untimed-job.md:2: severity is 'fatal'; use one of error, warning, info"),
        ("severity: error", "sverity: error", "rules/untimed-job.md:2: 'sverity' is no key of a rule page; known are severity, confidence"),
        ("guardrail: timeout", "confidence: low", "rules/untimed-job.md:4: confidence is said twice; keep one"),
        ("guardrail: timeout", "# nothing", "rules/untimed-job.md:1: the front matter says no guardrail; add a line guardrail: VALUE"),
        ("# Untimed job", "Untimed job", "rules/untimed-job.md:8: no title stands below the front matter; write one line: # Title"),
        ("python, rust", "cobol", "rules/untimed-job.md:6: 'cobol' is no language we read"),
        ("## Why", "## Because", "rules/untimed-job.md:10: 'Because' is no section of a rule page; use Why, Bad"),
        ("## Sources", "### Sources", "rules/untimed-job.md:9: the section 'Sources' is missing; add a heading ## Sources"),
        ("# flagged: other-rule, untimed-job", "", None),
        ("# unknown: untimed-job", "", "rules/untimed-job.md:47: an example of Cannot tell carries unknown marks of untimed-job"),
        ("fn other() {}", "fn other() {} // flagged: untimed-job", "rules/untimed-job.md:35: an example of Good carries no marks"),
        ("```rust tokio\nfn main", "```\nfn main", "rules/untimed-job.md:32: a fence of an example says ''; write: language"),
        ("## Sources\n", "## Sources\n```\n", "a code fence is not closed; close it with the marks that open it"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_page_is_one_sentence_with_its_line(old, new, message):
    assert old in HEAD + BODY
    text = (HEAD + BODY).replace(old, new, 1)
    if message is None:
        rulebook.parse("untimed-job", text)
        return
    with pytest.raises(PageError) as error:
        rulebook.parse("untimed-job", text)
    assert message in str(error.value)


def test_a_name_of_a_page_is_lower_case_with_hyphens():
    with pytest.raises(PageError, match="no rule name"):
        rulebook.parse("Untimed_Job", HEAD + BODY)


def test_sections_out_of_order_are_told():
    text = dedent("""\
        ## Bad
        ## Why
        ## Good
        ## Fix
        ## Cannot tell
        ## Sources
        """)
    with pytest.raises(PageError, match="out of order"):
        rulebook.parse("untimed-job", HEAD + text)


def test_a_rulebook_is_read_by_name_and_quickly(tmp_path):
    for number in range(60):
        (tmp_path / f"rule-{number:02}.md").write_text(HEAD + BODY * 4)
    best = min(_seconds(tmp_path) for _ in range(3))
    assert list(rulebook.load(tmp_path)) == [f"rule-{number:02}" for number in range(60)]
    assert best < 0.1  # measured: 6 ms on an idle machine


def _seconds(folder) -> float:
    rulebook.load.cache_clear()
    start = time.perf_counter()
    rulebook.load(folder)
    return time.perf_counter() - start


def test_each_heading_names_its_own_example_and_prose_below_a_heading_does_not():
    text = "## Bad\n### one\nSome words.\n```python\na\n```\n### two\n```python\nb\n```\n"
    text += "Three words here:\n```python\nc\n```\n```python\nd\n```\n"
    assert [example.id for example in rulebook.cases("x.md", text)] == ["one", "two", "Three words here", "Three words here (2)"]
