"""`guardrails hook` as clients call it: a process, an event on standard input, an answer or nothing, and never a bad exit status."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
HEAD = "from celery import Celery\n\napp = Celery()\n\n\n"
OLD = HEAD + "@app.task\ndef settle(order_id):\n    charge(order_id)\n    open(str(order_id)).read()\n"
NEW = OLD + "\n\n@app.task\ndef ship(order_id):\n    book(order_id)\n    open(str(order_id)).read()\n"
PATIENCE = 0.5  # seconds of processor time, in a project of 4,000 files, on the machine that was measured
WORK, WORK_SECONDS = "sum(number * number for number in range(3_000_000))", 0.20  # ... and what this took there
HEAVY = {"click", "libcst", "jinja2", "rich", "markdown_it", "pygments", "yaml", "guardrails.cli"}


class Shop:
    """A repository in which an agent works."""

    def __init__(self, root: Path, cache: Path) -> None:
        self.root = root
        self.environ = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(cache)}

    def git(self, *args: str) -> None:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", *args]
        subprocess.run(command, cwd=self.root, check=True, capture_output=True)

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def hook(self, client: str, event: object, *, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        sent = event if isinstance(event, str) else json.dumps(event)
        command = [sys.executable, "-m", "guardrails", "hook", "--client", client]
        where = cwd or self.root
        return subprocess.run(command, cwd=where, env=self.environ, input=sent, capture_output=True, text=True, check=False, timeout=120)

    def edited(self, path: str, tool: str = "Edit") -> dict[str, object]:
        """Claude Code's event after an edit."""
        return {
            "cwd": str(self.root), "hook_event_name": "PostToolUse", "tool_name": tool, "tool_input": {"file_path": str(self.root / path)},
        }  # fmt: skip

    def told(self, path: str) -> str:
        """What Claude Code would hand on after an edit, "" for nothing."""
        done = self.hook("claude", self.edited(path))
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        return json.loads(done.stdout)["hookSpecificOutput"]["additionalContext"] if done.stdout else ""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    made = Shop(tmp_path / "repo", tmp_path / "cache")
    made.write("pyproject.toml", "[tool.guardrails]\n")
    made.write("shop/tasks.py", OLD)
    made.git("init", "-q")
    made.git("add", "-A")
    made.git("commit", "-qm", "x")
    return made


def test_an_edit_that_adds_nothing_bad_is_answered_by_nothing(shop: Shop) -> None:
    shop.write("shop/tasks.py", OLD + "\nLIMIT = 3\n")
    assert shop.told("shop/tasks.py") == ""


def test_only_what_the_last_commit_has_not_is_told(shop: Shop) -> None:
    shop.write("shop/tasks.py", NEW)
    told = shop.told("shop/tasks.py")
    assert "shop/tasks.py:12 untimed-job `ship`" in told
    assert "settle" not in told
    assert "guardrails explain untimed-job" in told
    assert "guardrails check --diff HEAD shop/tasks.py --format agent" in told


def test_everything_in_a_new_file_is_new(shop: Shop) -> None:
    shop.write("shop/more.py", NEW)
    assert "shop/more.py:6 untimed-job `settle`" in shop.told("shop/more.py")
    assert "(same cause: shop/more.py:12)" in shop.told("shop/more.py")


def test_without_a_repository_everything_is_new(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "plain", tmp_path / "cache")
    shop.write("pyproject.toml", "[project]\nname = 'shop'\n")
    shop.write("shop/tasks.py", OLD)
    assert "`settle`" in shop.told("shop/tasks.py")


def test_what_a_baseline_holds_is_not_new(shop: Shop) -> None:
    shop.write("shop/tasks.py", NEW)
    command = [sys.executable, "-m", "guardrails", "baseline", "write"]
    subprocess.run(command, cwd=shop.root, env=shop.environ, check=True, capture_output=True)
    assert shop.told("shop/tasks.py") == ""


def test_settings_in_other_files_are_seen(shop: Shop) -> None:
    shop.write("shop/settings.py", "task_time_limit = 60\n")
    shop.write("shop/tasks.py", NEW.replace("Celery()", "Celery()\napp.config_from_object('shop.settings')"))
    assert "untimed-job" not in shop.told("shop/tasks.py")


def test_a_file_that_cannot_be_read_whole_is_told(shop: Shop) -> None:
    shop.write("shop/tasks.py", OLD + "\n\ndef broken(:\n")
    assert "unreadable-file" in shop.told("shop/tasks.py")


def test_the_answer_is_capped_below_what_clients_hand_on(shop: Shop) -> None:
    jobs = "".join(f"@app.task\ndef job_{'x' * 80}{n}(order_id):\n    requests.get(str(order_id))\n\n\n" for n in range(300))
    shop.write("shop/tasks.py", f"import requests\n{HEAD}{jobs}")
    done = shop.hook("claude", shop.edited("shop/tasks.py"))
    assert 1_000 < len(done.stdout.encode()) < 10_000
    assert "not listed" in done.stdout


def test_a_stale_instruction_is_told_where_the_agent_writes_it(shop: Shop) -> None:
    shop.write("AGENTS.md", "Jobs stand in `shop/jobs.py`.\n")
    assert "AGENTS.md:1 stale-instructions" in shop.told("AGENTS.md")


def test_codex_has_several_files_in_one_patch(shop: Shop) -> None:
    shop.write("shop/tasks.py", NEW)
    shop.write("shop/more.py", OLD)
    patch = "*** Begin Patch\n*** Update File: shop/tasks.py\n*** Add File: shop/more.py\n*** Delete File: shop/gone.py\n*** End Patch"
    event = {"cwd": str(shop.root), "hook_event_name": "PostToolUse", "tool_name": "apply_patch", "tool_input": {"command": patch}}
    told = json.loads(shop.hook("codex", event).stdout)["hookSpecificOutput"]["additionalContext"]
    assert "shop/more.py:6 untimed-job `settle`" in told
    assert "(same cause: shop/tasks.py:12)" in told


def test_copilot_and_gemini_are_answered_in_their_forms(shop: Shop) -> None:
    shop.write("shop/tasks.py", NEW)
    cli = {"timestamp": 1, "cwd": str(shop.root), "toolName": "edit", "toolArgs": '{"path": "shop/tasks.py"}'}
    assert "`ship`" in json.loads(shop.hook("copilot", cli).stdout)["additionalContext"]
    gemini = {
        "cwd": str(shop.root),
        "hook_event_name": "AfterTool",
        "tool_name": "write_file",
        "tool_input": {"file_path": "shop/tasks.py"},
    }
    said = json.loads(shop.hook("gemini", gemini).stdout)["hookSpecificOutput"]
    assert said["hookEventName"] == "AfterTool"
    assert "`ship`" in said["additionalContext"]


def test_cursor_is_told_once_at_the_end_of_the_turn(shop: Shop) -> None:
    shop.write("shop/tasks.py", NEW)
    base = {"conversation_id": "c1", "workspace_roots": [str(shop.root)]}
    for _ in range(2):
        edit = {**base, "hook_event_name": "afterFileEdit", "file_path": str(shop.root / "shop/tasks.py"), "edits": []}
        assert shop.hook("cursor", edit).stdout == ""
    stop = {**base, "hook_event_name": "stop", "status": "completed", "loop_count": 0}
    other = {**stop, "conversation_id": "c2"}
    assert shop.hook("cursor", other).stdout == ""
    said = json.loads(shop.hook("cursor", stop).stdout)["followup_message"]
    assert said.count("untimed-job `ship`") == 1
    assert shop.hook("cursor", stop).stdout == ""


@pytest.mark.parametrize("name", ["../outside.py", "shop/link.py"])
def test_a_path_outside_of_the_repository_is_refused(shop: Shop, name: str) -> None:
    (shop.root.parent / "outside.py").write_text(NEW)
    (shop.root / "shop" / "link.py").symlink_to("../../outside.py")
    done = shop.hook("claude", shop.edited(name))
    assert (done.returncode, done.stdout) == (0, "")
    assert "outside of" in done.stderr


def test_files_that_are_gone_or_not_ours_are_passed_over(shop: Shop) -> None:
    shop.write("notes.txt", NEW)
    shop.write("README.md", "See `shop/jobs.py`.\n")
    assert [shop.told(name) for name in ("gone.py", "notes.txt", "README.md", "shop")] == [""] * 4


@pytest.mark.parametrize(
    ("sent", "why"),
    [("", "no JSON"), ("{", "no JSON"), ("[]", "no JSON object")],
)
def test_a_broken_event_is_a_note_and_no_obstacle(shop: Shop, sent: str, why: str) -> None:
    done = shop.hook("claude", sent)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("guardrails: hook: ")
    assert why in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [("pyproject.toml", "[tool.guardrails]\nfail_on = 3\n"), ("guardrails-baseline.json", "{")],
)
def test_a_mistake_in_the_configuration_is_a_note_and_no_obstacle(shop: Shop, path: str, text: str) -> None:
    shop.write(path, text)
    shop.write("shop/tasks.py", NEW)
    done = shop.hook("claude", shop.edited("shop/tasks.py"))
    assert (done.returncode, done.stdout) == (0, "")
    assert "the edit was not checked" in done.stderr


def test_a_fault_of_ours_is_a_note_and_no_obstacle(shop: Shop) -> None:
    code = "from guardrails import lint\nlint.lint_edited = None\nfrom guardrails.__main__ import main\nmain()\n"
    command = [sys.executable, "-c", code, "hook", "--client", "claude"]
    sent = json.dumps(shop.edited("shop/tasks.py"))
    done = subprocess.run(command, cwd=shop.root, env=shop.environ, input=sent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert "TypeError" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("words", [[], ["--client"], ["--client", "emacs"], ["--client", "claude", "--more"], ["--client=claude", "a.py"]])
def test_a_wrong_option_does_not_end_with_2_which_agents_read_as_feedback(shop: Shop, words: list[str]) -> None:
    command = [sys.executable, "-m", "guardrails", "hook", *words]
    done = subprocess.run(command, cwd=shop.root, env=shop.environ, input="", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("guardrails: ")


def test_nobody_reads_the_answer(shop: Shop) -> None:
    shop.write("shop/tasks.py", NEW)
    command = [sys.executable, "-m", "guardrails", "hook", "--client", "claude"]
    read, write = os.pipe()
    os.close(read)
    sent = json.dumps(shop.edited("shop/tasks.py"))
    done = subprocess.run(
        command, cwd=shop.root, env=shop.environ, input=sent, stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_an_edit_loads_nothing_of_the_command_line(shop: Shop) -> None:
    assert shop.told("shop/tasks.py") == ""  # from now on what is slow to make is kept
    code = "import json, sys\nfrom guardrails.instruct import edited\nedited.main('claude')\n"
    code += "print(json.dumps(list(sys.modules)), file=sys.stderr)\n"
    sent = json.dumps(shop.edited("shop/tasks.py"))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=shop.root, env=shop.environ, input=sent, capture_output=True, text=True, check=True
    )
    assert HEAVY.intersection(json.loads(done.stderr)) == set()


@pytest.mark.slow
def test_an_edit_in_a_large_project_is_quick(shop: Shop) -> None:
    for number in range(4_000):
        name = f"package{number % 40}/part{number % 7}/module{number}.py"
        shop.write(name, f'"""Module {number}."""\n\n\ndef value(one):\n    return one * {number}\n')
    shop.git("add", "-A")
    shop.git("commit", "-qm", "y")
    shop.write("shop/tasks.py", NEW)
    shop.environ |= {"PYTHONPYCACHEPREFIX": str(shop.root.parent / "compiled"), "PYTHONDONTWRITEBYTECODE": ""}
    assert "`ship`" in shop.told("shop/tasks.py")
    spent = min(_seconds(lambda: shop.told("shop/tasks.py")) for _ in range(3))
    slowness = _seconds(lambda: subprocess.run([sys.executable, "-I", "-c", WORK], check=True)) / WORK_SECONDS
    assert spent <= PATIENCE * max(1.0, slowness), f"{spent:.2f} s, on a machine {slowness:.1f} times as slow as the one that was measured"


def _seconds(run: object) -> float:
    """Processor time of a call's child processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run()  # type: ignore[operator]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
