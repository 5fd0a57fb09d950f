"""Events of each client as it documents or records them, the answers it hands on, and where its hook is declared."""

from __future__ import annotations

import json
import shlex
import sys

import pytest

from guardrails.instruct import hooks, json_
from guardrails.instruct.hooks import Event, answer, event, hook_targets

PATCH = """*** Begin Patch
*** Update File: shop/tasks.py
@@ def settle(pk):
-    charge(pk)
+    charge(pk, key=pk)
*** Add File: shop/refunds.py
+LIMIT = 1
*** Delete File: shop/old.py
*** Update File: shop/a.py
*** Move to: shop/b.py
*** End Patch"""

# client, what it sends after an edit, the files that it names
EDITS = [
    pytest.param(
        "claude",
        {
            "session_id": "abc123", "transcript_path": "/t/abc123.jsonl", "cwd": "/repo", "permission_mode": "default",
            "hook_event_name": "PostToolUse", "tool_name": "Write", "tool_use_id": "toolu_01ABC123",
            "tool_input": {"file_path": "/repo/shop/tasks.py", "content": "LIMIT = 1\n"},
            "tool_response": {"filePath": "/repo/shop/tasks.py", "success": True},
        },
        ("/repo/shop/tasks.py",),
        id="Claude Code writes a file",
    ),
    pytest.param(
        "claude",
        {"cwd": "/repo", "hook_event_name": "PostToolUse", "tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_response": {}},
        (),
        id="Claude Code runs a command",
    ),
    pytest.param(
        "codex",
        {
            "session_id": "0199", "turn_id": "7", "transcript_path": None, "cwd": "/repo", "hook_event_name": "PostToolUse", "model": "m",
            "permission_mode": "default", "tool_name": "apply_patch", "tool_use_id": "call_1", "tool_input": {"command": PATCH},
            "tool_response": "Success. Updated the following files:\nM shop/tasks.py\n",
        },
        ("shop/tasks.py", "shop/refunds.py", "shop/a.py", "shop/b.py"),
        id="Codex applies a patch",
    ),
    pytest.param(
        "copilot",
        {
            "timestamp": 1704614700000, "cwd": "/repo", "toolName": "edit", "toolArgs": '{"path": "/repo/shop/tasks.py", "old_str": "a"}',
            "toolResult": {"resultType": "success", "textResultForLlm": "File edited"},
        },
        ("/repo/shop/tasks.py",),
        id="Copilot edits, with its arguments in a string",
    ),
    pytest.param(
        "copilot",
        {"cwd": "/repo", "toolName": "create", "toolArgs": {"path": "shop/new.py"}, "toolResult": {"resultType": "success"}},
        ("shop/new.py",),
        id="Copilot creates, with its arguments in an object",
    ),
    pytest.param(
        "copilot",
        {"cwd": "/repo", "toolName": "view", "toolArgs": '{"path": "shop/tasks.py"}', "toolResult": {"resultType": "success"}},
        (),
        id="Copilot looks at a file",
    ),
    pytest.param(
        "copilot",
        {"cwd": "/repo", "toolName": "edit", "toolArgs": '{"path": "shop/tasks.py"}', "toolResult": {"resultType": "denied"}},
        (),
        id="Copilot may not edit",
    ),
    pytest.param(
        "copilot",
        {
            "cwd": "/repo", "hook_event_name": "PostToolUse", "tool_name": "multi_replace_string_in_file",
            "tool_input": {"replacements": [{"filePath": "/repo/shop/a.py"}, {"filePath": "/repo/shop/b.py"}]},
        },
        ("/repo/shop/a.py", "/repo/shop/b.py"),
        id="Copilot in VS Code edits several files",
    ),
    pytest.param("copilot", {"cwd": "/repo", "toolName": "apply_patch", "toolArgs": PATCH.partition("*** Add")[0]}, ("shop/tasks.py",),
                 id="Copilot applies a patch"),
    pytest.param(
        "gemini",
        {
            "session_id": "s", "transcript_path": "/t.json", "cwd": "/repo", "hook_event_name": "AfterTool", "timestamp": "2026-06-01",
            "tool_name": "replace", "tool_input": {"file_path": "/repo/shop/tasks.py", "old_string": "a", "new_string": "b"},
            "tool_response": {"llmContent": "ok", "returnDisplay": "ok"},
        },
        ("/repo/shop/tasks.py",),
        id="Gemini replaces in a file",
    ),
    pytest.param(
        "cursor",
        {
            "conversation_id": "c1", "generation_id": "g1", "hook_event_name": "afterFileEdit", "workspace_roots": ["/repo"],
            "file_path": "/repo/shop/tasks.py", "edits": [{"old_string": "a", "new_string": "b"}],
        },
        ("/repo/shop/tasks.py",),
        id="Cursor edits a file",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("client", "sent", "files"), EDITS)
def test_an_event_names_the_edited_files(client: str, sent: dict[str, object], files: tuple[str, ...]) -> None:
    found = event(client, json.dumps(sent).encode())
    assert found.files == files
    assert found.folder == "/repo"


def test_cursor_waits_for_the_end_of_the_turn() -> None:
    stop = {"conversation_id": "c1", "hook_event_name": "stop", "workspace_roots": ["/repo"], "status": "completed", "loop_count": 0}
    assert event("cursor", json.dumps(stop).encode()) == Event("/repo", session="c1", ends=True, name="stop")
    assert not event("cursor", json.dumps({**stop, "status": "aborted"}).encode()).ends


@pytest.mark.parametrize("sent", [b"", b"no", b"[1]", b"null", b'"a"', b"\xff\xfe", b"[" * 100_000])
@pytest.mark.parametrize("client", hooks.CLIENTS)
def test_what_is_no_event_is_said_in_a_sentence(client: str, sent: bytes) -> None:
    with pytest.raises(ValueError, match="standard input holds no JSON"):
        event(client, sent)


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"tool_name": 1, "tool_input": []},
        {"tool_name": ["Edit"], "tool_input": {"file_path": "a.py"}},
        {"tool_name": "Edit"},
        {"tool_name": "Edit", "tool_input": {"file_path": 3, "path": ""}},
        {"tool_name": "Edit", "tool_input": "{broken", "cwd": None},
        {"tool_name": "Edit", "tool_input": [[[[[["*** Add File: a.py"]]]]]]},
        {"hook_event_name": {}, "workspace_roots": "x", "file_path": []},
        {"workspace_roots": [1, None], "file_path": {}},
    ],
)
@pytest.mark.parametrize("client", hooks.CLIENTS)
def test_an_event_of_another_form_names_no_files(client: str, sent: dict[str, object]) -> None:
    assert event(client, json.dumps(sent).encode()).files == ()


@pytest.mark.parametrize(
    ("client", "name", "wanted"),
    [
        ("claude", "PostToolUse", {"hookSpecificOutput": {"hookEventName": "PostToolUse", "additionalContext": "é\n"}}),
        ("codex", "PostToolUse", {"hookSpecificOutput": {"hookEventName": "PostToolUse", "additionalContext": "é\n"}}),
        ("copilot", "", {"additionalContext": "é\n"}),
        ("copilot", "PostToolUse", {"hookSpecificOutput": {"hookEventName": "PostToolUse", "additionalContext": "é\n"}}),
        ("gemini", "AfterTool", {"hookSpecificOutput": {"hookEventName": "AfterTool", "additionalContext": "é\n"}}),
        ("cursor", "stop", {"followup_message": "é\n"}),
    ],
)
def test_an_answer_has_the_form_of_its_client(client: str, name: str, wanted: dict[str, object]) -> None:
    said = answer(client, Event(name=name), "é\n")
    assert json.loads(said) == wanted
    assert "\n" not in said


@pytest.mark.parametrize("client", hooks.CLIENTS)
def test_a_hook_calls_this_installation_apart_from_the_folder(client: str) -> None:
    (target,) = hook_targets([client])
    calls = [one["command"] if "command" in one else one["bash"] for one in _hooks(json.loads(target.body)["hooks"])]
    assert calls == [hooks.command(client)] * len(calls)
    assert shlex.split(calls[0]) == [sys.executable, "-I", "-m", "guardrails", "hook", "--client", client]
    assert json_.is_ours(json.loads(target.body))


def _hooks(value: object) -> list[dict[str, str]]:
    """The innermost entries."""
    if isinstance(value, dict) and ("command" in value or "bash" in value):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for one in inner for found in _hooks(one)]


def test_each_client_has_its_own_file_and_units() -> None:
    bodies = {target.path: json.loads(target.body) for target in hook_targets(["codex", "copilot", "gemini", "cursor"])}
    assert set(bodies) == {".codex/hooks.json", ".github/hooks/guardrails.json", ".gemini/settings.json", ".cursor/hooks.json"}
    assert bodies[".github/hooks/guardrails.json"]["version"] == 1
    assert bodies[".github/hooks/guardrails.json"]["hooks"]["postToolUse"][0]["timeoutSec"] == hooks.SECONDS
    assert bodies[".gemini/settings.json"]["hooks"]["AfterTool"][0]["hooks"][0]["timeout"] == hooks.SECONDS * 1000
    assert bodies[".codex/hooks.json"]["hooks"]["PostToolUse"][0]["matcher"] == "apply_patch"
    assert set(bodies[".cursor/hooks.json"]["hooks"]) == {"afterFileEdit", "stop"}


def test_copilot_reads_the_settings_of_claude_and_gets_no_second_hook() -> None:
    assert [target.path for target in hook_targets(["copilot", "claude"])] == [".claude/settings.json"]


def test_hooks_are_merged_beside_other_entries_and_taken_out_again() -> None:
    for target in hook_targets(["claude", "codex", "gemini", "cursor"]):
        old = '{"model": "m", "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "say done"}]}]}}\n'
        new = json_.put(old, target.body)
        assert json.loads(new)["model"] == "m"
        assert json_.is_ours(json.loads(new))
        assert json_.put(new, target.body) == new
        assert json_.take(new) == old
