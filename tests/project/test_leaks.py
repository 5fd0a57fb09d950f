"""Which files are read for their log calls: none that leaks may be missed, few others should be read."""

from __future__ import annotations

import pytest

from guardrails.names.words import Words
from guardrails.project.leaks import Leaks


def is_read(source: str) -> bool:
    text = source.encode()
    words = Words()
    words.add("a.py", text)
    leaks = Leaks(words)
    return "a.py" in leaks.candidates() and leaks.may_log("a.py", text)


@pytest.mark.parametrize(
    "source",
    [
        "log.info('x', password)",
        "log.info(user.api_key)",
        "log.info(f'x {self.token}')",
        "log.info(f'x {a}', 'b', token)",
        "log.info('it\\'s', token, 'x')",
        "log.info(settings['SECRET_KEY'])",
        "log.info(headers.get('X-Api-Key'))",
        "log.info(x.get_secret_value())",
        "log.info('x', extra={'headers': request.headers})",
        "log.info('x', request.data)",
        "log.info('password: %s', value)",
        "log.info('Reset token is: ' + value, token)",
        "print('token=', value)",
        "log.debug(\n    'x',\n    a,\n    refresh_token,\n)\n",
        "def f():\n    line = f'{user} {password}'\n    log.info(line)\n",
        "console.log(`x ${user.accessToken}`)",
        'info!("using {api_key}")',
        'println!("{}", secret)',
    ],
)
def test_a_log_call_that_may_write_a_secret_is_read(source):
    assert is_read(source)


@pytest.mark.parametrize(
    "source",
    [
        "password = 1\nlog.info('x', user.id)",
        "log.info('the token was refreshed', user.id)",
        "log.info(f'the token of {user.id} was refreshed')",
        "log.info('x', max_tokens)",
        "log.info('x', token_count)",
        "send(password)",
        "def f():\n    note = 'a token'\n    log.info(note)\n",
        "def f():\n    count = token_count + 1\n    log.info(count)\n",
    ],
)
def test_prose_and_counts_are_no_secret(source):
    assert not is_read(source)


def test_words_are_found_by_their_parts():
    words = Words()
    words.add("a.py", b"CELERY_TIMEOUT = timeout_of(WebHook, web_hook)")
    assert words.containing(("TIMEOUT",)) == {b"CELERY_TIMEOUT"}
    assert words.containing(("hook", "webh"), ignore_case=True) == {b"WebHook", b"web_hook"}
    assert words.containing(("absent",)) == set()
