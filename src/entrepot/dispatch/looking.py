"""Looking for outlets that have goods: what may be asked, what lies there, who is chosen. Locks nothing.

First the receiver's province, outlet by outlet; what no outlet there has whole is looked for everywhere in
one pass over the stock of the note's articles. Of outlets that have the same of a note, only the best ranked
are brought: as many as a note could need of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field, structs

from entrepot import clock
from entrepot.db import ints
from entrepot.dispatch import outlets, rules, sourcing
from entrepot.dispatch.books import _q
from entrepot.dispatch.rules import Note, Order
from entrepot.dispatch.sourcing import Candidate, Choice, Goods, Plan
from entrepot.stock.flows import Pair

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from decimal import Decimal

    from entrepot.db import Row, Tx

_FEW, _MANY, _ALIKE, _ALL = 6, 256, 16, 1 << 30
_BITS = 62
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


async def plan_of(tx: Tx) -> Plan:
    """Return the tenant's rules."""
    return sourcing.read(await outlets.rules(tx))


async def choose(tx: Tx, asks: Sequence[Ask], plan: Plan) -> list[Choice]:
    """Choose outlets for each request, each seeing what the ones before it took."""
    look = _Look(tx, asks, plan, await prices_of(tx, asks) if plan.minimum.amount else {})
    await look.at_one()
    if plan.nearest_first and (left := look.left):
        seen = await look.through(_q.near, left, _FEW + len(left))
        for n in left:
            look.decide(n, seen.get(n, ()), whole=True)
    short = [n for n in look.left if look.fits(n)]
    alike = _ALIKE
    while short:
        most = max(qty for n in short for qty in asks[n].goods.values()) + len(asks) - 1
        seen = await look.through(_q.by_cover, short, min(most, alike))
        for n in short:
            look.decide(n, seen.get(n, ()), complete=most <= alike or alike == _ALL)
        short, alike = [n for n in short if n in look.left], _ALL
    limit = _MANY
    while left := look.left:
        seen = await look.through(_q.everywhere, left, limit)
        for n in left:
            look.decide(n, seen.get(n, ()), complete=len(seen.get(n, ())) < limit)
        limit *= 8
    return [look.found[n] for n in range(len(asks))]


class _Look:
    """One search for a batch of requests, by their positions in it."""

    def __init__(
        self, tx: Tx, asks: Sequence[Ask], plan: Plan, prices: Mapping[int, Decimal]
    ) -> None:
        self.found: dict[int, Choice] = {}
        self._tx = tx
        self._asks = asks
        self._plan = plan
        self._prices = prices
        self._taken = Taken()
        wanted: dict[int, int] = {}
        for ask in asks:
            for article, qty in ask.goods.items():
                wanted[article] = wanted.get(article, 0) + qty
        self._caps = wanted

    @property
    def left(self) -> list[int]:
        """The requests that are not decided yet."""
        return [n for n in range(len(self._asks)) if n not in self.found]

    def fits(self, n: int) -> bool:
        """Tell whether what an outlet has of a request goes into one integer."""
        return self._shifts(n)[-1] <= _BITS

    def decide(
        self, n: int, seen: Sequence[Candidate], *, whole: bool = False, complete: bool = True
    ) -> None:
        """Decide for a request if what was seen suffices.

        ``whole``: only by an outlet that has all of it. Not ``complete``: there are more outlets, which
        matter only where these lack something.
        """
        have = [self._taken.of(candidate) for candidate in seen]
        choice = sourcing.choose(self._asks[n].goods, have, self._plan, self._prices)
        alone = len(choice.parts) == 1 and not choice.lacking
        if alone or (not whole and (complete or not choice.lacking)):
            self._settle(n, choice)

    async def at_one(self) -> None:
        """Decide for requests that only one outlet may serve; it serves them whole or not at all."""
        group = [n for n, ask in enumerate(self._asks) if ask.order.outlet_id is not None]
        if not group:
            return
        rows = await self._tx.rows(
            _q.at_one,
            group,
            [ints(self._asks[n].goods) for n in group],
            [self._asks[n].order.outlet_id for n in group],
        )
        seen = {row["ask"]: _candidate(row) for row in rows}
        for n in group:
            order, need, parts = self._asks[n].order, self._asks[n].goods, []
            if n in seen and order.outlet_id not in rules.refused_by(order):
                here = self._taken.of(seen[n])
                if here.share(need) == need:
                    parts = [(here, dict(need))]
            self._settle(n, Choice(parts=parts, lacking={} if parts else dict(need)))

    async def through(
        self, query: str, group: Sequence[int], limit: int
    ) -> dict[int, list[Candidate]]:
        """Return the outlets that may serve each request, as one of the three looks gives them."""
        asks = [self._asks[n] for n in group]
        scopes = [_scope(self._tx, ask.order, self._plan) for ask in asks]
        caps = [[self._caps[article] for article in ask.goods] for ask in asks]
        cover = query == _q.by_cover
        rows = await self._tx.rows(
            query,
            list(group),
            [ints(ask.goods) for ask in asks],
            [
                ints(cap if cover else ask.goods.values())
                for cap, ask in zip(caps, asks, strict=True)
            ],
            [ask.order.province for ask in asks],
            [ask.order.city for ask in asks],
            [groups for groups, _ in scopes],
            limit,
            self._plan.paused,
            today() if self._plan.capacity else None,
            self._plan.depth,
            *self._plan.weights,
            [codes for _, codes in scopes],
            [ints(_excluded(ask.order)) for ask in asks],
            *(self._places(group) if cover else ()),
        )
        seen: dict[int, list[Candidate]] = {}
        for row in rows:
            candidate = self._covering(row) if cover else _candidate(row)
            seen.setdefault(row["ask"], []).append(candidate)
        return seen

    def _places(self, group: Sequence[int]) -> tuple[list[str], list[int]]:
        """Return where each line's bits begin, and what an outlet that has all of it has (-1: take any)."""
        shifts = [self._shifts(n) for n in group]
        targets = [
            sum(q << at for q, at in zip(self._asks[n].goods.values(), where, strict=False))
            for n, where in zip(group, shifts, strict=True)
        ]
        alone = len(self._asks) == 1 and self._plan.single
        return [ints(at[:-1]) for at in shifts], targets if alone else [-1] * len(targets)

    def _shifts(self, n: int) -> list[int]:
        """Return where each line's pieces begin in the integer that says what an outlet has, and its end."""
        at = [0]
        for article in self._asks[n].goods:
            at.append(at[-1] + self._caps[article].bit_length())
        return at

    def _covering(self, row: Row) -> Candidate:
        """Return a candidate whose pieces stand in one integer, each article's cut off at what is wanted."""
        goods, held = self._asks[row["ask"]].goods, row["held"]
        masks = {a: (1 << self._caps[a].bit_length()) - 1 for a in goods}
        has = {
            a: held >> at & masks[a] for a, at in zip(goods, self._shifts(row["ask"]), strict=False)
        }
        return _stated(row, {article: pieces for article, pieces in has.items() if pieces})

    def _settle(self, n: int, choice: Choice) -> None:
        self.found[n] = choice
        self._taken.add(choice)


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
    return _stated(row, dict(zip(row["articles"], row["free"], strict=True)))


def _stated(row: Row, available: Goods) -> Candidate:
    return Candidate(
        location_id=row["id"],
        code=row["code"],
        name=row["name"],
        connection_id=row["connection_id"],
        city=bool(row.get("city")),
        province=bool(row.get("province")),
        priority=row.get("priority", 0),
        capacity=row.get("capacity"),
        stock=row.get("stock"),
        available=available,
    )


async def prices_of(tx: Tx, asks: Sequence[Ask]) -> dict[int, Decimal]:
    """Return what a piece costs, by article; those without a price are left out."""
    rows = await tx.rows(_q.prices, ints({article for ask in asks for article in ask.goods}))
    return {row["id"]: row["price"] for row in rows}
