"""People who work with the hub: list them, add one, give one a token."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.connections.flows import audit
from entrepot.console.access.first import new_password
from entrepot.people import flows
from entrepot.people.flows import Person
from entrepot.people.rules import Role

app = typer.Typer()

RoleName = Literal["none", "sales", "cpa", "finance", "warehouse", "admin"]
Login = Annotated[str, typer.Argument(help="The short name that stands for the person.")]


@app.command("list")
@at_desk
async def list_(desk: Desk, *, as_json: Json = False) -> None:
    """List everyone with their roles."""
    people = await desk.run(flows.listed)
    rows = [
        {
            "id": person.id,
            "login": person.login,
            "name": person.name,
            "role": person.role.name.lower(),
            "active": person.active,
        }
        for person in people
    ]
    if as_json:
        show.as_json(rows)
        return
    names = ("id", "login", "name", "role", "active")
    empty = "Nobody yet. Add someone: entrepot people add LOGIN NAME --role sales"
    show.table(names, ([row[name] for name in names] for row in rows), empty=empty)


@app.command()
@at_desk
async def add(
    desk: Desk,
    login: Login,
    name: Annotated[str, typer.Argument(help="The name that papers and logs show.")],
    *,
    role: Annotated[RoleName, typer.Option(help="What the person may do.")] = "none",
) -> None:
    """Add someone, or change the name and role of who has the login; lets them in again."""
    person = Person(login=login, name=name, role=Role[role.upper()])
    found = await desk.run(lambda tx: flows.add(tx, [person]))
    await desk.run(lambda tx: audit(tx, desk.who, "person set", login, details={"role": role}))
    show.say(f"{name} is there as {login}, number {found[login]}.")


@app.command()
@at_desk
async def end(desk: Desk, login: Login) -> None:
    """Let someone in no longer; their tokens end at once, their papers stay."""
    await desk.run(lambda tx: flows.set_active(tx, login, active=False))
    await desk.run(lambda tx: audit(tx, desk.who, "person end", login))
    show.say(f"{login} is let in no longer.")


@app.command()
@at_desk
async def password(desk: Desk, login: Login, *, as_json: Json = False) -> None:
    """Make a one-time password for the console, for who lost theirs; it must be changed at once."""
    made = await desk.run(lambda tx: new_password(tx, login, desk.who))
    if as_json:
        show.as_json({"login": login, "password": made})
        return
    show.say(f"{made}\nIt is shown this once; {login} signs in with it and chooses another.")


@app.command()
@at_desk
async def token(
    desk: Desk,
    login: Login,
    *,
    name: Annotated[str, typer.Option(help="What the token is for.")] = "",
    as_json: Json = False,
) -> None:
    """Make a token that stands for the person on every connection whose callers are people."""
    made = await desk.run(lambda tx: flows.add_token(tx, name or login, login=login))
    await desk.run(lambda tx: audit(tx, desk.who, "token create", login, details={"name": name}))
    if as_json:
        show.as_json({"token": made})
        return
    show.say(f"{made}\nIt is shown this once.")
