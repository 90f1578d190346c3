"""A hub with one of everything in it, so that every page of the console has something to show."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from entrepot.console.access import flows as access
from entrepot.dispatch import intake, outlets
from entrepot.dispatch.intake import NewDispatch
from entrepot.dispatch.outlets import Outlet
from entrepot.errors import Refused
from entrepot.facts import Receiver
from entrepot.orders import flows as orders
from entrepot.orders.rules import NewOrder, StepBy, Wanted
from entrepot.people import flows as people
from entrepot.people.rules import Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.hub import Hub

PHONE = "13800138000"
RECEIVER = {"name": "陈晓明", "phone": PHONE, "province": "上海市", "address": "南京东路100号"}
PASSWORD = "kept by one person"


class World:
    """What is in the demonstration's tenant, and ways to put more into it."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.tenant_id = hub.registry.tenant("demo")

    async def value(self, sql: str, *values: object) -> Any:
        """Return one value of the tenant; ``$1`` is the tenant."""
        async with self.hub.db.reading(self.tenant_id) as tx:
            return await tx.value(sql, *values)

    async def execute(self, sql: str, *values: object) -> None:
        """Run one statement on the tenant; ``$1`` is the tenant."""
        async with self.hub.db.transaction(self.tenant_id) as tx:
            await tx.do(sql, *values)

    async def do(self, flow: Any, command: object) -> Any:
        """Run one command of a flow."""
        return await self.hub.together.do(flow, self.tenant_id, command)

    def connection(self, name: str = "goldshop") -> int:
        """Return a connection's id."""
        return self.hub.registry.named(self.tenant_id, name).partner.id

    async def order(self, number: str, pieces: int = 1) -> int:
        """Have the goldshop place an order with a receiver; return its id."""
        placed = await self.do(
            orders.place,
            NewOrder(
                number=number, lines=(Wanted(name="YPJ1600", qty=pieces),), who="明天",
                partner=self.hub.registry.named(self.tenant_id, "goldshop").partner,
                digest=hashlib.sha256(number.encode()).digest(),
                receiver=self.hub.vault.seal(msgspec.json.encode(RECEIVER)),
                phone_hash=self.hub.vault.fingerprint(PHONE),
            ),
        )  # fmt: skip
        order_id: int = placed.order_id
        return order_id

    async def delivery(self, number: str) -> int:
        """Place and process an order, whose news then could not be delivered; return the delivery's id."""
        await self.order(number)
        step = StepBy(number=number, who="明天", connection_id=self.connection())
        await self.do(orders.process, step)
        await self.execute(
            "UPDATE delivery SET state = 'needs_attention', attempts = 3, last_error = 'HTTP 500'"
            " WHERE tenant_id = $1 AND document = $2",
            number,
        )
        await self.execute("UPDATE lane SET due = 'infinity' WHERE tenant_id = $1")
        found: int = await self.value(
            "SELECT id FROM delivery WHERE tenant_id = $1 AND document = $2", number
        )
        return found

    async def dispatched(
        self, number: str, pieces: int = 1, *, ours: bool = True, of: str | None = None
    ) -> tuple[int, str]:
        """Have an outlet (of our own people) offered an order, a partner's or our own.

        Return its id and the note's number.
        """
        receiver = Receiver(
            name="陈晓明", phone=PHONE, province="浙江省", city="杭州市", address="1"
        )
        wanted = Wanted(name="G1/C1/S1", qty=pieces)
        order = NewOrder(
            number=number,
            lines=(wanted,),
            digest=hashlib.sha256(number.encode()).digest(),
            who="明天",
            partner=self.hub.registry.named(self.tenant_id, of).partner if of else None,
        )
        async with self.hub.db.transaction(self.tenant_id) as tx:
            if ours:
                await outlets.set_up(tx, [Outlet(code="6002")])
            (placed,) = await intake.take(tx, [NewDispatch(order=order, receiver=receiver)])
        assert not isinstance(placed, Refused), placed
        note = await self.value(
            "SELECT number FROM dispatch_note WHERE tenant_id = $1 AND order_id = $2",
            placed.order_id,
        )
        return placed.order_id, note

    async def exchange(self, number: str, *, refused: bool = False) -> str:
        """Record a call that names a phone; return its cursor in addresses."""
        recorder = self.hub.recorder
        recorder._written.clear()
        recorder.record(
            self.tenant_id, self.connection(), "in", method="POST", path="/inorder", status=200,
            refused=refused, seconds=0.02, reply=b'{"code": 200}', document=number,
            request=msgspec.json.encode({"order_number": number, "phone": PHONE}),
        )  # fmt: skip
        sql = (
            "SELECT (extract(epoch FROM at) * 1000000)::bigint || '.' || id FROM exchange"
            " WHERE tenant_id = $1 AND document = $2"
        )
        await recorder._written.wait()
        return str(await self.value(sql, number))

    async def person(self, login: str, role: int = 0, duties: Sequence[str] = ()) -> None:
        """Let somebody in who signs in with ``PASSWORD``."""
        async with self.hub.db.transaction(self.tenant_id) as tx:
            one = people.Person(login=login, name=login, role=Role(role))
            made = await people.add(tx, [one])
            await access.set_account(tx, made[login], PASSWORD, must_change=False)
            await access.set_duties(tx, made[login], list(duties))
