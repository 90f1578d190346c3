"""Bring in files: articles, suites, listings, stock, outlets, pieces, orders."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Data, Desk, Json, Tenant, sit
from entrepot.imports.flows import KINDS, Result, run, template

_NAMES = ", ".join(KINDS)


def command(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"What it holds: {_NAMES}.")],
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="CSV, XLSX or JSON.")] = None,
    *,
    show_template: Annotated[
        bool, typer.Option("--template", help="Print the columns and a row as an example.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check all, change nothing.")] = False,
    as_json: Json = False,
    data: Data = None,
    tenant: Tenant = None,
) -> None:
    """Bring in a file, row by row; what is wrong goes to FILE.errors.csv and the exit code is 1.

    CSV may be UTF-8 or GBK, with commas, semicolons or tabs; the first line names the columns, in JSON the
    keys of its objects do. A file may be brought in again: what is there already is changed, not doubled.
    """
    chosen = KINDS.get(kind)
    if chosen is None:
        show.complain(f"{kind} cannot be brought in. Known: {_NAMES}.")
        raise typer.Exit(1)
    if show_template:
        header, example = template(chosen)
        show.say(header)
        show.hint(f"For example: {example}")
        return
    if file is None:
        show.complain(f"Which file? Its columns: entrepot import {kind} --template")
        raise typer.Exit(1)

    async def work(desk: Desk) -> None:
        with _progress() as bar:
            task = bar.add_task(f"{file}", total=1.0, rows=0)
            result = await run(
                *(desk.hub.db, desk.tenant_id, chosen, file),
                dialects=desk.hub.dialects,
                who=desk.who,
                dry_run=dry_run,
                progress=lambda part, rows: bar.update(task, completed=part, rows=rows),
            )
        _report(result, dry_run=dry_run, as_json=as_json)
        if result.left_out:
            raise typer.Exit(1)

    sit(data, tenant, work)


def _report(result: Result, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        show.as_json(result)
        return
    what = "would be taken" if dry_run else "taken"
    show.say(f"{result.taken} rows {what}, {result.left_out} left out.")
    if result.errors:
        show.complain(f"What is wrong stands in {result.errors}; correct it and bring it in.")


def _progress() -> Progress:
    """Return a bar on stderr, for people only."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]} rows"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
