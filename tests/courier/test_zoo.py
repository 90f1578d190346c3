"""Ill-behaved partners are each taken for what they are, and harm neither the others nor the house."""

from __future__ import annotations

import contextlib
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.courier.bureau import Bureau, Stub, eventually
from tests.courier.crew import hire
from tests.courier.zoo import ANIMALS, Animal, caged, table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.courier.zoo import Cage


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
    """Beside the whole zoo a healthy partner is served, and the courier's memory stays bounded."""
    ring = tmp_path / "ring"
    async with AsyncExitStack() as zoo:
        cages = [await zoo.enter_async_context(caged(animal, tmp_path)) for animal in ANIMALS]
        healthy = await bureau.connect(stub.url, timeout="700ms", schedule="50ms")
        with courier(bureau, ring) as process:
            alone = await _served(bureau, healthy, process, 0)
        for cage in cages:
            connection = await bureau.connect(cage.url, timeout="700ms", schedule="50ms")
            for key in range(12):
                await bureau.step(connection, key=key)
        with courier(bureau, ring) as process:
            await eventually(lambda: _reached(cages))
            beside = await _served(bureau, healthy, process, 1000)
    assert beside - alone < 50
    assert {call.path for call in stub.calls} == {"/test_step"}


def test_the_zoo_is_as_it_is_described() -> None:
    """The table in the documentation is what these tests show."""
    page = Path(__file__).parents[2] / "docs" / "explanation" / "ill-behaved-partners.md"
    assert table() in page.read_text(encoding="utf-8"), f"should hold:\n{table()}"


@contextlib.contextmanager
def courier(bureau: Bureau, ring: Path) -> Iterator[int]:
    """Have a courier process at work; give its id."""
    process = hire(bureau, ring, lease=5.0)
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


async def _served(bureau: Bureau, healthy: int, process: int, first_key: int) -> float:
    """Deliver 100 to the healthy partner; return the courier's peak memory in MB."""
    keys = range(first_key, first_key + 100)
    deliveries = [await bureau.step(healthy, key=key) for key in keys]
    await bureau.until("delivered", *deliveries, within=60)
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


async def _reached(cages: list[Cage]) -> bool:
    """Tell whether every animal that a call gets through to has been called."""
    return all(cage.calls for cage in cages if cage.animal.reached)
