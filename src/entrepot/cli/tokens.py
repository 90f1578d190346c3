"""Tokens of programs that call the native API: make one, list them, end one."""

from __future__ import annotations

from typing import Annotated

import typer

from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.connections.flows import audit
from entrepot.people import flows, tokens

app = typer.Typer()


@app.command()
@at_desk
async def create(
    desk: Desk,
    name: Annotated[str, typer.Argument(help="The program's name, as logs show it.")],
    *,
    scope: Annotated[
        list[str], typer.Option(help="NOUN:read or NOUN:write (reads too), *:read, or * for all.")
    ],
    login: Annotated[
        str | None, typer.Option(help="The person for whom it files and moves papers.")
    ] = None,
    rate: Annotated[
        int, typer.Option(help="Calls a minute; 0: any number.", min=0, max=1_000_000)
    ] = flows.PER_MINUTE,
    as_json: Json = False,
) -> None:
    """Make a token for a program; it is shown this once."""
    scopes = tokens.scopes(scope)
    made = await desk.run(
        lambda tx: flows.add_token(tx, name, login=login, scopes=scopes, per_minute=rate)
    )
    details = {"scopes": scopes, "login": login, "per_minute": rate}
    await desk.run(lambda tx: audit(tx, desk.who, "token create", name, details=details))
    token = tokens.shown(desk.tenant_id, made)
    if as_json:
        show.as_json({"token": token})
        return
    show.say(f"{token}\nIt is shown this once. Send it as: Authorization: Bearer {token}")


@app.command("list")
@at_desk
async def list_(desk: Desk, *, as_json: Json = False) -> None:
    """List the tokens of programs and people, the oldest first; the tokens themselves are not kept."""
    rows = [
        {
            "id": str(token.id),
            "name": token.name,
            "scopes": list(token.scopes),
            "login": token.login,
            "per_minute": token.per_minute,
            "created_at": token.created_at,
            "ended_at": token.ended_at,
        }
        for token in await desk.run(flows.tokens)
    ]
    if as_json:
        show.as_json(rows)
        return
    columns = ("id", "name", "scopes", "login", "per_minute", "created_at", "ended_at")
    empty = "No token yet. Make one: entrepot tokens create NAME --scope orders:write"
    show.table(columns, ([row[column] for column in columns] for row in rows), empty=empty)


@app.command()
@at_desk
async def revoke(
    desk: Desk,
    token_id: Annotated[
        int, typer.Argument(metavar="ID", help="From the list.", max=(1 << 63) - 1)
    ],
) -> None:
    """End a token at once."""
    await desk.run(lambda tx: flows.end_token(tx, token_id))
    await desk.run(lambda tx: audit(tx, desk.who, "token revoke", str(token_id)))
    show.say(f"Token {token_id} counts no more.")
