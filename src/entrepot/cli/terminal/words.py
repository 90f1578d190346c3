"""Arguments that several commands share, and how they are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from entrepot.errors import BadInput, Missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.dialect import Dialect

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
