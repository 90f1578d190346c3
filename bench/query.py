"""The stock query of document 000 among 1,000,000 styles, against a bare handler on the same server."""

from __future__ import annotations

from bench import populate
from bench.context import HERE, Context, Result, worker_memory

ARTICLES = 1_000_000
CONNECTIONS = 32
DEMANDED = {1: 0.3}


async def run(context: Context) -> list[Result]:
    """Measure 1 and 50 styles a call, the bare handler between two turns of ours; one worker each."""
    articles = context.size(ARTICLES)
    url = await context.database("query")
    path = await populate.tenant(url, context.folder, articles=articles)
    results: list[Result] = []
    with context.hub(url, "--role", "web") as (address, process), context.bare() as bare:
        for styles in (1, 50):
            script, arguments = HERE / "styles.lua", (str(articles), str(styles))
            target = f"{address}{path}/pickGoods/style/stock"
            before = context.wrk(target, CONNECTIONS, script, *arguments)
            theirs = context.wrk(f"{bare}/", CONNECTIONS, script, *arguments)
            after = context.wrk(target, CONNECTIONS, script, *arguments)
            ours = (before + after) / 2
            results.append(
                Result(
                    name=f"stock of {styles} among {articles:,} styles",
                    value=ours,
                    unit="queries/s",
                    against=f"bare handler: {theirs:,.0f}/s",
                    ratio=ours / theirs,
                    floor=DEMANDED.get(styles),
                )
            )
        results.append(worker_memory(process))
    return results
