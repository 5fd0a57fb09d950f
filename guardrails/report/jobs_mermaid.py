"""The inventory as a Mermaid flowchart: who starts what. Labels come from scanned code, so every character that could mean something
to Mermaid, to Markdown or to HTML is written as its number.
"""

from __future__ import annotations

from collections.abc import Iterator

from guardrails.inventory import Code, Elsewhere, Handler, Inventory, Job, Node, Schedule, Spawn
from guardrails.report.jobs_text import described
from guardrails.report.safe import visible
from guardrails.report.snippet import at_line

_PLAIN = frozenset(" .,:/_-()*+=")
LONGEST = 60  # characters of a label's line
_SHAPES: dict[type[Node], tuple[str, str]] = {
    Handler: ("([", "])"),
    Schedule: ("{{", "}}"),
    Job: ("[", "]"),
    Spawn: ("[/", "/]"),
    Code: ("(", ")"),
    Elsewhere: ("[[", "]]"),
}


def render(inventory: Inventory) -> str:
    """The flowchart, ending in a newline."""
    return "\n".join(_lines(inventory)) + "\n"


def escaped(text: str) -> str:
    """Text for a quoted label: letters, digits and a few plain signs stay, all else becomes `#number;`."""
    short = visible(" ".join(text.split()))
    short = short if len(short) <= LONGEST else f"{short[: LONGEST - 3]}..."
    return "".join(char if char.isalnum() or char in _PLAIN else f"#{ord(char)};" for char in short)


def _lines(inventory: Inventory) -> Iterator[str]:
    yield "flowchart LR"
    names = {node.id: node.id.replace("-", "") for node in inventory.nodes()}
    for number, (title, jobs) in enumerate(inventory.by_framework(), 1):
        yield f'  subgraph framework{number}["{escaped(title)}"]'
        for job in jobs:
            yield f"    {_node(names[job.id], job)}"
        yield "  end"
    for node in inventory.nodes():
        if not isinstance(node, Job):
            yield f"  {_node(names[node.id], node)}"
    drawn = dict.fromkeys((edge.source, edge.target, edge.kind, edge.queue) for edge in inventory.edges)
    for source, target, kind, queue in drawn:
        label = f"{kind} in {queue}" if queue else kind
        yield f'  {names[source]} -->|"{escaped(label)}"| {names[target]}'


def _node(name: str, node: Node) -> str:
    opened, closed = _SHAPES[type(node)]
    return f'{name}{opened}"{"<br/>".join(map(escaped, _words(node)))}"{closed}'


def _words(node: Node) -> Iterator[str]:
    yield node.name if isinstance(node, Job | Elsewhere) else described(node)
    if isinstance(node, Job):
        yield f"limit: {node.limit.words}"
        yield f"retries: {node.retries.words}"
    yield at_line(node.at)
