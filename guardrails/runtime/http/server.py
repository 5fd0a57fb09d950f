"""Serving with uvicorn: the port is taken first, the sign-in link is told once it answers, and a signal ends those who follow."""

import asyncio
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from guardrails.runtime.errors import DeclarationError
from guardrails.runtime.http import patience
from guardrails.runtime.http.desk import Desk
from guardrails.runtime.http.serving import Serving

GRACE = 10  # seconds for requests that are under way
MOST = 1000  # connections


class Server(uvicorn.Server):
    """A server that lets followers go when it is asked to end, and tells when it is ready."""

    def __init__(self, config: uvicorn.Config, desk: Desk, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._desk, self._ready = desk, ready
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            self._ready()

    def end(self) -> None:
        """Answer what is under way, and stop; from any thread."""
        self.should_exit = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._desk.pulse.close)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """On SIGTERM and Ctrl-C; a second Ctrl-C ends at once."""
        super().handle_exit(sig, frame)
        self.end()


def server(app: Starlette, ready: Callable[[], None] = lambda: None) -> Server:
    """A server of the service, yet to be run."""
    desk: Desk = app.state.desk
    config = uvicorn.Config(
        app,
        host=desk.serving.host,
        port=desk.serving.port,
        http=patience.protocol(desk.serving.stall),
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
        limit_concurrency=MOST,
        lifespan="on",
    )
    return Server(config, desk, ready)


def bound(settings: Serving) -> socket.socket:
    """The port, taken for good, since two may bind one as long as neither listens; raises DeclarationError where it cannot be."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    taken = socket.socket(family)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((settings.host, settings.port))
        taken.listen()
    except OSError as error:
        taken.close()
        reason = (error.strerror or str(error)).lower()
        raise DeclarationError(f"{settings.host}:{settings.port} cannot be served ({reason}): give another --host or --port.") from error
    return taken


def address(settings: Serving, port: int) -> str:
    """Where a person on this machine finds the page."""
    host = "localhost" if settings.host in ("0.0.0.0", "::") else settings.host
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
