"""``python -m bench [NAMES…] [--seconds S] [--scale X]``: runs benchmarks, prints a table, writes results."""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import pkgutil
import traceback
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

import bench
from bench.context import Context, Result

OTHER = {"__main__", "context", "bare", "history", "populate", "sink", "rivals"}


def main() -> None:
    """Run what was asked for; exit 1 when a demanded bound was missed."""
    known = sorted(m.name for m in pkgutil.iter_modules(bench.__path__) if m.name not in OTHER)
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each load")
    parser.add_argument("--scale", type=float, default=1.0, help="1.0: the sizes that are demanded")
    given = parser.parse_args()
    os.environ.setdefault("ENTREPOT_LOG_LEVEL", "error")
    results: list[Result] = []
    for name in given.names or known:
        module = importlib.import_module(f"bench.{name}")
        context = Context(seconds=given.seconds, scale=given.scale)
        try:
            found = asyncio.run(module.run(context))
        except Exception as error:  # noqa: BLE001 - one that ends early is a missed bound; the others run
            traceback.print_exc()
            said = f"{name}: ended early, {type(error).__name__}: {error}"[:200]
            found = [Result(name=said, value=0, unit="", floor=1)]
        finally:
            context.close()
        show(name, found)
        results += found
        Path("bench/results.json").write_bytes(msgspec.json.format(msgspec.json.encode(results)))
    raise SystemExit(not all(result.met for result in results))


def show(title: str, results: list[Result]) -> None:
    """Print one benchmark's figures."""
    table = Table(title=title, title_justify="left")
    for column in ("measured", "value", "unit", "against", "ratio", "demanded", ""):
        table.add_column(column, justify="right" if column in {"value", "ratio"} else "left")
    for r in results:
        ratio = "" if r.ratio is None else f"{r.ratio:.2f}"
        bound = f"≥ {r.floor:g}" if r.floor is not None else ""
        bound = f"≤ {r.ceiling:g}" if r.ceiling is not None else bound
        mark = "" if not bound else ("ok" if r.met else "MISSED")
        table.add_row(r.name, f"{r.value:,.6g}", r.unit, r.against or "", ratio, bound, mark)
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
