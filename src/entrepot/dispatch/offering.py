"""Sourcing at work: find outlets for goods, promise the stock, write notes, tell the outlets.

Documents' rows are locked first; then one sourcing transaction at a time per article looks at the stock
without locking it, chooses, locks the rows it chose, and begins again in the rare case that someone
else (a stocktake, an order of another kind) changed them in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field, structs

from entrepot import clock, facts, ids
from entrepot.courier.outbox import Announcement, announce
from entrepot.db import ints
from entrepot.dispatch import books as ledger
from entrepot.dispatch import outlets, reasons, rules, sourcing
from entrepot.dispatch.books import _q
from entrepot.dispatch.rules import Line, Note, Order
from entrepot.dispatch.sourcing import Candidate, Choice, Goods, Plan
from entrepot.stock import exact
from entrepot.stock.flows import Pair

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from entrepot.db import Row, Tx
    from entrepot.dispatch.books import Books

MAX_OFFERS = 5
_FEW, _MANY = 6, 256
_SEPARATOR = "\x1f"


class Ask(Struct, kw_only=True):
    """Goods of an order to be found somewhere, for the ``round``-th time; ``rest_of`` are the notes whose
    outlets did not ship them.
    """

    order: Order
    goods: Goods
    round: int = 1
    rest_of: list[Note] = field(default_factory=list)


class Taken(Struct, kw_only=True):
    """What this transaction has chosen so far and not yet written: pieces, and notes by outlet."""

    pieces: dict[Pair, int] = field(default_factory=dict)
    notes: dict[int, int] = field(default_factory=dict)

    def of(self, candidate: Candidate) -> Candidate:
        """Return what is left of a candidate."""
        place = candidate.location_id
        return structs.replace(
            candidate,
            available={
                article: qty - self.pieces.get((article, place), 0)
                for article, qty in candidate.available.items()
            },
            capacity=None
            if candidate.capacity is None
            else max(0, candidate.capacity - self.notes.get(place, 0)),
        )

    def add(self, choice: Choice) -> None:
        """Note a choice."""
        for candidate, goods in choice.parts:
            place = candidate.location_id
            self.notes[place] = self.notes.get(place, 0) + 1
            for article, qty in goods.items():
                self.pieces[article, place] = self.pieces.get((article, place), 0) + qty


async def offer(tx: Tx, books: Books, asks: Sequence[Ask], also: Collection[Pair] = ()) -> None:
    """Offer goods to outlets, whose orders are in ``books``; what nobody has is lacking for good.

    Goods that have been offered ``max_offers`` times are parked, if any outlet still has some. ``also`` are
    stock rows the caller will change, locked here together with the chosen ones.
    """
    if not asks:
        await exact.promise(tx, (), also)
        return
    await exact.take_turns(tx, {article for ask in asks for article in ask.goods})
    choices = await choose(tx, asks, await plan_of(tx))
    made: list[tuple[Ask, Note]] = []
    for ask, choice in zip(asks, choices, strict=True):
        made += [(ask, note) for note in _follow(tx, books, ask, choice)]
    picks = [
        exact.Pick(document_id=note.id, article_id=a, location_id=note.location_id, qty=line.qty)
        for _, note in made
        for a, line in note.lines.items()
    ]
    if made:
        await _tell(tx, made)
    await exact.promise(tx, picks, also)  # last, since others wait for the stock rows it locks


async def plan_of(tx: Tx) -> Plan:
    """Return the tenant's rules."""
    return sourcing.read(await outlets.rules(tx))


async def choose(tx: Tx, asks: Sequence[Ask], plan: Plan) -> list[Choice]:
    """Choose outlets for each request, each seeing what the ones before it took."""
    taken = Taken()
    prices = await prices_of(tx, asks) if plan.minimum.amount else {}
    found: dict[int, Choice] = {}

    async def decide(query: str, group: Sequence[int], limit: int) -> list[int]:
        """Decide for the requests of ``group`` where this look suffices; return the others."""
        seen = await _look(tx, query, [(n, asks[n]) for n in group], plan, limit)
        left = []
        for n in group:
            have = [taken.of(candidate) for candidate in seen.get(n, ())]
            choice = sourcing.choose(asks[n].goods, have, plan, prices)
            complete = len(have) < limit and query != _q.near
            alone = plan.single or plan.fewest
            whole = alone and len(choice.parts) == 1 and not choice.lacking
            if not (complete or whole or (limit >= _MANY and not choice.lacking)):
                left.append(n)
                continue
            found[n] = choice
            taken.add(choice)
        return left

    bound = [n for n, ask in enumerate(asks) if ask.order.outlet_id is not None]
    if bound:
        await _bound(tx, asks, bound, found, taken)
    left = [n for n in range(len(asks)) if n not in found]
    if left and plan.nearest_first:
        left = await decide(_q.near, left, _FEW + len(left))
    limit = _FEW + len(left)
    while left:
        left = await decide(_q.everywhere, left, limit)
        limit = max(_MANY, limit * 8)
    return [found[n] for n in range(len(asks))]


async def _bound(
    tx: Tx, asks: Sequence[Ask], group: Sequence[int], found: dict[int, Choice], taken: Taken
) -> None:
    """Decide for requests that only one outlet may serve; it serves them whole or not at all."""
    rows = await tx.rows(
        _q.at_one,
        list(group),
        [ints(asks[n].goods) for n in group],
        [asks[n].order.outlet_id for n in group],
    )
    seen = {row["ask"]: _candidate(row) for row in rows}
    for n in group:
        need, parts = asks[n].goods, []
        if n in seen and asks[n].order.outlet_id not in rules.refused_by(asks[n].order):
            here = taken.of(seen[n])
            if here.share(need) == need:
                parts = [(here, dict(need))]
        found[n] = Choice(parts=parts, lacking={} if parts else dict(need))
        taken.add(found[n])


async def _look(
    tx: Tx, query: str, asks: Sequence[tuple[int, Ask]], plan: Plan, limit: int
) -> dict[int, list[Candidate]]:
    """Return the outlets that may serve each request, at most ``limit`` each."""
    scopes = [_scope(tx, ask.order, plan) for _, ask in asks]
    ranks = [sourcing.RANKS.index(rank) + 1 for rank in plan.ranks]
    rows = await tx.rows(
        query,
        [n for n, _ in asks],
        [ints(ask.goods) for _, ask in asks],
        [ints(ask.goods.values()) for _, ask in asks],
        [ask.order.province for _, ask in asks],
        [ask.order.city for _, ask in asks],
        [groups for groups, _ in scopes],
        limit,
        plan.paused,
        today() if plan.capacity else None,
        plan.depth,
        (ranks + [5] * 4)[:4],
        [codes for _, codes in scopes],
        [ints(_excluded(ask.order)) for _, ask in asks],
    )
    seen: dict[int, list[Candidate]] = {}
    for row in rows:
        seen.setdefault(row["ask"], []).append(_candidate(row))
    return seen


def today() -> datetime:
    """Return since when notes count against an outlet's daily capacity: midnight of the wire's clock."""
    return clock.shanghai(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)


def _scope(tx: Tx, order: Order, plan: Plan) -> tuple[str, str]:
    """Return the outlet groups and the location codes an order may come from, joined; '' for any."""
    partner = tx.partner(order.connection_id)
    groups = plan.groups_for(partner.name if partner else "")
    codes = partner.settings.locations if partner else ()
    return _SEPARATOR.join(groups or ()), _SEPARATOR.join(codes)


def _excluded(order: Order) -> set[int]:
    shop = {order.shop_id} if order.shop_id is not None else set()
    return rules.refused_by(order) | shop


def _candidate(row: Row) -> Candidate:
    return Candidate(
        location_id=row["id"],
        code=row["code"],
        name=row["name"],
        connection_id=row["connection_id"],
        city=bool(row.get("city")),
        province=bool(row.get("province")),
        priority=row.get("priority", 0),
        capacity=row.get("capacity"),
        available=dict(zip(row["articles"], row["free"], strict=True)),
    )


def _follow(tx: Tx, books: Books, ask: Ask, choice: Choice) -> list[Note]:
    """Do to an order what was chosen; return its new notes."""
    order = ask.order
    partner = tx.partner(order.connection_id)
    most = getattr(partner.settings, "max_offers", MAX_OFFERS) if partner else MAX_OFFERS
    parked = ask.round > most and bool(choice.parts)
    for note in ask.rest_of:
        note.onward = "parked" if parked else "sourced" if choice.parts else "lacking"
        books.touched[note.id] = note
    if parked:
        books.log(order, f"parked: offered {most} times")
        return []
    lacking = sum(choice.lacking.values())
    if lacking:
        books.log(order, f"{lacking} of {sum(ask.goods.values())} pieces are nowhere to be had")
    notes = [_note(ask, candidate, goods) for candidate, goods in choice.parts]
    for note in notes:
        order.notes.append(note)
        books.log(order, f"offered to {note.outlet} as {note.number}: {note.why}")
    return notes


def _note(ask: Ask, candidate: Candidate, goods: Goods) -> Note:
    note_id = ids.new()
    return Note(
        id=note_id,
        number=f"FH{note_id}",
        location_id=candidate.location_id,
        connection_id=candidate.connection_id,
        round=ask.round,
        why=reasons.why(candidate, goods, ask.goods),
        told=candidate.connection_id is None,
        outlet=candidate.code,
        outlet_name=candidate.name,
        created_at=clock.now(),
        lines={article: Line(qty=qty) for article, qty in goods.items()},
    )


async def _tell(tx: Tx, made: Sequence[tuple[Ask, Note]]) -> None:
    """Write the notes, and tell the outlets that a partner's system serves."""
    names = await ledger.skus(tx, {article for _, note in made for article in note.lines})
    served = [(ask, note) for ask, note in made if note.connection_id is not None]
    told = await announce(
        tx,
        [
            Announcement(
                connection_id=note.connection_id or 0,
                key=note.id,
                fact=_offered(tx, ask.order, note, names),
            )
            for ask, note in served
        ],
    )
    for (_, note), delivery in zip(served, told, strict=True):
        note.offer_id = delivery
        note.told = delivery is None
    lines = [
        (note.id, n, article, line.qty)
        for _, note in made
        for n, (article, line) in enumerate(note.lines.items())
    ]
    await tx.do(
        _q.add_notes,
        ints(note.id for _, note in made),
        ints(ask.order.id for ask, _ in made),
        [note.number for _, note in made],
        ints(note.location_id for _, note in made),
        [note.connection_id for _, note in made],
        ints(note.round for _, note in made),
        [note.why for _, note in made],
        [note.offer_id for _, note in made],
        [note.told for _, note in made],
        *(ints(line[column] for line in lines) for column in range(4)),
    )


def _offered(tx: Tx, order: Order, note: Note, names: Mapping[int, str]) -> facts.DispatchOffered:
    receiver = msgspec.json.decode(tx.unseal(order.receiver or b""), type=facts.Receiver)
    return facts.DispatchOffered(
        number=order.number,
        note=note.number,
        outlet=note.outlet,
        purchase=order.purchase,
        receiver=receiver,
        lines=ledger.goods({a: line.qty for a, line in note.lines.items()}, names),
    )


async def prices_of(tx: Tx, asks: Sequence[Ask]) -> dict[int, Decimal]:
    """Return what a piece costs, by article; those without a price are left out."""
    rows = await tx.rows(_q.prices, ints({article for ask in asks for article in ask.goods}))
    return {row["id"]: row["price"] for row in rows}
