"""Orders: look at one, move it on, place one of the hub's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer

from entrepot import clock, decode
from entrepot.cli.terminal import show as terminal
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.decode import MOST
from entrepot.dispatch import desk as dispatch
from entrepot.dispatch import intake
from entrepot.errors import BadInput, Refused
from entrepot.facts import Receiver
from entrepot.orders import flows, views
from entrepot.orders.rules import NewOrder, StepBy, Wanted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from entrepot.db import Tx

T = TypeVar("T")
Outcome = TypeVar("Outcome")

app = typer.Typer()
_LONGEST = 200  # as partners' numbers

Number = Annotated[str, typer.Argument(help="The partner's number of the order.")]
Connection = Annotated[
    str | None, typer.Option("--connection", help="Whose number, where several have it.")
]


@app.command()
@at_desk
async def show(
    desk: Desk, number: Number, *, connection: Connection = None, as_json: Json = False
) -> None:
    """Show an order: state, lines, and who did what."""
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        order = await views.show(tx, number, connection)
    if as_json:
        terminal.as_json(order)
        return
    terminal.say(f"{order.number}  {order.state}  ({order.connection or 'our own'})\n")
    terminal.table(
        ("SKU", "qty"), ((line.sku, line.qty) for line in order.lines), empty="No lines."
    )
    terminal.say("")
    terminal.table(
        ("at (Asia/Shanghai)", "who", "what"),
        ((f"{clock.shanghai(e.at):%Y-%m-%d %H:%M:%S}", e.who, e.what) for e in order.log),
        empty="Nothing logged.",
    )


@app.command()
@at_desk
async def process(desk: Desk, number: Number, *, connection: Connection = None) -> None:
    """Mark an order as processed and tell its partner."""
    await _step(desk, flows.process, number, connection, "processed")


@app.command()
@at_desk
async def ship(desk: Desk, number: Number, *, connection: Connection = None) -> None:
    """Ship a whole order out of stock and tell its partner."""
    await _step(desk, flows.ship, number, connection, "shipped")


@app.command()
@at_desk
async def cancel(
    desk: Desk,
    number: Number,
    *,
    connection: Connection = None,
    reason: Annotated[str, typer.Option(help="Kept in the order's log.")] = "",
) -> None:
    """Cancel an order and free what it holds; its number stays taken."""
    step = StepBy(number=number, who=desk.who, connection_id=whose(desk, connection), remark=reason)
    await desk.run(lambda tx: only(dispatch.cancel, tx, step))
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        order = await views.show(tx, number, connection)
    if order.state == "cancelled":
        terminal.say(f"Order {number} is cancelled.")
    else:
        terminal.say(f"The outlets of {number} are asked; see: entrepot orders show {number}")


@app.command()
@at_desk
async def create(
    desk: Desk,
    number: Number,
    lines: Annotated[list[str], typer.Argument(metavar="SKU=QTY…")],
    *,
    to: Annotated[
        str | None, typer.Option(help='The receiver: "name,phone,province,city,county,address".')
    ] = None,
) -> None:
    """Place an order of the hub's own; it is reserved like any other, with a receiver also sourced."""
    if not number.strip() or len(number) > _LONGEST:
        raise BadInput("bad_number", f"An order's number has 1 to {_LONGEST} characters.")
    wanted = tuple(line(word) for word in lines)
    receiver = _receiver(to) if to is not None else None
    content = msgspec.json.encode({"number": number, "lines": lines, "to": to})
    vault = desk.hub.vault
    order = NewOrder(
        number=number,
        lines=wanted,
        digest=decode.digest(content),
        body=vault.seal(content),
        receiver=vault.seal(msgspec.json.encode(receiver)) if receiver else None,
        phone_hash=vault.fingerprint(receiver.phone) if receiver else None,
        who=desk.who,
    )
    outcome = await desk.run(lambda tx: only(intake.place, tx, order))
    terminal.say(f"Order {outcome.number} is placed. See: entrepot orders show {outcome.number}")


async def _step(
    desk: Desk,
    flow: Callable[[Tx, Sequence[StepBy]], Awaitable[Sequence[object]]],
    number: str,
    connection: str | None,
    done: str,
) -> None:
    step = StepBy(number=number, who=desk.who, connection_id=whose(desk, connection))
    await desk.run(lambda tx: only(flow, tx, step))
    terminal.say(f"Order {number} is {done}.")


def whose(desk: Desk, connection: str | None) -> int | None:
    """Return the id of the connection that --connection names."""
    if connection is None:
        return None
    found: int = desk.hub.registry.named(desk.tenant_id, connection).partner.id
    return found


async def only(
    flow: Callable[[Tx, Sequence[T]], Awaitable[Sequence[Outcome | Refused]]], tx: Tx, command: T
) -> Outcome:
    """Run a flow for one command; raises what it was refused for, so that nothing is committed."""
    (outcome,) = await flow(tx, [command])
    if isinstance(outcome, Refused):
        raise outcome
    return outcome


def line(word: str) -> Wanted:
    """Read ``SKU=QTY``; raises BadInput."""
    sku, equals, qty = word.rpartition("=")
    digits = qty.isascii() and qty.isdigit() and len(qty) <= len(str(MOST))
    if not equals or not sku or not digits or int(qty) < 1:
        raise BadInput("bad_line", f"{word!r} should be written SKU=QTY, QTY at least 1.")
    return Wanted(name=sku, qty=int(qty))


def _receiver(text: str) -> Receiver:
    """Read ``name,phone,province,city,county,address``; the county may be empty, the address hold commas."""
    parts = [part.strip() for part in text.split(",", 5)]
    if len(parts) < 6 or not all(part for at, part in enumerate(parts) if at != 4):
        text = (
            '--to should be written "name,phone,province,city,county,address"; county may be empty.'
        )
        raise BadInput("bad_receiver", text)
    name, phone, province, city, county, address = parts
    return Receiver(
        name=name, phone=phone, province=province, city=city, county=county, address=address
    )
