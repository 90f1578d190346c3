"""trade: the back office of a food wholesaler, price adjustments and sales returns (document 003)."""

from __future__ import annotations

from pathlib import Path

from entrepot import ids
from entrepot.dialect import Dialect, Role
from entrepot.dialects.trade import client, envelope, server, wire


def _tokens() -> dict[str, str]:
    """Return a fresh token for each of the five logins."""
    return {login: ids.token() for login in wire.LOGINS}


dialect = Dialect(
    name="trade",
    label="订单后台（差价、调价、销售退）",
    document="003",
    roles={
        "platform": Role(
            settings=wire.PlatformSettings,
            render=envelope.render,
            routes=tuple(server.PLATFORM),
            secrets=_tokens,
            own_auth=True,
            admit=server.admit,
        ),
        "client": Role(
            settings=wire.ClientSettings,
            render=envelope.render,
            listens=frozenset({client.Asked.kind}),
            request_for=client.request,
            verdict=client.verdict,
            secrets=_tokens,
        ),
    },
    folder=Path(__file__).parent,
)
