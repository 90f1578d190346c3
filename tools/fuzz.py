"""Ask a hub of our own at least 100,000 questions of every described interface; see tests/fuzzing.py.

make fuzz [ARGS="--cases 100000 --examples 200"]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests import fuzzing, running

from entrepot import embedded
from entrepot.migrate import migrate

if TYPE_CHECKING:
    from tests.running import Running


def main() -> int:
    """Make at least ``--cases`` requests; print a table; return 1 where one was answered wrongly."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--examples", type=int, default=200, help="an operation and round")
    parser.add_argument("--at-once", type=int, default=2, help="interfaces asked side by side")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="entrepot-") as name:
        data = Path(name)
        with embedded.start(data) as server:
            asyncio.run(migrate(server.dsn))
            with running.hub(data, server.dsn, "--demo", "--role", "web") as hub:
                return _until(hub, data, wanted.cases, wanted.examples, wanted.at_once)


def _until(hub: Running, folder: Path, cases: int, examples: int, at_once: int) -> int:
    made, failed, seed = 0, 0, 0
    while made < cases:
        seed += 1
        subjects = (fuzzing.native(hub), *fuzzing.spoken(hub, folder))
        ask = partial(fuzzing.run, folder=folder, examples=examples, seed=seed)
        with ThreadPoolExecutor(at_once) as pool:
            asked = [pool.submit(ask, subject) for subject in subjects]
            for outcome in (one.result() for one in as_completed(asked)):
                made, failed = made + outcome.cases, failed + (not outcome.passed)
                _tell(outcome, seed, made)
    print(json.dumps({"cases": made, "failed": failed}))
    return 1 if failed else 0


def _tell(outcome: fuzzing.Outcome, seed: int, made: int) -> None:
    verdict = "passed" if outcome.passed else "FAILED"
    print(
        f"{outcome.name:32} seed {seed:3} {outcome.cases:8,} cases {outcome.seconds:7.0f} s "
        f"{verdict}   {made:9,} so far",
        flush=True,
    )
    if not outcome.passed:
        print(outcome.report, flush=True)


if __name__ == "__main__":
    sys.exit(main())
