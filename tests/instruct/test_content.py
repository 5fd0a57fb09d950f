"""The instruction files of six kinds of project, judged by validators that others wrote, and by what they may say."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import msgspec
import pytest
import yaml
from click.testing import CliRunner

from guardrails import lint, rulebook
from guardrails.cli.program import program
from guardrails.config import Config
from guardrails.instruct.apply import plan, write
from guardrails.instruct.content import enabled, left_alone, targets
from guardrails.instruct.seen import CLIENTS, Seen, look
from guardrails.instruct.target import Target
from tests.instruct.kinds import CELERY_DJANGO, FASTAPI_ARQ, FLASK_RQ, KINDS, MONOREPO, lay

TARGETS = ("generic", "claude-code", "cursor", "codex", "kiro")
SKILL = ".agents/skills/worker-guardrails/SKILL.md"
RULE = re.compile(r"`([a-z]+(?:-[a-z]+)+)`")


def seen_in(root: Path, config: Config | None = None) -> Seen:
    request = lint.Request(root, config or Config(), date(2026, 1, 1), cached=False, survey=True, checks=False)
    return look(root, lint.lint(request))


def targets_in(root: Path, agents: tuple[str, ...] = (), config: Config | None = None, **more: bool | tuple[str, ...]) -> dict[str, Target]:
    seen = seen_in(root, config)
    return {target.path: target for target in targets(seen, enabled(config or Config(), seen), agents, **more)}


def emitted(root: Path, agents: tuple[str, ...] = ()) -> list[str]:
    """Writes the files as `init` does, and names them."""
    changes = plan(root, targets_in(root, agents).values())
    write(root, changes)
    return [change.path for change in changes]


def tool(name: str) -> str:
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found, f"{name} is missing; install the test extra"
    return found


@pytest.fixture(scope="module", params=KINDS)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    root = lay(tmp_path_factory.mktemp("kind") / "project", KINDS[request.param])
    return root, emitted(root, tuple(CLIENTS))


@pytest.mark.parametrize("target", TARGETS)
def test_agnix_has_nothing_to_say(written: tuple[Path, list[str]], target: str) -> None:
    root, paths = written
    done = subprocess.run([tool("agnix"), "--strict", "--format", "json", "-t", target, "."], cwd=root, capture_output=True, text=True)
    told = json.loads(done.stdout)
    assert [one for one in told["diagnostics"] if one["level"] != "info"] == []
    assert done.returncode == 0
    assert told["files_checked"] >= len(
        [path for path in paths if path.endswith(("SKILL.md", "AGENTS.md", ".mdc", "CLAUDE.md", "GEMINI.md"))]
    )


def test_agentskills_finds_each_skill_valid(written: tuple[Path, list[str]]) -> None:
    root, paths = written
    skills = [path for path in paths if path.endswith("SKILL.md")]
    assert len(skills) == 2
    for path in skills:
        done = subprocess.run([tool("agentskills"), "validate", str((root / path).parent)], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert "warning" not in done.stdout.lower()


def test_our_own_linter_finds_nothing_stale_in_them(written: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(written[0])
    done = CliRunner().invoke(program, ["check", "--no-cache", "--select", "stale-instructions", "--format", "json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["findings"] == []


def test_the_files_keep_their_budgets(written: tuple[Path, list[str]]) -> None:
    root, paths = written
    for path in paths:
        text = (root / path).read_text(encoding="utf-8")
        if path.endswith("AGENTS.md"):
            block = text[text.index("<!-- guardrails:begin") :]
            assert len(block.splitlines()) <= 30, path
            assert len(block) <= 2_000, path
        if path.endswith("SKILL.md"):
            assert len(text.splitlines()) <= 150
        if path.endswith((".instructions.md", ".mdc")):
            assert len(text) <= 4_000
            assert 1 <= len(bullets := re.findall(r"^- .*", text, re.M)) <= 20
            assert all(RULE.search(one) for one in bullets)
        if path.endswith(".agent.md"):
            assert len(text) <= 30_000


def test_every_rule_that_is_named_is_enabled_and_the_skill_names_them_all(written: tuple[Path, list[str]]) -> None:
    root, paths = written
    rules = {rule.name for rule in enabled(Config(), seen_in(root))}
    known = set(rulebook.load())
    for path in paths:
        text = (root / path).read_text(encoding="utf-8")
        assert set(RULE.findall(text)) & known <= rules, path
        if path.endswith("SKILL.md"):
            assert set(RULE.findall(text)) & known == rules


def test_no_sentence_of_a_rule_stands_twice_in_a_file(written: tuple[Path, list[str]]) -> None:
    root, paths = written
    for path in paths:
        text = (root / path).read_text(encoding="utf-8")
        assert [rule.name for rule in rulebook.load().values() if text.count(rule.instruct) > 1] == [], path


def test_templates_hold_no_sentence_of_the_rulebook() -> None:
    forms = "".join(path.read_text() for path in Path("templates/instruct").iterdir())
    assert [rule.name for rule in rulebook.load().values() if rule.instruct.rstrip(".") in forms] == []


def test_each_path_that_is_named_exists(written: tuple[Path, list[str]]) -> None:
    root, paths = written
    for path in paths:
        text = (root / path).read_text(encoding="utf-8")
        outside = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
        for span in re.findall(r"`([\w./*-]+/[\w./*-]+)`", outside if "/references/" not in path else ""):
            places = {root, (root / path).parent}
            assert any(list(place.glob(span)) if "*" in span else [place / span] * (place / span).exists() for place in places), (
                path,
                span,
            )


def test_the_rules_for_copilot_are_about_the_files_with_worker_code(tmp_path: Path) -> None:
    root = lay(tmp_path, CELERY_DJANGO)
    text = targets_in(root)[".github/instructions/worker.instructions.md"].body
    patterns = yaml.safe_load(text.split("---")[1])["applyTo"].split(",")
    matched = {path.relative_to(root).as_posix() for pattern in patterns for path in root.glob(pattern)}
    assert matched == {"shop/mail/tasks.py", "shop/orders/tasks.py", "shop/orders/views.py", "shop/settings.py"}


def test_the_first_lines_are_commands_and_the_smallest_test_comes_first(tmp_path: Path) -> None:
    body = targets_in(lay(tmp_path, FASTAPI_ARQ))["AGENTS.md"].body
    assert body.startswith(
        "## Worker code\n\n```sh\n"
        "guardrails check --diff HEAD --format agent  # after each change, until it finds nothing\n"
        "uv run pytest tests/test_worker.py  # tests that name jobs; run them first\n"
        "uv run pytest  # all tests\n```\n"
    )  # fmt: skip


def test_without_a_repository_nothing_is_compared(tmp_path: Path) -> None:
    root = lay(tmp_path, FASTAPI_ARQ)
    (root / ".git").rmdir()
    assert "\nguardrails check --format agent  #" in targets_in(root)["AGENTS.md"].body


def test_a_second_look_after_the_files_were_written_sees_the_same(written: tuple[Path, list[str]]) -> None:
    root, _ = written
    assert {change.state for change in plan(root, targets_in(root, tuple(CLIENTS)).values())} == {"unchanged"}


def test_little_is_written_where_no_client_is_at_home(tmp_path: Path) -> None:
    paths = targets_in(lay(tmp_path, KINDS["dramatiq"]))
    assert {path for path in paths if "/references/" not in path} == {"AGENTS.md", SKILL}


def test_clients_that_are_at_home_get_theirs(tmp_path: Path) -> None:
    assert ".cursor/rules/worker.mdc" in targets_in(lay(tmp_path / "a", FASTAPI_ARQ))
    claude = targets_in(lay(tmp_path / "b", FLASK_RQ))
    assert ".claude/skills/worker-guardrails/SKILL.md" in claude
    assert claude["CLAUDE.md"].body == "## Claude Code\n\n@AGENTS.md\n"


def test_what_git_ignores_is_no_home(tmp_path: Path) -> None:
    root = lay(
        tmp_path, {**KINDS["dramatiq"], ".claude/settings.local.json": "{}", ".cursor/rules/own.mdc": "", ".gitignore": ".claude/\n"}
    )
    (root / ".git").rmdir()
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    assert seen_in(root).clients == {"cursor"}


@pytest.mark.parametrize("text", ["@AGENTS.md\n", "Read @./AGENTS.md first.\n"])
def test_a_file_that_leads_to_ours_already_is_left_alone(tmp_path: Path, text: str) -> None:
    assert "CLAUDE.md" not in targets_in(lay(tmp_path, {**FLASK_RQ, "CLAUDE.md": text}))


def test_a_claude_file_is_never_made_and_a_link_is_never_touched(tmp_path: Path) -> None:
    root = lay(tmp_path, {**FASTAPI_ARQ, "AGENTS.md": "# shop\n"})
    assert "CLAUDE.md" not in targets_in(root, ("claude",))
    (root / "CLAUDE.md").symlink_to("AGENTS.md")
    assert "CLAUDE.md" not in targets_in(root, ("claude",))


def test_a_project_without_worker_code_gets_nothing_but_what_is_asked_for(tmp_path: Path) -> None:
    root = lay(tmp_path, {"app.py": "print(1)\n", ".github/CODEOWNERS": ""})
    assert targets_in(root) == {}
    assert set(targets_in(root, ci=("github",))) == {".github/workflows/guardrails.yml"}
    assert "AGENTS.md" in targets_in(root, ("codex",))


def test_rules_that_are_switched_off_are_not_spoken_of(tmp_path: Path) -> None:
    config = Config(ignore=("untimed-job", "missing-idempotency-key", "fire-and-forget-spawn"))
    found = targets_in(lay(tmp_path, CELERY_DJANGO), tuple(CLIENTS), config)
    assert not [path for path, target in found.items() for name in config.ignore if name in target.body]


def test_one_rule_alone_makes_files_that_hold(tmp_path: Path) -> None:
    found = targets_in(lay(tmp_path, CELERY_DJANGO), config=Config(select=("untimed-job",)))
    assert [path for path in found if "/references/" in path] == [f"{Path(SKILL).parent.as_posix()}/references/timeout.md"]
    assert "| rules |" in found[SKILL].body


class TestServices:
    def test_each_has_a_block_of_its_own_in_the_nearest_file(self, tmp_path: Path) -> None:
        found = targets_in(lay(tmp_path, MONOREPO))
        billing, mail = found["services/billing/AGENTS.md"].body, found["services/mail/AGENTS.md"].body
        assert "\npoetry run pytest tests/test_tasks.py  #" in billing
        assert "`../../.agents/skills/worker-guardrails/SKILL.md`" in billing
        assert "BullMQ" not in billing
        assert "\npnpm test  #" in mail
        assert "Celery" not in mail
        assert "read `services/mail/AGENTS.md`" in found["AGENTS.md"].body

    def test_no_file_is_made_that_would_hide_the_words_of_the_root(self, tmp_path: Path) -> None:
        found = targets_in(lay(tmp_path, {**MONOREPO, "AGENTS.md": "# shop\n", "services/mail/AGENTS.md": "# mail\n"}))
        assert "services/billing/AGENTS.md" not in found
        assert "services/mail/AGENTS.md" in found
        assert "\ncd services/billing && poetry run pytest tests/test_tasks.py  #" in found["AGENTS.md"].body

    def test_words_that_come_to_the_root_later_change_nothing(self, tmp_path: Path) -> None:
        root = lay(tmp_path, MONOREPO)
        before = emitted(root)
        (root / "AGENTS.md").write_text("# Our shop\n\n" + (root / "AGENTS.md").read_text())
        assert {change.state for change in plan(root, targets_in(root).values())} == {"unchanged"}
        assert list(targets_in(root)) == before


class TestGates:
    def test_the_workflows_are_yaml_and_run_commands_that_we_have(self, tmp_path: Path) -> None:
        found = targets_in(lay(tmp_path, KINDS["dramatiq"]), ci=("github", "gitlab"), pre_commit=True)
        github = yaml.safe_load(found[".github/workflows/guardrails.yml"].body)
        gitlab = yaml.safe_load(found[".gitlab-ci.yml"].body)
        lines = [step["run"] for step in github["jobs"]["guardrails"]["steps"] if "run" in step] + gitlab["guardrails"]["script"]
        ours = [shlex.split(line)[1] for line in lines if line.startswith("worker-guardrails ")]
        assert set(ours) == {"check", "init"}
        assert github["permissions"] == {"contents": "read"}

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "repos:\n  - repo: https://example.org/black\n    rev: '1'\n    hooks:\n      - id: black\n",
            "# ours\ndefault_stages: [pre-commit]\nrepos:\n- repo: https://example.org/black\n  rev: '1'\n  hooks:\n  - id: black\n",
            "default_stages: [pre-commit]\n",
        ],
        ids=["no file", "a list", "a list without indentation", "no list"],
    )
    def test_the_hook_is_one_more_of_the_list(self, tmp_path: Path, text: str) -> None:
        root = lay(tmp_path, {**FASTAPI_ARQ, ".pre-commit-config.yaml": text} if text else FASTAPI_ARQ)
        before = (yaml.safe_load(text) or {}).get("repos", [])
        for _ in range(2):
            changes = plan(root, targets_in(root, pre_commit=True).values())
            write(root, changes)
        held = yaml.safe_load((root / ".pre-commit-config.yaml").read_text())
        assert held["repos"][: len(before)] == before
        assert [hook["id"] for repo in held["repos"][len(before) :] for hook in repo["hooks"]] == ["guardrails"]
        assert {change.state for change in changes} == {"unchanged"}

    @pytest.mark.parametrize("text", ["repos: []\n", "repos:\n  - repo: local\n    hooks: []\nci:\n  skip: []\n"])
    def test_a_list_that_cannot_be_added_to_is_left_alone(self, tmp_path: Path, text: str) -> None:
        root = lay(tmp_path, {**FASTAPI_ARQ, ".pre-commit-config.yaml": text})
        assert ".pre-commit-config.yaml" not in targets_in(root, pre_commit=True)
        assert [path for path, _ in left_alone(seen_in(root), pre_commit=True)] == [".pre-commit-config.yaml"]

    def test_a_gate_alone_makes_no_home_for_a_client(self, tmp_path: Path) -> None:
        root = lay(tmp_path, KINDS["dramatiq"])
        for _ in range(2):
            changes = plan(root, targets_in(root, ci=("github",)).values())
            write(root, changes)
        assert {change.state for change in changes} == {"unchanged"}
        assert not [change.path for change in changes if change.path.endswith(".agent.md")]

    def test_what_was_asked_for_once_is_kept_current(self, tmp_path: Path) -> None:
        root = lay(tmp_path, FASTAPI_ARQ)
        write(root, plan(root, targets_in(root, ("gemini",), ci=("github", "gitlab"), pre_commit=True).values()))
        assert {".github/workflows/guardrails.yml", ".gitlab-ci.yml", ".pre-commit-config.yaml", "GEMINI.md"} <= set(targets_in(root))


class TestCommands:
    @pytest.mark.parametrize(
        ("files", "lines"),
        [
            ({"Makefile": "check: lint\n", "justfile": "test:\n  x\n"}, ["just test"]),
            ({"Makefile": "test := no\n"}, []),
            ({"justfile": "test ARG='':\n  x\n"}, ["just test"]),
            ({"noxfile.py": ""}, ["nox"]),
            ({"pdm.lock": "", "pyproject.toml": "[tool.pdm.scripts]\ntest = 'x'\n"}, ["pdm run test"]),
            ({"pyproject.toml": "[tool.poe.tasks]\ntest = 'x'\n", "uv.lock": ""}, ["uv run poe test"]),
            ({"pyproject.toml": "[tool.tox]\n"}, ["tox"]),
            ({"package.json": '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'}, []),
            ({"package.json": '{"scripts": {"test": "jest"}}', "yarn.lock": ""}, ["yarn test"]),
            ({"package.json": "[1]", "pyproject.toml": "[[[", "Makefile": "\x00"}, []),
            ({"requirements.txt": "pytest-asyncio\n"}, ["pytest"]),
        ],
    )
    def test_only_what_the_project_declares_is_named(self, tmp_path: Path, files: dict[str, str], lines: list[str]) -> None:
        root = lay(tmp_path, {"worker.py": KINDS["dramatiq"]["src/shop/actors.py"], **files})
        assert [test.line for service in seen_in(root).services for test in service.tests] == lines

    def test_guardrails_is_called_from_the_environment_that_has_it(self, tmp_path: Path) -> None:
        needs = '[project]\nname = "x"\nversion = "1"\ndependencies = ["dramatiq"]\n\n[dependency-groups]\ndev = ["{}"]\n'
        root = lay(tmp_path, {"worker.py": KINDS["dramatiq"]["src/shop/actors.py"], "uv.lock": ""})
        for package, command in (
            ("worker-guardrails", "uv run guardrails"),
            ("guardrails-ai", "worker-guardrails"),
            ("ruff", "guardrails"),
        ):
            (root / "pyproject.toml").write_text(needs.format(package))
            assert seen_in(root).command == command

    def test_of_many_tests_the_one_that_names_most_jobs_is_run_first(self, tmp_path: Path) -> None:
        jobs = "import dramatiq\n\n\n" + "".join(f"@dramatiq.actor\ndef job_{n}() -> None:\n    work()\n\n\n" for n in range(4))
        texts = {f"tests/test_{n}.py": f"from actors import job_{n}\n" for n in range(4)}
        root = lay(
            tmp_path, {"actors.py": jobs, "pytest.ini": "[pytest]\n", **texts, "tests/test_most.py": "from actors import job_1, job_2\n"}
        )
        assert [test.line for test in seen_in(root).services[0].tests] == ["pytest tests/test_most.py", "pytest"]


def test_names_of_a_hostile_project_stay_in_their_spans(tmp_path: Path) -> None:
    root = lay(tmp_path, {"a`b\n# c/tasks.py": KINDS["dramatiq"]["src/shop/actors.py"].replace("'mail'", "'x`\\n## y'")})
    for target in targets_in(root, tuple(CLIENTS)).values():
        assert "\n# c" not in target.body
        assert "\n## y" not in target.body


def test_a_seen_project_is_the_same_from_any_clone(tmp_path: Path) -> None:
    one, two = (seen_in(lay(tmp_path / name, CELERY_DJANGO)) for name in ("one", "two"))
    assert msgspec.structs.asdict(one) == msgspec.structs.asdict(two)
