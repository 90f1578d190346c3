"""What people and programs read of the catalogue."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.db import queries
from entrepot.money import ZERO
from entrepot.stock.rules import weight_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence

    from entrepot.db import Database, Row, Tx
    from entrepot.dialect import Partner

_q = queries(__package__)
_PAGE = 2000


class StylesWanted(Struct, frozen=True, kw_only=True):
    """Which styles, and the codes of the locations that count (empty: all)."""

    names: tuple[str, ...]
    locations: tuple[str, ...] = ()


class Style(Struct, frozen=True, kw_only=True):
    """What a connection may sell of a style: pieces, and the grams of those pieces."""

    style_no: str
    qty: int
    weight: Decimal
    pic_url: str


async def styles(tx: Tx, batch: Sequence[StylesWanted]) -> list[list[Style]]:
    """Return the styles found, for each query in the order asked; one statement for the batch."""
    names = list({name: None for wanted in batch for name in wanted.names})
    rows: dict[str, list[Row]] = {}
    for row in await tx.rows(_q.style_balances, names):
        rows.setdefault(row["style_no"], []).append(row)
    return [
        [_style(rows[name], wanted.locations) for name in wanted.names if name in rows]
        for wanted in batch
    ]


async def every_style(
    db: Database, partner: Partner, locations: Sequence[str]
) -> AsyncIterator[list[Style]]:
    """Iterate over all styles by style number, in pages, in bounded memory.

    Each page is its own statement, so that a slow reader holds no transaction.
    """
    after = ""
    while True:
        async with db.reading(partner.tenant_id) as tx:
            names = [row["style_no"] for row in await tx.rows(_q.next_styles, after, _PAGE)]
            page = (
                await styles(tx, [StylesWanted(names=tuple(names), locations=tuple(locations))])
            )[0]
        if page:
            yield page
        if len(names) < _PAGE:
            return
        after = names[-1]


def _style(rows: Iterable[Row], locations: Sequence[str]) -> Style:
    """Add up the locations that count. Never below 0, also where goods are made to order."""
    available, on_hand, weight = 0, 0, ZERO
    for row in rows:
        if row["location"] is not None and (not locations or row["location"] in locations):
            available += row["available"]
            on_hand += row["on_hand"]
            weight += row["weight"]
    qty = max(available, 0)
    return Style(
        style_no=row["style_no"],
        qty=qty,
        weight=weight_of(qty, on_hand, weight),
        pic_url=row["pic_url"],
    )
