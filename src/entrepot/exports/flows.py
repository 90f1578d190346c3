"""Bring a file out: everything of a kind as it is at one moment, row by row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.exports.files import writing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from entrepot.db import Database
    from entrepot.exports.kinds import Ask

_OFTEN = 1000


async def run(
    db: Database,
    tenant_id: int,
    ask: Ask,
    path: Path,
    *,
    personal: bool = False,
    progress: Callable[[int], None] = lambda _rows: None,
) -> int:
    """Write all rows of a kind; return how many. Raises Unusable, and then there is no file."""
    rows = 0
    with writing(path) as write:
        async with db.transaction(tenant_id, isolation="repeatable_read", readonly=True) as tx:
            table = await ask(tx, personal=personal)
            write(table.header)
            async for cells in table.rows:
                write(cells)
                rows += 1
                if rows % _OFTEN == 0:
                    progress(rows)
    return rows
