"""A serving hub with the demonstration in it, and one end of it to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from entrepot import dialects
from entrepot.conform import samples
from entrepot.conform.checks import Target
from entrepot.connections import flows
from entrepot.connections.flows import NewConnection
from tests import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from entrepot.conform.samples import Samples
    from entrepot.connections.rules import Connection
    from entrepot.dialect import Dialect, Role
    from entrepot.hub import Hub
    from tests.running import Running

DIALECTS = dialects.discover()
ENDS = [(name, role) for name, dialect in DIALECTS.items() for role in dialect.roles]


class End:
    """One dialect and role, as ``(dialect, role)`` parameter of a test."""

    def __init__(self, name: str, role: str) -> None:
        self.dialect: Dialect = DIALECTS[name]
        self.name = role
        self.role: Role = self.dialect.roles[role]
        self.samples: Samples = samples.read(self.dialect.folder, role)

    async def target(self, hub: Running) -> Target:
        """Return the demonstration's connection of this dialect and role; one is made where it has none."""
        connection = await self._connection(hub)
        if connection is None:
            await hub.do(self._connect)
            connection = await self._connection(hub)
            assert connection is not None
            hub.wait_until_known(hub.base_url(connection))
        return Target(
            base_url=hub.base_url(connection),
            secrets=connection.partner.secrets,
            sign=self.role.sign,
            key_in_url=True,
        )

    async def _connection(self, hub: Running) -> Connection | None:
        wanted = self.dialect.name, self.name
        return next(
            (
                connection
                for connection in await hub.connections()
                if (connection.partner.dialect, connection.partner.role) == wanted
            ),
            None,
        )

    async def _connect(self, hub: Hub) -> None:
        name = f"{self.dialect.name}-{self.name}-asked"
        new = NewConnection(name=name, dialect=self.dialect.name, role=self.name)
        await hub.db.run(
            hub.registry.tenant("demo"),
            lambda tx: flows.add(tx, hub.vault, hub.dialects, new, who="test"),
        )


@pytest.fixture(params=ENDS, ids="-".join)
def end(request: pytest.FixtureRequest) -> End:
    """Give every dialect and role in turn."""
    return End(*request.param)


@pytest.fixture(scope="session")
def demo(server_url: str, template: str) -> Iterator[Running]:
    """Give the hub that most checks share."""
    with running.demo(server_url, template) as hub:
        yield hub


@pytest.fixture
def untouched(server_url: str, template: str) -> Iterator[Running]:
    """Give a hub that nobody has asked anything yet."""
    with running.demo(server_url, template) as hub:
        yield hub
