"""Deliveries to real servers on this machine, which a private parameter allows, and to addresses that must not be reached."""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import mock

import httpcore
import pytest
import standardwebhooks
import trustme
from hypothesis import example, given
from hypothesis import strategies as st

from guardrails.runtime import destinations, settings
from guardrails.runtime.destinations import Delivered, Destination, _Network, deliver, http
from guardrails.runtime.errors import DeclarationError, DestinationRefused, Terminal, Transient
from guardrails.runtime.secret import SecretRef

HELD = {"OUT": "whsec_" + "A" * 32, "NEXT": "whsec_" + "B" * 32, "TOKEN": "Bearer abc", "CROOKED": "a\r\nX-Evil: 1"}
OUT, NEXT, TOKEN = SecretRef("OUT"), SecretRef("NEXT"), SecretRef("TOKEN")
BODY = b'{"order":"7"}'
NAME = "hooks.example.com"


@pytest.fixture(autouse=True, scope="module")
def _secrets() -> Iterator[None]:
    before, settings._current = settings._current, settings.Settings(secrets=HELD.get)
    yield
    settings._current = before


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """A server on 127.0.0.1 that answers as it is told and remembers what it was asked."""

    port: int = 0
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    asked: list[Request] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)


@contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            server.asked.append(Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(server.status)
            for name, value in server.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(server.body)

        def log_message(self, *_: object) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.daemon_threads = True
    if tls is not None:
        tls.sni_callback = lambda _, name, __: server.names.append(name)
        listening.socket = tls.wrap_socket(listening.socket, server_side=True)
    server.port = listening.server_address[1]
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        thread.join()
        listening.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


@contextmanager
def speaking(speak: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server for one connection that says what it likes; its port."""
    listening = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            try:
                speak(connection)
            except OSError:
                return

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def here(
    port: int, *, found: list[str] | None = None, path: str = "/in?a=1", tls: ssl.SSLContext | None = None, **options: Any
) -> Destination:
    """A destination whose name resolves to this machine, which its network allows."""
    network = _Network(resolve=lambda *_: found or ["127.0.0.1"], refusal=lambda _: None, tls=tls)
    scheme = "https" if tls else "http"
    return http(
        f"{scheme}://{NAME}:{port}{path}",
        **{"secret": OUT, "ports": [port], "allow_http": True, "_network": network, "timeout": 20.0} | options,
    )


def send(destination: Destination, **options: Any) -> Delivered:
    return deliver(destination, **{"body": BODY, "message_id": "job-1", "key": "order 7", "at": time.time()} | options)


def test_a_message_arrives_signed_and_with_the_jobs_key(server: Server) -> None:
    server.status = 202
    assert send(here(server.port, headers={"X-Team": "shop", "Authorization": TOKEN})) == Delivered(202)
    (asked,) = server.asked
    assert (asked.path, asked.body) == ("/in?a=1", BODY)
    assert standardwebhooks.Webhook(HELD["OUT"]).verify(asked.body, asked.headers) == json.loads(BODY)
    expected = {"host": f"{NAME}:{server.port}", "content-type": "application/json", "webhook-id": "job-1", "x-team": "shop"}
    expected |= {"idempotency-key": "order%207", "authorization": "Bearer abc", "user-agent": "worker-guardrails"}
    assert {name: asked.headers[name] for name in expected} == expected


def test_while_a_secret_is_rotated_a_message_is_signed_with_both(server: Server) -> None:
    send(here(server.port, secret=[OUT, NEXT]))
    for name in ("OUT", "NEXT"):
        standardwebhooks.Webhook(HELD[name]).verify(BODY, server.asked[0].headers)


def test_the_second_attempt_has_the_same_id_and_key_and_a_new_time(server: Server) -> None:
    first, second = (send(here(server.port), at=at) and server.asked[-1].headers for at in (1_000.9, 2_000.0))
    assert [first[name] for name in ("webhook-id", "idempotency-key")] == [second[name] for name in ("webhook-id", "idempotency-key")]
    assert (first["webhook-timestamp"], second["webhook-timestamp"]) == ("1000", "2000")
    assert first["webhook-signature"] != second["webhook-signature"]


@given(st.lists(st.text(min_size=1), min_size=2, max_size=2, unique=True))
@example(["é", "%C3%A9"])
def test_two_keys_never_become_one_header(keys: list[str]) -> None:
    one, other = (
        dict(destinations._headers(here(80), BODY, "m", key.encode("utf-8", "replace").decode(), 0.0))["Idempotency-Key"] for key in keys
    )
    assert one.isascii()
    assert one.isprintable()
    assert (one == other) == (keys[0].encode("utf-8", "replace") == keys[1].encode("utf-8", "replace"))


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_any_2xx_is_delivered(server: Server, status: int) -> None:
    server.status, server.body = status, b""
    assert send(here(server.port)) == Delivered(status)


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599, 408, 425, 429])
def test_what_may_work_later_is_transient(server: Server, status: int) -> None:
    server.status = status
    with pytest.raises(Transient, match=f"^http://{NAME}:{server.port} answered {status}") as caught:
        send(here(server.port, path="/token-in-the-path"))
    assert caught.value.after is None


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 413, 422, 300, 304])
def test_what_will_never_work_is_terminal(server: Server, status: int) -> None:
    server.status, server.body = status, b"secret of the other side"
    with pytest.raises(Terminal, match=f"answered {status}") as caught:
        send(here(server.port, path="/token-in-the-path"))
    assert "token" not in str(caught.value)
    assert "secret of" not in str(caught.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(server: Server, status: int) -> None:
    server.status, server.headers = status, {"Location": f"http://127.0.0.1:{server.port}/elsewhere"}
    with pytest.raises(Terminal, match="redirects are not followed"):
        send(here(server.port))
    assert [asked.path for asked in server.asked] == ["/in?a=1"]


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("999999999", 86_400.0),
        ("9" * 30, None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
    ],
)
def test_retry_after_in_seconds_is_the_hint(text: str, after: float | None) -> None:
    assert destinations._after(text, 0.0) == after


@pytest.mark.parametrize(("off", "after"), [(90, 90.0), (-90, 0.0), (10**7, 86_400.0)])
def test_retry_after_as_a_date_is_the_hint(server: Server, off: int, after: float) -> None:
    server.status, server.headers = 503, {"Retry-After": formatdate(1_750_000_000 + off, usegmt=True)}
    with pytest.raises(Transient) as caught:
        send(here(server.port), at=1_750_000_000.0)
    assert caught.value.after == after


@given(st.text(max_size=40))
def test_no_retry_after_breaks_a_delivery(text: str) -> None:
    after = destinations._after(text, 1_750_000_000.0)
    assert after is None or 0 <= after <= 86_400


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as held:
        return held.getsockname()[1]


def test_a_refused_connection_is_transient() -> None:
    with pytest.raises(Transient, match=r"could not be reached: ConnectError"):
        send(here(closed_port()))


@pytest.mark.parametrize("said", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 20", b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000])
def test_a_server_that_speaks_no_http_is_transient(said: bytes) -> None:
    with speaking(lambda connection: connection.sendall(said)) as port, pytest.raises(Transient, match="could not be reached"):
        send(here(port))


def test_an_answer_that_drips_ends_at_the_time_limit() -> None:
    over = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while not over.wait(0.02):
            connection.sendall(b"x")

    with speaking(drip) as port:
        try:
            with pytest.raises(Transient, match=r"Timeout"):
                send(here(port, timeout=0.4))
        finally:
            over.set()


def test_a_server_that_says_nothing_ends_at_the_time_limit() -> None:
    over = threading.Event()
    with speaking(lambda _: over.wait() and None) as port:
        try:
            with pytest.raises(Transient, match=r"Timeout"):
                send(here(port, timeout=0.2))
        finally:
            over.set()


def test_a_body_without_an_end_is_delivered_and_cut() -> None:
    sent = []

    def flood(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)
            sent.append(65_536)

    with speaking(flood) as port:
        assert send(here(port)) == Delivered(200)
    assert sum(sent) < 50_000_000


def test_a_body_that_breaks_off_after_the_status_is_delivered() -> None:
    def break_off(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    with speaking(break_off) as port:
        assert send(here(port)) == Delivered(200)


def test_the_next_address_is_tried_where_one_does_not_answer(server: Server) -> None:
    assert send(here(server.port, found=["127.0.0.2", "127.0.0.1"])) == Delivered(200)


def test_no_proxy_of_the_environment_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    assert send(here(server.port)) == Delivered(200)
    assert server.asked[0].path == "/in?a=1"


def contexts(*names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for the names, and a client's that trusts its authority."""
    authority, theirs, mine = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(*names).configure_cert(theirs)
    authority.configure_trust(mine)
    return theirs, mine


def test_the_certificate_and_sni_are_those_of_the_name_not_of_the_pinned_address() -> None:
    theirs, mine = contexts(NAME)
    with serving(theirs) as server:
        assert send(here(server.port, tls=mine, allow_http=False)) == Delivered(200)
        assert server.names == [NAME]


@pytest.mark.parametrize("name", ["127.0.0.1", "other.example.com"])
def test_a_certificate_for_another_name_is_refused(name: str) -> None:
    theirs, mine = contexts(name)
    with serving(theirs) as server:
        with pytest.raises(Transient, match="certificate"):
            send(here(server.port, tls=mine))
        assert server.asked == []


def test_an_unknown_authority_is_refused() -> None:
    theirs, _ = contexts(NAME)
    with serving(theirs) as server, pytest.raises(Transient, match="certificate"):
        send(here(server.port, tls=ssl.create_default_context()))


def test_a_name_is_resolved_once_a_delivery_so_that_rebinding_does_not_help(server: Server) -> None:
    answers = [["127.0.0.1"], ["127.0.0.9"]]
    network = _Network(resolve=lambda *_: answers.pop(0), refusal=lambda a: None if str(a) == "127.0.0.1" else "private")
    destination = http(f"http://{NAME}:{server.port}/", secret=OUT, ports=[server.port], allow_http=True, _network=network)
    assert send(destination) == Delivered(200)
    assert answers == [["127.0.0.9"]]
    with pytest.raises(Terminal, match="private"):
        send(destination)
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "found", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["2606:4700::1111", "::ffff:169.254.169.254"], ["fe80::1%eth0"], ["64:ff9b::7f00:1"]]
)
def test_a_name_that_resolves_to_any_refused_address_is_terminal_and_nothing_is_sent(found: list[str]) -> None:
    destination = http(f"https://{NAME}/", secret=OUT, _network=_Network(resolve=lambda *_: found))
    reached = mock.patch.object(httpcore.SyncBackend, "connect_tcp", side_effect=AssertionError("reached"))
    with reached, pytest.raises(Terminal, match=f"Nothing is delivered to {NAME}: it resolves to a") as caught:
        send(destination)
    assert isinstance(caught.value.__cause__, DestinationRefused)


@pytest.mark.parametrize("name", ["localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1"])
def test_what_the_systems_resolver_makes_of_this_machines_names_is_refused(name: str) -> None:
    try:
        found = destinations._resolve(name, 443)
    except OSError:
        found = []
    assert found or name != "localhost"
    assert all(destinations._Network().refusal(ipaddress.ip_address(text)) for text in found)


@pytest.mark.parametrize("answer", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long"), []])
def test_a_name_without_an_address_is_transient(answer: Any) -> None:
    resolve = mock.Mock(side_effect=[answer])
    with pytest.raises(Transient, match=NAME):
        send(http(f"https://{NAME}/", secret=OUT, _network=_Network(resolve=resolve)))


def test_a_resolver_that_hangs_ends_at_the_time_limit() -> None:
    over = threading.Event()
    try:
        with pytest.raises(Transient, match="could not be resolved within"):
            send(http(f"https://{NAME}/", secret=OUT, timeout=0.1, _network=_Network(resolve=lambda *_: [str(over.wait())])))
    finally:
        over.set()


@pytest.mark.parametrize("name", ["NOBODY", "CROOKED"])
def test_a_secret_that_is_not_held_or_would_split_a_header_sends_nothing(server: Server, name: str) -> None:
    for options in ({"secret": SecretRef(name)}, {"headers": {"X-Key": SecretRef(name)}}):
        with pytest.raises(Transient, match=name) as caught:
            send(here(server.port, **options))
        assert "Evil" not in str(caught.value)
    assert server.asked == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://example.com/", "https"),
        ("ftp://example.com/", "absolute https URL"),
        ("file:///etc/passwd", "absolute https URL"),
        ("//example.com/", "absolute https URL"),
        ("https:///path", "absolute https URL"),
        ("https://", "absolute https URL"),
        ("example.com", "absolute https URL"),
        ("https://user:pw@example.com/", "user, password"),
        ("https://example.com@127.0.0.1/", "user, password"),
        ("https://example.com/#part", "fragment"),
        ("https://example.com:8443/", r"Port 8443 .* ports=\(8443,\)"),
        ("https://example.com:80/", "Port 80"),
        ("https://example.com:0/", "Port 0"),
        ("https://example.com:99999/", "cannot be read"),
        ("https://example.com:x/", "cannot be read"),
        ("https://[::1/", "cannot be read"),
        ("https://exam\nple.com/", "visible ASCII"),
        (" https://example.com/", "visible ASCII"),
        ("https://example.com/ä", "visible ASCII"),
        ("https://example.com\\@127.0.0.1/", "visible ASCII"),
        ("https://127.0.0.1/", "loopback"),
        ("https://127.0.0.1./", "loopback"),
        ("https://[::1]/", "loopback"),
        ("https://[::ffff:7f00:1]/", "loopback"),
        ("https://[fe80::1%25eth0]/", "delivered"),
        ("https://2130706433/", "unusual form"),
        ("https://0X7F.1/", "unusual form"),
        ("https://0177.0.0.1/", "unusual form"),
        ("https://localhost/", "this machine"),
        ("https://LOCALHOST./", "this machine"),
        ("https://localhost../", "not a host name"),
        ("https://%6cocalhost/", "not a host name"),
        ("https://169.254.169.254/latest/meta-data/", "link-local"),
    ],
)
def test_a_url_that_must_not_be_reached_is_refused_at_declaration(url: str, words: str) -> None:
    with pytest.raises(DestinationRefused, match=words):
        http(url, secret=OUT)


@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": float("inf")},
        {"timeout": True},
        {"headers": {"Host": "other"}},
        {"headers": {"content-LENGTH": "0"}},
        {"headers": {"Webhook-Signature": "v1,x"}},
        {"headers": {"Idempotency-Key": "x"}},
        {"headers": {"X Y": "x"}},
        {"headers": {"X-Y": "a\r\nb: c"}},
        {"headers": {"X-Y": ""}},
        {"headers": {"X-Y": "é"}},
        {"headers": {"Authorization": "Bearer in-the-source"}},
    ],
)
def test_options_that_cannot_be_safe_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(DestinationRefused) as caught:
        http("https://example.com/", secret=OUT, **options)
    assert "in-the-source" not in str(caught.value)


def test_a_secret_in_the_source_is_refused() -> None:
    with pytest.raises(DeclarationError) as caught:
        http("https://example.com/", secret=HELD["OUT"])  # type: ignore[arg-type]
    assert HELD["OUT"] not in str(caught.value)


def test_a_repr_holds_no_path() -> None:
    made = http("https://Example.com./services/T0/B0/token?key=1", secret=OUT, headers={"X-Key": TOKEN})
    assert repr(made) == "Destination('https://example.com')"
    assert made.target == "/services/T0/B0/token?key=1"
    assert http("https://[2606:4700::1111]:8443", secret=OUT, ports=[8443]).origin == "https://[2606:4700::1111]:8443"


words = st.text(st.sampled_from("0123456789abcdefx.:[]@%/?#-_ lo\\é"), max_size=24)
hosts = (
    words
    | st.ip_addresses().map(str)
    | st.ip_addresses(v=6).map("[{}]".format)
    | st.integers(0, 2**33).map(str)
    | st.sampled_from(["localhost", "a.example"])
)


@given(
    url=st.builds("{}://{}{}".format, st.sampled_from(["https", "http", "HTTPS", "ftp"]), hosts, words) | st.text(max_size=40),
    found=st.lists(
        st.ip_addresses() | st.sampled_from(["127.0.0.1", "::1", "169.254.169.254", "::ffff:10.0.0.1"]).map(ipaddress.ip_address),
        max_size=4,
    ),
)
def test_random_urls_and_resolvers_never_reach_a_private_address(url: str, found: list[Any]) -> None:
    reached: list[str] = []

    def connect(_: object, host: str, *__: object) -> None:
        reached.append(host)
        raise httpcore.ConnectError("nothing is there")

    network = _Network(resolve=lambda host, _: [host] if destinations.addresses.literal(host) else [str(address) for address in found])
    with mock.patch.object(httpcore.SyncBackend, "connect_tcp", connect):
        try:
            destination = http(url, secret=OUT, allow_http=True, ports=range(65_536), _network=network)
        except DestinationRefused:
            return
        with pytest.raises((Transient, Terminal)):
            send(destination)
    for host in reached:
        address = ipaddress.ip_address(host)
        wrapped = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if host.startswith(("::ffff:", "64:ff9b::")) else address
        assert wrapped.is_global
        assert not wrapped.is_multicast
