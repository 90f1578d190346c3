"""Ask a hub of our own at least 100,000 questions of every described interface; see tests/fuzzing.py.

make fuzz [ARGS="--cases 100000 --examples 200"]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
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
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="entrepot-") as name:
        data = Path(name)
        with embedded.start(data) as server:
            asyncio.run(migrate(server.dsn))
            with running.hub(data, server.dsn, "--demo", "--role", "web") as hub:
                return _until(hub, data, wanted.cases, wanted.examples)


def _until(hub: Running, folder: Path, cases: int, examples: int) -> int:
    made, failed, seed = 0, 0, 0
    while made < cases:
        seed += 1
        for subject in (fuzzing.native(hub), *fuzzing.spoken(hub, folder)):
            outcome = fuzzing.run(subject, folder, examples, seed=seed)
            made, failed = made + outcome.cases, failed + (not outcome.passed)
            verdict = "passed" if outcome.passed else "FAILED"
            print(
                f"{outcome.name:32} seed {seed:3} {outcome.cases:8,} cases {outcome.seconds:7.0f} s "
                f"{verdict}   {made:9,} so far",
                flush=True,
            )
            if not outcome.passed:
                print(outcome.report, flush=True)
    print(json.dumps({"cases": made, "failed": failed}))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
