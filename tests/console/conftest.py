"""The console in this process, on a database with the demonstration in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from entrepot import clock
from entrepot.console.access.first import first_accounts
from entrepot.console.app import create_app
from entrepot.console.attention import queue
from entrepot.hub import Hub
from tests import daytime
from tests.console.person import Person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from entrepot.settings import Settings


@pytest.fixture(autouse=True)
def _fresh_clock() -> Iterator[None]:
    """Let no test leave its time or its counts to the next, nor see a day end."""
    daytime.today()
    yield
    clock.reset()
    queue.forget_all()


@pytest.fixture
async def hub(demo_settings: Settings) -> AsyncIterator[Hub]:
    """Give a hub with the demonstration and its account."""
    async with await Hub.open(demo_settings) as hub:
        await first_accounts(hub, lambda _: None, demo=True)
        yield hub


@pytest.fixture
def stranger(hub: Hub) -> Person:
    """Give somebody at the door."""
    return Person(create_app(hub))


@pytest.fixture
async def admin(stranger: Person) -> Person:
    """Give the demonstration's administrator, signed in."""
    await stranger.sign_in()
    return stranger
