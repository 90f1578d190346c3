"""Listings: what a connection's partner calls an article."""

from __future__ import annotations

from dataclasses import replace
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
    wrong = await _misnamed(tx, batch)
    rest = replace(batch, rows=[row for row in batch.rows if row[0] not in wrong])
    await stage(tx, _COLUMNS, rest, "connection_id bigint", "article_id bigint")
    await tx.do(_q.find_listed)
    wrong |= await faults(tx, _q.listing_faults)
    await tx.do(_q.save_listings)
    return wrong


async def _misnamed(tx: Tx, batch: Batch) -> Faults:
    """Return the rows that partners would refuse by their names alone: one spoils a whole call."""
    ends = {
        row["name"]: batch.dialects[row["dialect"]].roles[row["role"]]
        for row in await tx.rows(_q.ends, list({cells[0] for _, cells in batch.rows}))
        if row["dialect"] in batch.dialects
    }
    return {
        line: fault
        for line, (connection, type_, key, *_) in batch.rows
        if connection in ends and (fault := ends[connection].misnamed(type_, key))
    }


kind = Kind(name="listings", columns=_COLUMNS, apply=_apply)
