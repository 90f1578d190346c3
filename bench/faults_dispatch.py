"""Dispatch under load, on the wire: too little stock for everybody, and voids against shipments.

64 clients place 50,000 orders over 200 articles that are soon gone; 10,000 orders are voided and shipped at
the same instant. ``--scale 0.1`` does a tenth.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Self

import msgspec
from msgspec import Struct

from bench.context import Result
from entrepot import dialects, ids
from entrepot.catalogue import flows as catalogue
from entrepot.connections import flows as connections
from entrepot.connections import rules
from entrepot.connections.flows import NewConnection
from entrepot.db import Database
from entrepot.dispatch import outlets
from entrepot.dispatch.outlets import Outlet, Registered
from entrepot.stock import flows as stock
from entrepot.stock import views
from entrepot.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.context import Context

CLIENTS, ORDERS, ARTICLES, OUTLETS = 64, 50_000, 200, 40
RACES, RACERS, PLACES = 10_000, 32, 50
SHORT = 0.4
"""How much of what is ordered there is."""

SOLD = """
SELECT a.sku, s.on_hand, s.reserved,
       (SELECT coalesce(sum(l.qty), 0)
        FROM dispatch_line l JOIN dispatch_note n ON n.tenant_id = $1 AND n.id = l.note_id
        WHERE l.tenant_id = $1 AND l.article_id = s.article_id
          AND n.location_id = s.location_id)::bigint AS promised
FROM stock s JOIN article a ON a.tenant_id = $1 AND a.id = s.article_id WHERE s.tenant_id = $1
"""
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
STATES = "SELECT state, count(*) AS n FROM sales_order WHERE tenant_id = $1 GROUP BY state"


class Shop(Struct, kw_only=True):
    """A tenant with outlets that one partner's system serves."""

    tenant_id: int
    path: str


async def run(context: Context) -> list[Result]:
    """Run both."""
    return [*await _rush(context), *await _races(context)]


# Too little for everybody ---------------------------------------------------------------------------


async def _rush(context: Context) -> list[Result]:
    orders, chance = context.size(ORDERS), random.Random(1)
    wanted = [_order(n, chance) for n in range(orders)]
    demand = Counter(sku for _, goods in wanted for sku, qty in goods for _ in range(qty))
    url = await context.database("rush")
    db = await Database.open(url, size=2)
    there: dict[str, dict[str, int]] = {}
    for sku, pieces in demand.items():
        at = there.setdefault(sku, {})
        for _ in range(int(pieces * SHORT)):
            place = f"P{chance.randrange(OUTLETS)}"
            at[place] = at.get(place, 0) + 1
    shop = await _open(db, context, [f"P{n}" for n in range(OUTLETS)], there, partner_url=None)
    statuses: Counter[int] = Counter()
    with context.hub(url, "--role", "web", "--workers", "2") as (address, _):
        queue, began = iter(wanted), time.monotonic()

        async def client() -> None:
            async with Line(address) as line:
                for number, goods in queue:
                    status, _ = await line.post(f"{shop.path}/pos/ordermake", _made(number, goods))
                    statuses[status] += 1

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        took = time.monotonic() - began
    async with db.reading(shop.tenant_id) as tx:
        rows = await tx.rows(SOLD)
        wrong = await views.discrepancies(tx)
        states = {row["state"]: row["n"] for row in await tx.rows(STATES)}
    locks = await db.rows(DEADLOCKS)
    await db.close()
    oversold = sum(max(0, row["promised"] - row["on_hand"]) for row in rows)
    unlike = sum(row["reserved"] != row["promised"] for row in rows)
    left = sum(row["on_hand"] - row["promised"] for row in rows)
    name = f"{orders:,} orders by {CLIENTS} clients over {ARTICLES} articles"
    failed = sum(count for status, count in statuses.items() if status != 200)
    print(f"{name}: states {states}, statuses {dict(statuses)}, pieces left {left}")
    return [
        Result(name=f"{name}: pieces oversold", value=oversold, unit="", ceiling=0),
        Result(name=f"{name}: not answered 200", value=failed, unit="", ceiling=0),
        Result(name=f"{name}: deadlocks at the database", value=locks[0]["deadlocks"], unit=""),
        Result(name=f"{name}: balances not proven", value=len(wrong) + unlike, unit="", ceiling=0),
        Result(name=f"{name}: oversold orders", value=states.get("oversold", 0), unit="", floor=1),
        Result(name=f"{name}: taken", value=orders / took, unit="orders/s"),
    ]


def _order(n: int, chance: random.Random) -> tuple[str, list[tuple[str, int]]]:
    """Return a number and one to five lines in random order."""
    chosen = chance.sample(range(ARTICLES), chance.randint(1, 5))
    return f"N{n}", [(f"A{article}/C/S", chance.randint(1, 2)) for article in chosen]


# Voids against shipments ----------------------------------------------------------------------------


class Stores:
    """The partner's end: says yes to everything, and knows which note came for which receipt."""

    def __init__(self) -> None:
        self.notes: dict[str, asyncio.Future[str]] = {}
        self.told: Counter[str] = Counter()
        self.lead = 0.02
        """Seconds that voids get on average before the shipment, so that each side wins about as often."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer every call on one connection."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = _length(head)
                body = msgspec.json.decode(await reader.readexactly(length))
                self._hear(head.split(b" ", 2)[1].decode().rpartition("/")[2], body)
                writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\n{"success":true}')
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def note_for(self, number: str) -> asyncio.Future[str]:
        """Return what will be the number of an order's note."""
        return self.notes.setdefault(number, asyncio.get_running_loop().create_future())

    def _hear(self, call: str, body: Any) -> None:
        if call == "pushorder" and not self.note_for(body["purchaseNumber"]).done():
            self.note_for(body["purchaseNumber"]).set_result(body["dispatchNO"])
        if call == "pushpackage":
            self.told[body["transferCode"]] += 1


async def _races(context: Context) -> list[Result]:
    races = context.size(RACES)
    url = await context.database("races")
    db = await Database.open(url, size=2)
    stores = Stores()
    server = await asyncio.start_server(stores.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    there = {f"A{n}/C/S": {f"P{n}": races // PLACES + 1} for n in range(PLACES)}
    places = [f"P{n}" for n in range(PLACES)]
    shop = await _open(db, context, places, there, partner_url=f"http://127.0.0.1:{port}")
    ends: Counter[tuple[str, str]] = Counter()
    shipped: set[str] = set()
    with context.hub(url, "--role", "all", "--workers", "1") as (address, _):
        queue = iter(range(races))

        async def racer() -> None:
            async with Line(address) as store, Line(address) as outlet:
                for n in queue:
                    void, left = await _race(shop, stores, store, outlet, n)
                    ends[void, left] += 1
                    if left == "shipped":
                        shipped.add(stores.note_for(f"N{n}").result())

        began = time.monotonic()
        await asyncio.gather(*(racer() for _ in range(RACERS)))
        took = time.monotonic() - began
        for _ in range(300):  # the courier tells of the last parcels
            await asyncio.sleep(0 if sum(stores.told.values()) >= len(shipped) else 0.2)
    server.close()
    async with db.reading(shop.tenant_id) as tx:
        wrong = await views.discrepancies(tx)
        states = {row["state"]: row["n"] for row in await tx.rows(STATES)}
    await db.close()
    one = ends["void", "void"] + ends["left", "shipped"]
    unlike = abs(states.get("shipped", 0) - len(shipped)) + len(shipped ^ set(stores.told))
    name = f"{races:,} voids against shipments"
    print(f"{name}: (to the store, to the outlet) {dict(ends)}, states {states}")
    return [
        Result(name=f"{name}: exactly one won, both told so", value=one, unit="", floor=races),
        Result(name=f"{name}: won by the void", value=ends["void", "void"], unit="", floor=1),
        Result(name=f"{name}: won by the shipment", value=len(shipped), unit="", floor=1),
        Result(name=f"{name}: parcels told amiss", value=unlike, unit="", ceiling=0),
        Result(name=f"{name}: balances not proven", value=len(wrong), unit="", ceiling=0),
        Result(name=f"{name}: decided", value=races / took, unit="/s"),
    ]


async def _race(shop: Shop, stores: Stores, store: Line, outlet: Line, n: int) -> tuple[str, str]:
    """Order a piece, then void and ship it at once; return what the store and the outlet were told."""
    number, sku = f"N{n}", f"A{n % PLACES}/C/S"
    status, _ = await store.post(f"{shop.path}/pos/ordermake", _made(number, [(sku, 1)]))
    assert status == 200
    note = await asyncio.wait_for(stores.note_for(number), 60)
    parcel = {"express": "SF", "waybillCode": f"W{n}", "sns": [f"{sku}-{n // PLACES}"]}

    async def void() -> str:
        while True:
            status, said = await store.post(f"{shop.path}/pos/orderremove", {"dispatchNO": number})
            if status == 200:
                return "void" if said == {"success": True} else "left"

    async def ship() -> str:
        await asyncio.sleep(random.uniform(0, 2 * stores.lead))
        body = {"dispatchNO": note, "packages": [parcel]}
        status, said = await outlet.post(f"{shop.path}/pos/checkout", body)
        if (status, said) == (200, {"success": True}):
            return "shipped"
        return "void" if said.get("msg") == "通知单已作废" else f"{status} {said}"

    told_store, told_outlet = await asyncio.gather(void(), ship())
    stores.lead *= 1.05 if told_outlet == "shipped" else 1 / 1.05
    return told_store, told_outlet


# What both need -------------------------------------------------------------------------------------


class Line:
    """One connection to the hub, kept open."""

    def __init__(self, address: str) -> None:
        self._host, _, port = address.removeprefix("http://").partition(":")
        self._port = int(port)

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        """Call; return status and answer."""
        raw = msgspec.json.encode(body)
        head = f"POST {path} HTTP/1.1\r\nHost: hub\r\nContent-Length: {len(raw)}\r\n\r\n"
        self._writer.write(head.encode() + raw)
        answer = await self._reader.readuntil(b"\r\n\r\n")
        said = await self._reader.readexactly(_length(answer))
        return int(answer.split(b" ", 2)[1]), msgspec.json.decode(said) if said else None


def _length(head: bytes) -> int:
    name, value = b"content-length:", head.lower()
    return int(value.partition(name)[2].partition(b"\r\n")[0])


def _made(number: str, goods: list[tuple[str, int]]) -> dict[str, Any]:
    items = [
        dict(zip(("product", "color", "size"), sku.split("/"), strict=True), qty=qty)
        for sku, qty in goods
    ]
    return {
        "shopCode": "SHOP",
        "dispatchNO": number,
        "purchaseCode": number,
        "memberCode": "",
        "receiver": "张三",
        "phone": "13800138000",
        "province": "浙江省",
        "city": "杭州市",
        "county": "",
        "address": "文三路1号",
        "items": items,
    }


async def _open(
    db: Database,
    context: Context,
    places: list[str],
    there: Mapping[str, Mapping[str, int]],
    *,
    partner_url: str | None,
) -> Shop:
    """Make a tenant with outlets and pieces (SKU to outlet to how many), codes ``SKU-n``."""
    vault = Vault.open(context.folder / "hub" / "entrepot.key")
    db.seal, db.listens = vault.seal, lambda *_: False
    shop = Shop(tenant_id=ids.new(), path="")
    async with db.transaction(shop.tenant_id) as tx:
        await connections.add_tenant(tx, "bench", {"allowed_networks": ["127.0.0.0/8"]})
        spoken = dialects.discover()
        new = NewConnection(name="stores", dialect="storepos", role="oms")
        made = await connections.add(tx, vault, spoken, new, who="bench")
        if partner_url:
            change = {"partner_url": partner_url, "concurrency": "32"}
            await connections.change(tx, vault, spoken, new.name, change, who="bench")
        sealed = await tx.value("SELECT sealed FROM credential WHERE tenant_id = $1")
        shop.path = f"/c/{msgspec.json.decode(vault.unseal(sealed))[rules.URL_KEY]}"
        region = {"province": "浙江省", "city": "杭州市"}
        codes = ["SHOP", *places]
        await stock.add_locations(tx, [stock.Location(code=code, **region) for code in codes])
        await outlets.set_up(tx, [Outlet(code=code, connection_id=made) for code in places])
        known = await catalogue.add(tx, [catalogue.Article(sku=sku) for sku in there])
        at = await stock.locations(tx, codes)
        lying = [
            (known[s], s, at[p], qty) for s, piles in there.items() for p, qty in piles.items()
        ]
        counts = [stock.Count(article_id=a, location_id=p, on_hand=qty) for a, _, p, qty in lying]
        await stock.count(tx, counts)
        if partner_url:
            pieces = [
                Registered(code=f"{sku}-{n}", article_id=article, location_id=place)
                for article, sku, place, qty in lying
                for n in range(qty)
            ]
            await outlets.register(tx, pieces)
    return shop
