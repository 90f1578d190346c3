"""What a channel sees of what there is."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from entrepot.stock.rules import PublishRule, Why, explain, publish

CODES = ("HQ", "aaa", "bbb")
pieces = st.dictionaries(st.sampled_from(CODES), st.integers(-50, 500))
rule = st.builds(
    PublishRule,
    id=st.integers(1, 9),
    location=st.none() | st.sampled_from(CODES),
    locations=st.none() | st.tuples(st.sampled_from(CODES)),
    ratio=st.decimals(0, 2, places=2),
    buffer=st.integers(-5, 20),
    minimum=st.none() | st.integers(0, 10),
    maximum=st.none() | st.integers(0, 300),
    fixed=st.none() | st.integers(0, 9),
    stop=st.booleans(),
)
draws = st.none() | st.lists(st.sampled_from(CODES), unique=True)
stores = st.lists(st.sampled_from(CODES), unique=True)


@given(pieces, st.lists(rule, max_size=4), draws, stores)
def test_no_channel_ever_sees_less_than_nothing(
    available: dict[str, int],
    rules: list[PublishRule],
    draws_on: list[str] | None,
    own: list[str],
) -> None:
    """Whatever the rules, and every store that is asked for has a figure."""
    seen = publish(available, rules, draws_on=draws_on, stores=own)
    assert seen.total >= 0
    assert list(seen.by_location) == own
    assert all(figure >= 0 for figure in seen.by_location.values())


@given(pieces, st.lists(rule, max_size=4), draws, stores)
def test_the_explanation_tells_what_is_published(
    available: dict[str, int],
    rules: list[PublishRule],
    draws_on: list[str] | None,
    own: list[str],
) -> None:
    """Its last step is the total, its others the stores' figures."""
    seen = publish(available, rules, draws_on=draws_on, stores=own)
    steps = explain(available, rules, draws_on=draws_on, stores=own)
    assert steps[-1].location is None
    assert steps[-1].published == seen.total
    figures = {step.location: step.published for step in steps}
    assert {store: figures[store] for store in own} == seen.by_location


@given(pieces, draws)
def test_without_rules_the_total_is_what_the_places_have(
    available: dict[str, int], draws_on: list[str] | None
) -> None:
    """What one place owes, the total lacks, so that nothing is sold twice; each place shows its own."""
    own = list(available) if draws_on is None else draws_on
    seen = publish(available, [], draws_on=draws_on, stores=own)
    assert seen.total == max(sum(available.get(code, 0) for code in own), 0)
    assert seen.by_location == {code: max(available.get(code, 0), 0) for code in own}


def test_the_last_match_wins() -> None:
    """And an outlet's own rule shapes what the total builds on."""
    rules = [
        PublishRule(id=1, buffer=1),
        PublishRule(id=2, ratio=Decimal("0.5")),
        PublishRule(id=3, location="aaa", stop=True),
    ]
    assert explain({"HQ": 9, "aaa": 4}, rules, draws_on=None, stores=("aaa",)) == [
        Why(location="HQ", available=9, rule=None, published=9),
        Why(location="aaa", available=4, rule=3, published=0),
        Why(location=None, available=9, rule=2, published=4),
    ]


def test_each_word_of_a_rule() -> None:
    """Ratio rounds down, buffer is kept back, minimum and maximum hold it, fixed and stop replace it."""
    assert PublishRule(id=1, ratio=Decimal("0.8"), buffer=1).of(9) == 6
    assert PublishRule(id=1, buffer=10).of(9) == 0
    assert PublishRule(id=1, minimum=3).of(0) == 3
    assert PublishRule(id=1, maximum=3).of(9) == 3
    assert PublishRule(id=1, fixed=7).of(0) == 7
    assert PublishRule(id=1, fixed=7, stop=True).of(9) == 0


def test_a_rule_can_name_the_places_that_count() -> None:
    """Then the connection's own places don't."""
    rules = [PublishRule(id=1, locations=("bbb",))]
    assert publish({"HQ": 5, "bbb": 2}, rules, draws_on=("HQ",)).total == 2
