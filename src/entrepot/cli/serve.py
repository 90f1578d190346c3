"""Run the hub: web, courier and clock, until SIGTERM."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated, Literal

import typer

from entrepot.cli.terminal.show import complain, hint
from entrepot.errors import EntrepotError
from entrepot.settings import from_environment
from entrepot.standing import standing


def command(
    *,
    data: Annotated[Path | None, typer.Option(help="Folder of the hub's data (./var).")] = None,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    role: Annotated[
        Literal["all", "web", "courier", "clock"], typer.Option(help="What this process does.")
    ] = "all",
    workers: Annotated[int, typer.Option(help="Web worker processes.", min=1, max=64)] = 1,
    demo: Annotated[
        bool, typer.Option("--demo", help="Load the demonstration into an empty database.")
    ] = False,
    traffic: Annotated[
        bool, typer.Option("--traffic", help="Let the demo's partners do business.")
    ] = False,
    tenant: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Run the hub until SIGTERM, which drains it.

    The database is the one ENTREPOT_DATABASE_URL names, else an embedded PostgreSQL under --data. The hub
    is ready when GET /healthz answers 200. Any number of processes may serve on one database.
    """
    del tenant  # every command takes it; the hub serves all tenants
    try:
        settings = from_environment(
            data=data, host=host, port=port, role=role, workers=workers, demo=demo, traffic=traffic
        )
        with standing(settings, complain) as database:
            from entrepot.serve import serve  # noqa: PLC0415 - read while the database starts

            database.result()
            serve(settings, say=hint)
    except EntrepotError as error:
        complain(str(error))
        raise typer.Exit(1) from error
