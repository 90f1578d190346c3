"""Decisions about stock. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.money import GRAM4, ZERO, rounded

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


class Balance(Struct, kw_only=True):
    """One row of stock while its lock is held; pieces, grams."""

    article_id: int
    location_id: int
    on_hand: int
    reserved: int
    safety: int = 0
    weight: Decimal = ZERO

    @property
    def available(self) -> int:
        """Pieces that may still be promised; below 0 where goods are made to order."""
        return self.on_hand - self.reserved - self.safety


class Demand(Struct, frozen=True, kw_only=True):
    """Pieces of one article wanted by one line of a document.

    ``locations`` are the ids it may come from, in order of preference; empty means any.
    """

    document_id: int
    line: int
    article_id: int
    qty: int
    locations: tuple[int, ...] = ()


class Pick(Struct, frozen=True, kw_only=True):
    """Where a demand is reserved."""

    demand: Demand
    location_id: int


def place(demand: Demand, balances: Sequence[Balance]) -> Balance:
    """Return the balance a whole demand is reserved at.

    The first that has it all, in order of preference; else the one with most of it, so that what is
    made to order waits where it lacks least. ``balances`` are the article's rows, not empty.
    """
    ranked = _preferred(demand.locations, balances)
    for balance in ranked:
        if balance.available >= demand.qty:
            return balance
    return max(ranked, key=lambda balance: balance.available)


def _preferred(locations: Sequence[int], balances: Sequence[Balance]) -> Sequence[Balance]:
    if not locations:
        return balances
    rank = {location: position for position, location in enumerate(locations)}
    allowed = [balance for balance in balances if balance.location_id in rank]
    return sorted(allowed, key=lambda balance: rank[balance.location_id])


def weight_of(pieces: int, on_hand: int, weight: Decimal) -> Decimal:
    """Return the grams of some of the pieces on hand, half-up to 4 decimals; 0 where none are."""
    if on_hand <= 0 or pieces <= 0:
        return ZERO
    if pieces == on_hand:
        return rounded(weight, GRAM4)
    return rounded(weight * Decimal(pieces) / Decimal(on_hand), GRAM4)


class PublishRule(Struct, frozen=True, kw_only=True):
    """How what is available becomes what a channel sees.

    ``location`` None: the rule shapes the total, drawn from ``locations`` (None: the connection's own);
    otherwise that outlet's figure, on which the total then builds. ``fixed`` replaces the figure, ``stop``
    makes it 0; else it is ⌊pieces × ratio⌋ − buffer, held between minimum and maximum. Never below 0.
    """

    id: int
    location: str | None = None
    locations: tuple[str, ...] | None = None
    ratio: Decimal = Decimal(1)
    buffer: int = 0
    minimum: int | None = None
    maximum: int | None = None
    fixed: int | None = None
    stop: bool = False

    def of(self, pieces: int) -> int:
        """Return the figure that ``pieces`` become."""
        if self.stop:
            return 0
        if self.fixed is not None:
            return self.fixed
        figure = int((pieces * self.ratio).to_integral_value(ROUND_FLOOR)) - self.buffer
        if self.maximum is not None:
            figure = min(figure, self.maximum)
        if self.minimum is not None:
            figure = max(figure, self.minimum)
        return max(figure, 0)


class Published(Struct, frozen=True, kw_only=True):
    """What a channel sees of one article: the total, and each store's own figure."""

    total: int
    by_location: Mapping[str, int] = {}


class Why(Struct, frozen=True, kw_only=True):
    """One step of an explanation: ``location`` None is the total; ``rule`` None: no rule matched."""

    location: str | None
    available: int
    rule: int | None
    published: int


MOST = 2**63 - 1
"""More pieces than a balance can say."""
TOGETHER = ""
"""What stands for all locations without a rule of their own where a suite's parts are counted."""


class PartStock(Struct, frozen=True):
    """One part of a suite: how much of it one suite takes, and the pieces available by location code."""

    num: Decimal
    pieces: dict[str, int]


def counted(
    parts: Collection[PartStock], rules: Sequence[PublishRule], draws_on: Sequence[str] | None
) -> dict[str, int]:
    """Return a suite's availability by location, as ``publish`` takes it.

    A location has as many as the scarcest part there allows. Parts may also lie apart: what all
    locations allow together beyond that (what one lacks, another owes) stands under ``TOGETHER``. A
    location with a rule of its own is counted by itself, since only its own figure can be shaped.
    """
    whole = next((rule for rule in reversed(rules) if rule.location is None), None)
    drawn = draws_on if whole is None or whole.locations is None else whole.locations
    codes = {code for part in parts for code in part.pieces}
    ruled = {rule.location for rule in rules}
    joint = {code for code in codes if code not in ruled and (drawn is None or code in drawn)}
    apart, together = dict.fromkeys(codes, MOST), MOST
    for num, pieces in ((part.num, part.pieces) for part in parts):
        for code in codes:
            apart[code] = min(apart[code], max(int(pieces.get(code, 0) // num), 0))
        net = sum(n for code, n in pieces.items() if code in joint)
        together = min(together, max(int(net // num), 0))
    return {**apart, TOGETHER: together - sum(apart[code] for code in joint)}


def publish(
    available: Mapping[str, int],
    rules: Sequence[PublishRule],
    *,
    draws_on: Sequence[str] | None,
    stores: Sequence[str] = (),
) -> Published:
    """Return what a channel sees.

    ``available`` pieces by location code, below 0 where more is promised than there is: the total owes
    what one place lacks, so that a channel that may sell from all of them never sells it twice. ``rules``
    those that match connection and article, in order: the last one for a location, and the last one for
    the total, win. ``draws_on`` None: every location.
    """
    if not rules:
        drawn = available if draws_on is None else (*draws_on, TOGETHER)
        seen = {code: available.get(code, 0) for code in drawn}
        return Published(
            total=max(sum(seen.values()), 0),
            by_location={store: max(available.get(store, 0), 0) for store in stores},
        )
    steps = explain(available, rules, draws_on=draws_on, stores=stores)
    by_location = {step.location: step.published for step in steps if step.location is not None}
    return Published(
        total=steps[-1].published, by_location={store: by_location[store] for store in stores}
    )


def explain(
    available: Mapping[str, int],
    rules: Sequence[PublishRule],
    *,
    draws_on: Sequence[str] | None,
    stores: Sequence[str] = (),
) -> list[Why]:
    """Return how ``publish`` comes to its figures: one step a location, the total last."""
    last = {rule.location: rule for rule in rules}
    whole = last.get(None)
    if whole is not None and whole.locations is not None:
        draws_on = whole.locations
    drawn = list(available) if draws_on is None else list(dict.fromkeys(draws_on))
    if TOGETHER in available:
        drawn = list(dict.fromkeys((*drawn, TOGETHER)))
    steps = []
    for code in dict.fromkeys((*drawn, *stores)):
        pieces = available.get(code, 0)
        rule = last.get(code)
        figure = max(pieces, 0) if rule is None else rule.of(max(pieces, 0))
        steps.append(
            Why(location=code, available=pieces, rule=rule.id if rule else None, published=figure)
        )
    pieces = sum(
        step.available if step.rule is None else step.published
        for step in steps
        if step.location in set(drawn)
    )
    figure = max(pieces, 0) if whole is None else whole.of(max(pieces, 0))
    return [
        *steps,
        Why(location=None, available=pieces, rule=whole.id if whole else None, published=figure),
    ]
