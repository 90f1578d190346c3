"""Dispatch: why outlets were chosen, what is parked, how outlets are chosen, and what they do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from entrepot.cli.orders import line, only, whose
from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.cli.terminal.words import Pairs, pairs
from entrepot.dispatch import desk as by_hand
from entrepot.dispatch import explaining, outlets, refusing, returning, shipping
from entrepot.dispatch.explaining import Rehearsal
from entrepot.dispatch.outlets import EFFECTS
from entrepot.dispatch.refusing import Refusal
from entrepot.dispatch.returning import NewWaybill, Return
from entrepot.dispatch.rules import Box
from entrepot.dispatch.shipping import Checkout
from entrepot.errors import BadInput
from entrepot.orders.rules import StepBy

if TYPE_CHECKING:
    from entrepot.db import Tx
    from entrepot.dispatch.explaining import Explanation

app = typer.Typer()

Connection = Annotated[
    str | None, typer.Option("--connection", help="Whose number, where several have it.")
]
Note = Annotated[
    str, typer.Argument(help="The note's number, or its order's, where that has one open note.")
]
Express = Annotated[str, typer.Option(help="The carrier's code.")]


@app.command()
@at_desk
async def explain(
    desk: Desk,
    number: Annotated[
        str | None, typer.Argument(help="The order's number, or that of one of its notes.")
    ] = None,
    *,
    goods: Annotated[
        list[str] | None,
        typer.Option("--goods", metavar="SKU=QTY", help="Nothing ordered: what would be chosen."),
    ] = None,
    to: Annotated[
        str | None, typer.Option(help='With --goods: the receiver\'s "province,city".')
    ] = None,
    shop: Annotated[str, typer.Option(help="With --goods: the ordering store's code.")] = "",
    connection: Connection = None,
    as_json: Json = False,
) -> None:
    """Show why each outlet was or was not chosen; with --goods and --to a dry run that reserves nothing."""
    if (number is None) == (not goods):
        raise BadInput("bad_question", "Say either an order's NUMBER, or --goods with --to.")
    chosen = whose(desk, connection)
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        if number is not None:
            order_id = await by_hand.find(tx, number, chosen)
            found = await explaining.explain(tx, order_id)
        else:
            found = await explaining.rehearse(tx, _rehearsal(goods or [], to, shop, chosen))
    if as_json:
        show.as_json(found)
        return
    _print(found)


@app.command()
@at_desk
async def source(
    desk: Desk,
    number: Annotated[str, typer.Argument(help="The order's number, or that of a note.")],
    *,
    connection: Connection = None,
    as_json: Json = False,
) -> None:
    """Offer a parked order's goods again, to outlets that have not refused them."""
    step = StepBy(number=number, who=desk.who, connection_id=whose(desk, connection))
    await desk.run(lambda tx: only(by_hand.source, tx, step))
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        found = await explaining.explain(tx, await by_hand.find(tx, number, step.connection_id))
    if as_json:
        show.as_json(found)
        return
    open_ = [note for note in found.notes if note.state == "open"]
    told = ", ".join(f"{note.outlet} ({note.note})" for note in open_)
    show.say(f"Order {found.number} is {found.state}; " + (f"it is with {told}." if told else "."))


@app.command()
@at_desk
async def ship(
    desk: Desk,
    number: Note,
    waybill: str,
    codes: Annotated[
        list[str] | None,
        typer.Argument(metavar="CODE…", help="Pieces in the parcel; none: all, the first by code."),
    ] = None,
    *,
    express: Express = "SF",
    reason: Annotated[str, typer.Option(help="Why more than 24 hours passed.")] = "",
) -> None:
    """Ship a parcel of a note, as the outlet's people do."""
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        note = await by_hand.note(tx, number)
        packed = codes or await outlets.rest_in_stock(tx, note)
    box = Box(express=express, waybill=waybill, codes=tuple(packed))
    checkout = Checkout(note=note.number, boxes=(box,), who=desk.who, late_reason=reason)
    await desk.run(lambda tx: only(shipping.check_out, tx, checkout))
    show.say(f"{len(packed)} pieces left {note.outlet} for {note.number}.")


@app.command()
@at_desk
async def refuse(
    desk: Desk,
    number: Note,
    *,
    reason: Annotated[str, typer.Option(help="Told to the other side.")] = "",
) -> None:
    """Refuse what an outlet has not shipped of a note; it is offered elsewhere where that may be."""
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        note = await by_hand.note(tx, number)
    refusal = Refusal(note=note.number, who=desk.who, reason=reason)
    await desk.run(lambda tx: only(refusing.refuse, tx, refusal))
    show.say(f"{note.outlet} ships no more of {note.number}.")


@app.command()
@at_desk
async def withdraw(
    desk: Desk,
    number: Note,
    *,
    reason: Annotated[str, typer.Option(help="Kept with the note.")],
) -> None:
    """Ask an outlet for a note back; once it agrees, others are offered the goods."""
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        note = await by_hand.note(tx, number)
    wish = Refusal(note=note.number, who=desk.who, reason=reason)
    await desk.run(lambda tx: only(refusing.take_back, tx, wish))
    show.say(f"{note.outlet} is asked to give {note.number} up.")


@app.command("return")
@at_desk
async def return_(
    desk: Desk, outlet: str, code: str, waybill: str, *, express: Express = "SF"
) -> None:
    """Receive a shipped piece at an outlet."""
    one = Return(outlet=outlet, code=code, waybill=waybill, express=express, who=desk.who)
    await desk.run(lambda tx: only(returning.receive, tx, one))
    show.say(f"{code} is back at {outlet}.")


@app.command()
@at_desk
async def waybill(
    desk: Desk, number: Note, target: str, waybill: str, *, express: Express = "SF"
) -> None:
    """Put a note's parcels under another waybill."""
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        note = await by_hand.note(tx, number)
    change = NewWaybill(
        note=note.number, target=target, express=express, waybill=waybill, who=desk.who
    )
    await desk.run(lambda tx: only(returning.change_waybill, tx, change))
    show.say(f"{target} of {note.number} is {waybill} now.")


@app.command()
@at_desk
async def reasons(
    desk: Desk,
    connection: Annotated[str, typer.Argument(help="The connection that serves the outlets.")],
    words: Pairs = None,
    *,
    as_json: Json = False,
) -> None:
    """Show or set what texts of refusals mean for stock: TEXT=empty, TEXT=unsellable, TEXT=unchanged."""
    effects = pairs(words)
    if wrong := [effect for effect in effects.values() if effect not in EFFECTS]:
        text = f"{wrong[0]!r} is none of: {', '.join(EFFECTS)}."
        raise BadInput("bad_effect", text)
    connection_id = desk.hub.registry.named(desk.tenant_id, connection).partner.id

    async def work(tx: Tx) -> dict[str, str]:
        if effects:
            await outlets.set_reasons(tx, connection_id, effects)
        return await outlets.reasons(tx, connection_id)

    known = await desk.run(work)
    if as_json:
        show.as_json(known)
        return
    show.table(("text", "effect"), known.items(), empty="No text means anything yet.")


@app.command()
@at_desk
async def rules(
    desk: Desk,
    file: Annotated[
        Path | None,
        typer.Argument(help="A JSON array of rules that replace them; []: the default."),
    ] = None,
    *,
    as_json: Json = False,
) -> None:
    """Show how outlets are chosen, an ordered list of rules; or replace it by a file's."""
    new = _rules_of(file) if file else None

    async def work(tx: Tx) -> list[dict[str, Any]]:
        if new is not None:
            await outlets.set_rules(tx, new)
        return await outlets.rules(tx)

    known = await desk.run(work)
    if as_json:
        show.as_json(known)
        return
    rows = ((rule["kind"], _settings(rule)) for rule in known)
    show.table(("rule", "settings"), rows, empty="")


def _rules_of(file: Path) -> list[dict[str, Any]]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[dict[str, Any]])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadInput("bad_file", f"{file}: {error}") from error


def _settings(rule: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in rule.items() if name != "kind")


def _rehearsal(goods: list[str], to: str | None, shop: str, connection_id: int | None) -> Rehearsal:
    region = [part.strip() for part in (to or "").split(",")]
    if len(region) not in (2, 6):
        text = '--to should be written "province,city", or as `entrepot orders create` takes it.'
        raise BadInput("bad_receiver", text)
    province, city = region if len(region) == 2 else region[2:4]
    wanted: dict[str, int] = {}
    for word in goods:
        asked = line(word)
        wanted[asked.name] = wanted.get(asked.name, 0) + asked.qty
    return Rehearsal(
        goods=wanted, province=province, city=city, connection_id=connection_id, shop=shop
    )


def _print(found: Explanation) -> None:
    if found.number:
        show.say(f"{found.number}  {found.state}  ({found.connection or 'our own'})")
    show.say(f"Wanted: {_listed(found.goods)}.")
    if found.lacking:
        show.say(f"Nowhere to be had: {_listed(found.lacking)}.")
    if found.notes:
        show.say("")
        columns = ("note", "outlet", "round", "state", "goods", "shipped", "why", "reason")
        rows = (
            (
                n.note,
                n.outlet,
                n.round,
                n.state,
                _listed(n.goods),
                _listed(n.shipped),
                n.why,
                n.reason,
            )
            for n in found.notes
        )
        show.table(columns, rows, empty="")
    show.say("")
    show.table(
        ("outlet", "name", "chosen", "why"),
        ((o.outlet, o.name, "yes" if o.chosen else "no", o.why) for o in found.outlets),
        empty="No outlets. Make some: entrepot import outlets FILE.csv",
    )


def _listed(goods: dict[str, int]) -> str:
    return ", ".join(f"{qty} × {sku}" for sku, qty in goods.items())
