"""webhooks: whoever wants to know what happens here, told by signed POSTs (Standard Webhooks)."""

from __future__ import annotations

from pathlib import Path

from entrepot.dialect import Dialect, Role
from entrepot.dialects.webhooks import client, server, signature, wire

dialect = Dialect(
    name="webhooks",
    label="Webhooks",
    document="Standard Webhooks 1.0",
    roles={
        "sender": Role(
            settings=wire.SenderSettings,
            render=wire.render,
            request_for=client.request_for,
            verdict=client.verdict,
            overhears=client.overhears,
            finish=client.finish,
            levels=wire.at_once,
            sells="articles",
            secrets=signature.fresh,
        ),
        "receiver": Role(
            settings=wire.ReceiverSettings,
            render=wire.render,
            routes=server.RECEIVER,
            accounts=signature.fresh,
            own_auth=True,
            admit=server.admit,
            sign=client.sign,
        ),
    },
    folder=Path(__file__).parent,
)
