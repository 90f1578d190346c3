"""Outlets: the places that hold stock, created or changed by code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.db import queries
from entrepot.imports.rules import Column
from entrepot.imports.staging import Batch, Faults, Kind, stage

if TYPE_CHECKING:
    from entrepot.db import Tx

_q = queries(__package__)
_COLUMNS = (
    Column(name="code", required=True, example="6002"),
    Column(name="name", example="杭州武林店"),
    Column(name="province", example="浙江省"),
    Column(name="city", example="杭州市"),
)


async def _apply(tx: Tx, batch: Batch) -> Faults:
    await stage(tx, _COLUMNS, batch)
    await tx.do(_q.save_outlets, sorted(batch.given))
    return {}


kind = Kind(name="outlets", columns=_COLUMNS, apply=_apply)
