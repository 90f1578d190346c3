"""What partners read of the catalogue: the styles a connection may sell, by the rules it publishes with."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.catalogue.rules import SINGLE, SUITE
from entrepot.db import queries
from entrepot.money import GRAM4, rounded
from entrepot.stock import published
from entrepot.stock.published import Channel
from entrepot.stock.rules import weight_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from entrepot.db import Database, Row, Tx

_q = queries(__package__)
_PAGE = 1000


class StylesWanted(Struct, frozen=True, kw_only=True):
    """Some styles, each named once, as one connection sees them."""

    channel: Channel
    names: tuple[str, ...]


class Style(Struct, frozen=True, kw_only=True):
    """What a connection may sell of a style: pieces, and the grams of those pieces."""

    style_no: str
    qty: int
    weight: Decimal
    pic_url: str


async def styles(tx: Tx, batch: Sequence[StylesWanted]) -> list[list[Style]]:
    """Return the styles found, for each query in the order asked.

    One statement for all queries of one connection, however many there are; two more where publishing
    rules or suites have a say.
    """
    asked: dict[Channel, dict[str, None]] = {}
    for wanted in batch:
        asked.setdefault(wanted.channel, {}).update(dict.fromkeys(wanted.names))
    found: dict[Channel, dict[str, Style]] = {}
    for channel, names in asked.items():
        places = channel.draws_on
        drawn = None if places is None else list(places)
        rows = await tx.rows(_q.styles, list(names), drawn, channel.connection_id)
        found[channel] = {style.style_no: style for style in await _seen(tx, channel, rows)}
    return [_of(found[wanted.channel], wanted.names) for wanted in batch]


async def every_style(db: Database, tenant_id: int, channel: Channel) -> AsyncIterator[list[Style]]:
    """Iterate over all styles by style number, in pages, in bounded memory.

    Each page is read on its own, so that a slow reader holds no transaction.
    """
    after: str | None = ""
    places = None if channel.draws_on is None else list(channel.draws_on)
    while after is not None:
        async with db.reading(tenant_id) as tx:
            rows = await tx.rows(_q.next_styles, after, places, channel.connection_id, _PAGE)
            page = await _seen(tx, channel, rows)
        if page:
            yield page
        after = rows[-1]["style_no"] if len(rows) == _PAGE else None


def _of(found: Mapping[str, Style], names: Sequence[str]) -> list[Style]:
    return [found[name] for name in names if name in found]


async def _seen(tx: Tx, channel: Channel, rows: Sequence[Row]) -> list[Style]:
    """Put what a channel sees beside what lies there. The weight is that of the pieces shown."""
    totals = {row["id"]: max(row["pieces"], 0) for row in rows}
    shaped = [row["id"] for row in rows if row["ruled"] or row["kind"] != SINGLE]
    if shaped:
        figures = await published.figures(tx, channel, shaped)
        totals |= {article: seen.total for article, seen in figures.items()}
    each = await _weights(tx, channel, [row["id"] for row in rows if row["kind"] == SUITE])
    return [
        Style(
            style_no=row["style_no"],
            qty=totals[row["id"]],
            weight=rounded(totals[row["id"]] * each[row["id"]], GRAM4)
            if row["id"] in each
            else weight_of(totals[row["id"]], row["on_hand"], row["weight"]),
            pic_url=row["pic_url"],
        )
        for row in rows
    ]


async def _weights(tx: Tx, channel: Channel, suites: Sequence[int]) -> dict[int, Decimal]:
    """Return what one of each suite weighs, in grams, as its parts lie there; absent where none do."""
    if not suites:
        return {}
    places = None if channel.draws_on is None else list(channel.draws_on)
    rows = await tx.rows(_q.suite_weights, suites, places)
    return {row["suite_id"]: row["weight"] for row in rows}
