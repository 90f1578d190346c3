"""minimall: an ERP that keeps a mini-program mall's stock up to date (document 001)."""

from __future__ import annotations

from pathlib import Path

from entrepot.dialect import Dialect, Role
from entrepot.dialects.minimall import client, server, wire

dialect = Dialect(
    name="minimall",
    label="小程序商城库存同步",
    document="001",
    roles={
        "erp": Role(
            settings=wire.ErpSettings,
            render=wire.render,
            request_for=client.request_for,
            verdict=client.verdict,
            levels=client.rows_per_call,
            level_wait=client.interval,
            punctual=True,
            level_locations=client.drawn_on,
            level_stores=client.stores,
            full_every=client.full_every,
            splits=client.splits,
            misnamed=wire.misnamed,
        ),
        "mall": Role(
            settings=wire.MallSettings,
            render=wire.render,
            routes=server.MALL,
            misnamed=wire.misnamed,
        ),
    },
    folder=Path(__file__).parent,
)
