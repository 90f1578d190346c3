"""What is well, what a person should see, and what is wrong, at each threshold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from entrepot.operations import rules
from entrepot.operations.rules import Job, Queues, Server

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GB = 1024**3


def server(**changes: object) -> dict[str, rules.State]:
    """Return how each check of a server stands that is well but for ``changes``."""
    seen = {
        "version": 180004,
        "fsync": "on",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "encoding": "UTF8",
        "ahead": 0.1,
        "bytes": 5 * 1024**2,
    }
    found = rules.server(Server(**{**seen, **changes}))  # type: ignore[arg-type]  # named in each test
    return {one.check: one.state for one in found}


def test_a_good_server_is_well_throughout() -> None:
    """Version, durability and clock; the encoding is only named where it is wrong."""
    assert server() == {"database": "well", "durability": "well", "clock": "well"}


@pytest.mark.parametrize(
    ("changes", "check", "state"),
    [
        ({"version": 140010}, "database", "wrong"),
        ({"fsync": "off"}, "durability", "wrong"),
        ({"full_page_writes": "off"}, "durability", "wrong"),
        ({"synchronous_commit": "off"}, "durability", "wrong"),
        ({"synchronous_commit": "remote_apply"}, "durability", "well"),
        ({"encoding": "SQL_ASCII"}, "encoding", "wrong"),
        ({"ahead": -3.0}, "clock", "look"),
        ({"ahead": 31.0}, "clock", "wrong"),
    ],
)
def test_what_is_wrong_with_a_server(
    changes: dict[str, object], check: str, state: rules.State
) -> None:
    """Too old, not durable, another encoding, another time."""
    assert server(**changes)[check] == state


def test_a_schema_is_this_versions_or_wrong() -> None:
    """What lacks is brought by a start, what is unknown needs the newer version."""
    assert rules.migrations([], []).state == "well"
    assert "entrepot serve" in rules.migrations(["0009_x"], []).do
    assert "newer version" in rules.migrations([], ["0099_y"]).said


def test_a_key_file_is_there_whole_and_private() -> None:
    """Each of the three ways to lose the secrets is wrong, and says what to do."""
    assert rules.key_file(there=True, mode=0o600, damaged="").state == "well"
    for there, mode, damaged in ((False, 0, ""), (True, 0o600, "no JSON"), (True, 0o644, "")):
        found = rules.key_file(there=there, mode=mode, damaged=damaged)
        assert (found.state, bool(found.do)) == ("wrong", True)


@pytest.mark.parametrize(
    ("free", "total", "state"),
    [
        (50 * GB, 100 * GB, "well"),
        (15 * GB, 100 * GB, "look"),
        (4 * GB, 100 * GB, "wrong"),
        (GB // 2, GB, "wrong"),
    ],
)
def test_room_on_disk(free: int, total: int, state: rules.State) -> None:
    """Below a fifth a person should see it, below a twentieth or 1 GB it is wrong."""
    assert rules.disk(free, total).state == state


def states(seen: Queues) -> dict[str, rules.State]:
    """Return how each check of the queues stands."""
    return {one.check: one.state for one in rules.queues(seen)}


def test_queues() -> None:
    """A courier that is away or overdue calls are wrong; what waits for a person is to be seen."""
    calm = Queues(overdue=None, attention=0, untold=None, courier=1.0)
    assert states(calm) == {"courier": "well", "queue": "well"}
    away = Queues(overdue=90.0, attention=2, untold=1000.0, courier=None)
    assert states(away) == {
        "courier": "wrong",
        "queue": "look",
        "attention": "look",
        "levels": "look",
    }
    stuck = Queues(overdue=30_000.0, attention=0, untold=10.0, courier=7300.0)
    assert states(stuck) == {"courier": "wrong", "queue": "wrong"}
    said = {one.check: one.said for one in rules.queues(stuck)}
    assert (said["courier"], said["queue"]) == ("silent for 2 h", "a call has been due for 8 h")


@pytest.mark.parametrize(("days", "state"), [(30, "well"), (10, "look"), (1, "wrong")])
def test_partitions_reach_ahead(days: int, state: rules.State) -> None:
    """The table that reaches least far counts."""
    until = {"movement": NOW + timedelta(days=60), "attempt": NOW + timedelta(days=days)}
    assert rules.partitions(dict(until), NOW).state == state
    assert rules.partitions({"movement": None}, NOW).state == "wrong"


def job(**changes: object) -> Job:
    """Return a schedule that is well but for ``changes``."""
    usual = {"name": "tend", "late": -5.0, "every": 60.0, "running": False, "last_error": None}
    return Job(**{**usual, **changes})  # type: ignore[arg-type]  # named in each test


def test_schedules_run_on_time() -> None:
    """None at all, or one that is late and not running, is wrong; one that failed is to be seen."""
    assert [one.state for one in rules.schedules([])] == ["wrong"]
    assert [one.said for one in rules.schedules([job()])] == ["1 run on time"]
    assert [one.state for one in rules.schedules([job(late=200.0)])] == ["wrong"]
    assert [one.state for one in rules.schedules([job(late=200.0, running=True)])] == ["well"]
    assert [one.state for one in rules.schedules([job(last_error="x"), job()])] == ["look"]


def test_a_sample_is_proven_or_wrong() -> None:
    """One unproven balance is enough."""
    assert rules.sample(100, 0).state == "well"
    assert rules.sample(100, 1).state == "wrong"
