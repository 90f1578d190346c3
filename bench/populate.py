"""Puts a tenant of any size into a database, by COPY."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from entrepot import clock, dialects, ids
from entrepot.connections import flows as connections
from entrepot.connections import rules
from entrepot.connections.flows import NewConnection
from entrepot.db import Database, alone
from entrepot.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ON_HAND = 1_000_000
WEIGHT = Decimal("2500000.5")
_SLICE = 50_000
_MOVEMENT = (
    "tenant_id", "at", "id", "article_id", "location_id", "kind", "delta", "on_hand", "weight_delta",
)  # fmt: skip
_LYING = (ON_HAND, ON_HAND, WEIGHT)


async def tenant(url: str, folder: Path, *, articles: int) -> str:
    """Make tenant ``bench`` with so many styles ``S0…`` at ``HQ`` and a goldshop connection.

    Returns the path of the connection's base URL (``/c/…``).
    """
    vault = Vault.open(folder / "hub" / "entrepot.key")
    db = await Database.open(url, size=2)
    db.seal = vault.seal
    db.listens = lambda *_: False
    tenant_id, location_id, now = ids.new(), ids.new(), clock.now()
    async with db.transaction(tenant_id) as tx:
        await connections.add_tenant(tx, "bench", {"allowed_networks": ["127.0.0.0/8"]})
        await tx.do("INSERT INTO location (tenant_id, id, code) VALUES ($1, $2, 'HQ')", location_id)
        new = NewConnection(name="goldshop", dialect="goldshop")
        await connections.add(tx, vault, dialects.discover(), new, who="bench")
        for start in range(0, articles, _SLICE):
            rows = list(_articles(range(start, min(start + _SLICE, articles))))
            await tx.copy(
                "article",
                ("tenant_id", "id", "sku", "style_no", "name"),
                [(tenant_id, i, name, name, "款式") for i, name in rows],
            )
            await tx.copy(
                "stock",
                ("tenant_id", "article_id", "location_id", "on_hand", "weight"),
                [(tenant_id, i, location_id, ON_HAND, WEIGHT) for i, _ in rows],
            )
            await tx.copy(
                "movement",
                _MOVEMENT,
                [(tenant_id, now, ids.new(), i, location_id, "import", *_LYING) for i, _ in rows],
            )
        sealed = await tx.value("SELECT sealed FROM credential WHERE tenant_id = $1")
    await db.close()
    async with alone(url) as one:
        await one.execute("ANALYZE")
    return f"/c/{msgspec.json.decode(vault.unseal(sealed))[rules.URL_KEY]}"


def _articles(numbers: range) -> Iterator[tuple[int, str]]:
    return ((ids.new(), f"S{number}") for number in numbers)
