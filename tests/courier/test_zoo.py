"""Ill-behaved partners are each taken for what they are, and harm neither the others nor the house."""

from __future__ import annotations

import asyncio
import resource
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from tests.courier.bureau import Bureau, Stub, eventually
from tests.courier.zoo import ANIMALS, Animal, caged

if TYPE_CHECKING:
    from pathlib import Path


async def reach(bureau: Bureau, animal: Animal, url: str) -> int:
    """Connect to an animal; a private name is one that no allowed network holds."""
    if not animal.reached and not animal.tls:
        bureau.links.tenants[bureau.tenant_id] = ("test", {"allowed_networks": []})
    return await bureau.connect(url, timeout="700ms", schedule="1h")


@pytest.mark.parametrize("animal", ANIMALS, ids=[animal.name for animal in ANIMALS])
async def test_each_is_taken_for_what_it_is(bureau: Bureau, animal: Animal, tmp_path: Path) -> None:
    """The attempt says how it ended and why; a business answer is never tried again, the rest waits."""
    async with caged(animal, tmp_path) as cage:
        connection = await reach(bureau, animal, cage.url)
        delivery = await bureau.step(connection, key=1)

        async def tried() -> bool:
            return bool(await bureau.attempts(delivery))

        async with bureau.working():
            await eventually(tried)
        [(outcome, note)] = await bureau.attempts(delivery)
        assert outcome == animal.outcome
        assert animal.note in note
        assert (cage.calls > 0) == animal.reached
    state = {"delivered": "delivered", "rejected": "rejected"}.get(outcome, "waiting")
    assert (await bureau.states())[delivery] == state


async def test_a_kept_connection_that_was_closed_is_replaced(
    bureau: Bureau, tmp_path: Path
) -> None:
    """The second call goes out on a new connection at once, in the same attempt."""
    animal = next(animal for animal in ANIMALS if animal.name == "keep-alive closed")
    async with caged(animal, tmp_path) as cage:
        connection = await reach(bureau, animal, cage.url)
        async with bureau.working():
            for key in range(1, 4):
                delivery = await bureau.step(connection, key=key)
                await bureau.until("delivered", delivery)
                assert await bureau.attempts(delivery) == [("delivered", "")]
        assert cage.calls == 3


async def test_all_of_them_at_once_harm_nobody(bureau: Bureau, stub: Stub, tmp_path: Path) -> None:
    """Beside the whole zoo a healthy partner is served, and memory stays bounded."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    healthy = await bureau.connect(stub.url)
    async with AsyncExitStack() as zoo:
        for animal in ANIMALS:
            cage = await zoo.enter_async_context(caged(animal, tmp_path))
            connection = await bureau.connect(cage.url, timeout="700ms", schedule="50ms")
            for key in range(12):
                await bureau.step(connection, key=key)
        async with bureau.working():
            await asyncio.sleep(1)
            deliveries = [await bureau.step(healthy, key=key) for key in range(100)]
            await bureau.until("delivered", *deliveries, within=20)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100 * 1024
    assert {call.path for call in stub.calls} == {"/test_step"}
