"""An order is to be void: the outlets that know of it are asked, and what they answer decides.

The question goes through the courier; no transaction waits for it. Whoever asked looks again
(``standing``) until it is decided or its patience ends; the asking goes on either way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from entrepot import ids
from entrepot.db import ints
from entrepot.dispatch import books as ledger
from entrepot.dispatch import rules
from entrepot.dispatch.books import _q
from entrepot.dispatch.refusing import close, give_up, recall
from entrepot.errors import Conflict, Missing, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Row, Tx
    from entrepot.dispatch.rules import Note, Order

Verdict = Literal["void", "asking", "left"]
"""void: nothing is or will be shipped · asking: not all outlets have answered · left: goods have left."""


class Void(Struct, frozen=True, kw_only=True):
    """An order to be void, by the ordering side's number; ``connection_id`` 0: the hub's own.

    An unknown number is taken as void, so that the order stays void should it come later; the caller
    learns that it is void, or, with ``unknown`` told, that nobody knows it.
    """

    number: str
    who: str
    connection_id: int
    kind: str = "order"
    unknown: Literal["void", "told"] = "void"


class Asked(Struct, frozen=True, kw_only=True):
    """How a void stands."""

    order_id: int
    verdict: Verdict


async def begin(tx: Tx, batch: Sequence[Void]) -> list[Asked | Refused]:
    """Void orders, or begin to ask the outlets; where goods have left it is ``order_left`` at once."""
    buried = await _bury(tx, batch)
    rows = await tx.rows(
        _q.numbered,
        [void.connection_id for void in batch],
        [void.kind for void in batch],
        [void.number for void in batch],
    )
    named = {(row["connection_id"], row["kind"], row["number"]): row["order_id"] for row in rows}
    books = await ledger.opened(tx, set(named.values()))
    asked: list[tuple[Order, Note]] = []
    for void in batch:
        order = books.orders.get(named.get(_guard(void), 0))
        if order is None or order.voiding or _verdict(order) != "asking":
            continue
        books.who[order.id] = void.who
        order.voiding = True
        books.log(order, "to be voided")
        asked += [(order, note) for note in order.open_notes if note.recall_id is None]
    gone = await recall(tx, books, asked)
    for order, note in gone:
        give_up(books, order, note, "void")
    await close(tx, books, gone)
    return [_outcome(void, books.orders.get(named.get(_guard(void), 0)), buried) for void in batch]


async def standing(tx: Tx, batch: Sequence[int]) -> list[Verdict]:
    """Return how the voids of these orders (by id) stand."""
    rows = {row["id"]: row for row in await tx.rows(_q.void_standing, ints(batch))}
    return [_stands(rows[order_id]) for order_id in batch]


def _verdict(order: Order) -> Verdict:
    """Return how a void of this order stands, or would."""
    if order.state in ("cancelled", "oversold"):
        return "void"
    return "left" if rules.void_decided(order) is False else "asking"


def _stands(row: Row) -> Verdict:
    if row["asking"]:
        return "asking"
    return "void" if row["state"] in ("cancelled", "oversold") else "left"


def _outcome(void: Void, order: Order | None, buried: set[int]) -> Asked | Refused:
    if order is None:
        text = f"Order {void.number} is not shipped by outlets."
        return Conflict("order_not_ours", text, number=void.number)
    if order.id in buried and void.unknown == "told":
        return Missing("unknown_order", f"There is no order {void.number}.", number=void.number)
    verdict: Verdict = "asking" if order.voiding else _verdict(order)
    if verdict == "left":
        text = f"Goods of order {void.number} have left."
        return Conflict("order_left", text, number=void.number)
    return Asked(order_id=order.id, verdict=verdict)


def _guard(void: Void) -> tuple[int, str, str]:
    return void.connection_id, void.kind, void.number


async def _bury(tx: Tx, batch: Sequence[Void]) -> set[int]:
    """Take unknown numbers as void orders; return the ids of those."""
    first = {_guard(void): void for void in batch}
    rows = await tx.rows(
        _q.tombstones,
        [guard[0] for guard in first],
        [guard[1] for guard in first],
        [guard[2] for guard in first],
        ids.some(len(first)),
        [void.who for void in first.values()],
    )
    return {row["order_id"] for row in rows}
