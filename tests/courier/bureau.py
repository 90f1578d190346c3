"""A courier at work for tests and benchmarks: a tenant, connections of a made-up dialect, real partners.

Partners are raw asyncio servers on 127.0.0.1, so that a test can misbehave on the wire as it likes.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import msgspec

from entrepot import ids
from entrepot.connections.exchanges import Recorder
from entrepot.courier.outbox import Announcement, announce
from entrepot.courier.worker import Courier
from entrepot.dialect import (
    Delivered,
    Partner,
    Rejected,
    Reply,
    Request,
    Retry,
    Role,
    Sent,
    Settings,
    Verdict,
)
from entrepot.facts import Fact

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from entrepot.db import Database
    from entrepot.vault import Vault

Answer = tuple[int, bytes] | tuple[int, bytes, str]
"""A status, a body, and further headers, each with its line end."""
LOOPBACK = {"allowed_networks": ["127.0.0.0/8", "::1/128"]}


class Step(Fact, frozen=True, kw_only=True):
    """The n-th thing that happened to a document."""

    kind = "test_step"

    n: int = 0
    pad: str = ""


class LastStep(Fact, frozen=True, kw_only=True):
    """What makes waiting first words pointless."""

    kind = "test_last"


class FirstWord(Fact, frozen=True, kw_only=True):
    """Pointless once the last was said."""

    kind = "test_first"
    superseded_by = frozenset({"test_last"})


class Person(Fact, frozen=True, kw_only=True):
    """Personal data, stored sealed."""

    kind = "test_person"
    personal = True

    phone: str = ""


KINDS = frozenset({Step.kind, LastStep.kind, FirstWord.kind, Person.kind})


def request_for(fact: Any, _partner: Partner) -> Request:
    """Send the fact as it is."""
    return Request(f"/{fact.kind}", msgspec.json.encode(fact))


def verdict(sent: Sent) -> Verdict:
    """Judge an envelope ``{"code": 0, "msg": ""}``; ``slow`` is a rate limit's text."""
    if not 200 <= sent.response.status < 300:
        return Retry(f"HTTP {sent.response.status}")
    try:
        envelope = json.loads(sent.response.body)
        code = envelope["code"]
    except (ValueError, KeyError, TypeError):
        return Retry("unreadable answer")
    if envelope.get("msg") == "slow":
        return Retry("slow", slow_down=True)
    if code == 0 or (code == 409 and sent.unsure):
        return Delivered()
    return Rejected(str(envelope.get("msg", "")))


ROLE = Role(
    settings=Settings,
    render=lambda problem: Reply(problem.text.encode()),
    listens=KINDS,
    request_for=request_for,
    verdict=verdict,
)


@dataclass
class Link:
    """One connection; a changed one is a new object, as in the registry."""

    partner: Partner
    role: Role = ROLE

    def secrets(self, _now: datetime) -> Sequence[Mapping[str, str]]:
        """Return the secrets that count."""
        return [self.partner.secrets]


@dataclass
class Links:
    """The registry's part, kept by hand."""

    links: dict[int, Link] = field(default_factory=dict)
    tenants: dict[int, tuple[str, dict[str, Any]]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Link]:
        return iter(list(self.links.values()))


@dataclass
class Call:
    """One request as a partner got it."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def key(self) -> str:
        """The delivery's id."""
        return self.headers["idempotency-key"]


class Stub:
    """A partner that answers what ``reply`` says, and remembers every call."""

    def __init__(self, reply: Callable[[Call], Awaitable[Answer]] | None = None) -> None:
        self.calls: list[Call] = []
        self.reply = reply or _fine
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                call = await read_call(reader)
                self.calls.append(call)
                status, body, *more = await self.reply(call)
                head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{''.join(more)}\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
        self._writers.discard(writer)
        writer.close()


async def read_call(reader: asyncio.StreamReader) -> Call:
    """Read one request with a Content-Length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.split("\r\n")
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Call(first.split(" ")[1], headers, body)


async def _fine(_call: Call) -> Answer:
    return 200, b'{"code":0,"msg":""}'


class Bureau:
    """A tenant with connections, and couriers for them."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self.db = db
        self.vault = vault
        self.tenant_id = ids.new()
        self.links = Links(tenants={self.tenant_id: ("test", dict(LOOPBACK))})
        self.recorder = Recorder(db, vault)
        db.seal, db.fingerprint = vault.seal, vault.fingerprint
        db.listens = lambda _tenant, connection, kind: kind in self._told(connection)

    def _told(self, connection_id: int) -> frozenset[str]:
        """Return what a partner is told; one that overhears is told here what is addressed to it."""
        link = self.links.links[connection_id]
        if link.role.overhears is not None:
            return link.role.overhears(link.partner.settings)
        return link.role.listens

    async def open(self) -> None:
        """Create the tenant."""
        async with self.db.transaction(self.tenant_id) as tx:
            await tx.do("INSERT INTO tenant (tenant_id, name) VALUES ($1, $2)", str(self.tenant_id))
        self.recorder.start()

    async def connect(
        self, url: str | None, role: Role = ROLE, *, name: str | None = None, **settings: Any
    ) -> int:
        """Add a connection; return its id."""
        connection_id = ids.new()
        name = name or f"partner {len(self.links.links) + 1}"
        async with self.db.transaction(self.tenant_id) as tx:
            await tx.do(
                "INSERT INTO connection (tenant_id, id, name, dialect, role, partner_url)"
                " VALUES ($1, $2, $3, 'test', 'test', $4)",
                connection_id,
                name,
                url,
            )
        partner = Partner(
            tenant_id=self.tenant_id,
            id=connection_id,
            name=name,
            dialect="test",
            role="test",
            partner_url=url,
            settings=msgspec.convert(settings, role.settings),
        )
        self.links.links[connection_id] = Link(partner, role)
        return connection_id

    def change(
        self, connection_id: int, *, settings: Mapping[str, Any] = {}, **partner: Any
    ) -> None:
        """Change a connection, as the registry would after ``connections set``."""
        link = self.links.links[connection_id]
        now = msgspec.structs.replace(link.partner.settings, **settings)
        changed = msgspec.structs.replace(link.partner, settings=now, **partner)
        self.links.links[connection_id] = Link(changed, link.role)

    async def announce(self, *items: Announcement) -> list[int]:
        """Announce in a transaction of its own."""
        made = await self.db.run(self.tenant_id, lambda tx: announce(tx, items))
        return [i for i in made if i is not None]

    async def step(self, connection_id: int, key: int, n: int = 0, **more: Any) -> int:
        """Announce the n-th step of a document."""
        fact = Step(number=f"D{key}", n=n)
        return (
            await self.announce(
                Announcement(connection_id=connection_id, key=key, fact=fact, **more)
            )
        )[0]

    def courier(self, *, lease: float = 30.0) -> Courier:
        """Return a courier process of its own, not yet at work."""
        return Courier(self.db, self.links, self.recorder, self.vault.unseal, lease=lease)

    @contextlib.asynccontextmanager
    async def working(self, *, lease: float = 30.0, couriers: int = 1) -> AsyncIterator[Courier]:
        """Have couriers at work; yield the first."""
        stop = asyncio.Event()
        crew = [self.courier(lease=lease) for _ in range(couriers)]
        tasks = [asyncio.create_task(courier.serve(stop)) for courier in crew]
        try:
            yield crew[0]
        finally:
            stop.set()
            await asyncio.gather(*tasks)

    async def rows(self, query: str, *args: object) -> list[Any]:
        """Query the tenant's rows ($1 is the tenant)."""
        async with self.db.reading(self.tenant_id) as tx:
            return list(await tx.rows(query, *args))

    async def states(self) -> dict[int, str]:
        """Return the state of every delivery."""
        rows = await self.rows("SELECT id, state FROM delivery WHERE tenant_id = $1")
        return {row["id"]: row["state"] for row in rows}

    async def until(self, state: str, *deliveries: int, within: float = 30.0) -> None:
        """Wait until all of the deliveries are in a state."""
        await eventually(lambda: self._all(state, deliveries), within)

    async def _all(self, state: str, deliveries: Sequence[int]) -> bool:
        states = await self.states()
        return all(states[i] == state for i in deliveries)

    async def attempts(self, delivery: int) -> list[tuple[str, str]]:
        """Return (outcome, note) of a delivery's attempts, oldest first."""
        rows = await self.rows(
            "SELECT outcome, note FROM attempt WHERE tenant_id = $1 AND delivery_id = $2 ORDER BY at, id",
            delivery,
        )
        return [(row["outcome"], row["note"]) for row in rows]


async def eventually(true: Callable[[], Awaitable[bool]], within: float = 30.0) -> None:
    """Wait until a condition holds; fail the test when it does not in time."""
    async with asyncio.timeout(within):
        while not await true():  # noqa: ASYNC110 - the truth is in the database
            await asyncio.sleep(0.02)
