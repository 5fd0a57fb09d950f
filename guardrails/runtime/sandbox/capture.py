"""What a command says: kept up to a cap, without its secrets, and told on while it runs."""

from typing import Literal

from guardrails.runtime.logs.redact import Redactor
from guardrails.runtime.sandbox.commands import OnOutput

Stream = Literal["stdout", "stderr"]
STREAMS: tuple[Stream, ...] = ("stdout", "stderr")


class Capture:
    """Counts the bytes of both streams against one cap. A listener hears exactly what is kept; where there are secrets, in whole lines."""

    def __init__(self, cap: int, redactor: Redactor | None, on_output: OnOutput | None = None) -> None:
        self.truncated = False
        self._left = self._room = cap  # bytes that may still come; bytes that may still be kept: a mark can be longer than what it hides
        self._kept: dict[Stream, bytearray] = {name: bytearray() for name in STREAMS}
        self._redactor = redactor
        self._clean = {name: redactor.stream() for name in STREAMS} if redactor else {}
        self._on_output = on_output

    def take(self, stream: Stream, data: bytes) -> None:
        """Keep what fits; `truncated` from the first on that does not, and nothing is kept then."""
        if self.truncated:
            return
        fits = data[: self._left]
        self._left -= len(fits)
        self._keep(stream, self._clean[stream].feed(fits) if self._clean else fits)
        if len(fits) < len(data):
            self.close(cut=True)
            self.truncated = True

    def close(self, *, cut: bool = False) -> None:
        """The end: what was held back is kept, too; where a limit `cut` it, without the beginning of a secret."""
        if not self.truncated:
            for name, clean in self._clean.items():
                rest = clean.flush()
                self._keep(name, self._without_beginning(rest) if cut else rest)

    def kept(self, stream: Stream) -> bytes:
        """What a stream said."""
        return bytes(self._kept[stream])

    def _without_beginning(self, data: bytes) -> bytes:
        """The data, less a last part with which a secret begins."""
        forms = [form.encode("latin-1") for form in self._redactor.encoded] if self._redactor else []
        for at in range(max(0, len(data) - max(map(len, forms), default=0)), len(data)):
            if any(form.startswith(data[at:]) for form in forms):
                return data[:at]
        return data

    def _keep(self, stream: Stream, data: bytes) -> None:
        data = data[: self._room]
        self._room -= len(data)
        if data:
            self._kept[stream] += data
            if self._on_output is not None:
                self._on_output(stream, data)


def cleaned(redactor: Redactor | None, data: bytes) -> bytes:
    """Bytes that are complete, without secrets."""
    if redactor is None:
        return data
    stream = redactor.stream()
    return stream.feed(data) + stream.flush()
