"""Decisions about suites and goods: what may be one, what a suite sells, takes, costs. Pure."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.errors import BadInput, Conflict
from entrepot.money import GRAM4, ZERO, rounded, share

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from entrepot.errors import Refused
    from entrepot.facts import Goods, Suite, SuitePart

SINGLE, SUITE = "single", "suite"
AUTOMATIC = Decimal(-1)
"""A fixed price or ratio that is to be worked out."""
PRINT_MODES = LARGE_TYPES = range(3)
_ONE = Decimal(1)


class Known(Struct, frozen=True, kw_only=True):
    """An article as far as suites, goods and orders ask.

    ``number`` is its small id, ``digest`` a suite's content as last saved, ``goods_no`` whose spec it is;
    ``place`` the only location it lies at, or has lain.
    """

    id: int
    kind: str
    place: int | None = None
    number: int | None = None
    digest: bytes | None = None
    goods_no: str | None = None


class Need(Struct, frozen=True, kw_only=True):
    """One part of a suite by id, and how much of it one suite takes."""

    part_id: int
    num: Decimal


class Limit(Struct, frozen=True, kw_only=True):
    """How many suites there are, and the part (by SKU) of which there is least."""

    available: int
    part: str


class Piece(Struct, frozen=True, kw_only=True):
    """One part of a suite as it stands in stock: ``available`` is net, and may be below 0."""

    sku: str
    num: Decimal
    available: int


class PriceLine(Struct, frozen=True, kw_only=True):
    """What of a part decides its share of the suite's price."""

    num: Decimal
    is_fixed_price: bool
    fixed_price: Decimal
    ratio: Decimal
    retail_price: Decimal

    @property
    def each(self) -> Decimal:
        """The price of one, −1 being the retail price."""
        return self.retail_price if self.fixed_price == AUTOMATIC else self.fixed_price


def fault(suite: Suite, known: Mapping[str, Known]) -> Refused | None:
    """Return why this may not be a suite, or None. ``known`` are the articles that exist, by SKU.

    Faults of one part carry its position as ``part``; those of several their ``skus``.
    """
    skus = [part.sku for part in suite.parts]
    if not skus:
        return BadInput("no_parts", "A suite has at least one part.")
    if twice := [sku for sku, times in Counter(skus).items() if times > 1]:
        return BadInput("part_twice", f"{', '.join(twice)} is named twice.", skus=twice)
    if found := _fault_of_head(suite) or _fault_of_parts(suite.parts):
        return found
    if unknown := [sku for sku in skus if sku not in known and sku != suite.sku]:
        return BadInput("unknown_parts", f"No article is called {unknown[0]}.", skus=unknown)
    nested = [sku for sku in skus if sku == suite.sku or known[sku].kind == SUITE]
    if nested:
        return Conflict("suite_as_part", f"{nested[0]} is a suite itself.", skus=nested)
    if suite.sku in known and known[suite.sku].kind != SUITE:
        return Conflict("not_a_suite", f"{suite.sku} is a single article.", sku=suite.sku)
    return None


def _fault_of_head(suite: Suite) -> BadInput | None:
    if suite.print_mode not in PRINT_MODES:
        return BadInput("unknown_print_mode", "The print mode is 0, 1 or 2.")
    if suite.large_type not in LARGE_TYPES:
        return BadInput("unknown_large_type", "The large type is 0, 1 or 2.")
    if suite.label and not suite.print_mode:
        return BadInput("label_not_printed", "A suite printed as its parts bears no label.")
    for field in ("weight", "retail_price", "wholesale_price", "member_price", "market_price"):
        if getattr(suite, field) < 0:
            return BadInput("negative_amount", f"{field} is below 0.", field=field)
    return None


def _fault_of_parts(parts: Sequence[SuitePart]) -> BadInput | None:
    for at, part in enumerate(parts):
        if part.num <= 0:
            return BadInput("num_not_positive", f"{part.sku}: num must be above 0.", part=at)
        if part.fixed_price < 0 and part.fixed_price != AUTOMATIC:
            return BadInput("bad_fixed_price", f"{part.sku}: a price or -1.", part=at)
        if not 0 <= part.ratio <= 1 and part.ratio != AUTOMATIC:
            return BadInput("bad_ratio", f"{part.sku}: a fraction from 0 to 1, or -1.", part=at)
    return None


def fault_of_goods(goods: Goods, known: Mapping[str, Known]) -> Refused | None:
    """Return why these goods may not be saved, or None. ``known`` are the articles that exist, by SKU."""
    skus = [spec.sku for spec in goods.specs]
    if not skus:
        return BadInput("no_specs", "Goods have at least one spec.")
    if twice := [sku for sku, times in Counter(skus).items() if times > 1]:
        return BadInput("spec_twice", f"{', '.join(twice)} is named twice.", skus=twice)
    for at, spec in enumerate(goods.specs):
        for field in ("weight", "retail_price"):
            if getattr(spec, field) < 0:
                text = f"{spec.sku}: {field} is below 0."
                return BadInput("negative_amount_of_spec", text, part=at, field=field)
    found = [(sku, known[sku]) for sku in skus if sku in known]
    if suites := [sku for sku, article in found if article.kind == SUITE]:
        return Conflict("spec_is_suite", f"{suites[0]} is a suite.", skus=suites)
    for sku, article in found:
        if article.goods_no not in (None, goods.goods_no):
            text = f"{sku} belongs to goods {article.goods_no}."
            return Conflict("spec_of_others", text, sku=sku, goods_no=article.goods_no)
    return None


def ratios(lines: Sequence[PriceLine]) -> list[Decimal]:
    """Return each line's share of what fixed prices leave, as a fraction of 4 decimals.

    A ratio that was given stays as given; what those leave is shared by amount. Fixed lines have none.
    """
    automatic = [
        at for at, line in enumerate(lines) if not line.is_fixed_price and line.ratio == AUTOMATIC
    ]
    given = [ZERO if line.is_fixed_price else max(line.ratio, ZERO) for line in lines]
    left = max(_ONE - sum(given, ZERO), ZERO)
    parts = share(left, _by_amount([lines[at] for at in automatic]), GRAM4)
    for at, part in zip(automatic, parts, strict=True):
        given[at] = part
    return given


def claimed(goods: Goods, known: Mapping[str, Known]) -> dict[str, Known]:
    """Return the specs of accepted goods as the rest of the batch must see them; new ones have id 0."""
    return {
        spec.sku: Known(
            id=known[spec.sku].id if spec.sku in known else 0, kind=SINGLE, goods_no=goods.goods_no
        )
        for spec in goods.specs
    }


def pieces(num: Decimal, suites: int) -> int:
    """Return how many whole pieces of a part so many suites of one order line take: rounded up.

    As many suites as are available never take more than there is, since pieces are whole.
    """
    return ceil(num * suites)


def limit(parts: Sequence[Piece]) -> Limit:
    """Return how many suites the parts allow, and which allows least (the first of equals)."""
    counts = [Limit(available=max(int(p.available // p.num), 0), part=p.sku) for p in parts]
    return min(counts, key=lambda count: count.available)


def brought_back(taken: int, ordered: int, before: int, now: int) -> int:
    """Return the pieces of a part that come back with ``now`` of ``ordered`` suites.

    ``taken`` pieces left with the order's line, ``before`` suites came back earlier. Whatever the
    portions, together they bring back exactly what left.
    """
    return taken * (before + now) // ordered - taken * before // ordered


def split(price: Decimal, lines: Sequence[PriceLine]) -> list[Decimal]:
    """Return how a suite's price (not below 0) falls on its parts, in cents; it always adds up.

    Fixed prices are served first. What they leave goes to the lines with a ratio, as that fraction of it
    (scaled where the fractions do not fit), the rest to the others by amount. The last line takes the
    remainder. Fixed prices beyond the price are scaled down to it.
    """
    fixed = [at for at, line in enumerate(lines) if line.is_fixed_price]
    others = [at for at, line in enumerate(lines) if not line.is_fixed_price]
    asked = [lines[at].each * lines[at].num for at in fixed]
    amounts = [rounded(amount) for amount in asked] if sum(asked, ZERO) <= price else []
    if len(amounts) < len(asked) or sum(amounts, ZERO) > price:
        amounts = share(price, asked)
    left = price - sum(amounts, ZERO)
    if not others and fixed:
        amounts[-1] += left
    rest = share(left, _weights([lines[at] for at in others]))
    shares = dict(zip([*fixed, *others], [*amounts, *rest], strict=True))
    return [shares[at] for at in range(len(lines))]


def _weights(lines: Sequence[PriceLine]) -> list[Decimal]:
    """Return the weights by which lines without a fixed price share what is left."""
    automatic = [line for line in lines if line.ratio == AUTOMATIC]
    claimed = sum((line.ratio for line in lines if line.ratio != AUTOMATIC), ZERO)
    if claimed >= 1 or not automatic:
        return [max(line.ratio, ZERO) for line in lines]
    amounts = _by_amount(automatic)
    whole, left = sum(amounts, ZERO), iter(amounts)
    return [
        (_ONE - claimed) * next(left) if line.ratio == AUTOMATIC else line.ratio * whole
        for line in lines
    ]


def _by_amount(lines: Sequence[PriceLine]) -> list[Decimal]:
    """Return the lines' amounts (num × retail price); their numbers where no line has an amount."""
    amounts = [line.num * line.retail_price for line in lines]
    return amounts if any(amounts) else [line.num for line in lines]


def explode(
    lines: Iterable[tuple[int, int]], parts: Mapping[int, Sequence[Need]]
) -> list[tuple[int, int, int]]:
    """Return (position, article id, pieces) for lines of (article id, qty); suites become their parts."""
    demands: list[tuple[int, int, int]] = []
    for position, (article_id, qty) in enumerate(lines):
        if article_id in parts:
            needs = parts[article_id]
            demands += [(position, need.part_id, pieces(need.num, qty)) for need in needs]
        else:
            demands.append((position, article_id, qty))
    return demands
