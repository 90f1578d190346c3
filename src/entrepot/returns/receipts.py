"""Goods signed in: stock rises at the depot, a suite's as its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.catalogue import suites
from entrepot.catalogue.rules import brought_back, explode
from entrepot.db import queries
from entrepot.papers.rules import Paper
from entrepot.returns.rules import Line
from entrepot.stock import flows as stock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from entrepot.db import Row, Tx

_q = queries(__package__)


class Receipt(Struct, frozen=True):
    """A return whose goods arrived at a location."""

    paper: Paper
    location_id: int
    lines: Sequence[Line]
    who: str


class _Out(Struct):
    """What left of one suite on one order: ``taken`` pieces by part; ``back`` suites came back so far."""

    taken: dict[int, int]
    ordered: int
    back: int = 0


async def sign_in(tx: Tx, receipts: Sequence[Receipt]) -> None:
    """Move the goods in. Whatever the portions a suite comes back in, its parts come back as they left."""
    out = await _out(tx, receipts)
    parts = await suites.parts_of(
        tx, {line.article_id for receipt in receipts for line in receipt.lines if line.suite}
    )
    await stock.move(
        tx,
        [
            stock.Move(
                article_id=article_id,
                location_id=receipt.location_id,
                delta=pieces,
                kind="return",
                document=receipt.paper.number,
                who=receipt.who,
            )
            for receipt in receipts
            for article_id, pieces in _pieces(receipt, out, parts)
            if pieces
        ],
    )


async def _out(tx: Tx, receipts: Sequence[Receipt]) -> dict[tuple[int, int], _Out]:
    """Return what left of the suites that come back, by (order id, suite's article id)."""
    found: dict[tuple[int, int], _Out] = {}
    suite_ids = {line.article_id for receipt in receipts for line in receipt.lines if line.suite}
    if not suite_ids:
        return found
    order_ids = {receipt.paper.order_id for receipt in receipts}
    for row in await tx.rows(_q.parts_out, list(order_ids), list(suite_ids)):
        one = found.setdefault(_key(row), _Out({}, row["ordered"]))
        one.taken[row["part_id"]] = row["taken"]
    for row in await tx.rows(_q.brought_back, list(order_ids), list(suite_ids)):
        if _key(row) in found:
            found[_key(row)].back = row["qty"]
    return found


def _pieces(
    receipt: Receipt, out: Mapping[tuple[int, int], _Out], parts: suites.Parts
) -> Iterator[tuple[int, int]]:
    """Yield (article id, pieces) of a return, in order."""
    for line in receipt.lines:
        left = out.get((receipt.paper.order_id, line.article_id))
        if left is None:  # a single article, or a suite that left without our stock knowing
            for _, article_id, pieces in explode([(line.article_id, line.qty)], parts):
                yield article_id, pieces
            continue
        for part_id, taken in left.taken.items():
            yield part_id, brought_back(taken, left.ordered, left.back, line.qty)
        left.back += line.qty


def _key(row: Row) -> tuple[int, int]:
    return row["order_id"], row["suite_id"]
