"""Who may try, how long a session lasts, what a good password and code are. Pure."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

import pyotp
from msgspec import Struct

from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Collection

Stage = Literal["code", "enrol", "full"]
"""What a session may do: give its second factor, replace its password first, or everything."""

IDLE = timedelta(hours=12)
LIFE = timedelta(days=7)
ROTATE = timedelta(hours=1)
OVERLAP = timedelta(seconds=60)
NOTED = timedelta(seconds=60)
SHORTEST = 10
_FREE_TRIES = 5
_LONGEST_WAIT = timedelta(minutes=15)
_STEP = 30
_DRIFT = 1


class Session(Struct, frozen=True, kw_only=True):
    """A session as the door finds it."""

    id: int
    stage: Stage
    created_at: datetime
    rotated_at: datetime
    seen_at: datetime


def expired(session: Session, now: datetime) -> bool:
    """Tell whether a session was idle or alive too long."""
    return now - session.seen_at > IDLE or now - session.created_at > LIFE


def due_to_rotate(session: Session, now: datetime) -> bool:
    """Tell whether the token is old enough to be replaced."""
    return now - session.rotated_at > ROTATE


def due_to_note(session: Session, now: datetime) -> bool:
    """Tell whether it is time to write down that the session is alive."""
    return now - session.seen_at > NOTED


def wait_after(failures: int) -> timedelta:
    """Return how long after the last failure the next try may come: 1 s from the 5th, doubling."""
    if failures < _FREE_TRIES:
        return timedelta()
    return min(_LONGEST_WAIT, timedelta(seconds=2 ** min(failures - _FREE_TRIES, 12)))


def check_password(password: str, username: str) -> None:
    """Refuse a password that is short, the account's own name, or one of few characters."""
    if len(password) < SHORTEST:
        text = f"A password has at least {SHORTEST} characters."
        raise BadInput("password_short", text, path="password", least=SHORTEST)
    if username.lower() in password.lower() or len(set(password)) < 5:
        raise BadInput("password_weak", "That password is too easy to guess.", path="password")


def token_hash(token: str) -> bytes:
    """Return how a session's token is kept and looked up."""
    return hashlib.sha256(token.encode()).digest()


def step_at(now: datetime) -> int:
    """Return the time step of a moment (RFC 6238, 30 s)."""
    return int(now.timestamp()) // _STEP


def step_of(secret: str, code: str, now: datetime, used: int) -> int | None:
    """Return the step a code belongs to, or None: wrong, or not newer than the last one used."""
    around, codes = step_at(now), pyotp.TOTP(secret)
    for step in range(around - _DRIFT, around + _DRIFT + 1):
        if hmac.compare_digest(codes.generate_otp(step), code) and step > used:
            return step
    return None


def recovery_hash(code: str) -> bytes:
    """Return how a recovery code is kept; dashes, spaces and case do not count."""
    plain = "".join(c for c in code.lower() if c.isalnum())
    return hashlib.sha256(b"entrepot recovery " + plain.encode()).digest()


def spend(code: str, hashes: Collection[bytes]) -> list[bytes] | None:
    """Return the recovery codes left after using ``code``, or None where it is none of them."""
    given = recovery_hash(code)
    if given not in hashes:
        return None
    return [one for one in hashes if one != given]
