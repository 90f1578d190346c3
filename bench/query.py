"""The stock query of document 000 among 1,000,000 styles, against a bare handler on the same server."""

from __future__ import annotations

from statistics import median

from bench import populate
from bench.context import HERE, Context, Result, worker_memory

ARTICLES = 1_000_000
TURNS = 3
LOADS = ((1, 1), (1, 8), (1, 32), (1, 64), (1, 128), (50, 32))
"""Styles a call, and connections."""
DEMANDED = {(1, 32): 0.3, (1, 64): 0.3, (1, 128): 0.3}


async def run(context: Context) -> list[Result]:
    """Measure ours and the bare handler in turns, one worker each; the median of the turns counts.

    A shared machine drifts within minutes: what was measured before or after says little of now.
    """
    articles = context.size(ARTICLES)
    url = await context.database("query")
    path = await populate.tenant(url, context.folder, articles=articles)
    results: list[Result] = []
    with context.hub(url, "--role", "web") as (address, process), context.bare() as bare:
        targets = (f"{address}{path}/pickGoods/style/stock", f"{bare}/")
        for styles, connections in LOADS:
            load = (connections, HERE / "styles.lua", str(articles), str(styles))
            turns = [
                [context.wrk(target, *load, warm_up=0 if turn else 1) for target in targets]
                for turn in range(TURNS)
            ]
            ours, theirs = (median(rates) for rates in zip(*turns, strict=True))
            results.append(
                Result(
                    name=f"stock of {styles} among {articles:,} styles, {connections} connections",
                    value=ours,
                    unit="queries/s",
                    against=f"bare handler: {theirs:,.0f}/s",
                    ratio=ours / theirs,
                    floor=DEMANDED.get((styles, connections)),
                )
            )
        results.append(worker_memory(process))
    return results
