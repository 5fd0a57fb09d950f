"""`guardrails explain RULE`: the rule's page; without a rule, the rules by guardrail."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

import click

from guardrails import rulebook
from guardrails.cli import shown
from guardrails.cli.names import known
from guardrails.cli.output import emit
from guardrails.report.ink import Ink
from guardrails.rulebook import GUARDRAILS, Rule

_FILE_OF_FENCE = re.compile(r"^(```\w+)([^\n`]*?)[ ]file=(\S+)([^\n`]*)$", re.MULTILINE)


@click.command("explain", short_help="Explain a rule: why, bad, good, fix.")
@click.argument("rule", required=False)
def command(rule: str | None) -> None:
    """Explain RULE: why it hurts, bad and good code, the fix, and what it cannot tell.

    Without RULE: the rules, by the guardrail that they belong to.
    """
    rules, color = rulebook.load(), shown.color()
    if rule is None:
        emit("\n".join(by_guardrail(rules.values(), Ink(color))) + "\n", color)
        return
    page = rules[known(rule.strip(), rules)]
    emit(rendered(page, shown.columns()) if color else plain(page), color)


def by_guardrail(rules: Iterable[Rule], ink: Ink) -> Iterator[str]:
    """The rules under the guardrails that they belong to."""
    groups: Mapping[str, list[Rule]] = {name: [] for name in GUARDRAILS}
    for rule in rules:
        groups[rule.guardrail].append(rule)
    longest = max((len(rule.name) for group in groups.values() for rule in group), default=0)
    for name, group in groups.items():
        if group:
            yield ink(name, "second")
            yield from (f"  {ink(rule.name, 'strong')}{' ' * (longest - len(rule.name))}  {rule.title}" for rule in group)
    yield ""
    yield "guardrails explain RULE tells more."


def facts(rule: Rule) -> str:
    """One line on a rule: how grave, how sure, where."""
    pedantic = ", with --pedantic only" if rule.persona == "pedantic" else ""
    return f"{rule.severity}, {rule.confidence} confidence, guardrail {rule.guardrail}, {', '.join(rule.languages)}{pedantic}"


def plain(rule: Rule) -> str:
    """The page as it is written, with its facts below the title."""
    return f"# {rule.title}\n\n`{rule.name}`: {facts(rule)}.\n\n{rule.body.strip()}\n{options(rule)}"


def options(rule: Rule) -> str:
    """The section on what a project may set, empty where that is nothing."""
    rows = [f"- `{name}`: {option.words}; {option.default:g} unless set\n" for name, option in rule.options.items()]
    return f"\n## Options\n\nUnder `[tool.guardrails.options.{rule.name}]`:\n\n{''.join(rows)}" if rows else ""


def rendered(rule: Rule, columns: int) -> str:
    """The page for a terminal, code highlighted, in ANSI colours."""
    from io import StringIO

    from rich.console import Console
    from rich.markdown import Markdown
    from rich.theme import Theme

    out = StringIO()
    theme = Theme({"markdown.code": "bold cyan"})
    console = Console(file=out, width=columns, force_terminal=True, color_system="standard", legacy_windows=False, theme=theme)
    text = _FILE_OF_FENCE.sub(r"`\3`\n\1\2\4", plain(rule))
    console.print(Markdown(text, code_theme="ansi_dark", hyperlinks=False))
    return "\n".join(_single_spaced(out.getvalue().splitlines())) + "\n"


def _single_spaced(lines: Iterable[str]) -> Iterator[str]:
    """The lines without white space at their ends, of several blank ones the first."""
    last = ""
    for line in lines:
        text = click.unstyle(line).rstrip()
        if text or last:
            yield line.rstrip() if text else ""
        last = text
