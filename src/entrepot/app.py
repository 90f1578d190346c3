"""The composition root: the only file that knows everything.

``Hub`` holds what one process needs; ``asgi`` is the web process's application: partners' traffic goes to the
gateway, everything else to the web framework.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from entrepot import dialects, embedded, log, migrate
from entrepot.connections.exchanges import Recorder
from entrepot.connections.flows import presence
from entrepot.connections.registry import Registry
from entrepot.console.app import create_app
from entrepot.db import Database
from entrepot.gateway import PREFIX, Gateway
from entrepot.settings import Settings, from_environment
from entrepot.together import Together
from entrepot.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from entrepot.dialect import Dialect


class Hub:
    """Everything one process shares: database, key ring, dialects, connections, batches, records."""

    def __init__(self, settings: Settings, db: Database, vault: Vault) -> None:
        self.settings = settings
        self.db = db
        self.vault = vault
        self.dialects: Mapping[str, Dialect] = dialects.discover(*_folders())
        self.registry = Registry(db, vault, self.dialects)
        self.together = Together(db)
        self.recorder = Recorder(db, vault)
        db.seal = vault.seal
        db.listens = self.registry.listens
        db.listeners = self.registry.listeners
        self._server: embedded.Embedded | None = None

    @classmethod
    async def open(cls, settings: Settings, *, size: int = 10) -> Self:
        """Connect to the database of ``settings``, attaching to the embedded one where none is named.

        The schema must be current (``serve`` sees to that).
        """
        server = None if settings.database_url else embedded.attach(settings.data)
        url = settings.database_url or (server.dsn if server else "")
        try:
            db = await Database.open(url, size=size)
            hub = cls(settings, db, Vault.open(settings.keys))
            hub._server = server
            await hub.registry.start()
        except BaseException:
            if server:
                server.stop()
            raise
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


class Web:
    """The web process as an ASGI application."""

    def __init__(self, settings: Settings, *, ready: Callable[[], None] = lambda: None) -> None:
        self._settings = settings
        self._ready = ready
        self.hub: Hub | None = None
        self._gateway: Any = None
        self._console: Any = None
        self._presence: Any = None

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request, or follow the server's start and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"].startswith(PREFIX):
            await self._gateway(scope, receive, send)
        elif scope["path"] == "/healthz":
            await _say(send, 200, b'{"status":"ok"}')
        elif scope["path"] == "/readyz":
            await _say(send, *await self._readiness())
        else:
            await self._console(scope, receive, send)

    async def start(self) -> None:
        """Open the hub and everything that answers."""
        self.hub = hub = await Hub.open(self._settings)
        if self._settings.public_url is None:
            self._presence = await hub.db.hold(presence(self._settings.url))
        self._gateway = Gateway(
            hub.db,
            hub.registry,
            hub.together,
            hub.recorder,
            hub.vault,
            body_limit=self._settings.body_limit,
            read_timeout=self._settings.read_timeout,
        )
        self._console = create_app(hub)

    async def stop(self) -> None:
        """Answer what is under way, then close."""
        if self._presence is not None:
            await self._presence.close()
        if self.hub is not None:
            await self.hub.close()

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            await self.start()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        self._ready()
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _readiness(self) -> tuple[int, bytes]:
        """Return 200 when the database answers and the schema is this version's."""
        if self.hub is None:
            return 503, b'{"status":"starting"}'
        try:
            lacking = await migrate.pending(self.hub.db.url)
        except OSError:
            return 503, b'{"status":"no database"}'
        if lacking:
            return 503, b'{"status":"migrations pending"}'
        return 200, b'{"status":"ready"}'


def asgi() -> Web:
    """Return the application of a web worker; its settings come from the environment."""
    settings = from_environment()
    log.configure(settings.log_level)
    return Web(settings)


def _folders() -> list[Path]:
    """Return the further places to look for dialects (``ENTREPOT_DIALECTS``, colon-separated)."""
    return [Path(part) for part in os.environ.get("ENTREPOT_DIALECTS", "").split(":") if part]


async def _say(send: Any, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
