"""Listings: what a connection's partner calls an article."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.db import queries
from entrepot.imports.rules import Column
from entrepot.imports.staging import Batch, Faults, Kind, faults, stage

if TYPE_CHECKING:
    from entrepot.db import Tx

_q = queries(__package__)
_COLUMNS = (
    Column(name="connection", required=True, example="minimall"),
    Column(name="type", required=True, example="normal"),
    Column(name="key", required=True, example="1^^^8Gú128G"),
    Column(name="sku", required=True, example="MM1"),
)


async def _apply(tx: Tx, batch: Batch) -> Faults:
    await stage(tx, _COLUMNS, batch, "connection_id bigint", "article_id bigint")
    await tx.do(_q.find_listed)
    wrong = await faults(tx, _q.listing_faults)
    await tx.do(_q.save_listings)
    return wrong


kind = Kind(name="listings", columns=_COLUMNS, apply=_apply)
