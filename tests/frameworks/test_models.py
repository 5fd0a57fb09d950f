"""The shipped models: every one parses, says where it knows it from, and no two of them claim one symbol."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files

import pytest
import yaml
from jsonschema.validators import validator_for

from guardrails.frameworks import schema
from guardrails.frameworks.catalogue import Catalogue, ModelError, builtin, load, parse
from guardrails.frameworks.model import Model

TEXTS = dict(builtin())
NAMES = sorted(TEXTS)
VALIDATOR = validator_for(schema.schema())(schema.schema())
CATALOGUE: Catalogue = load()
MINIMAL = "framework: shop\ntitle: Shop\nlanguages: [python]\npackages: [shop]\n"
_STEP = re.compile(r"\(\)|\[\*\]|[./]?[^.()\[\]]+")


def spelled(symbol: str) -> str:
    """The symbol as the resolver spells it, which looks every stretch of a path up among the aliases."""
    path = ""
    for step in _STEP.findall(symbol):
        path = CATALOGUE.aliases.get(path + step, path + step)
        path = CATALOGUE.returns.get(path, path)
    return path


def expanded(model: Model, symbol: str) -> list[str]:
    if not symbol:
        return []
    return [symbol.replace("{verb}", verb) for verb in model.verbs] if "{verb}" in symbol else [symbol]


def claims(model: Model) -> Iterator[tuple[str, str]]:
    """What a model claims: (kind of form, symbol)."""
    for job in model.jobs:
        for symbol in (job.decorator, job.base, job.call):
            yield from (("job", path) for path in expanded(model, symbol))
    for enqueue in model.enqueues:
        yield from (("enqueue", path) for path in expanded(model, enqueue.call))
    for handler in model.handlers:
        for symbol in (handler.decorator, handler.base, handler.call, *handler.parameter):
            yield from (("handler", path) for path in expanded(model, symbol))
    for spawn in model.spawns:
        yield from (("spawn", path) for path in expanded(model, spawn.call))
    for schedule in model.schedules:
        for symbol in (schedule.call, schedule.decorator):
            yield from (("schedule", path) for path in expanded(model, symbol))
    for log in model.logs:
        yield from (("log", path) for path in expanded(model, log.call))


def named(model: Model) -> list[str]:
    """Every symbol that a model's code is compared with."""
    rows = model.rows
    listed = [*model.records_once, *model.locks, *model.apps]
    if rows is not None:
        listed += [
            *rows.bases,
            *rows.calls_one,
            *rows.calls_many,
            *rows.as_dict,
            *rows.serializers,
            *rows.requests,
            *rows.frames,
            *rows.signals,
        ]
    return [symbol for _, symbol in claims(model)] + listed


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_parses_and_the_published_schema_accepts_it(name: str) -> None:
    model = parse(name, TEXTS[name])
    assert name == f"{model.framework}.yml"
    assert [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(TEXTS[name]))] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_says_where_it_knows_it_from(name: str) -> None:
    model = parse(name, TEXTS[name])
    assert model.sources
    if model.timeout is not None:
        assert re.search(r"https://|\.py\b", model.timeout.source)
        assert model.timeout.fix.endswith(".")


@pytest.mark.parametrize("name", NAMES)
def test_a_model_with_jobs_says_their_limit_how_they_repeat_and_their_key(name: str) -> None:
    model = parse(name, TEXTS[name])
    if model.jobs:
        assert model.timeout is not None
        assert model.repeats is not None
        assert model.key is not None


@pytest.mark.parametrize("name", NAMES)
def test_a_key_has_a_window_and_a_missing_one_an_alternative(name: str) -> None:
    model = parse(name, TEXTS[name])
    for key in [model.key, *(enqueue.key for enqueue in model.enqueues)]:
        if key is not None:
            assert bool(key.how) == bool(key.window)
            assert bool(key.how) != bool(key.instead) or key.since
            assert bool(key.arguments or key.declared) or not key.how


def test_no_symbol_is_claimed_twice() -> None:
    counted = Counter(claim for model in CATALOGUE.models for claim in claims(model))
    assert [claim for claim, times in counted.items() if times > 1] == []


def test_no_framework_is_told_twice() -> None:
    assert len({model.framework for model in CATALOGUE.models}) == len(CATALOGUE.models)


@pytest.mark.parametrize("name", NAMES)
def test_every_symbol_is_in_the_spelling_that_the_resolver_arrives_at(name: str) -> None:
    model = parse(name, TEXTS[name])
    assert [(symbol, spelled(symbol)) for symbol in named(model) if spelled(symbol) != symbol] == []


def test_an_alias_has_one_meaning_and_leads_somewhere_final() -> None:
    meanings: dict[str, set[str]] = {}
    for model in CATALOGUE.models:
        for key, value in [*model.aliases.items(), *model.returns.items()]:
            meanings.setdefault(key, set()).add(value)
    assert {key: values for key, values in meanings.items() if len(values) > 1} == {}
    assert {value for value in CATALOGUE.aliases.values() if spelled(value) != value} == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_form_names_exactly_one_way(name: str) -> None:
    model = parse(name, TEXTS[name])
    assert all(sum(map(bool, (j.decorator, j.base, j.call, j.listed, j.parameters))) == 1 for j in model.jobs)
    assert all(bool(j.parameters) == bool(j.mentions) for j in model.jobs)
    assert all(bool(j.base) == bool(j.method) for j in model.jobs)
    assert all(bool(e.call) != bool(e.on_job) for e in model.enqueues)
    assert all(sum(map(bool, (h.decorator, h.base, h.call, h.exported, h.parameter))) == 1 for h in model.handlers)
    assert all(bool(h.base) == bool(h.methods) for h in model.handlers)
    assert all(bool(h.exported) == bool(h.file) for h in model.handlers)
    assert all(sum(map(bool, (s.call, s.decorator, s.on_job, s.setting))) == 1 for s in model.schedules)


@pytest.mark.parametrize("name", NAMES)
def test_expressions_in_a_model_compile(name: str) -> None:
    model = parse(name, TEXTS[name])
    timeout = [model.timeout.void_under] if model.timeout else []
    for expression in [model.worker, *timeout, *(handler.file for handler in model.handlers)]:
        re.compile(expression)


def test_the_words_of_the_first_round_are_rare_ones() -> None:
    common = {"add", "after", "delete", "django", "error", "flask", "get", "info", "job", "log", "map", "next", "post", "print"}
    common |= {"put", "queue", "request", "run", "schedule", "send", "setTimeout", "spawn", "start", "submit", "task", "worker"}
    assert CATALOGUE.words() & common == set()


def test_the_published_schema_is_the_one_that_is_made() -> None:
    assert files("guardrails").joinpath("schemas/framework.schema.json").read_text() == schema.schema_text()


def test_the_catalogue_survives_the_memory_between_runs() -> None:
    kept: list[bytes] = []

    def remember(key: str, make: object) -> bytes:
        kept.append(make())  # type: ignore[operator]
        return kept[-1]

    assert load(remember=remember).models == CATALOGUE.models
    assert load(remember=lambda key, make: b"\xc1 not msgpack").models == CATALOGUE.models


def test_a_minimal_model_is_one() -> None:
    assert parse("shop.yml", MINIMAL).framework == "shop"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (MINIMAL + "jobs: [\n", r"^shop\.yml:\d+: this framework model is not valid YAML \(.+\); mend it there$"),
        (MINIMAL + "title: 'unclosed\n", r"^shop\.yml:\d+: this framework model is not valid YAML"),
        (MINIMAL + "jbos: []\n", r"^shop\.yml:5: .*unknown field `jbos`.*framework\.schema\.json"),
        (MINIMAL + "spawns:\n  - call: shop.go\n    kind: task\n    detached: true\n", r"^shop\.yml:[5-8]: .*unknown field `detached`"),
        (MINIMAL + "timeout:\n  default: soon\n  source: x\n  fix: y\n", r"^shop\.yml:6: .*Expected `float \| null`, got `str`"),
        (MINIMAL + "verbs: [get, on]\n", r"^shop\.yml:5: .*Expected `str`, got `bool`"),
        ("framework: shop\n", r"^shop\.yml:1: .*missing required field `title`"),
        ("- a list\n", r"^shop\.yml:1: .*Expected `object`, got `array`"),
        ("", r"^shop\.yml:1: .*Expected `object`, got `null`"),
    ],
    ids=[
        "an open bracket",
        "an open quote",
        "an unknown key",
        "an unknown key in a form",
        "a wrong type",
        "YAML takes on for true",
        "a missing key",
        "a list",
        "nothing",
    ],
)
def test_a_broken_model_is_one_sentence_with_file_and_line(text: str, sentence: str) -> None:
    with pytest.raises(ModelError) as caught:
        parse("shop.yml", text)
    assert re.search(sentence, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["!!python/object/apply:os.system [echo]\n", "framework: \x00\n", "&a [*a]\n", "? [x]\n: y\n"])
def test_a_hostile_model_is_a_sentence_too(text: str) -> None:
    with pytest.raises(ModelError):
        parse("shop.yml", text)


@pytest.mark.parametrize(
    ("key", "line", "words"),
    [
        ("languages: []", 3, "`languages` must name"),
        ("languages: [cobol]", 3, "`languages` must name"),
        ('languages: [python]\nwords: ["()"]', 4, "holds no letter"),
        ("languages: [python]\nworker: '['", 4, "no regular expression"),
        ("languages: [python]\njobs: [{}]", 4, "exactly one of"),
        ("languages: [python]\nenqueues: [{}]", 4, "either call or on_job"),
    ],
)
def test_a_model_that_says_nothing_is_one_sentence(key: str, line: int, words: str) -> None:
    with pytest.raises(ModelError) as error:
        parse("mine.yml", f"framework: mine\ntitle: Mine\n{key}\npackages: []\n")
    assert str(error.value).startswith(f"mine.yml:{line}: ")
    assert words in str(error.value)
