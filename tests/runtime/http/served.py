"""A real server in a thread, and clients that read server-sent events from it."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from guardrails.runtime.http import Serving, service
from guardrails.runtime.http import server as servers
from guardrails.runtime.http.desk import Desk

KEY, OLD = "new-key-0123456789abcdef", "old-key-0123456789abcdef"
PATIENCE = 30.0


class Served:
    """The service, listening; it can be restarted on the same port."""

    def __init__(self, **settings: Any) -> None:
        self._settings: dict[str, Any] = {"keys": (KEY, OLD), "poll": 0.05} | settings
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Serve."""
        settings = Serving(**self._settings, port=self.port)
        app, ready = service(settings), threading.Event()
        self.desk: Desk = app.state.desk
        self.routes = app.routes
        self._server = servers.server(app, ready.set)
        self._thread = threading.Thread(target=self._run, args=(settings,), daemon=True)
        self._thread.start()
        assert ready.wait(PATIENCE), "the service does not start"

    def _run(self, settings: Serving) -> None:
        with servers.bound(settings) as taken:
            self._server.run([taken])

    @property
    def connections(self) -> int:
        """How many it holds."""
        return len(self._server.server_state.connections)

    def stop(self) -> None:
        """Stop as on SIGTERM, and wait for the end."""
        self._server.end()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the service does not stop"

    def client(self, key: str | None = KEY, **options: Any) -> httpx.Client:
        """A client with a key."""
        headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE, **options)


@dataclass
class Frame:
    """A server-sent event."""

    event: str = ""
    data: Any = None
    id: str | None = None
    comments: list[str] = field(default_factory=list)


def frames(response: httpx.Response) -> Iterator[Frame]:
    """The events as they come; comments are frames without a name."""
    made = Frame()
    for line in response.iter_lines():
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if made != Frame():
                yield made
            made = Frame()
        elif not name:
            made.comments.append(value)
        elif name == "data":
            made.data = json.loads(value)
        elif name == "event":
            made.event = value
        elif name == "id":
            made.id = value


@contextmanager
def following(client: httpx.Client, path: str, last: str | None = None, **headers: str) -> Iterator[Iterator[Frame]]:
    """Follow a path."""
    given = {"Accept": "text/event-stream", **headers} | ({"Last-Event-ID": last} if last is not None else {})
    with client.stream("GET", path, headers=given) as response:
        response.status_code == 200 or response.read()
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].startswith("text/event-stream")
        yield frames(response)
