"""The recipes of docs/ci.md: their YAML is what its reader takes, and their shell steps stop what is new on a small repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w+) file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RECIPES = {path: text for _, path, text in FENCE.findall((ROOT / "docs" / "ci.md").read_text())}
GITHUB, GITLAB = ".github/workflows/guardrails.yml", ".gitlab-ci.yml"
SCHEMAS = {GITHUB: "vendor.github-workflows", GITLAB: "vendor.gitlab-ci"}

OLD = "from celery import shared_task\n\n\n@shared_task(time_limit=60)\ndef send(order):\n    print(order.total)\n"
FAULT = "\n\n@shared_task\ndef settle(order_id):\n    open(str(order_id)).read()\n"
SETTINGS = "CELERY_TASK_SERIALIZER = 'json'\n"


def sh(command: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """A step as a runner would run it: bash, stop at the first failure."""
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", command], cwd=cwd, env={**environment(cwd), **more}, capture_output=True, text=True, check=False
    )


def environment(cwd: Path) -> dict[str, str]:
    """This checkout as the installed command; installers do nothing."""
    tools = cwd.parent / "bin"
    tools.mkdir(exist_ok=True)
    runs = f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m guardrails "$@"\n'
    for name, text in {"worker-guardrails": runs, "guardrails": runs, "pip": "#!/bin/sh\n", "pipx": "#!/bin/sh\n"}.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "GITHUB_", "CI"))}
    return {
        **kept,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(cwd.parent),
        "XDG_CACHE_HOME": str(cwd.parent / "cache"),
    }


def git(cwd: Path, *args: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *who, *args], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def put(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def commit(folder: Path, **files: str) -> None:
    put(folder, {name.replace("__", "/") + ".py": text for name, text in files.items()})
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "x")


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone on a branch of its own; its main holds one old fault."""
    origin = tmp_path / "origin"
    put(origin, {"pyproject.toml": "[tool.guardrails]\nfail_on = 'warning'\n"})
    git(origin, "init", "-q", "-b", "main")
    commit(origin, shop__tasks=OLD + FAULT.replace("settle", "old"), shop__settings=SETTINGS)
    git(tmp_path, "clone", "-q", str(origin), "clone")
    git(tmp_path / "clone", "checkout", "-qb", "change")
    return tmp_path / "clone"


def steps(recipe: str) -> list[str]:
    """The shell commands of a recipe, one step after another."""
    document = yaml.safe_load(RECIPES[recipe]) if recipe.endswith(".yml") else None
    if recipe == GITHUB:
        assert document is not None
        return [step["run"] for step in document["jobs"]["guardrails"]["steps"] if "run" in step]
    if recipe == GITLAB:
        assert document is not None
        return ["\n".join(document["guardrails"]["script"])]
    return [RECIPES[recipe]]


def gate(recipe: str, clone: Path) -> subprocess.CompletedProcess[str]:
    """The last step that ran, with the variables of the place."""
    done = None
    for step in steps(recipe):
        done = sh(step, clone, BASE="main", CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main")
        if done.returncode:
            break
    assert done is not None
    return done


@pytest.mark.parametrize("recipe", [GITHUB, GITLAB, "gate.sh"])
def test_a_change_without_a_new_fault_passes(clone, recipe):
    commit(clone, shop__other="def add(a, b):\n    return a + b\n")
    done = gate(recipe, clone)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("recipe", [GITHUB, GITLAB, "gate.sh"])
def test_a_new_fault_is_stopped_and_the_old_one_is_not_told(clone, recipe):
    commit(clone, shop__tasks=OLD + FAULT.replace("settle", "old") + FAULT.replace("settle", "fresh"))
    done = gate(recipe, clone)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "`fresh`" in done.stdout
    assert "`old`" not in done.stdout


def test_the_reports_of_the_recipes_are_written(clone):
    commit(clone, shop__tasks=OLD + FAULT.replace("settle", "old") + FAULT.replace("settle", "fresh"))
    gate(GITHUB, clone)
    gate(GITLAB, clone)
    assert json.loads((clone / "guardrails.sarif").read_text())["version"] == "2.1.0"
    assert json.loads((clone / "guardrails.json").read_text())


def test_a_base_that_was_not_fetched_is_said_in_a_sentence(clone):
    git(clone, "remote", "rename", "origin", "upstream")
    done = gate("gate.sh", clone)
    assert done.returncode == 2
    assert "origin/main is not here" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_baseline_lets_old_faults_be_and_stops_new_ones(clone):
    assert gate("baseline-gate.sh", clone).returncode == 1
    assert sh("guardrails baseline write", clone).returncode == 0
    done = gate("baseline-gate.sh", clone)
    assert done.returncode == 0, done.stdout + done.stderr
    commit(clone, shop__tasks=OLD + FAULT.replace("settle", "old") + FAULT.replace("settle", "fresh"))
    assert gate("baseline-gate.sh", clone).returncode == 1


def test_the_hook_of_git_tells_what_the_index_makes_worse(clone):
    commit(clone, shop__other="x = 1\n")
    put(clone, {"shop/tasks.py": OLD + FAULT.replace("settle", "old") + FAULT.replace("settle", "fresh")})
    hook = RECIPES[".git/hooks/pre-commit"]
    assert sh(hook, clone).returncode == 0  # nothing is staged
    git(clone, "add", "-A")
    done = sh(hook, clone)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "`fresh`" in done.stdout


def test_the_hook_of_git_sees_what_commit_all_is_about_to_stage(clone):
    worse = OLD + FAULT.replace("settle", "old") + FAULT.replace("settle", "fresh")
    hook = clone / ".git" / "hooks" / "pre-commit"
    hook.write_text(RECIPES[".git/hooks/pre-commit"])
    hook.chmod(0o755)
    put(clone, {"shop/tasks.py": worse})
    done = sh("git -c user.name=a -c user.email=a@example.org commit -qam x", clone)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "`fresh`" in done.stdout + done.stderr


def test_the_commands_of_adopt_run_as_they_stand(clone):
    page = (ROOT / "docs" / "adopt.md").read_text()
    for text in re.findall(r"^```bash\n(.*?)^```$", page, re.MULTILINE | re.DOTALL):
        for line in text.splitlines():
            done = sh(line.replace("git commit", "git -c user.name=a -c user.email=a@example.org commit"), clone)
            assert done.returncode in (0, 1), f"{line}: {done.stderr}"
            assert "Traceback" not in done.stderr, line
    assert sh("guardrails check", clone).returncode == 0


def test_the_page_names_hooks_that_there_are():
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    named = set(re.findall(r"^\| `([\w-]+)` \|", (ROOT / "docs" / "ci.md").read_text(), re.MULTILINE))
    assert named == hooks
    used = yaml.safe_load(RECIPES[".pre-commit-config.yaml"])["repos"][0]["hooks"]
    assert {hook["id"] for hook in used} <= hooks


@pytest.mark.parametrize("recipe", [GITHUB, GITLAB])
def test_a_recipe_is_valid_where_it_is_read(tmp_path, recipe):
    document: Any = yaml.safe_load(RECIPES[recipe])
    assert isinstance(document, dict)
    checker = shutil.which("check-jsonschema")
    if checker is None:
        pytest.skip("check-jsonschema is not installed: the recipe was parsed, and not compared with its schema")
    target = tmp_path / Path(recipe).name
    target.write_text(RECIPES[recipe])
    done = subprocess.run([checker, "--builtin-schema", SCHEMAS[recipe], str(target)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
