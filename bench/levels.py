"""A million listings of a mall: everything to a new partner, then the hundredth that changed."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from bench.context import Result, peak_memory
from bench.courier import Office, asked, open_office, sink, working
from entrepot import ids
from entrepot.courier import desk

if TYPE_CHECKING:
    from bench.context import Context

_PATIENCE = 1800.0
_ROWS = 2  # a total and one store for each listing

_ARTICLES = """
INSERT INTO article (tenant_id, id, sku) SELECT $1, n, 'L' || n FROM generate_series(1, $2::int) AS n"""
_LISTINGS = """
INSERT INTO listing (tenant_id, connection_id, id, type, key, article_id)
SELECT $1, $3, n, 'normal', n || '^^^白色', n FROM generate_series(1, $2::int) AS n"""
_STOCK = """
INSERT INTO stock (tenant_id, article_id, location_id, on_hand)
SELECT $1, n, $3, n % 50 FROM generate_series(1, $2::int) AS n"""
_CHANGED = """
WITH changed AS (
    UPDATE stock SET on_hand = on_hand + 1 WHERE tenant_id = $1 AND article_id % 100 = 7 RETURNING article_id
)
INSERT INTO stock_change (tenant_id, id, article_id) SELECT $1, article_id, article_id FROM changed"""


async def run(context: Context) -> list[Result]:
    """Measure on a database of its own."""
    n = context.size(1_000_000)
    url = await context.database("levels")
    office = await open_office(context, url)
    try:
        with sink() as address:
            connection = await _populate(office, address, n)
            with working(context, url) as pid:
                whole = await _rows_arrived(address, n * _ROWS)
                delta = await _delta(office, address, connection, n // 100)
                memory = peak_memory(pid)
    finally:
        await office.hub.close()
    name = f"{n:,} listings"
    return [
        Result(name=f"{name}: everything, to a new partner", value=whole, unit="s"),
        Result(name=f"{name}, 1 % changed: first call", value=delta[0], unit="s", ceiling=2),
        Result(name=f"{name}, 1 % changed: last call", value=delta[1], unit="s"),
        Result(name=f"{name}: the courier's peak memory", value=memory, unit="MB", ceiling=200),
    ]


async def _populate(office: Office, address: str, n: int) -> int:
    tenant_id, store = office.tenant_id, ids.new()
    async with office.hub.db.transaction(tenant_id) as tx:
        await tx.do("INSERT INTO location (tenant_id, id, code) VALUES ($1, $2, 'aaa')", store)
        await tx.value("SELECT set_config('statement_timeout', '0', true) WHERE $1::bigint > 0")
        await tx.do(_ARTICLES, n)
        await tx.do(_STOCK, n, store)
    connection = await office.connect(
        "mall", address, "minimall", stores="aaa", total_store_code="ALL", interval="1h"
    )
    async with office.hub.db.transaction(tenant_id) as tx:
        await tx.do(_LISTINGS, n, connection)
    await office.hub.db.rows("ANALYZE")
    return connection


async def _delta(office: Office, address: str, connection: int, n: int) -> tuple[float, float]:
    """Change a hundredth, have it sent; return the seconds from the commit to the first and last call."""
    asked(address, "reset")
    async with office.hub.db.transaction(office.tenant_id) as tx:
        await tx.do(_CHANGED)
    committed = time.monotonic()
    while await office.count("stock_change"):  # noqa: ASYNC110 - marked by another process
        await asyncio.sleep(0.005)
    await desk.send_levels(office.hub.db, office.tenant_id, connection)
    await _rows_arrived(address, n * _ROWS)
    seen = asked(address, "stats")
    return seen["first"] - committed, seen["last"] - committed


async def _rows_arrived(address: str, rows: int) -> float:
    """Wait until so many figures arrived; return the seconds since the first call."""
    deadline = time.monotonic() + _PATIENCE
    while (seen := asked(address, "stats"))["rows"] < rows:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{seen['rows']} of {rows} figures arrived")
        await asyncio.sleep(0.1)
    return float(seen["last"] - seen["first"])
