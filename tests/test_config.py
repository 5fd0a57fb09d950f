from __future__ import annotations

import json
import os
import sys
from importlib.resources import files

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guardrails import config
from guardrails.config import Config, ConfigError

RULES = {"untimed-job": (), "secret-in-log": (), "missing-idempotency-key": (), "fire-and-forget-spawn": (), "slow-handler": ("short",)}

FULL_TOML = """\
[project]
name = "shop"

[tool.guardrails]
select = ["untimed-job"]
ignore = [
    "secret-in-log",
]
fail_on = "warning"
confidence = "low"
pedantic = true
tests = "report"
exclude = ["/vendor/"]
frameworks = ["models/ours.yml"]
redact_helpers = ["scrub"]
secret_words = ["pin"]
guard_helpers = ["shop.locks.once"]

[tool.guardrails.severity]
untimed-job = "info"

[tool.guardrails.options.slow-handler]
short = 30

[[tool.guardrails.overrides]]
paths = ["legacy/"]
ignore = ["untimed-job"]

[[tool.guardrails.overrides]]
paths = ["new/"]
severity = { secret-in-log = "error" }
"""
FULL_YAML = """\
select: [untimed-job]
ignore: [secret-in-log]
fail_on: warning
confidence: low
pedantic: true
tests: report
exclude: [/vendor/]
frameworks: [models/ours.yml]
redact_helpers: [scrub]
secret_words: [pin]
guard_helpers: [shop.locks.once]
options: {slow-handler: {short: 30}}
severity: {untimed-job: info}
overrides:
  - paths: [legacy/]
    ignore: [untimed-job]
  - paths: [new/]
    severity: {secret-in-log: error}
"""


def toml(body: str) -> Config:
    return config.from_toml(f"[tool.guardrails]\n{body}", RULES)


def fault(call, *args) -> str:
    with pytest.raises(ConfigError) as error:
        call(*args)
    message = str(error.value)
    assert "\n" not in message
    return message


def test_both_forms_say_the_same_and_have_the_same_bytes():
    one, two = config.from_toml(FULL_TOML, RULES), config.from_yaml(FULL_YAML, RULES)
    assert one == two
    assert one.encoded == two.encoded
    assert hash(one) == hash(two)
    assert one.options == {"slow-handler": {"short": 30}}
    assert one.overrides[1].severity == {"secret-in-log": "error"}


def test_the_bytes_do_not_hang_on_the_order_of_keys():
    one = toml('severity = { "untimed-job" = "info", "secret-in-log" = "error" }')
    two = toml('severity = { "secret-in-log" = "error", "untimed-job" = "info" }')
    assert one.encoded == two.encoded
    assert one.encoded != Config().encoded


def test_a_project_without_settings_has_the_defaults(tmp_path):
    assert config.load(tmp_path, RULES) == Config()
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'worker-guardrails'\n")
    assert config.load(tmp_path, RULES) == Config()


def test_a_broken_pyproject_without_our_table_is_not_our_business(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project\n")
    assert config.load(tmp_path, RULES) == Config()


def test_a_table_is_read(tmp_path):
    (tmp_path / "pyproject.toml").write_text(FULL_TOML)
    assert config.load(tmp_path, RULES).tests == "report"


def test_only_a_subtable_is_a_table_too(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[tool.guardrails.severity]\nuntimed-job = "info"\n')
    assert config.load(tmp_path, RULES).severity == {"untimed-job": "info"}


def test_a_yaml_file_is_read_and_an_empty_one_says_nothing(tmp_path):
    (tmp_path / "guardrails.yaml").write_text("tests: report\n")
    assert config.load(tmp_path, RULES).tests == "report"
    (tmp_path / "guardrails.yaml").write_text("")
    assert config.load(tmp_path, RULES) == Config()


def test_both_files_are_an_error_that_says_so(tmp_path):
    (tmp_path / "pyproject.toml").write_text(FULL_TOML)
    (tmp_path / "guardrails.yaml").write_text("tests: report\n")
    message = "pyproject.toml:4: [tool.guardrails] stands here and guardrails.yaml exists, too; keep one of them"
    assert fault(config.load, tmp_path, RULES) == message


def test_a_yaml_file_beside_a_pyproject_without_our_table_is_fine(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.black]\n")
    (tmp_path / "guardrails.yaml").write_text("tests: report\n")
    assert config.load(tmp_path, RULES).tests == "report"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('tets = "skip"', "pyproject.toml:2: unknown setting 'tets'; did you mean tests?"),
        ('fail-on = "error"', "pyproject.toml:2: unknown setting 'fail-on'; did you mean fail_on?"),
        ('\nselect = ["untimed-jobs"]', "pyproject.toml:3: unknown rule 'untimed-jobs' in select; did you mean untimed-job?"),
        ('ignore = [\n  "untimed-job",\n  "scret-in-log",\n]', "pyproject.toml:4: unknown rule 'scret-in-log' in ignore; did you mean"),
        ('severity = "error"', "pyproject.toml:2: severity is a text; write a table of rule = level (the gate is fail_on)"),
        ('[tool.guardrails.severity]\nuntimed-job = "fatal"', "pyproject.toml:3: severity of untimed-job is 'fatal'; use one of"),
        ('severity = { zzz = "error" }', "pyproject.toml:2: unknown rule 'zzz' in severity; known are untimed-job, secret-in-log"),
        ("options = 1", "pyproject.toml:2: options is a number; write a table a rule: option = number"),
        ("[tool.guardrails.options.slow-handle]\nshort = 1", "pyproject.toml:2: unknown rule 'slow-handle' in options; did you mean"),
        ("[tool.guardrails.options]\nslow-handler = 1", "pyproject.toml:3: the options of slow-handler are a number; write a table"),
        ("[tool.guardrails.options.slow-handler]\nshrt = 1", "pyproject.toml:3: unknown option 'shrt' of slow-handler; did you mean short"),
        ("[tool.guardrails.options.untimed-job]\nshort = 1", "pyproject.toml:3: unknown option 'short' of untimed-job; it has none"),
        ("[tool.guardrails.options.slow-handler]\nshort = -1", "pyproject.toml:3: option short of slow-handler is -1; write a number"),
        ("[tool.guardrails.options.slow-handler]\nshort = true", "pyproject.toml:3: option short of slow-handler is True; write a number"),
        ('fail_on = "fatal"', "pyproject.toml:2: fail_on is 'fatal'; use one of error, warning, info, never"),
        ('pedantic = "yes"', "pyproject.toml:2: pedantic is a text; use true or false"),
        ('exclude = "vendor"', "pyproject.toml:2: exclude is a text; write a list of texts"),
        ("exclude = [1]", "pyproject.toml:2: exclude holds a number; write a list of texts"),
        ('exclude = [" "]', "pyproject.toml:2: exclude holds an empty text; take it out"),
        ('overrides = "x"', "pyproject.toml:2: overrides is a text; write a list of tables, each with paths"),
        ("tests = 1", "pyproject.toml:2: tests is a number; use one of skip, report"),
        ('[[tool.guardrails.overrides]]\npaths = ["a"]\n[[tool.guardrails.overrides]]\nignore = ["untimed-job"]',
         "pyproject.toml:4: an override has no paths; say which files it is for"),
        ('[[tool.guardrails.overrides]]\npaths = ["a"]\n[[tool.guardrails.overrides]]\npaths = ["b"]\nfail_on = "error"',
         "pyproject.toml:6: unknown setting 'fail_on'; known are paths, ignore, select, severity"),
        ("select = [", "pyproject.toml:2: this is no TOML"),
        ("x = " + "[" * 5000, "pyproject.toml:1: this cannot be read ("),
        ("x = 2020-13-45", "pyproject.toml:"),
        ("x = 'a\udcff'", "pyproject.toml:2: this is not UTF-8; save the file as UTF-8"),
        ('\nexclude = ["[z-a]"]', "pyproject.toml:3: '[z-a]' in exclude is no pattern as in .gitignore; write a simpler one"),
        ('exclude = ["*a*a*a*a*a*a*"]', "pyproject.toml:2: '*a*a*a*a*a*a*' in exclude has too many stars"),
        ('[[tool.guardrails.overrides]]\npaths = ["**/a/**/a/**/a/**/a/**"]', "pyproject.toml:3: '**/a/**/a/**/a/**/a/**' in paths has"),
    ],
)  # fmt: skip
def test_a_mistake_in_toml_is_one_sentence_with_its_line(body, message):
    assert fault(toml, body).startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tets: skip", "guardrails.yaml:1: unknown setting 'tets'; did you mean tests?"),
        ("tests: skip\nselect:\n  - untimed-job\n  - untimed\n", "guardrails.yaml:2: unknown rule 'untimed' in select; did you"),
        ("- a", "guardrails.yaml:1: the settings are a list; write them as keys with values"),
        ("severity:\n  untimed-job: fatal\n", "guardrails.yaml:2: severity of untimed-job is 'fatal'; use one of error, warning, info"),
        ("overrides:\n  - paths: [a]\n  - ignore: []\n", "guardrails.yaml:3: an override has no paths"),
        ("a: [", "guardrails.yaml:1: this is no YAML"),
        ("1: 2", "guardrails.yaml:1: unknown setting '1'"),
        ("exclude: !!python/object:os.system []", "guardrails.yaml:1: this is no YAML"),
    ],
)  # fmt: skip
def test_a_mistake_in_yaml_is_one_sentence_with_its_line(text, message):
    assert fault(config.from_yaml, text, RULES).startswith(message)


def test_models_come_from_the_configuration_and_from_the_folder(tmp_path):
    folder = tmp_path / ".guardrails" / "frameworks"
    folder.mkdir(parents=True)
    for name in (folder / "b.yml", folder / "a.yaml", folder / "notes.txt", tmp_path / "ours.yml"):
        name.write_text(name.name)
    found = config.models(tmp_path, Config(frameworks=("ours.yml", ".guardrails/frameworks/b.yml")))
    assert found == (
        ("ours.yml", "ours.yml"),
        (".guardrails/frameworks/b.yml", "b.yml"),
        (".guardrails/frameworks/a.yaml", "a.yaml"),
    )


@pytest.mark.parametrize("text", ['[tool]\nguardrails = { tests = "report" }\n', 'tool.guardrails.tests = "report"\n'])
def test_other_forms_of_the_table_are_read_too(tmp_path, text):
    (tmp_path / "pyproject.toml").write_text(text)
    assert config.load(tmp_path, RULES).tests == "report"
    (tmp_path / "pyproject.toml").write_text(text.replace("tests", "tets"))
    assert "unknown setting 'tets'" in fault(config.load, tmp_path, RULES)
    (tmp_path / "guardrails.yaml").write_text("")
    assert "keep one of them" in fault(config.load, tmp_path, RULES)


def test_bytes_that_are_no_utf8_are_told_unless_the_file_is_not_ours(tmp_path):
    (tmp_path / "pyproject.toml").write_bytes(b"[project]\nname = '\xff'\n")
    assert config.load(tmp_path, RULES) == Config()
    (tmp_path / "guardrails.yaml").write_bytes(b"tests: skip\n# \xff\n")
    assert fault(config.load, tmp_path, RULES) == "guardrails.yaml:2: this is not UTF-8; save the file as UTF-8"


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and links of POSIX")
@pytest.mark.parametrize("name", ["pyproject.toml", "guardrails.yaml", ".guardrails/frameworks/x.yml"])
def test_what_is_no_plain_file_of_the_project_is_told(tmp_path, name):
    path = tmp_path / "project" / name
    path.parent.mkdir(parents=True)
    root = tmp_path / "project"

    def message() -> str:
        return fault(lambda: config.models(root, config.load(root, RULES)))

    os.mkfifo(path)
    assert message().startswith(f"{name}:1: this cannot be read (no plain file)")
    path.unlink()
    path.symlink_to("/dev/zero")
    assert "lies outside the project" in message()
    path.unlink()
    path.write_bytes(b"#" * 1_000_001)
    assert "too large" in message()


@pytest.mark.parametrize("name", ["a\0b", "a" * 5000, "a\nb"])
def test_a_model_by_an_impossible_name_is_told_in_a_sentence(tmp_path, name):
    assert fault(config.models, tmp_path, Config(frameworks=(name,)))


def test_a_model_is_no_link_out_of_the_project(tmp_path):
    folder = tmp_path / "project" / ".guardrails" / "frameworks"
    folder.mkdir(parents=True)
    (tmp_path / "secret").write_text("token")
    (folder / "x.yml").symlink_to(tmp_path / "secret")
    message = ".guardrails/frameworks/x.yml:1: this framework model lies outside the project; copy it to .guardrails/frameworks/"
    assert fault(config.models, tmp_path / "project", Config()) == message


@pytest.mark.parametrize(
    ("name", "words"), [("gone.yml", "does not exist"), ("../x.yml", "outside the project"), ("/etc/passwd", "outside")]
)
def test_a_model_that_is_not_there_is_told(tmp_path, name, words):
    assert words in fault(config.models, tmp_path, Config(frameworks=(name,)))


@given(st.sampled_from(sorted(RULES)), st.data())
def test_a_slip_in_a_rule_name_brings_the_rule_that_was_meant(rule, data):
    at = data.draw(st.integers(0, len(rule) - 1))
    slip = data.draw(st.sampled_from([rule[:at] + rule[at + 1 :], rule[:at] + rule[at] + rule[at:], rule.replace("-", "_"), rule.upper()]))
    assert slip in RULES or config.near(slip, RULES) == f"did you mean {rule}?"


KEYS = st.sampled_from([*Config.__struct_fields__, "paths", "x"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)


@given(st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8))
def test_whatever_the_settings_are_they_are_read_or_told_in_a_sentence(value):
    message = _message(json.dumps(value))
    assert not message or (message.startswith("guardrails.yaml:") and "\n" not in message)


def _message(text: str) -> str:
    try:
        config.from_yaml(text, RULES)
    except ConfigError as error:
        return str(error)
    return ""


def test_the_published_schema_is_the_one_that_is_made():
    assert files("guardrails").joinpath("schemas/config.schema.json").read_text() == config.schema_text()


def test_the_published_schema_accepts_what_we_accept_and_refuses_what_we_refuse():
    import yaml

    jsonschema.Draft202012Validator.check_schema(config.schema())
    jsonschema.validate(yaml.safe_load(FULL_YAML), config.schema())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"tets": "skip"}, config.schema())
