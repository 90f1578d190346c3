"""Look the hub over: database, durability, keys, disk, queues, schedules, stock; say what to do."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from entrepot import log
from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Data, Json  # noqa: TC001 - Typer reads the annotations
from entrepot.errors import EntrepotError
from entrepot.operations import doctor
from entrepot.settings import from_environment


def command(
    *,
    as_json: Json = False,
    data: Data = None,
    tenant: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Look the hub over, beside it while it runs or without it, and say what to do. Changes nothing.

    "look" is for a person to see and does no harm yet; the exit code is 1 where something is wrong.
    """
    del tenant  # every command takes it; a hub is well or not as a whole
    log.configure("error")
    try:
        found = asyncio.run(doctor.examine(from_environment(data=data)))
    except EntrepotError as error:
        show.complain(str(error))
        raise typer.Exit(1) from error
    if as_json:
        show.as_json(found)
    else:
        rows = ((one.state, one.check, one.said, one.do) for one in found)
        show.table(("", "what", "found", "what to do"), rows, empty="")
    if any(one.state == "wrong" for one in found):
        raise typer.Exit(1)
