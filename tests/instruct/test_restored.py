"""Whatever stands in a project: `init` and then `--remove` gives back the same files, bytes, modes and folders."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from guardrails.instruct import apply, found, json_
from guardrails.instruct.target import Target

HOOK = {"type": "command", "command": "/opt/bin/guardrails hook --client claude", "timeout": 5}
HOOKS: dict[str, Any] = {"version": 1, "hooks": {"PostToolUse": [{"matcher": "Edit|Write", "hooks": [HOOK]}], "Stop": [{"hooks": [HOOK]}]}}
SKILL = '---\nname: worker\ndescription: "Use when."\n---\n\n# Worker\n\nSay `naïve` once.\n'
TARGETS = (
    Target("AGENTS.md", "block", "worker", "## Worker code\n\n- one\n- two — three\n"),
    Target("CLAUDE.md", "block", "worker", "@AGENTS.md\n"),
    Target("services/mail/AGENTS.md", "block", "worker", "## Mail\n"),
    Target(".pre-commit-config.yaml", "block", "worker", "  - repo: local\n"),
    Target(".agents/skills/worker/SKILL.md", "file", "worker", SKILL),
    Target(".agents/skills/worker/references/retry.md", "file", "retry", "# Retry\n"),
    Target(".github/workflows/guardrails.yml", "file", "worker", "name: guardrails\n"),
    Target(".claude/settings.json", "json", "hook", json.dumps(HOOKS)),
    Target(".cursor/hooks.json", "json", "hook", json.dumps(HOOKS)),
)
LINES = (
    "", "", "# Title", "plain text", "- item", "```", "    code", "<!-- BEGIN:other-tool -->", "<!-- END:other-tool -->", "<!--", "---",
    "<!-- guardrails: allow stale-instructions -- it is generated -->", "naïve — ünï", "\x0b", "a\u2028b", "\r", "@AGENTS.md", "a\tb  ",
    "# guardrails: begin with the broker", "<!-- guardrails:begin id=mine v=1 sha=ba7816bf8f01 -->\nabc\n<!-- guardrails:end id=mine -->",
)  # fmt: skip
KEYS = ("hooks", "PostToolUse", "Stop", "version", "permissions", "a b", "ü")
SPACES = ("", " ", "\n", "\n  ", "\r\n\t", "\n\n    ", "  ")


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """A file as somebody may have written it: any line ends, with or without one at the end, in any encoding."""
    ends = draw(st.sampled_from(["\n", "\r\n", "\r\n", "mixed"]))
    lines = draw(st.lists(st.sampled_from(LINES), max_size=8).filter(lambda lines: sum("id=mine" in line for line in lines) < 2))
    parts = [line + (draw(st.sampled_from(["\n", "\r\n", "\r"])) if ends == "mixed" else ends) for line in lines]
    text = "".join(parts)
    text = text if draw(st.booleans()) else text.rstrip("\r\n")
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le", "utf-32", "cp1252"]))
    return text.encode(encoding, "replace") + draw(st.sampled_from([b"", b"", b"", b"\xff\xfe", b"\0"]))


@st.composite
def jsons(draw: st.DrawFn) -> bytes:
    """A JSON file in any style: with other hooks, empty containers, tabs, CRLF, a BOM."""
    indent = draw(st.sampled_from([None, 2, 4, "\t", "wild"]))
    leaves = st.sampled_from([True, None, 1, 1.5, "x", "guardrails", 'quo"ted \\ ü', "other hook --client"])
    value = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3))
    group = st.fixed_dictionaries(
        {"matcher": st.just("Bash"), "hooks": st.lists(st.just({"type": "command", "command": "lint"}), max_size=2)}
    )
    events = st.dictionaries(st.sampled_from(["PostToolUse", "Stop", "Other"]), st.lists(group, max_size=2), max_size=3)
    root = draw(st.dictionaries(st.sampled_from(KEYS), value, max_size=3))
    if draw(st.booleans()):
        root["hooks"] = draw(events)
    if draw(st.booleans()):
        root["version"] = 1
    text = _wild(draw, root) if indent == "wild" else json.dumps(root, indent=indent, ensure_ascii=draw(st.booleans()))
    text = draw(st.sampled_from(["", "\n"])) + text + draw(st.sampled_from(["", "\n", "\n\n", " "]))
    text = text.replace("\n", "\r\n") if draw(st.booleans()) else text
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16"])))


def _wild(draw: st.DrawFn, value: Any) -> str:
    def space() -> str:
        return draw(st.sampled_from(SPACES))

    if isinstance(value, dict):
        inner = ",".join(f"{space()}{json.dumps(key)}{space()}:{space()}{_wild(draw, one)}{space()}" for key, one in value.items())
        return "{" + (inner or space()) + "}"
    if isinstance(value, list):
        return "[" + (",".join(space() + _wild(draw, one) + space() for one in value) or space()) + "]"
    return json.dumps(value)


PATHS = [target.path for target in TARGETS]
TREES = st.fixed_dictionaries(
    {},
    optional={path: jsons() if path.endswith(".json") else texts() for path in PATHS}
    | {".agents/skills/other/SKILL.md": texts(), ".github/README.md": texts()},
)
FOLDERS = st.sets(
    st.sampled_from(
        [".github", ".claude", ".cursor", ".agents/skills", ".agents/skills/worker/references", "services/mail", ".github/workflows"]
    )
)


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    """Every file with its mode and bytes, every folder."""
    return {
        path.relative_to(root).as_posix(): (path.stat().st_mode, path.read_bytes() if path.is_file() else b"") for path in root.rglob("*")
    }


def build(root: Path, files: Mapping[str, bytes], folders: set[str]) -> None:
    for folder in folders:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)


def init(root: Path, targets: tuple[Target, ...]) -> list[str]:
    """Writes as the command would once what is refused was left out; what was planned."""
    planned = [change for change in apply.plan(root, targets) if change.state != "refused"]
    apply.write(root, planned)
    return [change.state for change in planned]


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=TREES, folders=FOLDERS, later=st.integers(0, len(TARGETS)))
@example(files={"AGENTS.md": b""}, folders={".github"}, later=0)
@example(files={".cursor/hooks.json": b'{\n  "version": 1\n}\n'}, folders={".claude"}, later=4)
def test_init_and_remove_give_back_the_same_tree(files: dict[str, bytes], folders: set[str], later: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        build(root, files, folders)
        before = snapshot(root)
        mine = [(one.path, one.id) for one in found.managed(root)]
        init(root, TARGETS[:later])
        init(root, TARGETS)
        written = snapshot(root)
        for path, data in files.items():
            after = (root / path).read_bytes()
            assert _holds_ours(data, after) if path.endswith(".json") else after.startswith(data)
        assert set(init(root, TARGETS)) <= {"unchanged", "left"}
        assert snapshot(root) == written
        gone = [one for one in found.managed(root) if not one.fault and (one.path, one.id) not in mine]
        apply.write(root, apply.plan(root, (), gone=gone))
        assert snapshot(root) == before


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(files=TREES, folders=FOLDERS)
def test_a_new_rendering_leaves_what_is_around_it(files: dict[str, bytes], folders: set[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        build(root, files, folders)
        before = snapshot(root)
        mine = [(one.path, one.id) for one in found.managed(root)]
        init(root, TARGETS)
        init(root, tuple(_newer(target) for target in TARGETS))
        gone = [one for one in found.managed(root) if not one.fault and (one.path, one.id) not in mine]
        apply.write(root, apply.plan(root, (), gone=gone))
        assert snapshot(root) == before


def _holds_ours(before: bytes, after: bytes) -> bool:
    """Our hooks stand there as they shall, once, and all that was there before; or nothing was changed."""
    if after == before:
        return True
    old, new = (json.loads(data) for data in (before, after))
    for event, groups in HOOKS["hooks"].items():
        assert [group for group in new["hooks"][event] if json_.is_ours(group)] == groups
        assert [group for group in new["hooks"][event] if not json_.is_ours(group)] == old.get("hooks", {}).get(event, [])
    others = [{key: value for key, value in root.items() if key != "hooks"} for root in (old, new)]
    return others[0] == others[1] or (not old and others[1] == {"version": 1})


def _newer(target: Target) -> Target:
    body = target.body.replace('"timeout": 5', '"timeout": 9') if target.kind == "json" else target.body + "\n- more\n"
    return Target(target.path, target.kind, target.id, body)
