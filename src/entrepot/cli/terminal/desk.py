"""Opens the hub for a command, beside whatever else runs on the same database."""

from __future__ import annotations

import asyncio
import inspect
import os
import pwd
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_type_hints

import typer

from entrepot import decode, log, migrate
from entrepot.cli.terminal.show import complain
from entrepot.errors import BadInput, EntrepotError, Unusable
from entrepot.hub import Hub
from entrepot.settings import from_environment

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from entrepot.db import Tx

T = TypeVar("T")

Data = Annotated[
    Path | None,
    typer.Option("--data", help="Folder of the hub's data.", show_default="$ENTREPOT_DATA or var"),
]
Tenant = Annotated[
    str | None,
    typer.Option(
        "--tenant", help="Whose data.", show_default="demo where it exists, else the only one"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a command works: the hub, one of its tenants, and the name its doings are logged under."""

    hub: Hub
    tenant_id: int
    who: str

    async def run(self, work: Callable[[Tx], Awaitable[T]]) -> T:
        """Run ``work`` in one transaction of the tenant."""
        return await self.hub.db.run(self.tenant_id, work)


def at_desk(command: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Make a command of an async function whose first parameter is its ``Desk``.

    The command gets ``--data`` and ``--tenant`` in the desk's place. What is refused or unusable is
    told on stderr, and the exit code is 1.
    """
    hints = get_type_hints(command, include_extras=True)
    _desk, *own = inspect.signature(command).parameters.values()
    parameters = [parameter.replace(annotation=hints[parameter.name]) for parameter in own]
    parameters += [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
        for name, kind in (("data", Data), ("tenant", Tenant))
    ]

    @wraps(command)
    def run(*, data: Path | None, tenant: str | None, **given: Any) -> None:
        sit(data, tenant, lambda desk: command(desk, **_legible(given)))

    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _legible(given: dict[str, Any]) -> dict[str, Any]:
    """Return a command's words and options; raises BadInput for text that no database keeps."""
    for value in given.values():
        words = value if isinstance(value, list) else [value]
        if not all(decode.storable(word) for word in words if isinstance(word, str)):
            raise BadInput(
                "bad_character", "What you typed is not text in this terminal's encoding."
            )
    return given


def sit(data: Path | None, tenant: str | None, work: Callable[[Desk], Awaitable[None]]) -> None:
    """Do ``work`` at a desk; for a command that does something else before."""
    log.configure("error")
    try:
        asyncio.run(_sit(data, tenant, work))
    except EntrepotError as error:
        complain(str(error))
        raise typer.Exit(1) from error


async def _sit(
    data: Path | None, tenant: str | None, work: Callable[[Desk], Awaitable[None]]
) -> None:
    async with await Hub.open(from_environment(data=data), size=2) as hub:
        try:
            await work(Desk(hub=hub, tenant_id=hub.registry.tenant(tenant), who=operator()))
        except (EntrepotError, typer.Exit):
            raise
        except Exception as error:
            if lacking := await migrate.pending(hub.db.url):
                text = f"The database lacks {', '.join(lacking)}; start this version's hub: entrepot serve"
                raise Unusable(text) from error
            raise


def operator() -> str:
    """Return the name under which this command's doings are logged: the system user's."""
    try:
        return f"{pwd.getpwuid(os.geteuid()).pw_name} (cli)"
    except KeyError:
        return f"{os.geteuid()} (cli)"
