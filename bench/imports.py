"""A million articles and their stock by ``entrepot import``, beside raw COPY into the same tables."""

from __future__ import annotations

import csv
import os
import subprocess
import time
from typing import TYPE_CHECKING

from bench.context import ENTREPOT, Result
from entrepot import ids
from entrepot.connections import flows as connections
from entrepot.db import Database, alone
from entrepot.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bench.context import Context

ARTICLES = 1_000_000
FLOOR, CEILING_MB = 0.3, 200
_TABLES = ("article", "stock", "movement", "stock_change", "counter")
_KB = 1024


async def run(context: Context) -> list[Result]:
    """Import into one empty database; copy what is then there, table by table, into another."""
    rows = context.size(ARTICLES)
    files = {
        "articles": _file(context.folder / "articles.csv", _articles(rows)),
        "stock": _file(context.folder / "stock.csv", _stock(rows)),
    }
    ours, raw = await context.database("imports"), await context.database("imports_raw")
    tenant_id, location_id = ids.new(), ids.new()
    for url in (ours, raw):
        await _tenant(url, tenant_id, location_id)
    runs = {kind: _imported(context, ours, kind, file) for kind, file in files.items()}
    took = sum(seconds for seconds, _ in runs.values())
    copied = await _copied(ours, raw, context.folder)
    return [
        Result(
            name=f"import of {rows:,} articles with stock",
            value=2 * rows / took,
            unit="rows/s",
            against=f"raw COPY, {2 * rows / copied:,.0f} rows/s",
            ratio=copied / took,
            floor=FLOOR,
        ),
        *(
            Result(name=f"of which {kind}", value=rows / seconds, unit="rows/s")
            for kind, (seconds, _) in runs.items()
        ),
        Result(
            name="peak memory of an import",
            value=max(peak for _, peak in runs.values()),
            unit="MB",
            ceiling=CEILING_MB,
        ),
    ]


def _articles(rows: int) -> Iterator[tuple[object, ...]]:
    yield "sku", "style_no", "name", "unit", "retail_price"
    for n in range(rows):
        yield f"A{n:07}", f"A{n:07}", f"足金999 A{n:07}", "件", f"{n % 1000}.50"


def _stock(rows: int) -> Iterator[tuple[object, ...]]:
    yield "sku", "location", "qty", "weight"
    for n in range(rows):
        yield f"A{n:07}", "HQ", 1 + n % 500, f"{(1 + n % 500) * 2}.5"


def _file(path: Path, rows: Iterator[tuple[object, ...]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as text:
        csv.writer(text).writerows(rows)
    return path


async def _tenant(url: str, tenant_id: int, location_id: int) -> None:
    """Make the tenant and its one location, the same in both databases."""
    db = await Database.open(url, size=1)
    try:
        async with db.transaction(tenant_id) as tx:
            await connections.add_tenant(tx, "bench", {})
            await tx.do(
                "INSERT INTO location (tenant_id, id, code) VALUES ($1, $2, 'HQ')", location_id
            )
    finally:
        await db.close()


def _imported(context: Context, url: str, kind: str, file: Path) -> tuple[float, float]:
    """Run one import as its user does; return its seconds, start included, and its peak memory in MB."""
    command = [*ENTREPOT, "import", kind, str(file), "--data", str(context.folder / "hub")]
    started = time.perf_counter()
    process = subprocess.Popen(command, env={**os.environ, "ENTREPOT_DATABASE_URL": url})
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Unusable(f"The import of {kind} ended with {process.returncode}.")
    return time.perf_counter() - started, used.ru_maxrss / _KB


async def _copied(ours: str, raw: str, folder: Path) -> float:
    """Write the filled tables to files; return in how many seconds COPY reads them into the empty ones."""
    took = 0.0
    async with alone(ours) as one, alone(raw) as other:
        for table in _TABLES:
            file = folder / f"{table}.copy"
            await one.copy_from_query(f"SELECT * FROM {table}", output=file)
            started = time.perf_counter()
            await other.copy_to_table(table, source=file)
            took += time.perf_counter() - started
        same = [await each.fetchval("SELECT count(*) FROM movement") for each in (one, other)]
    if len(set(same)) != 1 or not same[0]:
        raise Unusable(f"Both should hold the same rows; movements: {same}.")
    return took
