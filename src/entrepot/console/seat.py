"""Who sits in front of the console: found by cookie, held for the length of one request."""

from __future__ import annotations

import hmac
from contextvars import ContextVar
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot import clock, ids
from entrepot.console.access import rules
from entrepot.console.rights import rights_of
from entrepot.db import queries

if TYPE_CHECKING:
    from entrepot.console.hub import Hub
    from entrepot.db import Row

_q = queries("entrepot.console.access")


class Seat(Struct, kw_only=True):
    """A signed-in person at one browser. ``token`` is set when the cookie must be replaced."""

    tenant_id: int
    tenant: str
    person_id: int
    login: str
    name: str
    role: int
    rights: frozenset[str]
    session_id: int
    stage: rules.Stage
    csrf: str
    locale: str
    has_totp: bool
    token: str | None = None

    def may(self, right: str) -> bool:
        """Tell whether this person has a right; ``""`` needs none."""
        return not right or right in self.rights


seat: ContextVar[Seat | None] = ContextVar("seat", default=None)
"""The person the page is made for; None before signing in."""


def cookie_of(tenant_id: int, session_id: int, token: str) -> str:
    """Return the cookie's value for a session."""
    return f"{tenant_id:x}.{session_id:x}.{token}"


async def find(hub: Hub, cookie: str, *, address: str, local: bool) -> Seat | None:
    """Return who a cookie belongs to, rotating its token when that is due."""
    try:
        tenant_text, session_text, token = cookie.split(".")
        tenant_id, session_id = int(tenant_text, 16), int(session_text, 16)
    except ValueError:
        return None
    if tenant_id not in hub.registry.tenants or session_id >= 1 << 63:
        return None
    async with hub.db.reading(tenant_id) as tx:
        row = await tx.row(_q.seat, session_id)
        if row is None or not _belongs(row, token) or (row["only_local"] and not local):
            return None
        session = rules.Session(
            id=row["id"], stage=row["stage"], created_at=row["created_at"],
            rotated_at=row["rotated_at"], seen_at=row["seen_at"],
        )  # fmt: skip
        now = clock.now()
        if rules.expired(session, now):
            return None
        fresh = None
        if rules.due_to_rotate(session, now):
            candidate = ids.token(256)
            old, new = row["token_hash"], rules.token_hash(candidate)
            fresh = candidate if await tx.do(_q.rotate, session.id, old, new, now) else None
        elif rules.due_to_note(session, now):
            await tx.do(_q.seen, session.id, now, address)
    return _seat(hub, tenant_id, row, fresh)


def _belongs(row: Row, token: str) -> bool:
    """Compare in constant time; the token before the last rotation holds for a minute."""
    given = rules.token_hash(token)
    if hmac.compare_digest(row["token_hash"], given):
        return True
    previous = row["previous_hash"]
    return (
        previous is not None
        and clock.now() - row["rotated_at"] < rules.OVERLAP
        and hmac.compare_digest(previous, given)
    )


def _seat(hub: Hub, tenant_id: int, row: Row, token: str | None) -> Seat:
    return Seat(
        tenant_id=tenant_id,
        tenant=hub.registry.tenants[tenant_id][0],
        person_id=row["person_id"],
        login=row["login"],
        name=row["name"],
        role=row["role"],
        rights=rights_of(row["role"], row["duties"]),
        session_id=row["id"],
        stage=row["stage"],
        csrf=hub.vault.fingerprint(f"csrf {tenant_id} {row['id']}").hex(),
        locale=row["locale"],
        has_totp=row["has_totp"],
        token=token,
    )
