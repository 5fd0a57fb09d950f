"""The edit hooks of coding agents: which files an event says were edited, how the answer reaches the model, where a hook is declared.

Each client hands its hook a JSON object on standard input; what is read of it was the same in all versions that are documented:
Claude Code https://code.claude.com/docs/en/hooks, Codex https://developers.openai.com/codex/hooks, Copilot
https://docs.github.com/en/copilot/reference/hooks-configuration, Gemini https://geminicli.com/docs/hooks/reference, Cursor
https://cursor.com/docs/agent/hooks.
"""

from __future__ import annotations

import json
import re
import shlex
import site
import sys
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

from guardrails.instruct.target import Target

CLIENTS = ("claude", "codex", "copilot", "gemini", "cursor")
SECONDS = 20  # after which a client stops the hook: far more than it takes
# Tools that edit files, as the clients call them.
EDITS = frozenset(
    "Edit MultiEdit Write NotebookEdit apply_patch edit create write multi_edit str_replace str_replace_editor insert write_file replace "
    "create_file insert_edit_into_file replace_string_in_file multi_replace_string_in_file editFiles".split()
)
MOST_FILES = 20
_KEYS = ("file_path", "filePath", "notebook_path", "path")
_PATCHED = re.compile(r"^\*\*\* (?:Update File|Add File|Move to): (.+?)\r?$", re.MULTILINE)


class Event(msgspec.Struct, frozen=True):
    """Files that an agent edited, as they were named, in a session that runs in `folder`.

    `waits`: the client tells the model nothing at this event, so the files are kept for the end of the turn, by `session`; `ends`: this
    is the end of the turn.
    """

    folder: str = ""
    files: tuple[str, ...] = ()
    session: str = ""
    waits: bool = False
    ends: bool = False
    name: str = ""


def event(client: str, text: bytes) -> Event:
    """What an event says. Raises `ValueError` for what is no event; one of another kind names no files."""
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("standard input holds no JSON") from None
    if not isinstance(said, dict):
        raise ValueError("standard input holds no JSON object")
    return _cursor(said) if client == "cursor" else _edited(said)


def _edited(said: Mapping[str, Any]) -> Event:
    """An event of a client that tells the tool and its arguments."""
    tool = said.get("tool_name", said.get("toolName"))
    result = said.get("toolResult")
    failed = isinstance(result, dict) and result.get("resultType") in ("failure", "denied")
    given = said.get("tool_input", said.get("toolArgs"))
    files = tuple(dict.fromkeys(_files(_object(given)))) if isinstance(tool, str) and tool in EDITS and not failed else ()
    return Event(_text(said, "cwd"), files[:MOST_FILES], name=_text(said, "hook_event_name"))


def _cursor(said: Mapping[str, Any]) -> Event:
    """Cursor tells of each edit, but listens at the end of the turn only."""
    roots = said.get("workspace_roots")
    folder = next((root for root in roots if isinstance(root, str)), "") if isinstance(roots, list) else ""
    session, name = _text(said, "conversation_id"), _text(said, "hook_event_name")
    if name == "stop":
        return Event(folder, session=session, ends=_text(said, "status") in ("", "completed"), name=name)
    edited = _text(said, "file_path")
    return Event(folder, (edited,) if edited and name in ("", "afterFileEdit") else (), session, waits=True, name=name)


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""


def _object(given: Any) -> Any:
    """Arguments, which some clients hand over as JSON in a string."""
    if isinstance(given, str) and given.lstrip().startswith(("{", "[")):
        try:
            return json.loads(given)
        except (ValueError, RecursionError):
            return given
    return given


def _files(given: Any, depth: int = 0) -> Iterator[str]:
    """The files that arguments name, by a key or in the text of a patch."""
    if isinstance(given, str):
        yield from _PATCHED.findall(given)
    elif isinstance(given, list) and depth < 3:
        for one in given[:MOST_FILES]:
            yield from _files(one, depth + 1)
    elif isinstance(given, dict):
        yield from (given[key] for key in _KEYS if isinstance(given.get(key), str) and given[key])
        yield from (
            path for key in ("command", "input", "patch", "replacements", "edits", "files") for path in _files(given.get(key), depth + 1)
        )


def answer(client: str, said: Event, text: str) -> str:
    """The JSON by which a client hands a text to the model."""
    if client == "cursor":
        return json.dumps({"followup_message": text}, ensure_ascii=False)
    if client == "copilot" and not said.name:  # its own form; in that of VS Code an event has a name
        return json.dumps({"additionalContext": text}, ensure_ascii=False)
    name = "AfterTool" if client == "gemini" else "PostToolUse"
    return json.dumps({"hookSpecificOutput": {"hookEventName": name, "additionalContext": text}}, ensure_ascii=False)


def hook_targets(agents: Collection[str]) -> tuple[Target, ...]:
    """The hook of each of these clients, as it shall stand in its file. Copilot reads Claude's settings, too, so one entry serves both."""
    wanted = [client for client in CLIENTS if client in agents and not (client == "copilot" and "claude" in agents)]
    return tuple(Target(_FILES[client], "json", "hook", json.dumps(_entry(client), indent=2)) for client in wanted)


_FILES = {
    "claude": ".claude/settings.json", "codex": ".codex/hooks.json", "copilot": ".github/hooks/guardrails.json",
    "gemini": ".gemini/settings.json", "cursor": ".cursor/hooks.json",
}  # fmt: skip


def command(client: str) -> str:
    """The command of a hook: this very installation, whatever stands in the folder in which it is run."""
    return f"{shlex.quote(sys.executable)} {_flag()} -m guardrails hook --client {client}"


def _flag() -> str:
    """Apart from folder and environment, as far as that still finds what is installed for one user only."""
    return "-P" if site.ENABLE_USER_SITE and __file__.startswith(site.getusersitepackages()) else "-I"


def _entry(client: str) -> dict[str, Any]:
    run = {"type": "command", "command": command(client)}
    if client == "copilot":
        powershell = f"& '{sys.executable}' {_flag()} -m guardrails hook --client copilot"
        hook: dict[str, Any] = {"type": "command", "bash": command(client), "powershell": powershell, "timeoutSec": SECONDS}
        return {"version": 1, "hooks": {"postToolUse": [hook]}}
    if client == "cursor":
        hook = {"command": command(client), "timeout": SECONDS}
        return {"version": 1, "hooks": {"afterFileEdit": [hook], "stop": [hook]}}
    if client == "gemini":
        named = {**run, "name": "guardrails", "timeout": SECONDS * 1000}
        return {"hooks": {"AfterTool": [{"matcher": "write_file|replace", "hooks": [named]}]}}
    matcher = "apply_patch" if client == "codex" else "Edit|Write"
    return {"hooks": {"PostToolUse": [{"matcher": matcher, "hooks": [{**run, "timeout": SECONDS}]}]}}
