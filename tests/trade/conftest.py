"""A serving hub with the demonstration in it, and the screens of its back office."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec import Struct

from entrepot import decode
from entrepot.courier.addresses import networks
from entrepot.courier.http import Caller, Target
from entrepot.dialect import Request, Response
from entrepot.dialects.trade.client import Client
from entrepot.errors import Refused
from entrepot.hub import Hub
from entrepot.orders import flows as orders
from entrepot.orders.prices import Money
from entrepot.orders.rules import NewOrder, StepBy, Wanted
from tests import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
    from decimal import Decimal

    from entrepot.connections.rules import Connection
    from entrepot.db import Tx
    from tests.running import Running

LIMIT = 30.0
_HOME = networks(["127.0.0.0/8"])


class Got(Struct, frozen=True):
    """A reply as received."""

    status: int
    body: Any

    @property
    def code(self) -> int:
        """The envelope's code."""
        code: int = self.body["code"]
        return code

    @property
    def data(self) -> Any:
        """The envelope's data."""
        return self.body["data"]


class Screens:
    """Calls the platform as any of its people."""

    def __init__(self, hub: Running, connection: Connection) -> None:
        self.hub = hub
        self.base_url = hub.base_url(connection)
        self.tokens: Mapping[str, str] = connection.partner.secrets
        self._caller = Caller()
        self._beside: Hub | None = None

    async def close(self) -> None:
        """Let go of what is connected."""
        self._caller.sweep(idle=0)
        if self._beside is not None:
            await self._beside.close()

    async def call(
        self,
        who: str,
        method: str,
        path: str,
        body: object = None,
        query: str = "",
        **headers: str,
    ) -> Got:
        """Make one call; ``who`` is a login, or a token itself."""
        raw = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
        token = self.tokens.get(who, who)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {token}", **named}
        request = Request(path, raw, method, tuple(sent.items()), query)
        response = await self.send(request)
        return Got(response.status, json.loads(response.body))

    async def send(self, request: Request) -> Response:
        """Send one request, as the typed client wants it sent."""
        response, _ = await self._caller.call(Target.of(self.base_url, _HOME), request, {}, LIMIT)
        return response

    async def until(self, token: str, status: int) -> None:
        """Wait until every process answers this token so: they learn of changes one by one."""
        async with asyncio.timeout(LIMIT):
            row = 0
            while row < 20:  # as many new sockets as make it likely that each process took one
                self._caller.sweep(idle=0)
                got = await self.call(token, "GET", "/order/sr")
                row = row + 1 if got.status == status else 0

    def client(self, login: str) -> Client:
        """Return the typed client of one of them."""
        return Client(self.send, self.tokens[login])

    async def run(self, work: Any) -> Any:
        """Run work in a transaction of the tenant, beside the server."""
        if self._beside is None:
            self._beside = await Hub.open(self.hub.settings, size=4)
        return await self._beside.db.run(self._beside.registry.tenant("demo"), work)

    async def sell(
        self, numbers: Sequence[str], qty: int, price: Decimal, *, ship: bool, customer: int = 149
    ) -> None:
        """Take orders for PU1 in, all in one transaction."""
        money = Money(customer_id=customer)
        line = Wanted(name="PU1", qty=qty, price=price)
        new = [
            NewOrder(
                number=number,
                lines=(line,),
                digest=decode.digest(json.dumps(number).encode()),
                customer="么志勇",
                money=money,
            )
            for number in numbers
        ]

        async def work(tx: Tx) -> None:
            outcomes: list[Any] = list(await orders.place(tx, new))
            if ship:
                steps = [StepBy(number=number, who="test") for number in numbers]
                outcomes += await orders.ship(tx, steps)
            assert not [one for one in outcomes if isinstance(one, Refused)]

        await self.run(work)


@pytest.fixture(scope="module")
def serving_demo(server_url: str, template: str) -> Iterator[Running]:
    """Give a hub of this module's own, served by two processes."""
    with running.demo(server_url, template) as hub:
        yield hub


@pytest.fixture
async def screens(serving_demo: Running) -> AsyncIterator[Screens]:
    """Give the screens of the demonstration's platform."""
    found = [
        connection
        for connection in await serving_demo.connections()
        if (connection.tenant, connection.partner.name) == ("demo", "trade")
    ]
    screens = Screens(serving_demo, found[0])
    yield screens
    await screens.close()
