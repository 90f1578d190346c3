"""Ids made in the application: 63-bit, time-ordered, unique across processes.

41 bits of milliseconds since 2024, 12 bits of process number (leased from a database sequence when
a process opens its pool, see ``db.Database.open``), 10 bits of counter. A busy process borrows from the
next millisecond rather than repeat itself.
"""

from __future__ import annotations

import base64
import secrets
import time
from datetime import UTC, datetime

_EPOCH_MS = 1_704_067_200_000
_PROCESS_BITS, _COUNTER_BITS = 12, 10

_process = secrets.randbelow(1 << _PROCESS_BITS)
_last = 0


def configure(process: int) -> None:
    """Set this process's number; any integer, only its low 12 bits count."""
    global _process  # noqa: PLW0603 - one number per process
    _process = process & ((1 << _PROCESS_BITS) - 1)


def new() -> int:
    """Return a fresh id, greater than every id this process made before."""
    return _id(_take(1))


def some(count: int) -> list[int]:
    """Return so many fresh ids, ascending."""
    first = _take(count)
    return [_id(made) for made in range(first, first + count)]


def floor(at: datetime) -> int:
    """Return a number from 0 to 2⁶³ − 1 that is no greater than any id made at or after ``at``.

    Partitions and searches by time end there.
    """
    milliseconds = int(at.timestamp() * 1000) - _EPOCH_MS
    return min(max(0, milliseconds) << (_PROCESS_BITS + _COUNTER_BITS), (1 << 63) - 1)


def token(bits: int = 128) -> str:
    """Return an unguessable URL-safe token of at least ``bits`` bits."""
    return base64.urlsafe_b64encode(secrets.token_bytes(bits // 8)).rstrip(b"=").decode()


def made_at(number: int) -> datetime:
    """Return when an id was made, to the millisecond, in UTC."""
    milliseconds = (number >> (_PROCESS_BITS + _COUNTER_BITS)) + _EPOCH_MS
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _take(count: int) -> int:
    """Take so many numbers of this process's own time; return the first."""
    global _last  # noqa: PLW0603 - the counter
    first = (int(time.time() * 1000) - _EPOCH_MS) << _COUNTER_BITS
    if first <= _last:
        first = _last + 1
    _last = first + count - 1
    return first


def _id(made: int) -> int:
    slot, counter = made >> _COUNTER_BITS, made & ((1 << _COUNTER_BITS) - 1)
    return (((slot << _PROCESS_BITS) | _process) << _COUNTER_BITS) | counter
