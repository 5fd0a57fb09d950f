import threading
from collections.abc import Callable
from typing import Any


def run_in_background(func: Callable[..., Any], *args: Any) -> None:
    """Run func without making the caller wait for it."""
    thread = threading.Thread(target=func, args=args, daemon=True)
    thread.start()
