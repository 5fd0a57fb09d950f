"""What a command says: kept up to a cap, without its secrets, and told on while it runs."""

from typing import Literal

from guardrails.runtime.sandbox.commands import OnOutput
from guardrails.runtime.sandbox.redaction import Redactor

Stream = Literal["stdout", "stderr"]
STREAMS: tuple[Stream, ...] = ("stdout", "stderr")


class Capture:
    """Counts both streams against one cap in bytes. A listener hears exactly what is kept."""

    def __init__(self, cap: int, values: list[bytes], on_output: OnOutput | None = None) -> None:
        self.truncated = False
        self._left = self._room = cap  # bytes that the command may still say; bytes that may still be kept, which a mark can be more of
        self._kept: dict[Stream, bytearray] = {name: bytearray() for name in STREAMS}
        self._redactors = {name: Redactor(values) for name in STREAMS}
        self._on_output = on_output

    def take(self, stream: Stream, data: bytes) -> bool:
        """Keep what fits; whether all of it did. After the first that does not, nothing is kept."""
        if self.truncated:
            return False
        fits = data[: self._left]
        self._left -= len(fits)
        self._keep(stream, self._redactors[stream].feed(fits))
        if len(fits) < len(data):
            self.close(cut=True)
            self.truncated = True
        return not self.truncated

    def close(self, *, cut: bool = False) -> None:
        """The end: what was held back is told, or replaced where a limit `cut` it."""
        if not self.truncated:
            for name in STREAMS:
                self._keep(name, self._redactors[name].end(cut=cut))

    def kept(self, stream: Stream) -> bytes:
        """What a stream said."""
        return bytes(self._kept[stream])

    def _keep(self, stream: Stream, data: bytes) -> None:
        data = data[: self._room]
        self._room -= len(data)
        if data:
            self._kept[stream] += data
            if self._on_output is not None:
                self._on_output(stream, data)
