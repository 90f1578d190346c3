"""What a suite may be, sells, takes, brings back and how its price falls, whatever it is made of."""

from __future__ import annotations

from decimal import Decimal
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.catalogue import rules
from entrepot.catalogue.rules import Known, Limit, Need, Piece, PriceLine
from entrepot.errors import Refused
from entrepot.facts import Goods, Spec, Suite, SuitePart
from entrepot.money import CENT, share

cents = st.decimals(min_value=0, max_value=10**9, places=2)
amounts = st.decimals(min_value=0, max_value=10**15 - 1, places=4)
nums = st.decimals(min_value=Decimal("0.0001"), max_value=10**6, places=4)
prices = st.one_of(st.just(Decimal(-1)), amounts)
ratios = st.one_of(st.just(Decimal(-1)), st.decimals(min_value=0, max_value=1, places=4))
lines = st.builds(
    PriceLine, num=nums, is_fixed_price=st.booleans(), fixed_price=prices, ratio=ratios,
    retail_price=amounts,
)  # fmt: skip


def line(
    num: str = "1", *, fixed: str | None = None, ratio: str = "-1", retail: str = "0"
) -> PriceLine:
    """Return one part's pricing."""
    return PriceLine(
        num=Decimal(num),
        is_fixed_price=fixed is not None,
        fixed_price=Decimal(fixed or 0),
        ratio=Decimal(ratio),
        retail_price=Decimal(retail),
    )


def split(price: str, *parts: PriceLine) -> list[str]:
    """Return the split as text."""
    return [str(amount) for amount in rules.split(Decimal(price), parts)]


@given(price=cents, parts=st.lists(lines, min_size=1, max_size=8))
def test_every_split_adds_up(price: Decimal, parts: list[PriceLine]) -> None:
    """For any suite and any price the parts' amounts are whole cents, not negative, and the price."""
    shares = rules.split(price, parts)
    assert sum(shares) == price
    assert all(amount >= 0 and amount == amount.quantize(CENT) for amount in shares)


@given(price=amounts, parts=st.lists(lines, min_size=1, max_size=8))
def test_a_price_finer_than_a_cent_adds_up_too(price: Decimal, parts: list[PriceLine]) -> None:
    """Fractions of a cent end in one part, none is lost."""
    shares = rules.split(price, parts)
    assert sum(shares) == price
    assert sum(amount != amount.quantize(CENT) for amount in shares) <= 1


@given(
    total=cents,
    weights=st.lists(st.decimals(min_value=0, max_value=10**6, places=4), max_size=9),
)
def test_every_share_adds_up(total: Decimal, weights: list[Decimal]) -> None:
    """Shares add up to the total, none is negative, and who has no weight where others have gets nothing."""
    shares = share(total, weights)
    assert len(shares) == len(weights)
    assert sum(shares) == (total if weights else 0)
    assert all(part >= 0 for part in shares)
    if any(weights):
        assert all(not part for part, weight in zip(shares, weights, strict=True) if not weight)


def test_fixed_prices_are_served_first() -> None:
    """The fixed line gets its price times its number, the rest goes by ratio."""
    parts = [line("2", fixed="10"), line(ratio="0.25"), line(ratio="0.75")]
    assert split("100", *parts) == ["20.00", "20.00", "60.00"]


def test_a_fixed_price_of_minus_one_is_the_retail_price() -> None:
    """−1 takes the price of the article's own file, times the number."""
    assert split("100", line("3", fixed="-1", retail="12.50"), line()) == ["37.50", "62.50"]


def test_without_ratios_the_amounts_decide() -> None:
    """A ratio of −1 shares by number times retail price: 5.00 and ten times 12.50."""
    parts = [line("1", retail="5"), line("10", retail="12.5")]
    assert split("130", *parts) == ["5.00", "125.00"]
    assert split("65", *parts) == ["2.50", "62.50"]


def test_articles_without_a_price_share_by_number() -> None:
    """Where no amount is known, pieces count."""
    assert split("11", line("1"), line("10")) == ["1.00", "10.00"]


def test_the_last_line_takes_the_remainder() -> None:
    """A hundred over three equal lines leaves its odd cent with the last."""
    thirds = [line(ratio="0.3333")] * 3
    assert split("100", *thirds) == ["33.33", "33.33", "33.34"]
    assert split("0.02", *[line()] * 4) == ["0.01", "0.01", "0.00", "0.00"]


def test_ratios_and_amounts_mix() -> None:
    """A ratio is a fraction of what fixed prices leave; the lines without one share what is left of it."""
    parts = [line(fixed="10"), line(ratio="0.5"), line(retail="1"), line(retail="3")]
    assert split("110", *parts) == ["10.00", "50.00", "12.50", "37.50"]


def test_ratios_that_claim_everything_leave_nothing() -> None:
    """Fractions of more than one are scaled down; lines by amount get nothing then."""
    assert split("10", line(ratio="1"), line(ratio="1"), line(retail="9")) == [
        "5.00",
        "5.00",
        "0.00",
    ]


@given(st.lists(lines, min_size=1, max_size=8))
def test_ratios_are_shown_as_fractions(parts: list[PriceLine]) -> None:
    """Each from 0 to 1; what was given stays, and what is worked out makes them one."""
    shown = rules.ratios(parts)
    free = [
        (part, ratio) for part, ratio in zip(parts, shown, strict=True) if not part.is_fixed_price
    ]
    assert all(0 <= ratio <= 1 for ratio in shown)
    assert all(part.ratio in (-1, ratio) for part, ratio in free)
    given_ = sum(part.ratio for part, _ in free if part.ratio >= 0)
    if any(part.ratio == -1 for part, _ in free):
        assert sum(shown) == max(given_, 1)


def test_fixed_prices_beyond_the_price_are_scaled_down() -> None:
    """A suite sold below its fixed prices: they share what there is, the others get nothing."""
    parts = [line(fixed="30"), line(fixed="60"), line(retail="5")]
    assert split("45", *parts) == ["15.00", "30.00", "0.00"]


def test_only_fixed_prices_below_the_price() -> None:
    """The last line takes what the fixed prices leave."""
    assert split("100", line(fixed="30"), line(fixed="60")) == ["30.00", "70.00"]


def test_fixed_prices_that_round_beyond_the_price() -> None:
    """Two half cents are one cent, not two."""
    assert split("0.01", line(fixed="0.005"), line(fixed="0.005")) == ["0.01", "0.00"]


@given(num=nums, suites=st.integers(0, 10**6), spare=st.integers(0, 10**6))
def test_what_is_available_can_be_taken(num: Decimal, suites: int, spare: int) -> None:
    """A line of as many suites as are available never takes more pieces than there are."""
    there = ceil(num * suites) + spare
    found = rules.limit([Piece(sku="A", num=num, available=there)])
    assert found.available >= suites
    assert rules.pieces(num, found.available) <= there


@given(
    st.lists(
        st.builds(Piece, sku=st.text(), num=nums, available=st.integers(-100, 10**9)), min_size=1
    )
)
def test_a_suite_sells_what_its_scarcest_part_allows(parts: list[Piece]) -> None:
    """Available is the minimum of ⌊available ÷ num⌋, never below 0, and the part it names is that one."""
    found = rules.limit(parts)
    counts = [max(0, floor(Decimal(part.available) / part.num)) for part in parts]
    assert found.available == min(counts)
    assert found.part == parts[counts.index(min(counts))].sku


def test_a_part_that_is_owed_already_sells_nothing() -> None:
    """A part made to order below 0 makes the suite unavailable, not negative."""
    pieces = [
        Piece(sku="A", num=Decimal(1), available=5),
        Piece(sku="B", num=Decimal(2), available=-3),
    ]
    assert rules.limit(pieces) == Limit(available=0, part="B")


@given(taken=st.integers(1, 10**6), portions=st.lists(st.integers(1, 50), min_size=1, max_size=9))
def test_what_left_comes_back_once(taken: int, portions: list[int]) -> None:
    """In whatever portions a line's suites come back, together they bring exactly the pieces that left."""
    ordered, before, back = sum(portions), 0, 0
    for now in portions:
        pieces = rules.brought_back(taken, ordered, before, now)
        assert pieces >= 0
        back, before = back + pieces, before + now
    assert back == taken


def test_lines_become_parts() -> None:
    """A suite's line takes its parts rounded up, a single's line itself, each under its own position."""
    parts = {7: [Need(part_id=1, num=Decimal("2.5")), Need(part_id=2, num=Decimal(1))]}
    assert rules.explode([(1, 4), (7, 3)], parts) == [(0, 1, 4), (1, 1, 8), (1, 2, 3)]


ARTICLES = {
    "A": Known(id=1, kind="single"),
    "B": Known(id=2, kind="single", goods_no="G"),
    "S": Known(id=3, kind="suite", number=1),
}


def suite(*parts: SuitePart, **head: object) -> Suite:
    """Return a suite N of these parts (one A where none is given)."""
    filled = {"sku": "N", "name": "N", **head}
    return Suite(parts=parts or (SuitePart(sku="A", num=Decimal(1)),), **filled)  # type: ignore[arg-type]


def part(sku: str = "A", **pricing: str) -> SuitePart:
    """Return a part by its numbers."""
    numbers = {name: Decimal(text) for name, text in {"num": "1", **pricing}.items()}
    return SuitePart(sku=sku, **numbers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (Suite(sku="N", name="N", parts=()), "no_parts"),
        (suite(part(), part("B"), part()), "part_twice"),
        (suite(part("X")), "unknown_parts"),
        (suite(part("S")), "suite_as_part"),
        (suite(part("N")), "suite_as_part"),
        (suite(sku="B"), "not_a_suite"),
        (suite(part(num="0")), "num_not_positive"),
        (suite(part(num="-1")), "num_not_positive"),
        (suite(part(fixed_price="-2")), "bad_fixed_price"),
        (suite(part(ratio="-0.5")), "bad_ratio"),
        (suite(part(ratio="1.0001")), "bad_ratio"),
        (suite(print_mode=3), "unknown_print_mode"),
        (suite(large_type=3), "unknown_large_type"),
        (suite(label="x"), "label_not_printed"),
        (suite(market_price=Decimal("-0.01")), "negative_amount"),
    ],
)
def test_what_may_not_be_a_suite(wrong: Suite, code: str) -> None:
    """Each fault has a code of its own."""
    found = rules.fault(wrong, ARTICLES)
    assert isinstance(found, Refused)
    assert found.code == code


def test_what_may_be_a_suite() -> None:
    """A new one, a known one replaced, with a label where the suite itself is printed."""
    assert rules.fault(suite(part(ratio="1"), part("B", fixed_price="0")), ARTICLES) is None
    assert rules.fault(suite(sku="S", print_mode=1, label="x"), ARTICLES) is None


@pytest.mark.parametrize(
    ("specs", "code"),
    [
        ((), "no_specs"),
        (("A", "A"), "spec_twice"),
        (("S",), "spec_is_suite"),
        (("B",), "spec_of_others"),
    ],
)
def test_what_may_not_be_goods(specs: tuple[str, ...], code: str) -> None:
    """Goods have specs, each once, none of them a suite or another's."""
    goods = Goods(goods_no="H", name="H", specs=tuple(Spec(sku=sku) for sku in specs))
    found = rules.fault_of_goods(goods, ARTICLES)
    assert isinstance(found, Refused)
    assert found.code == code


def test_a_spec_below_0_is_named_by_its_place() -> None:
    """So that a partner's developer finds the field."""
    specs = (Spec(sku="A"), Spec(sku="C", weight=Decimal(-1)))
    found = rules.fault_of_goods(Goods(goods_no="H", name="H", specs=specs), ARTICLES)
    assert isinstance(found, Refused)
    assert (found.code, found.facts) == ("negative_amount_of_spec", {"part": 1, "field": "weight"})


def test_goods_may_adopt_and_keep() -> None:
    """An article without goods becomes a spec, a spec stays with its own goods."""
    for number, sku in (("H", "A"), ("G", "B"), ("H", "new")):
        goods = Goods(goods_no=number, name=number, specs=(Spec(sku=sku),))
        assert rules.fault_of_goods(goods, ARTICLES) is None
