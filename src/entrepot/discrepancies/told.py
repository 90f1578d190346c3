"""Discrepancies as facts, announced in the transaction that opens or resolves them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from entrepot import facts
from entrepot.courier.outbox import Announcement, announce

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Row, Tx


def heard(tx: Tx) -> bool:
    """Tell whether anybody is told that discrepancies are opened."""
    return bool(tx.overhearers(facts.DiscrepancyOpened.kind))


async def opened(tx: Tx, rows: Sequence[Row]) -> None:
    """Tell of discrepancies that were just opened."""
    await _announce(tx, rows, [facts.DiscrepancyOpened(**_about(tx, row)) for row in rows])


async def resolved(tx: Tx, rows: Sequence[Row], *, by_hand: bool) -> None:
    """Tell of discrepancies that were just resolved, each for its ``reason``."""
    if not tx.overhearers(facts.DiscrepancyResolved.kind):
        return
    said = [
        facts.DiscrepancyResolved(**_about(tx, row), reason=row["reason"], by_hand=by_hand)
        for row in rows
    ]
    await _announce(tx, rows, said)


async def _announce(tx: Tx, rows: Sequence[Row], said: Sequence[facts.Fact]) -> None:
    news = [
        Announcement(connection_id=None, key=row["id"], fact=fact)
        for row, fact in zip(rows, said, strict=True)
    ]
    await announce(tx, news)


def _about(tx: Tx, row: Row) -> dict[str, Any]:
    partner = tx.partner(row["connection_id"])
    return {
        "number": row["document"] or row["subject"],
        "id": str(row["id"]),
        "about": row["kind"],
        "connection": partner.name if partner else "",
        "subject": row["subject"],
        "text": row["text"],
        "figures": msgspec.json.decode(row["details"]),
    }
