"""Write what is generated from the rule pages and the code: the README's rule table and the JSON schemas. `--check` only compares."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from guardrails import config, jsontext, rulebook
from guardrails.frameworks.schema import schema_text
from guardrails.report import jobs_json, json_
from guardrails.rulebook import Rule

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- rules:begin -->", "<!-- rules:end -->"


def table(rules: Iterable[Rule]) -> str:
    """The rules as a Markdown table: by severity, then by name."""
    return "\n".join(["| rule | asks for | severity | languages |", "|---|---|---|---|", *map(_row, _ordered(rules))])


def _row(rule: Rule) -> str:
    return f"| [`{rule.name}`](rules/{rule.name}.md) | {rule.instruct} | {rule.severity} | {', '.join(rule.languages)} |"


def _ordered(rules: Iterable[Rule]) -> list[Rule]:
    grave = {"error": 0, "warning": 1, "info": 2}
    return sorted(rules, key=lambda rule: (rule.guardrail == "honesty", grave[rule.severity], rule.name))


def readme(text: str, rules: Iterable[Rule]) -> str:
    """The README with a fresh table between the markers. Raises SystemExit where a marker is missing."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"README.md: the markers {BEGIN} and {END} are missing; put them around the rule table")
    return f"{head}{BEGIN}\n{table(rules)}\n{END}{tail}"


def generated() -> Mapping[Path, str]:
    """Every generated file with what it should hold."""
    schemas = ROOT / "guardrails" / "schemas"
    page = ROOT / "README.md"
    return {
        page: readme(page.read_text(encoding="utf-8"), rulebook.load(ROOT / "rules").values()),
        schemas / "check.schema.json": _json(json_.schema()),
        schemas / "config.schema.json": config.schema_text(),
        schemas / "framework.schema.json": schema_text(),
        schemas / "jobs-map.schema.json": _json(jobs_json.schema()),
    }


def _json(schema: Mapping[str, Any]) -> str:
    return jsontext.dumps(schema, order="sorted")


def stale() -> list[Path]:
    """Generated files that do not hold what they should, relative to the root."""
    return [path.relative_to(ROOT) for path, text in generated().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]


def main(arguments: list[str]) -> int:
    """Write, or compare with `--check`; 1 when something is stale."""
    old = stale()
    if "--check" in arguments:
        for path in old:
            print(f"{path} is not current; run `make generated`", file=sys.stderr)
        return 1 if old else 0
    fresh = generated()
    for path in old:
        (ROOT / path).parent.mkdir(exist_ok=True)
        (ROOT / path).write_text(fresh[ROOT / path], encoding="utf-8")
        print(f"Wrote {path}")
    if not old:
        print("Everything generated is current.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
