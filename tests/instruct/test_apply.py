"""Managed blocks, whole files and hook entries: what is written, what is refused, and that nothing is ever written half."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from guardrails.instruct import apply, blocks, disk, found, json_, marks, whole
from guardrails.instruct.changes import EDITED, Change
from guardrails.instruct.target import Target

BLOCK = Target("AGENTS.md", "block", "worker", "## Worker code\n\n- one\n")
SKILL = Target(".agents/skills/worker/SKILL.md", "file", "worker", '---\nname: worker\ndescription: "Use when."\n---\n\n# Worker\n')
OURS = "'/opt/my tools/guardrails' hook --client claude"
HOOK = {"hooks": {"PostToolUse": [{"matcher": "Edit|Write", "hooks": [{"type": "command", "command": OURS}]}]}}
HOOKS = Target(".claude/settings.json", "json", "hook", json.dumps(HOOK))
BEGIN, END = "<!-- guardrails:begin id=worker v=1 sha=0123456789ab -->\n", "<!-- guardrails:end id=worker -->\n"


def init(root: Path, *targets: Target, force: bool = False) -> list[Change]:
    changes = apply.plan(root, targets, force=force)
    apply.write(root, changes)
    return changes


def remove(root: Path) -> None:
    apply.write(root, apply.plan(root, (), gone=found.managed(root)))


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_new_file_holds_nothing_but_the_block(tmp_path: Path) -> None:
    assert [change.state for change in init(tmp_path, BLOCK)] == ["written"]
    text = (tmp_path / "AGENTS.md").read_text()
    assert text == f"<!-- guardrails:begin id=worker v=1 sha={marks.sha(BLOCK.body)} -->\n\n{BLOCK.body}\n{END}"


def test_a_block_is_added_behind_what_is_there_in_its_line_ends(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_bytes(b"\xef\xbb\xbf# Mine\r\n\r\nlast line")
    init(tmp_path, BLOCK)
    data = (tmp_path / "AGENTS.md").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf# Mine\r\n\r\nlast line\r\n\r\n<!-- guardrails:begin id=worker")
    assert data.count(b"\n") == data.count(b"\r\n")


def test_a_file_in_utf_16_gets_its_block_in_utf_16(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_bytes("# Mine\n".encode("utf-16"))
    init(tmp_path, BLOCK)
    assert (tmp_path / "AGENTS.md").read_bytes().decode("utf-16").startswith("# Mine\n\n<!-- guardrails:begin")


def test_a_file_that_is_no_text_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_bytes("# Mine\n".encode("utf-16-le"))
    (change,) = init(tmp_path, BLOCK)
    assert (change.state, change.why) == ("left", "it is no text in an encoding that is known")


def test_a_new_rendering_replaces_the_block_where_it_stands(tmp_path: Path) -> None:
    init(tmp_path, BLOCK)
    path = tmp_path / "AGENTS.md"
    path.write_text("above\n" + path.read_text() + "below, no line end")
    newer = Target(BLOCK.path, "block", "worker", "two\n")
    assert [change.state for change in init(tmp_path, newer)] == ["updated"]
    text = path.read_text()
    assert text.startswith("above\n<!-- guardrails:begin")
    assert text.endswith(f"\n\ntwo\n\n{END}below, no line end")
    assert [change.state for change in init(tmp_path, newer)] == ["unchanged"]
    remove(tmp_path)
    assert path.read_text() == "above\nbelow, no line end"


def test_line_ends_that_git_changed_are_no_change_by_hand(tmp_path: Path) -> None:
    init(tmp_path, BLOCK, SKILL)
    for path in ("AGENTS.md", SKILL.path):
        (tmp_path / path).write_bytes((tmp_path / path).read_bytes().replace(b"\n", b"\r\n"))
    assert [change.state for change in init(tmp_path, BLOCK, SKILL)] == ["unchanged", "unchanged"]


def test_a_block_that_was_changed_by_hand_is_refused_and_nothing_at_all_is_written(tmp_path: Path) -> None:
    init(tmp_path, BLOCK)
    path = tmp_path / "AGENTS.md"
    path.write_text(path.read_text().replace("- one", "- my own"))
    before = files(tmp_path)
    changes = apply.plan(tmp_path, (SKILL, BLOCK))
    assert [(change.state, change.why) for change in changes] == [("written", ""), ("refused", EDITED)]
    with pytest.raises(disk.Unwritten, match="changed by hand"):
        apply.write(tmp_path, changes)
    assert files(tmp_path) == before


def test_force_keeps_what_was_changed_by_hand_in_a_backup_of_a_free_name(tmp_path: Path) -> None:
    init(tmp_path, BLOCK, SKILL)
    mine = (tmp_path / "AGENTS.md").read_text().replace("- one", "- my own")
    (tmp_path / "AGENTS.md").write_text(mine)
    (tmp_path / "AGENTS.md.bak").write_text("an older one")
    init(tmp_path, BLOCK, SKILL, force=True)
    assert (tmp_path / "AGENTS.md.bak").read_text() == "an older one"
    assert (tmp_path / "AGENTS.md.bak1").read_text() == mine
    assert "- one" in (tmp_path / "AGENTS.md").read_text()


def test_an_edit_that_says_what_shall_stand_there_is_taken_as_it_is(tmp_path: Path) -> None:
    init(tmp_path, BLOCK)
    newer = Target(BLOCK.path, "block", "worker", "two\n")
    path = tmp_path / "AGENTS.md"
    path.write_text(path.read_text().replace(BLOCK.body, newer.body))
    assert [change.state for change in init(tmp_path, newer)] == ["updated"]
    assert not blocks.blocks(path.read_text())[0].is_edited


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BEGIN + "x\n", "the block worker begins in line 1 and ends nowhere"),
        ("x\n" + END, "the block worker ends in line 2 and begins nowhere"),
        (BEGIN + END + BEGIN + END, "the block worker stands there twice, the second time in line 3"),
        (BEGIN + BEGIN.replace("worker", "other") + END + END, "the block other begins in line 2, inside the block worker"),
        (BEGIN + END.replace("worker", "other"), "the block worker of line 1 ends in line 2 as other"),
        (BEGIN.replace(" sha=0123456789ab", "") + END, "the guardrails marker in line 1 is broken"),
        ("x\n  " + BEGIN.replace("-->", "- ->") + END, "the guardrails marker in line 2 is broken"),
        (BEGIN.replace("v=1", "v=2") + END, "the guardrails marker in line 1 was written by a newer version of guardrails"),
    ],
)
def test_markers_that_nobody_can_read_are_refused(tmp_path: Path, text: str, why: str) -> None:
    (tmp_path / "AGENTS.md").write_text(text)
    for force in (False, True):
        (change,) = apply.plan(tmp_path, (BLOCK,), force=force)
        assert (change.state, change.why) == ("refused", why)
    assert [one.fault for one in found.managed(tmp_path)] == [why]


def test_a_marker_in_the_middle_of_a_line_is_prose() -> None:
    assert blocks.blocks("It starts with `<!-- guardrails:begin id=worker`.\n# Guardrails: end to end\n") == []


def test_blocks_of_others_and_other_blocks_of_ours_stay(tmp_path: Path) -> None:
    path = tmp_path / "AGENTS.md"
    path.write_text("<!-- BEGIN:next -->\nx\n<!-- END:next -->\n" + blocks.put("AGENTS.md", None, "other", "- other"))
    before = path.read_bytes()
    init(tmp_path, BLOCK)
    assert path.read_bytes().startswith(before)
    assert [one.id for one in blocks.blocks(path.read_text())] == ["other", "worker"]


def test_the_marker_of_a_whole_file_stands_behind_its_front_matter(tmp_path: Path) -> None:
    init(tmp_path, SKILL)
    lines = (tmp_path / SKILL.path).read_text().split("\n")
    assert lines[:4] == ["---", "name: worker", 'description: "Use when."', "---"]
    assert lines[4:8] == ["", f"<!-- guardrails:file id=worker v=1 sha={whole_sha(tmp_path)} -->", "", "# Worker"]


def whole_sha(root: Path) -> str:
    file = whole.whole((root / SKILL.path).read_text())
    assert file is not None
    assert not file.is_edited
    return file.mark.sha


def test_the_marker_in_yaml_is_a_comment_and_a_document_start_is_no_front_matter(tmp_path: Path) -> None:
    target = Target(".github/workflows/guardrails.yml", "file", "worker", "---\nname: x\n---\ny: 1\n")
    init(tmp_path, target)
    assert (tmp_path / target.path).read_text().startswith("# guardrails:file id=worker v=1 sha=")


@pytest.mark.parametrize("edit", [("name: worker", "name: mine"), ("# Worker", "# Mine"), ("# Worker\n", "# Worker\n\nmore\n")])
def test_any_change_of_a_whole_file_is_one_by_hand(tmp_path: Path, edit: tuple[str, str]) -> None:
    init(tmp_path, SKILL)
    path = tmp_path / SKILL.path
    path.write_text(path.read_text().replace(*edit))
    newer = Target(SKILL.path, "file", "worker", SKILL.body + "\nnew\n")
    for target in (SKILL, newer):
        assert [(change.state, change.why) for change in apply.plan(tmp_path, (target,))] == [("refused", EDITED)]
    (gone,) = apply.plan(tmp_path, (), gone=found.managed(tmp_path))
    assert (gone.state, gone.why) == ("refused", EDITED)


def test_a_file_without_our_marker_is_never_overwritten_and_the_others_are_written(tmp_path: Path) -> None:
    path = tmp_path / SKILL.path
    path.parent.mkdir(parents=True)
    path.write_text("---\nname: worker\n---\nmine\n")
    states = [change.state for change in init(tmp_path, SKILL, BLOCK, force=True)]
    assert states == ["left", "written"]
    assert path.read_text().endswith("mine\n")


def test_hooks_are_merged_and_other_entries_stay(tmp_path: Path) -> None:
    path = tmp_path / HOOKS.path
    path.parent.mkdir()
    mine = '{\n\t"model": "x",\n\t"hooks": {\n\t\t"PostToolUse": [\n\t\t\t{"matcher": "Bash", "hooks": []}\n\t\t]\n\t}\n}'
    path.write_text(mine)
    init(tmp_path, HOOKS)
    groups = json.loads(path.read_text())["hooks"]["PostToolUse"]
    assert groups == [{"matcher": "Bash", "hooks": []}, *HOOK["hooks"]["PostToolUse"]]
    assert path.read_text().startswith(mine[: mine.index("}\n\t\t]")])
    assert [change.state for change in init(tmp_path, HOOKS)] == ["unchanged"]
    remove(tmp_path)
    assert path.read_text() == mine


def test_a_newer_hook_replaces_ours_and_keeps_what_somebody_put_beside_it(tmp_path: Path) -> None:
    path = tmp_path / HOOKS.path
    init(tmp_path, HOOKS)
    value = json.loads(path.read_text())
    theirs = {"type": "command", "command": "make guardrails-hooks"}
    value["hooks"]["PostToolUse"][0]["hooks"].append(theirs)
    path.write_text(json.dumps(value))
    newer = Target(HOOKS.path, "json", "hook", HOOKS.body.replace("Edit|Write", "Write"))
    init(tmp_path, newer)
    groups = json.loads(path.read_text())["hooks"]["PostToolUse"]
    assert groups == [{"matcher": "Edit|Write", "hooks": [theirs]}, *json.loads(newer.body)["hooks"]["PostToolUse"]]
    remove(tmp_path)
    assert json.loads(path.read_text()) == {"hooks": {"PostToolUse": [{"matcher": "Edit|Write", "hooks": [theirs]}]}}


def test_hooks_that_a_formatter_set_anew_are_current(tmp_path: Path) -> None:
    init(tmp_path, HOOKS)
    path = tmp_path / HOOKS.path
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert [change.state for change in init(tmp_path, HOOKS)] == ["unchanged"]


def test_a_setting_beside_our_hooks_keeps_the_file(tmp_path: Path) -> None:
    init(tmp_path, HOOKS)
    path = tmp_path / HOOKS.path
    path.write_text(path.read_text().rstrip().removesuffix("}").rstrip() + ',\n  "model": "x"\n}\n')
    remove(tmp_path)
    assert json.loads(path.read_text()) == {"model": "x"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "it is no valid JSON (line 1"),
        ("", "it is no valid JSON (line 1"),
        ('{"a": 1, // note\n}', "it is no valid JSON (line 1"),
        ('{"a": NaN}', "it is no valid JSON"),
        ("[" * 100_000, "it is no valid JSON"),
        ("[]", "it holds no JSON object"),
        ('{"a": ' + "[" * 500 + "]" * 500 + "}", "it is nested too deeply"),
        ('{"hooks": []}', 'its "hooks" is no object'),
        ('{"hooks": {"PostToolUse": {}}}', 'its "PostToolUse" is no list'),
        ('{"hooks": {}, "hooks": {}}', 'it has "hooks" twice'),
    ],
)
def test_a_hook_file_that_cannot_be_merged_into_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / HOOKS.path
    path.parent.mkdir()
    path.write_text(text)
    (change,) = apply.plan(tmp_path, (HOOKS,), force=True)
    assert change.state == "refused"
    assert change.why.startswith(why)


@pytest.mark.parametrize(
    "command", ["guardrails hook --client claude", "/a/python -I -m guardrails hook", 'C:\\x\\guardrails.exe" hook --client x']
)
def test_our_hooks_are_known_by_their_command(command: str) -> None:
    assert json_.is_ours({"hooks": [{"command": command}]})


@pytest.mark.parametrize("command", ["guardrails check", "my-guardrails hook", "guardrails hooks", "guardrails-hook x"])
def test_other_hooks_are_not_ours(command: str) -> None:
    assert not json_.is_ours([{"command": command}])


@pytest.mark.parametrize("path", ["../out.md", "/etc/out.md", "a/../../out.md", ""])
def test_nothing_is_written_outside_of_the_root(tmp_path: Path, path: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (change,) = init(root, Target(path, "block", "worker", "x"))
    assert (change.state, change.why) == ("left", "it lies outside of the project")
    assert files(tmp_path) == {}


def test_nothing_is_written_through_links(tmp_path: Path) -> None:
    root, out = tmp_path / "root", tmp_path / "out"
    for folder in (root, out):
        folder.mkdir()
    (out / "AGENTS.md").write_text("theirs")
    (root / "AGENTS.md").symlink_to(out / "AGENTS.md")
    (root / ".agents").symlink_to(out)
    (root / ".claude").symlink_to(out / "nowhere")
    changes = init(root, BLOCK, SKILL, HOOKS)
    assert [change.state for change in changes] == ["left"] * 3
    assert [change.why for change in changes] == [f"it is a link to {out / 'AGENTS.md'}", ".agents is a link", ".claude is a link"]
    assert files(out) == {"AGENTS.md": b"theirs"}


def test_a_file_where_a_folder_should_be_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / ".agents").write_text("mine")
    (tmp_path / "AGENTS.md").mkdir()
    assert [change.why for change in init(tmp_path, SKILL, BLOCK)] == [".agents is no folder", "it is no plain file"]


def test_a_read_only_file_is_refused_only_where_it_is_to_change(tmp_path: Path) -> None:
    init(tmp_path, BLOCK)
    (tmp_path / "AGENTS.md").chmod(0o444)
    assert [change.state for change in apply.plan(tmp_path, (BLOCK,))] == ["unchanged"]
    (change,) = apply.plan(tmp_path, (Target("AGENTS.md", "block", "worker", "new"),), force=True)
    assert (change.state, change.why) == ("refused", "it is read-only")


@pytest.mark.parametrize("fails", range(1, 7))
def test_a_disk_that_says_no_in_the_middle_leaves_everything_as_it_was(tmp_path: Path, fails: int, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "AGENTS.md").write_text("# Mine\n")
    (tmp_path / "CLAUDE.md").write_text(blocks.put("CLAUDE.md", None, "worker", "@AGENTS.md"))
    before, folders = files(tmp_path), sorted(tmp_path.rglob("*"))
    gone = found.managed(tmp_path)
    changes = apply.plan(tmp_path, (BLOCK, SKILL, HOOKS), gone=gone)
    calls = 0
    lay, replace = disk.lay, Path.replace

    def laid(target: Path, data: bytes) -> Path:
        count()
        return lay(target, data)

    def replaced(self: Path, target: Path) -> Path:
        count()
        return replace(self, target)

    def count() -> None:
        nonlocal calls
        calls += 1
        if calls == fails:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "lay", laid)
    monkeypatch.setattr(Path, "replace", replaced)
    with pytest.raises(disk.Unwritten, match="no space left on device; nothing was written"):
        apply.write(tmp_path, changes)
    assert files(tmp_path) == before
    assert sorted(tmp_path.rglob("*")) == folders


def test_a_file_that_changed_meanwhile_is_not_written(tmp_path: Path) -> None:
    changes = apply.plan(tmp_path, (BLOCK, SKILL))
    (tmp_path / "AGENTS.md").write_text("somebody else's")
    with pytest.raises(disk.Unwritten, match=r"AGENTS\.md was changed while it was looked at"):
        apply.write(tmp_path, changes)
    assert files(tmp_path) == {"AGENTS.md": b"somebody else's"}


def test_a_folder_that_became_a_link_meanwhile_is_not_written_through(tmp_path: Path) -> None:
    root, out = tmp_path / "root", tmp_path / "out"
    root.mkdir()
    out.mkdir()
    changes = apply.plan(root, (SKILL,))
    (root / ".agents").symlink_to(out)
    with pytest.raises(disk.Unwritten):
        apply.write(root, changes)
    assert list(out.iterdir()) == []


def test_modes_stay_and_new_files_have_those_of_the_place(tmp_path: Path) -> None:
    (tmp_path / "AGENTS.md").write_text("# Mine\n")
    (tmp_path / "AGENTS.md").chmod(0o640)
    init(tmp_path, BLOCK, SKILL)
    mask = os.umask(0)
    os.umask(mask)
    assert (tmp_path / "AGENTS.md").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / SKILL.path).stat().st_mode & 0o777 == 0o666 & ~mask


def test_what_of_ours_stands_somewhere_is_found_by_its_markers(tmp_path: Path) -> None:
    targets = (
        BLOCK,
        SKILL,
        HOOKS,
        Target("services/a/AGENTS.md", "block", "worker", "x"),
        Target("dist/AGENTS.md", "block", "worker", "x"),
    )
    init(tmp_path, *targets)
    (tmp_path / "vendored/.git").mkdir(parents=True)
    init(tmp_path / "vendored", BLOCK)
    assert [one.path for one in found.managed(tmp_path, ["/dist/"])] == [
        ".agents/skills/worker/SKILL.md", ".claude/settings.json", "AGENTS.md", "services/a/AGENTS.md",
    ]  # fmt: skip
