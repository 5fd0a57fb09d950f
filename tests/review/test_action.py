"""The Action: its steps under bash with a real event against the fake, and what validators say of it, our workflows and the recipes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from story import BASE, Story, job

ROOT = Path(__file__).resolve().parents[2]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
FENCE = re.compile(r"^```yaml file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RECIPES = dict(FENCE.findall((ROOT / "docs" / "review.md").read_text()))
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
PYTHON = f"""#!{sys.executable}
import os, sys
words = sys.argv[1:]
if words[:2] == ["-I", "-c"]:
    sys.exit(0)
if words[:3] == ["-I", "-m", "venv"]:
    os.makedirs("worker-guardrails/bin")
    os.link(__file__, "worker-guardrails/bin/python")
elif words[:3] == ["-I", "-m", "pip"]:
    open("installed", "w").write(words[-1])
else:
    assert words[:3] == ["-I", "-m", "guardrails"], words
    os.environ["PYTHONPATH"] = {str(ROOT)!r}
    os.execv({sys.executable!r}, [{sys.executable!r}, *words[1:]])
"""
JOBS = "shop/jobs.py"
PAY = {JOBS: str(BASE[JOBS]) + job("pay")}
Begin = Callable[..., Story]


def run(story: Story, event: str = "pull_request", **inputs: str) -> list[subprocess.CompletedProcess[str]]:
    """The steps in order, as a runner runs them: installing is a stand-in that keeps what it was asked for."""
    tools = story.folder / "tools"
    tools.mkdir(parents=True, exist_ok=True)
    (tools / "python3").write_text(PYTHON)
    (tools / "python3").chmod(0o755)
    shutil.rmtree(story.folder / "worker-guardrails", ignore_errors=True)
    given = {name: str(one.get("default", "")) for name, one in ACTION["inputs"].items()} | {"token": story.host.token} | inputs
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "GITHUB_", "GH_", "CI", "PYTHON"))}
    base = kept | story.host.environ(story.folder, event) | {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}"}
    done = []
    for step in ACTION["runs"]["steps"]:
        if step.get("if", "true") in ("true", f"inputs.mode == '{given['mode']}'"):
            variables = base | {"GITHUB_ACTION_PATH": str(ROOT)} | {name: _filled(value, given) for name, value in step["env"].items()}
            command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]]
            done.append(subprocess.run(command, cwd=story.repo.path, env=variables, capture_output=True, text=True, check=False))
            if done[-1].returncode:
                break
    return done


def _filled(value: str, given: Mapping[str, str]) -> str:
    """`${{ .. }}` as GitHub fills it in."""
    filled = re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: given[found[1]], value)
    assert "${{" not in filled, "what else is filled in; `github.action_path` is the host's also where the job runs in a container"
    return filled


def outputs(story: Story) -> dict[str, str]:
    """What the last run handed to the steps behind it."""
    lines = (story.folder / "output").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_review_comments_and_fails(begin: Begin) -> None:
    story = begin(PAY)
    install, review = run(story, mode="review", sarif="found.sarif")
    assert install.returncode == 0, install.stderr
    assert (story.folder / "installed").read_text() == f"{ROOT}[review]"
    assert review.returncode == 1, review.stderr
    assert len(story.inline) == 1
    made = outputs(story)
    assert {name: made[name] for name in ("findings", "errors", "infos", "comments")} == {
        "findings": "1", "errors": "0", "infos": "1", "comments": "1",
    }  # fmt: skip
    assert made["review-url"].startswith("https://github.com/octo-org/shop/pull/1#pullrequestreview-")
    assert Path(made["sarif"]) == story.repo.path / "found.sarif"
    assert '"untimed-call"' in (story.repo.path / "found.sarif").read_text()
    assert "untimed-call" in (story.folder / "summary.md").read_text()
    assert story.host.token not in review.stdout + review.stderr
    assert set(made) == set(ACTION["outputs"])


def test_review_of_a_fork_annotates(begin: Begin) -> None:
    story = begin(PAY, fork="mona/shop")
    story.host.read_only()
    _, review = run(story, mode="review", **{"upload-sarif": "true"})
    assert review.returncode == 1
    assert "::notice file=shop/jobs.py,line=" in review.stdout
    assert "title=untimed-call" in review.stdout
    assert "untimed-call" in (story.folder / "summary.md").read_text()
    assert "read-only token" in review.stderr
    assert (story.inline, story.host.sarifs) == ([], [])


def test_second_workflow_comments_for_a_fork(begin: Begin) -> None:
    """Its clone is that of the base; here it holds the fork's objects, too."""
    story = begin(PAY, fork="mona/shop", head_ref="patch-1")
    story.repo.git("checkout", "--quiet", "main")
    _, review = run(story, "workflow_run", mode="review", **{"fail-on": "never"})
    assert review.returncode == 0, review.stderr
    assert len(story.inline) == 1
    assert next(one.path for one in story.host.calls).endswith("/pulls")


def test_options_reach_the_command(begin: Begin) -> None:
    story = begin(PAY)
    _, review = run(story, mode="review", comments="0", closing="delete", resolve="never", **{"dry-run": "true", "fail-on": "error"})
    assert review.returncode == 0, review.stderr
    assert "--- new summary" in review.stdout
    assert story.host.writes == []


def test_sarif_is_uploaded_where_that_is_asked_for(begin: Begin) -> None:
    story = begin(PAY, rights={"contents": "read", "pull_requests": "write", "security_events": "write"})
    run(story, mode="review", **{"upload-sarif": "true"})
    (uploaded,) = story.host.sarifs
    assert (uploaded["commit"], uploaded["ref"]) == (story.host.pull().head, "refs/pull/1/head")
    assert [one["ruleId"] for one in uploaded["report"]["runs"][0]["results"]] == ["untimed-call"]


def test_unknown_mode_is_said(begin: Begin) -> None:
    (install,) = run(begin(PAY), mode="both")
    assert (install.returncode, "::error::worker-guardrails: mode" in install.stdout) == (2, True)


def test_check_needs_no_token(begin: Begin) -> None:
    story = begin(PAY)
    _, check = run(story, token="")
    assert check.returncode == 1, check.stderr
    assert "::notice file=shop/jobs.py" in check.stdout
    assert story.host.calls == []


def test_inputs_are_described_and_go_through_the_environment() -> None:
    assert all(one["description"] for one in (*ACTION["inputs"].values(), *ACTION["outputs"].values()))
    assert ACTION["inputs"]["token"]["default"] == "${{ github.token }}"
    assert not [step["name"] for step in ACTION["runs"]["steps"] if "${{" in step["run"]]
    used = re.findall(r"inputs\.([\w-]+)", " ".join(str(value) for step in ACTION["runs"]["steps"] for value in step["env"].values()))
    assert set(used) == set(ACTION["inputs"])


def test_the_page_lists_every_input_and_output() -> None:
    page = (ROOT / "docs" / "review.md").read_text()
    assert page.partition("<!-- inputs:begin -->\n")[2].partition("<!-- inputs:end -->")[0] == table()


def table() -> str:
    """Inputs and outputs as the page has them."""
    rows = ["| input | default | what |", "|---|---|---|"]
    rows += [f"| `{name}` | {_default(str(one['default']))} | {one['description']} |" for name, one in ACTION["inputs"].items()]
    rows += ["", "| output | what |", "|---|---|"]
    rows += [f"| `{name}` | {one['description']} |" for name, one in ACTION["outputs"].items()]
    return "\n".join(rows) + "\n"


def _default(text: str) -> str:
    return f"`{text}`" if text else ""


@pytest.fixture(scope="module")
def workflows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our workflows and the recipes of the page, as a repository has them; the Action's own name filled in."""
    folder = tmp_path_factory.mktemp("recipes") / ".github" / "workflows"
    folder.mkdir(parents=True)
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        (folder / f"ours-{path.name}").write_text(path.read_text())
    for name, text in RECIPES.items():
        (folder / Path(name).name).write_text(text.replace("OWNER/REPOSITORY@COMMIT", f"octo-org/shop@{'a' * 40} # v1.0.0"))
    return folder


def tool(name: str, *args: str, cwd: Path) -> None:
    """A validator, which has nothing to say."""
    found = shutil.which(name, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert found, f"{name} is not installed: it belongs to the extra `test`"
    done = subprocess.run([found, *args], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_there_are_recipes() -> None:
    assert len(RECIPES) == 4


def test_zizmor_has_nothing_to_say(workflows: Path) -> None:
    tool("zizmor", "--offline", "--no-progress", "--quiet", str(workflows.parents[1]), str(ROOT / "action.yml"), cwd=workflows)


def test_actionlint_has_nothing_to_say(workflows: Path) -> None:
    tool("actionlint", "-shellcheck=", "-pyflakes=", *sorted(map(str, workflows.glob("*.yml"))), cwd=workflows)


def test_schemas_fit(workflows: Path) -> None:
    tool("check-jsonschema", "--builtin-schema", "vendor.github-actions", str(ROOT / "action.yml"), cwd=workflows)
    tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *sorted(map(str, workflows.glob("*.yml"))), cwd=workflows)


def test_other_actions_are_pinned_by_commit(workflows: Path) -> None:
    used = [use for path in workflows.glob("*.yml") for use in re.findall(r"uses: (\S+)", path.read_text())]
    assert [use for use in used if use != "./" and not PINNED.fullmatch(use)] == []
