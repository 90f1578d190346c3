"""Safety stock: pieces of an article that a location keeps back from every channel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot import ids
from entrepot.connections.flows import audit
from entrepot.db import queries
from entrepot.stock import flows

if TYPE_CHECKING:
    from entrepot.db import Tx

_q = queries(__package__)


async def keep_back(tx: Tx, article_id: int, location_id: int, pieces: int, *, who: str) -> None:
    """Keep so many pieces back there from now on; channels learn of it like of any change."""
    await flows.lock(tx, [(article_id, location_id)])
    await tx.do(_q.set_safety, article_id, location_id, pieces, ids.new())
    details = {"location": location_id, "safety": pieces}
    await audit(tx, who, "safety stock set", str(article_id), details=details)
