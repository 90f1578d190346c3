"""Partners' orders that were turned away and that a person can help to come in.

Each stands as a discrepancy: ``not_taken``, until the order comes in (``look``, by the clock) or a person
settles it; ``other_content``, where a known number came with other content, until a person settles it.
A refusal is final for who heard it, so nothing is taken in here: the partner pushes again.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from entrepot.courier.schedules import Schedule
from entrepot.db import queries
from entrepot.discrepancies import flows as discrepancies
from entrepot.orders import rules
from entrepot.orders.rules import TurnedAway

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from entrepot.courier.gate import Link
    from entrepot.courier.schedules import Job
    from entrepot.db import Database, Tx
    from entrepot.errors import Refused
    from entrepot.orders.rules import NewOrder

    Do = Callable[[object, object], Awaitable[object]]

LOOK = 15.0
NAME = "orders turned away"
_q = queries(__package__)


async def note(tx: Tx, batch: Sequence[TurnedAway]) -> list[None]:
    """Show people which orders were turned away; those that nobody but the partner can mend are left out."""
    guards = [one.order.guard for one in batch if one.code == rules.TAKEN]
    known = {}
    if guards:
        kinds = [one.order.kind for one in batch if one.code == rules.TAKEN]
        rows = await tx.rows(_q.taken, [at for at, _ in guards], [no for _, no in guards], kinds)
        known = {(row["connection_id"], row["number"]): row for row in rows}
    found = []
    for one in batch:
        row = known.get(one.order.guard)
        digest = row["digest"] if row is not None else b""
        order_id = row["document_id"] if row is not None else None
        if (seen := rules.missed(one, digest, order_id)) is not None:
            found.append(seen)
    await discrepancies.see(tx, found)
    return [None for _ in batch]


async def reported(do: Do, order: NewOrder, refusal: Refused) -> Refused:
    """Have an order's refusal noted, where a person can do something about it; return the refusal."""
    if refusal.code in rules.CURABLE:
        await do(note, TurnedAway.of(order, refusal))
    return refusal


async def look(tx: Tx) -> int:
    """Take off the list what has come in, and say of which orders the goods are known by now.

    Returns how many came in.
    """
    rows = await tx.rows(_q.come_in)
    await discrepancies.agree(
        tx, [(row["connection_id"], rules.NOT_TAKEN, row["subject"]) for row in rows]
    )
    await tx.do(_q.goods_known, rules.KNOWN_NOW)
    return len(rows)


def jobs(db: Database, links: Iterable[Link]) -> Mapping[Schedule, Job]:
    """Return the look at orders turned away, of every tenant that has partners."""
    tenants = {link.partner.tenant_id for link in links}
    return {
        Schedule(tenant_id=tenant_id, name=NAME, every=LOOK): partial(_look, db)
        for tenant_id in tenants
    }


async def _look(db: Database, tenant_id: int) -> None:
    await db.run(tenant_id, look)
