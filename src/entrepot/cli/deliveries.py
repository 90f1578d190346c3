"""What is on its way to partners: look, try again, put aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from entrepot import clock
from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.courier import desk as courier
from entrepot.courier.desk import Act, Filter, Line
from entrepot.dialect import Duration, seconds
from entrepot.errors import BadInput, Missing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

app = typer.Typer()

_PAGE = 10_000
_NEWEST = (1 << 63) - 1
_DIGITS = 18  # of an id, at most
_ROWS = 100  # of a table, unless --limit says otherwise; JSON has no end

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID…", show_default=False)]
State = Annotated[str | None, typer.Option("--state", help=f"One of {', '.join(courier.STATES)}.")]
Connection = Annotated[str | None, typer.Option("--connection", help="A connection's name.")]
Document = Annotated[str | None, typer.Option("--document", help="Any number in the call.")]
Kind = Annotated[str | None, typer.Option("--kind", help="What it tells: order_shipped, stock …")]
Age = Annotated[str | None, typer.Option("--age", help="Made so long ago at least: 30m, 2h, 1d.")]
Trouble = Annotated[str | None, typer.Option("--error", help="Part of its last error.")]
Everything = Annotated[
    bool, typer.Option("--all", help="Instead of ids: everything with that --state (and the rest).")
]
Reason = Annotated[str, typer.Option("--reason", help="Kept with it.")]


@app.command("list")
@at_desk
async def list_(
    desk: Desk,
    *,
    state: State = None,
    connection: Connection = None,
    document: Document = None,
    kind: Kind = None,
    age: Age = None,
    error: Trouble = None,
    limit: Annotated[int | None, typer.Option(help="How many, newest first.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """List deliveries, newest first; stock levels while they are not yet accepted."""
    wanted = _filter(desk, state, connection, document, kind, age, error)
    lines = _lines(desk, wanted, limit or (None if as_json else _ROWS))
    if as_json:
        tenant = desk.hub.registry.tenants[desk.tenant_id][0]
        await show.stream_json(_row(line, tenant) async for line in lines)
        return
    show.table(
        ("id", "connection", "kind", "document", "state", "tries", "due", "until", "why"),
        [
            (
                *(line.id, line.connection, line.kind, line.document, line.state, line.attempts),
                *(_when(line.due), _when(line.deadline), _why(line)),
            )
            async for line in lines
        ],
        empty="Nothing is on its way.",
    )


@app.command("show")
@at_desk
async def show_(desk: Desk, delivery: str) -> None:
    """Show every attempt at a delivery, and what people did to it."""
    if delivery.startswith("stock-"):
        text = (
            "A level keeps no attempts of its own. See `entrepot exchanges list --connection NAME`."
        )
        raise BadInput("bad_id", text)
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        number = int(delivery) if delivery.isdigit() and len(delivery) <= _DIGITS else 0
        if await courier.one(tx, number, {}) is None:
            text = f"There is no delivery {delivery!r}. See `entrepot deliveries list`."
            raise Missing("no_delivery", text)
        attempts, acts = await courier.history(tx, number)
    show.table(
        ("at (Asia/Shanghai)", "outcome", "status", "ms", "note"),
        [
            (_when(a["at"]), a["outcome"], a["status"], f"{a['duration_us'] / 1000:.1f}", a["note"])
            for a in attempts
        ],
        empty="Not tried yet.",
    )
    if acts:
        show.say("")
        rows = [(_when(act["at"]), act["who"], act["what"], act["reason"]) for act in acts]
        show.table(("at (Asia/Shanghai)", "who", "what", "reason"), rows, empty="")


def _offer(act: Act, help_text: str) -> None:
    """Make a command of what people do to deliveries: to those named, or to all that a filter finds."""

    @at_desk
    async def command(
        desk: Desk,
        ids: Ids = None,
        *,
        state: State = None,
        connection: Connection = None,
        document: Document = None,
        kind: Kind = None,
        age: Age = None,
        error: Trouble = None,
        everything: Everything = False,
        reason: Reason = "",
    ) -> None:
        wanted = _filter(desk, state, connection, document, kind, age, error)
        await _act(desk, act, ids, wanted if everything else None, reason)

    app.command(act, help=help_text)(command)


_offer("retry", "Try deliveries again at once, with a new deadline.")
_offer("handle", "Mark deliveries as handled: the partner learned of it in another way.")
_offer("cancel", "Cancel deliveries: the partner is not to learn of it.")


async def _act(
    desk: Desk, act: Act, ids: list[str] | None, wanted: Filter | None, reason: str
) -> None:
    if (wanted is None) == (not ids):
        raise BadInput("nothing_named", "Say which: ids, or --all with --state.")
    if wanted is not None:
        await _act_on_all(desk, act, wanted, reason)
        return
    done = await courier.act(
        desk.hub.db, desk.tenant_id, act, ids or [], who=desk.who, reason=reason
    )
    already = {"handle": "it is handled already", "cancel": "it is cancelled already"}.get(act)
    refused = [one for one in done if one.refused and one.refused != already]
    show.say(f"{act}: {len(done) - len(refused)} done, {len(refused)} not.")
    for one in refused:
        show.complain(f"{one.id}: {one.refused}.")
    if refused:
        raise typer.Exit(1)


async def _act_on_all(desk: Desk, act: Act, wanted: Filter, reason: str) -> None:
    db = desk.hub.db
    act_id = await courier.begin(db, desk.tenant_id, act, wanted, who=desk.who, reason=reason)
    while not (progress := await courier.go_on(db, desk.tenant_id, act_id)).finished:
        show.hint(f"{act}: {progress.done} so far")
    show.say(f"{act}: {progress.done} done.")


def _filter(
    desk: Desk,
    state: str | None,
    connection: str | None,
    document: str | None,
    kind: str | None,
    age: str | None,
    error: str | None,
) -> Filter:
    registry = desk.hub.registry
    chosen = registry.named(desk.tenant_id, connection).partner.id if connection else None
    return Filter(
        state=state,
        connections=None if chosen is None else (chosen,),
        document=document,
        kind=kind,
        age=None if age is None else _age(age),
        error=error,
    )


def _age(text: str) -> float:
    """Return a duration in seconds; raises BadInput for what is none."""
    try:
        return seconds(msgspec.convert(text, Duration))
    except msgspec.ValidationError:
        raise BadInput("bad_age", f"{text!r} is no age: 30m, 2h, 1d.") from None


async def _lines(desk: Desk, wanted: Filter, limit: int | None) -> AsyncIterator[Line]:
    """Iterate over what a filter finds, page by page."""
    hub = desk.hub
    deadlines = courier.deadlines(hub.registry, desk.tenant_id)
    left = limit
    while left is None or left > 0:
        size = _PAGE if left is None else min(_PAGE, left)
        page = msgspec.structs.replace(wanted, limit=size)
        async with hub.db.reading(desk.tenant_id) as tx:
            found = await courier.find(tx, page, deadlines)
        for line in found:
            yield line
        if len(found) < size:
            return
        # Levels come first and on one page only; behind them the deliveries begin.
        last = found[-1].id
        wanted = msgspec.structs.replace(wanted, before=int(last) if last.isdigit() else _NEWEST)
        left = None if left is None else left - len(found)


def _why(line: Line) -> str | None:
    """Return what keeps it, or how it ended: one that waits for another says for which."""
    return f"waits behind {line.behind}" if line.behind else line.reason or line.last_error


def _row(line: Line, tenant: str) -> dict[str, Any]:
    return {
        "id": line.id,
        "tenant": tenant,
        "connection": line.connection,
        "kind": line.kind,
        "document": line.document,
        "state": line.state,
        "attempts": line.attempts,
        "due": line.due,
        "deadline": line.deadline,
        "last_error": line.last_error,
        "reason": line.reason,
    }


def _when(moment: datetime | None) -> str:
    return f"{clock.shanghai(moment):%m-%d %H:%M:%S}" if moment else ""
