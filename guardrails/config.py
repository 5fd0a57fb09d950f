"""Configuration: `[tool.guardrails]` in pyproject.toml, or `guardrails.yaml`; one of them, at the root of the project."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeAlias

import msgspec

from guardrails.finding import CONFIDENCES, SEVERITIES, Confidence, Severity
from guardrails.paths import CONFIG_BYTES, MENTION, TABLE, has_table, pattern_fault, read_plain, show

PYPROJECT, YAML = "pyproject.toml", "guardrails.yaml"
MODELS = ".guardrails/frameworks"
Gate = Literal["error", "warning", "info", "never"]
Names: TypeAlias = tuple[str, ...]


class ConfigError(Exception):
    """A mistake of the user's; the message is one sentence: `FILE:LINE: what; remedy`."""


def _says(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Other rules for the files that match `paths`; of several overrides for a file, later ones win."""

    paths: Annotated[Names, _says("Patterns as in .gitignore, relative to the root.")]
    ignore: Annotated[Names, _says("Rules that are switched off here.")] = ()
    select: Annotated[Names, _says("The only rules that run here.")] = ()
    severity: Annotated[dict[str, Severity], _says("Severity by rule.")] = {}


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Settings of worker-guardrails. Every key is optional."""

    select: Annotated[Names, _says("The only rules that run; none named: all regular ones.")] = ()
    ignore: Annotated[Names, _says("Rules that are switched off.")] = ()
    severity: Annotated[dict[str, Severity], _says("Severity by rule, in place of the rule page's.")] = {}
    fail_on: Annotated[Gate, _says("The lowest severity that makes `check` exit with 1.")] = "error"
    confidence: Annotated[Confidence, _says("The lowest confidence that is shown.")] = "medium"
    pedantic: Annotated[bool, _says("Run the pedantic rules, too.")] = False
    tests: Annotated[Literal["skip", "report"], _says("What to do with findings in test files.")] = "skip"
    exclude: Annotated[Names, _says("Files that are not looked at: patterns as in .gitignore.")] = ()
    overrides: Annotated[tuple[Override, ...], _says("Other settings for some paths.")] = ()
    frameworks: Annotated[Names, _says("Extra framework models, relative to the root, beside .guardrails/frameworks/*.yml.")] = ()
    redact_helpers: Annotated[Names, _says("Names of functions that mask a secret: what they return is safe to log.")] = ()
    secret_words: Annotated[Names, _says("More nouns that name a secret.")] = ()

    @property
    def encoded(self) -> bytes:
        """The same bytes for equal settings, in every run: what a cache key is made of."""
        return msgspec.json.encode(self, order="deterministic")

    def __hash__(self) -> int:
        return hash(self.encoded)


def load(root: Path, rules: Collection[str]) -> Config:
    """The configuration of a project; the defaults where it has none. `rules` are the names that exist. Raises `ConfigError`."""
    toml = _read(root, PYPROJECT)
    ours = has_table(toml)
    if os.path.lexists(root / YAML):
        if ours:
            found = TABLE.search(toml) or MENTION.search(toml)
            line = toml.count("\n", 0, found.start()) + 1 if found else 1
            raise ConfigError(f"{PYPROJECT}:{line}: [tool.guardrails] stands here and {YAML} exists, too; keep one of them")
        return from_yaml(_read(root, YAML), rules)
    return from_toml(toml, rules) if ours else Config()


def from_toml(text: str, rules: Collection[str], name: str = PYPROJECT) -> Config:
    """Settings from the text of a pyproject.toml. Raises `ConfigError`."""
    import tomllib

    _require_utf8(text, name)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"^(.*?) \(at line (\d+), column (\d+)\)$", str(error))
        line, what = (int(found[2]), found[1]) if found else (text.count("\n") + 1, str(error))
        raise ConfigError(f"{name}:{line}: this is no TOML ({what.lower()}); mend the line") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name}:1: this cannot be read ({_one_line(error)}); mend the file") from None
    tool = document.get("tool")
    return _convert(tool.get("guardrails", {}) if isinstance(tool, dict) else {}, _TomlLines(text), rules, name)


def from_yaml(text: str, rules: Collection[str], name: str = YAML) -> Config:
    """Settings from the text of a guardrails.yaml. Raises `ConfigError`."""
    import yaml

    _require_utf8(text, name)
    try:
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        value = yaml.load(text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = str(getattr(error, "problem", "") or "broken").replace("\n", " ")
        line = min(mark.line, text.rstrip().count("\n")) + 1 if mark else 1
        raise ConfigError(f"{name}:{line}: this is no YAML ({what}); mend the line") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name}:1: this cannot be read ({_one_line(error)}); mend the file") from None
    return _convert({} if value is None else value, _YamlLines(node), rules, name)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def models(root: Path, config: Config) -> tuple[tuple[str, str], ...]:
    """The project's own framework models as (name, text): named ones, then `.guardrails/frameworks/*.yml`. Raises `ConfigError`."""
    own = sorted(path.name for path in (root / MODELS).glob("*.y*ml") if path.suffix in (".yml", ".yaml"))
    names = dict.fromkeys([*config.frameworks, *(f"{MODELS}/{name}" for name in own)])
    return tuple((name, _model(root, name)) for name in names)


def _model(root: Path, name: str) -> str:
    data = _bytes(root, name, f"copy it to {MODELS}/", "this framework model")
    if not data and not os.path.lexists(root / name):
        raise ConfigError(f"{show(name)}:1: frameworks names this file, which does not exist; write it or take the name out")
    return data.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")


def schema() -> dict[str, Any]:
    """The JSON schema of the configuration, as published in `guardrails/schemas/config.schema.json`."""
    made = msgspec.json.schema(Config)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "worker-guardrails configuration", **made}


def schema_text() -> str:
    """The published schema, byte for byte."""
    return msgspec.json.format(msgspec.json.encode(schema(), order="sorted"), indent=2).decode() + "\n"


def near(word: str, words: Collection[str]) -> str:
    """What was probably meant, as the end of a sentence: `did you mean X?`, else a list of what is known."""
    from difflib import get_close_matches

    spelled = {re.sub(r"[-_ ]", "-", known).lower(): known for known in words}
    close = get_close_matches(re.sub(r"[-_ ]", "-", word).lower(), spelled, n=1, cutoff=0.6)
    if close:
        return f"did you mean {spelled[close[0]]}?"
    return "`guardrails rules` lists them" if len(words) > 15 else f"known are {', '.join(words)}"


Path_: TypeAlias = tuple[str | int, ...]


def _read(root: Path, name: str) -> str:
    """The text of a file of the project, empty where there is none; bytes that are no UTF-8 come as surrogates."""
    return _bytes(root, name, "put the file itself there").decode("utf-8-sig", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n")


def _bytes(root: Path, name: str, remedy: str, subject: str = "this") -> bytes:
    try:
        path = (root / name).resolve()
        if not path.is_relative_to(root.resolve()):
            raise ConfigError(f"{show(name)}:1: {subject} lies outside the project; {remedy}")
        data = read_plain(path, CONFIG_BYTES)
    except FileNotFoundError:
        return b""
    except OSError as error:
        reason = (error.strerror or "error").lower()
        raise ConfigError(f"{show(name)}:1: this cannot be read ({reason}); mend its permissions") from None
    except (ValueError, RuntimeError):
        raise ConfigError(f"{show(name)}:1: this leads to no file; mend the name or the link") from None
    if isinstance(data, str):
        raise ConfigError(f"{show(name)}:1: this cannot be read ({data}); put a plain file of at most 1 MB there")
    return data


def _require_utf8(text: str, name: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ConfigError(f"{name}:{text.count(chr(10), 0, error.start) + 1}: this is not UTF-8; save the file as UTF-8") from None


class _Lines(Protocol):
    """Where a value stands."""

    def line(self, path: Path_) -> int:
        """The line (from 1) of a value by its path of keys and indices."""


class _YamlLines:
    def __init__(self, node: Any) -> None:
        self.node = node

    def line(self, path: Path_) -> int:
        node, line = self.node, 0
        for step in path:
            pairs = getattr(node, "value", None)
            if not isinstance(pairs, list):
                break
            if isinstance(step, int):
                node = pairs[step] if step < len(pairs) else None
                line = node.start_mark.line if node is not None else line
                continue
            found = [(key, value) for key, value in (pair for pair in pairs if isinstance(pair, tuple)) if key.value == step]
            if not found:
                break
            line, node = found[0][0].start_mark.line, found[0][1]
        return int(line) + 1


class _TomlLines:
    """tomllib tells no lines: the headings and keys are looked for again, in order; each step narrows where the next may stand."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")

    def line(self, path: Path_) -> int:
        at = self._table(("tool", "guardrails"), 0) or self._word("guardrails", 0)
        for index, step in enumerate(path):
            if isinstance(step, int):
                at = self._item(path[:index], step, at)
            else:
                table = self._table(("tool", "guardrails", *(s for s in path[: index + 1] if isinstance(s, str))), at)
                at = table if table > at or self._is_heading(at, step) else self._word(step, at)
        return at + 1

    def _headings(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        for index, line in enumerate(self.lines):
            if match := re.match(r"\s*\[{1,2}([^\[\]]+)\]", line):
                yield index, tuple(part.strip().strip("\"'") for part in match[1].split("."))

    def _table(self, name: tuple[str, ...], at: int) -> int:
        return next((index for index, parts in self._headings() if index >= at and parts == name), at)

    def _is_heading(self, at: int, step: str) -> bool:
        return any(index == at and parts[-1] == step for index, parts in self._headings())

    def _item(self, path: Path_, number: int, at: int) -> int:
        name = ("tool", "guardrails", *(step for step in path if isinstance(step, str)))
        tables = [index for index, parts in self._headings() if parts == name]
        return tables[number] if number < len(tables) else at

    def _word(self, word: str, at: int) -> int:
        whole = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
        return next((index for index in range(at, len(self.lines)) if whole.search(self.lines[index].split(" #")[0])), at)


def _convert(value: object, lines: _Lines, rules: Collection[str], name: str) -> Config:
    for path, what in _faults(value, rules):
        raise ConfigError(f"{name}:{lines.line(path)}: {what}")
    try:
        return msgspec.convert(value, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{name}:{lines.line(())}: {str(error)[:1].lower()}{str(error)[1:]}; mend it") from None


_LISTS_OF_RULES = ("select", "ignore")
_LISTS_OF_PATTERNS = ("exclude", "paths")
_CHOICES: Mapping[str, tuple[str, ...]] = {
    "fail_on": (*SEVERITIES, "never"),
    "confidence": CONFIDENCES,
    "tests": ("skip", "report"),
}


def _faults(value: object, rules: Collection[str]) -> Iterator[tuple[Path_, str]]:
    """Everything that is wrong with the settings: where, and one sentence."""
    if not isinstance(value, dict):
        yield (), f"the settings are {_kind(value)}; write them as keys with values"
        return
    yield from _faults_of_table(value, Config, (), rules)


def _faults_of_table(
    table: Mapping[Any, Any], shape: type[msgspec.Struct], at: Path_, rules: Collection[str]
) -> Iterator[tuple[Path_, str]]:
    known = shape.__struct_fields__
    for key, value in table.items():
        where = (*at, str(key))
        if key not in known:
            yield where, f"unknown setting {str(key)!r}; {near(str(key), known)}"
        elif key == "overrides":
            yield from _faults_of_overrides(value, where, rules)
        elif key == "severity":
            yield from _faults_of_severity(value, where, rules)
        elif key in _CHOICES:
            if value not in _CHOICES[key]:
                yield where, f"{key} is {_show(value)}; use one of {', '.join(_CHOICES[key])}"
        elif key == "pedantic":
            if not isinstance(value, bool):
                yield where, f"{key} is {_kind(value)}; use true or false"
        else:
            yield from _faults_of_names(key, value, where, rules)


def _faults_of_names(key: str, value: object, at: Path_, rules: Collection[str]) -> Iterator[tuple[Path_, str]]:
    if not isinstance(value, list):
        yield at, f"{key} is {_kind(value)}; write a list of texts"
        return
    for item in value:
        if not isinstance(item, str):
            yield at, f"{key} holds {_kind(item)}; write a list of texts"
        elif not item.strip():
            yield at, f"{key} holds an empty text; take it out"
        elif key in _LISTS_OF_RULES and item not in rules:
            yield (*at, item), f"unknown rule {item!r} in {key}; {near(item, rules)}"
        elif key in _LISTS_OF_PATTERNS and (what := pattern_fault(item)):
            yield (*at, item), f"{item!r} in {key} {what}; write a simpler one"


def _faults_of_severity(value: object, at: Path_, rules: Collection[str]) -> Iterator[tuple[Path_, str]]:
    if not isinstance(value, dict):
        yield at, f"severity is {_kind(value)}; write a table of rule = level (the gate is fail_on)"
        return
    for rule, level in value.items():
        if rule not in rules:
            yield (*at, str(rule)), f"unknown rule {str(rule)!r} in severity; {near(str(rule), rules)}"
        elif level not in SEVERITIES:
            yield (*at, rule), f"severity of {rule} is {_show(level)}; use one of {', '.join(SEVERITIES)}"


def _faults_of_overrides(value: object, at: Path_, rules: Collection[str]) -> Iterator[tuple[Path_, str]]:
    if not isinstance(value, list):
        yield at, f"overrides is {_kind(value)}; write a list of tables, each with paths"
        return
    for index, item in enumerate(value):
        where = (*at, index)
        if not isinstance(item, dict):
            yield where, f"an override is {_kind(item)}; write a table with paths"
            continue
        yield from _faults_of_table(item, Override, where, rules)
        if "paths" not in item:
            yield where, "an override has no paths; say which files it is for"


def _show(value: object) -> str:
    return repr(value) if isinstance(value, str) else _kind(value)


def _kind(value: object) -> str:
    names = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table", type(None): "empty"}
    return names.get(type(value), "of an unknown kind")
