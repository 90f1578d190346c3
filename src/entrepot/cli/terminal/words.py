"""Arguments that several commands share, and how they are read."""

from __future__ import annotations

from typing import Annotated

import typer

from entrepot.errors import BadInput

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
