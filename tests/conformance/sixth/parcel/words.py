"""Orders in, shipments out, in an envelope like none of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import Meta, Struct

from entrepot import decode
from entrepot.decode import Name, Positive
from entrepot.dialect import Delivered, Rejected, Reply, Request, Retry, Route, Settings
from entrepot.facts import OrderShipped
from entrepot.orders import flows as orders
from entrepot.orders.rules import NewOrder, Wanted

if TYPE_CHECKING:
    from entrepot.dialect import Call, Partner, Problem, Sent, Verdict

__all__ = ["ROUTES", "Settings", "render", "request_for", "verdict"]


class Item(Struct):
    """So many of what."""

    sku: Name
    count: Positive


class Parcel(Struct):
    """An order."""

    order: Name
    items: Annotated[tuple[Item, ...], Meta(min_length=1)]


async def parcel(call: Call) -> Reply:
    """Take an order in."""
    body: Parcel = call.body
    call.document = body.order
    wanted = tuple(
        Wanted(name=item.sku, qty=item.count, path=f"items[{at}].sku")
        for at, item in enumerate(body.items)
    )
    new = NewOrder(
        number=body.order, lines=wanted, digest=decode.digest(call.raw), partner=call.partner
    )
    await call.do(orders.place, new)
    return Reply(b'{"ok":true}')


def render(problem: Problem) -> Reply:
    """Say what went wrong."""
    said = problem.text or problem.code
    body = {"ok": False, "error": said, "status": problem.status or 422}
    return Reply(msgspec.json.encode(body), problem.status or 422)


def request_for(fact: Any, _partner: Partner) -> Request | None:
    """Tell of a shipment."""
    if isinstance(fact, OrderShipped):
        return Request("/shipped", msgspec.json.encode({"order": fact.number}))
    return None


def verdict(sent: Sent) -> Verdict:
    """Read ``{"ok": …}``."""
    if sent.response.status != 200:
        return Retry(f"HTTP {sent.response.status}")
    try:
        answer = msgspec.json.decode(sent.response.body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return Retry("not JSON")
    return Delivered() if answer.get("ok") is True else Rejected(str(answer.get("error", "")))


ROUTES = (Route("POST", "/parcels", parcel, Parcel),)
