"""A headless Chromium, driven by its DevTools protocol over a pipe: no port, no library."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # seconds for one answer, on a machine that is busy
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-extensions",
    "--remote-debugging-pipe",
)

# The protocol comes in on descriptor 3 and goes out on 4.
LAUNCH = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
os.dup2(ends[0], 3), os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def program() -> str | None:
    """The path of a Chromium, None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Tab:
    """One page. `told` holds what the console, the log and uncaught exceptions said."""

    def __init__(self, reading: int, writing: int) -> None:
        self.reading, self.writing = reading, writing
        self.number, self.rest, self.session = 0, b"", ""
        self.told: list[str] = []
        self.requests: list[str] = []
        self.loaded = 0
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Asks, and waits for the answer."""
        self.number += 1
        said: dict[str, Any] = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            said["sessionId"] = self.session
        os.write(self.writing, json.dumps(said).encode() + b"\0")
        while (message := self._message()).get("id") != self.number:
            self._note(message)
        if "navigated" in message.get("error", {}).get("message", ""):  # asked between two pages
            return self.send(method, **parameters)
        assert "error" not in message, message["error"]
        result: dict[str, Any] = message["result"]
        return result

    def open(self, url: str) -> None:
        """Goes to an address and waits until it is loaded."""
        before = self.loaded
        self.send("Page.navigate", url=url)
        while self.loaded == before and "#" not in url:
            self._note(self._message())

    def run(self, script: str) -> Any:
        """The value of an expression in the page."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def key(self, key: str) -> None:
        """Presses a key."""
        text = {"text": key} if len(key) == 1 else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", key=key)

    def picture(self, path: Path, width: int, height: int = 0, **clip: int) -> None:
        """The page, or a part of it, as a PNG."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        whole = int(self.run("document.documentElement.scrollHeight"))
        area = {"x": 0, "y": 0, "width": width, "height": height or whole, "scale": 1, **clip}
        made = self.send("Page.captureScreenshot", captureBeyondViewport=True, clip=area)
        path.write_bytes(base64.b64decode(made["data"]))

    def _note(self, message: dict[str, Any]) -> None:
        given = message.get("params", {})
        match message.get("method"):
            case "Page.loadEventFired":
                self.loaded += 1
            case "Runtime.exceptionThrown":
                self.told.append(str(given["exceptionDetails"]))
            case "Runtime.consoleAPICalled":
                self.told.append(f"{given['type']}: {given['args']}")
            case "Log.entryAdded":
                self.told.append(f"{given['entry']['level']}: {given['entry']['text']}")
            case "Network.requestWillBeSent":
                self.requests.append(given["request"]["url"])

    def _message(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        with selectors.DefaultSelector() as ready:
            ready.register(self.reading, selectors.EVENT_READ)
            while b"\0" not in self.rest:
                assert ready.select(max(0.0, end - time.monotonic())), f"chromium was silent for {PATIENCE:.0f} s"
                got = os.read(self.reading, 1 << 16)
                assert got, "chromium went away"
                self.rest += got
        message, _, self.rest = self.rest.partition(b"\0")
        decoded: dict[str, Any] = json.loads(message)
        return decoded


@contextlib.contextmanager
def browser(path: str) -> Iterator[Tab]:
    """Starts a Chromium with a profile of its own, and ends it."""
    (theirs, ours), (reading, writing) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [sys.executable, "-c", LAUNCH, str(theirs), str(writing), path, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        process = subprocess.Popen(
            command, pass_fds=(theirs, writing), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        os.close(theirs)
        os.close(writing)
        try:
            yield Tab(reading, ours)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # a group that is ours alone
            process.wait(PATIENCE)
            os.close(reading)
            os.close(ours)
