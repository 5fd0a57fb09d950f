"""What a piece of Markdown names: make targets, scripts of a package.json, paths. Silent about whatever may be meant otherwise."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from guardrails.instruct.markdown import Piece

EXTENSIONS = frozenset(
    "py pyi ts tsx mts cts js jsx mjs cjs rs go rb java kt sh yml yaml toml md mdc rst cfg ini sql html scss css vue svelte j2 proto "
    "graphql prisma json".split()
)
# Folders that tools make, and that nobody commits.
MADE = frozenset("node_modules dist build target coverage tmp temp logs output outputs out venv __pycache__ vendor generated".split())
RUNNERS = ("uv run", "poetry run", "pdm run", "pipenv run", "rye run", "sudo", "time", "command", "npx", "exec")
INTERPRETERS = frozenset({"python", "python3", "node", "bash", "sh", "zsh", "source", ".", "tsx", "ts-node", "pytest", "deno"})
PACKAGE_MANAGERS = frozenset({"npm", "pnpm", "yarn", "bun"})
WITH_VALUE = frozenset(
    {"-C", "--directory", "-j", "-f", "--file", "-o", "-w", "--workspace", "--filter", "-F", "--prefix", "--cwd", "--dir"}
)

_PATH = re.compile(r"(?:\.{1,2}/)*[\w.+@-]+(?:/[\w.+-]+)*/?")
_PLACE = re.compile(r"(?::\d+(?:[-:,]\d+)*|#L\d+\S*|::\S+|#[\w-]*)$")
_STAND_IN = re.compile(
    r"(?i:(?:^|[/_.-])(?:examples?|foo|bar|baz|qux|your|my|some|something|specific|xx+|yyyy|nn+|placeholder|sample|dummy|name|file|filename|path|module|feature)(?=$|[/_.-]))"
    r"|Foo|Bar(?=$|[A-Z./])|Baz|Example|(?:^|/)(?:My|Your|Some)[A-Z]|(?:^|/)[A-Z]{2,}(?:_[A-Z]+)*/|\d{3,}|\.\.\.|(?:^|/)[a-zA-Z]\."
)
# Words that say: this is not there, not yet, not any more, not here, or only for instance.
_BEFORE = re.compile(
    r"(?i)\b(?:e\.g|examples?|for instance|such as|like|would|could|might|creat\w+|add(?:s|ed|ing)?|new|"
    r"(?:re|auto-?)?generat\w+|writ\w+|sav\w+|stor(?:e|es|ed|ing)|put(?:s|ting)?|output\w*|emit\w*|produc(?:e|es|ed|ing)|scaffold\w*|cop(?:y|ies|ied)|"
    r"renam\w+|remov\w+|delet\w+|mov(?:e|es|ed|ing)|drop\w*|legacy|deprecat\w+|no longer|former\w*|used to|previous\w*|instead|"
    r"rather than|not|never|without|avoid|old|missing|absent|optional\w*|ignored?|untracked|clone\w*|download\w*|fetch\w*|"
    r"upstream|other repo\w*|external|template|into|build[- ]time|split|extract\w*|promot\w+|convert\w*|land|lands)\b|n't\b"
)
_AFTER = re.compile(
    r"(?i)\A\W*(?:(?:\w+\W+){0,6})(?:if (?:present|it|they|any|there|you|applicable)|when present|generated|created|will be|written|"
    r"not exist|n't exist|removed|deleted|legacy|deprecated|ignored|no longer|used to|optional|gitignored|is missing|are missing|"
    r"(?:in|of|from) (?:the |that )?\S{0,40} ?repo(?:sitory)?)\b|\A[^.;:]*\b(?:would|could|might)\b"
)
_PROMPT = re.compile(r"^[ \t]*(?:[$%>❯][ \t]+)?")
_SPLIT = re.compile(r"&&|\|\||[;|]")
_HEREDOC = re.compile(r"<<-?[ \t]*['\"]?(\w+)")
_WORD = re.compile(r"[\w][\w.:/-]*")
_ASSIGNED = re.compile(r"\w+=\S*")
_TARGET_OF_OUTPUT = re.compile(r">>?[ \t]*([\w./-]+)")


class Mention(msgspec.Struct, frozen=True):
    """Something that is named: at [start, stop) of the text. `inside`: the folder that a `cd` led to, None where that is unknown.

    A `link` is meant from the folder of its file; any other path from there, or from a folder above.
    """

    kind: Literal["target", "script", "path", "link"]
    name: str
    start: int
    stop: int
    inside: str | None = ""


def mentions(piece: Piece) -> Iterator[Mention]:
    """What a piece names, as far as it surely means something of this project."""
    if piece.kind == "shell":
        yield from _in_shell(piece)
    elif _BEFORE.search(piece.before) or _AFTER.search(piece.after):
        return
    elif piece.kind == "span" and re.search(r"\s", piece.text):
        yield from _in_command(piece.text, piece.start, "")
    elif path := as_path(piece.text):
        kind: Literal["path", "link"] = "link" if piece.kind == "link" else "path"
        yield Mention(kind, path, piece.start, piece.start + len(piece.text))


def as_path(text: str) -> str:
    """A word as a path of a project, "" for one that may be anything else or stands for another."""
    name = _PLACE.sub("", text.strip())
    if not _PATH.fullmatch(name) or _STAND_IN.search(name):
        return ""
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    if not parts or ("/" not in name) or not MADE.isdisjoint(parts):
        return ""
    stem, dot, suffix = parts[-1].rpartition(".")
    return name if name.endswith("/") or (dot and stem and suffix in EXTENSIONS) else ""


def _in_shell(piece: Piece) -> Iterator[Mention]:
    """The commands of a fence, line by line; what it writes itself is not missed."""
    inside: str | None = ""
    until, at, lead, lead_at = "", piece.start, "", 0
    made = {found[1] for found in _TARGET_OF_OUTPUT.finditer(piece.text)}
    for line in piece.text.split("\n"):
        start, at = at, at + len(line) + 1
        if until:
            until = "" if line.strip() == until else until
            continue
        if heredoc := _HEREDOC.search(line):
            until = heredoc[1]
        line, start = (f"{lead}{line}", lead_at) if lead else (line, start)
        if line.rstrip().endswith("\\"):
            lead, lead_at = f"{line}\n", start
            continue
        lead = ""
        for mention in _in_command(line, start, inside):
            if mention.kind != "path" or mention.name not in made:
                yield mention
        inside = _moved(line, inside)


def _moved(line: str, inside: str | None) -> str | None:
    """The folder after a line."""
    for part in _SPLIT.split(_PROMPT.sub("", line)):
        words = part.split()
        if words[:1] == ["cd"] or words[:1] == ["pushd"]:
            named = words[1] if len(words) == 2 else ""
            inside = (
                None if inside is None or not _PATH.fullmatch(named) or named.startswith(("-", "~")) else f"{inside}{named.rstrip('/')}/"
            )
        elif words[:2] == ["git", "clone"]:
            inside = None
    return inside


def _in_command(line: str, start: int, inside: str | None) -> Iterator[Mention]:
    """What a command line names; a `cd` at its start leads the commands behind it."""
    at = start
    for part in _parts(line):
        yield from _in_part(part, at, inside)
        inside = _moved(part, inside)
        at += len(part)
        at += next((len(mark) for mark in ("&&", "||", ";", "|") if line.startswith(mark, at - start)), 0)


def _parts(line: str) -> list[str]:
    return _SPLIT.split(re.sub(r"(?:^|(?<=\s))#.*", "", line))


def _in_part(part: str, start: int, inside: str | None) -> Iterator[Mention]:
    words = _words(part)
    if not words:
        return
    first, rest = words[0], words[1:]
    tool = first[0]
    if tool == "make":
        yield from _targets(rest, start, inside)
    elif tool in PACKAGE_MANAGERS:
        yield from _scripts(tool, rest, start, inside)
    elif inside is not None:
        program = [first] if tool.startswith("./") else rest if tool == "pytest" else rest[:1] if tool in INTERPRETERS else []
        for word, at in program:
            if path := as_path(word):
                yield Mention("path", path, start + at, start + at + len(word), inside)


def _words(part: str) -> list[tuple[str, int]]:
    """The words of a command with their offsets, without what stands before it; none where its quotes are not closed."""
    lead = _PROMPT.match(part)
    at = lead.end() if lead else 0
    try:
        shlex.split(part[at:])
    except ValueError:
        return []
    words = [(found[0], at + found.start()) for found in re.finditer(r"\S+", part[at:])]
    words = [(word, place) for word, place in words if word != "\\"]
    while words:
        before = next((len(one.split()) for one in RUNNERS if [word for word, _ in words[: len(one.split())]] == one.split()), 0)
        if not before and not _ASSIGNED.fullmatch(words[0][0]):
            break
        words = words[before or 1 :]
    return words


def _plain(words: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """The words that are no options, nor values of options."""
    found, skip = [], False
    for word, at in words:
        if word == "--":
            break
        if not skip and not word.startswith("-"):
            found.append((word, at))
        skip = word in WITH_VALUE
    return found


def _targets(words: Sequence[tuple[str, int]], start: int, inside: str | None) -> Iterator[Mention]:
    """The targets of `make`, as far as they are plain words to the end."""
    if any(word in ("-f", "--file", "--help", "--version") for word, _ in words):
        return
    found = [(word, at) for word, at in _plain(words) if not _ASSIGNED.fullmatch(word)]
    if all(_WORD.fullmatch(word) and "/" not in word and not _STAND_IN.search(word) for word, _ in found) and not any(
        "$" in word or "<" in word for word, _ in words
    ):
        for word, at in found:
            yield Mention("target", word, start + at, start + at + len(word), inside)


def _scripts(tool: str, words: Sequence[tuple[str, int]], start: int, inside: str | None) -> Iterator[Mention]:
    """The script that a package manager is told to run; `yarn x` may run a program, too, unless x has a colon."""
    found = _plain(words)
    if found and found[0][0] == "workspace":
        found = found[2:]
    is_run = bool(found) and found[0][0] in ("run", "run-script")
    named = found[1:2] if is_run else found[:1]
    for word, at in named:
        is_script = (is_run and tool in ("npm", "pnpm")) or ":" in word or (tool in ("npm", "pnpm") and word == "test")
        if is_script and _WORD.fullmatch(word) and not _STAND_IN.search(word) and "/" not in word:
            yield Mention("script", word, start + at, start + at + len(word), inside)
