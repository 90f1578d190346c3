"""A person's act on everything a filter finds, 100,000 at once; whoever began it may go away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from bench.context import Result
from bench.courier import Office, open_office
from entrepot.courier import desk

if TYPE_CHECKING:
    from bench.context import Context
    from entrepot.courier.desk import Act

_GIVEN_UP = """
WITH given_up AS (
    UPDATE delivery SET state = 'needs_attention', attempts = 30, last_error = 'HTTP 503' WHERE tenant_id = $1
)
UPDATE lane SET due = 'infinity' WHERE tenant_id = $1"""


async def run(context: Context) -> list[Result]:
    """Retry all of them, then cancel all of them; no courier is at work."""
    n = context.size(100_000)
    office = await open_office(context, await context.database("desk"))
    try:
        connection = await office.connect("away", "http://127.0.0.1:9")
        await office.ship(connection, [f"N{i}" for i in range(n)])
        async with office.hub.db.transaction(office.tenant_id) as tx:
            await tx.do(_GIVEN_UP)
        retried = await _act(office, "retry", "needs_attention")
        due = await office.count("lane", "forced AND due = '-infinity'")
        cancelled = await _act(office, "cancel", "waiting")
        left = await office.count("lane") + await office.count("delivery", "settled_at IS NULL")
        logged = await office.count("delivery_log")
    finally:
        await office.hub.close()
    name = f"{n:,} deliveries by filter"
    return [
        Result(name=f"{name}: retried", value=retried, unit="s"),
        Result(name=f"{name}: due at once", value=due, unit="", floor=n),
        Result(name=f"{name}: cancelled", value=cancelled, unit="s"),
        Result(name=f"{name}: left over", value=left, unit="", ceiling=0),
        Result(name=f"{name}: acts logged", value=logged, unit="", floor=2 * n),
    ]


async def _act(office: Office, what: Act, state: str) -> float:
    """Act on all; who began it leaves after the first thousand, and another finds it and goes on."""
    db, wanted = office.hub.db, desk.Filter(state=state)
    began = time.perf_counter()
    act = await desk.begin(db, office.tenant_id, what, wanted, who="bench", reason="back again")
    await desk.go_on(db, office.tenant_id, act)
    for tenant_id, found in await desk.acts_under_way(db):
        while not (await desk.go_on(db, tenant_id, found)).finished:
            pass
    return time.perf_counter() - began
