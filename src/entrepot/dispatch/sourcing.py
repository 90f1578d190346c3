"""Which outlets ship a note: the rules as data, and the choice. Pure.

A tenant's rules are an ordered list. Filters: ``group`` (only outlets of these groups, for orders of
these connections or all), ``paused``, ``capacity`` (the outlet's notes a day), ``depth`` (pieces an outlet
keeps), ``minimum`` (what a part must be worth to be sent alone). Shapes: ``single`` (the whole note from one
outlet, if any can), ``fewest`` (else the fewest outlets; without it the best ranked ship what they have).
Ranks, in the order in which they stand: ``city``, ``province``, ``priority``, ``stock``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, field

from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

RANKS = ("city", "province", "priority", "stock")
DEFAULT: tuple[dict[str, Any], ...] = tuple(
    {"kind": kind} for kind in ("paused", "capacity", "single", "fewest", *RANKS)
)
_RADIX = {"city": 2, "province": 2, "priority": 1 << 21, "stock": 1 << 37}
_NODES = 20_000

Goods = dict[int, int]
"""Pieces by article id."""


class Group(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Only outlets of one of ``groups``; ``connections`` are names, none: for every order."""

    groups: tuple[str, ...]
    connections: tuple[str, ...] = ()


class Depth(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An outlet keeps so many pieces of each article for its own customers."""

    pieces: int


class Minimum(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an outlet's part of a split note must come to; an article without a price is worth enough."""

    pieces: int = 0
    amount: Decimal = Decimal(0)


class Nothing(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that has no settings."""


SHAPES: Mapping[str, type[Struct]] = {
    "group": Group,
    "depth": Depth,
    "minimum": Minimum,
    **dict.fromkeys(("paused", "capacity", "single", "fewest", *RANKS), Nothing),
}


class Plan(Struct, frozen=True, kw_only=True):
    """A tenant's rules, read."""

    groups: tuple[Group, ...] = ()
    paused: bool = False
    capacity: bool = False
    depth: int = 0
    minimum: Minimum = Minimum()
    single: bool = False
    fewest: bool = False
    ranks: tuple[str, ...] = ()

    @property
    def nearest_first(self) -> bool:
        """Tell whether a whole outlet in the receiver's province beats every one outside it."""
        return self.single and self.ranks[:2] == ("city", "province")

    @property
    def weights(self) -> tuple[int, ...]:
        """What city, province, priority and stock weigh in one integer that sorts as the ranks do."""
        weight, weights = 1, dict.fromkeys(RANKS, 0)
        for rank in reversed(self.ranks):
            weights[rank] = weight
            weight *= _RADIX[rank]
        return tuple(weights.values())

    def groups_for(self, connection: str) -> tuple[str, ...] | None:
        """Return the groups an order of this connection may come from; None: from any."""
        hits = [g for g in self.groups if not g.connections or connection in g.connections]
        if not hits:
            return None
        return tuple(group for hit in hits for group in hit.groups)


class Candidate(Struct, kw_only=True):
    """An outlet that has some of the goods, as of an unlocked look.

    ``available`` are pieces by article, ``stock`` all of them together (None: their sum); ``capacity`` notes
    it may still get today (None: any number).
    """

    location_id: int
    code: str
    connection_id: int | None = None
    name: str = ""
    city: bool = False
    province: bool = False
    priority: int = 100
    capacity: int | None = None
    stock: int | None = None
    available: Goods = field(default_factory=dict)

    def rank(self, ranks: Sequence[str]) -> tuple[Any, ...]:
        """Return what candidates are sorted by, the best first; its code decides last."""
        by = {
            "city": not self.city,
            "province": not self.province,
            "priority": self.priority,
            "stock": -(sum(self.available.values()) if self.stock is None else self.stock),
        }
        return (*(by[rank] for rank in ranks), self.code)

    def share(self, goods: Mapping[int, int]) -> Goods:
        """Return what it could ship of these goods."""
        has = {a: min(qty, self.available.get(a, 0)) for a, qty in goods.items()}
        return {article: qty for article, qty in has.items() if qty > 0}


class Choice(Struct, kw_only=True):
    """Who ships what, and what nobody has."""

    parts: list[tuple[Candidate, Goods]]
    lacking: Goods


def read(rules: Iterable[Mapping[str, Any]]) -> Plan:
    """Return a list of rules, each ``{"kind": …, setting: …}``, as a plan; raises BadInput."""
    typed: list[tuple[str, Any]] = []
    for position, rule in enumerate(rules):
        kind = rule.get("kind", "")
        if kind not in SHAPES:
            known = ", ".join(SHAPES)
            raise BadInput("bad_rule", f"Rule {position} is no rule ({kind!r}). Known: {known}.")
        settings = {name: value for name, value in rule.items() if name != "kind"}
        try:
            typed.append((kind, msgspec.convert(settings, SHAPES[kind], strict=False)))
        except msgspec.ValidationError as error:
            raise BadInput("bad_rule", f"Rule {position} ({kind}): {error}.") from error
    kinds = [kind for kind, _ in typed]
    last = {kind: rule for kind, rule in typed if kind in ("depth", "minimum")}
    return Plan(
        groups=tuple(rule for kind, rule in typed if kind == "group"),
        paused="paused" in kinds,
        capacity="capacity" in kinds,
        depth=last["depth"].pieces if "depth" in last else 0,
        minimum=last.get("minimum", Minimum()),
        single="single" in kinds,
        fewest="fewest" in kinds,
        ranks=tuple(dict.fromkeys(kind for kind in kinds if kind in RANKS)),
    )


def choose(
    need: Goods,
    candidates: Iterable[Candidate],
    plan: Plan,
    prices: Mapping[int, Decimal] | None = None,
) -> Choice:
    """Choose the outlets that ship ``need``: as the plan says, as much of it as there is.

    Exact for the fewest outlets unless the search grows past 20,000 steps; then the outlet that adds most
    is taken, again and again.
    """
    able = [c for c in candidates if c.capacity != 0 and c.share(need)]
    ranked = sorted(able, key=lambda c: c.rank(plan.ranks))
    ranked = [c for c in ranked if worth_it(c, need, plan.minimum, prices or {})]
    if plan.single:
        whole = next((c for c in ranked if c.share(need) == need), None)
        if whole is not None:
            return Choice(parts=[(whole, dict(need))], lacking={})
    chosen = _fewest(need, ranked) if plan.fewest else ranked
    parts: list[tuple[Candidate, Goods]] = []
    left = dict(need)
    for candidate in chosen:
        share = candidate.share(left)
        if share:
            parts.append((candidate, share))
            left = {a: qty - share.get(a, 0) for a, qty in left.items() if qty > share.get(a, 0)}
    return Choice(parts=parts, lacking=left)


def worth_it(
    candidate: Candidate, need: Goods, minimum: Minimum, prices: Mapping[int, Decimal]
) -> bool:
    """Tell whether an outlet's part of a split note comes to the minimum; all of it always does."""
    if minimum.pieces <= 0 and minimum.amount <= 0:
        return True
    share = candidate.share(need)
    if share == need:
        return True
    if sum(share.values()) < minimum.pieces:
        return False
    if any(article not in prices for article in share):
        return True
    return sum(prices[article] * qty for article, qty in share.items()) >= minimum.amount


def _fewest(need: Goods, ranked: Sequence[Candidate]) -> list[Candidate]:
    """Return the smallest set that ships as much as all could; of several, the best ranked."""
    target = {a: min(qty, sum(c.available.get(a, 0) for c in ranked)) for a, qty in need.items()}
    articles = [article for article, qty in target.items() if qty]
    want = tuple(target[article] for article in articles)
    rows = [tuple(min(c.available.get(a, 0), target[a]) for a in articles) for c in ranked]
    greedy = _greedy(want, rows)
    search = _Search(rows)
    for size in range(_at_least(want, rows), len(greedy) + 1):
        found = search.cover(want, 0, size)
        if found is not None:
            return [ranked[position] for position in found]
        if search.nodes <= 0:
            break
    return [ranked[position] for position in sorted(greedy)]


class _Search:
    """Looks for covers of a given size in rank order, with a bound on its steps."""

    def __init__(self, rows: Sequence[tuple[int, ...]]) -> None:
        self.nodes = _NODES
        self._rows = rows
        self._most: list[tuple[int, ...]] = [()] * len(rows)
        best: tuple[int, ...] = ()
        for position in range(len(rows) - 1, -1, -1):
            row = rows[position]
            best = tuple(map(max, row, best)) if best else row
            self._most[position] = best

    def cover(self, want: tuple[int, ...], start: int, size: int) -> list[int] | None:
        """Return the first ``size`` positions from ``start`` on that give ``want``, else None."""
        if not any(want):
            return []
        for position in range(start, len(self._rows) - size + 1):
            if size == 0 or any(
                w > size * m for w, m in zip(want, self._most[position], strict=True)
            ):
                return None
            self.nodes -= 1
            if self.nodes <= 0:
                return None
            row = self._rows[position]
            rest = tuple(max(0, w - r) for w, r in zip(want, row, strict=True))
            if rest == want:
                continue
            found = self.cover(rest, position + 1, size - 1)
            if found is not None:
                return [position, *found]
        return None


def _at_least(want: tuple[int, ...], rows: Sequence[tuple[int, ...]]) -> int:
    """Return how many outlets any cover needs, judged by each article alone."""
    least = 0
    for column, wanted in enumerate(want):
        count, left = 0, wanted
        for pieces in sorted((row[column] for row in rows), reverse=True):
            if left <= 0:
                break
            count, left = count + 1, left - pieces
        least = max(least, count)
    return least


def _greedy(want: tuple[int, ...], rows: Sequence[tuple[int, ...]]) -> list[int]:
    chosen: list[int] = []
    while any(want):
        gains = [
            (sum(map(min, row, want)), -position)
            for position, row in enumerate(rows)
            if position not in chosen
        ]
        position = -max(gains)[1]
        chosen.append(position)
        want = tuple(max(0, w - r) for w, r in zip(want, rows[position], strict=True))
    return chosen
