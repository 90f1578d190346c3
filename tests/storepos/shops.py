"""The stores' system at the other end of the hub: what it is called with, what it answers, what it calls."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx

from entrepot.catalogue import flows as catalogue
from entrepot.catalogue.flows import Article
from entrepot.connections import exchanges
from entrepot.connections import flows as connections
from entrepot.dispatch import desk, explaining, outlets
from entrepot.dispatch.outlets import Registered
from entrepot.orders import views as orders
from entrepot.stock import flows as stock
from entrepot.stock import views
from entrepot.stock.flows import Count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from entrepot.db import Tx
    from entrepot.dispatch.explaining import NoteShown
    from entrepot.hub import Hub
    from tests.running import Running

    Work = Callable[[Tx], Any]

Answer = tuple[int, Any]
DISCREPANCIES = """
SELECT d.kind FROM discrepancy d JOIN sales_order o ON o.tenant_id = $1 AND o.id = d.order_id
WHERE d.tenant_id = $1 AND o.number = $2 ORDER BY d.id
"""
YES: Answer = (200, {"success": True})


def no(said: str) -> Answer:
    """Return a final no."""
    return 200, {"success": False, "msg": said}


class Server(ThreadingHTTPServer):
    """Every call is its own connection, so that none is left open."""

    daemon_threads = True


class Stub:
    """The stores' HTTP server; ``answers`` by the last word of the path, a value or what decides on one."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.answers: dict[str, Answer | Callable[[Any], Answer]] = {}
        self._server = Server(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def of(self, name: str, **fields: str) -> list[Any]:
        """Return the bodies of calls to a path, of those with these fields."""
        return [
            body
            for path, body in list(self.calls)
            if path.endswith(f"/{name}") and all(body.get(k) == v for k, v in fields.items())
        ]

    def answer(self, path: str, body: Any) -> Answer:
        """Note a call and answer it."""
        self.calls.append((path, body))
        said = self.answers.get(path.rpartition("/")[2], YES)
        return said(body) if callable(said) else said

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def _handler(stub: Stub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Answer a call."""
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said = stub.answer(self.path, body)
            raw = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

    return Handler


class Shops:
    """A running hub, the stores' connection to it, and the stub at their end."""

    def __init__(self, running: Running, stub: Stub, tenant: str = "demo") -> None:
        self.running = running
        self.stub = stub
        self.tenant = tenant
        self.http = httpx.Client(timeout=30)
        (connection,) = [
            one
            for one in asyncio.run(running.connections())
            if (one.tenant, one.partner.name) == (tenant, "storepos")
        ]
        self.base = running.base_url(connection)

    def call(self, path: str, body: Any) -> Answer:
        """Call the hub; return status and answer."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        reply = self.http.post(f"{self.base}/{path}", content=raw)
        return reply.status_code, reply.json()

    def set(self, **settings: str) -> None:
        """Set settings of the connection, and wait until every process has heard."""

        async def work(hub: Hub) -> None:
            async with hub.db.transaction(hub.registry.tenant(self.tenant)) as tx:
                change = {name.replace("__", "."): value for name, value in settings.items()}
                await connections.change(tx, hub.vault, hub.dialects, "storepos", change, who="t")

        asyncio.run(self.running.do(work))
        time.sleep(0.5)

    def run(self, work: Work) -> Any:
        """Do something in a transaction beside the server."""

        async def beside(hub: Hub) -> Any:
            return await hub.db.run(hub.registry.tenant(self.tenant), work)

        return asyncio.run(self.running.do(beside))

    def stocked(self, at: Mapping[str, Mapping[str, int]]) -> None:
        """Put pieces of new articles into outlets; codes are ``SKU@outlet-n``."""

        async def work(tx: Tx) -> None:
            known = await catalogue.add(tx, [Article(sku=sku) for sku in at])
            places = await stock.locations(tx, {code for sku in at for code in at[sku]})
            rows = [(known[s], s, places[c], c, n) for s, lie in at.items() for c, n in lie.items()]
            counts = [
                Count(article_id=a, location_id=place, on_hand=n) for a, _, place, _, n in rows
            ]
            await stock.count(tx, counts)
            pieces = [
                Registered(code=code(sku, c, i), article_id=a, location_id=place)
                for a, sku, place, c, n in rows
                for i in range(n)
            ]
            await outlets.register(tx, pieces)

        self.run(work)

    def order(self, number: str, goods: Mapping[str, int], **more: Any) -> Answer:
        """A store in Shanghai orders for a receiver in Hangzhou."""
        return self.call("pos/ordermake", document(number, goods, **more))

    def notes(self, number: str) -> list[NoteShown]:
        """Return an order's notes."""

        async def work(tx: Tx) -> list[NoteShown]:
            found = await explaining.explain(tx, await desk.find(tx, number))
            return found.notes

        found: list[NoteShown] = self.run(work)
        return found

    def note(self, number: str, outlet: str) -> str:
        """Return the number of an outlet's open note, once the outlet was told of it."""
        found = self.until(
            lambda: [n for n in self.notes(number) if (n.outlet, n.state) == (outlet, "open")]
        )
        self.until(lambda: self.stub.of("pushorder", dispatchNO=found[-1].note))
        name: str = found[-1].note
        return name

    def state(self, number: str) -> str:
        """Return an order's state."""

        async def work(tx: Tx) -> str:
            return (await orders.show(tx, number)).state

        found: str = self.run(work)
        return found

    def stock_of(self, sku: str) -> dict[str, tuple[int, int]]:
        """Return (on hand, reserved) by outlet."""

        async def work(tx: Tx) -> dict[str, tuple[int, int]]:
            rows = await views.standing(tx, [sku])
            return {row.location: (row.on_hand, row.reserved) for row in rows}

        found: dict[str, tuple[int, int]] = self.run(work)
        return found

    def discrepancies(self, number: str) -> list[str]:
        """Return the kinds of what a person should look at, of one order."""

        async def work(tx: Tx) -> list[str]:
            return [row["kind"] for row in await tx.rows(DISCREPANCIES, number)]

        found: list[str] = self.run(work)
        return found

    def exchanges(self, number: str) -> list[tuple[str, int | None]]:
        """Return what was said about a document: path and status, the newest first."""

        async def beside(hub: Hub) -> list[tuple[str, int | None]]:
            async with hub.db.reading(hub.registry.tenant(self.tenant)) as tx:
                found = await exchanges.find(tx, hub.vault, exchanges.Filter(document=number))
            return [(one.path, one.status) for one in found]

        return asyncio.run(self.running.do(beside))

    def check_out(self, note: str, boxes: Mapping[str, list[str]], **more: Any) -> Answer:
        """An outlet ships boxes (waybill to codes)."""
        packages = [{"express": "SF", "waybillCode": w, "sns": sns} for w, sns in boxes.items()]
        return self.call("pos/checkout", {"dispatchNO": note, "packages": packages, **more})

    def until(self, holds: Callable[[], Any], seconds: float = 20.0) -> Any:
        """Wait until something is there, and return it."""
        deadline = time.monotonic() + seconds
        while not (found := holds()):
            assert time.monotonic() < deadline, self.stub.calls[-5:]
            time.sleep(0.05)
        return found


def document(number: str, goods: Mapping[str, int], **more: Any) -> dict[str, Any]:
    """Return ``pos/ordermake`` as the document has it."""
    items = [
        dict(zip(("product", "color", "size"), sku.split("/"), strict=True), qty=qty)
        for sku, qty in goods.items()
    ]
    return {
        "shopCode": "6001",
        "dispatchNO": number,
        "purchaseCode": f"XP-{number}",
        "memberCode": "VIP1",
        "receiver": "张三",
        "phone": "13800138000",
        "province": "浙江省",
        "city": "杭州市",
        "county": "西湖区",
        "address": "文三路1号",
        "items": items,
        **more,
    }


def code(sku: str, outlet: str, n: int) -> str:
    """Return the code of the n-th piece of an article at an outlet."""
    return f"{sku}@{outlet}-{n}"
