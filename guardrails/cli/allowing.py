"""`guardrails check --add-allow REASON`: writes allow comments above what was found, as far as they do what they say."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from guardrails import allow, lint
from guardrails.cli.changing import Files
from guardrails.cli.program import Mistake, say
from guardrails.lines import Lines
from guardrails.read import language_of, read
from guardrails.report.tally import count
from guardrails.result import Found, Result


def reason_of(text: str) -> str:
    """The reason as it is written, on one line. Raises `Mistake` where it says nothing, or would end the comment."""
    if any(unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp") for one in text):
        raise Mistake("the reason of --add-allow is one line of plain text; take the line ends and control characters out")
    if not (words := " ".join(text.split())):
        raise Mistake("--add-allow wants the reason why these places are safe, in words")
    return words


def run(request: lint.Request, result: Result, reason: str) -> Result:
    """Allows every finding that is told, and says what came of it on stderr; the findings that remain."""
    files = Files(request.root, result.sources)
    wanted = _by_file(one for one in result.findings if one.rule not in allow.OWN_RULES)
    made = {path: after for path, group in wanted.items() if (after := _allowed(path, group, files, reason))}
    trial = _look(request, made)
    good = {path: data for path, data in made.items() if not _is_worse(path, result, trial)}
    written = [path for path, data in good.items() if files.save(path, data)]
    left = trial if len(written) == len(made) else _look(request, {})
    kept = {(one.fingerprint, one.rule) for one in left.findings}
    allowed = sum(1 for one in result.findings if (one.fingerprint, one.rule) not in kept)
    say(f"{count(allowed, 'finding') if allowed else 'no findings'} allowed in {count(len(written), 'file')}.")
    for path in sorted(made.keys() - good.keys()):
        say(f"{path} was left as it is: a comment would not have allowed what was found there.")
    files.tell()
    return left


def _look(request: lint.Request, contents: Mapping[str, bytes]) -> Result:
    return lint.lint(msgspec.structs.replace(request, contents=contents))


def _by_file(findings: Iterator[Found]) -> dict[str, list[Found]]:
    files: dict[str, list[Found]] = {}
    for one in findings:
        files.setdefault(one.spot.path, []).append(one)
    return files


def _allowed(path: str, findings: Sequence[Found], files: Files, reason: str) -> bytes:
    """The file with a comment above each statement that something was found in; empty where that cannot be done."""
    source, language = files.load(path), language_of(path)
    if source is None or language is None:
        return b""
    lines, outline = Lines(source), read(path, source)
    above: dict[int, set[str]] = {}
    for one in findings:
        at = lines.offset(one.spot.line, one.spot.column)
        line = allow.line_above(outline, lines, at)
        if line is not None:
            above.setdefault(line, set()).add(one.rule)
    parts, done = [], 0
    for line, rules in sorted(above.items()):
        indent = source[line:].removesuffix(source[line:].lstrip(b" \t"))
        comment = f"{'#' if language == 'python' else '//'} guardrails: allow {', '.join(sorted(rules))} -- {reason}"
        parts += [source[done:line], indent, comment.encode(lines.encoding, "replace"), _line_end(source)]
        done = line
    made = b"".join([*parts, source[done:]]) if above else b""
    return made if len(read(path, made).broken) <= len(outline.broken) else b""


def _line_end(source: bytes) -> bytes:
    return b"\r\n" if source.partition(b"\n")[0].endswith(b"\r") else b"\n"


def _is_worse(path: str, before: Result, after: Result) -> bool:
    """A comment did not allow what it is about, or broke something."""
    old = {one.fingerprint for one in before.findings if one.spot.path == path}
    new = [one for one in after.findings if one.spot.path == path]
    return any(one.fingerprint not in old for one in new) or len(new) >= len(old)
