"""storepos: stores that sell what others ship, and the OMS between them (document 002)."""

from __future__ import annotations

from pathlib import Path

from entrepot.dialect import Dialect, Role
from entrepot.dialects.storepos import client, policy, server, wire

dialect = Dialect(
    name="storepos",
    label="门店POS与OMS",
    document="002",
    roles={
        "oms": Role(
            settings=policy.OmsSettings,
            render=wire.render,
            routes=server.OMS,
            listens=client.TELLS_STORES,
            request_for=client.to_stores,
            verdict=client.verdict,
        ),
        "pos": Role(
            settings=policy.PosSettings,
            render=wire.render,
            routes=server.POS,
            listens=client.TELLS_OMS,
            request_for=client.to_oms,
            verdict=client.verdict,
        ),
    },
    folder=Path(__file__).parent,
)
