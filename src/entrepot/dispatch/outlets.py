"""What outlets are and hold: how they are served, which pieces lie there, what refusals mean, the rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from entrepot.db import ints
from entrepot.dispatch import sourcing
from entrepot.dispatch.books import _q
from entrepot.errors import Missing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from entrepot.db import Tx
    from entrepot.dispatch.rules import Note

EFFECTS = ("unchanged", "empty", "unsellable")
"""What a refusal's text may mean for the outlet's stock."""


class Outlet(Struct, frozen=True, kw_only=True):
    """A location that ships, by code; ``connection_id`` serves it (None: our own people do).

    A lower ``priority`` goes first; ``daily_capacity`` is notes a day (None: any number).
    """

    code: str
    connection_id: int | None = None
    ships: bool = True
    paused: bool = False
    priority: int = 100
    daily_capacity: int | None = None
    groups: tuple[str, ...] = ()


class Registered(Struct, frozen=True, kw_only=True):
    """A piece by its code (件码), and where it lies."""

    code: str
    article_id: int
    location_id: int


async def set_up(tx: Tx, outlets: Sequence[Outlet]) -> None:
    """Make outlets of existing locations; raises Missing naming those there are not."""
    found = await tx.rows(_q.outlets_by_code, [outlet.code for outlet in outlets])
    unknown = {outlet.code for outlet in outlets} - {row["code"] for row in found}
    if unknown:
        names = ", ".join(sorted(unknown))
        raise Missing("unknown_location", f"There is no location {names}.", locations=names)
    await tx.do(
        _q.set_outlets,
        [outlet.code for outlet in outlets],
        [outlet.connection_id for outlet in outlets],
        [outlet.ships for outlet in outlets],
        [outlet.paused for outlet in outlets],
        [outlet.priority for outlet in outlets],
        [outlet.daily_capacity for outlet in outlets],
        ["\x1f".join(outlet.groups) for outlet in outlets],
    )


async def register(tx: Tx, pieces: Iterable[Registered]) -> None:
    """Register pieces, or put known ones that are in stock elsewhere; those that are out stay out."""
    rows = sorted(pieces, key=lambda piece: piece.code)
    await tx.do(
        _q.register_pieces,
        [piece.code for piece in rows],
        ints(piece.article_id for piece in rows),
        ints(piece.location_id for piece in rows),
    )


async def in_stock(tx: Tx, location: str, sku: str, limit: int) -> list[str]:
    """Return codes of pieces that lie at a location, the first by code."""
    rows = await tx.rows(_q.pieces_at, location, sku, limit)
    return [row["code"] for row in rows]


async def rest_in_stock(tx: Tx, note: Note) -> list[str]:
    """Return codes for what a note's outlet has still to ship, as far as pieces lie there."""
    skus = {row["id"]: row["sku"] for row in await tx.rows(_q.skus, ints(note.rest))}
    codes: list[str] = []
    for article, qty in note.rest.items():
        codes += await in_stock(tx, note.outlet, skus[article], qty)
    return codes


async def set_reasons(tx: Tx, connection_id: int, effects: Mapping[str, str]) -> None:
    """Say what texts of refusals on a connection mean; the others stay as they are."""
    await tx.do(_q.set_reasons, connection_id, list(effects), list(effects.values()))


async def reasons(tx: Tx, connection_id: int) -> dict[str, str]:
    """Return what texts of refusals on a connection mean."""
    return {row["text"]: row["effect"] for row in await tx.rows(_q.reasons, connection_id)}


async def rules(tx: Tx) -> list[dict[str, Any]]:
    """Return the tenant's sourcing rules, or the default where it has none, as ``set_rules`` takes them."""
    rows = await tx.rows(_q.sourcing_rules)
    stored = [{"kind": row["kind"], **msgspec.json.decode(row["settings"])} for row in rows]
    return stored or [dict(rule) for rule in sourcing.DEFAULT]


async def set_rules(tx: Tx, rules: Sequence[Mapping[str, Any]]) -> None:
    """Replace the tenant's sourcing rules (none: the default); raises BadInput for what is no rule."""
    sourcing.read(rules)
    await tx.do(_q.clear_sourcing_rules)
    settings = [{name: value for name, value in rule.items() if name != "kind"} for rule in rules]
    await tx.do(
        _q.add_sourcing_rules,
        list(range(len(rules))),
        [rule["kind"] for rule in rules],
        [msgspec.json.encode(one).decode() for one in settings],
    )
