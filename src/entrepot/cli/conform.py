"""Ask anybody's server whether it speaks a dialect, and print what differs from the document."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from entrepot import dialects
from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Json  # noqa: TC001 - Typer reads the annotations
from entrepot.cli.terminal.words import end_of, pairs
from entrepot.conform import samples
from entrepot.conform.checks import GROUPS, Inspector, Target
from entrepot.errors import BadInput, EntrepotError, Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.conform.checks import Finding
    from entrepot.conform.samples import Samples
    from entrepot.dialect import Role


def command(
    url: Annotated[str, typer.Argument(help="Base URL that the document's paths follow.")],
    *,
    dialect: Annotated[str, typer.Option(help="Which dialect it should speak.")],
    role: Annotated[
        str, typer.Option(help="Which end the server plays; default: the usual one.")
    ] = "",
    secret: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="What a caller must know: sid, key, appsecret …"),
    ] = None,
    checks: Annotated[
        list[str] | None,
        typer.Option("--check", help=f"Only these, repeatable: {', '.join(GROUPS)}."),
    ] = None,
    key: Annotated[
        bool, typer.Option("--key", help="The URL ends in a secret key: try a wrong one, too.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="List what is as it should be, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Ask a server everything that a dialect's document and the rules of all dialects demand.

    It makes real documents there (with numbers of its own): ask a test system, holding the goods that the
    document's examples name. Exit code 0: nothing differs; 1: something does, or nobody answers.
    """
    try:
        chosen, end = end_of(dialects.known(), dialect, role)
        known = samples.read(chosen.folder, end)
        target = _target(url, chosen.roles[end], known, pairs(secret), key=key)
        findings = asyncio.run(_ask(target, known, _groups(checks)))
    except EntrepotError as error:
        show.complain(str(error))
        raise typer.Exit(1) from error
    differing = [one for one in findings if one.problem]
    listed = findings if everything else differing
    if as_json:
        show.as_json(listed)
    else:
        show.table(
            ("section", "call", "check", "what differs"),
            ((one.section, one.call, one.check, one.problem or "-") for one in listed),
            empty="",
        )
        show.say(f"{len(findings)} checks, {len(differing)} differ from the document.")
    if differing:
        raise typer.Exit(1)


def _target(url: str, role: Role, known: Samples, given: Mapping[str, str], *, key: bool) -> Target:
    """Return whom to ask; raises BadInput where a caller must know more than was given."""
    if not known.calls:
        raise BadInput("nothing_to_ask", "Nobody calls this role; ask the other one.")
    needed = {one.bearer for one in known.calls.values() if one.bearer}
    if role.sign is not None:
        needed |= set(role.secrets()) | set(role.accounts())
    if lacking := sorted(needed - set(given)):
        words = " ".join(f"--secret {name}=…" for name in lacking)
        raise BadInput("secrets_lacking", f"A caller of this role must know more: {words}")
    return Target(base_url=url.rstrip("/"), secrets=given, sign=role.sign, key_in_url=key)


def _groups(asked: Sequence[str] | None) -> Sequence[str]:
    """Return the groups of checks to make; raises BadInput for one that there is not."""
    for name in asked or ():
        if name not in GROUPS:
            raise BadInput("no_check", f"No check {name!r}. There are: {', '.join(GROUPS)}.")
    return asked or GROUPS


async def _ask(target: Target, known: Samples, groups: Sequence[str]) -> list[Finding]:
    async with Inspector(target, known) as inspector:
        if silence := await inspector.silence():
            raise Unusable(f"Nobody answers at {target.base_url}: {silence}")
        return await inspector.of(groups)
