"""Stock at named places: what sourcing promises and outlets ship. In the caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot import ids
from entrepot.db import Again, ints
from entrepot.stock import flows
from entrepot.stock.flows import Move, Pair, _q

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from entrepot.db import Row, Tx
    from entrepot.stock.rules import Balance


class Pick(Struct, frozen=True, kw_only=True):
    """Pieces of one article to be promised to a document at one place."""

    document_id: int
    article_id: int
    location_id: int
    qty: int


class Part(Struct, frozen=True, kw_only=True):
    """Pieces of one article that leave of what a document holds at one place."""

    document_id: int
    article_id: int
    location_id: int
    qty: int
    number: str


async def take_turns(tx: Tx, articles: Collection[int]) -> None:
    """Wait until no other transaction is sourcing these articles; others wait for this one's end.

    Taken after the documents' rows and before any stock row.
    """
    await tx.rows(_q.take_turns, ints(sorted(set(articles))))


async def promise(tx: Tx, picks: Sequence[Pick], also: Collection[Pair] = ()) -> None:
    """Reserve pieces where they are available; raises Again where they are no longer.

    ``also`` are further rows that the caller will change, so that all are locked in one order.
    """
    wanted: dict[Pair, int] = {}
    for pick in picks:
        pair = (pick.article_id, pick.location_id)
        wanted[pair] = wanted.get(pair, 0) + pick.qty
    balances = await flows.lock(tx, {*wanted, *also})
    if any(balances[pair].available < qty for pair, qty in wanted.items()):
        raise Again("stock that was seen free has been promised meanwhile")
    if not picks:
        return
    changed = sorted({pick.article_id for pick in picks})
    await tx.do(
        _q.reserve,
        ints(ids.some(len(picks))),
        ints([pick.document_id for pick in picks]),
        ints(0 for _ in picks),
        ints([pick.article_id for pick in picks]),
        ints([pick.location_id for pick in picks]),
        ints([pick.qty for pick in picks]),
        ints(ids.some(len(changed))),
        ints(changed),
        ints([pair[0] for pair in wanted]),
        ints([pair[1] for pair in wanted]),
        ints(wanted.values()),
    )


async def held(tx: Tx, document_ids: Collection[int]) -> list[Row]:
    """Return what these documents hold; their own rows are locked by the caller."""
    if not document_ids:
        return []
    return await tx.rows(_q.open_reservations, list(document_ids))


async def take(tx: Tx, parts: Sequence[Part], who: str, also: Sequence[Move] = ()) -> list[Move]:
    """Ship pieces of what documents hold, after the moves ``also``.

    An outlet may ship what the books no longer have there: then as many are found first (a movement
    ``found``). Returns the moves that were added for that.
    """
    if not parts:
        return []
    rows = await held(tx, {part.document_id for part in parts})
    pairs = {(p.article_id, p.location_id) for p in parts}
    pairs |= {(m.article_id, m.location_id) for m in also}
    balances = await flows.lock(tx, pairs)
    uses = _uses(parts, rows)
    await tx.do(
        _q.take,
        [row["document_id"] for row, _ in uses],
        [row["id"] for row, _ in uses],
        [qty for _, qty in uses],
        ids.some(len(uses)),
    )
    found, moves = _leaving(parts, balances, also, who)
    await flows.move(tx, moves)
    return found


def _uses(parts: Sequence[Part], rows: Sequence[Row]) -> list[tuple[Row, int]]:
    """Return which reservations the parts use up, and how much of each."""
    holding: dict[Pair, list[int]] = {}
    for position, row in enumerate(rows):
        holding.setdefault((row["document_id"], row["article_id"]), []).append(position)
    used = [0] * len(rows)
    for part in parts:
        qty = part.qty
        for position in holding.get((part.document_id, part.article_id), ()):
            use = min(qty, rows[position]["qty"] - used[position])
            used[position] += use
            qty -= use
    return [(row, qty) for row, qty in zip(rows, used, strict=True) if qty]


def _leaving(
    parts: Sequence[Part], balances: dict[Pair, Balance], also: Sequence[Move], who: str
) -> tuple[list[Move], list[Move]]:
    """Return the moves that find what the books lack, and all moves in their order."""
    on_hand = {pair: balance.on_hand for pair, balance in balances.items()}
    found: list[Move] = []
    moves: list[Move] = []

    def moved(move: Move) -> None:
        pair = (move.article_id, move.location_id)
        lacking = -(on_hand[pair] + move.delta)
        if lacking > 0:
            found.append(_move(move, lacking, "found", who))
            moves.append(found[-1])
            on_hand[pair] += lacking
        moves.append(move)
        on_hand[pair] += move.delta

    for move in also:
        moved(move)
    for part in parts:
        moved(
            Move(
                article_id=part.article_id,
                location_id=part.location_id,
                delta=-part.qty,
                kind="shipment",
                document=part.number,
                who=who,
            )
        )
    return found, moves


def _move(like: Move, delta: int, kind: str, who: str) -> Move:
    return Move(
        article_id=like.article_id,
        location_id=like.location_id,
        delta=delta,
        kind=kind,
        document=like.document,
        who=who,
    )
