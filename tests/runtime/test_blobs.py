"""Blobs: one suite that a folder and S3 (moto's server) must both pass, on both databases; and what is special to each."""

import hashlib
import io
import os
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import BaseModel, ValidationError

from guardrails import runtime
from guardrails.runtime import blobs, kv, settings, testing
from guardrails.runtime.blobs import book, s3, stores
from guardrails.runtime.errors import RuntimeFault
from guardrails.runtime.home import home
from guardrails.runtime.store.upkeep import Upkeep

CONTENT = b"\x00\xff large " * 300_000


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """An S3 service of this test process; its URL."""
    moto = pytest.importorskip("moto.server", reason="S3 is tested against moto's server: pip install 'moto[server]' boto3")
    pytest.importorskip("boto3", reason="S3 needs the extra [s3]")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an empty place in S3."""
    import boto3

    for name, value in {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    boto3.client("s3").create_bucket(Bucket="blobs")
    s3.connected.cache_clear()
    yield "s3://blobs/some/prefix"
    found = boto3.resource("s3").Bucket("blobs")
    found.objects.all().delete()
    s3.connected.cache_clear()


@pytest.fixture(params=["folder", "s3"])
def place(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> Iterator[str]:
    """A runtime whose blobs are kept in a fresh place of each kind."""
    with testing.isolated(tmp_path / "own", database=url):
        where = str(tmp_path / "blobs") if request.param == "folder" else str(request.getfixturevalue("bucket"))
        settings.configure(blobs=where)
        yield where


def rows() -> int:
    with home().database.read() as connection:
        return int(connection.execute(sa.select(sa.func.count()).select_from(home().database.tables.blob)).scalar_one())


def pass_days(days: float) -> None:
    """Let the blobs' times pass."""
    table = home().database.tables.blob
    with home().database.begin() as connection:
        connection.execute(sa.update(table).values(expires=table.c.expires - days * 86_400))


@pytest.mark.parametrize("given", ["bytes", "file", "path", "stream"])
def test_what_is_put_is_read_again(place: str, given: str, tmp_path: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(CONTENT)
    data: Any = {"bytes": CONTENT, "file": io.BytesIO(CONTENT), "path": path, "stream": None}[given]
    if given == "stream":
        with path.open("rb", buffering=0) as data:
            ref = blobs.put(data, "text/csv")
    else:
        ref = blobs.put(data, "text/csv")
    assert (ref.id, ref.size, ref.content_type) == (hashlib.sha256(CONTENT).hexdigest(), len(CONTENT), "text/csv")
    assert blobs.exists(ref)
    assert blobs.read(ref) == CONTENT
    with blobs.open(ref) as file:
        file.seek(7)
        assert file.read(5) == CONTENT[7:12]


def test_nothing_is_content_too(place: str) -> None:
    ref = blobs.put(b"")
    assert (ref.size, blobs.read(ref)) == (0, b"")


def test_the_same_content_is_stored_once(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = stores.store()
    saved: list[str] = []
    save = type(kept).save
    monkeypatch.setattr(type(kept), "save", lambda self, name, *rest: (saved.append(name), save(self, name, *rest)))
    assert blobs.put(b"same") == blobs.put(io.BytesIO(b"same"))
    assert (len(saved), rows()) == (1, 1)


def test_a_deleted_blob_is_gone(place: str) -> None:
    ref = blobs.put(b"gone")
    assert [blobs.delete(ref), blobs.delete(ref), blobs.exists(ref)] == [True, False, False]
    with pytest.raises(blobs.BlobMissing, match="was deleted"):
        blobs.read(ref)
    assert rows() == 0


def test_a_blob_whose_time_is_over_is_missing_and_then_pruned(place: str) -> None:
    ref, kept = blobs.put(b"for a day", ttl=1), blobs.put(b"for ever")
    pass_days(0.9)
    assert blobs.read(ref) == b"for a day"
    pass_days(0.2)
    assert not blobs.exists(ref)
    with pytest.raises(blobs.BlobMissing):
        blobs.open(ref)
    assert stores.store().has(ref.id)
    Upkeep(home().database, home().client).prune(30)
    assert not stores.store().has(ref.id)
    assert blobs.read(kept) == b"for ever"
    assert rows() == 1


@pytest.mark.parametrize(("first", "second", "lives"), [(1, 3, True), (3, 1, True), (None, 1, True), (1, None, True), (1, 1, False)])
def test_content_lives_as_long_as_the_longest_time_given(place: str, first: float | None, second: float | None, lives: bool) -> None:
    blobs.put(b"twice", ttl=first)
    ref = blobs.put(b"twice", ttl=second)
    pass_days(2)
    book.prune(home().database)
    assert blobs.exists(ref) is lives


def test_content_that_was_pruned_while_it_was_put_again_is_stored_again(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs.put(b"raced", ttl=1)
    pass_days(2)
    enter = book.enter

    def after_a_prune(*args: Any) -> None:
        monkeypatch.setattr(book, "enter", enter)
        if home().database.dialect == "postgresql":  # on SQLite the transaction that is open already keeps it out
            pruning = threading.Thread(target=book.prune, args=(home().database,))
            pruning.start()
            pruning.join(30)
        else:
            stores.store().delete(hashlib.sha256(b"raced").hexdigest())
        enter(*args)

    monkeypatch.setattr(book, "enter", after_a_prune)
    assert blobs.read(blobs.put(b"raced", ttl=5)) == b"raced"


def test_content_that_is_removed_again_and_again_is_no_reference(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    enter = book.enter

    def after_a_removal(database: Any, connection: sa.Connection, name: str, *rest: Any) -> None:
        stores.store().delete(name)
        enter(database, connection, name, *rest)

    monkeypatch.setattr(book, "enter", after_a_removal)
    with pytest.raises(RuntimeFault, match=r"Blob .* was removed 3 times while it was put: put it again"):
        blobs.put(b"unwanted")
    assert rows() == 0


def test_others_write_while_content_is_stored(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = stores.store()
    save, written = type(kept).save, []

    def slow(self: Any, name: str, *rest: Any) -> None:
        kv.set("while", "it is", "stored")
        written.append(kv.items("while"))
        save(self, name, *rest)

    monkeypatch.setattr(type(kept), "save", slow)
    assert blobs.exists(blobs.put(b"slow"))
    assert written == [{"it is": "stored"}]


def test_content_that_was_changed_is_not_given_out(place: str) -> None:
    ref = blobs.put(b"honest")
    stores.store().save(ref.id, io.BytesIO(b"forged"), "text/plain")
    with pytest.raises(blobs.BlobMissing, match="was changed"):
        blobs.read(ref)


def test_a_reference_stands_in_a_payload(place: str) -> None:
    class Import(BaseModel):
        file: blobs.BlobRef

    @runtime.job(timeout=5, key=lambda p: p.file.id)
    def load(p: Import) -> int:
        return len(runtime.blobs.read(p.file))

    assert testing.run(load, Import(file=blobs.put(b"12345"))).result == 5


@pytest.mark.parametrize("name", ["../../etc/passwd", "ab", "A" * 64, "a" * 64 + "\n", "a" * 63 + "/"])
def test_no_name_leads_elsewhere(place: str, name: str) -> None:
    with pytest.raises(ValidationError):
        blobs.BlobRef(id=name, size=1)
    forged = blobs.BlobRef.model_construct(id=name, size=1, content_type="text/plain")
    for ask in (blobs.open, blobs.exists, blobs.delete):
        with pytest.raises(RuntimeFault, match="SHA-256"):
            ask(forged)


@pytest.mark.parametrize("data", [io.StringIO("text"), "text", 7])
def test_what_has_no_bytes_is_refused(place: str, data: Any) -> None:
    with pytest.raises(runtime.PayloadRefused, match=r"binary"):
        blobs.put(data)
    assert rows() == 0


@pytest.mark.parametrize("ttl", [0, -1])
def test_a_time_that_is_none_is_refused(place: str, ttl: float) -> None:
    with pytest.raises(runtime.PayloadRefused, match="number of days above 0"):
        blobs.put(b"x", ttl=ttl)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with testing.isolated(tmp_path / "own"):
        settings.configure(blobs=str(tmp_path / "blobs"))
        yield tmp_path / "blobs"


def test_files_are_for_their_owner_only_and_nothing_is_left_of_a_write_that_failed(folder: Path) -> None:
    ref = blobs.put(b"private")
    path = folder / ref.id[:2] / ref.id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(28, "No space left on device")

    with pytest.raises(RuntimeFault, match="no space left on device"):
        stores.store().save("ab" * 32, Failing(), "text/plain")
    assert [found.name for found in folder.rglob("*") if found.is_file()] == [ref.id]


def test_a_link_in_a_blob_s_place_is_not_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    ref = blobs.put(b"x")
    path = folder / ref.id[:2] / ref.id
    path.unlink()
    path.symlink_to(tmp_path / "secret")
    assert not blobs.exists(ref)
    with pytest.raises(RuntimeFault, match="symbolic links"):
        blobs.read(ref)
    assert blobs.put(b"x") == ref
    assert not path.is_symlink()
    assert (tmp_path / "secret").read_bytes() == b"secret"


@pytest.mark.skipif(os.geteuid() == 0 and not Path("/proc/version").exists(), reason="needs a folder that cannot be made")
def test_a_folder_that_cannot_be_used_is_one_sentence(folder: Path) -> None:
    settings.configure(blobs="/proc/version/blobs")
    with pytest.raises(RuntimeFault, match="The folder of blobs /proc/version/blobs cannot be used: not a directory"):
        blobs.put(b"x")
    assert rows() == 0


@pytest.mark.parametrize(("where", "told"), [("gs://bucket", "not in gs://"), ("s3://", "need a bucket")])
def test_a_place_that_cannot_be_is_refused(folder: Path, where: str, told: str) -> None:
    pytest.importorskip("boto3", reason="S3 needs the extra [s3]")
    settings.configure(blobs=where)
    with pytest.raises(RuntimeFault, match=told):
        blobs.put(b"x")


def test_without_boto3_one_sentence_names_the_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    monkeypatch.setattr(s3, "import_module", missing)
    s3.connected.cache_clear()
    settings.configure(blobs="s3://bucket/there")
    with pytest.raises(RuntimeFault, match=r"need boto3: pip install 'worker-guardrails\[s3\]'"):
        blobs.put(b"x")


def test_a_bucket_that_is_not_there_is_one_sentence(bucket: str, folder: Path) -> None:
    settings.configure(blobs="s3://other/prefix")
    with pytest.raises(RuntimeFault, match=r"The blobs in s3://other/prefix cannot be used: .*NoSuchBucket"):
        blobs.put(b"x")
    assert rows() == 0


def test_s3_that_cannot_be_reached_is_one_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("boto3", reason="S3 needs the extra [s3]")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{closed.getsockname()[1]}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0.0)
    s3.connected.cache_clear()
    settings.configure(blobs="s3://there/unreachable")
    with pytest.raises(RuntimeFault, match=r"The blobs in s3://there/unreachable cannot be used: Could not connect"):
        blobs.put(b"x")
    s3.connected.cache_clear()


def test_s3_that_answers_no_more_holds_no_row_for_long(bucket: str, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3
    from botocore.config import Config

    with testing.isolated(tmp_path / "own", database=url), socket.socket() as silent:
        settings.configure(blobs=bucket)
        ref = blobs.put(b"kept")
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        options = Config(**{**s3.SOON, "read_timeout": 0.3})
        hangs = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}", config=options)
        monkeypatch.setattr(blobs, "store", lambda: s3.Bucket(boto3.client("s3"), hangs, "blobs", "some/prefix"))
        with pytest.raises(RuntimeFault, match="cannot be used: Read timeout"):
            blobs.delete(ref)
        with pytest.raises(RuntimeFault, match="cannot be used: Read timeout"):
            blobs.put(b"kept", ttl=1)
        assert rows() == 1
        assert blobs.read(ref) == b"kept"
