"""One POST to addresses that were checked before: the name is not looked up again, and the whole exchange ends at a deadline."""

import ssl
import time
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore

DRAINED = 65_536  # bytes of a response's body that are taken off the wire, and dropped
_SLICE = 16_384

Pairs = list[tuple[str, str]]


class Deadline:
    """A moment on this machine's monotonic clock."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left; raises httpcore.TimeoutException when there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise httpcore.TimeoutException("the time limit of the delivery was reached")
        return left


class _Stream(httpcore.NetworkStream):
    """A connection whose every read and write ends at the deadline, however slowly the other side drips."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for at in range(0, len(buffer), _SLICE):
            self._stream.write(buffer[at : at + _SLICE], self._deadline.left())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, self._deadline.left()), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Pinned(httpcore.NetworkBackend):
    """Connects to the given addresses, in turn, whatever name it is asked for; each has its share of the time that is left."""

    def __init__(self, addresses: Sequence[str], deadline: Deadline) -> None:
        self._addresses, self._deadline, self._plain = addresses, deadline, httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError("there is no address to connect to")
        for tried, address in enumerate(self._addresses):
            share = self._deadline.left() / (len(self._addresses) - tried)
            try:
                stream = self._plain.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _Stream(stream, self._deadline)
        raise failure


def post(
    url: httpcore.URL, addresses: Sequence[str], headers: Pairs, body: bytes, deadline: Deadline, tls: ssl.SSLContext | None
) -> tuple[int, dict[str, str]]:
    """Send a POST; returns the status and the headers, names in lower case. Certificate and SNI are the host name's.

    No redirect is followed, no proxy and no cookie is used. Raises httpcore's TimeoutException, NetworkError or ProtocolError.
    """
    backend = _Pinned(addresses, deadline)
    with (
        httpcore.ConnectionPool(ssl_context=tls, max_connections=1, network_backend=backend) as pool,
        pool.stream("POST", url, headers=headers, content=body) as response,
    ):
        _drain(response)
        return response.status, {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}


def _drain(response: httpcore.Response) -> None:
    """Take a short body off the wire, so that the other side ends in peace; the status has been told already."""
    taken = 0
    try:
        for part in response.iter_stream():
            taken += len(part)
            if taken > DRAINED:
                return
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        return
