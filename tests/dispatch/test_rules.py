"""How outlets are chosen, and what is decided about notes: pure rules on examples and at random."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.dispatch import reasons, rules, sourcing
from entrepot.dispatch.reasons import Place, Scope
from entrepot.dispatch.rules import Box, Line, Note, Order, Package, Piece
from entrepot.dispatch.sourcing import Candidate, Choice, Goods
from entrepot.errors import BadInput, Conflict, Missing

DEFAULT = sourcing.read(sourcing.DEFAULT)
STOCK = st.dictionaries(st.integers(1, 4), st.integers(0, 4))
NEED = st.dictionaries(st.integers(1, 4), st.integers(1, 5), min_size=1)


def outlet(at: int, available: Goods, **more: Any) -> Candidate:
    return Candidate(location_id=at, code=f"O{at}", available=available, **more)


def chosen(choice: Choice) -> dict[str, Goods]:
    return {candidate.code: goods for candidate, goods in choice.parts}


@given(need=NEED, stocks=st.lists(STOCK, max_size=6), near=st.sets(st.integers(0, 5)))
def test_as_few_outlets_as_can_be_ship_as_much_as_there_is(
    need: Goods, stocks: list[Goods], near: set[int]
) -> None:
    """Judged by trying every set of outlets; of several the best ranked."""
    outlets = [outlet(n, stock, province=n in near) for n, stock in enumerate(stocks)]
    choice = sourcing.choose(need, outlets, DEFAULT)
    there = {a: min(q, sum(s.get(a, 0) for s in stocks)) for a, q in need.items()}
    given_: Goods = {}
    for candidate, goods in choice.parts:
        for article, qty in goods.items():
            assert 0 < qty <= candidate.available[article]
            given_[article] = given_.get(article, 0) + qty
    assert {a: q for a, q in there.items() if q} == given_
    lacking = {a: q - there[a] for a, q in need.items() if q > there[a]}
    assert choice.lacking == lacking
    ranked = sorted(outlets, key=lambda c: c.rank(DEFAULT.ranks))
    best = next(
        group
        for size in range(len(ranked) + 1)
        for group in combinations(ranked, size)
        if all(sum(c.available.get(a, 0) for c in group) >= q for a, q in there.items())
    )
    assert [c.code for c in best] == [c.code for c, _ in choice.parts]


def test_a_search_that_grows_too_far_takes_what_adds_most() -> None:
    """Two hundred outlets with a piece each of two articles: the answer is found all the same."""
    outlets = [outlet(n, {1 + n % 2: 1, 3 + n % 5: 1}) for n in range(200)]
    need = {1: 40, 2: 40, 3: 9, 4: 9, 5: 9, 6: 9, 7: 9}
    choice = sourcing.choose(need, outlets, DEFAULT)
    assert choice.lacking == {}
    assert len(choice.parts) == 80


def test_an_outlet_that_adds_most_is_taken_before_one_that_ranks_first() -> None:
    """When steps run out there is still an answer that lacks nothing."""
    rows = [(1, 0), (0, 1), (1, 1)]
    assert sourcing._greedy((1, 1), rows) == [2]
    search = sourcing._Search(rows)
    search.nodes = 1
    assert search.cover((1, 1), 0, 2) is None


def test_a_part_must_come_to_the_minimum_unless_it_is_all() -> None:
    """By pieces, by what they cost; goods without a price are worth enough."""
    plan = sourcing.read([{"kind": "minimum", "pieces": 2, "amount": "30"}, *sourcing.DEFAULT])
    small, dear, rich = outlet(1, {1: 1}), outlet(2, {2: 2}), outlet(3, {1: 2})
    need = {1: 2, 2: 3}
    prices = {1: Decimal(10), 2: Decimal(20)}
    assert chosen(sourcing.choose(need, [small, dear, rich], plan, prices)) == {"O2": {2: 2}}
    found = chosen(sourcing.choose(need, [small, dear, rich], plan, {2: Decimal(20)}))
    assert found == {"O2": {2: 2}, "O3": {1: 2}}
    assert chosen(sourcing.choose({1: 1}, [small], plan, prices)) == {"O1": {1: 1}}


def test_without_fewest_the_best_ranked_ship_what_they_have() -> None:
    plan = sourcing.read([{"kind": "priority"}])
    outlets = [outlet(1, {1: 1}, priority=1), outlet(2, {1: 1}, priority=2), outlet(3, {1: 3})]
    assert list(chosen(sourcing.choose({1: 3}, outlets, plan))) == ["O1", "O2", "O3"]
    single = sourcing.read([{"kind": "single"}, {"kind": "priority"}])
    assert list(chosen(sourcing.choose({1: 3}, outlets, single))) == ["O3"]


def test_groups_are_for_all_orders_or_for_those_of_some_connections() -> None:
    plan = sourcing.read(
        [
            {"kind": "group", "groups": ["east"]},
            {"kind": "group", "groups": ["flagship"], "connections": ["vip"]},
        ]
    )
    assert plan.groups_for("vip") == ("east", "flagship")
    assert plan.groups_for("other") == ("east",)
    assert DEFAULT.groups_for("any") is None


@given(
    ranks=st.permutations(sourcing.RANKS),
    outlets=st.lists(
        st.tuples(st.booleans(), st.booleans(), st.integers(-5, 5), st.integers(0, 9)),
        min_size=2,
        max_size=2,
        unique=True,
    ),
)
def test_one_integer_sorts_as_the_ranks_do(ranks: list[str], outlets: list[Any]) -> None:
    """What the database sorts by is what the rules say."""
    plan = sourcing.read([{"kind": rank} for rank in ranks])
    weights = plan.weights

    def key(one: Any) -> int:
        city, province, priority, stock = one
        terms = (not city, not province, priority, -stock)
        return sum(int(term) * weight for term, weight in zip(terms, weights, strict=True))

    def rank(one: Any) -> tuple[Any, ...]:
        city, province, priority, stock = one
        made = outlet(1, {}, city=city, province=province, priority=priority, stock=stock)
        return made.rank(plan.ranks)

    first, second = outlets
    assert (key(first) < key(second)) == (rank(first) < rank(second))


def test_a_rule_that_is_none_is_named() -> None:
    for wrong in ({"kind": "luck"}, {}, {"kind": "depth"}, {"kind": "city", "x": 1}):
        with pytest.raises(BadInput, match="Rule 0"):
            sourcing.read([wrong])


def test_why_an_outlet_is_out_of_the_question() -> None:
    """The first reason that holds is told."""
    plan = sourcing.read([*sourcing.DEFAULT, {"kind": "minimum", "pieces": 2}])
    need = {1: 3}

    def told(place: Place, scope: Scope, *others: Candidate) -> str:
        return reasons.why_not(place, need, plan, scope, others, {})

    has = outlet(1, {1: 3})
    assert told(Place(candidate=has), Scope(shop_id=1)) == "is the ordering store"
    assert told(Place(candidate=has, ships=False), Scope()) == "does not ship"
    assert told(Place(candidate=has), Scope(outlet_id=2)) == "another outlet was named"
    assert told(Place(candidate=has, paused=True), Scope()) == "is paused"
    grouped = Scope(groups=("east",))
    assert told(Place(candidate=has), grouped) == "is in none of the groups that the rules name"
    assert told(Place(candidate=has, groups=("east",)), grouped) == "has all of it"
    elsewhere = Scope(codes=("O9",))
    assert told(Place(candidate=has), elsewhere) == "is not among the locations of the connection"
    assert (
        told(Place(candidate=has), Scope(), outlet(2, {1: 3})) == "has all of it; O2 was preferred"
    )
    full = outlet(1, {1: 3}, capacity=0)
    assert told(Place(candidate=full), Scope()) == "has as many notes as it takes a day"
    assert told(Place(candidate=outlet(1, {})), Scope()) == "has none of it"
    little = outlet(1, {1: 1})
    assert (
        told(Place(candidate=little), Scope()) == "has 1 of 3 pieces, less than a part must come to"
    )


@pytest.mark.parametrize(
    ("first", "other", "said"),
    [
        ({"city": True}, {}, "O1 is in the receiver's city"),
        ({"province": True}, {}, "O1 is in the receiver's province"),
        ({"priority": 1}, {}, "O1 goes first by priority (1 before 100)"),
        ({"available": {1: 9}}, {}, "O1 has more of it (9 before 3)"),
        ({}, {}, "O1 was preferred"),
    ],
)
def test_why_another_goes_first(first: Any, other: Any, said: str) -> None:
    one = outlet(1, **{"available": {1: 3}, **first})
    two = outlet(2, {1: 3}, **other)
    why = reasons.why_not(Place(candidate=two), {1: 3}, DEFAULT, Scope(), [one], {})
    assert why == f"has all of it; {said}"


def test_of_a_split_note_those_that_ship_are_named() -> None:
    outlets = [outlet(1, {1: 2}), outlet(2, {2: 2})]
    why = reasons.why_not(
        Place(candidate=outlet(3, {1: 1})), {1: 2, 2: 2}, DEFAULT, Scope(), outlets, {}
    )
    assert why == "has 1 of 4 pieces; O1, O2 together are preferred"


def test_a_closed_note_takes_no_further_step() -> None:
    note = Note(id=1, number="FH1", location_id=1)
    assert rules.advance(note, "void")
    assert not rules.advance(note, "finish")
    assert note.state == "void"


def test_a_reason_is_demanded_after_a_day_only_where_it_is_set() -> None:
    now = datetime(2026, 1, 2, tzinfo=UTC)
    note = Note(id=1, number="FH1", location_id=1, created_at=now - timedelta(hours=25))
    assert rules.too_late(note, " ", now, demanded=True)
    assert not rules.too_late(note, "盘点", now, demanded=True)
    assert not rules.too_late(note, "", now, demanded=False)
    assert not rules.too_late(note, "", now - timedelta(hours=2), demanded=True)
    note.created_at = None
    assert not rules.too_late(note, "", now, demanded=True)


def test_a_waybill_that_has_changed_already_changes_nothing() -> None:
    """The same again is known by the number the parcel had before; another target never was."""
    note = Note(id=1, number="FH1", location_id=1)
    note.packages = [Package(id=1, express="YTO", waybill="W2", earlier=["W1"])]
    assert rules.changing(note, "W1", "YTO", "W2") == []
    assert rules.changing(note, "W2", "YTO", "W2") == []
    assert isinstance(rules.changing(note, "W1", "YTO", "W3"), Missing)
    assert rules.changing(note, "W2", "SF", "W3") == note.packages


def note(state: Any = "open", shipped: int = 0, **more: Any) -> Note:
    line = Line(qty=2, shipped=shipped)
    return Note(id=1, number="FH1", location_id=7, state=state, lines={1: line}, **more)


def order(*notes: Note, qty: int = 2, **more: Any) -> Order:
    made: dict[str, Any] = {"id": 1, "number": "N", "connection_id": None, "state": "accepted"}
    return Order(**{**made, **more}, lines={1: qty}, notes=list(notes))


@pytest.mark.parametrize(
    ("one", "state"),
    [
        (order(note(), state="cancelled"), "cancelled"),
        (order(note("refused", onward="parked")), "parked"),
        (order(note()), "accepted"),
        (order(note(shipped=1)), "partly_shipped"),
        (order(note("refused", onward="waiting")), "accepted"),
        (order(note("done", shipped=2), voiding=True), "partly_shipped"),
        (order(note("done", shipped=2)), "shipped"),
        (order(note("done", shipped=2), qty=3), "short"),
        (order(note("refused", onward="lacking")), "oversold"),
        (order(), "oversold"),
    ],
)
def test_an_orders_state_is_what_its_notes_amount_to(one: Order, state: str) -> None:
    assert rules.after(one) == state


def test_a_void_is_decided_once_nothing_is_open_or_something_left() -> None:
    assert rules.void_decided(order(note("done", shipped=2))) is False
    assert rules.void_decided(order(note(keeps=True))) is False
    assert rules.void_decided(order(note())) is None
    assert rules.void_decided(order(note("void"))) is True


def test_outlets_that_refused_or_kept_silent_are_not_asked_again() -> None:
    """One that gave a note up for a void may be."""
    assert rules.refused_by(order(note("refused"))) == {7}
    assert rules.refused_by(order(note("withdrawn"))) == {7}
    assert rules.refused_by(order(note("void"), note(), note("done"))) == set()


def test_a_refusal_counts_while_something_is_open() -> None:
    assert isinstance(rules.refusable(note("done")), Conflict)
    assert rules.refusable(note()) is True
    assert rules.refusable(note("void")) is False


def test_pieces_join_the_parcel_that_goes_under_their_waybill() -> None:
    """Now rather than once."""
    now = Package(id=1, express="SF", waybill="W2", earlier=["W1"])
    once = Package(id=2, express="SF", waybill="W3", earlier=["W2"])
    packed = note(packages=[once, now])
    assert rules.box_for(packed, "W2") is now
    assert rules.box_for(packed, "W1") is now
    assert rules.box_for(packed, "W9") is None


def checked(one: Note, *boxes: tuple[str, ...], **out: str) -> Any:
    """Check parcels W0, W1 … out of pieces a, b (of article 1) and x (of article 2)."""
    pieces = {
        code: Piece(code=code, article_id=article, location_id=7, state="in_stock")
        for code, article in {"a": 1, "b": 1, "c": 1, "x": 2}.items()
    }
    for code in out:
        pieces[code].state = "shipped"
    parcels = [Box(express="SF", waybill=f"W{n}", codes=codes) for n, codes in enumerate(boxes)]
    found = rules.new_codes(one, parcels, pieces)
    return (found.code, found.facts.get("codes")) if isinstance(found, Conflict) else found


def test_what_a_checkout_newly_ships_and_why_it_does_not() -> None:
    """Nothing packed; twice; unknown, out, of other goods, more than asked; a closed note; the same again."""
    assert checked(note()) == ("nothing_packed", None)
    assert checked(note(), ("a",), ()) == ("nothing_packed", None)
    assert checked(note(), ("a",), ("a", "b")) == ("pieces_refused", ["a"])
    assert checked(note(), ("a", "?", "x")) == ("pieces_refused", ["?", "x"])
    assert checked(note(), ("a",), a="out") == ("pieces_refused", ["a"])
    assert checked(note(), ("a", "b", "c")) == ("pieces_refused", ["c"])
    assert checked(note("refused"), ("a",)) == ("note_void", None)
    assert checked(note(), ("a",), ("b",)) == {"W0": ["a"], "W1": ["b"]}
    held = [Package(id=1, express="SF", waybill="W0", codes={"a": 1})]
    assert checked(note("refused", shipped=1, packages=held), ("a",)) == {}
    assert checked(note(shipped=1, packages=held), ("a", "b")) == {"W0": ["b"]}


def test_what_has_not_left_is_the_rest() -> None:
    assert note(shipped=1).rest == {1: 1}
    assert note(shipped=2).rest == {}
    assert order(note(), note("void")).open_notes == [note()]
