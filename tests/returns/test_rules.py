"""What returns give back, whatever is returned in whatever portions."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from entrepot.errors import BadInput, Conflict
from entrepot.money import ZERO
from entrepot.orders.prices import Account, Part
from entrepot.returns import rules
from entrepot.returns.rules import Amounts, Claims, Line, Wanted
from tests.papers.office import exact

ORDERS = 2000


def part(unit: int, qty: int, price: str, gift: int = 0, at: int = 0, kind: str = "袋") -> Part:
    """Return a part of an order."""
    return Part(
        part=at, article_id=unit, product_id=unit * 10, unit_id=unit, qty=qty,
        price=Decimal(price), gift=gift, unit=kind,
    )  # fmt: skip


def order(
    *parts: Part,
    discount: str = "0",
    rebate: str = "0",
    freight: str = "0",
    paid: str | None = None,
) -> Account:
    """Return an order, paid in full unless told otherwise."""
    account = Account(
        order_id=1, number="SA1", state="shipped", customer_id=1, customer_name="", customer_type="",
        customer_parent=0, discount=Decimal(discount), rebate=Decimal(rebate), freight=Decimal(freight),
        paid=ZERO, refunded=ZERO, parts=parts,
    )  # fmt: skip
    return structs.replace(account, paid=account.due if paid is None else Decimal(paid))


def lines(account: Account, *wanted: tuple[int, int, str]) -> list[Line]:
    """Return lines of (unit id, pieces, price)."""
    asked = [Wanted(unit_id=unit, qty=qty, price=Decimal(price)) for unit, qty, price in wanted]
    return rules.matched(account, asked)


def amounts(
    account: Account,
    mine: list[Line],
    claims: Claims | None = None,
    *,
    freight: bool = True,
    deduct: bool = True,
) -> Amounts:
    """Return a return's amounts."""
    known = claims or Claims()
    return rules.amounts(account, mine, known, with_freight=freight, deduct=deduct)


DOCUMENTED = order(
    part(7383, 1, "391", kind="件"), part(184, 1, "21", at=1), discount="20", freight="10"
)


def test_the_document_s_figures_come_out() -> None:
    """412, 20 and 10 give 402 with the freight (DD-58) and 382 without it (DD-53, DD-54)."""
    mine = lines(DOCUMENTED, (7383, 1, "391"), (184, 1, "21"))
    with_freight, without = amounts(DOCUMENTED, mine), amounts(DOCUMENTED, mine, freight=False)
    figures = (with_freight.price, with_freight.discount, with_freight.freight)
    assert figures == exact(412, 20, 10)
    assert (with_freight.total, without.total) == exact(402, 382)
    assert (with_freight.cases, with_freight.loose) == (1, 1)


def test_freight_that_is_not_included_may_be_left_out() -> None:
    """Tenant setting freight_excluded = ignore: neither refunded nor deducted, and not used up."""
    mine = lines(DOCUMENTED, (7383, 1, "391"), (184, 1, "21"))
    found = amounts(DOCUMENTED, mine, freight=False, deduct=False)
    assert (found.total, found.freight) == exact(392, 10)
    assert not found.freight_used


def test_freight_is_used_once() -> None:
    """A second return of the order has none, whether the first refunded or deducted it."""
    first = amounts(DOCUMENTED, lines(DOCUMENTED, (184, 1, "21")), freight=False)
    claims = rules.claimed(Claims(), lines(DOCUMENTED, (184, 1, "21")), first)
    second = amounts(DOCUMENTED, lines(DOCUMENTED, (7383, 1, "391")), claims)
    assert first.freight_used
    assert second.freight == 0
    assert second.total == 391 - (20 - first.discount)


def test_a_cent_of_discount_is_given_once() -> None:
    """Two pieces share a discount of 0.01: the first return takes it, half-up, the last the rest: none."""
    account = order(part(1, 2, "0.50"), discount="0.01")
    one = lines(account, (1, 1, "0.50"))
    first = amounts(account, one)
    second = amounts(account, one, rules.claimed(Claims(), one, first))
    assert [first.discount, second.discount] == [Decimal("0.01"), 0]
    assert [first.total, second.total] == [Decimal("0.49"), Decimal("0.50")]


def test_the_share_goes_by_what_goods_cost_on_the_order_not_by_what_they_give_back() -> None:
    """Half of the goods at a tenth of their price still carry half of the discount."""
    account = order(part(1, 2, "100"), discount="10")
    found = amounts(account, lines(account, (1, 1, "10")))
    assert (found.price, found.discount, found.total) == exact(10, 5, 5)


def test_a_return_never_gives_back_less_than_nothing() -> None:
    """A price below the share of the discount, or below the freight the buyer bears, gives 0."""
    account = order(part(1, 1, "10"), discount="5", freight="8")
    assert amounts(account, lines(account, (1, 1, "1"))).total == 1 - 5 + 8
    assert amounts(account, lines(account, (1, 1, "1")), freight=False).total == 0


def test_a_return_never_gives_back_more_than_was_paid_and_is_left() -> None:
    """What an adjustment refunded before is gone."""
    account = structs.replace(order(part(1, 10, "2")), refunded=Decimal(15))
    assert amounts(account, lines(account, (1, 10, "2"))).total == 5


def test_gifts_give_back_nothing_and_carry_no_share() -> None:
    """GiftFlg 1 and 2: the line's total is 0."""
    account = order(part(1, 2, "32.5"), part(1, 1, "32.5", gift=1, at=1), discount="5")
    gift = rules.matched(account, [Wanted(unit_id=1, qty=1, price=Decimal("32.5"), gift=1)])
    found = amounts(account, gift)
    assert (gift[0].total, found.price, found.discount, found.total) == exact(0, 0, 0, 0)


def test_a_gift_may_be_named_with_no_price() -> None:
    """What cost nothing may be told so."""
    account = order(part(1, 1, "32.5", gift=2))
    asked = Wanted(unit_id=1, qty=1, price=ZERO, gift=2, old_price=ZERO)
    assert rules.matched(account, [asked])[0].old_price == Decimal("32.5")


def test_what_is_left_is_counted_per_part() -> None:
    """Pieces that nothing tells apart are taken from the first part that has some."""
    account = order(part(1, 2, "5"), part(1, 3, "5", at=1), part(1, 1, "5", gift=1, at=2))
    claims = Claims(pieces={(10, 1, 0, Decimal(5)): 3})
    assert rules.left(account, claims) == [0, 2, 1]


def test_repeated_lines_are_counted_together() -> None:
    """Two lines of two pieces are four."""
    account = order(part(1, 3, "5"))
    with pytest.raises(Conflict) as refusal:
        rules.fit(account, lines(account, (1, 2, "5"), (1, 2, "5")), Claims())
    assert (refusal.value.code, refusal.value.facts["line"], refusal.value.facts["most"]) == (
        "too_many", 1, 1,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "code", "at"),
    [
        (Wanted(unit_id=9, qty=1, price=ZERO), "not_on_order", "unit"),
        (Wanted(unit_id=1, product_id=11, qty=1, price=ZERO), "not_on_order", "product"),
        (Wanted(unit_id=1, qty=1, price=ZERO, gift=2), "other_gift", "gift"),
        (Wanted(unit_id=1, qty=1, price=ZERO, old_price=Decimal(4)), "other_price", "old_price"),
        (Wanted(unit_id=1, qty=1, price=Decimal("5.01")), "price_above_order", "price"),
    ],
)
def test_a_line_is_refused_for_what_the_order_does_not_have(
    asked: Wanted, code: str, at: str
) -> None:
    """The refusal says which line, and what of it."""
    account = order(part(1, 3, "5"))
    with pytest.raises((BadInput, Conflict)) as refusal:
        rules.matched(account, [Wanted(unit_id=1, qty=1, price=ZERO), asked])
    assert (refusal.value.code, refusal.value.facts["line"], refusal.value.facts["field"]) == (
        code, 1, at,
    )  # fmt: skip


def test_without_an_old_price_the_lowest_that_allows_the_price_is_meant() -> None:
    """A calculation (DD-58) names none; after an adjustment the same goods may have two."""
    account = order(part(1, 9, "2"), part(1, 1, "1", at=1))
    assert [line.old_price for line in lines(account, (1, 1, "0.5"), (1, 1, "1.5"))] == [1, 2]


def test_another_customer_s_order_and_one_not_shipped_are_refused() -> None:
    """Both say so."""
    account = order(part(1, 1, "1"))
    body = rules.Body(order="SA1", customer_id=1, depot_id=1, with_freight=False, lines=())
    rules.check(account, body)
    with pytest.raises(BadInput, match="another customer"):
        rules.check(account, structs.replace(body, customer_id=2))
    with pytest.raises(Conflict, match="accepted"):
        rules.check(structs.replace(account, state="accepted"), body)


# Whole lives of orders -----------------------------------------------------------------------------

CENTS = st.integers(0, 100_000).map(lambda cents: Decimal(cents) / 100)


@st.composite
def orders(draw: st.DrawFn) -> Account:
    """Draw an order: parts of a few goods, gifts among them, discounts up to its cost, freight."""
    parts = tuple(
        Part(
            part=at,
            article_id=draw(st.integers(1, 3)),
            product_id=10,
            unit_id=draw(st.integers(1, 3)),
            qty=draw(st.integers(1, 6)),
            price=draw(CENTS),
            gift=draw(st.sampled_from((0, 0, 0, 1, 2))),
            unit=draw(st.sampled_from(("件", "袋"))),
        )
        for at in range(draw(st.integers(1, 4)))
    )
    cost = sum((one.cost for one in parts), ZERO)
    reduction = (cost * draw(st.integers(0, 100)) / 100).quantize(Decimal("0.01"))
    rebate = (reduction * draw(st.integers(0, 100)) / 100).quantize(Decimal("0.01"))
    discount = max(ZERO, min(reduction, cost) - rebate)
    return order(*parts, discount=str(discount), rebate=str(rebate), freight=str(draw(CENTS) / 10))


@dataclass
class Life:
    """An order and its returns: what a database would hold of them."""

    account: Account
    drafts: list[list[Line]] = field(default_factory=list)
    running: list[tuple[list[Line], Amounts]] = field(default_factory=list)
    done: list[tuple[list[Line], Amounts]] = field(default_factory=list)

    @property
    def claims(self) -> Claims:
        """What is no draft any more."""
        claims = Claims()
        for mine, taken in self.running + self.done:
            claims = rules.claimed(claims, mine, taken)
        return claims

    def run(self, at: int, *, with_freight: bool) -> None:
        """Run a draft, which may find that its pieces are gone."""
        mine = self.drafts.pop(at % len(self.drafts))
        try:
            rules.fit(self.account, mine, self.claims)
        except Conflict:
            return
        self.running.append((mine, amounts(self.account, mine, self.claims, freight=with_freight)))

    def refuse(self, at: int) -> None:
        """Send a running one back; it is a draft again."""
        self.drafts.append(self.running.pop(at % len(self.running))[0])

    def complete(self, at: int) -> None:
        """Give the money back, at most what is left."""
        mine, taken = self.running.pop(at % len(self.running))
        paid = min(taken.total, self.account.refundable)
        self.account = structs.replace(self.account, refunded=self.account.refunded + paid)
        self.done.append((mine, taken))

    def sound(self) -> None:
        """Check what must hold at every moment."""
        assert all(pieces >= 0 for pieces in rules.left(self.account, self.claims))
        assert ZERO <= self.account.refunded <= self.account.paid
        assert self.claims.discount <= self.account.reduction
        assert all(taken.discount >= 0 for _, taken in self.running + self.done)
        assert sum(taken.freight_used for _, taken in self.running + self.done) <= 1


@given(orders(), st.data())
@settings(max_examples=ORDERS, deadline=None)
def test_whatever_is_returned_in_whatever_portions_the_sums_are_exact(
    account: Account, data: st.DataObject
) -> None:
    """Over thousands of orders: the shares of all returns add up to the order's discount, no more is given
    back than was paid, no part is returned twice.
    """
    life = Life(account)
    for _ in range(data.draw(st.integers(0, 12))):
        at = data.draw(st.integers(0, 20))
        match data.draw(st.sampled_from(("file", "run", "run", "refuse", "complete"))):
            case "file":
                life.drafts.append(_portion(account, data))
            case "run" if life.drafts:
                life.run(at, with_freight=data.draw(st.booleans()))
            case "refuse" if life.running:
                life.refuse(at)
            case "complete" if life.running:
                life.complete(at)
        life.sound()
    life.drafts = [_rest(life)] if any(rules.left(account, life.claims)) else []
    while life.drafts:
        life.run(0, with_freight=True)
        life.sound()
    while life.running:
        life.complete(0)
        life.sound()
    assert not any(rules.left(account, life.claims))
    if account.cost or any(not one.gift for one in account.parts):
        assert life.claims.discount == account.reduction


def _portion(account: Account, data: st.DataObject) -> list[Line]:
    """Draw a return of some pieces, at some of their prices."""
    chosen = data.draw(st.lists(st.sampled_from(account.parts), min_size=1, max_size=3))
    return [
        _line(one, data.draw(st.integers(1, one.qty)), data.draw(st.integers(0, 100)))
        for one in chosen
    ]


def _rest(life: Life) -> list[Line]:
    """Return whatever is left of the order, at its prices."""
    free = rules.left(life.account, life.claims)
    return [
        _line(one, pieces, 100)
        for one, pieces in zip(life.account.parts, free, strict=True)
        if pieces
    ]


def _line(one: Part, qty: int, percent: int) -> Line:
    price = (one.price * percent / 100).quantize(Decimal("0.01"))
    return Line(
        article_id=one.article_id, product_id=one.product_id, unit_id=one.unit_id, qty=qty,
        old_price=one.price, price=price, gift=one.gift, unit=one.unit,
    )  # fmt: skip
