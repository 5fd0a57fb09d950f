"""The page in a headless Chromium: nothing complains, the filter works, the keyboard works, both themes are there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import browser
import pytest
import report_samples as samples

from guardrails import report
from guardrails.report.view import View
from guardrails.result import Result

CHROMIUM = browser.program()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed: the html report is not opened in a browser"),
]


@pytest.fixture(scope="module")
def tab() -> Iterator[browser.Tab]:
    assert CHROMIUM is not None
    with browser.browser(CHROMIUM) as opened:
        yield opened


def opened(tab: browser.Tab, folder: Path, result: Result, hash_: str = "") -> str:
    """The address of a page that was opened anew."""
    page = folder / "report.html"
    page.write_text(report.render("html", result, View(rules=samples.RULES)), encoding="utf-8")
    tab.told.clear()
    tab.requests.clear()
    tab.open("about:blank")
    tab.open(page.as_uri())
    if hash_:
        tab.run(f"location.hash = {hash_!r}; new Promise(done => setTimeout(done, 50))")
    return page.as_uri()


def shown(tab: browser.Tab) -> list[str]:
    """The places of the cards that can be seen."""
    seen = "[...document.querySelectorAll('.finding')].filter(one => one.checkVisibility())"
    found = tab.run(f"{seen}.map(one => one.querySelector('.place a').textContent)")
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("name", ["few", "result", "compared", "hostile", "crowd"])
def test_nothing_complains_and_nothing_is_loaded(tab: browser.Tab, tmp_path: Path, name: str) -> None:
    address = opened(tab, tmp_path, getattr(samples, name)())
    assert tab.run("document.documentElement.classList.contains('script')") is True
    assert tab.told == []
    assert [one for one in tab.requests if one != "about:blank"] == [address]


def test_a_word_filters_the_findings(tab: browser.Tab, tmp_path: Path) -> None:
    opened(tab, tmp_path, samples.few())
    assert len(shown(tab)) == 3
    tab.run("const q = document.getElementById('q'); q.value = 'NOTIFY'; q.dispatchEvent(new Event('input', {bubbles: true}))")
    assert shown(tab) == ["shop/web.py:5:5"]
    assert tab.run("document.getElementById('shown').value") == "1 of 4 findings"
    assert tab.run("location.hash") == "#q=notify"


def test_a_word_that_nothing_holds_says_so_and_can_be_cleared(tab: browser.Tab, tmp_path: Path) -> None:
    opened(tab, tmp_path, samples.few(), "q=nowhere")
    assert shown(tab) == []
    assert tab.run("document.getElementById('none').checkVisibility()") is True
    tab.run("document.querySelector('#none button').click(); new Promise(done => setTimeout(done, 50))")
    assert len(shown(tab)) == 3


@pytest.mark.parametrize(
    ("hash_", "places"),
    [
        ("severity=warning", ["shop/web.py:5:5"]),
        ("guardrail=idempotency", ["shop/web.py:4:5"]),
        ("rule=untimed-job", ["shop/tasks.py:5:5"]),
        ("rule=untimed-job&severity=warning", []),
        ("q=send_receipt", ["shop/tasks.py:5:5"]),
    ],
)
def test_an_address_carries_a_filter(tab: browser.Tab, tmp_path: Path, hash_: str, places: list[str]) -> None:
    opened(tab, tmp_path, samples.few(), hash_)
    assert shown(tab) == places


def test_severities_are_switched_off(tab: browser.Tab, tmp_path: Path) -> None:
    opened(tab, tmp_path, samples.few())
    tab.run("document.querySelector('[name=severity][value=error]').click()")
    assert shown(tab) == ["shop/web.py:5:5"]


def test_the_search_reaches_the_map(tab: browser.Tab, tmp_path: Path) -> None:
    few = samples.few()
    opened(tab, tmp_path, samples.result(*few.findings, inventory=samples.inventory()), "q=nightly")
    rows = tab.run("[...document.querySelectorAll('#map tr[data-text]')].filter(one => one.checkVisibility()).map(one => one.id)")
    assert rows == ["schedule-1"]


def test_the_keyboard_leads_through_the_page(tab: browser.Tab, tmp_path: Path) -> None:
    opened(tab, tmp_path, samples.few())
    places = []
    for key in "jjkjj":
        tab.key(key)
        places.append(tab.run("document.activeElement.id"))
    assert places == ["f1", "f2", "f1", "f2", "f3"]
    tab.key("/")
    assert tab.run("document.activeElement.id") == "q"
    tab.key("j")
    assert tab.run("document.getElementById('q').value") == "j"
    tab.key("Escape")
    assert tab.run("document.getElementById('q').value") == ""
    tab.run("document.activeElement.blur()")
    tab.key("?")
    assert tab.run("document.getElementById('keys').open") is True


def test_light_and_dark_follow_the_system_until_they_are_switched(tab: browser.Tab, tmp_path: Path) -> None:
    colour = "getComputedStyle(document.body).backgroundColor"
    seen = {}
    for scheme in ("light", "dark"):
        tab.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        opened(tab, tmp_path, samples.few())
        tab.run("localStorage.clear()")
        opened(tab, tmp_path, samples.few())
        seen[scheme] = tab.run(colour)
    assert seen["light"] != seen["dark"]
    tab.key("t")
    assert tab.run(colour) == seen["light"]
    opened(tab, tmp_path, samples.few())
    assert tab.run(colour) == seen["light"]
    tab.run("localStorage.clear()")


@pytest.mark.parametrize("width", [320, 800, 1600])
def test_the_page_fits_its_window(tab: browser.Tab, tmp_path: Path, width: int) -> None:
    few = samples.few()
    opened(tab, tmp_path, samples.result(*few.findings, inventory=samples.inventory()))
    tab.send("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
    assert tab.run("document.documentElement.scrollWidth") <= width


CONTRAST = """
(() => {
  const channel = (value) => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = (rgb) => { const [r, g, b] = rgb.map((one) => channel(one / 255)); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const pixel = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const behind = (one) => {
    const at = pixel(getComputedStyle(one).backgroundColor);
    return at[3] === 255 ? at.slice(0, 3) : behind(one.parentElement);
  };
  const off = (one) => one.closest("svg, script, dialog, :disabled") || one.closest("label")?.querySelector(":disabled");
  const poor = new Set();
  for (const one of document.querySelectorAll("body *")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !one.checkVisibility() || off(one)) continue;
    const [a, b] = [light(pixel(getComputedStyle(one).color).slice(0, 3)), light(behind(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.add(`${one.tagName}.${one.className} ${ratio.toFixed(2)}`);
  }
  return [...poor];
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_read_against_its_ground(tab: browser.Tab, tmp_path: Path, scheme: str) -> None:
    tab.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    few = samples.few()
    opened(tab, tmp_path, samples.result(*few.findings, inventory=samples.inventory(), allowed=few.allowed))
    assert tab.run(CONTRAST) == []


def test_every_control_has_a_name(tab: browser.Tab, tmp_path: Path) -> None:
    opened(tab, tmp_path, samples.result(*samples.few().findings, inventory=samples.inventory()))
    nodes = tab.send("Accessibility.getFullAXTree")["nodes"]
    roles = ("button", "link", "searchbox", "combobox", "checkbox", "region", "img", "table")
    named = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if node.get("role", {}).get("value") in roles]
    assert len(named) > 20
    assert [role for role, name in named if not name and role != "table"] == []


def test_on_paper_everything_is_shown_and_nothing_to_press(tab: browser.Tab, tmp_path: Path) -> None:
    opened(tab, tmp_path, samples.few())
    tab.send("Emulation.setEmulatedMedia", media="print", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert tab.run("document.getElementById('filter').checkVisibility()") is False
    assert tab.run("getComputedStyle(document.documentElement).colorScheme") == "light"
    tab.run("dispatchEvent(new Event('beforeprint'))")
    assert tab.run("[...document.querySelectorAll('details.also, details.more')].every(one => one.open)") is True
    tab.run("dispatchEvent(new Event('afterprint'))")
    assert tab.run("[...document.querySelectorAll('details')].some(one => one.open)") is False
    tab.send("Emulation.setEmulatedMedia", media="", features=[])


def test_two_thousand_findings_are_filtered_at_once(tab: browser.Tab, tmp_path: Path) -> None:
    opened(tab, tmp_path, samples.crowd())
    spent = tab.run(
        "(() => { const q = document.getElementById('q'); q.value = 'job_0042'; const before = performance.now();"
        "q.dispatchEvent(new Event('input', {bubbles: true})); return performance.now() - before; })()"
    )
    assert shown(tab) == ["shop/crowd.py:212:5"]
    assert spent < 1_000
