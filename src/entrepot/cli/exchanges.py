"""Recorded HTTP exchanges with partners, both ways."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from entrepot import clock
from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.connections.exchanges import Exchange, Filter, find

app = typer.Typer()


@app.command("list")
@at_desk
async def list_(
    desk: Desk,
    *,
    document: Annotated[str | None, typer.Option(help="A number in the call.")] = None,
    connection: Annotated[str | None, typer.Option(help="A connection's name.")] = None,
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1, max=10_000)] = 100,
    as_json: Json = False,
) -> None:
    """List exchanges, newest first; phones and addresses are masked."""
    wanted = Filter(document=document, connection=connection, limit=limit)
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        found = await find(tx, desk.hub.vault, wanted)
    if as_json:
        show.as_json([_row(exchange) for exchange in found])
        return
    show.table(
        ("at (Asia/Shanghai)", "", "connection", "document", "call", "status", "ms"),
        (
            (
                f"{clock.shanghai(e.at):%m-%d %H:%M:%S}",
                "→" if e.direction == "out" else "←",
                e.connection,
                e.document,
                f"{e.method} {e.path}",
                e.status,
                f"{e.duration_ms:.1f}",
            )
            for e in found
        ),
        empty="Nothing recorded. Base URLs for partners: entrepot connections list --show-secrets",
    )


def _row(exchange: Exchange) -> dict[str, Any]:
    columns = (
        "at", "direction", "connection", "document", "method", "path", "status", "duration_ms",
        "request", "reply",
    )  # fmt: skip
    return {column: getattr(exchange, column) for column in columns}
