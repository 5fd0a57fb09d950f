"""Secrets that harm little where they stand are told with low confidence, and only there."""

from __future__ import annotations

import pytest

from guardrails.config import Config
from guardrails.lint import lint_texts

MAIN = """
import sys


def show(token):
    print(token)


def main():
    {call}


if __name__ == "__main__":
    main()
"""
SALE = """
from celery import shared_task


@shared_task(time_limit=60)
def close(auth_token):
    work(auth_token)


"""
REFUSED = """
import logging

log = logging.getLogger(__name__)


def read(token):
    try:
        {tried}
    except {caught}:
        {told}
"""

LOW = {
    "a print below the main guard": "import os\n\nif __name__ == '__main__':\n    print(os.environ['API_TOKEN'])\n",
    "a function that a reader of the command line calls": MAIN.format(call="show(parse(sys.argv[1:]).token)"),
    "a command of click": "import click\n\n\n@click.command()\ndef new():\n    api_key = create()\n    click.echo(api_key)\n",
    "a function that asks a person": "def sign_up(user):\n    password = input('password: ')\n    print(f'{user} {password}')\n",
    "a key that is made just there": "import secrets\n\n\ndef start():\n    password = secrets.token_urlsafe()\n    print(password)\n",
    "a token that was not taken": REFUSED.format(
        tried="return verify_token(token)", caught="BadSignature", told="log.warning('bad %s', token)"
    ),
    "a token that the only call tried did not take": REFUSED.format(
        tried="return verify_token(token)", caught="Exception", told="log.warning('bad %s', token)"
    ),
    "a row that is deleted": SALE + "def post_delete(sender, instance, **kwargs):\n    close.delay(auth_token=instance.auth_token)\n",
    "a row that was deleted above": SALE + "def drop(shop):\n    shop.delete()\n    close.delay(shop.auth_token)\n",
    "a row that could not be saved": SALE
    + "class Shop(Row):\n    def save(self):\n        try:\n            super().save()\n        except Exception as e:\n"
    + "            close.delay(self.auth_token)\n            raise e\n",
    "what the job itself was handed": SALE + "@shared_task(time_limit=60)\ndef end(auth_token):\n    close.delay(auth_token)\n",
}
HIGH = {
    "a service below the main guard": MAIN.format(call="show(settings.token)"),
    "a loop without an end": MAIN.format(call="while True:\n        show(parse(sys.argv[1:]).token)"),
    "a log line below the main guard": (
        "import logging\nimport os\n\nif __name__ == '__main__':\n    logging.info(os.environ['API_TOKEN'])\n"
    ),
    "a key that may come from the environment": (
        "import os\n\npassword = os.getenv('PASSWORD') or made()\n\n\ndef start():\n    print(password)\n"
    ),
    "a password that was not taken": REFUSED.replace("token", "password").format(
        tried="return verify(password)", caught="BadPassword", told="log.warning('bad %s', password)"
    ),
    "a token that may have been taken": REFUSED.format(
        tried="welcome(verify_token(token))", caught="Exception", told="log.warning('bad %s', token)"
    ),
    "a row that is there": SALE + "def shut(shop):\n    close.delay(shop.auth_token)\n",
    "a row that is saved after the failure": SALE
    + "class Shop(Row):\n    def save(self):\n        try:\n            super().save()\n        except Exception:\n"
    + "            close.delay(self.auth_token)\n",
}


def confidences(text: str) -> list[str]:
    found = lint_texts({"shop/serve.py": text}, Config(confidence="low")).findings
    return [str(one.confidence) for one in found if one.rule in ("secret-in-log", "secret-in-payload")]


@pytest.mark.parametrize("text", LOW.values(), ids=LOW)
def test_it_is_told_with_low_confidence(text: str) -> None:
    assert confidences(text) == ["low"]


@pytest.mark.parametrize("text", HIGH.values(), ids=HIGH)
def test_it_is_told_with_high_confidence(text: str) -> None:
    assert confidences(text) == ["high"]
