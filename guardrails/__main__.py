"""The way in: `guardrails`, `worker-guardrails` and `python -m guardrails`.

The unrelated package `guardrails-ai` installs the same import name, over ours or under it. This module it does not have.
"""

from __future__ import annotations

import gc
import sys
from pathlib import Path

FOREIGN = ("hub", "guard.py", "validator_base.py")


def foreign(package: Path) -> str:
    """The sentence to end with when another distribution's files lie in our package, "" when all is well."""
    found = [name for name in FOREIGN if (package / name).exists()]
    if not found:
        return ""
    return (
        f"guardrails: the package guardrails-ai is installed over worker-guardrails ({package / found[0]} is not ours); "
        "install worker-guardrails in an environment of its own, for example with pipx."
    )


def main() -> None:
    """Runs the command line and exits."""
    mixed = foreign(Path(__file__).resolve().parent)
    if mixed:
        sys.exit(_told(mixed))
    gc.set_threshold(1_000_000, 50, 50)  # a short life that makes few cycles: looking for them often costs a tenth
    try:
        if sys.argv[1:3] == ["hook", "--client"] and len(sys.argv) == 4:  # after every edit of an agent: each import counts
            from guardrails.instruct import edited, hooks

            if sys.argv[3] in hooks.CLIENTS:
                sys.exit(edited.main(sys.argv[3]))
        from guardrails.cli.program import program
    except KeyboardInterrupt:
        sys.exit(130)
    program(prog_name="guardrails")


def _told(sentence: str) -> int:
    sys.stderr.write(sentence + "\n")
    return 2


if __name__ == "__main__":
    main()
