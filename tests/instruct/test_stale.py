"""stale-instructions on disk: generated parts against a fresh rendering, PATHS, changes, baselines, and what a run loads for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from guardrails.cli.program import program

ROOT = Path(__file__).resolve().parent.parent.parent
RULE = "stale-instructions"
JOB = "from celery import Celery\n\napp = Celery()\n\n\n@app.task(time_limit=60)\ndef settle(order_id):\n    charge(order_id)\n"


class Shop:
    """A project on disk."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def run(self, *words: str) -> str:
        done = CliRunner().invoke(program, [*words])
        assert done.exit_code in (0, 1), done.output
        return done.stdout

    def told(self, *words: str) -> list[tuple[str, int, str]]:
        """(path, line, message) of what the rule finds."""
        said = json.loads(self.run("check", "--no-cache", "--select", RULE, "--format", "json", *words))
        return [(one["path"], one["line"], one["message"]) for one in said["findings"]]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    made = Shop(tmp_path / "shop")
    made.write("pyproject.toml", "[project]\nname = 'shop'\n")
    made.write("shop/tasks.py", JOB)
    monkeypatch.chdir(made.root)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return made


def test_what_init_wrote_is_current(shop: Shop) -> None:
    shop.run("init", "--agent", "all")
    assert (shop.root / ".github/instructions/worker.instructions.md").exists()
    assert shop.told() == []


def test_what_init_wrote_goes_stale_with_the_project(shop: Shop) -> None:
    shop.run("init")
    shop.write("shop/mails.py", JOB.replace("settle", "send"))
    told = {path: message for path, _, message in shop.told()}
    assert told["AGENTS.md"].startswith("The generated part `worker` is not what the project and its rules are now")
    shop.run("init")
    assert shop.told() == []


def test_what_init_wrote_goes_stale_with_the_rules_and_not_with_the_command_line(shop: Shop) -> None:
    shop.run("init")
    assert shop.told("--ignore", "untimed-job") == []
    shop.write("pyproject.toml", "[tool.guardrails]\nignore = ['missing-idempotency-key']\n")
    assert "AGENTS.md" in {path for path, _, _ in shop.told()}


def test_a_part_that_was_changed_by_hand_is_told_once(shop: Shop) -> None:
    shop.run("init")
    text = (shop.root / "AGENTS.md").read_text()
    shop.write("AGENTS.md", "é\n" + text.replace("guardrails check", "guardrails chekc", 1))
    told = shop.told()
    assert [(path, line) for path, line, _ in told] == [("AGENTS.md", 2)]
    assert "was changed by hand" in told[0][2]


def test_markers_that_miss_their_other_end_are_told(shop: Shop) -> None:
    shop.write("AGENTS.md", "<!-- guardrails:begin id=worker v=1 sha=0123456789ab -->\n")
    assert [(path, line) for path, line, _ in shop.told()] == [("AGENTS.md", 1)]


def test_only_the_files_below_the_paths_are_told(shop: Shop) -> None:
    for folder in ("", "web/", ".github/"):
        shop.write(f"{folder}AGENTS.md", "Read `shop/gone.py`.\n")
    assert [path for path, _, _ in shop.told()] == [".github/AGENTS.md", "AGENTS.md", "web/AGENTS.md"]
    assert [path for path, _, _ in shop.told("web")] == ["web/AGENTS.md"]
    assert [path for path, _, _ in shop.told("AGENTS.md")] == ["AGENTS.md"]
    assert shop.told("shop/tasks.py") == []


def test_what_is_excluded_or_in_tests_is_not_told(shop: Shop) -> None:
    shop.write("pyproject.toml", "[tool.guardrails]\nexclude = ['web/']\n")
    for folder in ("web", "tests/fixtures/web", "examples"):
        shop.write(f"{folder}/AGENTS.md", "Read `shop/gone.py`.\n")
    assert shop.told() == []


def test_files_that_git_ignores_and_that_are_there_stand(shop: Shop) -> None:
    subprocess.run(["git", "init", "-q"], cwd=shop.root, check=True)
    shop.write(".gitignore", "local/\n")
    shop.write("shop/local/notes.md", "")
    shop.write("AGENTS.md", "Read `shop/local/notes.md`, `shop/local/more.md` and `shop/gone.md`.\n")
    assert [message for _, _, message in shop.told()] == [
        "The file `shop/gone.md` is named here and is not in the project, so an agent that follows this file looks in vain."
    ]


def test_a_change_that_takes_a_file_away_tells_who_names_it(shop: Shop) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    shop.write("AGENTS.md", "Read `shop/old.md` and `shop/gone.md`.\n")
    shop.write("shop/old.md", "")
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run([*git, *words], cwd=shop.root, check=True)
    assert shop.told("--diff", "HEAD") == []
    (shop.root / "shop/old.md").unlink()
    subprocess.run([*git, "add", "-A"], cwd=shop.root, check=True)
    for words in (["--diff", "HEAD"], ["--diff", "HEAD", "--staged"]):
        assert [message[:24] for _, _, message in shop.told(*words)] == ["The file `shop/old.md` i"]


def test_a_baseline_holds_it_and_tells_when_it_is_mended(shop: Shop) -> None:
    shop.write("AGENTS.md", "Read `shop/gone.md`.\n")
    shop.run("baseline", "write")
    assert shop.told() == []
    shop.write("AGENTS.md", "\nRead `shop/gone.md`, or `shop/lost.md`.\n")
    assert [message[:25] for _, _, message in shop.told()] == ["The file `shop/lost.md` i"]
    shop.write("AGENTS.md", "Nothing.\n")
    assert "matches nothing any more" in shop.run("check", "--no-cache")


def test_links_out_of_the_project_are_not_followed(shop: Shop) -> None:
    (shop.root.parent / "AGENTS.md").write_text("Read `shop/gone.py`.\n")
    (shop.root / "AGENTS.md").symlink_to("../AGENTS.md")
    (shop.root / "CLAUDE.md").symlink_to("AGENTS.md")
    assert shop.told() == []


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xfe\x00",
        b"`shop/gone.py`\xff\xfe",
        "\ufeff`shop/gone.py`\r\n".encode(),
        b"```sh\nmake " * 9000,
        b"`" * 90_000,
        b"<!--" * 30_000,
    ],
    ids=["binary", "no UTF-8", "mark and CRLF", "many fences", "many marks", "many comments"],
)
def test_odd_files_are_no_obstacle(shop: Shop, data: bytes) -> None:
    (shop.root / "AGENTS.md").write_bytes(data)
    assert len(shop.told()) == (b"gone" in data)


@pytest.mark.parametrize("words", [["shop/tasks.py"], ["."]])
def test_nothing_is_loaded_for_it_where_there_are_no_such_files(shop: Shop, words: list[str]) -> None:
    shop.write("README.md", "Read `shop/gone.py`.\n")
    assert _loaded(shop, words).isdisjoint({"guardrails.instruct.stale", "guardrails.instruct.content", "jinja2"})


def test_templates_are_loaded_for_generated_parts_only(shop: Shop) -> None:
    shop.write("AGENTS.md", "Read `shop/gone.py`.\n")
    assert "jinja2" not in _loaded(shop, ["."])
    shop.run("init")
    assert "jinja2" not in _loaded(shop, ["shop/tasks.py"])
    assert "jinja2" in _loaded(shop, ["."])


def _loaded(shop: Shop, words: list[str]) -> set[str]:
    code = f"import json, sys\nfrom guardrails.cli import check\ncheck.command.main({['--no-cache', *words]!r}, standalone_mode=False)\n"
    command = [sys.executable, "-c", code + "print(json.dumps(list(sys.modules)), file=sys.stderr)"]
    done = subprocess.run(command, cwd=shop.root, env={"PYTHONPATH": str(ROOT), "PATH": ""}, capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr.splitlines()[-1]))
