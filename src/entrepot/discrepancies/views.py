"""Discrepancies, found for people."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.db import queries
from entrepot.discrepancies.flows import standing

if TYPE_CHECKING:
    from entrepot.db import Tx
    from entrepot.discrepancies.rules import Standing

_q = queries(__package__)


class Filter(Struct, frozen=True, kw_only=True):
    """Which discrepancies, newest first; None is not asked.

    ``before`` is where the page before ended: its last row's ``opened_at`` and ``id``.
    """

    only_open: bool = True
    kind: str | None = None
    connections: tuple[int, ...] | None = None
    document: str | None = None
    before: tuple[datetime, int] | None = None
    limit: int = 100


async def find(tx: Tx, wanted: Filter) -> list[Standing]:
    """Return a page of what stands (and, where asked, what was resolved)."""
    opened_at, before = wanted.before or (None, None)
    rows = await tx.rows(
        _q.find,
        wanted.only_open,
        wanted.kind,
        None if wanted.connections is None else list(wanted.connections),
        wanted.document,
        opened_at,
        before,
        wanted.limit,
    )
    return [standing(row) for row in rows]


async def count_open(tx: Tx) -> int:
    """Return how many stand."""
    number: int = await tx.value(_q.count_open)
    return number
