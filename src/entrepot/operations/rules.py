"""What is well and what is wrong with a hub, judged from what was measured. Pure.

A finding says what was seen and what to do about it. Times in seconds, sizes in bytes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

State = Literal["well", "look", "wrong"]
"""``look``: nothing is broken, but a person should see it; ``wrong``: it is, or will be soon."""

OLDEST = 150_000
CLOCK_LOOK, CLOCK_WRONG = 2.0, 30.0
DISK_LOOK, DISK_WRONG = 0.20, 0.05
DISK_LEAST = 1024**3
OVERDUE_WRONG = 300.0
UNTOLD_LOOK = 900.0
COURIER_SILENT = 60.0
AHEAD_LOOK, AHEAD_WRONG = timedelta(days=14), timedelta(days=3)


class Finding(Struct, frozen=True, kw_only=True):
    """One thing looked at. ``do`` says what to do where it is not well."""

    check: str
    state: State
    said: str
    do: str = ""


class Server(Struct, frozen=True, kw_only=True):
    """What the database server says of itself; ``ahead`` is its clock less ours."""

    version: int
    fsync: str
    full_page_writes: str
    synchronous_commit: str
    encoding: str
    ahead: float
    bytes: int


class Queues(Struct, frozen=True, kw_only=True):
    """What waits (None: nothing does), and how long ago a courier was last seen (None: never)."""

    overdue: float | None
    attention: int
    untold: float | None
    courier: float | None


class Job(Struct, frozen=True, kw_only=True):
    """One schedule; ``late``: how long ago it was due, below 0 if it is not."""

    name: str
    late: float
    every: float
    running: bool
    last_error: str | None


def server(seen: Server) -> Iterator[Finding]:
    """Judge the version, what makes an answered order survive a power cut, encoding and clock."""
    version = f"PostgreSQL {seen.version // 10000}.{seen.version % 10000}, {_size(seen.bytes)}"
    if seen.version < OLDEST:
        yield _wrong("database", version, "Upgrade the server: PostgreSQL 15 or newer is needed.")
    else:
        yield _well("database", version)
    loose = [
        f"{name} = {value}"
        for name, value in (
            ("fsync", seen.fsync),
            ("full_page_writes", seen.full_page_writes),
            ("synchronous_commit", seen.synchronous_commit),
        )
        if value == "off"
    ]
    if loose:
        do = "A power cut loses answered orders: set them to on in postgresql.conf and reload."
        yield _wrong("durability", ", ".join(loose), do)
    else:
        yield _well("durability", "a commit survives a power cut")
    if seen.encoding != "UTF8":
        yield _wrong("encoding", seen.encoding, "Move to a database made with ENCODING 'UTF8'.")
    apart = (
        f"the database's clock is {abs(seen.ahead):.1f} s {'ahead' if seen.ahead > 0 else 'behind'}"
    )
    do = "Keep both machines' clocks by NTP (chrony, systemd-timesyncd); signatures hold 120 s."
    yield _graded("clock", abs(seen.ahead), CLOCK_LOOK, CLOCK_WRONG, apart, do)


def migrations(lacking: Sequence[str], unknown: Sequence[str]) -> Finding:
    """Judge the schema against this version's files."""
    if unknown:
        said = f"made by a newer version: {', '.join(unknown)}"
        return _wrong("schema", said, "Install the version that made it, or restore a backup.")
    if lacking:
        said = f"lacks {', '.join(lacking)}"
        return _wrong("schema", said, "Start this version's hub once: entrepot serve")
    return _well("schema", "current")


def key_file(*, there: bool, mode: int, damaged: str) -> Finding:
    """Judge the key ring's file; ``mode`` are its permission bits, ``damaged`` what reading it said."""
    if not there:
        do = "Put back the copy you keep (entrepot restore has it); without it secrets are unreadable."
        return _wrong("key file", "is not there", do)
    if damaged:
        return _wrong("key file", damaged, "Put back the copy you keep.")
    if mode & 0o077:
        do = "Others on this machine can read every secret: chmod 600 it, then rotate the keys."
        return _wrong("key file", f"has mode {mode:03o}", do)
    return _well("key file", "readable by its owner alone")


def disk(free: int, total: int) -> Finding:
    """Judge the room left where the data is."""
    share = free / total
    said = f"{_size(free)} free of {_size(total)}"
    if share < DISK_WRONG or free < DISK_LEAST:
        return _wrong("disk", said, "Make room: a full disk stops every order.")
    if share < DISK_LOOK:
        return Finding(check="disk", state="look", said=said, do="Plan for more room.")
    return _well("disk", said)


def queues(seen: Queues) -> Iterator[Finding]:
    """Judge who delivers, and what waits for them or for a person."""
    if seen.courier is None or seen.courier > COURIER_SILENT:
        said = "none is running" if seen.courier is None else f"silent for {_time(seen.courier)}"
        yield _wrong("courier", said, "Start one: entrepot serve (or --role courier).")
    else:
        yield _well("courier", "running")
    overdue = seen.overdue or 0.0
    said = f"a call has been due for {_time(overdue)}" if overdue else "nothing is overdue"
    do = "See what holds it: entrepot deliveries list --state waiting, and the courier's log."
    yield _graded("queue", overdue, COURIER_SILENT, OVERDUE_WRONG, said, do)
    if seen.attention:
        said = f"{seen.attention} deliveries need a person"
        do = "entrepot deliveries list --state needs_attention, then retry, handle or cancel them."
        yield Finding(check="attention", state="look", said=said, do=do)
    if seen.untold is not None and seen.untold > UNTOLD_LOOK:
        said = f"a partner has not been told a level for {_time(seen.untold)}"
        do = "entrepot deliveries list shows which; entrepot levels send CONNECTION tries now."
        yield Finding(check="levels", state="look", said=said, do=do)


def partitions(until: dict[str, datetime | None], now: datetime) -> Finding:
    """Judge how far ahead the partitions reach; ``until``: by table the newest one's beginning."""
    ahead = {name: (at - now if at else timedelta()) for name, at in until.items()}
    name, least = min(ahead.items(), key=lambda pair: pair[1])
    said = f"reach {least.days} days ahead ({name})"
    do = "The clock makes them every day; see the schedules: entrepot serve (or --role clock)."
    if least < AHEAD_WRONG:
        return _wrong("partitions", said, do)
    if least < AHEAD_LOOK:
        return Finding(check="partitions", state="look", said=said, do=do)
    return _well("partitions", said)


def schedules(jobs: Sequence[Job]) -> Iterator[Finding]:
    """Judge what should run by the clock: late by more than twice its interval, or failed."""
    if not jobs:
        yield _wrong("schedules", "none", "Start the clock once: entrepot serve (or --role clock).")
        return
    late = [job for job in jobs if not job.running and job.late > max(2 * job.every, 60.0)]
    failed = [job for job in jobs if job.last_error]
    if late:
        worst = max(late, key=lambda job: job.late)
        said = f"{worst.name} has been due for {_time(worst.late)}"
        yield _wrong("schedules", said, "Start the clock: entrepot serve (or --role clock).")
    for job in failed:
        said = f"{job.name} failed: {job.last_error}"
        yield Finding(check="schedules", state="look", said=said, do="See the clock's log.")
    if not late and not failed:
        yield _well("schedules", f"{len(jobs)} run on time")


def sample(looked_at: int, wrong: int) -> Finding:
    """Judge a sample of balances."""
    if wrong:
        said = f"{wrong} of {looked_at} balances are not proven by their movements"
        return _wrong(
            "stock", said, "entrepot verify lists all of them; nothing may be sold on them."
        )
    return _well("stock", f"{looked_at} balances are proven")


def _graded(check: str, value: float, look: float, wrong: float, said: str, do: str) -> Finding:
    if value > wrong:
        return _wrong(check, said, do)
    if value > look:
        return Finding(check=check, state="look", said=said, do=do)
    return _well(check, said)


def _well(check: str, said: str) -> Finding:
    return Finding(check=check, state="well", said=said)


def _wrong(check: str, said: str, do: str) -> Finding:
    return Finding(check=check, state="wrong", said=said, do=do)


def _time(seconds: float) -> str:
    """Return a time as people say it: ``90 s``, ``45 min``, ``26 h``."""
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _size(count: int) -> str:
    """Return a size as people say it: ``12 MB``, ``3.4 GB``."""
    if count >= 1024**3:
        return f"{count / 1024**3:.1f} GB"
    return f"{count / 1024**2:.0f} MB"
