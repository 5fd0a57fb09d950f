"""A user's own model: what it says wins over what is shipped, and an expression that may run for ever is refused."""

from __future__ import annotations

import pytest

from guardrails.frameworks.catalogue import Catalogue, ModelError, load, parse
from guardrails.frameworks.patterns import danger

OWN = """
framework: house
title: House
languages: [python]
packages: [house]
aliases: {django.tasks.base.task: house.task}
jobs:
  - decorator: celery.shared_task
  - base: celery.Task
    method: perform
  - call: rq.Queue().enqueue
  - listed: functions
    beside: [redis_settings]
enqueues:
  - call: celery.Celery().send_task
    job: "0"
handlers:
  - decorator: flask.Flask().route
  - call: django.urls.path
  - base: flask.views.MethodView
    methods: {post: POST}
  - parameter: [django.http.HttpRequest]
spawns:
  - call: asyncio.create_task
    kind: task
schedules:
  - call: arq.cron
logs:
  - call: logging.info
    receivers: [logging]
waits:
  - call: requests.get
    kind: network
"""


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load([("house.yml", OWN)])


@pytest.mark.parametrize(
    ("table", "symbol"),
    [
        ("job_decorators", "celery.shared_task"),
        ("job_bases", "celery.Task"),
        ("job_calls", "rq.Queue().enqueue"),
        ("enqueues", "celery.Celery().send_task"),
        ("handler_decorators", "flask.Flask().route"),
        ("handler_calls", "django.urls.path"),
        ("handler_bases", "flask.views.MethodView"),
        ("handler_parameters", "django.http.HttpRequest"),
        ("spawns", "asyncio.create_task"),
        ("schedule_calls", "arq.cron"),
        ("logs", "logging.info"),
        ("log_names", ("logging", "info")),
    ],
)
def test_what_a_users_own_model_says_of_a_symbol_wins(catalogue: Catalogue, table: str, symbol: object) -> None:
    assert getattr(catalogue, table)[symbol][0].framework == "house"


def test_its_aliases_win(catalogue: Catalogue) -> None:
    assert catalogue.aliases["django.tasks.base.task"] == "house.task"


def test_its_lists_and_roles_take_the_place_of_the_shipped_ones(catalogue: Catalogue) -> None:
    assert [model.framework for model, form in catalogue.job_lists if form.listed == "functions"] == ["house"]
    assert [model.framework for role, model, _ in catalogue.roles["requests.get"] if role == "waits"] == ["house"]


def test_what_it_does_not_name_stays(catalogue: Catalogue) -> None:
    assert catalogue.job_decorators["dramatiq.actor"][0].framework == "dramatiq"
    assert [model.framework for role, model, _ in catalogue.roles["requests.post"] if role == "waits"] == ["requests"]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (r"(a+)+b", "repeats what repeats"),
        (r"(?:\w+\s?)*x", "repeats what repeats"),
        (r"(?:a{1,40})*b", "repeats what repeats"),
        (r"(?:a|a)*b", "repeats a choice"),
        (r"(?:(?:x|xy)z?){20}", "repeats a choice"),
        (r".*a.*b.*c", "more than 2 repeats"),
        ("a" * 1001, "longer than"),
    ],
)
def test_an_expression_that_may_run_for_ever_is_refused_with_a_sentence(pattern: str, words: str) -> None:
    assert words in danger(pattern)
    with pytest.raises(ModelError) as error:
        parse("mine.yml", f"framework: mine\ntitle: Mine\nlanguages: [python]\npackages: [mine]\nworker: '{pattern}'\n")
    assert str(error.value).startswith("mine.yml:5: `worker` may run for ever")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("pattern", [r"\bcelery\b.*\bworker\b", r"(?:-P|--pool)[ =]?(?:solo|threads)\b", r"(?:^|/)app/.*/route\.ts$", ""])
def test_an_ordinary_expression_is_none(pattern: str) -> None:
    assert danger(pattern) == ""
