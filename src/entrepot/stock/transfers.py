"""Move stock between locations, weight and all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.errors import Conflict
from entrepot.stock import flows, rules
from entrepot.stock.flows import Move

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Tx


class Transfer(Struct, frozen=True, kw_only=True):
    """Pieces that go from one location to another; their weight goes with them."""

    article_id: int
    source_id: int
    target_id: int
    qty: int
    document: str = ""
    who: str = ""


async def transfer(tx: Tx, batch: Sequence[Transfer]) -> None:
    """Move pieces between locations; raises Conflict (``not_on_hand``), then nothing moves.

    Reservations stay where they are: what is promised at a location may come to exceed what lies there.
    """
    ends = {(t.article_id, place) for t in batch for place in (t.source_id, t.target_id)}
    balances = await flows.lock(tx, ends)
    moves = []
    for t in batch:
        source = balances[t.article_id, t.source_id]
        target = balances[t.article_id, t.target_id]
        if source.on_hand < t.qty:
            text = "There are fewer pieces on hand."
            raise Conflict("not_on_hand", text, article=t.article_id, on_hand=source.on_hand)
        grams = source.weight
        if source.on_hand > t.qty:
            grams = rules.weight_of(t.qty, source.on_hand, source.weight)
        for balance, sign in ((source, -1), (target, 1)):
            balance.on_hand += sign * t.qty
            balance.weight += sign * grams
            moves.append(
                Move(
                    article_id=t.article_id,
                    location_id=balance.location_id,
                    delta=sign * t.qty,
                    weight=sign * grams,
                    kind="transfer",
                    document=t.document,
                    who=t.who,
                )
            )
    await flows.move(tx, moves)
