"""Repairs in single files, byte by byte: line ends, marks, quotes and comments stay as they are."""

from __future__ import annotations

from collections.abc import Mapping

import libcst as cst
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails import lint
from guardrails.config import Config
from guardrails.fix.engine import Engine, Mended
from guardrails.result import Result

PATH = "shop/tasks.py"


def mend(source: bytes | str, unsafe: bool = False, config: Config | None = None, **files: str) -> Mended:
    data = source.encode() if isinstance(source, str) else source
    others = {name.replace("__", "/") + ".py": text.encode() for name, text in files.items()}

    def look(contents: Mapping[str, bytes]) -> Result:
        return lint.lint_texts({PATH: data, **others, **contents}, config or Config(tests="report"))

    everything = {PATH: data, **others}
    return Engine(look, everything.get, unsafe).run(look({}))


def fixed(source: str, unsafe: bool = False, config: Config | None = None) -> str:
    return mend(source, unsafe, config).after.get(PATH, b"").decode()


JOB = "import requests\nfrom celery import shared_task\n\n\n@shared_task(time_limit=90)\ndef book(order_id):\n"


@pytest.mark.parametrize(
    ("call", "after"),
    [
        ("requests.get(URL)", "requests.get(URL, timeout=30)"),
        ("requests.get(URL,)", "requests.get(URL, timeout=30)"),
        ("requests.get((URL))", "requests.get((URL), timeout=30)"),
        ("requests.get(URL, **{})", "requests.get(URL, timeout=30, **{})"),
        ("requests.get(\n        URL\n    )", "requests.get(\n        URL,\n        timeout=30\n    )"),
        ("requests.get(URL, timeout = None)", "requests.get(URL, timeout = 30)"),
        ("requests.get(\n        URL,  # there\n    )", "requests.get(\n        URL,  # there\n        timeout=30,\n    )"),
        ("requests.get(\n        URL  # there\n    )", "requests.get(\n        URL,  # there\n        timeout=30\n    )"),
        ("requests.get(URL,\n                 data={})", "requests.get(URL,\n                 data={}, timeout=30)"),
        ("requests.get(\n        URL,\n        **{},\n    )", "requests.get(\n        URL,\n        timeout=30,\n        **{},\n    )"),
    ],
)
def test_an_argument_is_added_in_the_style_of_the_others(call: str, after: str) -> None:
    source = f"{JOB}    {call}  # here\n"
    assert fixed(source) == source.replace(call, after)


def test_a_bare_decorator_becomes_a_call() -> None:
    source = "from celery import Celery\n\napp = Celery('shop')\n\n\n@app.task  # all of it\ndef book(order_id):\n    work(order_id)\n"
    assert fixed(source, unsafe=True) == source.replace("@app.task ", "@app.task(time_limit=300) ")
    assert fixed(source) == "", "a limit that nobody chose is a guess"
    chosen = Config(tests="report", options={"untimed-job": {"limit": 45}})
    assert fixed(source, config=chosen) == source.replace("@app.task ", "@app.task(time_limit=45) ")


def test_an_import_joins_its_kind_in_order() -> None:
    source = (
        '"""Orders."""\n\nfrom __future__ import annotations\n\nimport json\nimport re  # words\n\nfrom celery import shared_task\n'
        "from django.db import connection, transaction\n\nfrom .models import Order\n\n\n"
        "@shared_task(time_limit=9)\ndef send(pk):\n    go(pk)\n\n\n"
        "def place(pk):\n    with transaction.atomic():\n        send.delay(pk)\n"
    )
    wanted = source.replace("import re  # words\n", "import re  # words\nfrom functools import partial\n")
    assert fixed(source) == wanted.replace("send.delay(pk)", "transaction.on_commit(partial(send.delay, pk))")


def test_a_name_that_means_something_else_is_left_alone() -> None:
    source = (
        "from celery import shared_task\nfrom django.db.transaction import atomic\n\n\n"
        "@shared_task(time_limit=9)\ndef send(pk):\n    go(pk)\n\n\n"
        "def place(transaction, pk):\n    with atomic():\n        send.delay(pk)\n"
    )
    assert mend(source).after == {}


def test_a_local_name_of_another_function_is_in_nobodys_way() -> None:
    source = (
        "from celery import shared_task\nfrom django.db import transaction\n\n\n@shared_task(time_limit=9)\ndef send(pk):\n    go(pk)\n\n\n"
        "def o"
        "ther(partial):\n    return partial\n\n\n"
        "def place(pk):\n    with transaction.atomic():\n        send.delay(\n            pk, now()\n        )\n"
    )
    after = fixed(source)
    assert after.startswith("from functools import partial\n\nfrom celery")
    moved = "            partial(\n                send.delay,\n                pk,\n                now(),\n            )\n        )\n"
    assert after.endswith(f"        transaction.on_commit(\n{moved}")


def test_the_long_name_is_used_where_the_short_one_means_something_else() -> None:
    source = (
        "from celery import shared_task\nfrom django.db import transaction\n\n\n@shared_task(time_limit=9)\ndef send(pk):\n    go(pk)\n\n\n"
        "def place(pk, partial):\n    with transaction.atomic():\n        send.delay(pk)\n"
    )
    wanted = source.replace("send.delay(pk)", "transaction.on_commit(functools.partial(send.delay, pk))")
    assert fixed(source) == f"import functools\n\n{wanted}"


def test_hand_overs_in_a_loop_keep_the_value_of_their_round() -> None:
    source = (
        "from functools import partial as later\n\nfrom celery import shared_task\nfrom django.db import transaction as tx\n\n\n"
        "@shared_task(time_limit=9)\ndef send(pk):\n    go(pk)\n\n\n"
        "def place(rows):\n    with tx.atomic():\n        for pk in rows:\n            send.delay(pk)\n"
    )
    assert fixed(source) == source.replace("send.delay(pk)", "tx.on_commit(later(send.delay, pk))")


def test_a_long_hand_over_is_moved_in_as_a_formatter_would_write_it() -> None:
    source = (
        "from functools import partial\n\nfrom celery import shared_task\nfrom django.db import transaction\n\n\n"
        "@shared_task(time_limit=9)\ndef send(pk):\n    go(pk)\n\n\ndef place(pk):\n    with transaction.atomic(using='orders'):\n"
        "        send.apply_async(\n            (pk,),  # the key\n\n            priority=5,\n        )  # later\n"
    )
    wanted = (
        "        transaction.on_commit(\n            partial(\n                send.apply_async,\n                    (pk,),  # the key\n\n"
        "                    priority=5,\n            ),\n            using='orders',\n        )  # later\n"
    ).replace("                    ", "                ")
    assert fixed(source) == source[: source.index("        send.apply_async")] + wanted


def test_a_result_that_is_used_is_not_put_off() -> None:
    source = (
        "from celery import shared_task\nfrom django.db import transaction\n\n\n@shared_task(time_limit=9)\ndef send(pk):\n    go(pk)\n\n\n"
        "def place(pk):\n    with transaction.atomic():\n        result = send.delay(pk)\n    return result.id\n"
    )
    assert mend(source, unsafe=True).after == {}


SECRET = "import logging\n\nlog = logging.getLogger(__name__)\n\n\ndef call(user, token):\n"


@pytest.mark.parametrize(
    ("call", "after"),
    [
        ('log.info("t %s", token)', 'log.info("t %s", "***")'),
        ('log.info(f"t {token} of {user.id}")', 'log.info(f"t *** of {user.id}")'),
        ('log.info(f"t {token!r:>20} of {user.id}")', 'log.info(f"t *** of {user.id}")'),
        ('log.info(f"t {token}")', 'log.info("t ***")'),
        ('log.info(f"t {{}} {token}")', 'log.info(f"t {{}} ***")'),
        ('log.info("t", extra={"token": token, "id": user.id})', 'log.info("t", extra={"token": "***", "id": user.id})'),
    ],
)
def test_a_secret_is_replaced_by_stars(call: str, after: str) -> None:
    assert fixed(f"{SECRET}    {call}\n") == f"{SECRET}    {after}\n"


def test_a_secret_is_masked_by_the_projects_own_helper() -> None:
    config = Config(tests="report", redact_helpers=("shop.redact.mask",))
    source = f'{SECRET}    log.info("t %s", token)\n'
    wanted = source.replace("import logging\n", "import logging\n\nfrom shop.redact import mask\n")
    assert fixed(source, config=config) == wanted.replace('s", token)', 's", mask(token))')


def test_a_row_goes_by_its_key_together_with_the_task() -> None:
    source = (
        "from celery import shared_task\nfrom django.db import models\n\n\n"
        "class Order(models.Model):\n    total = models.IntegerField()\n\n\n"
        '@shared_task(bind=True, time_limit=9)\ndef send(self, order: Order) -> None:\n    """Sends it."""\n    mail(order.total)\n\n\n'
        "def place(pk):\n    order = Order.objects.get(pk=pk)\n    send.delay(order)\n"
    )
    wanted = source.replace("(self, order: Order)", "(self, order_id)").replace("delay(order)", "delay(order.pk)")
    wanted = wanted.replace('it."""\n', 'it."""\n    order = Order.objects.get(pk=order_id)\n')
    assert fixed(source, unsafe=True) == wanted
    assert fixed(source) == ""
    assert PATH not in mend(source, True, shop__views="from shop.tasks import send\n\n\ndef again(order):\n    send.delay(order)\n").after


def test_a_repair_that_does_not_help_is_dropped() -> None:
    source = b"from celery import Celery\n\napp = Celery('shop')\n\n\n@app.task\ndef book(order_id):\n    work(order_id)\n"

    def look(contents: Mapping[str, bytes]) -> Result:
        return lint.lint_texts({PATH: source, "Procfile": "worker: celery -A shop.tasks worker -P threads\n", **contents})

    mended = Engine(look, {PATH: source}.get, unsafe=True).run(look({}))
    assert mended.after == {}
    assert [one.rule for one in mended.dropped] == ["untimed-job"]


def test_findings_of_one_statement_are_repaired_in_rounds() -> None:
    source = (
        "import requests\nfrom celery import Celery\n\napp = Celery('shop')\n\n\n"
        "@app.task(autoretry_for=(OSError,))\ndef book(url):\n    requests.get(url)\n"
    )
    mended = mend(source, unsafe=True)
    assert sorted(one.rule for one in mended.repaired) == ["retry-without-backoff", "untimed-call", "untimed-job"]
    assert b"@app.task(autoretry_for=(OSError,)," in mended.after[PATH]


PIECES = {
    "requests": (
        "import requests\nfrom celery import shared_task\n",
        "    requests.post({q}https://shop.example/ü{q}, json={{{q}a{q}: 1}}){c}\n",
    ),
    "log": (
        "import logging\nfrom celery import shared_task\n\nlog = logging.getLogger(__name__)\n",
        "    log.info({q}t %s{q}, settings.API_SECRET){c}\n",
    ),
    "retry": (
        "from celery import shared_task\n",
        "    try:\n        go()\n    except OSError as error:{c}\n        raise self.retry(exc=error, countdown=5)\n",
    ),
}
TEXT = "{head}{c}\n\n@shared_task(bind=True, max_retries=4, time_limit=9){c}\ndef book(self):\n    {q}{q}{q}Wörter{q}{q}{q}\n{body}"


@settings(max_examples=60, deadline=None)
@given(
    piece=st.sampled_from(sorted(PIECES)),
    newline=st.sampled_from(["\n", "\r\n"]),
    mark=st.booleans(),
    quote=st.sampled_from("'\""),
    comment=st.sampled_from(["", "  # warum", "  # type: ignore[call-arg]  # é"]),
    ending=st.sampled_from(["", "\n", "\n\n\n", "\n# end", "  \t"]),
    encoding=st.sampled_from(["utf-8", "latin-1"]),
    tabs=st.booleans(),
)
def test_every_other_byte_stays(
    piece: str, newline: str, mark: bool, quote: str, comment: str, ending: str, encoding: str, tabs: bool
) -> None:
    head, body = PIECES[piece]
    text = TEXT.format(head=head, body=body.format(q=quote, c=comment), q=quote, c=comment).removesuffix("\n") + ending
    if encoding != "utf-8":
        text, mark = f"# coding: {encoding}\n{text}", False
    text = text.replace("    ", "\t") if tabs else text
    source = (b"\xef\xbb\xbf" if mark else b"") + text.replace("\n", newline).encode(encoding)
    mended = mend(source)
    after = mended.after[PATH]
    assert {one.rule for one in mended.repaired} <= {"untimed-call", "secret-in-log", "retry-without-backoff"}
    cst.parse_module(after)
    changed = {
        "requests": (b"}),".replace(b",", b"")[:2], b"}, timeout=30)"),
        "log": (b"settings.API_SECRET", b"'***'" if source.count(b"'") > source.count(b'"') else b'"***"'),
        "retry": (b"countdown=5", b"countdown=min(600, 10 * 2 ** self.request.retries)"),
    }[piece]
    assert after == source.replace(*changed)
    assert mend(after).after == {}
