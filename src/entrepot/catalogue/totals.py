"""Stated totals against the sums over the places: where they differ, an operator is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.db import ints, queries
from entrepot.discrepancies import flows as discrepancies
from entrepot.discrepancies.rules import Key, Seen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Tx

_q = queries(__package__)
KIND = "total"


class Side(Struct, frozen=True, kw_only=True):
    """One name whose total is to be compared; ``total`` None: as it was stated before, if it differed.

    ``subject`` is what the partner calls it (``normal 1^^^8G``), ``places`` whose sum it is (empty: all).
    """

    connection_id: int
    subject: str
    article_id: int
    places: tuple[str, ...] = ()
    total: int | None = None

    @property
    def key(self) -> Key:
        """Return what a difference is known by."""
        return (self.connection_id, KIND, self.subject)


async def compare(tx: Tx, sides: Sequence[Side]) -> None:
    """Open a discrepancy for every total that is not the sum, and close those that agree again."""
    if not sides:
        return
    silent = [side.key for side in sides if side.total is None]
    before = await discrepancies.open_among(tx, silent)
    stated = {
        side.key: before[side.key].details["stated"] if side.total is None else side.total
        for side in sides
        if side.total is not None or side.key in before
    }
    known = [side for side in sides if side.key in stated]
    if not known:
        return
    sums = await _sums(tx, known)
    await discrepancies.agree(tx, [s.key for s in known if stated[s.key] == sums[s.key]])
    await discrepancies.see(
        tx,
        [_seen(s, stated[s.key], sums[s.key]) for s in known if stated[s.key] != sums[s.key]],
    )


async def _sums(tx: Tx, sides: Sequence[Side]) -> dict[Key, int]:
    """Return the pieces that may be sold over each one's places."""
    sets: dict[tuple[str, ...], int] = {(): 0}
    for side in sides:
        sets.setdefault(side.places, len(sets))
    pairs = [(number, code) for places, number in sets.items() for code in places]
    rows = await tx.rows(
        _q.sums,
        ints(range(len(sides))),
        ints(side.article_id for side in sides),
        ints(sets[side.places] for side in sides),
        [number for number, _ in pairs],
        [code for _, code in pairs],
    )
    found = {row["at"]: row["pieces"] for row in rows}
    return {side.key: found.get(at, 0) for at, side in enumerate(sides)}


def _seen(side: Side, stated: int, total: int) -> Seen:
    return Seen(
        kind=KIND,
        subject=side.subject,
        text=f"{side.subject}: the total is stated as {stated}, the stores hold {total}.",
        connection_id=side.connection_id,
        details={"stated": stated, "stores": total},
    )
