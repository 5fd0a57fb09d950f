from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from guardrails import cache
from guardrails.cache import Cache, NoCache
from guardrails.read import read

SOURCE = b"import celery\n" + b"\n".join(b"def f%d(a): return g(a, key='%d')" % (n, n) for n in range(60))


@pytest.fixture
def readings(monkeypatch):
    """Paths that were really read."""
    paths = []

    def reading(path, source):
        paths.append(path)
        return read(path, source)

    monkeypatch.setattr(cache, "read", reading)
    return paths


def entries(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "pruned"]


def test_the_second_time_nothing_is_read(tmp_path, readings):
    first = Cache(tmp_path / "c").outline("a.py", SOURCE)
    second = Cache(tmp_path / "c").outline("other/b.py", SOURCE)
    assert first == second == read("a.py", SOURCE)
    assert readings == ["a.py"]


def test_another_content_is_another_entry(tmp_path, readings):
    for source in (SOURCE, SOURCE + b"\n"):
        Cache(tmp_path).outline("a.py", source)
    assert len(readings) == 2


def test_another_language_and_another_reader_are_other_entries(tmp_path, readings, monkeypatch):
    Cache(tmp_path).outline("a.ts", SOURCE)
    Cache(tmp_path).outline("a.tsx", SOURCE)
    monkeypatch.setattr(cache, "reader_version", lambda language: "another")
    Cache(tmp_path).outline("a.ts", SOURCE)
    assert len(readings) == 3


def test_a_small_file_is_not_worth_an_entry(tmp_path, readings):
    Cache(tmp_path).outline("a.py", b"x = 1\n")
    assert entries(tmp_path) == []


@pytest.mark.parametrize("damage", [b"", b"x", b"\0" * 200])
def test_a_corrupt_entry_is_ignored_and_written_again(tmp_path, readings, damage):
    Cache(tmp_path).outline("a.py", SOURCE)
    [entry] = entries(tmp_path)
    good = entry.read_bytes()
    entry.write_bytes(damage)
    assert Cache(tmp_path).outline("a.py", SOURCE) == read("a.py", SOURCE)
    assert entry.read_bytes() == good


def test_an_entry_that_was_cut_or_changed_is_ignored(tmp_path, readings):
    Cache(tmp_path).outline("a.py", SOURCE)
    [entry] = entries(tmp_path)
    data = bytearray(entry.read_bytes())
    data[-1] ^= 1
    entry.write_bytes(data)
    assert Cache(tmp_path).outline("a.py", SOURCE) == read("a.py", SOURCE)


def test_a_folder_that_cannot_be_written_is_no_cache(tmp_path, readings):
    blocked = tmp_path / "file"
    blocked.write_text("")
    keeper = Cache(blocked / "c")
    assert keeper.outline("a.py", SOURCE) == keeper.outline("a.py", SOURCE)
    assert len(readings) == 2
    assert keeper.prune(0.0) == 0


@pytest.mark.skipif(os.name != "posix", reason="rights and links of POSIX")
def test_a_folder_that_others_may_write_or_that_is_a_link_is_no_cache(tmp_path, readings):
    shared, link = tmp_path / "shared", tmp_path / "link"
    shared.mkdir()
    link.symlink_to(shared)
    Cache(shared).outline("a.py", SOURCE)
    shared.chmod(0o777)
    for folder in (shared, link):
        assert Cache(folder).outline("a.py", SOURCE) == read("a.py", SOURCE)
        assert Cache(folder).prune() == 0
    assert len(readings) == 3


@pytest.mark.skipif(os.name != "posix", reason="pipes and links of POSIX")
def test_an_entry_that_is_no_plain_file_is_ignored(tmp_path, readings):
    Cache(tmp_path / "c").outline("a.py", SOURCE)
    [entry] = entries(tmp_path / "c")
    for make in (os.mkfifo, lambda path: path.symlink_to("/dev/zero")):
        entry.unlink()
        make(entry)
        assert Cache(tmp_path / "c").outline("a.py", SOURCE) == read("a.py", SOURCE)
    assert len(readings) == 3


def test_a_relative_cache_home_is_none(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "cache")
    assert cache.user_folder().is_absolute()


def test_only_the_user_may_look_into_it(tmp_path):
    Cache(tmp_path / "c").outline("a.py", SOURCE)
    assert stat.S_IMODE((tmp_path / "c").stat().st_mode) & 0o077 == 0


def test_no_half_written_file_is_left(tmp_path):
    Cache(tmp_path).outline("a.py", SOURCE)
    assert not list(tmp_path.rglob("*.part"))


def test_what_is_slow_to_make_is_made_once(tmp_path):
    made = []

    def make() -> bytes:
        made.append(1)
        return b"models"

    assert [Cache(tmp_path).remember("key", make), Cache(tmp_path).remember("key", make)] == [b"models", b"models"]
    assert len(made) == 1
    assert NoCache().remember("key", make) == b"models"
    assert len(made) == 2


def test_the_oldest_entries_go_first_and_not_more_than_needed(tmp_path):
    keeper = Cache(tmp_path)
    for number in range(4):
        keeper.outline("a.py", SOURCE + b"#" * number)
    for age, entry in enumerate(entries(tmp_path)):
        os.utime(entry, (1_000 + age, 1_000 + age))
    limit = sum(entry.stat().st_size for entry in entries(tmp_path)[2:])
    assert keeper.prune(0.0, limit=limit) == 0
    now = (tmp_path / "pruned").stat().st_mtime
    assert keeper.prune(now + 10, limit=limit) == 0
    assert keeper.prune(now + cache.PRUNE_AFTER + 1, limit=limit) == 2
    assert min(entry.stat().st_mtime for entry in entries(tmp_path)) == 1_002
    assert keeper.prune(now + cache.PRUNE_AFTER + 2, limit=0) == 0


def test_the_folder_is_the_platforms_own(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(cache.sys, "platform", "linux")
    assert cache.user_folder() == tmp_path / "worker-guardrails"
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    monkeypatch.setattr(cache.sys, "platform", "win32")
    assert cache.user_folder() == tmp_path / "local" / "worker-guardrails"


def test_a_broken_file_is_cached_like_any_other(tmp_path, readings):
    source = SOURCE + b"\ndef broken(:\n  ((((\n"
    assert Cache(tmp_path).outline("a.py", source) == Cache(tmp_path).outline("a.py", source)
    assert len(readings) == 1


def test_a_number_that_fits_no_word_is_read_all_the_same(tmp_path):
    source = SOURCE + b"\nx = 123456789012345678901234567890\ny = '\\ud800'\n"
    assert Cache(tmp_path).outline("a.py", source) == read("a.py", source)
