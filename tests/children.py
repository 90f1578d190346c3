"""python -m tests.children DIR TURNS PATIENCE [deaf]: begin children of a hub, end them, print the log.

A program of its own, since children are forked, and forks lose the threads that the tests have.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import structlog.testing

from entrepot import serve
from entrepot.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine


def main(folder: Path, turns: int, patience: float, *, deaf: bool) -> None:
    """Begin a child, end it once it listens to signals, and so on."""
    with structlog.testing.capture_logs() as said:
        for turn in range(turns):
            sign = folder / f"{turn}"
            child = serve.Child("worker", Settings(), _work(sign, deaf=deaf))
            child.start()
            while not sign.exists():
                time.sleep(0.01)
            child.stop(patience)
    sys.stdout.write(json.dumps([(one["event"], one["child"]) for one in said]))


def _work(
    sign: Path, *, deaf: bool
) -> Callable[[Settings, asyncio.Event], Coroutine[None, None, None]]:
    async def work(_settings: Settings, stop: asyncio.Event) -> None:
        sign.touch()
        await (asyncio.sleep(60) if deaf else stop.wait())

    return work


if __name__ == "__main__":
    where, count, wait, *rest = sys.argv[1:]
    main(Path(where), int(count), float(wait), deaf=rest == ["deaf"])
