"""A program that calls the API: through its ASGI entry, with real transactions behind it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from entrepot.people import flows as people
from entrepot.people import tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.api.app import Api
    from entrepot.hub import Hub


class Reply:
    """What the API answered."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        """Return the body as data."""
        return json.loads(self.body)


class Client:
    """The holder of one token (or of none)."""

    def __init__(self, api: Api, hub: Hub, token: str | None) -> None:
        self.api, self.hub, self.token = api, hub, token

    async def holding(self, *scopes: str, **more: Any) -> Client:
        """Return a client of the demo tenant whose fresh token has these scopes."""
        tenant_id = self.hub.registry.tenant("demo")
        chosen = tokens.scopes(scopes)
        made = await self.hub.db.run(
            tenant_id, lambda tx: people.add_token(tx, "erp", scopes=chosen, **more)
        )
        return Client(self.api, self.hub, tokens.shown(tenant_id, made))

    async def get(self, path: str, **headers: str) -> Reply:
        """Ask for something below ``/api/v1``."""
        return await self.call("GET", path, **headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> Reply:
        """Send something."""
        return await self.call("POST", path, body, **headers)

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """Make one call; ``Idempotency_Key="x"`` is a header; bytes are sent as they are."""
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        sent = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        if self.token and "authorization" not in sent:
            sent["authorization"] = f"Bearer {self.token}"
        bare, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": bare if bare.startswith("/api") else f"/api/v1{bare}",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 1),
        }
        return await self._exchange(scope, raw)

    async def _exchange(self, scope: dict[str, Any], raw: bytes) -> Reply:
        said: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": raw, "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        await self.api(scope, receive, send)
        start, *parts = said
        headers = {name.decode(): value.decode() for name, value in start["headers"]}
        return Reply(start["status"], headers, b"".join(part["body"] for part in parts))
