"""Safety stock: pieces of an article that a location keeps back from every channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot import ids
from entrepot.connections.flows import audit
from entrepot.db import queries
from entrepot.stock import flows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Tx

_q = queries(__package__)


class Safety(Struct, frozen=True, kw_only=True):
    """How many pieces of an article are never promised at a location."""

    article_id: int
    location_id: int
    pieces: int


async def keep_back(tx: Tx, batch: Sequence[Safety], *, who: str) -> None:
    """Keep so many pieces back from now on; channels learn of it like of any change.

    The last of repeated rows counts.
    """
    wanted = {(safety.article_id, safety.location_id): safety.pieces for safety in batch}
    await flows.lock(tx, wanted)
    changed = sorted({article_id for article_id, _ in wanted})
    await tx.do(
        _q.set_safety,
        [article_id for article_id, _ in wanted],
        [location_id for _, location_id in wanted],
        list(wanted.values()),
        ids.some(len(changed)),
        changed,
    )
    for (article_id, location_id), pieces in wanted.items():
        details = {"location": location_id, "safety": pieces}
        await audit(tx, who, "safety stock set", str(article_id), details=details)
