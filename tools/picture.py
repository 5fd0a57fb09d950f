"""Makes docs/demo.svg: what `guardrails check` prints for the example project, as a picture. The same bytes from run to run."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
WIDTH, LINES = 100, 46
FONTS = "Fira Code, ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace"
THEME = TerminalTheme(
    (13, 17, 23),
    (201, 209, 217),
    [(72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34), (88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)],
    [(110, 118, 129), (255, 161, 152), (86, 211, 100), (227, 179, 65), (121, 192, 255), (210, 168, 255), (86, 212, 221), (240, 246, 252)],
)


def output(command: list[str], folder: Path) -> str:
    """What a command prints in colour; its exit status is that of findings."""
    environ = {**os.environ, "FORCE_COLOR": "1"}
    environ.pop("NO_COLOR", None)
    whole = [sys.executable, "-m", "guardrails", *command]
    done = subprocess.run(whole, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr or f"guardrails ended with {done.returncode}")
    return done.stdout


def svg(prompt: str, printed: str, lines: int = LINES) -> str:
    """A terminal window with a prompt, the first lines of the output, and how it ends."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, legacy_windows=False)
    console.print(Text.assemble(("$ ", "bold green"), prompt, "\n"))
    for line in excerpt(printed.splitlines(), lines):
        console.print(Text.from_ansi(line), soft_wrap=True)
    made = console.export_svg(title="guardrails", theme=THEME, unique_id="guardrails")
    made = re.sub(r"\s*@font-face \{[^}]*\}", "", made).replace("Fira Code, monospace", FONTS)  # a picture fetches nothing
    return re.sub(r"[ \t]+$", "", made, flags=re.MULTILINE)


def excerpt(lines: list[str], most: int) -> list[str]:
    """The whole, or as many whole findings as fit, a line of dots and the summary."""
    if len(lines) <= most:
        return lines
    gaps = [index for index, line in enumerate(lines) if not line.strip()]
    summary = gaps[-1] + 1
    heads = [index for index in gaps if index + 1 < len(lines) and re.match(r"\S", re.sub(r"\x1b\[[0-9;]*m", "", lines[index + 1]))]
    room = most - (len(lines) - summary) - 2
    cut = max((index for index in heads if index <= room), default=room)
    return [*lines[:cut], "", "[...]", "", *lines[summary:]]


def main() -> None:
    """Writes the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", type=Path, default=ROOT / "examples/unsafe-shop")
    parser.add_argument("--output", type=Path, default=ROOT / "docs/demo.svg")
    given = parser.parse_args()
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(svg("guardrails check", output(["check", "."], given.project)), encoding="utf-8")


if __name__ == "__main__":
    main()
