"""Commands that are settled together, and the connection that reading ones share for a while."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from entrepot.errors import Missing
from entrepot.together import Together

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from entrepot.db import Database, Tx

TENANT = 1
BACKEND = "SELECT pg_backend_pid() AS pid WHERE $1::bigint IS NOT NULL"


async def test_each_is_answered_for_itself(database: Database) -> None:
    """A refused command is no other's concern; what waits while one batch is read makes the next."""
    sizes: list[int] = []

    async def halves(tx: Tx, batch: Sequence[int]) -> list[int | Missing]:
        sizes.append(len(batch))
        await tx.rows(BACKEND)
        return [Missing("odd", "") if number % 2 else number // 2 for number in batch]

    together = Together(database)
    asked = [together.ask(halves, TENANT, number) for number in range(100)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert found[::2] == list(range(50))
    assert all(isinstance(refused, Missing) for refused in found[1::2])
    assert sum(sizes) == 100
    assert max(sizes) > 30


async def test_a_connection_serves_a_few_batches_and_then_gives_way(database: Database) -> None:
    """One that reads without end would keep others from the pool's last connection for ever."""
    together = Together(database, batch=1)
    served: dict[int, Tx] = {}

    async def who(tx: Tx, batch: Sequence[int]) -> list[None]:
        served[batch[0]] = tx
        await tx.rows(BACKEND)
        return [None]

    await asyncio.gather(*[together.ask(who, TENANT, number) for number in range(64)])
    held = [list(served.values()).count(tx) for tx in set(served.values())]
    assert sum(held) == 64
    assert 4 <= len(held) < 16
    assert max(held) <= 16


async def test_a_connection_that_dies_between_two_batches_costs_nobody_an_answer(
    database: Database,
) -> None:
    """What was to be read on it is read on another."""
    backends: list[int] = []
    failed: list[Sequence[str]] = []

    async def who(tx: Tx, batch: Sequence[str]) -> list[str]:
        try:
            backends.append((await tx.rows(BACKEND))[0]["pid"])
        except Exception:
            failed.append(batch)
            raise
        if "first" in batch:
            behind.extend(together.ask(who, TENANT, name) for name in ("second", "third"))
            await database.rows("SELECT pg_terminate_backend($1, 5000)", backends[0])
        return list(batch)

    together = Together(database)
    behind: list[Awaitable[str]] = []
    assert await together.ask(who, TENANT, "first") == "first"
    assert await asyncio.gather(*behind) == ["second", "third"]
    assert failed == [["second", "third"]]
    assert backends[0] not in backends[1:]
