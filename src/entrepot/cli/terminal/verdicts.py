"""What a person says of discrepancies, for every command that shows some."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from entrepot.cli.terminal import show
from entrepot.discrepancies import flows
from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.cli.terminal.desk import Desk


async def resolve(desk: Desk, ids: Sequence[str], reason: str, *, noun: str) -> None:
    """Resolve discrepancies by their ids, and say how it went; exit code 1 where one was refused.

    ``noun`` is what the command calls them.
    """
    if wrong := [one for one in ids if not one.isdigit() or len(one) > 18]:
        raise BadInput("bad_id", f"{wrong[0]!r} is no {noun}'s id.")
    batch = [flows.Resolve(id=int(one), who=desk.who, reason=reason) for one in ids]
    outcomes = await desk.run(lambda tx: flows.resolve(tx, batch))
    refused = [outcome for outcome in outcomes if outcome is not None]
    show.say(f"resolve: {len(outcomes) - len(refused)} done, {len(refused)} not.")
    for outcome in refused:
        show.complain(outcome.text)
    if refused:
        raise typer.Exit(1)
