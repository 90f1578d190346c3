"""Levels that partners state: what may still be sold of what they call an article."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.catalogue import flows as catalogue
from entrepot.catalogue import totals
from entrepot.db import queries
from entrepot.dialect import Partner
from entrepot.errors import BadInput, Refused
from entrepot.stock import flows as stock
from entrepot.stock.flows import Stated

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from entrepot.db import Tx

_q = queries(__package__)

Name = tuple[int, str | None, str]
"""What an article is looked up by: (connection id, listing type, key), or (0, None, style number)."""


class LevelStated(Struct, frozen=True, kw_only=True):
    """One row: so many pieces of what the partner calls ``name`` may still be sold.

    ``type`` is set for a listing, None for a style; ``location`` is a code, None the connection's first
    (or, where it names none, the tenant's). ``total`` marks the sum over all places, which is compared
    and not stored. ``at`` is the row's place in the document.
    """

    name: str
    qty: int
    at: int = 0
    type: str | None = None
    location: str | None = None
    total: bool = False


class LevelsStated(Struct, frozen=True, kw_only=True):
    """Levels stated in one document: all of its rows count, or none.

    ``places`` are the codes that may be named (empty: any of the tenant's); ``totals`` tells that the
    partner states totals too; ``only_check`` looks for unknown names and places and stores nothing.
    """

    rows: tuple[LevelStated, ...]
    partner: Partner
    places: tuple[str, ...] = ()
    totals: bool = False
    create_unknown: bool = False
    only_check: bool = False


class _Known(Struct, frozen=True):
    """Articles by name, locations by code (None: where a row that names none belongs)."""

    articles: Mapping[Name, int]
    locations: Mapping[str | None, int]


async def take(tx: Tx, batch: Sequence[LevelsStated]) -> list[Refused | None]:
    """Make stock what partners state, and keep what of their totals does not add up afterwards.

    A document with an unknown name or place changes nothing and is refused with ``unknown_rows``,
    naming every bad row: facts ``unknown_names`` and ``unknown_places``, both lists of rows. The last of
    repeated rows counts.
    """
    known = _Known(await _articles(tx, batch), await _locations(tx, batch))
    outcomes: list[Refused | None] = [_unknown(stated, known) for stated in batch]
    taken = [
        stated
        for stated, refusal in zip(batch, outcomes, strict=True)
        if refusal is None and not stated.only_check
    ]
    await stock.state(tx, [level for stated in taken for level in _levels(stated, known)])
    await totals.compare(tx, _sides(taken, known))
    return outcomes


def _unknown(stated: LevelsStated, known: _Known) -> BadInput | None:
    names = [row for row in stated.rows if _name(stated, row) not in known.articles]
    places = [
        row
        for row in stated.rows
        if not row.total
        and (
            _place(stated, row) not in known.locations
            or (row.location is not None and stated.places and row.location not in stated.places)
        )
    ]
    if not names and not places:
        return None
    text = "Some rows name what is not there."
    return BadInput("unknown_rows", text, unknown_names=names, unknown_places=places)


def _levels(stated: LevelsStated, known: _Known) -> Iterable[Stated]:
    for row in stated.rows:
        if not row.total:
            yield Stated(
                article_id=known.articles[_name(stated, row)],
                location_id=known.locations[_place(stated, row)],
                available=row.qty,
                who=stated.partner.name,
            )


def _sides(taken: Iterable[LevelsStated], known: _Known) -> list[totals.Side]:
    """Return every name whose total and sum are to be compared, as its last document left it."""
    sides: dict[tuple[int, str], totals.Side] = {}
    for stated in (one for one in taken if one.totals):
        latest: dict[str, totals.Side] = {}
        for row in stated.rows:
            subject = f"{row.type} {row.name}"
            total = int(row.qty) if row.total else None
            if total is None and subject in latest:
                total = latest[subject].total
            latest[subject] = totals.Side(
                connection_id=stated.partner.id,
                subject=subject,
                article_id=known.articles[_name(stated, row)],
                places=stated.places,
                total=total,
            )
        sides.update({(stated.partner.id, subject): side for subject, side in latest.items()})
    return list(sides.values())


def _name(stated: LevelsStated, row: LevelStated) -> Name:
    return (stated.partner.id if row.type is not None else 0, row.type, row.name)


def _place(stated: LevelsStated, row: LevelStated) -> str | None:
    return row.location or next(iter(stated.partner.settings.locations), None)


async def _locations(tx: Tx, batch: Sequence[LevelsStated]) -> dict[str | None, int]:
    """Return the ids of the places named, and the tenant's first for rows that name none."""
    codes = {_place(stated, row) for stated in batch for row in stated.rows if not row.total}
    found: dict[str | None, int] = {}
    found.update(await stock.known_locations(tx, {code for code in codes if code}))
    if None in codes:
        found[None] = await stock.first_location(tx)
    return found


async def _articles(tx: Tx, batch: Sequence[LevelsStated]) -> dict[Name, int]:
    """Return article ids by name, creating the styles that a connection's policy lets in."""
    found: dict[Name, int] = {}
    styles = {row.name for stated in batch for row in stated.rows if row.type is None}
    by_style = await catalogue.by_style(tx, styles)
    letting_in = [stated for stated in batch if stated.create_unknown]
    fresh = {row.name for stated in letting_in for row in stated.rows if row.type is None}
    by_style |= await catalogue.add_styles(tx, fresh - by_style.keys())
    found.update({(0, None, name): article_id for name, article_id in by_style.items()})
    listed: dict[int, set[tuple[str, str]]] = {}
    for stated in batch:
        keys = {(row.type, row.name) for row in stated.rows if row.type is not None}
        listed.setdefault(stated.partner.id, set()).update(keys)
    for connection_id, keys in listed.items():
        types, names = [kind for kind, _ in keys], [name for _, name in keys]
        for hit in await tx.rows(_q.by_listing, connection_id, types, names) if keys else ():
            found[connection_id, hit["type"], hit["key"]] = hit["article_id"]
    return found
