"""webhooks: whoever wants to know what happens here, told by signed POSTs (Standard Webhooks)."""

from __future__ import annotations

from pathlib import Path

from entrepot.dialect import Dialect, Role
from entrepot.dialects.webhooks import client, signature, wire

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
    },
    folder=Path(__file__).parent,
)
