"""A courier that is told to stop stops, whatever happens at that very moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from entrepot.courier.echoes import Echoes
from entrepot.courier.watch import Watch
from entrepot.vault import Vault
from tests.courier.bureau import Bureau

if TYPE_CHECKING:
    from pathlib import Path

    from entrepot.db import Database


@pytest.mark.parametrize("turns", range(6))
async def test_what_is_settled_at_the_end_keeps_no_courier_going(
    database: Database, tmp_path: Path, turns: int
) -> None:
    """Woken, and ended so many turns of the loop later: it ends, and does not go on looking."""
    bureau = Bureau(database, Vault.open(tmp_path / "ring"))

    def begin(*_: object) -> None:
        """Nothing is due."""

    echoes = Echoes(database, Watch(database, bureau.links, 1, 30.0, begin), {})
    looking = asyncio.create_task(echoes.serve())
    await asyncio.sleep(0.01)
    echoes.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    looking.cancel()
    done, _ = await asyncio.wait([looking], timeout=30)
    ended = bool(done)
    while not looking.done():
        looking.cancel()
        await asyncio.wait([looking], timeout=1)
    assert ended
