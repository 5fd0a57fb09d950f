"""The application that holds the jobs: one way to import it, for the worker and for its children."""

import importlib
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType, TracebackType

import guardrails
from guardrails.runtime import context
from guardrails.runtime.errors import DeclarationError, RuntimeFault

_PACKAGE = f"{Path(guardrails.__file__).parent}{os.sep}"


def load(app: str) -> ModuleType:
    """Import the application: "app", "pkg.mod" or "app.py", as seen from the current folder, which is put first on `sys.path`.

    Nothing can be queued meanwhile. Raises `RuntimeFault` when it cannot be imported: its detail is the traceback, and for a
    declaration that is refused the sentence begins with the file and line.
    """
    module, colon, rest = app.partition(":")
    if colon and not Path(app).exists():
        raise RuntimeFault(
            f"Leave out :{rest} and say {module}: an application is a module (app, pkg.mod) or a file (app.py), with all its jobs."
        )
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
    except DeclarationError as error:
        raise RuntimeFault(f"{_place(error)}{error}") from error
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


def _place(error: BaseException) -> str:
    """`app.py:10: `, the line of the application that declares what is refused; nothing where none of its lines is known."""
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(_own_frames(error))]
    theirs = [(file, line) for file, line in frames if not file.startswith((_PACKAGE, "<"))]
    if not theirs:
        return ""
    path, line = Path(theirs[-1][0]), theirs[-1][1]
    return f"{path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path}:{line}: "


def _own_frames(error: BaseException) -> TracebackType | None:
    """The traceback from the application's first line on, without what imported it."""
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith((__file__, importlib.__file__, "<frozen importlib")):
        frames = frames.tb_next
    return frames
