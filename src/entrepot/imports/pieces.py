"""Pieces: the codes (件码) of single pieces, and where they lie. Stock is counted apart from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.db import queries
from entrepot.imports.rules import Column
from entrepot.imports.staging import Batch, Faults, Kind, faults, stage

if TYPE_CHECKING:
    from entrepot.db import Tx

_q = queries(__package__)
_COLUMNS = (
    Column(name="code", required=True, example="SN-G1-6002-01"),
    Column(name="sku", required=True, example="G1/C1/S1"),
    Column(name="location", required=True, example="6002"),
)


async def _apply(tx: Tx, batch: Batch) -> Faults:
    more = ("article_id bigint", "article_kind text", "location_id bigint")
    await stage(tx, _COLUMNS, batch, *more, "known_as bigint", "known_state text")
    await tx.do(_q.find_pieces)
    wrong = await faults(tx, _q.piece_faults)
    await tx.do(_q.save_pieces)
    return wrong


kind = Kind(name="pieces", columns=_COLUMNS, apply=_apply)
