"""`--diff`, `--staged`, `--baseline` and `guardrails baseline` on real repositories."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from click.testing import Result as Run

from guardrails import __main__ as _  # noqa: F401
from guardrails import baseline, git
from guardrails.cli.program import program

OLD = "from celery import Celery\n\napp = Celery()\n\n\n@app.task\ndef settle(pk):\n    charge(pk)\n"
NEW = OLD + "\n\n@app.task\ndef ship(pk):\n    book(pk)\n"


class Shop:
    """A repository with a commit, to run the program in."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *args: str) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", *args]
        return subprocess.run(command, cwd=self.root, check=True, capture_output=True, text=True).stdout.strip()

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, newline="")
        return file

    def commit(self, message: str = "more") -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def run(self, *args: str) -> Run:
        return CliRunner().invoke(program, [*args])

    def subjects(self, *args: str) -> list[str]:
        run = self.run("check", "--format", "json", "--no-cache", "--select", "untimed-job", "--fail-on", "never", *args)
        assert run.exit_code == 0, run.output
        return [one["message"].split("`")[1] for one in json.loads(run.stdout)["findings"]]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    root = tmp_path / "shop"
    root.mkdir()
    monkeypatch.chdir(root)
    made = Shop(root)
    made.git("init", "-q", "-b", "main")
    made.write("shop/tasks.py", OLD)
    made.commit("first")
    return made


def test_diff_tells_only_what_is_new(shop: Shop) -> None:
    shop.write("shop/tasks.py", NEW)
    assert shop.subjects() == ["settle", "ship"]
    assert shop.subjects("--diff", "HEAD") == ["ship"]


def test_the_next_command_compares_with_the_same(shop: Shop) -> None:
    shop.write("shop/tasks.py", NEW)
    assert "then run guardrails check --diff HEAD --format agent again" in shop.run("check", "--diff", "HEAD", "--format", "agent").stdout
    shop.git("add", "-A")
    assert "then run guardrails check --staged --format agent again" in shop.run("check", "--staged", "--format", "agent").stdout


def test_diff_counts_untracked_files_and_committed_ones_alike(shop: Shop) -> None:
    shop.git("checkout", "-q", "-b", "feature")
    shop.write("shop/more.py", NEW.replace("settle", "send"))
    assert shop.subjects("--diff", "main") == ["send", "ship"]
    shop.commit()
    assert shop.subjects("--diff", "main") == ["send", "ship"]
    assert shop.subjects("--diff", "main...feature") == ["send", "ship"]
    assert shop.subjects("--diff", "feature..main") == []


def test_what_the_base_gained_meanwhile_is_not_the_changes_doing(shop: Shop) -> None:
    shop.git("checkout", "-q", "-b", "feature")
    shop.write("shop/tasks.py", NEW)
    shop.commit()
    shop.git("checkout", "-q", "main")
    shop.write("shop/other.py", OLD.replace("settle", "other"))
    shop.commit()
    assert shop.subjects("--diff", "main...feature") == ["ship"]


def test_a_setting_that_is_deleted_makes_findings_in_files_that_nobody_touched(shop: Shop) -> None:
    shop.write("shop/tasks.py", OLD.replace("app = Celery()", "app = Celery()\napp.conf.task_time_limit = 60"))
    shop.commit()
    assert shop.subjects() == []
    shop.write("shop/tasks.py", OLD)
    assert shop.subjects("--diff", "HEAD") == ["settle"]


def test_a_renamed_file_keeps_its_old_debt(shop: Shop) -> None:
    shop.git("mv", "shop/tasks.py", "shop/jobs.py")
    assert shop.subjects("--diff", "HEAD") == []
    shop.commit()
    assert shop.subjects("--diff", "HEAD~1") == []


def test_a_folder_below_the_repository_is_compared_by_itself(shop: Shop) -> None:
    shop.write("service/pyproject.toml", "[tool.guardrails]\n")
    shop.write("service/tasks.py", OLD)
    shop.commit()
    shop.write("service/tasks.py", NEW)
    assert shop.subjects("--diff", "HEAD", "service") == ["ship"]


def test_names_and_bytes_that_are_odd_do_not_disturb(shop: Shop) -> None:
    shop.write("shop/a\nb é.py", OLD.replace("settle", "odd"))
    shop.write("shop/-x.py", "x = 1\n")
    (shop.root / "shop" / "latin.py").write_bytes("# é\nx = 1\n".encode("latin-1"))
    shop.commit()
    shop.write("shop/a\nb é.py", NEW.replace("settle", "odd"))
    assert shop.subjects("--diff", "HEAD") == ["ship"]


def test_links_and_submodules_of_the_base_are_passed_over(shop: Shop) -> None:
    (shop.root / "shop" / "link.py").symlink_to("tasks.py")
    shop.git("update-index", "--add", "--cacheinfo", f"160000,{shop.git('rev-parse', 'HEAD')},vendor")
    shop.git("add", "shop/link.py")
    shop.git("commit", "-q", "-m", "odd")
    shop.write("shop/tasks.py", NEW)
    assert shop.subjects("--diff", "HEAD") == ["ship"]


def test_a_base_that_is_not_there_is_one_sentence(shop: Shop) -> None:
    run = shop.run("check", "--diff", "origin/main")
    assert run.exit_code == 2
    assert run.stderr.count("\n") == 1
    assert "git fetch origin main" in run.stderr


@pytest.mark.parametrize("name", ["-x", "--output=/tmp/x", "", "HEAD:shop", "@{u}"])
def test_a_base_that_is_no_name_is_refused(shop: Shop, name: str) -> None:
    run = shop.run("check", f"--diff={name}", "--no-cache")
    assert run.exit_code == (1 if not name else 2)
    assert "Traceback" not in run.output


def test_a_shallow_clone_says_what_to_do(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        shop.write("shop/tasks.py", OLD + f"# {number}\n")
        shop.commit()
    shop.git("checkout", "-q", "-b", "feature", "HEAD~2")
    shop.write("shop/x.py", "x = 1\n")
    shop.commit()
    clone = tmp_path / "clone"
    shop.git("clone", "-q", "--depth", "1", "--no-single-branch", f"file://{shop.root}", str(clone))
    monkeypatch.chdir(clone)
    run = shop.run("check", "--diff", "origin/main")
    assert run.exit_code == 2
    assert "fetch-depth: 0" in run.stderr


def test_outside_a_repository_there_is_nothing_to_compare_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    run = CliRunner().invoke(program, ["check", "--diff", "main"])
    assert run.exit_code == 2
    assert "not in a git repository" in run.stderr


def test_staged_reads_the_index_and_not_the_disk(shop: Shop) -> None:
    shop.write("shop/tasks.py", NEW)
    shop.git("add", "shop/tasks.py")
    shop.write("shop/tasks.py", "this is not staged (\n")
    shop.write("shop/none.py", OLD)
    assert shop.subjects("--staged") == ["settle", "ship"]
    assert shop.subjects("--staged", "--diff", "HEAD") == ["ship"]
    assert (shop.root / "shop/tasks.py").read_text() == "this is not staged (\n"


def test_staged_sees_settings_in_files_that_did_not_change(shop: Shop) -> None:
    shop.write("shop/celery.py", "from celery import Celery\n\napp = Celery()\napp.conf.task_time_limit = 60\n")
    shop.commit()
    shop.write("shop/late.py", "from shop.celery import app\n\n\n@app.task\ndef late(pk):\n    work(pk)\n")
    shop.git("add", "-A")
    assert shop.subjects("--staged") == []


def test_nothing_staged_is_no_error(shop: Shop) -> None:
    run = shop.run("check", "--staged")
    assert run.exit_code == 0
    assert "nothing is staged" in run.stderr


def test_a_report_that_was_asked_for_is_written_though_nothing_is_staged(shop: Shop) -> None:
    for form in ("json", "html", "junit", "sarif"):
        run = shop.run("check", "--staged", "--output", f"{form}:report.{form}")
        assert (run.exit_code, "nothing is staged" in run.stderr) == (0, True)
    assert json.loads((shop.root / "report.json").read_text())["findings"] == []
    assert "</html>" in (shop.root / "report.html").read_text()


def test_the_first_commit_can_be_staged(tmp_path: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = Shop(tmp_path / "fresh")
    fresh.root.mkdir()
    monkeypatch.chdir(fresh.root)
    fresh.git("init", "-q")
    fresh.write("tasks.py", OLD)
    fresh.git("add", "-A")
    assert fresh.subjects("--staged") == ["settle"]


def test_the_first_commit_is_compared_with_nothing(tmp_path: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "young"
    root.mkdir()
    young = Shop(root)
    young.git("init", "-q", "-b", "main")
    monkeypatch.chdir(root)
    young.write("tasks.py", NEW)
    young.git("add", "-A")
    assert young.subjects("--staged", "--diff", "HEAD") == ["settle", "ship"]
    assert young.subjects("--diff", "HEAD") == ["settle", "ship"]
    assert "there is no commit 'main'" in young.run("check", "--diff", "main").stderr


def test_a_baseline_is_written_used_pruned_and_shown(shop: Shop) -> None:
    assert shop.run("baseline", "write", "--no-cache").exit_code == 0
    held = json.loads((shop.root / baseline.FILE).read_text())
    assert [one["scope"] for one in held["findings"]] == ["settle"]
    assert shop.subjects() == []
    assert shop.subjects("--no-baseline") == ["settle"]
    shop.write("shop/tasks.py", NEW)
    assert shop.subjects() == ["ship"]
    shop.write("shop/tasks.py", NEW.replace("def settle", "def settled"))
    assert shop.subjects() == ["settled", "ship"]
    assert "settle" in shop.run("baseline", "show").stdout
    run = shop.run("baseline", "prune", "--no-cache")
    assert "1 finding taken out" in run.stderr
    assert json.loads((shop.root / baseline.FILE).read_text())["findings"] == []


def test_writing_some_paths_leaves_the_entries_of_others(shop: Shop) -> None:
    shop.write("other/tasks.py", OLD.replace("settle", "other"))
    shop.run("baseline", "write", "--no-cache")
    shop.write("shop/tasks.py", "x = 1\n")
    shop.write("other/tasks.py", "x = 1\n")
    shop.run("baseline", "write", "shop", "--no-cache")
    held = json.loads((shop.root / baseline.FILE).read_text())
    assert [one["path"] for one in held["findings"]] == ["other/tasks.py"]


def test_a_broken_baseline_is_kept_until_it_is_forced(shop: Shop) -> None:
    broken = shop.write(baseline.FILE, "{\n<<<<<<< HEAD\n")
    for args in (("check",), ("baseline", "write"), ("baseline", "prune"), ("baseline", "show")):
        run = shop.run(*args)
        assert (run.exit_code, run.stderr.count("\n")) == (2, 1)
        assert f"{baseline.FILE}:2" in run.stderr
    assert broken.read_text() == "{\n<<<<<<< HEAD\n"
    assert shop.run("baseline", "write", "--force", "--no-cache").exit_code == 0
    assert shop.subjects() == []


def test_a_baseline_is_never_written_through_a_link(shop: Shop, tmp_path: Path) -> None:
    (shop.root / baseline.FILE).symlink_to(tmp_path / "profile")
    for args in ((), ("--force",)):
        run = shop.run("baseline", "write", *args)
        assert (run.exit_code, "is a link" in run.stderr, run.stderr.count("\n")) == (2, True, 1)
    assert not (tmp_path / "profile").exists()


def test_a_named_baseline_that_is_missing_is_an_error(shop: Shop) -> None:
    run = shop.run("check", "--baseline", "none.json")
    assert run.exit_code == 2
    assert run.stderr == "guardrails: none.json: there is no such baseline; write one: guardrails baseline write --file none.json\n"
    assert shop.run("baseline", "show").stderr.endswith("there is no such baseline; write one: guardrails baseline write\n")


@pytest.mark.parametrize(
    "args",
    [("--baseline", "x.json", "--no-baseline"), ("--staged", "--diff", "a...b"), ("--staged", "--stdin-filename", "shop/tasks.py")],
)
def test_options_that_contradict_each_other_are_refused(shop: Shop, args: tuple[str, ...]) -> None:
    run = CliRunner().invoke(program, ["check", *args], input="x = 1\n")
    assert run.exit_code == 2
    assert run.stderr.count("\n") == 1


def test_nothing_that_the_repository_configures_is_run(shop: Shop, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    script = shop.write(".git/evil", f"#!/bin/sh\ntouch {mark}\ncat\n")
    script.chmod(0o755)
    shop.write(".git/info/attributes", "*.py filter=evil diff=evil\n")
    for key in ("core.fsmonitor", "diff.external", "filter.evil.smudge", "filter.evil.clean", "diff.evil.textconv", "diff.evil.command"):
        shop.git("config", key, str(script))
    shop.write("shop/tasks.py", NEW)
    mark.unlink(missing_ok=True)
    shop.subjects("--diff", "HEAD")
    assert not mark.exists()


def test_nothing_is_fetched_whatever_the_repository_allows(shop: Shop, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    for key, value in (("protocol.ext.allow", "always"), ("remote.origin.url", f"ext::sh -c touch% {mark}")):
        shop.git("config", key, value)
    assert git.run(shop.root, "fetch", "origin") is None
    assert not mark.exists()


def test_a_partial_clone_says_what_brings_the_rest(shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.git("config", "uploadpack.allowFilter", "true")
    shop.git("clone", "-q", "--no-checkout", "--filter=blob:none", f"file://{shop.root}", str(tmp_path / "part"))
    monkeypatch.chdir(tmp_path / "part")
    run = shop.run("check", "--diff", "HEAD..HEAD")
    assert (run.exit_code, run.stderr.count("\n")) == (2, 1)
    remedy = run.stderr.strip().rpartition(": ")[2].split()
    subprocess.run(remedy, check=True, capture_output=True)
    assert shop.subjects("--diff", "HEAD..HEAD") == []
