"""The demonstration, and a program with every right on it.

The tests of a module share one copy; each uses numbers and names of its own.
"""

from __future__ import annotations

import inspect
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from entrepot.api.app import create_app
from entrepot.hub import Hub
from entrepot.settings import Settings
from tests import conftest
from tests.api.client import Client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of a module on its one event loop, where their hub lives."""
    here = Path(__file__).parent
    for item in items:
        function = getattr(item, "function", None)
        if inspect.iscoroutinefunction(function) and item.path.is_relative_to(here):
            item.add_marker(pytest.mark.asyncio(loop_scope="module"), append=False)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(
    server_url: str, demo_template: Settings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Hub]:
    """Give an open hub with the demonstration in it."""
    name = urlsplit(demo_template.database_url or "").path[1:]
    how = f"TEMPLATE {name} STRATEGY FILE_COPY"
    with contextmanager(conftest._database)(server_url, how) as url:
        data = tmp_path_factory.mktemp("api")
        settings = Settings(data=data, key_file=demo_template.keys, database_url=url)
        async with await Hub.open(settings, size=6) as hub:
            yield hub


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stranger(hub: Hub) -> Client:
    """Give somebody without a token; the API keeps to the loop it is made in."""
    return Client(create_app(hub), hub, None)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(stranger: Client) -> Client:
    """Give a program that may do everything."""
    return await stranger.holding("*", per_minute=0)
