"""Listings that end: a connection calls an article by a name no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.db import queries

if TYPE_CHECKING:
    from entrepot.db import Tx

_q = queries(__package__)


async def unlist(tx: Tx, connection_id: int, kind: str, key: str) -> str | None:
    """Take a connection's name of goods away; return the SKU it stood for, None where there was none.

    Its level is told no more; what the partner was told last stays as it is there.
    """
    sku: str | None = await tx.value(_q.unlist, connection_id, kind, key)
    return sku
