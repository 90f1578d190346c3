"""Where a demand is reserved, and what pieces weigh."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from entrepot.stock import rules
from entrepot.stock.rules import Balance, Demand

pieces = st.integers(0, 10**9)
balances = st.lists(
    st.builds(
        Balance,
        article_id=st.just(1),
        location_id=st.integers(1, 8),
        on_hand=pieces,
        reserved=pieces,
        safety=pieces,
    ),
    min_size=1,
    unique_by=lambda balance: balance.location_id,
)


def demand(qty: int, *locations: int) -> Demand:
    return Demand(document_id=1, line=0, article_id=1, qty=qty, locations=locations)


@given(balances, st.integers(1, 10**9))
def test_a_demand_goes_whole_to_the_first_place_that_has_it_all(
    rows: list[Balance], qty: int
) -> None:
    """And to none that lacks it while another has it."""
    chosen = rules.place(demand(qty), rows)
    able = [row for row in rows if row.available >= qty]
    assert chosen is (able[0] if able else max(rows, key=lambda row: row.available))


@given(balances, st.integers(1, 10**9), st.randoms())
def test_only_allowed_places_are_drawn_on_in_their_order(
    rows: list[Balance], qty: int, chance: object
) -> None:
    allowed = [row.location_id for row in rows]
    chance.shuffle(allowed)  # type: ignore[attr-defined]  # random.Random
    allowed = allowed[: len(allowed) // 2 + 1]
    chosen = rules.place(demand(qty, *allowed), rows)
    assert chosen.location_id in allowed
    ranked = sorted(
        (row for row in rows if row.location_id in allowed),
        key=lambda row: allowed.index(row.location_id),
    )
    able = [row for row in ranked if row.available >= qty]
    assert not able or chosen is able[0]


@given(
    st.integers(1, 10**6), st.integers(1, 10**6), st.decimals(0, 10**9, places=4, allow_nan=False)
)
def test_some_of_the_pieces_weigh_their_share(some: int, on_hand: int, weight: Decimal) -> None:
    """To four decimals, half-up: never off by more than half of the last one."""
    grams = rules.weight_of(some, on_hand, weight)
    assert abs(grams - weight * some / on_hand) <= Decimal("0.00005")
    assert rules.weight_of(on_hand, on_hand, weight) == weight


def test_the_documents_figure() -> None:
    """Thirty pieces of MF004 weigh 106 g; two thirds of them 70.6667 g."""
    assert rules.weight_of(30, 30, Decimal(106)) == 106
    assert rules.weight_of(20, 30, Decimal(106)) == Decimal("70.6667")
    assert rules.weight_of(1, 2, Decimal("0.0001")) == Decimal("0.0001")


def test_nothing_weighs_nothing() -> None:
    for some, on_hand in ((0, 10), (-1, 10), (5, 0)):
        assert rules.weight_of(some, on_hand, Decimal(106)) == 0
