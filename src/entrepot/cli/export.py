"""Bring files out: articles, suites, outlets, listings, pieces, stock, orders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.connections.flows import audit
from entrepot.errors import Unusable
from entrepot.exports.flows import run
from entrepot.exports.kinds import KINDS

_NAMES = ", ".join(KINDS)


@at_desk
async def command(
    desk: Desk,
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"What it is to hold: {_NAMES}.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="FILE.csv or FILE.xlsx.")],
    *,
    personal: Annotated[
        bool, typer.Option("--personal", help="With receivers, their phones and addresses.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Write everything of a kind into a file, as entrepot import reads it.

    What a spreadsheet would take for a formula is guarded by an apostrophe, which an import takes away.
    """
    ask = KINDS.get(kind)
    if ask is None:
        raise Unusable(f"{kind} cannot be brought out. Known: {_NAMES}.")
    details = {"kind": kind, "personal": personal}
    await desk.run(lambda tx: audit(tx, desk.who, "export", file.name, details=details))
    with _progress() as bar:
        task = bar.add_task(f"{file}", rows=0)
        rows = await run(
            *(desk.hub.db, desk.tenant_id, ask, file),
            personal=personal,
            progress=lambda done: bar.update(task, rows=done),
        )
    if as_json:
        show.as_json({"rows": rows, "file": str(file)})
        return
    show.say(f"{rows} rows written to {file}.")


def _progress() -> Progress:
    """Return a counter on stderr, for people only."""
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.fields[rows]} rows"),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
