"""The application that holds the jobs: one way to import it, for the worker and for its children."""

import importlib
import sys
import traceback
from pathlib import Path
from types import ModuleType, TracebackType

from guardrails.runtime import context
from guardrails.runtime.errors import RuntimeFault


def load(app: str) -> ModuleType:
    """Import the application: "app", "pkg.mod" or "app.py", as seen from the current folder, which is put first on `sys.path`.

    Nothing can be queued meanwhile. Raises `RuntimeFault`, whose detail is the traceback, when it cannot be imported.
    """
    here = str(Path.cwd())
    if here not in sys.path[:1]:
        sys.path.insert(0, here)
    name = _module(app)
    try:
        with context.importing():
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise RuntimeFault(
                f"There is no application {app!r} in {Path.cwd()}: give its module (app, pkg.mod) or file (app.py)."
            ) from None
        raise _refused(app, error) from error
    except (Exception, SystemExit) as error:
        raise _refused(app, error) from error


def _module(app: str) -> str:
    """The module's name; a file elsewhere is imported from its own folder."""
    path = Path(app)
    if path.suffix != ".py" or not path.is_file():
        return app
    try:
        return ".".join(path.resolve().relative_to(Path.cwd().resolve()).with_suffix("").parts)
    except ValueError:
        sys.path.insert(0, str(path.resolve().parent))
        return path.stem


def _refused(app: str, error: BaseException) -> RuntimeFault:
    told = "".join(traceback.format_exception(error.with_traceback(_own_frames(error))))
    return RuntimeFault(f"The application {app!r} cannot be imported: {type(error).__name__}: {error}", told)


def _own_frames(error: BaseException) -> TracebackType | None:
    """The traceback from the application's first line on, without what imported it."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith((__file__, importlib.__file__, "<frozen importlib")):
        frames = frames.tb_next
    return frames
