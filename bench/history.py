"""Fills the demonstration's tenant with months of business, set by set (``history.sql``)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from bench.context import HERE
from entrepot import clock, ids
from entrepot.db import alone

if TYPE_CHECKING:
    from entrepot.vault import Vault

DAYS, ARTICLES = 180, 100_000
PHONE = "13912345678"
_HOUR = 3600.0
_MADE_WITH = """
CREATE TEMP TABLE p AS
SELECT $1::bigint AS tenant_id, $2::bigint AS orders, $3::bigint AS movements, $4::bigint AS articles,
       $5::bigint AS last, $6::bigint AS width, $7::timestamptz AS now, $8::interval AS span,
       $9::bytea AS phone, $10::bytea AS receiver, $11::bytea AS body,
       (SELECT id FROM connection WHERE tenant_id = $1 AND name = 'goldshop') AS connection,
       (SELECT id FROM location WHERE tenant_id = $1 AND code = 'HQ') AS location
"""
_FOUND = """
SELECT o.number, o.id AS order_id, p.connection AS connection_id,
       (SELECT id FROM connection WHERE tenant_id = $1 AND name = 'minimall') AS mall_id,
       (SELECT max(id) FROM delivery WHERE tenant_id = $1 AND state = 'needs_attention') AS delivery_id
FROM p JOIN sales_order o ON o.tenant_id = $1 AND o.number = $2
"""


class History(Struct, kw_only=True):
    """What pages can be opened with: a number, a SKU, a phone, ids, and a day in the middle of it."""

    number: str
    sku: str
    phone: str
    day: str
    order_id: int
    article_id: int
    delivery_id: int
    connection_id: int
    mall_id: int


async def fill(url: str, vault: Vault, *, orders: int, movements: int) -> History:
    """Put so many orders and movements, and what goes with them, into tenant ``demo``; then analyse."""
    now, span = clock.now(), timedelta(days=DAYS)
    first, last = ids.floor(now - span), ids.floor(now)
    articles = max(50, min(ARTICLES, orders))
    receiver = vault.seal(msgspec.json.encode({"name": "陈晓明", "phone": PHONE}))
    body = vault.seal_body(msgspec.json.encode({"order_number": "H1", "phone": PHONE}))
    async with alone(url) as one:
        await one.execute("SET synchronous_commit = off")
        tenant = await one.fetchval("SELECT tenant_id FROM tenant WHERE name = 'demo'")
        await one.execute(
            _MADE_WITH, tenant, orders, movements, articles, last, last - first, now, span,
            vault.fingerprint(PHONE), receiver, body,
        )  # fmt: skip
        await one.execute((HERE / "history.sql").read_text(encoding="utf-8"), timeout=_HOUR)
        await one.execute("VACUUM ANALYZE", timeout=_HOUR)
        found = await one.fetchrow(_FOUND, tenant, f"H{max(1, orders // 10 * 5 + 1):08}")
    return History(
        **dict(found.items()),
        sku="B0000031",
        phone=PHONE,
        day=f"{now - span / 2:%Y-%m-%d}",
        article_id=31,
    )
