"""When to try, when to wait, when to stop."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.courier import policy
from entrepot.courier.policy import Breaker, Next, Pace, Plan
from entrepot.dialect import Delivered, Rejected, Retry, Settings

PLAN = Plan.of(Settings())
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
chances = st.floats(0, 1, exclude_max=True)


def test_the_default_plan_is_the_documents() -> None:
    """5 s, 30 s, 2 min, 10 min, 30 min, 1 h, then hourly, for 24 h; ten seconds a call."""
    assert list(PLAN.schedule) == [5, 30, 120, 600, 1800, 3600]
    assert (PLAN.timeout, PLAN.deadline, PLAN.pace, PLAN.breaker) == (10, 86400, 0, True)
    assert PLAN.window is None


@pytest.mark.parametrize(
    ("rate", "pace"), [("off", 0), ("20/s", 0.05), ("600/m", 0.1), ("3600/h", 1)]
)
def test_a_rate_spaces_calls(rate: str, pace: float) -> None:
    """A rate is read as seconds between calls."""
    assert Plan.of(Settings(rate=rate)).pace == pytest.approx(pace)


@given(st.integers(0, 50), chances)
def test_a_pause_is_its_step_give_or_take_a_fifth(tries: int, chance: float) -> None:
    """The last step repeats."""
    step = PLAN.schedule[min(tries, 5)]
    assert 0.8 * step <= policy.pause(PLAN, tries, chance) <= 1.2 * step


def test_answers_settle() -> None:
    """Delivered and rejected are final, whatever the deadline says."""
    late = {"tries": 9, "elapsed": 1e9, "chance": 0.5}
    assert policy.after(Delivered("ok"), PLAN, **late) == Next("delivered", "delivered", note="ok")  # type: ignore[arg-type]
    assert policy.after(Rejected("no"), PLAN, **late) == Next("rejected", "rejected", note="no")  # type: ignore[arg-type]


@given(st.integers(0, 9), st.floats(0, 2 * 86400), chances)
def test_a_failure_waits_until_the_deadline_and_then_for_a_person(
    tries: int, elapsed: float, chance: float
) -> None:
    """It moves on in its schedule, and holds nobody else."""
    found = policy.after(Retry("down"), PLAN, tries=tries, elapsed=elapsed, chance=chance)
    assert found.state == ("needs_attention" if elapsed >= 86400 else "waiting")
    assert found.outcome == "failed"
    assert policy.counts_as_failure(found.outcome)
    assert found.hold == 0
    if found.state == "waiting":
        assert found.step
        assert found.wait == policy.pause(PLAN, tries, chance)


def test_slow_down_is_no_failure() -> None:
    """The connection waits as asked, or for the first step; the call stays where it is in its schedule."""
    found = policy.after(Retry("busy", slow_down=True), PLAN, tries=3, elapsed=0, chance=0)
    assert found == Next("waiting", "slow_down", wait=5, step=False, hold=5, note="busy")
    found = policy.after(Retry("busy", 90, slow_down=True), PLAN, tries=3, elapsed=0, chance=0)
    assert (found.wait, found.hold) == (90, 90)
    assert not policy.counts_as_failure(found.outcome)


def test_retry_after_holds_for_the_connection_also_after_a_failure() -> None:
    """A 503 with Retry-After waits at least as long; nobody is silenced for more than a day."""
    found = policy.after(Retry("HTTP 503", 60), PLAN, tries=0, elapsed=0, chance=0.5)
    assert (found.wait, found.hold, found.step) == (60, 60, True)
    found = policy.after(Retry("HTTP 503", 1e9), PLAN, tries=0, elapsed=0, chance=0.5)
    assert found.hold == 86400


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("120", 120),
        (" 0 ", 0),
        ("99999999999999999", 86400),
        ("Fri, 01 May 2026 12:01:00 GMT", 60),
        ("Fri, 01 May 2026 11:00:00 GMT", 0),
        ("Fri, 01 May 2026 12:01:00 -0000", 60),
        ("soon", None),
        ("-5", None),
        ("²", None),
        ("Fri, 01 May 99999999999 12:01:00 GMT", None),
        ("Fri, 01 May 2026 12:01:00 +99999999999999999999", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, seconds: float | None) -> None:
    """What is neither is ignored."""
    assert policy.retry_after(header, NOW) == seconds


def test_a_verdict_can_always_be_written_down() -> None:
    """No database keeps a NUL or a lone surrogate, and partners' messages hold both."""
    assert policy.kept(Delivered("a\0")) == Delivered("a␀")
    assert policy.kept(Rejected("a\ud800")) == Rejected("a?")
    assert policy.kept(Retry("a\0", 3, slow_down=True)) == Retry("a␀", 3, slow_down=True)


def test_http_itself_can_say_slow_down() -> None:
    """429 is a rate limit; a dialect's own wish stands above the header; answers are left alone."""
    assert policy.with_headers(Retry("x"), 429, 7) == Retry("x", 7, slow_down=True)
    assert policy.with_headers(Retry("x", 3), 503, 7) == Retry("x", 3)
    assert policy.with_headers(Rejected("no"), 429, 7) == Rejected("no")


@pytest.mark.parametrize(
    ("tries", "elapsed", "forced", "held", "expired"),
    [
        (1, 86400, False, False, True),
        (1, 86399, False, False, False),
        (0, 1e9, False, False, False),
        (0, 1e9, False, True, True),
        (5, 1e9, True, False, False),
    ],
)
def test_what_was_never_tried_still_gets_its_attempt(
    tries: int, elapsed: float, *, forced: bool, held: bool, expired: bool
) -> None:
    """Unless nothing can be sent; and a person's retry is always tried."""
    found = policy.expired(PLAN, tries=tries, elapsed=elapsed, forced=forced, held=held)
    assert found == expired


def test_a_window_is_a_part_of_the_day() -> None:
    """It may reach past midnight; without one every hour is good."""
    night = Plan.of(Settings(window="22:00-06:00")).window
    day = Plan.of(Settings(window="08:00-20:30")).window
    assert policy.in_window(None, time(3))
    assert policy.in_window(night, time(23))
    assert policy.in_window(night, time(5, 59))
    assert not policy.in_window(night, time(6))
    assert policy.in_window(day, time(8))
    assert not policy.in_window(day, time(20, 30))


def test_the_breaker_opens_at_seven_failures_in_ten() -> None:
    """Of ten calls in a minute at least; a probe every 30 s; a success closes it."""
    breaker = Breaker()
    for failed in [False] * 3 + [True] * 6:
        breaker.ended(0.0, failed=failed)
    assert breaker.admits(0.0)
    breaker.ended(1.0, failed=True)
    assert breaker.open_since == 1.0
    assert not breaker.admits(30.9)
    assert breaker.admits(31.0)
    breaker.began(31.0)
    assert not breaker.admits(60.9)
    breaker.ended(32.0, failed=True)
    assert breaker.admits(61.0)
    breaker.began(61.0)
    breaker.ended(62.0, failed=False)
    assert breaker.admits(62.0)
    assert breaker.open_since is None


def test_the_breaker_forgets_after_a_minute() -> None:
    """Old failures do not count; a call that begins while it is closed moves no probe."""
    breaker = Breaker()
    for at in range(9):
        breaker.began(float(at))
        breaker.ended(float(at), failed=True)
    breaker.ended(70.0, failed=True)
    assert breaker.open_since is None


@given(st.lists(st.booleans(), max_size=60))
def test_a_breaker_that_is_open_had_reason(outcomes: list[bool]) -> None:
    """It never opens on fewer than ten calls, nor on a success."""
    breaker = Breaker()
    for n, failed in enumerate(outcomes, 1):
        before = breaker.open_since
        breaker.ended(0.5, failed=failed)
        if before is None and breaker.open_since is not None:
            assert n >= 10
            assert failed


def test_an_earlier_processs_breaker_is_taken_over() -> None:
    """Open since then, with a probe at once."""
    breaker = Breaker()
    breaker.reopen(100.0, 40.0)
    assert breaker.open_since == 60.0
    assert breaker.admits(100.0)


@given(st.lists(st.floats(0, 0.2), min_size=30, max_size=60), st.sampled_from([0.05, 0.1, 0.5]))
def test_no_period_sees_more_calls_than_its_rate(pauses: list[float], pace: float) -> None:
    """However the calls come, at most n (and one that straddles) begin in the time of n."""
    gate, now, began = Pace(), 0.0, []
    for pause in pauses:
        now += pause
        now += gate.wait(now)
        gate.began(now, pace)
        began.append(now)
    for start in began:
        assert sum(start <= at < start + 10 * pace - 0.011 for at in began) <= 10


def test_without_a_rate_nothing_waits() -> None:
    """The pace of no limit is no wait."""
    gate = Pace()
    gate.began(5.0, 0.0)
    assert gate.wait(5.0) == 0
    assert NOW + timedelta(seconds=gate.wait(0.0)) == NOW
