"""The page in a headless Chromium: it refreshes itself, its buttons work, nothing complains, also in the dark and on a telephone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from guardrails.runtime.home import home
from tests.report import browser
from tests.runtime.http import shop
from tests.runtime.http.served import Served
from tests.runtime.workers import wait_for

CHROMIUM = browser.program()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed: the service's page is not opened in a browser"),
]
HTML = "<img src=x onerror=document.title='owned'>"


@pytest.fixture(scope="module")
def chromium() -> Iterator[browser.Tab]:
    assert CHROMIUM is not None
    with browser.browser(CHROMIUM) as opened:
        yield opened


@pytest.fixture
def tab(chromium: browser.Tab, served: Served) -> browser.Tab:
    """A tab in which somebody is signed in."""
    chromium.send("Network.clearBrowserCookies")
    chromium.open(f"{served.url}/login?token={served.desk.sessions.link()}")
    there = "document.readyState === 'complete' && document.querySelector('#totals') !== null"
    wait_for("the overview is there", lambda: bool(chromium.run(there)))
    chromium.run("new Promise(done => setTimeout(done, 0))")  # its load event is told before this is answered
    chromium.told.clear()
    return chromium


def says(tab: browser.Tab, words: str) -> bool:
    return bool(tab.run(f"document.body?.innerText.includes({words!r}) ?? false"))


def test_the_overview_refreshes_itself(tab: browser.Tab, served: Served) -> None:
    assert says(tab, "Nothing is running.")
    job = shop.order("a-new-one")
    wait_for("the new job is shown", lambda: says(tab, "a-new-one"))
    run = shop.started(job)
    wait_for("it runs", lambda: bool(tab.run("document.querySelector('#running').innerText.includes('a-new-one')")))
    shop.failed(run, HTML)
    wait_for("it is dead", lambda: bool(tab.run("document.querySelector('#dead')?.innerText.includes('a-new-one') ?? true")))
    assert tab.run("document.title") != "owned"
    assert tab.told == []


def test_a_job_s_page_follows_it_and_keeps_what_was_opened(tab: browser.Tab, served: Served) -> None:
    job = shop.order("7")
    run = shop.started(job)
    shop.failed(run, "first", dead=False)
    tab.open(f"{served.url}/jobs/{job}")
    tab.run("document.querySelector('#line details').open = true")
    run = shop.started(job, attempt=2)
    shop.logged(run, "said in the second run")
    wait_for("the log is shown", lambda: says(tab, "said in the second run"))
    assert tab.run("document.querySelector('#line details').open") is True
    shop.finished(run)
    wait_for("it is done", lambda: tab.run("document.querySelector('#head .badge').innerText") == "done")
    assert tab.told == []


def test_buttons_cancel_and_requeue(tab: browser.Tab, served: Served) -> None:
    job = shop.order("7")
    tab.open(f"{served.url}/jobs/{job}")
    tab.run("window.confirm = () => true; document.querySelector('#head button').click()")
    wait_for("it is cancelled", lambda: says(tab, "Cancelled"))
    tab.run("document.querySelector('#head button').click()")
    wait_for("it is queued again", lambda: says(tab, "Requeued"))
    assert home().jobs.cancel(job) == "cancelled"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 390])
def test_it_is_readable_in_both_themes_and_on_a_telephone(tab: browser.Tab, served: Served, theme: str, width: int) -> None:
    job = shop.charge.enqueue(shop.Order(order_id="long " * 60, note="wide" * 200)).id
    shop.failed(shop.started(job), "x" * 900)
    tab.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    tab.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    for path in ("/", "/jobs", f"/jobs/{job}"):
        tab.open(served.url + path)
        assert tab.run("document.documentElement.scrollWidth") <= width, "nothing sticks out"
        shade = tab.run(
            "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).slice(0, 3).reduce((sum, one) => sum + Number(one), 0)"
        )
        assert (shade > 600) == (theme == "light")
    assert tab.told == []


def test_it_says_when_the_service_does_not_answer(tab: browser.Tab, served: Served) -> None:
    served.stop()
    wait_for("it says so", lambda: says(tab, "no answer, trying again"))
    served.start()
