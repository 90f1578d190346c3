"""No statement about levels reads a catalogue, whatever PostgreSQL knows of its tables."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from entrepot import clock
from entrepot.courier import levels
from entrepot.db import queries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from entrepot.db import Tx
    from tests.courier.bureau import Bureau

_q = queries(levels.__package__ or "")
LISTINGS, CHANGED, PAGE = 20_000, 200, 100
LARGE = {"level", "listing", "article"}
EXPLAIN = "EXPLAIN (ANALYZE, FORMAT JSON) "

_ARTICLES = """
INSERT INTO article (tenant_id, id, sku, style_no)
SELECT $1, n, 'L' || n, 'L' || n FROM generate_series(1, $2::int) n"""
_LISTINGS = """
INSERT INTO listing (tenant_id, connection_id, id, type, key, article_id)
SELECT $1, $3, n, 'normal', n || '^^^1', n FROM generate_series(1, $2::int) n"""
_LEVELS = """
INSERT INTO level (tenant_id, connection_id, item, article_id, told)
SELECT $1, $3, n, n, '0' FROM generate_series(1, $2::int) n"""
_FEED = "INSERT INTO feed (tenant_id, connection_id, told_url, shape) VALUES ($1, $2, $3, 'x')"
_CHANGED = """
INSERT INTO stock_change (tenant_id, id, article_id) SELECT $1, n, n * 7 FROM generate_series(1, $2::int) n"""


@pytest.mark.parametrize("known", [False, True], ids=["never analyzed", "analyzed"])
@pytest.mark.parametrize("plan", ["force_custom_plan", "force_generic_plan"])
async def test_what_is_read_depends_on_what_changed(bureau: Bureau, known: bool, plan: str) -> None:
    """200 of 20,000 changed: each statement of a round touches some hundred rows of the large tables."""
    connection = await bureau.connect("http://127.0.0.1:9")
    styles = await bureau.connect("http://127.0.0.1:9")
    async with bureau.db.transaction(bureau.tenant_id) as tx:
        await tx.do(_ARTICLES, LISTINGS)
        await tx.do(_LISTINGS, LISTINGS, connection)
        await tx.do(_LEVELS, LISTINGS, connection)
        await tx.do(_CHANGED, CHANGED)
    if known:
        await bureau.db.rows("ANALYZE")
    url = "http://127.0.0.1:9"
    asked = [bureau.tenant_id], [connection], [0], [1e9], [url], ["x"]
    later = clock.now() + timedelta(hours=1)
    async with bureau.db.transaction(bureau.tenant_id) as tx:
        await tx.do(_FEED, connection, url)
    assert touched(await bureau.db.rows(EXPLAIN + _q.feeds_due, *asked)) <= PAGE
    async with bureau.db.transaction(bureau.tenant_id) as tx:
        await tx.value(f"SELECT set_config('plan_cache_mode', '{plan}', true) WHERE $1::bigint > 0")
        await tx.do(_q.by_index)
        marking = await cost(tx, _q.mark_levels, [connection], [styles], 1000, [])
        assert CHANGED <= marking <= 4 * CHANGED
        for name in ("dirty_listings", "dirty_styles"):
            assert PAGE <= await cost(tx, getattr(_q, name), connection, PAGE, later) <= 3 * PAGE
        for name in ("all_listings", "all_styles"):
            assert PAGE <= await cost(tx, getattr(_q, name), connection, PAGE, 15_000) <= 3 * PAGE


async def cost(tx: Tx, query: str, *args: object) -> int:
    """Run a statement; return how many rows of the large tables its plan looked at."""
    return touched(await tx.rows(EXPLAIN + query, *args))


def touched(explained: Any) -> int:
    """Return how many rows of the large tables a plan looked at, thrown away or not."""
    return sum(
        round((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in nodes(json.loads(explained[0][0])[0]["Plan"])
        if node.get("Relation Name") in LARGE and "Scan" in node["Node Type"]
    )


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Iterate over a plan's nodes."""
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)
