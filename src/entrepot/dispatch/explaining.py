"""Why each outlet was or was not chosen, for an order that is there or for goods that nobody has ordered.

Reads only; nothing is locked or reserved. What an order holds, or has had shipped, counts as lying
where it lay, so that the reasons are those of the time it was sourced as far as nothing else changed.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field

from entrepot.catalogue import flows as catalogue
from entrepot.catalogue import suites
from entrepot.catalogue.rules import SUITE, explode
from entrepot.db import ints
from entrepot.dispatch import books as ledger
from entrepot.dispatch import looking, reasons, regions
from entrepot.dispatch.books import _q
from entrepot.dispatch.looking import Ask
from entrepot.dispatch.reasons import Place, Scope
from entrepot.dispatch.rules import Note, Order
from entrepot.dispatch.sourcing import Candidate, Goods
from entrepot.errors import BadInput, Missing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from entrepot.db import Row, Tx
    from entrepot.dispatch.sourcing import Plan


class NoteShown(Struct, frozen=True, kw_only=True):
    """A note: whom it went to and why, and what became of it."""

    note: str
    outlet: str
    state: str
    onward: str
    round: int
    goods: dict[str, int]
    shipped: dict[str, int]
    why: str
    reason: str
    at: datetime | None


class OutletShown(Struct, frozen=True, kw_only=True):
    """An outlet, whether it was (or would be) chosen, and why or why not."""

    outlet: str
    name: str
    chosen: bool
    why: str


class Explanation(Struct, frozen=True, kw_only=True):
    """How goods were, or would be, sourced; ``number`` and ``state`` None: nobody has ordered them.

    ``lacking`` are pieces that nobody has (of an order: that were or can no longer be shipped).
    """

    number: str | None = None
    connection: str | None = None
    state: str | None = None
    goods: dict[str, int]
    lacking: dict[str, int] = field(default_factory=dict)
    notes: list[NoteShown] = field(default_factory=list)
    outlets: list[OutletShown] = field(default_factory=list)


class Rehearsal(Struct, frozen=True, kw_only=True):
    """Goods (pieces by SKU) for a receiver, as if they were ordered; ``shop``: the ordering store's code."""

    goods: dict[str, int]
    province: str
    city: str
    connection_id: int | None = None
    shop: str = ""


async def explain(tx: Tx, order_id: int) -> Explanation:
    """Explain an order that outlets ship, by its id."""
    books = await ledger.read(tx, {order_id})
    order = books.orders[order_id]
    plan = await looking.plan_of(tx)
    names = await ledger.skus(tx, order.lines)
    places = await _places(tx, order, plan)
    asked = {note.location_id: note for note in order.notes if note.round == 1}
    chosen = [places[place].candidate for place in asked]
    prices = await looking.prices_of(tx, [Ask(order=order, goods=order.lines)])
    fates = {note.location_id: _fate(note) for note in order.notes}
    partner = tx.partner(order.connection_id)
    return Explanation(
        number=order.number,
        connection=partner.name if partner else None,
        state=order.state,
        goods=_named(order.lines, names),
        lacking=_named(_lacking(order), names),
        notes=[_shown(note, names) for note in order.notes],
        outlets=_verdicts(tx, order, order.lines, plan, places, chosen, fates, prices),
    )


async def rehearse(tx: Tx, wanted: Rehearsal) -> Explanation:
    """Choose outlets as if the goods were ordered now; raises for unknown goods and stores."""
    need = await _need(tx, wanted.goods)
    shops = await tx.rows(_q.outlets_by_code, [wanted.shop] if wanted.shop else [])
    if wanted.shop and not shops:
        raise Missing("unknown_store", f"There is no store {wanted.shop}.", store=wanted.shop)
    province, city = regions.keys(wanted.province, wanted.city)
    order = Order(
        id=0,
        number="",
        connection_id=wanted.connection_id,
        state="accepted",
        shop_id=shops[0]["id"] if shops else None,
        province=province,
        city=city,
        lines=need,
    )
    plan = await looking.plan_of(tx)
    ask = Ask(order=order, goods=need)
    (choice,) = await looking.choose(tx, [ask], plan)
    fates = {c.location_id: reasons.why(c, part, need) for c, part in choice.parts}
    chosen = [candidate for candidate, _ in choice.parts]
    places = await _places(tx, order, plan)
    prices = await looking.prices_of(tx, [ask])
    partner = tx.partner(wanted.connection_id)
    return Explanation(
        connection=partner.name if partner else None,
        goods=dict(wanted.goods),
        lacking=_named(choice.lacking, await ledger.skus(tx, need)),
        outlets=_verdicts(tx, order, need, plan, places, chosen, fates, prices),
    )


async def _need(tx: Tx, goods: Mapping[str, int]) -> Goods:
    """Return pieces by article; a suite stands for its parts."""
    found = await catalogue.found_by_sku(tx, set(goods))
    if unknown := [sku for sku in goods if sku not in found]:
        text = f"No article is called {', '.join(unknown)}."
        raise BadInput("unknown_goods", text, names=unknown)
    parts = await suites.parts_of(tx, {a.id for a in found.values() if a.kind == SUITE})
    need: Goods = {}
    for _, article, qty in explode(((found[sku].id, qty) for sku, qty in goods.items()), parts):
        need[article] = need.get(article, 0) + qty
    return need


def _verdicts(
    tx: Tx,
    order: Order,
    need: Goods,
    plan: Plan,
    places: Mapping[int, Place],
    chosen: Sequence[Candidate],
    fates: Mapping[int, str],
    prices: Mapping[int, Decimal],
) -> list[OutletShown]:
    """Return every outlet: the chosen first, as they were chosen, then the others by code."""
    partner = tx.partner(order.connection_id)
    scope = Scope(
        shop_id=order.shop_id,
        outlet_id=order.outlet_id,
        groups=plan.groups_for(partner.name if partner else ""),
        codes=tuple(partner.settings.locations) if partner else (),
    )
    others = [place for place in places.values() if place.candidate.location_id not in fates]
    told = [_outlet(places[place].candidate, said, chosen=True) for place, said in fates.items()]
    for place in others:
        said = reasons.why_not(place, need, plan, scope, chosen, prices)
        told.append(_outlet(place.candidate, said, chosen=False))
    return told


async def _places(tx: Tx, order: Order, plan: Plan) -> dict[int, Place]:
    rows = await tx.rows(
        _q.every_outlet,
        ints(order.lines),
        order.id,
        looking.today() if plan.capacity else None,
        plan.depth,
        order.province,
        order.city,
        [place for place in (order.shop_id, order.outlet_id) if place is not None]
        + [note.location_id for note in order.notes],
    )
    return {row["id"]: _place(row) for row in rows}


def _place(row: Row) -> Place:
    return Place(
        candidate=Candidate(
            location_id=row["id"],
            code=row["code"],
            name=row["name"],
            city=row["city"],
            province=row["province"],
            priority=row["priority"],
            capacity=row["capacity"],
            available=dict(zip(row["articles"] or (), row["free"] or (), strict=True)),
        ),
        ships=row["ships"],
        paused=row["paused"],
        groups=tuple(row["groups"]),
    )


def _fate(note: Note) -> str:
    """Return why a note was offered and what came of it, e.g. ``has all of it, same city; refused: 缺货``."""
    became = {"open": "", "done": "; shipped"}.get(note.state, f"; {note.state}")
    return f"{note.why}{became}{f': {note.reason}' if note.reason else ''}"


def _given(note: Note) -> Goods:
    """Return what a note stands for: all of it, or what left before it was closed."""
    if note.state in ("open", "done"):
        return {article: line.qty for article, line in note.lines.items()}
    return {article: line.shipped for article, line in note.lines.items()}


def _lacking(order: Order) -> Goods:
    """Return the pieces that nobody has: of a cancelled order that is nothing any more."""
    if order.state == "cancelled":
        return {}
    left = dict(order.lines)
    for note in order.notes:
        waits = note.rest if note.onward in ("waiting", "parked") else {}
        for article, qty in _given(note).items():
            left[article] -= qty + waits.get(article, 0)
    return {article: qty for article, qty in left.items() if qty > 0}


def _shown(note: Note, names: Mapping[int, str]) -> NoteShown:
    return NoteShown(
        note=note.number,
        outlet=note.outlet,
        state=note.state,
        onward=note.onward,
        round=note.round,
        goods={names[article]: line.qty for article, line in note.lines.items()},
        shipped={names[a]: line.shipped for a, line in note.lines.items() if line.shipped},
        why=note.why,
        reason=note.reason,
        at=note.created_at,
    )


def _outlet(candidate: Candidate, why: str, *, chosen: bool) -> OutletShown:
    return OutletShown(outlet=candidate.code, name=candidate.name, chosen=chosen, why=why)


def _named(goods: Mapping[int, int], names: Mapping[int, str]) -> dict[str, int]:
    return {names[article]: qty for article, qty in goods.items()}
