"""The application is found as its worker finds it; one that cannot be imported is one sentence, and no crash loop."""

import time
from pathlib import Path

import pytest

from guardrails.runtime.errors import RuntimeFault
from guardrails.runtime.pool import warm
from guardrails.runtime.pool.frames import Clean, Finished
from tests.runtime.pool.conftest import Pools
from tests.runtime.pool.processes import PATIENCE, app, living, outcome


@pytest.mark.parametrize("name", ["app", "app.py", "inner.mod", "inner/mod.py"])
def test_an_application_is_found_from_the_current_folder(name: str, pools: Pools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app(tmp_path, monkeypatch)
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "mod.py").write_text((tmp_path / "app.py").read_text())
    assert outcome(pools(name).take(), "nothing") == (Finished("null"), Clean(True, ""))


@pytest.mark.parametrize(
    ("line", "sentence", "detail"),
    [
        ("1 / 0", "The application 'app' cannot be imported: ZeroDivisionError: division by zero", 'app.py", line 7'),
        ("raise SystemExit(2)", "The application 'app' cannot be imported: SystemExit: 2", 'app.py", line 7'),
        ("import missing_thing", "cannot be imported: ModuleNotFoundError: No module named 'missing_thing'", 'app.py", line 7'),
        ("import os; print('last words'); os._exit(4)", "its child process ended: it exited with status 4", "last words"),
        ("nothing.enqueue(P())", "while the application is imported", 'app.py", line 7'),
    ],
)
def test_an_import_that_fails_is_one_sentence(
    line: str, sentence: str, detail: str, pools: Pools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app(tmp_path, monkeypatch, line)
    with pytest.raises(RuntimeFault) as fault:
        pools("app").take()
    assert sentence in str(fault.value)
    assert "\n" not in str(fault.value)
    assert detail in fault.value.detail


def test_an_application_that_is_not_there_is_named(pools: Pools) -> None:
    with pytest.raises(RuntimeFault, match=r"There is no application 'nowhere\.app' in"):
        pools("nowhere.app").take()


def test_an_import_without_end_is_stopped(pools: Pools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str) -> None:
    app(tmp_path, monkeypatch, "import time; time.sleep(60)")
    with pytest.raises(RuntimeFault, match=r"it was not imported within 1\.5 s"):
        pools("app", start_seconds=1.5).take()
    assert living(mark) == {}


def test_imports_that_fail_are_tried_ever_more_slowly(pools: Pools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "_PAUSES", (0.4, 0.8))
    path = app(tmp_path, monkeypatch, "open('tries', 'a').write('x'); 1 / 0")
    pool = pools("app")
    began = time.monotonic()
    for _ in range(4):
        with pytest.raises(RuntimeFault, match="division by zero"):
            pool.take()
    assert time.monotonic() - began >= 0.4 + 0.8 + 0.8
    assert (tmp_path / "tries").read_text() == "xxxx"
    path.write_text(path.read_text().replace("1 / 0", ""))
    assert outcome(pool.take(), "nothing") == (Finished("null"), Clean(True, ""))


def test_a_spare_that_cannot_be_started_is_no_crash_loop(pools: Pools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app(tmp_path, monkeypatch, "open('tries', 'a').write('x'); 1 / 0")
    pool = pools("app", spares=1)
    with pool._turn:
        assert pool._turn.wait_for(lambda: pool._failures == 2, PATIENCE)
        assert 0 < pool._not_before - time.monotonic() <= 2.0
    assert (tmp_path / "tries").read_text() == "xx"
