from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from guardrails import files
from guardrails.files import Tree, discover, find_root, is_deployment, is_test, show
from guardrails.read import LANGUAGES

posix = pytest.mark.skipif(sys.platform == "win32", reason="names and links of POSIX")


def write(root: Path, *names: str, text: str = "x = 1\n") -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def git(root: Path, *args: str) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, *args], cwd=root, env=environment, check=True, capture_output=True)


@pytest.fixture(params=["repository", "plain"])
def root(request, tmp_path):
    """A project, once as a repository and once without git."""
    folder = (tmp_path / "project").resolve()
    folder.mkdir()
    if request.param == "repository":
        git(folder, "init", "-q")
    else:
        write(folder, "pyproject.toml", text="")
    return folder


def found(root: Path, *paths: str, **more) -> Tree:
    return discover(root, [root / path for path in paths], LANGUAGES, **more)


def test_files_of_known_languages_are_found_in_order(root):
    write(root, "b.py", "a/z.ts", "a/README.md", "c.rs", "d.txt")
    assert found(root).paths == ("a/z.ts", "b.py", "c.rs")


def test_gitignore_files_hold_at_every_level(root):
    write(root, ".gitignore", text="/out/\n*.gen.py\n")
    write(root, "a/.gitignore", text="local.py\n!keep.gen.py\n")
    write(root, "a.py", "out/b.py", "a/out/c.py", "a/x.gen.py", "a/keep.gen.py", "a/local.py", "local.py")
    assert found(root).paths == ("a.py", "a/keep.gen.py", "a/out/c.py", "local.py")


def test_folders_that_tools_make_are_skipped_without_git(tmp_path):
    write(
        tmp_path, "a.py", "node_modules/b.js", ".venv/lib/c.py", "x/__pycache__/d.py", "lib/site-packages/e.py", "target/f.rs", "build/g.py"
    )
    write(tmp_path, "Cargo.toml", "sub/target/h.rs", text="")
    assert found(tmp_path, ".").paths == ("a.py", "build/g.py", "sub/target/h.rs")


def test_named_paths_limit_what_is_reported_not_what_is_read(root):
    write(root, "a/one.py", "a/two.py", "b/settings.py")
    tree = found(root, "a")
    assert tree.scope == {"a/one.py", "a/two.py"}
    assert tree.paths == ("a/one.py", "a/two.py", "b/settings.py")
    assert found(root, "a/one.py").scope == {"a/one.py"}
    assert found(root, "a/one.py").named == {"a/one.py"}
    assert not found(root, "a/one.py").partial


def test_outside_of_a_project_only_what_is_named_is_read(tmp_path):
    write(tmp_path, "a/one.py", "b/two.py")
    root = find_root([tmp_path / "a"])
    assert root == (tmp_path / "a").resolve()
    assert found(tmp_path, "a/one.py").paths == ("a/one.py",)
    assert found(tmp_path, "a", "b/two.py").paths == ("a/one.py", "b/two.py")


def test_an_ignored_file_or_folder_that_is_named_is_meant(root):
    write(root, ".gitignore", text="out/\n")
    write(root, "a.py", "out/b.py", "out/c/d.py")
    assert found(root, "out/b.py").scope == {"out/b.py"}
    assert found(root, "out").scope == {"out/b.py", "out/c/d.py"}


def test_excluded_files_are_counted_even_when_they_are_named(root):
    write(root, "a.py", "vendor/b.py")
    tree = found(root, "vendor/b.py", exclude=["/vendor/"])
    assert tree.paths == ("a.py",)
    assert tree.passed_over == {"excluded": 1}


def test_text_that_is_handed_over_stands_in_for_the_file(root):
    write(root, "a.py")
    tree = found(root, contents={"a.py": b"y = 2\n", "new.py": b"z\n"})
    assert tree.load("a.py") == b"y = 2\n"
    assert tree.paths == ("a.py", "new.py")


def test_in_a_large_project_a_single_file_brings_what_it_imports_and_settings(root, monkeypatch):
    monkeypatch.setattr(files, "NEAR_FILES", 4)
    write(
        root,
        *(f"far/away/{number}.py" for number in range(20)),
        "deep/er/conf/settings.py",
        "lib/shop/charge.py",
        "app/x.py",
        "app/tests/t.py",
    )
    write(root, "app/jobs.py", text="from shop.charge import pay\n")
    tree = found(root, "app/jobs.py")
    assert tree.partial
    assert tree.paths == ("app/jobs.py", "app/x.py", "deep/er/conf/settings.py", "lib/shop/charge.py")
    assert not found(root, "app").partial


def test_settings_are_seen_however_many_files_stand_nearer(root, monkeypatch):
    monkeypatch.setattr(files, "NEAR_FILES", 4)
    write(root, *(f"a/b/c/{number}.py" for number in range(20)), "deploy/very/far/settings.py", "ops/celery_app.py", "ops/other.py")
    write(root, "a/b/c/jobs.py")
    assert set(found(root, "a/b/c/jobs.py").paths) >= {"a/b/c/jobs.py", "deploy/very/far/settings.py", "ops/celery_app.py"}
    assert "ops/other.py" not in found(root, "a/b/c/jobs.py").paths


def test_the_root_is_the_nearest_configuration_else_the_repository(tmp_path):
    top = tmp_path.resolve()
    git(top, "init", "-q")
    write(top, "pkg/pyproject.toml", text="[project]\n")
    write(top, "shop/pyproject.toml", text="[tool.guardrails]\n")
    write(top, "yaml/guardrails.yaml", text="")
    write(top, "pkg/src/a.py", "shop/src/a.py", "yaml/src/a.py")
    assert find_root([top / "pkg/src/a.py"]) == top
    assert find_root([top / "shop/src"]) == top / "shop"
    assert find_root([top / "yaml/src/a.py"]) == top / "yaml"
    assert find_root([top / "yaml/src/a.py", top / "shop"]) == top


def test_deployment_files_are_found_beside_the_source(root):
    write(root, "Procfile", "deploy/worker.yaml", "other/values.yaml", "scripts/run.sh", "run.sh", "a.py", "docker-compose.prod.yml")
    write(root, "requirements.txt", "requirements/web.in", "requirements.md")
    deployed = ("Procfile", "deploy/worker.yaml", "docker-compose.prod.yml", "scripts/run.sh")
    assert set(found(root).others) - {"pyproject.toml"} == {*deployed, "requirements.txt", "requirements/web.in"}


@pytest.mark.parametrize(
    "path",
    ["Procfile", "Procfile.dev", "compose.yaml", "docker-compose.override.yml", "x/Dockerfile", "Dockerfile.worker", "w.service",
     "etc/supervisord.conf", "bin/start.sh", "ops/a/b.yml", "chart/charts/x/y.yaml"],
)  # fmt: skip
def test_what_may_hold_the_command_line_of_a_worker(path):
    assert is_deployment(path)


@pytest.mark.parametrize("path", ["start.sh", "a.yml", "src/composer.json", "Dockerfiles/readme.md", "notes.conf"])
def test_what_holds_no_command_line(path):
    assert not is_deployment(path)


@pytest.mark.parametrize(
    "path",
    ["tests/a.py", "a/test/b.py", "src/__tests__/x.ts", "spec/x.ts", "test_a.py", "a/b_test.py", "conftest.py", "shop/tests.py",
     "a.test.ts", "a.spec.tsx", "crate/tests/it.rs"],
)  # fmt: skip
def test_what_is_a_test_file(path):
    assert is_test(path)


@pytest.mark.parametrize("path", ["a.py", "contest.py", "latest/a.py", "testing/a.py", "attest.py", "src/test.rs", "spec.ts"])
def test_what_is_no_test_file(path):
    assert not is_test(path)


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("a.py", b"x\0y", "binary"),
        ("a.py", b"#" * 2_000_001, "too large"),
        ("a_pb2.py", b"# -*- coding: utf-8 -*-\n# Generated by protoc.  DO NOT EDIT!\n", "generated"),
        ("a.ts", b"/**\n * @generated by x\n */\n", "generated"),
        ("a.js", b"a" * 501 + b"\n", "minified"),
        ("x.min.js", b"a\n", "minified"),
    ],
)
def test_what_is_no_source_of_the_project_is_passed_over_and_counted_once(root, name, data, why):
    (root / name).write_bytes(data)
    tree = found(root)
    assert tree.load(name) == tree.load(name) == b""
    assert tree.passed_over == {why: 1}
    assert tree.over == {name: why}


@pytest.mark.parametrize("data", [b'X = "DO NOT EDIT"\n', b"x\n" * 20 + b"# DO NOT EDIT\n", b"a" * 501 + b"\n"])
def test_what_only_looks_like_it_is_read(root, data):
    (root / "a.py").write_bytes(data)
    assert found(root).load("a.py") == data


def test_a_file_that_is_gone_is_no_fault(root):
    write(root, "a.py")
    tree = found(root)
    (root / "a.py").unlink()
    assert tree.load("a.py") == b""
    assert tree.unreadable == tree.passed_over == {}


def test_a_deleted_file_that_git_still_lists_is_no_fault(tmp_path):
    git(tmp_path, "init", "-q")
    write(tmp_path, "a.py", "b.py")
    git(tmp_path, "add", ".")
    (tmp_path / "a.py").unlink()
    tree = found(tmp_path)
    assert [tree.load(path) for path in tree.paths] == [b"", b"x = 1\n"]


@posix
@pytest.mark.skipif(getattr(os, "geteuid", lambda: 0)() == 0, reason="root may read everything")
def test_a_file_without_permission_is_told(root):
    write(root, "a.py")
    (root / "a.py").chmod(0)
    tree = found(root)
    assert tree.load("a.py") == b""
    assert tree.unreadable == {"a.py": "permission denied"}


def test_a_file_that_cannot_be_opened_is_told(root, monkeypatch):
    write(root, "a.py")

    def refuse(path, flags):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files.os, "open", refuse)
    tree = found(root)
    assert tree.load("a.py") == b""
    assert tree.unreadable == {"a.py": "permission denied"}


@posix
def test_links_are_not_followed_and_loops_do_not_hang(root, tmp_path):
    secret = tmp_path / "secret.py"
    secret.write_text("token = 1\n")
    write(root, "a/b.py")
    (root / "link.py").symlink_to(secret)
    (root / "loop").symlink_to(root)
    (root / "a" / "self.py").symlink_to(root / "a" / "self.py")
    (root / "out").symlink_to(tmp_path)
    tree = found(root)
    assert [path for path in tree.paths if tree.load(path)] == ["a/b.py"]


@posix
def test_a_pipe_does_not_block(root):
    os.mkfifo(root / "pipe.py")
    tree = found(root, "pipe.py")
    assert [tree.load(path) for path in tree.paths] in ([], [b""])


@posix
def test_odd_names_are_shown_as_escapes_and_read_all_the_same(root):
    names = [b"new\nline.py", b"latin-\xe9.py", "grün.py".encode(), b"esc\x1b[31m.py"]
    for name in names:
        with open(os.path.join(os.fsencode(root), name), "wb") as file:  # noqa: PTH118, PTH123  a name of bytes
            file.write(name)
    tree = found(root)
    assert set(tree.paths) == {"new\\nline.py", "latin-\\xe9.py", "grün.py", "esc\\x1b[31m.py"}
    assert {tree.load(path) for path in tree.paths} == set(names)
    assert all(path.isprintable() and path.encode() for path in tree.paths)


@posix
def test_no_name_hides_another(root):
    write(root, "a\\nb.py", text="plain\n")
    write(root, "a\nb.py", text="odd\n")
    tree = found(root)
    assert sorted(tree.load(path) for path in tree.paths) == [b"odd\n", b"plain\n"]


def test_what_a_path_shows():
    assert show("a/b c.py") == "a/b c.py"
    assert show("a\tb\u202e.py") == "a\\tb\\u202e.py"
    assert show("\udcff\U000e0001") == "\\xff\\U000e0001"


def test_no_program_of_a_hostile_repository_is_run(tmp_path):
    root, mark = (tmp_path / "hostile").resolve(), tmp_path / "owned"
    root.mkdir()
    git(root, "init", "-q")
    write(root, "a.py", ".gitattributes", text="*.py filter=evil diff=evil\n")
    script = root / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch '{mark}'\n")
    script.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "filter.evil.clean",
        "filter.evil.smudge",
        "diff.evil.textconv",
        "core.sshCommand",
        "core.pager",
        "diff.external",
    ):
        git(root, "config", key, str(script))
    for hook in ("post-index-change", "pre-auto-gc"):
        write(root, f".git/hooks/{hook}", text=script.read_text())
        (root / ".git/hooks" / hook).chmod(0o755)
    write(root, "guardrails/__init__.py", "yaml.py", "sitecustomize.py", text=f"open({str(mark)!r}, 'w')\n")
    tree = found(root)
    assert "a.py" in tree.paths
    assert [tree.load(path) for path in tree.paths]
    assert not mark.exists()


def test_the_environment_of_a_hook_does_not_lead_git_elsewhere(tmp_path, monkeypatch):
    for name in ("mine", "other"):
        (tmp_path / name).mkdir()
        git(tmp_path / name, "init", "-q")
        write(tmp_path / name, f"{name}.py")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other" / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path / "other"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "nothing"))
    assert found(tmp_path / "mine").paths == ("mine.py",)


@posix
def test_a_name_in_the_index_that_leads_outside_is_not_read(tmp_path):
    root, outside = (tmp_path / "project").resolve(), tmp_path / "outside"
    root.mkdir()
    write(outside, "x.py", text="secret = 1\n")
    git(root, "init", "-q")
    write(root, "a.py", "in/x.py")
    target = str((outside / "x.py").resolve())
    stand_in = "q" * len(target)
    write(root, stand_in + ".py", "qq/x.py", text="")
    git(root, "add", ".")
    (root / (stand_in + ".py")).unlink()
    (root / "qq/x.py").unlink()
    index = (root / ".git/index").read_bytes()
    index = index.replace(stand_in.encode() + b".py", target.encode() + b".py").replace(b"qq/x.py", b"../x.py")
    (root / ".git/index").write_bytes(index[:-20] + hashlib.sha1(index[:-20]).digest())
    write(outside, "x.py.py")
    assert found(root).paths == ("a.py", "in/x.py")


@posix
def test_a_folder_in_the_index_that_became_a_link_is_passed_over(tmp_path):
    root = (tmp_path / "project").resolve()
    write(root, "a.py", "in/x.py")
    write(tmp_path, "outside/x.py", text="secret = 1\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    (root / "in/x.py").unlink()
    (root / "in").rmdir()
    (root / "in").symlink_to(tmp_path / "outside")
    tree = found(root)
    assert [path for path in tree.paths if tree.load(path)] == ["a.py"]


def test_a_repository_that_names_another_working_tree_is_walked(tmp_path):
    root = (tmp_path / "project").resolve()
    write(root, "a.py")
    write(tmp_path, "other/b.py")
    git(root, "init", "-q")
    git(root, "config", "core.worktree", str(tmp_path / "other"))
    assert found(root).paths == ("a.py",)


@posix
@pytest.mark.parametrize("name", ["pyproject.toml", "guardrails.yaml", ".gitignore"])
def test_a_pipe_or_an_endless_file_in_place_of_a_setting_does_not_block(tmp_path, name):
    for number, make in enumerate([os.mkfifo, lambda path: path.symlink_to("/dev/zero")]):
        folder = tmp_path / str(number)
        write(folder, "a.py")
        make(folder / name)
        assert find_root([folder]) is not None
        assert found(folder, ".").paths == ("a.py",)


def test_a_line_of_gitignore_that_is_no_pattern_spoils_no_other(tmp_path):
    write(tmp_path, "a.py", "b.py", "c.py")
    write(tmp_path, ".gitignore", text="!\n[z-a]\n*a*a*a*a*a*a*a*\nb.py\n/**/a/**/a/**/a/**/a/**/c.py\n")
    assert found(tmp_path, ".").paths == ("a.py", "c.py")


@pytest.mark.parametrize(
    "text", ["[tool]\nguardrails = {}\n", "tool.guardrails.tests = 'report'\n", '[tool]\n"guardrails".tests = "skip"\n']
)
def test_every_form_of_the_table_makes_a_root(tmp_path, text):
    git(tmp_path, "init", "-q")
    write(tmp_path, "sub/pyproject.toml", text=text)
    write(tmp_path, "deps/pyproject.toml", text="[project] # guardrails\ndependencies = ['worker-guardrails', 'guardrails']\n")
    assert find_root([tmp_path / "sub"]) == (tmp_path / "sub").resolve()
    assert find_root([tmp_path / "deps"]) == tmp_path.resolve()


def test_without_git_on_the_machine_the_folder_is_walked(tmp_path, monkeypatch):
    git(tmp_path, "init", "-q")
    write(tmp_path, "a.py", "node_modules/b.js")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found(tmp_path).paths == ("a.py",)


def test_a_repository_that_git_refuses_is_walked(tmp_path):
    (tmp_path / ".git").mkdir()
    write(tmp_path, "a.py")
    assert found(tmp_path).paths == ("a.py",)


def test_an_empty_folder_has_no_files(tmp_path):
    assert found(tmp_path, ".").paths == ()


def test_a_tree_may_exist_in_memory_only():
    tree = files.memory({"a.py": "x\n", "Procfile": "worker: x\n", "b.md": ""}, LANGUAGES)
    assert (tree.paths, tree.others) == (("a.py",), ("Procfile",))
    assert tree.load("Procfile") == b"worker: x\n"
