"""What single clients read beside AGENTS.md and the skill, and the gates of a project: only where they are there or asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

from guardrails.instruct.seen import Seen
from guardrails.instruct.target import Target

BLOCK = "worker"
GITHUB, GITLAB, PRE_COMMIT = ".github/workflows/guardrails.yml", ".gitlab-ci.yml", ".pre-commit-config.yaml"


class Say(Protocol):
    """What is needed of a project's texts."""

    seen: Seen

    def text(self, template: str, **given: object) -> str:
        """A template, rendered."""

    def skill(self, folder: str) -> Iterator[Target]:
        """The skill in one of the folders of skills."""

    def description(self) -> str:
        """What it is for, and when."""

    def bullets(self, head: list[tuple[str, str]]) -> str:
        """The rules that matter most, one a line."""

    def files(self) -> tuple[str, ...]:
        """Patterns of the files with worker code."""


def targets(say: Say, used: Collection[str], asked: Collection[str]) -> Iterator[Target]:
    """The files of the clients that are used in the project or asked for."""
    if "copilot" in used:
        yield from _copilot(say)
    if "claude" in used:
        yield from say.skill(".claude/skills")
    if say.seen.claude:
        yield Target("CLAUDE.md", "block", BLOCK, say.text("lead.md.j2", client="Claude Code"))
    if "cursor" in used and say.seen.found:
        head = [("description", say.description()), ("globs", ",".join(say.files())), ("alwaysApply", "false")]
        yield Target(".cursor/rules/worker.mdc", "file", BLOCK, say.bullets(head))
    if say.seen.gemini or "gemini" in asked or ("gemini" in used and "GEMINI.md" not in say.seen.holds):
        yield Target("GEMINI.md", "block", BLOCK, say.text("lead.md.j2", client="Gemini CLI"))


def _copilot(say: Say) -> Iterator[Target]:
    """An agent to choose, and rules that come with the files that they are about."""
    yield Target(".github/agents/worker-agent.agent.md", "file", BLOCK, say.text("agent.md.j2", description=say.description()))
    if say.seen.found:
        body = say.bullets([("description", say.description()), ("applyTo", ",".join(say.files()))])
        yield Target(".github/instructions/worker.instructions.md", "file", BLOCK, body)


def gates(say: Say, ci: Collection[str], pre_commit: bool) -> Iterator[Target]:
    """Gates that are asked for, and those that are ours already."""
    if "github" in ci or GITHUB in say.seen.ours:
        yield Target(GITHUB, "file", BLOCK, say.text("github.yml.j2"))
    if "gitlab" in ci or GITLAB in say.seen.ours:
        yield Target(GITLAB, "block", BLOCK, say.text("gitlab.yml.j2"))
    if (pre_commit or PRE_COMMIT in say.seen.ours) and say.seen.hooks_indent is not None:
        is_new = say.seen.hooks_indent < 0
        indent = " " * (2 if is_new else say.seen.hooks_indent)
        yield Target(PRE_COMMIT, "block", BLOCK, say.text("pre-commit.yml.j2", is_new=is_new, indent=indent))
