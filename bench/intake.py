"""Order intake over HTTP, durable, against pgbench storing the same rows one transaction an order."""

from __future__ import annotations

from bench import populate
from bench.context import HERE, Context, Result, worker_memory

ARTICLES = 1000
DEMANDED = {32: 0.5}


async def run(context: Context) -> list[Result]:
    """Measure at 1, 8, 32 and 64 connections, ours and pgbench's in turn; one worker."""
    url = await context.database("intake")
    path = await populate.tenant(url, context.folder, articles=ARTICLES)
    results: list[Result] = []
    with context.hub(url, "--role", "web") as (address, process):
        target = f"{address}{path}/pickGoods/send"
        for connections in (1, 8, 32, 64):
            script, arguments = HERE / "order.lua", (str(ARTICLES), str(connections))
            before = context.wrk(target, connections, script, *arguments)
            theirs = context.pgbench(url, HERE / "order.sql", connections)
            after = context.wrk(target, connections, script, *arguments, warm_up=0)
            ours = (before + after) / 2
            results.append(
                Result(
                    name=f"order intake, {connections} connections",
                    value=ours,
                    unit="orders/s",
                    against=f"pgbench, {connections} clients: {theirs:,.0f}/s",
                    ratio=ours / theirs,
                    floor=DEMANDED.get(connections),
                )
            )
        results.append(worker_memory(process))
    return results
