"""The facts of instruction files: what they name, and the parts of them that were generated. The linter's caller hands them to it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from guardrails import lint
from guardrails.config import Config
from guardrails.facts import Fact, Scope
from guardrails.facts.instructions import Kind, Named
from guardrails.files import Tree
from guardrails.instruct.declared import Declared, Having, bases, joined
from guardrails.instruct.markdown import Piece, pieces
from guardrails.instruct.named import Mention, mentions
from guardrails.place import Place

IMPORTING = ("CLAUDE.md", "GEMINI.md")  # files in which @path reads another file in
# Folders of files that came from elsewhere, or go elsewhere: what they name is not of this project.
FOREIGN = frozenset("vendor vendored third_party node_modules template templates fixtures testdata skeleton boilerplate scaffold".split())
# Names that say nothing of what is in a file: another of that name is no hint.
COMMON = frozenset("__init__ index main app types utils config settings README CONTRIBUTING CHANGELOG LICENSE AGENTS CLAUDE SKILL".split())
MAX_BYTES = 400_000

_HELD = re.compile(r"^(?:-{2,}|={2,}|#{1,6})[ \t]*([\w.-]+(?:/[\w.-]+)+)[ \t]*[-=#:]*[ \t]*\r?$", re.MULTILINE)


def facts(tree: Tree, project: lint.Understood, known: lint.Known, config: Config) -> Iterator[Fact]:
    """What the instruction files of a tree say; `config` is that of the project."""
    yield from named(tree)
    if any(b"guardrails:" in tree.load(path) for path in tree.instructions):
        from guardrails.instruct.fresh import parts

        yield from parts(tree, project, known, config)


def named(tree: Tree) -> Iterator[Named]:
    """What the instruction files of a tree name."""
    if not tree.listing:
        return
    having = Having(tree)
    for path in (one for one in tree.instructions if FOREIGN.isdisjoint(one.split("/")[:-1])):
        data = tree.load(path)
        if data and len(data) <= MAX_BYTES:
            yield from _Reader(path, having).facts(data.decode("latin-1"))


class _Reader:
    """One file. Its text is read byte by byte, so that offsets are those of the file."""

    def __init__(self, path: str, having: Having) -> None:
        self.path, self.having = path, having

    def facts(self, text: str) -> Iterator[Named]:
        """A fact a name that means something of the project; what may be meant otherwise is left out."""
        held = frozenset(_HELD.findall(text))  # a file that stands in this one, below a line with its name
        for piece in pieces(text):
            if piece.kind == "import" and not self.path.endswith(IMPORTING):
                continue
            yield from self._named(piece, held)

    def _named(self, piece: Piece, held: Collection[str]) -> Iterator[Named]:
        for mention in mentions(piece):
            fact = self._fact(mention) if mention.name not in held else None
            if fact:
                yield fact

    def _fact(self, mention: Mention) -> Named | None:
        if mention.kind == "target":
            return self._declared(mention, "target", self.having.targets)
        if mention.kind == "script":
            return self._declared(mention, "script", self.having.scripts)
        stands = self._stands(mention)
        if stands is None:
            return None
        name = _utf8(mention.name)
        last = name.rpartition("/")[2]
        like = "" if stands or last.partition(".")[0] in COMMON else self.having.like(last)
        return self._made(mention, "folder" if name.endswith("/") else "file", stands=stands, like=like)

    def _declared(self, mention: Mention, kind: Kind, declared: Declared) -> Named | None:
        """A name that any file of the project declares stands: where the command is run, prose says."""
        if not declared.files:
            return None
        name = _utf8(mention.name)
        stands = name in declared.names or (kind == "target" and self.having.ends_in(name))
        return self._made(mention, kind, stands=stands or (None if declared.is_open else False), looked_in=declared.files)

    def _made(self, mention: Mention, kind: Kind, *, stands: bool | None, looked_in: tuple[str, ...] = (), like: str = "") -> Named:
        place = Place(self.path, mention.start, mention.stop)
        return Named(
            place=place, scope=Scope(self.path, 0, ""), framework="", language="markdown", kind=kind, name=_utf8(mention.name),
            stands=stands, looked_in=looked_in, like=like,
        )  # fmt: skip

    def _stands(self, mention: Mention) -> bool | None:
        """Whether a path is there; None where it may be meant from elsewhere, or is made by a tool."""
        if mention.inside is None:
            return None
        name, having = _utf8(mention.name), self.having
        leads = [f"{base}{mention.inside}" for base in bases(self.path)]
        here = [one for one in (joined(lead, name) for lead in leads) if one]
        tail = "/".join(part for part in name.split("/") if part not in ("", ".", ".."))
        if any(having.has(one) for one in here) or having.ends_in(tail):
            return True
        is_made = not here or any(having.is_ignored(one) for one in here)
        return None if is_made or not (mention.kind == "link" or self._is_meant(name, tail, leads)) else False

    def _is_meant(self, name: str, tail: str, leads: list[str]) -> bool:
        """Whether a path that is not there surely means one of this project: its folder, or the first of them, is there.

        A skill travels: what it names among the settings of tools may be another project's, its own references may not. A hidden
        folder is where a tool looks, whether it is there or not.
        """
        first, _, rest = tail.partition("/")
        if name.startswith(".."):
            return self.having.is_folder(joined(leads[0], f"{name.rstrip('/')}/.."))
        if not rest or (first.startswith(".") and name.endswith("/")):
            return False
        if self.path.endswith("SKILL.md") and (first == "references" or first.startswith(".")):
            return first == "references"
        parent = tail.rpartition("/")[0]
        is_near = any(self.having.is_folder(found) for lead in leads if (found := joined(lead, first)))
        return is_near or ("/" in parent and self.having.ends_in(parent))


def _utf8(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "replace")
