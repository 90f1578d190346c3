"""Stock: a stocktake of many balances; the ledger gets the differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.db import queries
from entrepot.imports.rules import Column, exact, whole
from entrepot.imports.staging import Batch, Faults, Kind, faults, stage

if TYPE_CHECKING:
    from entrepot.db import Tx

_q = queries(__package__)
_COLUMNS = (
    Column(name="sku", required=True, example="YPJ1601"),
    Column(name="location", required=True, example="HQ"),
    Column(name="qty", required=True, check=whole, example="500"),
    Column(name="weight", check=exact, example="1250"),
    Column(name="safety", check=whole, example="0"),
)


async def _apply(tx: Tx, batch: Batch) -> Faults:
    more = ("article_id bigint", "location_id bigint", "kind text")
    await stage(tx, _COLUMNS, batch, *more)
    await tx.do(_q.find_stocked)
    wrong = await faults(tx, _q.stock_faults)
    await tx.do(_q.last_counts)
    await tx.do(_q.count_new, batch.who)
    await tx.rows(_q.lock_counted)
    await tx.do(_q.count_known, batch.who)
    return wrong


kind = Kind(name="stock", columns=_COLUMNS, apply=_apply)
