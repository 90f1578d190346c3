"""goldshop: a jewellery maker's ERP and its mini-program shop (document 000)."""

from __future__ import annotations

from pathlib import Path

from entrepot.dialect import Dialect, Role
from entrepot.dialects.goldshop import client, server, wire

dialect = Dialect(
    name="goldshop",
    label="小程序订货（黄金款式）",
    document="000",
    roles={
        "erp": Role(
            settings=wire.ErpSettings,
            render=wire.render,
            routes=server.ERP,
            listens=frozenset({"order_processed", "order_shipped"}),
            request_for=client.erp_request,
            verdict=client.erp_verdict,
            levels=client.levels,
            level_wait=client.level_wait,
            sells="styles",
        ),
        "miniapp": Role(
            settings=wire.MiniappSettings,
            render=wire.render,
            routes=server.MINIAPP,
            listens=frozenset({"order_placed", "order_cancelled"}),
            request_for=client.miniapp_request,
            verdict=client.miniapp_verdict,
            stock_query=client.STOCK,
        ),
    },
    folder=Path(__file__).parent,
)
