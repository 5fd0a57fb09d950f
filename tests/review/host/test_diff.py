"""Where lines go between two commits."""

from __future__ import annotations

import random

from host import diff
from host.git_repo import Repo


def test_every_line_that_stays_is_found_again(repo: Repo) -> None:
    chance = random.Random(7)
    text = [f"line {number}" for number in range(60)]
    before = repo.commit({"jobs.py": "\n".join(text) + "\n"})
    for _ in range(12):
        changed = list(text)
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(changed))
            changed[at : at + chance.randint(0, 3)] = [f"new {chance.random()}" for _ in range(chance.randint(0, 3))]
        after = repo.commit({"jobs.py": "\n".join(changed) + "\n"})
        moved = [diff.moved(repo.path, before, after, "jobs.py", number) for number in range(1, len(text) + 1)]
        stayed = [(old, new) for old, new in zip(text, moved, strict=True) if new is not None]
        assert [old for old, _ in stayed] == [changed[new - 1] for _, new in stayed]
        assert {old for old, _ in stayed} == set(text) & set(changed)
        text, before = changed, after


def test_a_line_of_an_untouched_or_deleted_file(repo: Repo) -> None:
    before = repo.git("rev-parse", "HEAD")
    after = repo.commit({"old.py": None, "jobs.py": "\0"})
    assert [diff.moved(repo.path, before, after, path, 1) for path in ("README.md", "old.py", "jobs.py")] == [1, None, None]


def test_a_file_that_becomes_a_link_is_one_change(repo: Repo) -> None:
    before = repo.git("rev-parse", "HEAD")
    (repo.path / "old.py").unlink()
    (repo.path / "old.py").symlink_to("jobs.py")
    after = repo.commit({"z.py": "x\n"})
    assert [(one.path, one.status) for one in diff.changes(repo.path, before, after)] == [("old.py", "changed"), ("z.py", "added")]
    assert diff.changes(repo.path, before, after)[1].patch == "@@ -0,0 +1 @@\n+x"
