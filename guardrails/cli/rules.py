"""`guardrails rules`: what is checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click

from guardrails import jsontext, rulebook
from guardrails.cli import shown
from guardrails.cli.output import emit
from guardrails.report.ink import Ink
from guardrails.rulebook import LANGUAGES, Rule

SHORT = {"python": "py", "typescript": "ts", "rust": "rs"}
HEAD = ("RULE", "SEVERITY", "CONFIDENCE", "GUARDRAIL", "LANGUAGES", "FINDS")


@click.command("rules", short_help="List the rules.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to list them.")
def command(form: str) -> None:
    """List the rules: how grave, how sure, for which languages."""
    rules = tuple(rulebook.load().values())
    color = form == "text" and shown.color()
    emit(as_json(rules) if form == "json" else "\n".join(table(rules, Ink(color))) + "\n", color)


def as_json(rules: Iterable[Rule]) -> str:
    """The rules as data: `{"version": 1, "rules": [...]}`."""

    keys = ("name", "title", "severity", "confidence", "guardrail", "persona", "languages", "instruct")
    document = {"version": 1, "rules": [{key: getattr(rule, key) for key in keys} for rule in rules]}
    return jsontext.dumps(document)


def table(rules: Iterable[Rule], ink: Ink) -> Iterator[str]:
    """A line a rule, under a head."""
    rows = [HEAD, *(_row(rule) for rule in rules)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    yield ink(_line(HEAD, widths), "quiet")
    for row in rows[1:]:
        name, severity, *rest = row
        styles = [ink(name, "strong") + " " * (widths[0] - len(name)), ink(severity, severity) + " " * (widths[1] - len(severity))]
        yield "  ".join([*styles, _line(rest, widths[2:])])


def _row(rule: Rule) -> tuple[str, ...]:
    languages = " ".join(SHORT[name] for name in LANGUAGES if name in rule.languages)
    pedantic = " (with --pedantic)" if rule.persona == "pedantic" else ""
    return rule.name, rule.severity, rule.confidence, rule.guardrail, languages, rule.title + pedantic


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
