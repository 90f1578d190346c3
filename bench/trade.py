"""The list of 1,000,000 adjustments: any filter, any page, with its true count; at the database."""

from __future__ import annotations

import statistics
import time
from functools import partial
from typing import TYPE_CHECKING

from bench.context import Result
from entrepot import ids
from entrepot.connections import flows as connections
from entrepot.db import Database, alone
from entrepot.errors import Unusable
from entrepot.papers import pages
from entrepot.papers.rules import Search

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.context import Context
    from entrepot.db import Tx

PAPERS, CUSTOMERS, A_DAY = 1_000_000, 5_000, 900
BOUND_MS = 20.0
_ROUNDS = 15
_CUSTOMERS = """
INSERT INTO customer (tenant_id, id, name)
SELECT $1, n,
       (ARRAY['沈阳市', '大连市', '天津市', '北京市', '鞍山市', '抚顺市', '锦州市'])[1 + n % 7]
       || (ARRAY['皇姑区', '和平区', '铁西区', '甘井子区', '中山区'])[1 + n / 7 % 5]
       || (ARRAY['金鹏', '顺发', '海悦', '福满'])[1 + n / 35 % 4] || '小火锅餐厅' || n
FROM generate_series(1, $2::int) AS n
"""
_PAPERS = """
INSERT INTO paper (tenant_id, kind, id, number, variant, state, order_id, order_number, customer_id,
                   creator, creator_name, creator_role, created_at)
SELECT $1, 'AP', n, 'AP' || to_char(at, 'YYMMDD') || lpad((1 + n % $3)::text, 7, '0'), variant,
       CASE WHEN draw < 2 THEN 'RUN' WHEN draw < 4 AND variant = 'AFTER' THEN 'PASS'
            WHEN draw < 12 THEN 'INVALID' ELSE 'COMPLETE' END,
       n, 'SA' || to_char(at, 'YYMMDD') || lpad((hashint4(n) & 1048575)::text, 7, '0'),
       1 + (hashint4(n) & 1048575) % $4, 518, '孙启萌', 1, at
FROM generate_series(1, $2::int) AS n,
     LATERAL (SELECT timestamptz '2023-01-01 12:00Z' + n / $3 * interval '1 day' AS at,
                     (hashint4(n + 7) & 65535) % 100 AS draw,
                     CASE WHEN hashint4(n + 13) & 3 = 0 THEN 'BEFORE' ELSE 'AFTER' END AS variant) AS drawn
"""
_LOOKED = """
SELECT count(*) FROM paper p
WHERE tenant_id = $1 AND kind = 'AP' AND NOT deleted
  AND ($2::text[] = '{}' OR variant = ANY($2::text[])) AND ($3::text[] = '{}' OR state = ANY($3::text[]))
  AND strpos(number, $4) > 0 AND strpos(order_number, $5) > 0
  AND (strpos(number, $6) > 0 OR strpos(order_number, $6) > 0)
  AND ($7 = '' OR customer_id IN (SELECT id FROM customer c
                                  WHERE c.tenant_id = $1 AND strpos(c.name, $7) > 0))
"""


async def run(context: Context) -> list[Result]:
    """Fill a tenant, then time every search; each total is compared with looking at every adjustment."""
    count = context.size(PAPERS)
    url = await context.database("trade")
    db = await Database.open(url, size=2)
    tenant_id = ids.new()
    try:
        async with db.transaction(tenant_id) as tx:
            await connections.add_tenant(tx, "bench", {})
            await tx.do(_CUSTOMERS, min(CUSTOMERS, count))
            await tx.do(_PAPERS, count, A_DAY, min(CUSTOMERS, count))
        started = time.perf_counter()
        await db.run(tenant_id, lambda tx: pages.rebuild(tx, "AP"))
        results = [
            Result(
                name=f"bitmaps of {count:,} adjustments made anew",
                value=time.perf_counter() - started,
                unit="s",
            )
        ]
        async with alone(url) as one:
            await one.execute("VACUUM ANALYZE")
        async with db.transaction(tenant_id) as tx:
            results += [await _timed(tx, *named) for named in searches(count)]
        return results
    finally:
        await db.close()


def searches(count: int) -> Iterator[tuple[str, Search]]:
    """Yield the searches by what they are: everything the list can be asked, near and far."""
    ap = partial(Search, kind="AP")
    deep = max(1, count // 25 // 2)
    yield "everything, first page", ap()
    yield "everything, middle page", ap(page=deep)
    yield "everything, last page", ap(page=deep * 2)
    yield "everything, 200 a page, deep", ap(size=200, page=max(1, count // 200 - 3))
    yield "one type", ap(variants=("BEFORE",))
    yield "two states, deep", ap(states=("INVALID", "COMPLETE"), page=max(1, deep // 2))
    yield "a rare state of one type", ap(variants=("AFTER",), states=("PASS",))
    yield "one number", ap(number=f"{count // A_DAY // 2 % 28 + 1:02}0000123")
    yield "a day, in numbers", ap(number="230315")
    yield "three digits anywhere, deep", ap(number="012", page=20)
    yield "one digit anywhere", ap(number="7")
    yield "one digit anywhere, in a deep page", ap(order="7", page=max(1, deep // 2))
    yield "a month, in orders' numbers", ap(order="SA2304")
    yield "either number", ap(either="0123")
    yield "one digit of either number, deep", ap(either="5", page=max(1, deep // 2))
    yield (
        "type, states and both numbers",
        ap(variants=("AFTER",), states=("RUN", "PASS"), number="23", order="1"),
    )
    yield "all keywords at once", ap(number="2", order="3", either="4", states=("COMPLETE",))
    yield "what nobody has", ap(number="XYZ")
    yield "one customer", ap(customer="餐厅4711")
    yield "some customers, and a state", ap(customer="餐厅471", states=("COMPLETE",))


async def _timed(tx: Tx, name: str, search: Search) -> Result:
    """Return the median of some runs, in milliseconds, the client's part included."""
    took = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        found = await pages.find(tx, search)
        took.append((time.perf_counter() - started) * 1000)
    keywords = (search.number, search.order, search.either, search.customer)
    wanted = await tx.value(_LOOKED, list(search.variants), list(search.states), *keywords)
    start = (search.page - 1) * search.size
    shown = max(0, min(search.size, wanted - start))
    if (found.total, len(found.papers)) != (wanted, shown):
        raise Unusable(f"{name}: {found.total} and {len(found.papers)}, not {wanted} and {shown}.")
    return Result(
        name=name,
        value=statistics.median(took),
        unit="ms",
        against=f"{wanted:,} found",
        ceiling=BOUND_MS,
    )
