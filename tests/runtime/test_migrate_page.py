"""docs/migrate.md: its blocks run in their order, and so does every piece of code on the right of its tables."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import click
import pytest
import sqlalchemy as sa
from pydantic import BaseModel

from guardrails import runtime
from guardrails.cli.program import program
from guardrails.runtime import testing
from guardrails.runtime.home import home

PAGE = Path(__file__).resolve().parents[2] / "docs" / "migrate.md"
TEXT = PAGE.read_text(encoding="utf-8")
FENCES = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
OPTIONS = {"timeout": 30, "key": lambda p: p.order_id}


class Cell(NamedTuple):
    """The right side of a table's row."""

    line: int
    text: str

    @property
    def codes(self) -> list[str]:
        """The pieces of code in it."""
        return re.findall(r"`([^`]+)`", self.text)


def cells() -> Iterator[Cell]:
    for number, line in enumerate(TEXT.splitlines(), 1):
        if line.startswith("| ") and "|---" not in line:
            yield Cell(number, line.removesuffix(" |").split(" | ", 1)[1])


CELLS = [cell for cell in cells() if cell.codes]
ALONE = [cell for cell in CELLS if "in the body" not in cell.text]
WITHIN = [cell for cell in CELLS if "in the body" in cell.text]


class Bank:
    """The other side of the page's charges."""

    def __init__(self) -> None:
        self.charged: list[str] = []

    def charge(self, _order: str, reference: str) -> None:
        self.charged.append(reference)


class OldCharge:
    """A task of the system that is left."""

    def __init__(self) -> None:
        self.delayed: list[str] = []

    def delay(self, order: str) -> None:
        self.delayed.append(order)


@contextmanager
def opened(folder: Path, url: str | None) -> Iterator[dict[str, Any]]:
    """What the page's blocks have defined, after all of them ran."""
    module = ModuleType("migrate_page")
    module.__dict__.update(bank=Bank(), old_charge=OldCharge())
    with testing.isolated(folder, database=url), pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, module.__name__, module)
        with home().database.begin() as connection:
            connection.execute(sa.text("CREATE TABLE orders (id VARCHAR(20), charge VARCHAR(20))"))
            connection.execute(sa.text("CREATE TABLE months (month VARCHAR(20), missing INTEGER)"))
        for fence in FENCES:
            exec(compile(fence, str(PAGE), "exec"), module.__dict__)
        testing.drain()
        yield module.__dict__


@pytest.fixture
def page(url: str, tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The page on a fresh database of each kind."""
    with opened(tmp_path / "own", url) as names:
        yield names


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The page read once, for the rows of its tables."""
    with opened(tmp_path_factory.mktemp("read"), None) as names:
        yield names


def rows(statement: str) -> list[tuple[Any, ...]]:
    with home().database.read() as connection:
        return [tuple(row) for row in connection.execute(sa.text(statement))]


def write(statement: str) -> None:
    with home().database.begin() as connection:
        connection.execute(sa.text(statement))


def test_the_page_has_its_blocks_and_tables() -> None:
    assert len(FENCES) >= 6
    assert len(ALONE) >= 40
    assert len(WITHIN) >= 5


def test_the_first_example_charges_once_under_its_reference(page: dict[str, Any]) -> None:
    again = page["charge"].enqueue(page["Charge"](order_id="7"))
    assert (again.id, again.created) == (page["handle"].id, False)
    testing.drain()
    assert page["bank"].charged == ["charge-7"]


@pytest.mark.parametrize("name", re.findall(r"^def (test_\w+)", TEXT, re.MULTILINE))
def test_the_tests_of_the_page_pass(page: dict[str, Any], name: str) -> None:
    page[name]()


def test_the_switch_sends_to_one_side_only(page: dict[str, Any]) -> None:
    page["start_charge"]("21", moved=False)
    assert page["old_charge"].delayed == ["21"]
    testing.assert_enqueued(page["charge"], key="21", times=0)
    page["start_charge"]("22", moved=True)
    testing.assert_enqueued(page["charge"], key="22")


def test_the_users_status_follows_the_job(page: dict[str, Any]) -> None:
    write("INSERT INTO orders VALUES ('30', NULL)")
    page["charge"].enqueue(page["Charge"](order_id="30"))
    assert rows("SELECT charge FROM orders WHERE id = '30'") == [("queued",)]
    with testing.fail_attempts(page["charge"], 5):
        testing.drain()
    assert rows("SELECT charge FROM orders WHERE id = '30'") == [("dead",)]


def test_what_comes_after_a_group_is_queued_once_by_its_last_part(page: dict[str, Any]) -> None:
    write("INSERT INTO months VALUES ('2026-02', 3)")
    page["charge"].enqueue_many([page["Charge"](order_id=f"2026-02/{part}") for part in range(2)])
    with testing.crash_attempts(page["charge"], 1):
        testing.drain()
    assert rows("SELECT missing FROM months") == [(1,)]
    testing.assert_enqueued(page["export"], times=0)
    page["charge"].enqueue(page["Charge"](order_id="2026-02/2"))
    testing.drain()
    testing.assert_enqueued(page["export"], page["Export"](month="2026-02"))


@pytest.mark.parametrize("cell", ALONE, ids=lambda cell: f"line {cell.line}")
def test_the_right_side_of_a_row_is_real_code(read: dict[str, Any], cell: Cell) -> None:
    for code in cell.codes:
        if code.startswith("guardrails "):
            command(shlex.split(code)[1:])
        elif re.match(r"(GET|POST) /", code):
            assert tuple(code.split()) in routes()
        elif re.match(r"[a-z_]+=", code):
            declare(read, code, f"declared-{cell.line}")
        elif code.startswith("raise "):
            with pytest.raises((runtime.Transient, runtime.Terminal)):
                exec(code, read)
        elif "enqueue_in_transaction" in code:
            with home().database.begin() as connection:
                exec(code, {**read, "connection": connection})
        else:
            exec(code, read)


@pytest.mark.parametrize("cell", WITHIN, ids=lambda cell: f"line {cell.line}")
def test_what_works_in_a_body_works_there(read: dict[str, Any], cell: Cell) -> None:
    def probe(p: Nothing) -> None:
        for code in cell.codes:
            exec(code, read)

    testing.run(runtime.job(timeout=5, key=lambda p: "probe", name=f"probe-{cell.line}")(probe), Nothing())
    with pytest.raises(runtime.RuntimeFault):
        exec(next(code for code in cell.codes if not code.startswith("runtime.kv")), read)


class Nothing(BaseModel):
    """An empty payload."""


def declare(page: dict[str, Any], code: str, name: str) -> None:
    """The option of a declaration: it is accepted beside the mandatory ones."""
    given = eval(f"dict({code})", page)

    def probe(p: Any) -> None: ...

    probe.__annotations__ = {"p": page["Charge"]}
    runtime.job(**{**OPTIONS, **given, "name": name})(probe)


def command(words: list[str]) -> None:
    """A command line that the program understands; it is not run."""
    context = click.Context(program)
    found = program.get_command(context, words[0])
    assert found is not None, words
    words = words[1:]
    while isinstance(found, click.Group):
        found, words = found.get_command(context, words[0]), words[1:]
        assert found is not None, words
    found.make_context("guardrails", words)


def routes() -> set[tuple[str, str]]:
    """Method and path of what `guardrails serve` answers."""
    from guardrails.runtime.http.app import described
    from guardrails.runtime.http.desk import Desk
    from guardrails.runtime.http.serving import Serving

    return {(one.method, one.path) for one in described(Desk(Serving(keys=("k" * 32,))))}
