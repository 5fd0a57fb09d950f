from __future__ import annotations

import base64
import html
import json
import re
import threading
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from guardrails.runtime.logs import credentials
from guardrails.runtime.logs.redact import LONGEST_LINE, MARK, Redactor

SECRET = "s3cr3t/V+lue&\"x'ü"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nq2w3e4r5t6\n-----END RSA PRIVATE KEY-----"


def _streamed(redactor: Redactor, data: bytes, cuts: list[int]) -> bytes:
    stream = redactor.stream()
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return b"".join([stream.feed(data[start:end]) for start, end in pairwise(places)]) + stream.flush()


# known values

FORMS = {
    "as it is": SECRET,
    "its repr": repr(SECRET),
    "the repr of its bytes": repr(SECRET.encode()),
    "in JSON": json.dumps(SECRET),
    "in JSON that is not ASCII": json.dumps(SECRET, ensure_ascii=False),
    "in a path": quote(SECRET),
    "URL-quoted": quote(SECRET, safe=""),
    "URL-quoted with small letters": quote(SECRET, safe="").replace("%2F", "%2f").replace("%2B", "%2b").replace("%26", "%26").lower(),
    "in a form": quote_plus(SECRET),
    "in HTML": html.escape(SECRET),
    "in base64": base64.b64encode(SECRET.encode()).decode(),
    "in URL-safe base64": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "in base64 without padding": base64.b64encode(SECRET.encode()).decode().rstrip("="),
    "in base64 behind one byte": base64.b64encode(b"u:" + SECRET.encode()).decode(),
    "in base64 behind two bytes": base64.b64encode(b"u" + SECRET.encode() + b"more").decode(),
    "in base64 behind three bytes": base64.b64encode(b"abc" + SECRET.encode() + b"more").decode(),
    "in hexadecimal": SECRET.encode().hex(),
    "in big hexadecimal": SECRET.encode().hex().upper(),
}
FORMS["URL-quoted with small letters"] = re.sub("%..", lambda found: found[0].lower(), quote(SECRET, safe=""))


@pytest.mark.parametrize("form", FORMS)
def test_a_known_value_is_redacted_in_each_form(form: str) -> None:
    told = f"key {FORMS[form]} refused"
    redactor = Redactor([SECRET])
    shown = redactor.text(told)
    assert MARK in shown
    assert shown.startswith("key ")
    assert shown.endswith(" refused")
    assert len(shown) < len("key  refused") + len(MARK) + 14  # quotes, and what base64 makes of the neighbours, may stay
    assert _streamed(redactor, told.encode(), [9]) == shown.encode()


def test_values_that_overlap_or_hold_each_other_leave_nothing() -> None:
    assert Redactor(["abcdef", "defghi", "abcd"]).text("x abcdefghi y abcd z") == f"x {MARK} y {MARK} z"
    assert Redactor(["aaaa"]).text("aaaaaaa b") == f"{MARK} b"


def test_short_values_are_left_alone_and_so_is_the_mark_itself() -> None:
    text = "abc redacted [redacted]"
    assert Redactor(["abc", "", "redacted"]).text(text) == text


def test_a_value_from_a_file_is_known_without_its_line_end() -> None:
    assert Redactor(["hunter2\n"]).text("pin hunter2.") == f"pin {MARK}."


def test_the_lines_of_a_value_are_redacted_also_one_by_one() -> None:
    redactor = Redactor(["first-line-of-it\nsecond-line-of-it\nend"])
    assert redactor.text("> first-line-of-it\n> second-line-of-it\n> end") == f"> {MARK}\n> {MARK}\n> end"


def test_a_value_that_is_learned_later_is_redacted_from_then_on_also_in_an_open_stream() -> None:
    redactor = Redactor()
    stream = redactor.stream()
    assert stream.feed(b"hunter2-a\n") == b"hunter2-a\n"
    redactor.learn("hunter2-a")
    assert stream.feed(b"hunter2-a\n") == b"[redacted]\n"
    assert redactor.values == {"hunter2-a"}


def test_many_threads_may_learn_at_once() -> None:
    redactor = Redactor()
    threads = [threading.Thread(target=redactor.learn, args=(f"value-number-{number}",)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert redactor.text(" ".join(f"value-number-{number}" for number in range(20))) == " ".join([MARK] * 20)


# credentials

CREDENTIALS = {
    "Authorization: Basic dXNlcjpwYXNz": "Authorization: [redacted]",
    "authorization=Token abc def": "authorization=[redacted]",
    "Authorization: 0123456789abcdef": "Authorization: [redacted]",
    "{'Authorization': 'Bearer abc.def-ghi', 'Accept': '*/*'}": "{'Authorization': '[redacted]', 'Accept': '*/*'}",
    '{"proxy-authorization": "x\\"y", "a": 1}': '{"proxy-authorization": "[redacted]", "a": 1}',
    '"{\\"authorization\\": \\"Basic abc\\", \\"a\\": 1}"': '"{\\"authorization\\": \\"[redacted]\\", \\"a\\": 1}"',
    "curl -H 'Authorization: Bearer a1b2c3d4e5'": "curl -H 'Authorization: [redacted]",
    "sent Bearer abcdefghijkl to x": "sent Bearer [redacted] to x",
    "Cookie: session=abc; theme=dark": "Cookie: [redacted]",
    "{'set-cookie': 'session=abc; Path=/'}": "{'set-cookie': '[redacted]'}",
    "X-Api-Key: abcdefgh1": "X-Api-Key: [redacted]",
    "x-amz-security-token: AQoDYXdz/x==": "x-amz-security-token: [redacted]",
    "id AKIAIOSFODNN7EXAMPLE used": "id [redacted] used",
    "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY": "aws_secret_access_key = [redacted]",
    "AWS_SECRET_ACCESS_KEY=wJalr+x/y": "AWS_SECRET_ACCESS_KEY=[redacted]",
    "password=hunter2 next": "password=[redacted] next",
    "db_password='hun ter\\'2', x=1": "db_password='[redacted]', x=1",
    'Settings(PASSWORD="hunter2", debug=True)': 'Settings(PASSWORD="[redacted]", debug=True)',
    "{'api_key': 'abc', 'n': 1}": "{'api_key': '[redacted]', 'n': 1}",
    "clientSecret: 'abc'": "clientSecret: '[redacted]'",
    "password: hunter2!": "password: [redacted]",
    "https://x.test/cb?access_token=abc&n=1": "https://x.test/cb?access_token=[redacted]&n=1",
    "https://x.test/b?se=1&sig=ab%2Fcdefgh&sv=2": "https://x.test/b?se=1&sig=[redacted]&sv=2",
    "https://s3.test/k?X-Amz-Signature=abc123&x=1": "https://s3.test/k?X-Amz-Signature=[redacted]&x=1",
    "postgresql://shop:p@ss:w0rd@db.test:5432/shop": "postgresql://shop:[redacted]@db.test:5432/shop",
    "redis://:hunter2@cache.test/0": "redis://:[redacted]@cache.test/0",
    "AccountKey=abc/def+g==;Endpoint=x": "AccountKey=[redacted];Endpoint=x",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc": "[redacted]",
    "rk_test_4eC39HqLyjWD, done": "[redacted], done",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": "[redacted]",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345": "[redacted]",
    "github_pat_11ABCDEFG0abcdefghijkl_mnop": "[redacted]",
    "glpat-abcdefghij0123456789": "[redacted]",
    "xoxb-123456789012-abcdefGHIJ": "[redacted]",
    "xapp-1-A0123456789-abc": "[redacted]",
    "https://hooks.slack.com/services/T000/B000/XXXX": "https://hooks.slack.com/services/[redacted]",
    "sk-proj-abcdefghijklmnopqrstuv": "[redacted]",
    "AIzaSyA-0123456789abcdefghijklmnopqrstu": "[redacted]",
    "npm_abcdefghijklmnopqrstuvwxyz0123456789": "[redacted]",
    "SG.abcdefghijklmnopqrst.uvwxyzabcdefghijklmn": "[redacted]",
    "jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P ok": "jwt [redacted] ok",
    f"a\n{KEY}\nb": "a\n[redacted]\nb",
    json.dumps({"key": KEY}): '{"key": "[redacted]"}',
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\nabc": "[redacted]",
}


@pytest.mark.parametrize("text", CREDENTIALS, ids=lambda text: text[:40])
def test_credentials_are_recognised_also_when_nobody_has_told_of_them(text: str) -> None:
    redactor = Redactor()
    shown = CREDENTIALS[text]
    assert redactor.text(text) == shown
    assert redactor.text(shown) == shown
    assert _streamed(redactor, text.encode(), []) == shown.encode()
    assert _streamed(redactor, text.encode(), list(range(len(text)))) == shown.encode()


HARMLESS = [
    "charged order 7 for 12.50 EUR",
    "https://x.test:8080/path?email=a@b.test&page=2",
    "max_tokens=4096 total_tokens: 17",
    "password=None token=null secret=False api_key=",
    "refresh token expired; password: wrong",
    "the bearer authentication failed, Bearer token missing",
    "Authorization: no",
    "AWS_ACCESS_KEY_ID is set, key id AKIA1",
    "payload={'order_id': '7', 'key': 'order-7', 'keys': ['a']}",
    "SecretRef('STRIPE_KEY') secret=SecretRef('STRIPE_KEY')",
    "task-1234567890123456789012345 risk-abcdefghijklmnopqrstuvwxyz",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "cookie: none, cookies accepted",
    "user@host.test:/path and a://b:/c",
    "a basic understanding of the passport office",
    "ünïcode → ok \U0001f600",
    "",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_text_is_unchanged(text: str) -> None:
    assert Redactor([SECRET], ["pin"]).text(text) == text
    assert _streamed(Redactor([SECRET], ["pin"]), text.encode(), [3, 9]) == text.encode()


def test_the_values_of_given_names_are_credentials_however_short() -> None:
    redactor = Redactor(names=["pin", "cardNumber"])
    assert redactor.text('pin=12, Card(cardNumber=\'42\', pin=7 ) and {"pin": "123"} spin=9') == (
        'pin=[redacted], Card(cardNumber=\'[redacted]\', pin=[redacted] ) and {"pin": "[redacted]"} spin=9'
    )


def test_fields_behind_a_secrets_name_are_hidden_altogether() -> None:
    redactor = Redactor([SECRET], ["pin"])
    fields = {"token": "x", "db_password": 7, "pin": "1", "order": 7, "note": f"a {SECRET}", "secret": None, "Authorization": "y"}
    assert redactor.fields(fields) == {
        "token": MARK,
        "db_password": MARK,
        "pin": MARK,
        "order": "7",
        "note": f"a {MARK}",
        "secret": "None",
        "Authorization": MARK,
    }


def test_an_exception_is_told_with_its_causes_and_without_secrets() -> None:
    def fail() -> None:
        try:
            raise ValueError(f"key {SECRET}")
        except ValueError as error:
            raise RuntimeError("password=hunter2") from error

    with pytest.raises(RuntimeError) as failed:
        fail()
    told = Redactor([SECRET]).exception(failed.value)
    assert f"ValueError: key {MARK}" in told
    assert "RuntimeError: password=[redacted]" in told
    assert "in fail" in told
    assert SECRET not in told


# streams


def test_each_complete_line_is_given_at_once_and_the_rest_is_held() -> None:
    stream = Redactor().stream()
    assert stream.feed(b"one\ntw") == b"one\n"
    assert stream.feed(b"o") == b""
    assert stream.feed(b"\r50 %") == b"two\r"
    assert stream.flush() == b"50 %"
    assert stream.flush() == b""
    assert stream.feed(b"again\n") == b"again\n"


def test_bytes_that_are_no_text_pass_unchanged() -> None:
    data = bytes(range(256)) * 3
    assert _streamed(Redactor([SECRET]), data, [1, 130, 131, 300]) == data


def test_a_private_key_that_never_ends_hides_a_bounded_part() -> None:
    body = b"x" * 60 + b"\n"
    data = b"before\n-----BEGIN PRIVATE KEY-----\n" + body * 400 + b"after\n"
    shown = _streamed(Redactor(), data, list(range(0, len(data), 61)))
    assert shown.startswith(b"before\n[redacted]")
    assert shown.endswith(b"\nafter\n")
    assert len(data) - len(shown) < credentials.LONGEST_BLOCK + 100


@pytest.mark.parametrize("place", [LONGEST_LINE - 20, LONGEST_LINE - 4, LONGEST_LINE - 8192 - 10, LONGEST_LINE * 2])
@pytest.mark.parametrize("secret", [SECRET, "password=hunter2hunter2"])
def test_a_line_without_end_is_held_only_so_far_and_hides_secrets_all_the_same(place: int, secret: str) -> None:
    redactor = Redactor([SECRET])
    data = ("x " * LONGEST_LINE * 2).encode()
    data = data[:place] + f" {secret} ".encode() + data[place:]
    stream = redactor.stream()
    told, held = b"", 0
    for start in range(0, len(data), 4096):
        told += stream.feed(data[start : start + 4096])
        held = max(held, start + 4096 - len(told))
    told += stream.flush()
    assert held < LONGEST_LINE + 3 * 8192
    assert SECRET.encode() not in told
    assert b"hunter2" not in told
    assert told.count(MARK.encode()) == 1
    assert len(told) > len(data) - 100


def test_a_secret_without_end_is_dropped_up_to_its_lines_end_and_not_kept_in_memory() -> None:
    stream = Redactor().stream()
    told = stream.feed(b"password=" + b"x" * LONGEST_LINE)
    told += stream.feed(b"x" * LONGEST_LINE)
    told += stream.feed(b"xyz\nnext line\n")
    assert told == b"password=[redacted]\nnext line\n"


WORDS = st.sampled_from(
    [
        *(
            "SECRET-one",
            "SECRET-two\nlines-of-it",
            "SECRET",
            "password=",
            "token: ",
            "Bearer ",
            "abc123XYZ",
            "://u:",
            "@h",
            "sk_live_0123456789",
        ),
        *("eyJ0000000000.000000000.0", KEY, "-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"),
        *("'", '"', "\\", "=", " ", "\n", "\r\n", "é", "x"),
    ]
)
SOUP = st.lists(WORDS, max_size=14).map("".join)
VALUES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="[]redacted \n\r\t"), min_size=4, max_size=12)


@settings(deadline=None)
@given(SOUP, st.lists(st.integers(0, 300), max_size=8))
@example("SECRET-two\nlines-of-it", [11])
@example(KEY + "SECRET-one", [4, 40, 80])
def test_a_stream_says_the_same_however_it_is_cut(text: str, cuts: list[int]) -> None:
    redactor = Redactor(["SECRET-one", "SECRET-two\nlines-of-it"])
    whole = redactor.text(text)
    assert _streamed(redactor, text.encode(), cuts).decode() == whole
    assert "SECRET-one" not in whole
    assert "SECRET-two\nlines" not in whole


@settings(deadline=None)
@given(VALUES, st.lists(st.sampled_from(list(FORMS)), max_size=4), st.data())
def test_a_secret_never_survives_however_it_is_chunked(secret: str, forms: list[str], data: st.DataObject) -> None:
    shapes = [secret, repr(secret), quote(secret, safe=""), base64.b64encode(secret.encode()).decode(), json.dumps(secret)]
    pieces = data.draw(st.lists(st.sampled_from([*shapes, " ", "\n", "- "]), min_size=1, max_size=8))
    text = " ".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(text.encode())), max_size=6))
    redactor = Redactor([secret])
    told = _streamed(redactor, text.encode(), cuts).decode()
    assert told == redactor.text(text)
    for shape in shapes:
        assert shape.strip("'\"") not in told


PLAIN = st.text(st.sampled_from("bcfghijlmnoquvwxyzBCFGHIJ0123456789 .,\n\r-é→"), max_size=300)


@settings(deadline=None)
@given(PLAIN, st.lists(st.integers(0, 300), max_size=6))
def test_text_without_secrets_is_unchanged_however_it_is_chunked(text: str, cuts: list[int]) -> None:
    redactor = Redactor(["a secret of its own"])
    assert redactor.text(text) == text
    assert _streamed(redactor, text.encode(), cuts) == text.encode()


@settings(deadline=None)
@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    redactor = Redactor([SECRET])
    assert redactor.text(redactor.text(text)) == redactor.text(text)


HOSTILE = {
    "names": "password=",
    "quotes": "token='\\",
    "URLs": "://a:",
    "token starts": "eyJ",
    "schemes": "basic ",
    "headers": "authorization: ",
    "keys": "-----BEGIN PRIVATE KEY-----",
    "blanks": "password" + " " * 20,
    "x-names": "x-a-",
    "cookies": "cookie:",
    "bearers": "bearer a",
    "one letter": "a",
    "dots": "SG.aaaaaaaaaaaaaaaaaaaaa",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_text_is_done_with_in_linear_time(what: str) -> None:
    text = (HOSTILE[what] * (1 << 18))[: 1 << 18]  # work that grew with the square of this would take hours
    redactor = Redactor(["aaaa"])
    assert _streamed(redactor, text.encode(), list(range(0, len(text), 1 << 14))).decode().count(MARK) == redactor.text(text).count(MARK)
