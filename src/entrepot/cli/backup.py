"""Write everything into one file: database and, sealed with a passphrase, the key ring."""

from __future__ import annotations

import asyncio
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated

import typer

from entrepot import log
from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Data  # noqa: TC001 - Typer reads the annotations
from entrepot.cli.terminal.words import Passphrase, passphrase
from entrepot.errors import EntrepotError
from entrepot.operations import backups
from entrepot.settings import from_environment


def command(
    file: Annotated[Path, typer.Argument(help="Where to; a file of that name is replaced.")],
    *,
    passphrase_file: Passphrase = None,
    data: Data = None,
    tenant: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Write all of the hub, running or not, into one file that entrepot restore makes a hub of.

    The copy is of one moment. The key ring in it is sealed with a passphrase of 12 characters or more:
    $ENTREPOT_PASSPHRASE, --passphrase-file, or asked for. Whoever loses it has lost the backup.
    """
    del tenant  # every command takes it; a backup is of all tenants
    log.configure("error")
    try:
        words = passphrase(passphrase_file, twice=True)
        size = asyncio.run(backups.back_up(from_environment(data=data), file, words))
    except EntrepotError as error:
        show.complain(str(error))
        raise typer.Exit(1) from error
    show.say(f"{file} holds the hub, {size / 1024**2:.1f} MB. Try it: entrepot restore {file}")
