"""Sales returns: sign goods in."""

from __future__ import annotations

from typing import Annotated

import typer

from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, at_desk
from entrepot.errors import Refused
from entrepot.people.rules import Actor, Role
from entrepot.returns import flows
from entrepot.returns.rules import Act

app = typer.Typer()


@app.callback()
def group() -> None:
    """Sales returns (销售退)."""


@app.command()
@at_desk
async def receive(
    desk: Desk, number: Annotated[str, typer.Argument(help="The return's number, SR…")]
) -> None:
    """Sign a passed return in: its goods lie in stock at its depot from now on.

    A return that is signed in already stays as it is.
    """
    keeper = Actor(id=0, name=desk.who, role=Role.ADMIN)
    act = Act(number=number, action="receive", actor=keeper)
    (outcome,) = await desk.run(lambda tx: flows.act(tx, [act]))
    if isinstance(outcome, Refused):
        raise outcome
    show.say(f"The goods of {number} are signed in.")
