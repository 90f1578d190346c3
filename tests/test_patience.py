"""Many waits under one timer: each ends in its own time, and only its own block."""

from __future__ import annotations

import asyncio

import pytest

from entrepot.patience import Patience


async def test_a_block_that_is_over_in_time_is_left_alone() -> None:
    """Nothing rings afterwards either."""
    patience = Patience(0.05)
    with patience.limit():
        await asyncio.sleep(0)
    await asyncio.sleep(0.1)


async def test_a_block_that_takes_too_long_is_ended_and_its_task_goes_on() -> None:
    """TimeoutError is raised where it waited, and the task is not taken for a cancelled one."""
    with pytest.raises(TimeoutError), Patience(0.02).limit():
        await asyncio.sleep(5)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_waits_that_began_one_after_another_end_one_after_another() -> None:
    """One timer serves all: those that are over in time stay, those that hang end, early ones first."""
    patience = Patience(0.5)
    ended: list[str] = []

    async def wait(name: str, begins: float, takes: float) -> None:
        await asyncio.sleep(begins)
        try:
            with patience.limit():
                await asyncio.sleep(takes)
        except TimeoutError:
            ended.append(name)

    await asyncio.gather(wait("second", 0.2, 30), wait("quick", 0.0, 0.01), wait("first", 0.0, 30))
    assert ended == ["first", "second"]


async def test_who_cancels_a_task_is_not_told_that_it_took_too_long() -> None:
    """A cancellation from outside stays one, also when the limit is reached at the same moment."""
    patience = Patience(0.02)
    inside = asyncio.Event()

    async def work() -> None:
        with patience.limit():
            inside.set()
            await asyncio.sleep(5)

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_limit_needs_a_task() -> None:
    """Outside any task there is nothing to end."""

    async def limit() -> None:
        failed: list[BaseException] = []

        def outside() -> None:
            try:
                Patience(1).limit().__enter__()
            except RuntimeError as error:
                failed.append(error)

        asyncio.get_running_loop().call_soon(outside)
        await asyncio.sleep(0.01)
        assert failed

    asyncio.run(limit())
