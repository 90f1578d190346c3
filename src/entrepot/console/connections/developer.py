"""Examples for a partner's developer, from the same samples that the conformance suite runs."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import msgspec
from markupsafe import Markup
from msgspec import Struct

from entrepot.conform import samples
from entrepot.console.exchanges import bodies

if TYPE_CHECKING:
    from pathlib import Path

    from entrepot.conform.samples import Samples
    from entrepot.connections.rules import Connection
    from entrepot.dialect import Dialect


class Example(Struct, kw_only=True):
    """One call a partner makes, as it may be pasted into a shell."""

    anchor: str
    section: str
    method: str
    path: str
    curl: str
    request: Markup
    reply: Markup
    fields: dict[str, str]
    errors: list[tuple[str, Markup]]


def examples(dialect: Dialect, known: Connection, base: str) -> list[Example]:
    """Return an example of every call of this role that has a sample."""
    if not (dialect.folder / "samples" / known.partner.role).is_dir():
        return []
    found = []
    for one in _samples(dialect.folder, known.partner.role).calls.values():
        body = "" if one.body is msgspec.UNSET else _json(one.body)
        path = one.path + (f"?{one.query}" if one.query else "")
        found.append(
            Example(
                anchor=one.name,
                section=one.section,
                method=one.method,
                path=path,
                curl=bodies.curl(one.method, base + path, body),
                request=bodies.pretty(body),
                reply=bodies.pretty(_json(one.reply.body)),
                fields=dict(one.fields),
                errors=[
                    (wrong.why, bodies.pretty(_json(wrong.reply.body)))
                    for wrong in one.errors
                    if wrong.reply is not None
                ],
            )
        )
    return found


@cache
def _samples(folder: Path, role: str) -> Samples:
    """Read a role's samples once per process; they are part of the program."""
    return samples.read(folder, role)


def _json(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
