"""When ticks fall: gaps and overlaps of clocks, late workers, clocks that jump; and sentences for what is no schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.runtime.errors import DeclarationError
from guardrails.runtime.ticks import ALIASES, LATE, Cron, Every, Missed, Schedule, due, run_key

PARIS, LORD_HOWE, NEW_YORK, LONDON = "Europe/Paris", "Australia/Lord_Howe", "America/New_York", "Europe/London"
ZONES = [
    "UTC",
    PARIS,
    LORD_HOWE,
    NEW_YORK,
    LONDON,
    "Asia/Kathmandu",
    "America/St_Johns",
    "Africa/Casablanca",
    "Antarctica/Troll",
    "Pacific/Apia",
]
TEXTS = [
    "0 2 * * *",
    "30 2 * * *",
    "*/5 * * * *",
    "0 * * * *",
    "15 1,2,3 * * *",
    "*/20 2 * * *",
    "0 0 1 * *",
    "30 1 * * 0",
    "0 3 * * MON-FRI",
    "59 23 L * *",
]
START, END = int(datetime(2010, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2037, 1, 1, tzinfo=UTC).timestamp())


def at(text: str, zone: str = "UTC", fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).timestamp()


def utc(ticks: list[float]) -> list[str]:
    return [f"{datetime.fromtimestamp(tick, UTC):%m-%d %H:%M}" for tick in ticks]


def day(text: str, zone: str, start: str, hours: int = 24) -> list[str]:
    """The ticks from a wall clock time on, in UTC."""
    begin = at(start, zone) - 1
    return utc(Cron(text, zone).ticks_between(begin, begin + hours * 3600, 1000))


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("0 2 * * *", "2025-06-01T02:00", "2025-06-02T02:00"),
        ("0 2 * * *", "2025-06-01T01:59:59.999999", "2025-06-01T02:00"),
        ("*/15 9-17 * * MON-FRI", "2025-06-06T17:45", "2025-06-09T09:00"),
        ("0 0 29 2 *", "2025-01-01T00:00", "2028-02-29T00:00"),
        ("0 0 29 2 *", "2097-01-01T00:00", "2104-02-29T00:00"),
        ("0 0 13 * FRI", "2025-06-01T00:00", "2025-06-06T00:00"),
        ("0 12 * * 7", "2025-06-01T12:00", "2025-06-08T12:00"),
        ("0 0 L * *", "2024-02-01T00:00", "2024-02-29T00:00"),
        ("@hourly", "2025-06-01T00:00", "2025-06-01T01:00"),
        ("@yearly", "2025-06-01T00:00", "2026-01-01T00:00"),
    ],
)
def test_the_next_tick_is_the_next_time_that_the_expression_names(text: str, after: str, expected: str) -> None:
    assert Cron(text).next_after(at(after)) == at(expected)


def test_the_clocks_are_those_of_the_zone() -> None:
    assert Cron("0 2 * * *", PARIS).next_after(at("2025-01-10")) == at("2025-01-10T01:00")
    assert Cron("0 2 * * *", PARIS).next_after(at("2025-07-10")) == at("2025-07-11T00:00")
    assert Cron("0 2 * * *", "Asia/Kathmandu").next_after(at("2025-07-10")) == at("2025-07-10T20:15")


def test_a_tick_in_a_gap_falls_right_after_it_once() -> None:
    assert day("30 2 * * *", PARIS, "2025-03-29T12:00", 48) == ["03-30 01:00", "03-31 00:30"]
    assert day("*/20 2 * * *", PARIS, "2025-03-30T00:00", 20) == ["03-30 01:00"]
    assert day("15 2,3 * * *", PARIS, "2025-03-30T00:00", 20) == ["03-30 01:00", "03-30 01:15"]
    assert day("30 2 * * *", NEW_YORK, "2025-03-09T00:00", 20) == ["03-09 07:00"]
    assert day("15 2 * * *", LORD_HOWE, "2025-10-05T00:00", 20) == ["10-04 15:30"]
    assert day("0 */2 * * *", PARIS, "2025-03-30T00:00", 4) == ["03-29 23:00", "03-30 01:00", "03-30 02:00"]


def test_a_tick_that_the_gaps_end_names_already_is_not_doubled() -> None:
    assert day("30 2 * * *", PARIS, "2025-03-30T00:00", 20) == day("0 3 * * *", PARIS, "2025-03-30T00:00", 20) == ["03-30 01:00"]
    assert day("0 2,3 * * *", PARIS, "2025-03-30T00:00", 20) == ["03-30 01:00"]


def test_a_tick_in_an_overlap_falls_in_its_first_hour_once() -> None:
    assert day("30 2 * * *", PARIS, "2025-10-25T12:00", 48) == ["10-26 00:30", "10-27 01:30"]
    assert day("0,30 1-3 * * *", PARIS, "2025-10-26T00:00", 20) == [
        "10-25 23:00", "10-25 23:30", "10-26 00:00", "10-26 00:30", "10-26 02:00", "10-26 02:30",
    ]  # fmt: skip
    assert day("0 */2 * * *", PARIS, "2025-10-26T00:00", 6) == ["10-25 22:00", "10-26 00:00", "10-26 03:00"]
    assert day("*/30 2 * * *", PARIS, "2025-10-26T00:00", 20) == ["10-26 00:00", "10-26 00:30"]
    assert day("45 1 * * *", LORD_HOWE, "2025-04-06T00:00", 20) == ["04-05 14:45"]


def test_asked_in_the_second_hour_of_an_overlap_the_first_ones_tick_is_past() -> None:
    assert Cron("30 2 * * *", PARIS).next_after(at("2025-10-26T02:10", PARIS, fold=1)) == at("2025-10-27T02:30", PARIS)
    assert Cron("30 * * * *", PARIS).next_after(at("2025-10-26T02:10", PARIS, fold=1)) == at("2025-10-26T02:30", PARIS, fold=1)


@pytest.mark.parametrize("start", ["2025-03-29T12:00", "2025-10-25T12:00"])
@pytest.mark.parametrize("zone", [PARIS, NEW_YORK, LONDON])
def test_a_schedule_of_every_hour_neither_pauses_nor_doubles_when_clocks_change(start: str, zone: str) -> None:
    begin = at(start, zone) - 1
    for text, step in [("*/5 * * * *", 300), ("30 * * * *", 3600), ("0,30 0-23 * * *", 1800), ("*/20 */1 * * *", 1200)]:
        ticks = Cron(text, zone).ticks_between(begin, begin + 9 * 86_400, 5000)
        assert {second - first for first, second in pairwise(ticks)} == {step}


def test_a_day_that_a_zone_left_out_has_its_tick_right_after() -> None:
    assert day("0 9 30 12 *", "Pacific/Apia", "2011-12-29T00:00", 60) == ["12-30 10:00"]


@settings(max_examples=60, deadline=None)
@given(text=st.sampled_from(TEXTS), zone=st.sampled_from(ZONES), start=st.integers(START, END))
def test_ticks_are_strictly_increasing_and_on_the_clock_in_every_zone(text: str, zone: str, start: int) -> None:
    schedule = Cron(text, zone)
    ticks = schedule.ticks_between(start, start + 400 * 86_400, 60)
    assert ticks[0] > start
    assert all(first < second for first, second in pairwise(ticks))
    for tick in ticks:
        wall = datetime.fromtimestamp(tick, ZoneInfo(zone))
        named = next(CronSim(text, wall.replace(tzinfo=None) - timedelta(seconds=1)))
        jumped = datetime.fromtimestamp(tick - 1, ZoneInfo(zone)).utcoffset() != wall.utcoffset()
        assert named == wall.replace(tzinfo=None) or jumped


def meant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The instant of a clock time by the rule's words: the first of two, and for none the minute in which the clocks went forward."""
    first, second = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first <= second:
        return first
    before = second.astimezone(zone).utcoffset()
    return next(moment for minute in range(3000) if (moment := second + timedelta(minutes=minute)).astimezone(zone).utcoffset() != before)


@settings(max_examples=20, deadline=None)
@given(text=st.sampled_from([text for text in TEXTS if text.split()[1] != "*"]), zone=st.sampled_from(ZONES), start=st.integers(START, END))
def test_each_clock_time_of_an_expression_has_the_one_tick_that_the_rule_gives_it(text: str, zone: str, start: int) -> None:
    begin = datetime.fromtimestamp(start, ZoneInfo(zone)).replace(tzinfo=None, hour=12, minute=0, second=0)
    until, walls, expected = begin + timedelta(days=370), CronSim(text, begin), set()
    while (wall := next(walls)) <= until:
        expected.add(meant(wall, ZoneInfo(zone)).timestamp())
    assert Cron(text, zone).ticks_between(at(begin.isoformat(), zone), at(until.isoformat(), zone), 100_000) == sorted(expected)


@settings(max_examples=60, deadline=None)
@given(
    text=st.sampled_from(TEXTS),
    zone=st.sampled_from(ZONES),
    start=st.integers(START, END),
    hops=st.lists(st.integers(1, 200_000), max_size=30),
)
def test_where_one_asks_from_changes_no_tick(text: str, zone: str, start: int, hops: list[int]) -> None:
    schedule, moment, found = Cron(text, zone), float(start), []
    for hop in hops:
        found += schedule.ticks_between(moment, moment + hop, 1000)
        moment += hop
    assert found == schedule.ticks_between(start, moment, 100_000)


@settings(max_examples=60, deadline=None)
@given(
    schedule=st.one_of(st.builds(Cron, st.sampled_from(TEXTS), st.sampled_from(ZONES)), st.builds(Every, st.floats(1, 5000))),
    start=st.integers(START, END),
    span=st.floats(0, 200_000),
)
def test_the_latest_tick_is_the_last_of_all(schedule: Schedule, start: int, span: float) -> None:
    ticks = schedule.ticks_between(start, start + span, 300_000)
    assert schedule.latest(start, start + span) == (ticks[-1] if ticks else None)


@given(seconds=st.floats(1, 10**7), t=st.floats(0, 4 * 10**9))
def test_an_interval_ticks_at_its_multiples_and_never_stands_still(seconds: float, t: float) -> None:
    tick = Every(seconds).next_after(t)
    assert t < tick <= t + seconds * 1.000001
    assert round(tick / seconds) * seconds == tick
    assert Every(seconds).next_after(tick) > tick


def test_an_interval_counts_from_the_epoch_so_that_all_workers_agree() -> None:
    assert Every(60).ticks_between(100.0, 300.0, 10) == [120.0, 180.0, 240.0, 300.0]
    assert Every(1.5).next_after(1.5) == 3.0


def test_the_latest_of_two_ticks_a_second_apart_is_the_second() -> None:
    assert [Every(1).latest(0, until) for until in (0.5, 1, 2.5, 3)] == [None, 1, 2, 3]


def test_no_more_ticks_than_asked_for() -> None:
    assert Every(1).ticks_between(0, 10**9, 3) == [1, 2, 3]
    assert Every(1).ticks_between(0, 10**9, 0) == []
    assert Every(60).ticks_between(120, 60, 10) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "5 fields"),
        ("* * * *", "5 fields"),
        ("0 0 0 * * *", "for seconds use every"),
        ("@reboot", "5 fields"),
        ("60 * * * *", "bad minute"),
        ("* 24 * * *", "bad hour"),
        ("* * 0 * *", "bad day-of-month"),
        ("* * * 13 *", "bad month"),
        ("* * * * FUN", "bad day-of-week"),
        ("*/0 * * * *", "bad minute"),
        ("5-1 * * * *", "bad minute"),
        ("H * * * *", "bad minute"),
        ("R * * * *", "bad minute"),
        ("٣ * * * *", "bad minute"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("0 0 */31 * 1#2", "never"),
    ],
)
def test_what_is_no_cron_expression_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(DeclarationError, match=words) as caught:
        Cron(text)
    assert str(caught.value).endswith((".", ".."))
    assert repr(text) in str(caught.value)


@given(st.text(max_size=30) | st.lists(st.text("0123456789*/,-LW#?MON \n", max_size=6), min_size=5, max_size=5).map(" ".join))
@settings(deadline=None)
def test_any_text_is_a_schedule_or_is_refused(text: str) -> None:
    try:
        schedule = Cron(text)
    except DeclarationError:
        return
    assert schedule.next_after(START) > START


@pytest.mark.parametrize(
    "zone", ["", "Nowhere", "Europe", "europe/paris ", "../etc/passwd", "/etc/passwd", "Europe/Paris\0", None, 3, "x" * 5000]
)
def test_what_is_no_zone_is_refused_with_a_sentence(zone: str) -> None:
    with pytest.raises(DeclarationError, match="time zone"):
        Cron("0 2 * * *", zone)


@pytest.mark.parametrize("seconds", [0, 0.999, -5, float("nan"), float("inf"), True, "60", None])
def test_an_interval_below_a_second_is_refused(seconds: float) -> None:
    with pytest.raises(DeclarationError, match="at least 1"):
        Every(seconds)


def test_the_short_names_are_all_valid() -> None:
    for name in ALIASES:
        assert Cron(name).next_after(0) == Cron(ALIASES[name]).next_after(0)


NIGHTLY = Cron("0 2 * * *")
TWO = at("2025-06-02T02:00")


@pytest.mark.parametrize("missed", ["skip", "once"])
def test_a_tick_that_is_seen_in_time_runs_once(missed: Missed) -> None:
    assert due(NIGHTLY, TWO - 5, TWO - 1, missed) == ([], TWO - 5)
    assert due(NIGHTLY, TWO - 5, TWO, missed) == ([TWO], TWO)
    assert due(NIGHTLY, TWO - 5, TWO + LATE, missed) == ([TWO], TWO)
    assert due(NIGHTLY, TWO, TWO + 0.1, missed) == ([], TWO)


def test_what_was_missed_is_skipped_or_made_up_for_once() -> None:
    later = TWO + 5 * 86_400 + 3600
    assert due(NIGHTLY, TWO, later, "skip") == ([], TWO + 5 * 86_400)
    assert due(NIGHTLY, TWO, later, "once") == ([TWO + 5 * 86_400], TWO + 5 * 86_400)
    assert due(NIGHTLY, TWO + 5 * 86_400, later + 1, "once") == ([], TWO + 5 * 86_400)


def test_a_new_schedule_begins_now_whatever_it_might_have_missed() -> None:
    assert due(NIGHTLY, None, TWO + 30, "once") == ([], TWO + 30)
    assert due(NIGHTLY, TWO + 30, TWO + 86_400, "once") == ([TWO + 86_400], TWO + 86_400)


@pytest.mark.parametrize("missed", ["skip", "once"])
def test_years_of_missed_seconds_are_one_tick_at_most(missed: Missed) -> None:
    now = TWO + 3 * 366 * 86_400
    assert due(Every(1), TWO, now + 0.5, missed) == ([now], now)
    assert due(Cron("* * * * *"), TWO, now + 0.5, missed) == ([now], now)


@settings(max_examples=80, deadline=None)
@given(
    schedule=st.one_of(st.builds(Cron, st.sampled_from(TEXTS), st.sampled_from([PARIS, LORD_HOWE])), st.builds(Every, st.floats(1, 5000))),
    start=st.integers(START, END),
    jumps=st.lists(st.floats(-LATE / 25, 200_000), min_size=1, max_size=25),
    missed=st.sampled_from(["skip", "once"]),
)
def test_a_clock_that_jumps_never_repeats_a_tick(schedule: Schedule, start: int, jumps: list[float], missed: Missed) -> None:
    last, now, ran = None, float(start), []
    for jump in jumps:
        found, new = due(schedule, last, now, missed)
        assert last is None or new >= last
        assert len(found) <= 1
        ran += found
        last, now = new, now + jump
    assert all(first < second for first, second in pairwise(ran))


def test_a_clock_that_was_far_ahead_silences_no_schedule() -> None:
    ahead = TWO + 6 * 3600.0
    assert due(Every(2), ahead, TWO, "skip") == ([], TWO)
    assert due(Every(2), TWO, TWO + 2, "skip") == ([TWO + 2], TWO + 2)
    assert due(Every(2), TWO + LATE, TWO, "skip") == ([], TWO + LATE)


def test_the_key_of_a_run_is_its_name_and_its_tick_in_utc() -> None:
    assert run_key("nightly", at("2025-03-30T03:00", PARIS)) == "nightly@2025-03-30T01:00:00Z"
    assert run_key("poll", 1.5) == "poll@1970-01-01T00:00:01.500000Z"


@given(st.integers(START, END), st.floats(1, 1000))
def test_two_ticks_never_share_a_key(start: int, seconds: float) -> None:
    ticks = Every(seconds).ticks_between(start, start + 10_000, 50)
    assert len({run_key("n", tick) for tick in ticks}) == len(ticks)
