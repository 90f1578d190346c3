"""People and the tokens they, or programs, call with."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot import ids
from entrepot.db import queries
from entrepot.errors import Missing, NotAllowed, Refused
from entrepot.people.rules import Actor, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Tx

PER_MINUTE = 6000
"""Calls a minute that a program may make unless its token says otherwise."""
_q = queries(__package__)


class Person(Struct, frozen=True, kw_only=True):
    """Someone who works with the hub; ``id`` None takes the next free one."""

    login: str
    name: str
    role: Role = Role.NONE
    id: int | None = None
    active: bool = True


class Credential(Struct, frozen=True, kw_only=True):
    """What a caller showed: a token, or the login whose connection secret it knew."""

    token: str = ""
    login: str = ""


class Token(Struct, frozen=True, kw_only=True):
    """A token as listed; the token itself is shown once, when it is made."""

    id: int
    name: str
    login: str | None
    scopes: tuple[str, ...]
    per_minute: int
    created_at: datetime
    ended_at: datetime | None


async def add(tx: Tx, people: Sequence[Person]) -> dict[str, int]:
    """Create people, or change those with the same login; return ids by login."""
    await tx.do(_q.one_at_a_time)
    free: int = await tx.value(_q.next_person)
    chosen = []
    for person in people:
        chosen.append(free if person.id is None else person.id)
        free = max(free, chosen[-1] + 1)
    rows = await tx.rows(
        _q.add_people,
        chosen,
        [person.login for person in people],
        [person.name for person in people],
        [int(person.role) for person in people],
    )
    return {row["login"]: row["id"] for row in rows}


async def listed(tx: Tx) -> list[Person]:
    """Return everyone of the tenant."""
    return [
        Person(
            id=row["id"],
            login=row["login"],
            name=row["name"],
            role=Role(row["role"]),
            active=row["active"],
        )
        for row in await tx.rows(_q.people)
    ]


async def set_active(tx: Tx, login: str, *, active: bool) -> None:
    """Let someone in again, or no longer; their tokens follow at once."""
    if not await tx.do(_q.set_active, login, active):
        raise Missing("unknown_person", f"There is nobody with the login {login!r}.")


async def callers(tx: Tx, batch: Sequence[Credential]) -> list[Actor | Refused]:
    """Return who calls; NotAllowed (``unknown_caller``) for each credential of nobody."""
    logins = sorted({shown.login for shown in batch if shown.login})
    hashes = {fingerprint(shown.token): shown.token for shown in batch if shown.token}
    by_login = {row["login"]: row for row in await tx.rows(_q.by_login, logins)} if logins else {}
    rows = await tx.rows(_q.by_token, list(hashes)) if hashes else []
    by_token = {hashes[row["hash"]]: row for row in rows}
    found = [by_login.get(s.login) if s.login else by_token.get(s.token) for s in batch]
    return [
        NotAllowed("unknown_caller", "No active person has this credential.")
        if row is None
        else Actor(id=row["id"], name=row["name"], role=Role(row["role"]))
        for row in found
    ]


async def add_token(
    tx: Tx,
    name: str,
    *,
    login: str | None = None,
    scopes: Sequence[str] = (),
    per_minute: int = PER_MINUTE,
) -> str:
    """Make a token for a person (``login``), a program (``scopes``), or one that acts for a person.

    Return it, this once. ``per_minute`` calls are allowed to a program, 0: any number.
    """
    person_id = None
    if login is not None:
        row = await tx.row(_q.by_login, [login])
        if row is None:
            raise Missing("unknown_person", f"There is nobody active with the login {login!r}.")
        person_id = row["id"]
    token = ids.token(256)
    await tx.do(
        _q.add_token, ids.new(), person_id, name, list(scopes), fingerprint(token), per_minute
    )
    return token


async def end_token(tx: Tx, token_id: int) -> None:
    """End a token at once."""
    if not await tx.do(_q.end_token, token_id):
        raise Missing("unknown_token", f"There is no valid token {token_id}.")


async def tokens(tx: Tx) -> list[Token]:
    """Return every token of the tenant, the oldest first."""
    return [
        Token(
            id=row["id"],
            name=row["name"],
            login=row["login"],
            scopes=tuple(row["scopes"]),
            per_minute=row["per_minute"],
            created_at=row["created_at"],
            ended_at=row["ended_at"],
        )
        for row in await tx.rows(_q.tokens)
    ]


def fingerprint(token: str) -> bytes:
    """Return how a token is kept: it is random, so a plain hash gives nothing away."""
    return hashlib.sha256(token.encode()).digest()
