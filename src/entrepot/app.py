"""The composition root: the only file that knows everything.

``Web`` is the web process's application: partners' traffic goes to the gateway, programs' to the API,
everything else to the web framework.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from entrepot import clock, gauges, metrics, migrate, tracing
from entrepot.api import app as api
from entrepot.connections.flows import presence
from entrepot.console.app import create_app
from entrepot.gateway import PREFIX, Gateway
from entrepot.gauges import Gauges
from entrepot.hub import Hub

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.settings import Settings


class Web:
    """The web process as an ASGI application."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.hub: Hub | None = None
        self._gateway: Any = None
        self._console: Any = None
        self._api: Any = None
        self._gauges: Any = None
        self._presence: Any = None

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Answer one request, or follow the server's start and end."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["path"].startswith(PREFIX):
            await self._gateway(scope, receive, send)
        elif scope["path"].startswith("/api"):
            await self._api(scope, receive, send)
        elif scope["path"] == "/healthz":
            await _say(send, 200, b'{"status":"ok"}')
        elif scope["path"] == "/metrics":
            await self._metrics(scope, send)
        elif scope["path"] == "/readyz":
            await _say(send, *await self._readiness())
        else:
            await self._shown(scope, receive, send)

    async def start(self) -> None:
        """Open the hub and everything that answers."""
        self.hub = hub = await Hub.open(self._settings)
        tracing.begin("web")
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
        self._api = api.create_app(hub)
        self._gauges = Gauges(hub.db)

    async def stop(self) -> None:
        """Answer what is under way, then close."""
        if self._presence is not None:
            await self._presence.close()
        if self.hub is not None:
            await self.hub.close()
        metrics.end()
        await asyncio.to_thread(tracing.end)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            await self.start()
        except Exception as error:
            await send({"type": "lifespan.startup.failed", "message": str(error)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.stop()
        await send({"type": "lifespan.shutdown.complete"})

    async def _shown(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """Let the console answer, and count it."""
        started, status = clock.ticks(), 500

        async def watched(message: Mapping[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._console(scope, receive, watched)
        finally:
            metrics.request("console", "console", status, clock.ticks() - started)

    async def _metrics(self, scope: Mapping[str, Any], send: Any) -> None:
        """Answer Prometheus, and nobody else."""
        if self.hub is None or not gauges.admits(self._settings, scope):
            await _say(send, 404, b'{"status":"not found"}')
        else:
            await _say(send, 200, await self._gauges.page(), gauges.KIND)

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


async def _say(send: Any, status: int, body: bytes, kind: str = "application/json") -> None:
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
