"""Articles: created or changed by SKU. A column that the file lacks stays as it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from entrepot.catalogue import told
from entrepot.db import queries
from entrepot.imports.rules import Column, exact
from entrepot.imports.staging import Batch, Faults, Kind, faults, stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Tx

_q = queries(__package__)
PREFIX = "details."
_COLUMNS = (
    Column(name="sku", required=True, example="YPJ1601"),
    Column(name="style_no", example="YPJ1601"),
    Column(name="name", example="足金999 YPJ1601"),
    Column(name="pic_url"),
    Column(name="unit", example="件"),
    Column(name="retail_price", check=exact, example="12.50"),
)


async def _apply(tx: Tx, batch: Batch) -> Faults:
    await stage(tx, (*_COLUMNS, Column(name="details")), _with_details(batch))
    wrong = await faults(tx, _q.article_faults)
    changed = await tx.rows(_q.save_articles, sorted(batch.given))
    await told.parts(tx, [row["id"] for row in changed])
    return wrong


def _with_details(batch: Batch) -> Batch:
    """Pack the columns ``details.…`` into one of JSON, as the last."""
    names = [name.removeprefix(PREFIX) for name in batch.extra]
    width = len(_COLUMNS)
    rows = [
        (line, (*cells[:width], _packed(names, cells[width:]) if names else "{}"))
        for line, cells in batch.rows
    ]
    return replace(batch, rows=rows)


def _packed(names: list[str], cells: Sequence[str]) -> str:
    found = {name: cell for name, cell in zip(names, cells, strict=True) if cell}
    return msgspec.json.encode(found).decode()


kind = Kind(name="articles", columns=_COLUMNS, apply=_apply, prefix=PREFIX)
