"""Recorded HTTP exchanges with partners, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from entrepot import clock
from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.connections.exchanges import Exchange, Filter, find

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

app = typer.Typer()


_PAGE = 500
_ROWS = 100  # of a table, unless --limit says otherwise; JSON has no end


@app.command("list")
@at_desk
async def list_(
    desk: Desk,
    *,
    document: Annotated[str | None, typer.Option(help="A number in the call.")] = None,
    connection: Annotated[str | None, typer.Option(help="A connection's name.")] = None,
    limit: Annotated[int | None, typer.Option(help="How many, newest first.", min=1)] = None,
    as_json: Json = False,
) -> None:
    """List exchanges, newest first; phones and addresses are masked."""
    if connection is not None:
        desk.hub.registry.named(desk.tenant_id, connection)
    wanted = Filter(document=document, connection=connection)
    found = _found(desk, wanted, limit or (None if as_json else _ROWS))
    if as_json:
        await show.stream_json(_row(exchange) async for exchange in found)
        return
    show.table(
        ("at (Asia/Shanghai)", "", "connection", "document", "call", "status", "ms"),
        [
            (
                f"{clock.shanghai(e.at):%m-%d %H:%M:%S}",
                "→" if e.direction == "out" else "←",
                e.connection,
                e.document,
                f"{e.method} {e.path}",
                e.status,
                f"{e.duration_ms:.1f}",
            )
            async for e in found
        ],
        empty="Nothing recorded. Base URLs for partners: entrepot connections list --show-secrets",
    )


async def _found(desk: Desk, wanted: Filter, limit: int | None) -> AsyncIterator[Exchange]:
    """Iterate over what a filter finds, page by page."""
    left = limit
    while left is None or left > 0:
        size = _PAGE if left is None else min(_PAGE, left)
        page = msgspec.structs.replace(wanted, limit=size)
        async with desk.hub.db.reading(desk.tenant_id) as tx:
            found = await find(tx, desk.hub.vault, page)
        for exchange in found:
            yield exchange
        if len(found) < size:
            return
        wanted = msgspec.structs.replace(wanted, before=(found[-1].at, found[-1].id))
        left = None if left is None else left - len(found)


def _row(exchange: Exchange) -> dict[str, Any]:
    columns = (
        "at", "direction", "connection", "document", "method", "path", "status", "duration_ms",
        "request", "reply",
    )  # fmt: skip
    return {column: getattr(exchange, column) for column in columns}
