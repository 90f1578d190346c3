"""From ``entrepot serve`` to ready: with nothing at all, and with 1,000,000 articles in the database."""

from __future__ import annotations

import os
import subprocess

from bench import populate
from bench.context import ENTREPOT, Context, Result, free_port, wait_for
from entrepot import embedded, migrate

ARTICLES = 1_000_000
CEILING_S = 3.0


async def run(context: Context) -> list[Result]:
    """Measure each once, on an embedded server that has to be started too."""
    results = [_result("empty, database made first", _start(context, "empty"))]
    articles = context.size(ARTICLES)
    full = context.folder / "full"
    server = embedded.start(full)
    await migrate.migrate(server.dsn)
    await populate.tenant(server.dsn, context.folder / "full", articles=articles)
    (full / "hub" / "entrepot.key").rename(full / "entrepot.key")
    server.stop()
    results.append(_result(f"{articles:,} articles", _start(context, "full")))
    return results


def _start(context: Context, folder: str) -> float:
    port = free_port()
    command = [*ENTREPOT, "serve", "--port", str(port)]
    environment = {k: v for k, v in os.environ.items() if k != "ENTREPOT_DATABASE_URL"}
    process = subprocess.Popen([*command, "--data", str(context.folder / folder)], env=environment)
    try:
        return wait_for(f"http://127.0.0.1:{port}/healthz", process)
    finally:
        process.terminate()
        process.wait(60)


def _result(what: str, took: float) -> Result:
    return Result(name=f"serve to ready, {what}", value=took, unit="s", ceiling=CEILING_S)
