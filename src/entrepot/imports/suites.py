"""Suites, replaced as a whole by SKU; one row a part, the rows of a suite one after another.

What is said of the suite stands on its first row. Its parts must be known. ``fixed_price`` and ``ratio`` are
as document 004 has them: empty or -1 is the part's own price, and by amount.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import groupby
from typing import TYPE_CHECKING, Any

from entrepot.catalogue.suites import add_labels, replace
from entrepot.errors import Refused
from entrepot.facts import Suite, SuitePart
from entrepot.imports.rules import Column, digit, exact, exact_or_none, switch
from entrepot.imports.staging import Batch, Faults, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.db import Tx

_TEXTS = ("name", "unit", "class_name", "brand_name", "aux_unit", "short_name", "barcode", "remark")
_AMOUNTS = ("weight", "retail_price", "wholesale_price", "member_price", "market_price")
_PROPS = tuple(f"prop{at}" for at in range(1, 7))
_COLUMNS = (
    Column(name="sku", required=True, example="BOX1"),
    *(Column(name=name, example="清明茶礼" if name == "name" else "") for name in _TEXTS),
    Column(name="label"),
    Column(name="print_mode", check=digit, example="1"),
    Column(name="large_type", check=digit, example="0"),
    *(Column(name=name, check=exact) for name in _AMOUNTS),
    *(Column(name=name) for name in _PROPS),
    Column(name="part", required=True, example="TEA1"),
    Column(name="num", required=True, check=exact, example="2"),
    Column(name="is_fixed_price", check=switch, example="off"),
    Column(name="fixed_price", check=exact_or_none),
    Column(name="ratio", check=exact_or_none),
)
_NAMES = tuple(column.name for column in _COLUMNS)


async def _apply(tx: Tx, batch: Batch) -> Faults:
    suites, lines = [], []
    wrong: Faults = {}
    seen: set[str] = set()
    for sku, group in groupby(batch.rows, key=lambda row: row[1][0]):
        rows = list(group)
        if sku in seen:
            wrong |= dict.fromkeys((line for line, _ in rows), f"{sku} stands further up already")
            continue
        seen.add(sku)
        suites.append(_suite(sku, [dict(zip(_NAMES, cells, strict=True)) for _, cells in rows]))
        lines.append([line for line, _ in rows])
    # A file is our own people's word: its labels are made, where a partner's unknown ones are let fall.
    await add_labels(tx, {suite.label for suite in suites if suite.label})
    for outcome, at in zip(await replace(tx, suites), lines, strict=True):
        if isinstance(outcome, Refused):
            wrong |= dict.fromkeys(at, outcome.text)
    return wrong


def _suite(sku: str, rows: Sequence[Mapping[str, str]]) -> Suite:
    head = rows[0]
    fields: dict[str, Any] = {name: head[name] for name in _TEXTS}
    fields |= {name: Decimal(head[name] or 0) for name in _AMOUNTS}
    fields |= {name: int(head[name] or 0) for name in ("print_mode", "large_type")}
    return Suite(
        sku=sku,
        parts=tuple(_part(row) for row in rows),
        props=tuple(head[name] for name in _PROPS),
        label=head["label"],
        **fields,
    )


def _part(row: Mapping[str, str]) -> SuitePart:
    return SuitePart(
        sku=row["part"],
        num=Decimal(row["num"]),
        is_fixed_price=row["is_fixed_price"] == "on",
        fixed_price=Decimal(row["fixed_price"] or -1),
        ratio=Decimal(row["ratio"] or -1),
    )


kind = Kind(name="suites", columns=_COLUMNS, apply=_apply, together="sku", size=500)
