"""A tenant with outlets for tests and benchmarks: flows on PostgreSQL, partners played by hand."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

from msgspec import structs

from entrepot import facts, ids
from entrepot.catalogue import flows as catalogue
from entrepot.courier.echoes import Echo
from entrepot.db import queries
from entrepot.dialect import Partner
from entrepot.dialects import storepos
from entrepot.dispatch import intake, outlets, refusing, returning, shipping, voiding
from entrepot.dispatch.answers import CONSEQUENCES
from entrepot.dispatch.intake import NewDispatch
from entrepot.dispatch.outlets import Outlet, Registered
from entrepot.dispatch.refusing import Refusal
from entrepot.dispatch.returning import NewWaybill, Return
from entrepot.dispatch.rules import Box
from entrepot.dispatch.shipping import Checkout
from entrepot.dispatch.voiding import Void
from entrepot.errors import Refused
from entrepot.facts import Receiver
from entrepot.orders.rules import NewOrder, Wanted
from entrepot.stock import flows as stock
from entrepot.stock import views
from entrepot.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from entrepot.db import Database, Row, Tx

    Flow = Callable[[Tx, Sequence[Any]], Awaitable[Sequence[Any]]]

OMS = storepos.dialect.roles["oms"]
POS = storepos.dialect.roles["pos"]
_q = queries("tests.dispatch")


class World:
    """One tenant; ``store`` is the connection of its stores' system."""

    def __init__(self, db: Database, role: str = "oms", **settings: Any) -> None:
        self.db = db
        self.tenant_id = ids.new()
        self.role = storepos.dialect.roles[role]
        vault = Vault({"k1": os.urandom(32)}, "k1")
        db.seal, db.unseal = vault.seal, vault.unseal
        self.store = Partner(
            tenant_id=self.tenant_id,
            id=ids.new(),
            name="storepos",
            dialect="storepos",
            role=role,
            partner_url="http://127.0.0.1:9",
            settings=self.role.settings(**settings),
        )
        self.places: dict[str, int] = {}
        self.articles: dict[str, int] = {}
        db.listens = lambda _tenant, connection, kind: (
            connection == self.store.id and kind in self.role.listens
        )
        db.listeners = lambda _tenant, kind: [self.store.id] if kind in self.role.listens else []
        db.partner = lambda _tenant, connection: self.store if connection == self.store.id else None

    def change(self, **settings: Any) -> None:
        """Set settings of the connection."""
        self.store = structs.replace(self.store, settings=self.role.settings(**settings))

    async def open(
        self,
        places: Mapping[str, tuple[str, str]],
        pieces: Mapping[str, Mapping[str, int]],
        *,
        served: bool = True,
        priority: Mapping[str, int] = {},
        registered: bool = True,
    ) -> None:
        """Create outlets (code to province and city) and pieces (SKU to outlet to how many)."""

        async def work(tx: Tx) -> None:
            await tx.do(_q.add_tenant, str(self.tenant_id))
            await tx.do(_q.add_connection, self.store.id, self.store.role)
            await stock.add_locations(
                tx,
                [
                    stock.Location(code=code, name=f"门店{code}", province=province, city=city)
                    for code, (province, city) in places.items()
                ],
            )
            self.places = await stock.locations(tx, list(places))
            await outlets.set_up(
                tx,
                [
                    Outlet(
                        code=code,
                        connection_id=self.store.id if served else None,
                        priority=priority.get(code, 100),
                    )
                    for code in places
                ],
            )
            self.articles = await catalogue.add(tx, [catalogue.Article(sku=sku) for sku in pieces])

        await self.db.run(self.tenant_id, work)
        await self.put(pieces, registered=registered)

    async def put(
        self, pieces: Mapping[str, Mapping[str, int]], *, registered: bool = True
    ) -> None:
        """Count pieces in, codes ``SKU@outlet-n``."""

        async def work(tx: Tx) -> None:
            await stock.count(
                tx,
                [
                    stock.Count(
                        article_id=self.articles[sku], location_id=self.places[code], on_hand=qty
                    )
                    for sku, at in pieces.items()
                    for code, qty in at.items()
                ],
            )
            if registered:
                await outlets.register(
                    tx,
                    [
                        Registered(
                            code=code_of(sku, code, n),
                            article_id=self.articles[sku],
                            location_id=self.places[code],
                        )
                        for sku, at in pieces.items()
                        for code, qty in at.items()
                        for n in range(qty)
                    ],
                )

        await self.db.run(self.tenant_id, work)

    async def do(self, flow: Flow, command: Any) -> Any:
        """Run a flow for one command; a refusal is returned."""
        return (await self.all(flow, [command]))[0]

    async def all(self, flow: Flow, commands: Sequence[Any]) -> Sequence[Any]:
        """Run a flow for a batch."""
        return await self.db.run(self.tenant_id, lambda tx: flow(tx, commands))

    # What the stores' system calls us with.

    def dispatch(
        self,
        number: str,
        goods: Mapping[str, int] | Sequence[tuple[str, int]],
        *,
        shop: str = "",
        outlet: str = "",
        to: tuple[str, str] = ("浙江省", "杭州市"),
        kind: str = "order",
    ) -> NewDispatch:
        """Return an order as the dialect would make it."""
        lines = list(goods.items()) if hasattr(goods, "items") else list(goods)
        content = repr((number, sorted(lines), shop, to)).encode()
        return NewDispatch(
            order=NewOrder(
                number=number,
                kind=kind,
                lines=tuple(Wanted(name=sku, qty=qty) for sku, qty in lines),
                digest=hashlib.sha256(content).digest(),
                partner=self.store,
                who="storepos",
            ),
            receiver=Receiver(
                name="张三", phone="13800138000", province=to[0], city=to[1], address="一号"
            ),
            shop=shop,
            outlet=outlet,
        )

    async def order(self, number: str, goods: Any, **more: Any) -> Any:
        """Place an order; return Placed or the refusal."""
        return await self.do(intake.take, self.dispatch(number, goods, **more))

    async def check_out(self, note: str, boxes: Mapping[str, Sequence[str]], **more: Any) -> Any:
        """Ship boxes (waybill to codes) of a note."""
        packed = tuple(Box(express="SF", waybill=w, codes=tuple(c)) for w, c in boxes.items())
        command = Checkout(
            note=note, boxes=packed, who="storepos", connection_id=self.store.id, **more
        )
        return await self.do(shipping.check_out, command)

    async def refuse(self, note: str, reason: str = "") -> Any:
        """Refuse a note."""
        command = Refusal(note=note, who="storepos", connection_id=self.store.id, reason=reason)
        return await self.do(refusing.refuse, command)

    async def void(self, number: str, kind: str = "order", **more: Any) -> Any:
        """Begin to void an order."""
        command = Void(
            number=number, who="storepos", connection_id=self.store.id, kind=kind, **more
        )
        return await self.do(voiding.begin, command)

    async def refund(self, outlet: str, code: str, waybill: str) -> Any:
        """Receive a piece."""
        return await self.do(
            returning.receive, Return(outlet=outlet, code=code, waybill=waybill, who="storepos")
        )

    async def relabel(self, note: str, target: str, waybill: str, express: str = "YTO") -> Any:
        """Change a waybill."""
        return await self.do(
            returning.change_waybill,
            NewWaybill(
                note=note,
                target=target,
                express=express,
                waybill=waybill,
                who="storepos",
                connection_id=self.store.id,
            ),
        )

    # What the stores' system answers.

    async def send(self, delivery: int) -> None:
        """Let a call have been begun, so that its partner may know of it."""
        await self._do(_q.attempt, delivery)

    async def settle(self, delivery: int, state: str = "delivered", message: str = "") -> None:
        """Let a call have been answered, and draw the consequences."""
        rows = await self._rows(_q.settle, delivery, state, message)
        for row in rows:
            echo = Echo(message=row["last_error"] or "", **_without(row, "last_error"))
            await self._echo(echo)

    async def _echo(self, echo: Echo) -> None:
        if echo.kind in CONSEQUENCES:
            await self.db.run(self.tenant_id, lambda tx: CONSEQUENCES[echo.kind](tx, [echo]))

    # What became of it.

    async def state(self, number: str) -> str | None:
        """Return an order's state."""
        rows = await self._rows(_q.state, number)
        return rows[0]["state"] if rows else None

    async def notes(self, number: str) -> list[Row]:
        """Return an order's notes: number, outlet, state, onward, offer_id, recall_id, goods by SKU."""
        return await self._rows(_q.notes, number)

    async def calls(self, number: str = "") -> list[tuple[str, Any]]:
        """Return (state, fact) of every call announced about an order, in order of announcing."""
        return [
            (row["state"], facts.decode(row["kind"], self._plain(row)))
            for row in await self._rows(_q.calls, number)
        ]

    async def told(self, number: str = "", *kinds: str) -> list[Any]:
        """Return the facts announced about an order, of some kinds or all."""
        return [fact for _, fact in await self.calls(number) if not kinds or fact.kind in kinds]

    async def stock(self) -> dict[tuple[str, str], tuple[int, int]]:
        """Return (on hand, reserved) by SKU and outlet."""
        rows = await self._rows(_q.balances)
        return {(row["sku"], row["code"]): (row["on_hand"], row["reserved"]) for row in rows}

    async def pieces(self) -> dict[str, tuple[str, str]]:
        """Return (outlet, state) of every piece."""
        return {row["code"]: (row["outlet"], row["state"]) for row in await self._rows(_q.pieces)}

    async def discrepancies(self, *, standing: bool = False) -> list[str]:
        """Return the kinds of what a person was shown, or of what still stands of it."""
        return [row["kind"] for row in await self._rows(_q.discrepancies, standing)]

    async def proven(self) -> bool:
        """Tell whether every balance is what its movements and reservations say."""
        async with self.db.reading(self.tenant_id) as tx:
            return not await views.discrepancies(tx)

    def _plain(self, row: Row) -> bytes:
        payload: bytes = row["payload"]
        return self.db.unseal(payload) if row["sealed"] else payload

    async def _rows(self, query: str, *args: object) -> list[Row]:
        async with self.db.reading(self.tenant_id) as tx:
            return await tx.rows(query, *args)

    async def _do(self, query: str, *args: object) -> int:
        async with self.db.reading(self.tenant_id) as tx:
            return await tx.do(query, *args)


def code_of(sku: str, outlet: str, n: int) -> str:
    """Return the code of the n-th piece of an article at an outlet."""
    return f"{sku}@{outlet}-{n}"


def refused(outcome: Any) -> str:
    """Return a refusal's code, ``""`` for none."""
    return outcome.code if isinstance(outcome, Refused) else ""


def _without(row: Row, name: str) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key != name}
