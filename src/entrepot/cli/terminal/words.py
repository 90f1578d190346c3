"""Arguments that several commands share, and how they are read."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from entrepot.errors import BadInput, Missing, Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.dialect import Dialect

Passphrase = Annotated[
    Path | None,
    typer.Option(
        help="File whose first line is the passphrase.", show_default="$ENTREPOT_PASSPHRASE, or ask"
    ),
]
Pairs = Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE…", show_default=False)]


def pairs(words: list[str] | None) -> dict[str, str]:
    """Return ``key=value`` words as a mapping; raises BadInput naming the first that is none."""
    found = {}
    for word in words or ():
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise BadInput("not_a_pair", f"{word!r} should be written key=value.")
        found[key] = value
    return found


def end_of(known: Mapping[str, Dialect], name: str, role: str) -> tuple[Dialect, str]:
    """Return a dialect and one of its roles (``""``: the usual one); raises Missing."""
    dialect = known.get(name)
    if dialect is None:
        raise Missing("no_dialect", f"No dialect {name!r}. There are: {', '.join(known)}.")
    role = role or next(iter(dialect.roles))
    if role not in dialect.roles:
        raise Missing("no_role", f"{name} has no role {role!r}, but: {', '.join(dialect.roles)}.")
    return dialect, role


def passphrase(file: Path | None, *, twice: bool) -> str:
    """Return a passphrase: a file's first line, the environment's, else what a person types."""
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").partition("\n")[0]
        except OSError as error:
            raise Unusable(f"{file} cannot be read: {error.strerror}") from error
    if given := os.environ.get("ENTREPOT_PASSPHRASE"):
        return given
    if not sys.stdin.isatty():
        raise Unusable("Which passphrase? Set ENTREPOT_PASSPHRASE, or name a --passphrase-file.")
    asked: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=twice)
    return asked
