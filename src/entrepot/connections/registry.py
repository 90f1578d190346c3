"""Every connection, in memory, refreshed the moment one changes.

A change commits, then NOTIFY reaches every process within a millisecond or so; where LISTEN cannot
work (PgBouncer in transaction mode) a poll does it within ``POLL`` seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from entrepot import clock
from entrepot.connections import rules
from entrepot.connections.flows import CHANNEL, _q
from entrepot.dialect import Partner
from entrepot.errors import Missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from entrepot.connections.rules import Connection, Generation
    from entrepot.db import Database, Row
    from entrepot.dialect import Dialect, Role
    from entrepot.vault import Vault

POLL = 5.0
_log = structlog.get_logger()


async def keeps_secrets(db: Database) -> bool:
    """Tell whether a connection's secrets are in the database, which need the key they were sealed with."""
    return bool(await db.rows(_q.any_credential))


class Registry:
    """The connections of all tenants as of the last change."""

    def __init__(self, db: Database, vault: Vault, dialects: Mapping[str, Dialect]) -> None:
        self._db = db
        self._vault = vault
        self._dialects = dialects
        self._by_key: dict[bytes, tuple[Connection, Generation]] = {}
        self._by_id: dict[tuple[int, int], Connection] = {}
        self._witnesses: dict[tuple[int, str], list[int]] = {}
        self.tenants: dict[int, tuple[str, dict[str, Any]]] = {}
        self.address = ""
        self._stale = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._listener: Any = None

    async def start(self) -> None:
        """Load everything and keep it fresh until ``stop``."""
        with contextlib.suppress(OSError):
            self._listener = await self._db.listen(CHANNEL, lambda _: self._stale.set())
        await self.load()
        self._tasks = [asyncio.create_task(self._follow())]

    async def stop(self) -> None:
        """Stop following."""
        for task in self._tasks:
            task.cancel()
        if self._listener is not None:
            await self._listener.close()

    async def load(self) -> None:
        """Read all connections anew; one that cannot be read is left out and logged."""
        self._stale.clear()
        tenants = await self._db.rows(_q.tenants)
        rows = await self._db.rows(_q.registry)
        generations: dict[tuple[int, int], list[Generation]] = {}
        for row in await self._db.rows(_q.registry_credentials):
            owner = (row["tenant_id"], row["connection_id"])
            generations.setdefault(owner, []).append(self._generation(row))
        address = await self._db.rows(_q.address)
        self.address = address[0]["address"] if address else ""
        found = [c for row in rows if (c := self._connection(row, generations)) is not None]
        self.tenants = {
            row["tenant_id"]: (row["name"], msgspec.json.decode(row["settings"])) for row in tenants
        }
        self._by_id = {(c.partner.tenant_id, c.partner.id): c for c in found}
        self._witnesses = rules.witnesses(found)
        self._by_key = {rules.key_hash(g.key): (c, g) for c in found for g in c.generations}

    def called(self, key: str) -> Connection | None:
        """Return the connection a URL key belongs to, while that key is valid."""
        hit = self._by_key.get(rules.key_hash(key))
        if hit is None:
            return None
        connection, generation = hit
        if generation.expires_at is not None and generation.expires_at <= clock.now():
            return None
        return connection

    def get(self, tenant_id: int, connection_id: int) -> Connection | None:
        """Return a connection by id."""
        return self._by_id.get((tenant_id, connection_id))

    def named(self, tenant_id: int, name: str) -> Connection:
        """Return a connection by name; raises Missing with what to do."""
        for connection in self.of(tenant_id):
            if connection.partner.name == name:
                return connection
        message = f"There is no connection {name!r}. See `entrepot connections list`."
        raise Missing("unknown_connection", message)

    def partner(self, tenant_id: int, connection_id: int) -> Partner | None:
        """Return a connection's partner by id."""
        connection = self._by_id.get((tenant_id, connection_id))
        return connection.partner if connection else None

    def listens(self, tenant_id: int, connection_id: int, kind: str) -> bool:
        """Tell whether a connection's partner is to be told facts of this kind."""
        connection = self._by_id.get((tenant_id, connection_id))
        return connection is not None and kind in connection.role.listens

    def listeners(self, tenant_id: int, kind: str) -> list[int]:
        """Return the tenant's connections whose partners are told facts of this kind."""
        return [c.partner.id for c in self.of(tenant_id) if kind in c.role.listens]

    def overhearers(self, tenant_id: int, kind: str) -> Sequence[int]:
        """Return who is told such facts whomever they are for; ``""``: of any kind."""
        return self._witnesses.get((tenant_id, kind), ())

    def tenant(self, name: str | None) -> int:
        """Return a tenant's id by name; without one ``demo`` where it is, else the only one (no twin)."""
        by_name = {known: tenant_id for tenant_id, (known, _) in self.tenants.items()}
        if name is None and "demo" in by_name:
            return by_name["demo"]
        real = [tenant_id for known, tenant_id in by_name.items() if not known.endswith(rules.TWIN)]
        if name is None and len(real) == 1:
            return real[0]
        if name in by_name:
            return by_name[name]
        message = (
            f"Which tenant? Say --tenant, one of: {', '.join(sorted(by_name)) or '(none yet)'}."
        )
        raise Missing("unknown_tenant", message)

    def base_url(self, connection: Connection) -> str:
        """Return the URL the partner calls us at; the document's paths follow it."""
        return f"{self.address}/c/{connection.generations[0].key}"

    def of(self, tenant_id: int) -> Iterable[Connection]:
        """Iterate over one tenant's connections."""
        return [c for (tenant, _), c in self._by_id.items() if tenant == tenant_id]

    def __iter__(self) -> Any:
        return iter(self._by_id.values())

    async def _follow(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL):  # wait_for may swallow being ended
                    await self._stale.wait()
            try:
                await self.load()
            except Exception as error:  # noqa: BLE001 - the database may be away; keep what we have
                _log.warning("registry.reload_failed", error=str(error))
                await asyncio.sleep(1)

    def _generation(self, row: Row) -> Generation:
        secrets = msgspec.json.decode(self._vault.unseal(row["sealed"]))
        key = secrets.pop(rules.URL_KEY)
        return rules.Generation(key=key, secrets=secrets, expires_at=row["expires_at"])

    def _connection(
        self, row: Row, generations: Mapping[tuple[int, int], list[Generation]]
    ) -> Connection | None:
        dialect = self._dialects.get(row["dialect"])
        role: Role | None = dialect.roles.get(row["role"]) if dialect else None
        if role is None:
            _log.error(
                "registry.no_such_dialect",
                connection=row["name"],
                dialect=row["dialect"],
            )
            return None
        own = tuple(generations.get((row["tenant_id"], row["id"]), ()))
        try:
            settings = msgspec.convert(msgspec.json.decode(row["settings"]), role.settings)
        except (msgspec.ValidationError, ValueError) as error:
            _log.error("registry.bad_settings", connection=row["name"], error=str(error))
            return None
        partner = Partner(
            tenant_id=row["tenant_id"],
            id=row["id"],
            name=row["name"],
            dialect=row["dialect"],
            role=row["role"],
            partner_url=row["partner_url"],
            settings=settings,
            secrets=own[0].secrets if own else {},
            paused=row["paused"],
        )
        return rules.Connection(
            tenant=row["tenant"],
            partner=partner,
            role=role,
            generations=own,
            allow=rules.networks(settings.allow_ips),
        )
