"""HTTP: a server in a thread on 127.0.0.1, calls in, replies out. It knows nothing of GitHub but its headers."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit


@dataclass
class Reply:
    """An answer; `data` is JSON unless it is text, None is no body."""

    status: int = 200
    data: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    kind: str = "application/json; charset=utf-8"

    @property
    def body(self) -> bytes:
        if self.data is None:
            return b""
        return (self.data if isinstance(self.data, str) else json.dumps(self.data)).encode()


class Refused(Exception):
    """What GitHub answers instead: status, message, errors as strings or objects."""

    def __init__(self, status: int, message: str, errors: list[Any] | None = None, docs: str = "", **headers: str) -> None:
        super().__init__(message)
        body: dict[str, Any] = {"message": message}
        if errors is not None:
            body["errors"] = errors
        body |= {"documentation_url": f"https://docs.github.com/rest{docs}", "status": str(status)}
        self.reply = Reply(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class Call:
    """A request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    raw: bytes
    template: str = ""
    names: dict[str, str] = field(default_factory=dict)
    token: Any = None
    reply: Reply | None = None
    fault: str = ""
    short: int = 0  # of each page's items

    @property
    def json(self) -> Any:
        return json.loads(self.raw) if self.raw else {}

    @property
    def write(self) -> bool:
        """Whether it is meant to change something; a GraphQL query only reads."""
        if self.path.endswith("/graphql"):
            return "mutation" in str(self.json.get("query", "")).partition("{")[0]
        return self.method not in ("GET", "HEAD")

    def page(self, items: list[Any], url: str) -> Reply:
        """One page of a list, with GitHub's Link header. 30 unless asked, at most 100, less what it is `short` of."""
        size = max(1, min(100, int(self.query.get("per_page", 30))) - self.short)
        page = max(1, int(self.query.get("page", 1)))
        last = max(1, -(-len(items) // size))
        links = {"prev": page - 1, "first": 1} if page > 1 else {}
        links |= {"next": page + 1, "last": last} if page < last else {}
        rest = {name: value for name, value in self.query.items() if name != "page"}
        words = [f'<{url}?{urlencode({**rest, "page": number})}>; rel="{name}"' for name, number in links.items()]
        return Reply(200, items[(page - 1) * size : page * size], {"Link": ", ".join(words)} if words else {})

    def __str__(self) -> str:
        status = self.reply.status if self.reply else "no answer"
        query = "?" + urlencode(self.query) if self.query else ""
        return f"{self.method} {self.path}{query} -> {status}{f' ({self.fault})' if self.fault else ''}"


class Server:
    """Gives every call to `answer`; one at a time, as GitHub's effects are atomic. An `answer` of None drops the connection."""

    def __init__(self, answer: Callable[[Call], Reply | None]) -> None:
        lock = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                with lock:
                    reply = answer(self._call())
                if reply is None:
                    self.close_connection = True
                    return
                self._send(reply)

            def _call(self) -> Call:
                parts = urlsplit(self.path)
                query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                return Call(self.command, unquote(parts.path), query, headers, raw)

            def _send(self, reply: Reply) -> None:
                self.send_response(reply.status)
                if reply.body or reply.status not in (204, 304):
                    self.send_header("Content-Type", reply.kind)
                    self.send_header("Content-Length", str(len(reply.body)))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)
                self.wfile.flush()

            def log_message(self, *args: object) -> None:
                """Quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def start(self) -> str:
        """Begins to listen; the address."""
        self._thread.start()
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()
