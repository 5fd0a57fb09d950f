"""`guardrails init`: what it writes, what it refuses, what it says, and that it can be undone."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from click.testing import Result as Run

from guardrails import rulebook
from guardrails.cli.program import COMMANDS, program
from guardrails.instruct import content
from guardrails.instruct.target import Target
from tests.instruct.kinds import CELERY_DJANGO, KINDS, lay
from tests.instruct.test_restored import snapshot

SKILL = ".agents/skills/worker-guardrails/SKILL.md"
GITHUB = [".github/agents/worker-agent.agent.md", ".github/instructions/worker.instructions.md"]
CODE = re.compile(r"`([^`\n]+)`")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of Celery and Django with a `.github` folder, as the current folder."""
    root = lay(tmp_path / "shop", CELERY_DJANGO)
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without any worker code, as the current folder."""
    root = lay(tmp_path / "bare", {"pyproject.toml": "[tool.guardrails]\n", "app.py": "print('hello')\n"})
    monkeypatch.chdir(root)
    return root


def init(*arguments: str) -> Run:
    ran = CliRunner().invoke(program, ["init", *arguments])
    assert ran.exit_code in (0, 1, 2), ran.output
    return ran


def ours(root: Path) -> list[str]:
    """What was written, by path."""
    known = {*CELERY_DJANGO}
    paths = (path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    return sorted(path for path in paths if path not in known)


def test_by_default_little_is_written_and_told(shop: Path) -> None:
    done = init()
    assert done.exit_code == 0
    written = ours(shop)
    assert [path for path in written if "/references/" not in path] == sorted(["AGENTS.md", SKILL, *GITHUB])
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Seen: 3 jobs of Celery and 1 schedule in ")
    assert "written    AGENTS.md" in lines
    assert lines[-2].startswith(f"{len(written)} files written.")
    assert lines[-1] == "Next: guardrails check"


def test_a_second_run_changes_nothing(shop: Path) -> None:
    init("--agent", "all", "--ci", "github", "--ci", "gitlab", "--pre-commit")
    before = snapshot(shop)
    for again in (init(), init("--check"), init("--force")):
        assert again.exit_code == 0
        assert re.search(r"^\d+ files current\.$", again.stdout, re.MULTILINE)
    assert snapshot(shop) == before


@pytest.mark.parametrize("kind", KINDS)
def test_remove_gives_back_the_project(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = lay(tmp_path / "project", KINDS[kind])
    for path, data in {
        "AGENTS.md": b"\xef\xbb\xbf# Mine\r\n\r\nEnd",
        "CLAUDE.md": b"",
        ".pre-commit-config.yaml": b"repos:\n- repo: local\n  hooks: []",
    }.items():
        (root / path).write_bytes(data)
    (root / ".claude").mkdir(exist_ok=True)
    monkeypatch.chdir(root)
    before = snapshot(root)
    assert init("--agent", "all", "--ci", "github", "--ci", "gitlab", "--pre-commit").exit_code == 0
    assert snapshot(root) != before
    gone = init("--remove")
    assert gone.exit_code == 0
    assert "restored   AGENTS.md" in gone.stdout
    assert "removed    .gitlab-ci.yml" in gone.stdout
    assert snapshot(root) == before
    assert init("--remove").stdout == "Nothing of guardrails stands here.\nNext: guardrails init\n"


@pytest.mark.parametrize("option", ["--dry-run", "--diff", "--check"])
def test_looking_writes_nothing(shop: Path, option: str) -> None:
    before = snapshot(shop)
    looked = init(option, "--agent", "cursor")
    assert snapshot(shop) == before
    assert looked.exit_code == (1 if option == "--check" else 0)
    told = looked.stderr if option == "--diff" else looked.stdout
    assert "to write   AGENTS.md" in told
    assert told.endswith("Next: guardrails init --agent cursor\n")
    assert ("--- /dev/null\n+++ b/AGENTS.md\n" in looked.stdout) == (option == "--diff")


def test_a_stale_block_fails_the_check_and_is_updated(shop: Path) -> None:
    init()
    (shop / "shop/stock").mkdir()
    (shop / "shop/stock/jobs.py").write_text("from celery import shared_task\n\n\n@shared_task\ndef count() -> None:\n    tally()\n")
    stale = init("--check")
    assert stale.exit_code == 1
    assert "to update  AGENTS.md" in stale.stdout
    assert stale.stdout.endswith("Next: guardrails init\n")
    assert "updated    AGENTS.md" in init().stdout
    assert init("--check").exit_code == 0


def test_a_block_that_was_changed_by_hand_is_refused_with_its_difference(shop: Path) -> None:
    init()
    path = shop / "AGENTS.md"
    mine = path.read_text().replace("## Worker code", "## My worker code")
    path.write_text(mine)
    (shop / SKILL).unlink()
    before = snapshot(shop)
    for arguments in ((), ("--check",), ("--remove",)):
        refused = init(*arguments)
        assert refused.exit_code == 1
        assert "-## My worker code\n" in refused.stdout
        assert "refused    AGENTS.md: it was changed by hand since guardrails wrote it" in refused.stdout
        assert "Nothing was written" in refused.stdout
        assert f" {SKILL}\n" not in refused.stdout
        assert snapshot(shop) == before
    assert refused.stdout.endswith("Next: guardrails init --remove --force\n")
    forced = init("--force")
    assert "updated    AGENTS.md (the old one is AGENTS.md.bak)" in forced.stdout
    assert (shop / "AGENTS.md.bak").read_text() == mine
    assert "My worker code" not in path.read_text()


@pytest.mark.parametrize(
    "more",
    [
        "<!-- guardrails:begin id=worker v=1 sha=0123456789ab -->\n",
        "<!-- guardrails:end id=worker -->\n",
        "{block}",
        "<!-- guardrails:begin -->",
    ],
)
def test_broken_markers_are_an_error_and_nothing_is_written(shop: Path, more: str) -> None:
    init()
    path = shop / "AGENTS.md"
    path.write_text(path.read_text() + more.replace("{block}", path.read_text()))
    (shop / SKILL).unlink()
    before = snapshot(shop)
    for arguments in ((), ("--force",), ("--remove",), ("--remove", "--force")):
        refused = init(*arguments)
        assert refused.exit_code == 1
        assert re.search(r"^refused    AGENTS\.md: the .* line \d+", refused.stdout, re.MULTILINE)
        assert "mend what was refused first" in refused.stdout
        assert snapshot(shop) == before


def test_a_skill_of_somebody_else_is_left_alone(shop: Path) -> None:
    (shop / SKILL).parent.mkdir(parents=True)
    (shop / SKILL).write_text("---\nname: worker-guardrails\n---\nmine\n")
    done = init("--force")
    assert done.exit_code == 0
    assert f"left alone {SKILL}: it is not from guardrails; move it to have ours there" in done.stdout
    assert "1 file left alone." in done.stdout
    assert (shop / SKILL).read_text().endswith("mine\n")
    assert (shop / "AGENTS.md").is_file()


def test_nothing_is_written_through_a_link_out_of_the_project(shop: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "notes.md").write_text("theirs\n")
    (shop / "AGENTS.md").symlink_to(out / "notes.md")
    (shop / ".agents").symlink_to(out)
    done = init()
    assert f"left alone AGENTS.md: it is a link to {out / 'notes.md'}" in done.stdout
    assert re.search(r"^left alone \.agents/skills/worker-guardrails/ \(\d+ files\): \.agents is a link$", done.stdout, re.MULTILINE)
    assert [path.name for path in out.iterdir()] == ["notes.md"]
    assert (out / "notes.md").read_text() == "theirs\n"
    init("--remove")
    assert (shop / "AGENTS.md").is_symlink()


def test_a_read_only_file_stops_everything(shop: Path) -> None:
    (shop / "AGENTS.md").write_text("# Mine\n")
    (shop / "AGENTS.md").chmod(0o444)
    before = snapshot(shop)
    refused = init("--force")
    assert refused.exit_code == 1
    assert "refused    AGENTS.md: it is read-only" in refused.stdout
    assert snapshot(shop) == before


def test_without_jobs_nothing_is_written(bare: Path) -> None:
    before = snapshot(bare)
    done = init()
    assert done.exit_code == 0
    assert done.stdout.startswith("No background jobs were found in 1 file.\nNothing was written")
    assert done.stdout.endswith("Next: guardrails jobs-map\n")
    assert init("--check").exit_code == 0
    assert snapshot(bare) == before


def test_without_jobs_what_was_asked_is_written_and_no_more(bare: Path) -> None:
    before = set(snapshot(bare))
    assert init("--ci", "github").exit_code == 0
    assert set(snapshot(bare)) - before == {".github", ".github/workflows", ".github/workflows/guardrails.yml"}


def test_without_jobs_what_stands_there_stays(shop: Path) -> None:
    init()
    for path in shop.rglob("*.py"):
        path.unlink()
    before = snapshot(shop)
    assert init().stdout.startswith("No background jobs were found")
    assert snapshot(shop) == before


def test_every_command_and_path_that_the_files_name_exists(shop: Path) -> None:
    init("--agent", "all")
    paths, commands = set(), set()
    for name in ours(shop):
        for span in CODE.findall((shop / name).read_text()):
            if span.startswith("guardrails "):
                commands.add(span.split()[1])
            elif "/" in span and not set(span) & set("*<>{}() "):
                paths.add(shop / span if (shop / span).exists() else (shop / name).parent / span)
    assert commands
    assert commands <= set(COMMANDS)
    assert len(paths) > 5
    assert [path for path in paths if not path.exists() and path.suffix in (".md", ".py")] == []


def test_the_rules_in_the_files_are_those_that_are_enabled(shop: Path) -> None:
    config = shop / "pyproject.toml"
    config.write_text(config.read_text() + '\n[tool.guardrails]\nignore = ["untimed-job"]\n')
    init("--agent", "all")
    text = "\n".join((shop / name).read_text() for name in ours(shop))
    named = {span for span in CODE.findall(text) if span in rulebook.load()}
    assert "missing-idempotency-key" in named
    assert "untimed-job" not in text
    pages = "\n".join((shop / name).read_text() for name in ours(shop) if name.startswith(".agents/") and "/references/" in name)
    assert {rule for rule in rulebook.load() if rule in pages} >= named


def test_a_page_that_is_no_longer_wanted_goes(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init()
    page = shop / SKILL.replace("SKILL.md", "references/retry.md")
    assert page.is_file()
    targets = content.targets
    monkeypatch.setattr(content, "targets", lambda *given: tuple(one for one in targets(*given) if not one.path.endswith("/retry.md")))
    assert init("--check").exit_code == 1
    assert "removed    .agents/skills/worker-guardrails/references/retry.md" in init().stdout
    assert not page.exists()


def test_a_block_of_another_project_inside_stays(shop: Path) -> None:
    init()
    inner = lay(shop / "vendor/inner", {"AGENTS.md": (shop / "AGENTS.md").read_text()})
    init()
    assert (inner / "AGENTS.md").is_file()
    init("--remove")
    assert (inner / "AGENTS.md").is_file()
    assert not (shop / "AGENTS.md").exists()


def test_another_project_can_be_named(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(shop.parent)
    done = init("shop")
    assert "written    shop/AGENTS.md" in done.stdout
    assert init("shop", "--dry-run", "--agent", "cursor").stdout.endswith("Next: guardrails init shop --agent cursor\n")
    monkeypatch.chdir(shop / "shop/orders")
    assert "removed    ../../AGENTS.md" in init("--remove").stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--remove", "--agent", "cursor"), "--remove takes everything away; leave --agent cursor out"),
        (("--check", "--force"), "--check writes nothing; leave --force out"),
        (("--check", "--remove"), "--check writes nothing; leave --remove out"),
        (("manage.py",), "manage.py: it is a file; name the folder of the project"),
        (("nowhere",), "nowhere: there is no such file or folder"),
        (("--agent", "emacs"), "Invalid value for '--agent'"),
        (("--hooks",), "--hooks needs a client, and none is in use here; add --agent claude, for example"),
    ],
)
def test_what_makes_no_sense_is_said(arguments: tuple[str, ...], sentence: str, shop: Path) -> None:
    if "--hooks" in arguments:
        (shop / ".github/CODEOWNERS").rename(shop / "CODEOWNERS")
        (shop / ".github").rmdir()
    before = snapshot(shop)
    said = init(*arguments)
    assert said.exit_code == 2
    assert sentence in said.stderr
    assert snapshot(shop) == before


def test_the_help_says_what_stays_and_how_it_ends() -> None:
    said = init("--help").stdout
    assert "What is yours stays yours" in said
    assert "Exit status: 0 done, 1 refused or, with --check, not current" in said
    assert max(map(len, said.splitlines())) <= 104


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Hooks of two clients; a test may change what they call."""
    call = {"claude": "/opt/guardrails hook --client claude", "cursor": "/opt/guardrails hook --client cursor"}

    def hook_targets(agents: list[str]) -> tuple[Target, ...]:
        bodies = {
            "claude": {"hooks": {"PostToolUse": [{"matcher": "Edit|Write", "hooks": [{"type": "command", "command": call["claude"]}]}]}},
            "cursor": {"version": 1, "hooks": {"afterFileEdit": [{"command": call["cursor"]}]}},
        }
        paths = {"claude": ".claude/settings.json", "cursor": ".cursor/hooks.json"}
        return tuple(Target(paths[name], "json", "hook", json.dumps(bodies[name])) for name in agents if name in paths)

    monkeypatch.setitem(sys.modules, "guardrails.instruct.hooks", SimpleNamespace(hook_targets=hook_targets))
    return call


def test_hooks_are_written_on_request_and_then_kept_current(shop: Path, hooks: dict[str, str]) -> None:
    before = snapshot(shop)
    init("--agent", "claude")
    assert not (shop / ".claude/settings.json").exists()
    init("--agent", "claude", "--hooks")
    path = shop / ".claude/settings.json"
    assert "/opt/guardrails hook" in path.read_text()
    assert not (shop / ".cursor").exists()
    hooks["claude"] = "/usr/local/guardrails hook --client claude"
    assert init("--check").exit_code == 0  # another machine has guardrails elsewhere
    assert "updated    .claude/settings.json" in init("--hooks").stdout
    assert json.loads(path.read_text())["hooks"]["PostToolUse"][0]["hooks"][0]["command"] == hooks["claude"]
    hooks["claude"] += " --more"
    assert "to update  .claude/settings.json" in init("--check").stdout
    assert "updated    .claude/settings.json" in init().stdout
    assert init("--check").exit_code == 0
    init("--remove")
    assert snapshot(shop) == before


def test_without_jobs_hooks_that_were_asked_for_are_all_that_is_written(bare: Path, hooks: dict[str, str]) -> None:
    (bare / ".claude").mkdir()
    (bare / ".claude/notes.md").write_text("mine\n")
    before = snapshot(bare)
    init("--hooks")
    assert set(snapshot(bare)) - set(before) == {".claude/settings.json"}
    init("--remove")
    assert snapshot(bare) == before


def test_invalid_json_in_a_hook_file_stops_everything(shop: Path, hooks: dict[str, str]) -> None:
    (shop / ".cursor").mkdir()
    (shop / ".cursor/hooks.json").write_text("{ // mine\n}\n")
    before = snapshot(shop)
    refused = init("--agent", "cursor", "--hooks", "--force")
    assert refused.exit_code == 1
    assert "refused    .cursor/hooks.json: it is no valid JSON (line 1: expecting property name" in refused.stdout
    assert refused.stdout.endswith("Nothing was written; mend what was refused first.\nNext: guardrails init --agent cursor --hooks\n")
    assert snapshot(shop) == before


def test_a_hook_that_another_one_serves_is_taken_away(shop: Path) -> None:
    before = snapshot(shop)
    init("--agent", "copilot", "--hooks")
    assert (shop / ".github/hooks/guardrails.json").is_file()
    done = init("--agent", "claude", "--hooks")
    assert "written    .claude/settings.json" in done.stdout
    assert "removed    .github/hooks/guardrails.json" in done.stdout
    assert init("--check").exit_code == 0
    init("--remove")
    assert snapshot(shop) == before


def test_the_hooks_of_all_clients_come_and_go(shop: Path) -> None:
    (shop / ".gemini").mkdir()
    (shop / ".gemini/settings.json").write_text('{"theme": "x"}')
    before = snapshot(shop)
    init("--agent", "all", "--hooks")
    written = {name for name in ours(shop) if name.endswith(".json")}
    assert written == {".claude/settings.json", ".codex/hooks.json", ".cursor/hooks.json", ".gemini/settings.json"}
    assert init("--hooks", "--agent", "all", "--check").exit_code == 0
    init("--remove")
    assert snapshot(shop) == before
