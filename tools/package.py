"""Build wheel and sdist, install the wheel in a fresh environment and run it there, away from the checkout."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(*command: str | Path, cwd: Path, status: int = 0) -> None:
    """Run a command quietly; on another exit status than the one expected, show what it said and stop."""
    done = subprocess.run([str(part) for part in command], cwd=cwd, capture_output=True, text=True)
    if done.returncode != status:
        sys.exit(f"{done.stdout}{done.stderr}\n{command[0]} exited with {done.returncode}, expected {status}")


def main() -> None:
    """Build, install, try."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        print("Building sdist, and the wheel from it")
        run(sys.executable, "-m", "build", "--outdir", work / "dist", ROOT, cwd=work)
        print("Installing the wheel in a fresh environment")
        venv.create(work / "fresh", with_pip=True)
        python = work / "fresh" / "bin" / "python"
        wheel = next((work / "dist").glob("*.whl"))
        run(python, "-I", "-m", "pip", "install", "-qq", "--disable-pip-version-check", wheel, cwd=work)
        print("Running the installed commands away from the checkout")
        for script in ("guardrails", "worker-guardrails"):
            run(work / "fresh" / "bin" / script, "rules", cwd=work)
        run(work / "fresh" / "bin" / "worker-guardrails", "check", ROOT / "examples" / "unsafe-shop", cwd=work, status=1)
        run(work / "fresh" / "bin" / "worker-guardrails", "check", ROOT / "examples" / "safe-shop", cwd=work)
        print("The wheel works.")


if __name__ == "__main__":
    main()
