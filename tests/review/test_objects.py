"""Where commits come from: a clone, or a fetch; and nothing that the clone configures runs."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest
from host.git_repo import Repo

from guardrails import git
from guardrails.git import GitError
from guardrails.review import look
from guardrails.review.objects import Origin, gather, is_checked_out


@pytest.fixture
def shop(tmp_path: Path) -> tuple[Repo, str, str]:
    """An origin whose change began two commits behind the tip of main."""
    repo = Repo(tmp_path / "acme" / "shop.git", {"a.py": "A = 1\n"})
    head = repo.branch({"a.py": "A = 2\n"})
    repo.git("checkout", "--quiet", "main")
    repo.commit({"b.py": "B = 1\n"})
    return repo, repo.commit({"b.py": "B = 2\n"}), head


def clone_of(repo: Repo, folder: Path, *args: str) -> Path:
    repo.git("clone", "--quiet", *args, repo.path.as_uri(), str(folder))
    return folder


def made(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    return folder


def test_a_whole_clone_lends_its_objects(shop: tuple[Repo, str, str], tmp_path: Path) -> None:
    repo, base, head = shop
    folder = made(tmp_path)
    gather(folder, clone_of(repo, tmp_path / "clone"), None, base, head)
    assert git.Contents(folder, git.files(folder, head))["a.py"] == b"A = 2\n"
    assert list(folder.iterdir()) == [folder / ".git"]


def test_missing_base_in_a_shallow_clone_is_fetched(shop: tuple[Repo, str, str], tmp_path: Path) -> None:
    repo, base, head = shop
    folder = made(tmp_path)
    clone = clone_of(repo, tmp_path / "clone", "--depth=1", "--branch=change")
    gather(folder, clone, Origin(f"{tmp_path.as_uri()}/acme/shop.git"), base, head)
    assert git.merge_base(folder, base, head)
    assert git.text(clone, "rev-parse", "--verify", "--quiet", f"{base}^{{commit}}") == ""


def test_without_a_clone_everything_is_fetched(shop: tuple[Repo, str, str], tmp_path: Path) -> None:
    repo, base, head = shop
    folder = made(tmp_path)
    gather(folder, None, Origin(repo.path.as_uri(), "ghs_secret"), base, head)
    assert sorted(git.files(folder, base)) == ["a.py", "b.py"]


def test_long_histories_are_fetched_deeper(tmp_path: Path) -> None:
    repo = Repo(tmp_path / "origin", {"a.py": ""})
    head = repo.branch({"a.py": "A = 2\n"})
    repo.git("checkout", "--quiet", "main")
    for number in range(60):
        base = repo.commit({"b.py": f"B = {number}\n"})
    folder = made(tmp_path)
    gather(folder, None, Origin(repo.path.as_uri()), base, head)
    assert git.merge_base(folder, base, head)


def test_partial_clone_is_not_enough(shop: tuple[Repo, str, str], tmp_path: Path) -> None:
    repo, base, head = shop
    repo.git("config", "uploadpack.allowFilter", "true")
    folder = made(tmp_path)
    gather(folder, clone_of(repo, tmp_path / "clone", "--filter=blob:none", "--no-checkout"), Origin(repo.path.as_uri()), base, head)
    assert git.Contents(folder, git.files(folder, head))["a.py"] == b"A = 2\n"


def test_what_cannot_be_fetched_names_the_line_for_the_workflow(shop: tuple[Repo, str, str], tmp_path: Path) -> None:
    repo, base, head = shop
    clone = clone_of(repo, tmp_path / "clone", "--depth=1")
    with pytest.raises(GitError, match="give actions/checkout `fetch-depth: 0`") as error:
        gather(made(tmp_path), clone, Origin(f"{tmp_path.as_uri()}/nowhere.git"), base, head)
    assert "\n" not in str(error.value)


def test_names_that_are_no_commits(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="no names of commits"):
        gather(made(tmp_path), None, None, "--upload-pack=touch x", "HEAD")


def test_nothing_that_the_clone_configures_runs(shop: tuple[Repo, str, str], tmp_path: Path) -> None:
    """A step before ours may have run code of the change, which can have written the clone's configuration."""
    repo, base, head = shop
    clone = clone_of(repo, tmp_path / "clone", "--depth=1")
    bait = tmp_path / "ran"
    evil = f"[core]\n\tfsmonitor = touch {bait}\n\tsshCommand = touch {bait}\n[credential]\n\thelper = !touch {bait}\n"
    evil += (
        f'[remote "origin"]\n\turl = ext::touch {bait}\n\tuploadpack = touch {bait}\n[url "ext::touch {bait};"]\n\tinsteadOf = file://\n'
    )
    evil += f"[diff]\n\texternal = touch {bait}\n[uploadpack]\n\tpackObjectsHook = touch {bait}\n[include]\n\tpath = /nowhere\n"
    (clone / ".git" / "config").write_text((clone / ".git" / "config").read_text() + evil)
    hooks = clone / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in ("reference-transaction", "post-checkout"):
        (hooks / name).write_text(f"#!/bin/sh\ntouch {bait}\n")
        (hooks / name).chmod(0o755)
    folder = made(tmp_path)
    gather(folder, clone, Origin(repo.path.as_uri()), base, head)
    git.changed(folder, base, head)
    assert not bait.exists()


def test_what_is_checked_out(shop: tuple[Repo, str, str], tmp_path: Path) -> None:
    repo, base, head = shop
    clone = clone_of(repo, tmp_path / "clone", "--branch=change")
    assert is_checked_out(clone, head)
    assert not is_checked_out(clone, base)
    assert is_checked_out(tmp_path, head)
    assert not is_checked_out(tmp_path / "nothing", head)
    repo.git("-C", os.fspath(clone), "checkout", "--quiet", "main")
    assert not is_checked_out(clone, head)
    repo.git("-C", os.fspath(clone), "merge", "--quiet", "--no-edit", head)
    assert is_checked_out(clone, head)


def test_a_merge_of_the_head_is_known_though_the_clone_is_shallow(shop: tuple[Repo, str, str], tmp_path: Path) -> None:
    repo, base, head = shop
    whole, shallow = clone_of(repo, tmp_path / "whole"), tmp_path / "shallow"
    repo.git("-C", os.fspath(whole), "checkout", "--quiet", "-B", "merged", base)
    repo.git("-C", os.fspath(whole), "merge", "--quiet", "--no-ff", "--no-edit", head)
    repo.git("clone", "--quiet", "--depth=1", whole.as_uri(), os.fspath(shallow))
    assert is_checked_out(shallow, head)
    assert not is_checked_out(shallow, "0" * 40)


def test_where_git_does_not_tell_what_is_checked_out_it_may_be_anything(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    assert is_checked_out(tmp_path, "0" * 40)


@pytest.mark.parametrize("folder", [".git", ".GIT", ".git. "])
def test_no_commit_writes_settings_of_git_s_own(tmp_path: Path, folder: str) -> None:
    """A change may name any of its files as a model, and may hold a file that git would take for its own."""
    repo = Repo(tmp_path / "shop")
    base = repo.commit({"jobs.py": "X = 1\n"})
    evil = repo.git("hash-object", "-w", "--stdin", given=b"[core]\n\tfsmonitor = touch gotcha\n")
    inner = repo.git("mktree", given=f"100644 blob {evil}\tconfig\n".encode())
    yaml = repo.git("hash-object", "-w", "--stdin", given=f'frameworks: ["{folder}/config"]\n'.encode())
    tree = repo.git("mktree", given=f"040000 tree {inner}\t{folder}\n100644 blob {yaml}\tguardrails.yaml\n".encode())
    head = repo.git("commit-tree", tree, "-p", base, "-m", "Change")
    before = (repo.path / ".git" / "config").read_bytes()
    with suppress(Exception):
        look.look(look.Task(str(repo.path), base, head))
    assert (repo.path / ".git" / "config").read_bytes() == before
    assert not (repo.path / folder / "config").exists() or folder == ".git"
