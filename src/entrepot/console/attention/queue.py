"""The queue itself: its sources, its items, how many there are."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot import clock
from entrepot.console.words import N_
from entrepot.db import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.console.hub import Hub
    from entrepot.db import Row, Tx

MOST = 100
_FRESH = 3.0
_q = queries(__package__)
_remembered: dict[int, tuple[float, dict[str, int]]] = {}

KINDS: Mapping[str, str] = {
    "needs_attention": N_("Not delivered in time"),
    "rejected": N_("Refused by the partner"),
    "turned_away": N_("Order turned away"),
    "level": N_("Stock level refused"),
    "parked": N_("Nobody ships it"),
    "discrepancy": N_("Does not agree"),
}


class Item(Struct, kw_only=True):
    """One thing a person must look at."""

    kind: str
    item: str
    connection: str
    document: str
    what: str
    why: str
    since: datetime
    order_id: int | None = None
    owner: str = ""
    mine: bool = False


async def counts(hub: Hub, tenant_id: int) -> dict[str, int]:
    """Return how many items each kind has (1001: more than a thousand); remembered for 3 seconds."""
    at, found = _remembered.get(tenant_id, (-_FRESH, {}))
    if clock.ticks() - at < _FRESH:
        return found
    async with hub.db.reading(tenant_id) as tx:
        found = {row["kind"]: row["items"] for row in await tx.rows(_q.counts)}
    _remembered[tenant_id] = (clock.ticks(), found)
    return found


async def total(hub: Hub, tenant_id: int) -> int:
    """Return how many items there are altogether."""
    return sum((await counts(hub, tenant_id)).values())


def forget(tenant_id: int) -> None:
    """Count anew at the next look: somebody just acted."""
    _remembered.pop(tenant_id, None)


def forget_all() -> None:
    """Count everything anew; for tests, whose databases come and go."""
    _remembered.clear()


async def oldest(
    tx: Tx, *, kind: str | None, connection: int | None, person_id: int, limit: int = MOST
) -> list[Item]:
    """Return the oldest items of a kind (None: of all), each with who takes care of it."""
    rows: list[Row] = []
    for state in ("needs_attention", "rejected"):
        if kind in (None, state):
            rows += await tx.rows(_q.deliveries, state, connection, limit)
    if kind in (None, "turned_away"):
        rows += await tx.rows(_q.turned_away, connection, limit)
    if kind in (None, "level"):
        rows += await tx.rows(_q.levels, connection, limit)
    if kind in (None, "parked"):
        rows += await tx.rows(_q.parked, connection, limit)
    if kind in (None, "discrepancy"):
        rows += await tx.rows(_q.discrepancies, connection, limit)
    items = sorted((_item(row) for row in rows), key=lambda item: item.since)[:limit]
    await _name_owners(tx, items, person_id)
    return items


async def own(tx: Tx, kind: str, item: str, person_id: int, who: str) -> None:
    """Say that a person takes care of an item."""
    await tx.do(_q.own, kind, item, person_id, who)


async def disown(tx: Tx, kind: str, item: str) -> None:
    """Say that nobody takes care of it any more."""
    await tx.do(_q.disown, kind, item)


def _item(row: Row) -> Item:
    return Item(
        kind=row["kind"],
        item=row["item"],
        connection=row["connection"] or "",
        document=row["document"] or "",
        what=row["what"],
        why=row["why"],
        since=row["since"],
        order_id=row["order_id"],
    )


async def _name_owners(tx: Tx, items: Sequence[Item], person_id: int) -> None:
    if not items:
        return
    kinds, names = [item.kind for item in items], [item.item for item in items]
    owners = {(r["kind"], r["item"]): r for r in await tx.rows(_q.owners, kinds, names)}
    for item in items:
        if row := owners.get((item.kind, item.item)):
            item.owner, item.mine = row["who"], row["person_id"] == person_id
