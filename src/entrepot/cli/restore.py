"""Make a hub of a file that backup wrote, in an empty database, and prove its balances."""

from __future__ import annotations

import asyncio
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated

import typer

from entrepot import log
from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Data, Json  # noqa: TC001 - Typer reads the annotations
from entrepot.cli.terminal.words import Passphrase, passphrase
from entrepot.errors import EntrepotError
from entrepot.operations import backups
from entrepot.settings import from_environment


def command(
    file: Annotated[Path, typer.Argument(help="What entrepot backup wrote.", exists=True)],
    *,
    passphrase_file: Passphrase = None,
    as_json: Json = False,
    data: Data = None,
    tenant: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Make a hub of a backup, in an empty database, then prove every balance and read every secret.

    The database is the one ENTREPOT_DATABASE_URL names, else a new one under --data; the key file goes to
    its place beside it. Start nothing on it before you know that the old hub is gone: both would call the
    same partners.
    """
    del tenant  # every command takes it; a backup is of all tenants
    log.configure("error")
    try:
        words = passphrase(passphrase_file, twice=False)
        found = asyncio.run(backups.restore(from_environment(data=data), file, words))
    except EntrepotError as error:
        show.complain(str(error))
        raise typer.Exit(1) from error
    if as_json:
        show.as_json(found)
    else:
        show.say(
            f"Restored: {found.tenants} tenants, {found.connections} connections, {found.articles} "
            f"articles, {found.orders} orders, {found.movements} movements."
        )
        show.say("Every balance is proven." if not found.unproven else "See: entrepot verify")
    if found.unproven or found.unreadable:
        show.complain(f"{found.unproven} unproven balances, {found.unreadable} unreadable secrets.")
        raise typer.Exit(1)
