"""Configuration: `[tool.guardrails]` in pyproject.toml, or `guardrails.yaml`; one of them, at the root of the project."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import msgspec

from guardrails import jsontext
from guardrails.config.faults import Rules, faults, near
from guardrails.config.lines import Lines, TomlLines, YamlLines
from guardrails.config.settings import GATES, Config, ConfigError, Gate, Override
from guardrails.paths import CONFIG_BYTES, MENTION, TABLE, has_table, read_plain, show

PYPROJECT, YAML = "pyproject.toml", "guardrails.yaml"
MODELS = ".guardrails/frameworks"


def load(root: Path, rules: Rules) -> Config:
    """The configuration of a project; the defaults where it has none. `rules` are those that exist. Raises `ConfigError`."""
    toml = _read(root, PYPROJECT)
    ours = has_table(toml)
    if os.path.lexists(root / YAML):
        if ours:
            found = TABLE.search(toml) or MENTION.search(toml)
            line = toml.count("\n", 0, found.start()) + 1 if found else 1
            raise ConfigError(f"{PYPROJECT}:{line}: [tool.guardrails] stands here and {YAML} exists, too; keep one of them")
        return from_yaml(_read(root, YAML), rules)
    return from_toml(toml, rules) if ours else Config()


def from_toml(text: str, rules: Rules, name: str = PYPROJECT) -> Config:
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
    return _convert(tool.get("guardrails", {}) if isinstance(tool, dict) else {}, TomlLines(text), rules, name)


def from_yaml(text: str, rules: Rules, name: str = YAML) -> Config:
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
    return _convert({} if value is None else value, YamlLines(node), rules, name)


def lines_of(text: str, name: str) -> Lines:
    """Where the values of a configuration stand that was read without a fault."""
    if name != YAML:
        return TomlLines(text)
    import yaml

    return YamlLines(yaml.compose(text, Loader=yaml.CSafeLoader))


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
    return jsontext.dumps(schema(), order="sorted")


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


def _convert(value: object, lines: Lines, rules: Rules, name: str) -> Config:
    for path, what in faults(value, rules):
        raise ConfigError(f"{name}:{lines.line(path)}: {what}")
    try:
        return msgspec.convert(value, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{name}:{lines.line(())}: {str(error)[:1].lower()}{str(error)[1:]}; mend it") from None


__all__ = [
    "GATES",
    "MODELS",
    "PYPROJECT",
    "YAML",
    "Config",
    "ConfigError",
    "Gate",
    "Lines",
    "Override",
    "from_toml",
    "from_yaml",
    "has_table",
    "lines_of",
    "load",
    "models",
    "near",
    "schema",
    "schema_text",
]  # fmt: skip
