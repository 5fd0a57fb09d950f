"""Rule pages: `rules/*.md` in, `Rule` out. The only reader of rule pages; also reads the case files of the tests, which have the same form.

`load` reads the head of every page (front matter and title); sections and examples are read when they are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias, cast

import msgspec

from guardrails import assets
from guardrails.finding import CONFIDENCES, SEVERITIES, Confidence, Severity

Persona = Literal["regular", "pedantic"]
Kind = Literal["Bad", "Good", "Cannot tell"]

GUARDRAILS = ("idempotency", "retry", "failure", "payload", "timeout", "boundary", "schedule", "trust", "lifecycle", "change", "honesty")
SECTIONS = ("Why", "Bad", "Good", "Fix", "Cannot tell", "Sources")
KINDS: tuple[Kind, ...] = ("Bad", "Good", "Cannot tell")
PERSONAS: tuple[Persona, ...] = ("regular", "pedantic")
LANGUAGES = ("python", "typescript", "rust")
# the first word of a fence: (language, suffix of a file that has no name)
FENCES = {
    "python": ("python", "py"), "py": ("python", "py"), "typescript": ("typescript", "ts"), "ts": ("typescript", "ts"),
    "tsx": ("typescript", "tsx"), "javascript": ("typescript", "js"), "js": ("typescript", "js"), "jsx": ("typescript", "jsx"),
    "rust": ("rust", "rs"), "rs": ("rust", "rs"),
}  # fmt: skip

_KEYS = ("severity", "confidence", "guardrail", "instruct", "persona", "languages", "options")
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*\Z")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*([^`\n]*)\Z")
_OPTION = re.compile(r"([a-z_]+)=(\d+(?:\.\d+)?) \(([^()]+)\)")  # patience=60 (seconds of ..)
_MARK = re.compile(r"[ \t]*(?:#|//)[ \t]*(flagged|unknown):[ \t]*([a-z0-9-]+(?:[ \t]*,[ \t]*[a-z0-9-]+)*)[ \t]*\Z")


class PageError(Exception):
    """A page that cannot be understood; the message is one sentence: file, line, what, remedy."""

    def __init__(self, where: str, line: int, what: str) -> None:
        super().__init__(f"{where}:{line}: {what}")


class Expectation(msgspec.Struct, frozen=True, order=True):
    """A rule speaks at a line (from 1) of a file: as a finding (`flagged`) or because it cannot tell (`unknown`)."""

    path: str
    line: int
    rule: str
    kind: Literal["flagged", "unknown"] = "flagged"


class Example(msgspec.Struct, frozen=True):
    """A small project. `id` is its heading or sentence; `files` are without the marks; `line` (from 1) is where it stands in its page."""

    id: str
    kind: Kind
    files: Mapping[str, str]
    language: str
    framework: str
    expectations: tuple[Expectation, ...]
    line: int


class Option(msgspec.Struct, frozen=True):
    """A number that a project may set for a rule: its default, and what it means."""

    default: float
    words: str


class Rule(msgspec.Struct, frozen=True):
    """A rule page. `instruct` is the one sentence for coding agents; `languages` are where it works; `options` are what a project may set.

    `body` is the page below its title.
    """

    name: str
    title: str
    severity: Severity
    confidence: Confidence
    guardrail: str
    instruct: str
    persona: Persona
    languages: tuple[str, ...]
    options: Mapping[str, Option]
    body: str
    body_line: int

    @property
    def where(self) -> str:
        """The page's name in messages."""
        return f"rules/{self.name}.md"

    @property
    def sections(self) -> Mapping[str, str]:
        """Section name to Markdown text, in page order. Raises `PageError` where one is missing, unknown, twice or out of order."""
        found = {title: (text, line) for title, text, line in _sections(self.body, self.body_line, self.where)}
        _require_sections(found, self.body_line, self.where)
        return {title: text for title, (text, _) in found.items()}

    @property
    def why(self) -> str:
        """The section Why."""
        return self.sections["Why"]

    @property
    def fix(self) -> str:
        """The section Fix."""
        return self.sections["Fix"]

    @property
    def examples(self) -> tuple[Example, ...]:
        """The examples of Bad, Good and Cannot tell, in page order. Raises `PageError`."""
        return tuple(_examples(self.body, self.body_line, self.where))

    @property
    def page(self) -> str:
        """The page as Markdown, from its title on."""
        return f"# {self.title}\n{self.body}"


@cache
def load(folder: Path | None = None) -> Mapping[str, Rule]:
    """All rules by name, in order of name; of the distribution unless a folder is given. Raises `PageError` and `assets.AssetError`."""
    pages = sorted((folder or assets.folder("rules")).glob("*.md"))
    return MappingProxyType({page.stem: _head(page.stem, page.read_text(encoding="utf-8")) for page in pages})


def number(settings: Mapping[str, Mapping[str, float]], rule: str, option: str) -> float:
    """A rule's option: what a project sets, else the page's default."""
    return settings.get(rule, {}).get(option, load()[rule].options[option].default)


def parse(name: str, text: str) -> Rule:
    """A page from memory, examined whole: head, sections, examples. Raises `PageError`."""
    rule = _head(name, text)
    rule.sections  # noqa: B018  raises
    for example in rule.examples:
        _require_marks(rule, example)
    return rule


def cases(name: str, text: str) -> tuple[Example, ...]:
    """The examples of a case file: a page without front matter, whose sections may repeat and may be missing. Raises `PageError`."""
    return tuple(_examples(text, 1, name))


def _head(name: str, text: str) -> Rule:
    where = f"rules/{name}.md"
    lines = text.split("\n", 32)
    if not _NAME.match(name):
        raise PageError(where, 1, "the file's name is no rule name; use lower case words joined by hyphens")
    if lines[0].strip() != "---":
        raise PageError(where, 1, "the page does not start with front matter; start it with a line ---")
    values, line = _front_matter(lines, where)
    while line < len(lines) and not lines[line].strip():
        line += 1
    if line >= len(lines) or not lines[line].startswith("# "):
        raise PageError(where, line + 1, "no title stands below the front matter; write one line: # Title")
    return Rule(
        name=name,
        title=lines[line][2:].strip(),
        severity=cast("Severity", _one_of("severity", values, SEVERITIES, where)),
        confidence=cast("Confidence", _one_of("confidence", values, CONFIDENCES, where)),
        guardrail=_one_of("guardrail", values, GUARDRAILS, where),
        instruct=_one_of("instruct", values, None, where),
        persona=cast("Persona", _one_of("persona", {"persona": ("regular", 0), **values}, PERSONAS, where)),
        languages=_languages(values, where),
        options=_options(values, where),
        body="\n".join(lines[line + 1 :]),
        body_line=line + 2,
    )


Values: TypeAlias = Mapping[str, tuple[str, int]]


def _front_matter(lines: list[str], where: str) -> tuple[Values, int]:
    """The values with their lines, and the index of the line after the closing `---`."""
    values: dict[str, tuple[str, int]] = {}
    for index, line in enumerate(lines[1:], 1):
        text = line.strip()
        if text == "---":
            return values, index + 1
        if not text or text.startswith("#"):
            continue
        key, colon, value = text.partition(":")
        if not colon or key not in _KEYS:
            raise PageError(where, index + 1, f"{key!r} is no key of a rule page; known are {', '.join(_KEYS)}")
        if key in values:
            raise PageError(where, index + 1, f"{key} is said twice; keep one")
        values[key] = (_scalar(value), index + 1)
    raise PageError(where, 1, "the front matter does not end within 32 lines; close it with a line ---")


def _scalar(value: str) -> str:
    value = re.sub(r"\s+#.*", "", value) if not value.strip().startswith(('"', "'")) else value
    value = value.strip()
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"" else value


def _one_of(key: str, values: Values, known: tuple[str, ...] | None, where: str) -> str:
    value, line = values.get(key, ("", 1))
    if not value:
        raise PageError(where, line, f"the front matter says no {key}; add a line {key}: VALUE")
    if known is not None and value not in known:
        raise PageError(where, line, f"{key} is {value!r}; use one of {', '.join(known)}")
    return value


def _languages(values: Values, where: str) -> tuple[str, ...]:
    value, line = values.get("languages", (", ".join(LANGUAGES), 1))
    names = tuple(name for name in re.split(r"[\s,]+", value.strip("[]")) if name)
    for name in names:
        if name not in LANGUAGES:
            raise PageError(where, line, f"{name!r} is no language we read; use {', '.join(LANGUAGES)}")
    return names


def _options(values: Values, where: str) -> Mapping[str, Option]:
    """`name=number (what it means)`, joined by semicolons."""
    text, line = values.get("options", ("", 1))
    found = {}
    for entry in filter(None, map(str.strip, text.split(";"))):
        match = _OPTION.fullmatch(entry)
        if match is None:
            raise PageError(where, line, f"{entry!r} is no option; write name=number (what it means), joined by semicolons")
        found[match[1]] = Option(float(match[2]), match[3])
    return found


def _sections(body: str, first: int, where: str) -> Iterator[tuple[str, str, int]]:
    """(title, text, line of the text's first line) of each `## Title`; headings inside fences are code."""
    title, start, fence = "", 0, ""
    lines = body.split("\n")
    for index, line in enumerate(lines):
        fence = _fence_after(fence, line)
        if not fence and line.startswith("## "):
            if title:
                yield title, "\n".join(lines[start:index]).strip("\n"), first + start
            title, start = line[3:].strip(), index + 1
    if fence:
        raise PageError(where, first + len(lines) - 1, "a code fence is not closed; close it with the marks that open it")
    if title:
        yield title, "\n".join(lines[start:]).strip("\n"), first + start


def _fence_after(fence: str, line: str) -> str:
    """The marks of the fence that is open after this line, "" for none."""
    match = _FENCE.match(line)
    if not match:
        return fence
    marks, info = match.groups()
    if not fence:
        return marks
    return "" if marks.startswith(fence) and not info.strip() else fence


def _require_sections(found: Mapping[str, tuple[str, int]], first: int, where: str) -> None:
    for title, (_, line) in found.items():
        if title not in SECTIONS:
            raise PageError(where, line - 1, f"{title!r} is no section of a rule page; use {', '.join(SECTIONS)}")
    missing = [title for title in SECTIONS if title not in found]
    if missing:
        raise PageError(where, first, f"the section {missing[0]!r} is missing; add a heading ## {missing[0]}")
    if tuple(found) != SECTIONS:
        raise PageError(where, first, f"the sections are out of order; the order is {', '.join(SECTIONS)}")


def _require_marks(rule: Rule, example: Example) -> None:
    kinds = {mark.kind for mark in example.expectations if mark.rule == rule.name}
    wanted = {"Bad": {"flagged"}, "Good": set(), "Cannot tell": {"unknown"}}[example.kind]
    if kinds != wanted:
        marks = " and ".join(sorted(wanted)) or "no"
        raise PageError(rule.where, example.line, f"an example of {example.kind} carries {marks} marks of {rule.name}; mend its line ends")


class _Open:
    """An example while its fences are being collected."""

    def __init__(self, kind: Kind) -> None:
        self.title, self.kind = "", kind
        self.files: dict[str, str] = {}
        self.marks: list[Expectation] = []
        self.language, self.framework, self.line = "", "", 0

    def add(self, path: str, language: str, framework: str, lines: list[str], line: int) -> None:
        clean, marks = _unmark(path, lines)
        self.files[path] = "".join(f"{one}\n" for one in clean)
        self.marks += marks
        self.line = self.line or line
        self.language = self.language or language
        self.framework = self.framework or framework

    def close(self, taken: set[str]) -> Iterator[Example]:
        if self.files:
            marks = tuple(sorted(self.marks))
            yield Example(_unique(self.title or self.kind, taken), self.kind, self.files, self.language, self.framework, marks, self.line)


def _unique(title: str, taken: set[str]) -> str:
    number, name = 1, title
    while name in taken:
        number += 1
        name = f"{title} ({number})"
    taken.add(name)
    return name


def _unmark(path: str, lines: list[str]) -> tuple[list[str], list[Expectation]]:
    """The lines without their marks, and what the marks expect; a line may carry a `flagged` and an `unknown` mark."""
    clean, marks = [], []
    for number, line in enumerate(lines, 1):
        while match := _MARK.search(line):
            kind = cast('Literal["flagged", "unknown"]', match[1])
            marks += [Expectation(path, number, rule.strip(), kind) for rule in match[2].split(",")]
            line = line[: match.start()]
        clean.append(line)
    return clean, marks


def _examples(body: str, first: int, where: str) -> Iterator[Example]:
    taken: set[str] = set()
    for title, text, line in _sections(body, first, where):
        if title in KINDS:
            yield from _in_section(title, text, line + _leading(body, line - first), where, taken)


def _leading(body: str, index: int) -> int:
    """Blank lines at the start of a section, which its text has lost."""
    lines, count = body.split("\n"), 0
    while index + count < len(lines) and not lines[index + count]:
        count += 1
    return count


def _in_section(kind: Kind, text: str, first: int, where: str, taken: set[str]) -> Iterator[Example]:
    """A heading or prose starts an example; fences with `file=` join the open one, a fence without is one of its own."""
    current, title, is_heading, is_named = _Open(kind), "", False, False
    for number, chunk in _chunks(text, first):
        if isinstance(chunk, str):
            if not is_named:  # the first words behind a fence: they name what follows
                yield from current.close(taken)
                current, title, is_heading, is_named = _Open(kind), "", False, True
            if chunk.startswith("### "):
                title, is_heading = chunk[4:].strip(), True
            elif not is_heading:
                title = f"{title} {chunk}".strip()
            continue
        language, framework, path = _info(chunk[0], where, number)
        if not path or path in current.files:
            yield from current.close(taken)
            current = _Open(kind)
        name, suffix = FENCES.get(language, ("", "txt"))
        current.title, is_named = title.rstrip(":. "), False
        current.add(path or f"shop.{suffix}", name, framework, chunk[1:], number)
        if not path:
            yield from current.close(taken)
            current = _Open(kind)
    yield from current.close(taken)


def _chunks(text: str, first: int) -> Iterator[tuple[int, str | list[str]]]:
    """Lines of prose and headings as text; fences as a list: the info string, then the code lines."""
    fence, code, opened = "", [""], 0
    for number, line in enumerate(text.split("\n"), first):
        after = _fence_after(fence, line)
        if after and not fence:
            match = _FENCE.match(line)
            code, opened = [match[2].strip() if match else ""], number
        elif fence and not after:
            yield opened, code
        elif after:
            code.append(line)
        elif line.strip():
            yield number, line.strip()
        fence = after


def _info(info: str, where: str, line: int) -> tuple[str, str, str]:
    """(language, framework, path) of ```` ```python celery file=shop/tasks.py ````."""
    words = info.split()
    path = next((word[5:] for word in words if word.startswith("file=")), "")
    names = [word for word in words if not word.startswith("file=")]
    if not names or len(names) > 2:
        raise PageError(where, line, f"a fence of an example says {info!r}; write: language framework file=path")
    return names[0], names[1] if len(names) == 2 else "", path
