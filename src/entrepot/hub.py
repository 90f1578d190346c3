"""What one process shares, whatever it does: web worker, courier, clock or a command beside them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Self

from entrepot import dialects, embedded, metrics
from entrepot.connections.exchanges import Recorder
from entrepot.connections.registry import Registry, keeps_secrets
from entrepot.db import Database
from entrepot.together import Together
from entrepot.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.dialect import Dialect
    from entrepot.settings import Settings


class Hub:
    """Everything one process shares: database, key ring, dialects, connections, batches, records."""

    def __init__(self, settings: Settings, db: Database, vault: Vault) -> None:
        self.settings = settings
        self.db = db
        self.vault = vault
        self.dialects: Mapping[str, Dialect] = dialects.known()
        self.registry = Registry(db, vault, self.dialects)
        self.together = Together(db)
        self.recorder = Recorder(db, vault)
        db.seal, db.unseal, db.fingerprint = vault.seal, vault.unseal, vault.fingerprint
        db.listens, db.partner = self.registry.listens, self.registry.partner
        db.committed = metrics.event
        db.listeners, db.overhearers = self.registry.listeners, self.registry.overhearers
        self._server: embedded.Embedded | None = None

    @classmethod
    async def open(cls, settings: Settings, *, size: int = 10) -> Self:
        """Connect to the database of ``settings``, attaching to the embedded one where none is named.

        The schema must be current (``serve`` sees to that).
        """
        async with AsyncExitStack() as undo:
            server = None if settings.database_url else embedded.attach(settings.data)
            if server:
                undo.callback(server.stop)
            db = await Database.open(
                settings.database_url or (server.dsn if server else ""), size=size
            )
            undo.push_async_callback(db.close)
            hub = cls(settings, db, Vault.open(settings.keys, needed=await keeps_secrets(db)))
            hub._server = server
            undo.push_async_callback(hub.registry.stop)
            await hub.registry.start()
            undo.pop_all()
        hub.recorder.start()
        return hub

    async def close(self) -> None:
        """Finish what is under way and let go of the database."""
        await self.together.drain()
        await self.recorder.stop()
        await self.registry.stop()
        await self.db.close()
        if self._server:
            self._server.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
