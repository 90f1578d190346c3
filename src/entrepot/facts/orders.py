"""What happens to orders. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from entrepot.facts.fact import Fact


class GoodsLine(msgspec.Struct, frozen=True, kw_only=True):
    """One article and how many pieces of it."""

    sku: str
    qty: int


class OrderPlaced(Fact, frozen=True, kw_only=True):
    """An order of ours is to be pushed to a partner that fulfils it."""

    kind = "order_placed"
    personal = True

    customer: str
    lines: tuple[GoodsLine, ...]
    details: dict[str, Any] = msgspec.field(default_factory=dict)


class OrderProcessed(Fact, frozen=True, kw_only=True):
    """An operator or the connection's own rule marked the order as processed."""

    kind = "order_processed"
    superseded_by = frozenset({"order_shipped"})


class OrderShipped(Fact, frozen=True, kw_only=True):
    """All goods of the order left."""

    kind = "order_shipped"


class OrderCancelled(Fact, frozen=True, kw_only=True):
    """The order was cancelled on our side and the partner who fulfils it must know."""

    kind = "order_cancelled"
    echoes = True

    remark: str = ""
