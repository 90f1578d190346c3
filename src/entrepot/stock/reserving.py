"""Promise pieces to documents, each line whole, wherever it may come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot import ids
from entrepot.db import ints, queries
from entrepot.stock import rules
from entrepot.stock.flows import balance_of, first_location
from entrepot.stock.rules import Balance, Demand, Pick

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from entrepot.db import Tx
    from entrepot.stock.flows import Pair

_q = queries(__package__)


async def reserve(tx: Tx, demands: Sequence[Demand]) -> None:
    """Promise pieces to documents, also beyond what there is; the caller decides whether it may."""
    if not demands:
        return
    by_article = _by_article(await _lock_wanted(tx, demands))
    placed: list[int] = []
    sums: dict[Pair, int] = {}
    for demand in demands:
        row = rules.place(demand, by_article[demand.article_id])
        row.reserved += demand.qty
        placed.append(row.location_id)
        pair = (row.article_id, row.location_id)
        sums[pair] = sums.get(pair, 0) + demand.qty
    changed = sorted(by_article)
    await tx.do(
        _q.reserve,
        ints(ids.some(len(demands))),
        ints([demand.document_id for demand in demands]),
        ints([demand.line for demand in demands]),
        ints([demand.article_id for demand in demands]),
        ints(placed),
        ints([demand.qty for demand in demands]),
        ints(ids.some(len(changed))),
        ints(changed),
        ints([pair[0] for pair in sums]),
        ints([pair[1] for pair in sums]),
        ints(sums.values()),
    )


def only_places(demands: Sequence[Demand], places: Mapping[int, int | None]) -> list[Pick] | None:
    """Return where demands are reserved if each has just one place to come from; None where any has a choice.

    ``places`` are the only locations of articles. What lies in one place alone is reserved there, however
    much of it there is, so that nothing has to be locked to know where.
    """
    picks = []
    for demand in demands:
        place = places.get(demand.article_id)
        if place is None or (demand.locations and place not in demand.locations):
            return None
        picks.append(Pick(demand=demand, location_id=place))
    return picks


async def _lock_wanted(tx: Tx, demands: Sequence[Demand]) -> list[Balance]:
    """Lock every row the demands may be reserved at, and at least one for each."""
    articles = sorted({demand.article_id for demand in demands})
    anywhere = any(not demand.locations for demand in demands)
    places = None if anywhere else sorted({loc for demand in demands for loc in demand.locations})
    rows = await _locked(tx, articles, places)
    have = {(row.article_id, row.location_id) for row in rows}
    served = {article for article, _ in have}
    missing = {
        (demand.article_id, demand.locations[0])
        for demand in demands
        if demand.locations
        and not any((demand.article_id, loc) in have for loc in demand.locations)
    }
    homeless = {d.article_id for d in demands if not d.locations} - served
    if homeless:
        home = await first_location(tx)
        missing |= {(article, home) for article in homeless}
    if missing:
        await tx.do(_q.add_rows, [pair[0] for pair in missing], [pair[1] for pair in missing])
        rows = await _locked(tx, articles, places)
    return rows


async def _locked(tx: Tx, articles: list[int], places: list[int] | None) -> list[Balance]:
    return [balance_of(row) for row in await tx.rows(_q.lock_rows, ints(articles), places)]


def _by_article(rows: Iterable[Balance]) -> dict[int, list[Balance]]:
    grouped: dict[int, list[Balance]] = {}
    for row in rows:
        grouped.setdefault(row.article_id, []).append(row)
    return grouped
