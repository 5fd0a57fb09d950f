"""Which file an import means, in each language."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

_TS_TRIES = (".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs", ".cjs", "/index.ts", "/index.tsx", "/index.js")


FACES = ("__init__", "index", "mod", "lib")  # files that stand for their folder and export what others define


def import_word(path: str) -> str:
    """The word by which a file is imported: its own name, or its folder's where it stands for that."""
    folder, _, file = path.rpartition("/")
    stem = file.partition(".")[0]
    return folder.rpartition("/")[2] if stem in FACES else stem


class Modules:
    """Finds project files by import path. A module's id is dotted in Python, a path without suffix elsewhere."""

    def __init__(self, paths: Iterable[str], external: frozenset[str]) -> None:
        self._paths = frozenset(paths)
        self._external = external
        self._inner = tuple(root for root in external if "." in root)
        self._by_name: dict[str, list[str]] = {}
        self._ids: dict[str, str] = {}
        self._found: dict[tuple[str, str], tuple[str, tuple[str, ...]] | None] = {}
        for path in sorted(self._paths):
            stem = posixpath.splitext(path)[0]
            if posixpath.basename(stem) in ("__init__", "index", "mod", "lib", "main"):
                self._by_name.setdefault(posixpath.basename(posixpath.dirname(stem)), []).append(path)
            self._by_name.setdefault(posixpath.basename(stem), []).append(path)

    def id_of(self, path: str) -> str:
        """The module id of a file: `shop.tasks`, `src/queue`."""
        known = self._ids.get(path)
        if known is None:
            known = self._ids[path] = self._id_of(path)
        return known

    def call(self, symbols: Iterable[str]) -> None:
        """Let modules of the project be called as these symbols call them: a package without `__init__.py` does not say its own name."""
        for symbol in symbols:
            found = self._find_python("", symbol)
            if found is not None and found[1]:
                self._ids[found[0]] = symbol.removesuffix("." + ".".join(found[1]))

    def _id_of(self, path: str) -> str:
        stem = posixpath.splitext(path)[0]
        if not path.endswith((".py", ".pyi")):
            return stem.removesuffix("/index").removesuffix("/mod")
        if stem.endswith("/__init__"):
            stem = stem.removesuffix("/__init__")
        return stem[len(self._root_of(path)) :].lstrip("/").replace("/", ".") or stem

    def _root_of(self, path: str) -> str:
        folder = posixpath.dirname(path)
        while folder and f"{folder}/__init__.py" in self._paths:
            folder = posixpath.dirname(folder)
        return folder

    def find(self, importer: str, target: str) -> tuple[str, tuple[str, ...]] | None:
        """The project file that an import target lies in and the names left over, None for a foreign one."""
        key = (importer if importer.endswith(".rs") else posixpath.dirname(importer) + posixpath.splitext(importer)[1], target)
        if key not in self._found:
            self._found[key] = self._find(importer, target)
        return self._found[key]

    def _find(self, importer: str, target: str) -> tuple[str, tuple[str, ...]] | None:
        if importer.endswith((".py", ".pyi")):
            return self._find_python(importer, target)
        if importer.endswith(".rs"):
            return self._find_rust(importer, target)
        return self._find_typescript(importer, target)

    def _find_python(self, importer: str, target: str) -> tuple[str, tuple[str, ...]] | None:
        bare = target.lstrip(".")
        dots = len(target) - len(bare)
        parts = tuple(part for part in bare.split(".") if part)
        if dots:
            folder = posixpath.dirname(importer)
            for _ in range(dots - 1):
                folder = posixpath.dirname(folder)
            return self._below(folder, parts)
        if any(self._is_asked_from_outside(root, importer, bare) for root in self._inner):
            return None
        for count in range(len(parts), 0, -1):
            path = self._absolute(importer, parts[:count])
            if path is not None:
                return path, parts[count:]
        return None

    @staticmethod
    def _is_asked_from_outside(root: str, importer: str, target: str) -> bool:
        """A modelled package that is part of another: to all but itself it is what its model says, also where its source is at hand."""
        return f"{target}.".startswith(f"{root}.") and f"/{root.replace('.', '/')}/" not in f"/{importer}"

    def _below(self, folder: str, parts: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
        for count in range(len(parts), -1, -1):
            stem = posixpath.join(folder, *parts[:count])
            for path in ((f"{stem}.py",) if count else ()) + (f"{stem}/__init__.py", f"{stem}.pyi"):
                if path.lstrip("/") in self._paths:
                    return path.lstrip("/"), parts[count:]
        return None

    def _absolute(self, importer: str, parts: tuple[str, ...]) -> str | None:
        tail = "/".join(parts)
        ends = (f"{tail}.py", f"{tail}/__init__.py", f"{tail}.pyi")
        found = [p for p in self._by_name.get(parts[-1], ()) if p in ends or p.endswith(tuple(f"/{end}" for end in ends))]
        found = [p for p in found if self._is_top(p, tail)]
        if len(parts) == 1 and parts[0] in self._external:
            found = []
        return max(found, key=lambda p: (len(posixpath.commonprefix([p, importer])), -len(p), p), default=None)

    def _is_top(self, path: str, tail: str) -> bool:
        """Nothing above the tail is a package: then the tail is how the file is imported."""
        above = path[: path.rindex(tail)].rstrip("/")
        return not above or f"{above}/__init__.py" not in self._paths

    def _find_typescript(self, importer: str, target: str) -> tuple[str, tuple[str, ...]] | None:
        for specifier, names in ((target, ()), _cut(target)):
            if specifier.startswith("."):
                base = posixpath.normpath(posixpath.join(posixpath.dirname(importer), specifier))
                found = self._with_suffix(base)
            elif specifier.startswith(("@/", "~/", "src/")):
                found = self._ending(specifier.lstrip("@~/"), importer)
            else:
                found = None
            if found:
                return found, names
        return None

    def _with_suffix(self, base: str) -> str | None:
        return next((base + suffix for suffix in ("", *_TS_TRIES) if base + suffix in self._paths), None)

    def _ending(self, tail: str, importer: str) -> str | None:
        name = posixpath.basename(tail)
        found = [p for p in self._by_name.get(name, ()) if any(p.endswith(f"/{tail}{suffix}") for suffix in _TS_TRIES)]
        return max(found, key=lambda p: (len(posixpath.commonprefix([p, importer])), p), default=None)

    def _find_rust(self, importer: str, target: str) -> tuple[str, tuple[str, ...]] | None:
        parts = target.split(".")
        source = (
            importer.rpartition("/src/")[0] + "/src"
            if "/src/" in importer
            else "src"
            if importer.startswith("src/")
            else posixpath.dirname(importer)
        )
        here = self._rust_folder(importer)
        if parts[0] == "crate":
            return self._rust_below(source, tuple(parts[1:]))
        if parts[0] == "self":
            return self._rust_below(here, tuple(parts[1:]))
        if parts[0] == "super":
            while parts and parts[0] == "super":
                here, parts = posixpath.dirname(here), parts[1:]
            return self._rust_below(here, tuple(parts))
        return self._rust_first(here, tuple(parts)) or self._rust_crate(tuple(parts))

    def _rust_first(self, folder: str, parts: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
        """A path that begins at a module beside this one."""
        stem = posixpath.join(folder, parts[0])
        return self._rust_below(folder, parts) if {f"{stem}.rs", f"{stem}/mod.rs"} & self._paths else None

    def _rust_crate(self, parts: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
        """A path that begins at another crate of the workspace, told by its folder's name."""
        for path in self._by_name.get("src", ()):
            name = posixpath.basename(path.removesuffix("/src/lib.rs")).replace("-", "_")
            if path.endswith("/src/lib.rs") and (parts[0] == name or parts[0].endswith(f"_{name}")):
                return self._rust_below(posixpath.dirname(path), parts[1:])
        return None

    @staticmethod
    def _rust_folder(path: str) -> str:
        stem = posixpath.splitext(path)[0]
        return posixpath.dirname(path) if posixpath.basename(stem) in ("mod", "lib", "main") else stem

    def _rust_below(self, folder: str, parts: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
        for count in range(len(parts), -1, -1):
            stem = posixpath.join(folder, *parts[:count])
            for path in (f"{stem}.rs", f"{stem}/mod.rs", f"{stem}/lib.rs", f"{stem}/main.rs"):
                if path in self._paths:
                    return path, parts[count:]
        return None


def _cut(target: str) -> tuple[str, tuple[str, ...]]:
    specifier, _, name = target.rpartition(".")
    return specifier, (name,)
