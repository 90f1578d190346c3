"""The list of orders, one order, its steps, and orders of the hub's own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from entrepot import decode
from entrepot.connections.flows import audit
from entrepot.console import exports, filters, lists, vocabulary
from entrepot.console.timeline import timeline
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import N_, _
from entrepot.db import queries
from entrepot.decode import MOST
from entrepot.dispatch import desk as dispatch
from entrepot.errors import BadInput, Missing
from entrepot.orders import accounts, flows
from entrepot.orders.rules import TRANSITIONS, NewOrder, StepBy, Wanted
from entrepot.people.rules import Role

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from litestar import Response

    from entrepot.db import Row, Tx

STATES = (
    "accepted",
    "processed",
    "shipped",
    "cancelled",
    "partly_shipped",
    "parked",
    "short",
    "oversold",
)
"""Every state an order can be in; the list seeks by each where a connection is chosen."""
_STEPS: Mapping[str, Any] = {
    "process": flows.process,
    "ship": flows.ship,
    "cancel": dispatch.cancel,
}
_SAID = {
    "process": N_("Order %(number)s is processed."),
    "ship": N_("Order %(number)s is shipped."),
    "cancel": N_("Order %(number)s is cancelled."),
}
_PHONE = re.compile(r"1[3-9]\d{9}")
_q = queries(__package__)


class PaperHead(Struct, kw_only=True):
    """A paper about an order, as the order's page names it."""

    kind: str
    number: str
    variant: str
    state: str


@get("/orders", "orders.see")
async def orders(visit: Visit) -> Response[Any]:
    """The list, newest first."""
    async with visit.reading() as tx:
        rows = await _rows(visit, tx, lists.SIZE + 1)
        await filters.load(visit, tx, "/orders")
    page = lists.page(rows, lists.by_id, before=visit.query.get("before"))
    if visit.query.get("q"):
        page.older, page.more_than_shown = None, len(rows) > lists.SIZE
    return visit.show(
        "orders/list.html",
        page=page,
        states=[(code, vocabulary.state(code)[1]) for code in STATES],
        connections=visit.connections(),
    )


@get("/orders/export.{kind:csv|xlsx}", "orders.see")
async def export(visit: Visit) -> Response[Any]:
    """The list as a file."""
    header = [
        _("Number"),
        _("Connection"),
        _("Customer"),
        _("State"),
        _("Lines"),
        _("Pieces"),
        _("Placed"),
    ]
    return await exports.answer("orders", visit.path["kind"], header, _exported(visit))


@get("/orders/new", "orders.act")
async def new_page(visit: Visit) -> Response[Any]:
    """Ask for an order of the hub's own."""
    return visit.show("orders/new.html")


@post("/orders/new", "orders.act")
async def new(visit: Visit) -> Response[Any]:
    """Place an order of the hub's own."""
    number = visit.form.get("number", "").strip()
    if not number or not decode.storable(number):
        raise BadInput("number_missing", "An order needs a number.", path="number")
    lines = _lines(visit.form.get("lines", ""))
    content = msgspec.json.encode({"number": number, "lines": [[w.name, w.qty] for w in lines]})
    order = NewOrder(
        number=number, lines=lines, digest=decode.digest(content), who=visit.who,
        body=visit.hub.vault.seal(content), customer=visit.form.get("customer", "").strip(),
    )  # fmt: skip
    placed = await visit.do(flows.place, order)
    return visit.go(
        f"/orders/{placed.order_id}", _("Order %(number)s is placed.") % {"number": number}
    )


@get("/orders/{order_id:int}", "orders.see")
async def order(visit: Visit) -> Response[Any]:
    """One order with all that happened to it."""
    order_id = visit.path["order_id"]
    async with visit.reading() as tx:
        head = await _head(tx, order_id)
        steps = _steps(tx, head)
        lines = await tx.rows(_q.lines, order_id)
        held = await tx.rows(_q.reservations, order_id)
        log = await tx.rows(_q.log, order_id)
        books = await accounts.read(tx, [order_id])
        filed = [PaperHead(**dict(row.items())) for row in await tx.rows(_q.papers, order_id)]
        numbers = [head["number"], *(one.number for one in filed)]
        events = await timeline(visit, tx, numbers=numbers, log=log)
    return visit.show(
        "orders/order.html",
        order=head,
        lines=lines,
        held=held,
        events=events,
        account=books.get(order_id),
        filed=filed,
        may_file=visit.seat.role in (Role.SALES, Role.ADMIN),
        details=_details(head),
        steps=steps,
    )


@get("/orders/{order_id:int}/cancel", "orders.act")
async def cancel_page(visit: Visit) -> Response[Any]:
    """Ask why an order is to be cancelled."""
    async with visit.reading() as tx:
        head = await _head(tx, visit.path["order_id"])
    return visit.show("orders/cancel.html", order=head)


@post("/orders/{order_id:int}/{step:process|ship|cancel|reveal}", "orders.act")
async def step(visit: Visit) -> Response[Any]:
    """Take a step on an order."""
    name, order_id = visit.path["step"], visit.path["order_id"]
    if name == "reveal":
        return await _reveal(visit, order_id)
    async with visit.reading() as tx:
        head = await _head(tx, order_id)
    remark = visit.reason() if name == "cancel" else ""
    command = StepBy(
        number=head["number"], who=visit.who, connection_id=head["connection_id"], remark=remark
    )
    await visit.do(_STEPS[name], command)
    said = _(_SAID[name]) % {"number": head["number"]}
    return visit.back(said, otherwise=f"/orders/{order_id}")


@get("/orders/{order_id:int}/reveal", "personal.see")
async def reveal_page(visit: Visit) -> Response[Any]:
    """Ask why the receiver is to be seen."""
    return visit.show("orders/reveal.html", order_id=visit.path["order_id"])


PAGES = [orders, export, new_page, new, order, cancel_page, reveal_page, step]


async def _rows(visit: Visit, tx: Tx, limit: int, before: str | None = None) -> Sequence[Row]:
    query = visit.query
    state = query.get("state") if query.get("state") in STATES else None
    connection = visit.connection_id("connection")
    first, last = lists.id_span(query)
    last = min(last, lists.id_before(before or query.get("before")))
    text = query.get("q", "").strip()
    if not text:
        return await tx.rows(_q.page, state, connection, list(STATES), first, last, limit)
    if not decode.storable(text):
        return []
    phone = visit.hub.vault.fingerprint(text) if _PHONE.fullmatch(text) else None
    start, end = lists.prefix_span(text)
    return await tx.rows(_q.search, start, end, phone, text, state, connection, first, last, limit)


async def _exported(visit: Visit) -> AsyncIterator[Sequence[object]]:
    before: str | None = None
    told = 0
    while told < exports.MOST:
        async with visit.reading() as tx:
            rows = await _rows(visit, tx, 1000, before)
        for row in rows:
            yield (
                row["number"], row["connection"] or "", row["customer"],
                vocabulary.state(row["state"])[1], row["lines"], row["pieces"], row["created_at"],
            )  # fmt: skip
        told += len(rows)
        if len(rows) < 1000:
            return
        before = str(rows[-1]["id"])


def _steps(tx: Tx, head: Row) -> list[str]:
    """Return what an operator may do with an order now; outlets and partners move on what they ship."""
    state, fulfilment = head["state"], head["fulfilment"]
    if fulfilment == "whole":
        return [step for step, table in TRANSITIONS.items() if state in table]
    ours = fulfilment == "outlets" and dispatch.cancellable(tx, head["connection_id"], state)
    return ["cancel"] if ours else []


async def _head(tx: Tx, order_id: int) -> Row:
    head = await tx.row(_q.head, order_id)
    if head is None:
        raise Missing("unknown_order", "There is no such order.", number=order_id)
    return head


async def _reveal(visit: Visit, order_id: int) -> Response[Any]:
    """Show the receiver in plain, once, and write down who looked and why."""
    visit.need("personal.see")
    reason = visit.reason()
    async with visit.transaction() as tx:
        row = await tx.row(_q.sealed, order_id)
        if row is None or row["receiver"] is None:
            raise Missing("unknown_order", "There is no receiver to show.", number=order_id)
        await audit(tx, visit.who, "reveal receiver", row["number"], reason=reason)
    plain = msgspec.json.decode(visit.hub.vault.unseal(row["receiver"]))
    shown = plain if isinstance(plain, dict) else {"": plain}
    response = visit.show("orders/revealed.html", receiver=shown)
    response.headers |= {"hx-retarget": "#receiver", "hx-reswap": "innerHTML"}
    return response


def _details(head: Row) -> dict[str, str]:
    """Return what only the partner's own kind of order knows, as texts."""
    details = msgspec.json.decode(head["details"])
    return {
        name: value if isinstance(value, str) else msgspec.json.encode(value).decode()
        for name, value in details.items()
        if value not in (None, "", [], {})
    }


def _lines(text: str) -> tuple[Wanted, ...]:
    """Read ``SKU quantity`` a line; raises BadInput naming the line."""
    wanted = []
    for count, line in enumerate(text.splitlines(), 1):
        words = line.replace("=", " ").replace("×", " ").split()
        if not words:
            continue
        *name, qty = words if len(words) > 1 else [*words, "1"]
        if not qty.isascii() or not qty.isdigit() or not 1 <= int(qty) <= MOST:
            raise BadInput(
                "line_unclear", f"Line {count} has no quantity.", path="lines", line=count
            )
        wanted.append(Wanted(name=" ".join(name), qty=int(qty)))
    if not wanted:
        raise BadInput("lines_missing", "An order needs at least one line.", path="lines")
    return tuple(wanted)
