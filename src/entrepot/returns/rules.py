"""What may be returned and what it gives back. Pure.

The one rule that gives every figure document 003 publishes (412, 20, 10 → 402 with freight, 382
without): the goods at the return's prices, less the return's share of the order's discounts, plus or
minus the order's freight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from entrepot.errors import BadInput, Conflict
from entrepot.money import ZERO, rounded
from entrepot.orders.prices import Account
from entrepot.papers.repeats import Key
from entrepot.people.rules import Actor

if TYPE_CHECKING:
    from entrepot.orders.prices import Part

KIND = "SR"
CASE = "件"
Action = Literal["run", "pass", "refuse", "receive", "complete", "delete"]

CREATED, EDITED = "创建退货单", "修改退货单"
SAID: Mapping[str, str] = {
    "run": "确认执行",
    "pass": "财务审核通过",
    "refuse": "审核拒绝",
    "receive": "退货签收入库",
    "delete": "删除退货单",
}
REFUND = "退款流水号为：{serial}"

Named = tuple[int, int, int, Decimal]
"""(product id, unit id, gift, price): pieces of an order that nothing tells apart."""


class Wanted(Struct, frozen=True, kw_only=True):
    """A line as asked for. ``product_id`` and ``old_price`` None: whatever the order has."""

    unit_id: int
    qty: int
    price: Decimal
    gift: int = 0
    product_id: int | None = None
    old_price: Decimal | None = None


class Line(Struct, frozen=True, kw_only=True):
    """A line of a return: pieces of an order's part, and what one gives back.

    ``suite``: the article is a 组合装, which lies in stock as its parts.
    """

    article_id: int
    product_id: int
    unit_id: int
    qty: int
    old_price: Decimal
    price: Decimal
    gift: int
    unit: str = ""
    suite: bool = False

    @property
    def named(self) -> Named:
        """What the order calls these pieces."""
        return self.product_id, self.unit_id, self.gift, self.old_price

    @property
    def total(self) -> Decimal:
        """What the line gives back before discounts; nothing for gifts."""
        return ZERO if self.gift else self.price * self.qty


class Body(Struct, frozen=True, kw_only=True):
    """What a return says of itself, when it is filed and when it is edited."""

    order: str
    customer_id: int
    depot_id: int
    with_freight: bool
    lines: tuple[Wanted, ...]
    remark: str = ""
    platform_id: int = 1


class NewReturn(Struct, frozen=True, kw_only=True):
    """A return to be filed as a draft."""

    body: Body
    actor: Actor
    key: Key | None = None


class Edit(Struct, frozen=True, kw_only=True):
    """A draft's new content; its number stays."""

    number: str
    body: Body
    actor: Actor


class Act(Struct, frozen=True, kw_only=True):
    """An action on a return."""

    number: str
    action: Action
    actor: Actor


class Claims(Struct, frozen=True, kw_only=True):
    """What the order's other returns that are not drafts have taken of it."""

    pieces: Mapping[Named, int] = {}
    discount: Decimal = ZERO
    freight: bool = False


class Amounts(Struct, frozen=True, kw_only=True):
    """The money of a return. ``cases`` and ``loose`` count pieces: in case units, and all others."""

    price: Decimal
    discount: Decimal
    freight: Decimal
    total: Decimal
    freight_used: bool
    cases: int
    loose: int


class Draft(Struct, frozen=True, kw_only=True):
    """A return's content, checked against its order, with its amounts."""

    body: Body
    account: Account
    location_id: int
    lines: Sequence[Line]
    amounts: Amounts


def check(account: Account, body: Body) -> None:
    """Refuse a return whose order is another customer's or has not shipped."""
    if account.customer_id != body.customer_id:
        raise BadInput(
            "not_of_customer", "The order belongs to another customer.", field="customer"
        )
    if not account.shipped:
        raise Conflict("order_not_shipped", f"The order is {account.state}.", state=account.state)


def matched(account: Account, wanted: Sequence[Wanted]) -> list[Line]:
    """Return the lines as the order knows them; refuses goods, gift flags and prices it does not have.

    Where the old price is not told, the order's lowest that allows the line's price is meant. Errors
    say which ``line`` and what ``field`` of it.
    """
    return [_matched(account, line, at) for at, line in enumerate(wanted)]


def left(account: Account, claims: Claims) -> list[int]:
    """Return how many pieces of each part of the order may still be returned (``leftPcount``)."""
    taken = dict(claims.pieces)
    found = []
    for part in account.parts:
        gone = min(part.qty, taken.get(_name(part), 0))
        taken[_name(part)] = taken.get(_name(part), 0) - gone
        found.append(part.qty - gone)
    return found


def fit(account: Account, lines: Sequence[Line], claims: Claims) -> None:
    """Refuse lines that ask for more pieces than are left, repeated lines counted together."""
    free: dict[Named, int] = {}
    for part, pieces in zip(account.parts, left(account, claims), strict=True):
        free[_name(part)] = free.get(_name(part), 0) + pieces
    for at, line in enumerate(lines):
        free[line.named] -= line.qty
        if free[line.named] < 0:
            most = free[line.named] + line.qty
            raise Conflict("too_many", f"{most} are left.", line=at, field="qty", most=max(0, most))


def amounts(
    account: Account,
    lines: Sequence[Line],
    claims: Claims,
    *,
    with_freight: bool,
    deduct: bool,
) -> Amounts:
    """Return what a return gives back, given what others have taken.

    ``deduct``: freight that is not refunded is the buyer's to bear (tenant setting
    ``freight_excluded``). The total is never below 0 and never more than was paid and not yet refunded.
    """
    price = sum((line.total for line in lines), ZERO)
    discount = share(account, lines, claims)
    freight = ZERO if claims.freight else account.freight
    if with_freight:
        moved = freight
    else:
        moved = -freight if deduct else ZERO
    total = max(ZERO, min(rounded(price - discount + moved), account.refundable))
    cases = sum(line.qty for line in lines if line.unit == CASE)
    return Amounts(
        price=price,
        discount=discount,
        freight=freight,
        total=total,
        freight_used=moved != 0,
        cases=cases,
        loose=sum(line.qty for line in lines) - cases,
    )


def claimed(claims: Claims, lines: Sequence[Line], taken: Amounts) -> Claims:
    """Return the claims after one more return has left being a draft."""
    pieces = dict(claims.pieces)
    for line in lines:
        pieces[line.named] = pieces.get(line.named, 0) + line.qty
    return Claims(
        pieces=pieces,
        discount=claims.discount + taken.discount,
        freight=claims.freight or taken.freight_used,
    )


def share(account: Account, lines: Sequence[Line], claims: Claims) -> Decimal:
    """Return a return's share of the order's discounts, by what its goods cost on the order.

    Half-up to cents, at most what is not shared out yet; the return that takes the order's last paid
    goods takes all of that, so that the shares of all returns add up to the discount.
    """
    rest = account.reduction - claims.discount
    pieces = sum(part.qty for part in account.parts if not part.gift)
    taken = sum(qty for name, qty in claims.pieces.items() if not name[2])
    mine = sum(line.qty for line in lines if not line.gift)
    if not mine:
        return ZERO
    if taken + mine == pieces:
        return rest
    cost = sum((line.old_price * line.qty for line in lines if not line.gift), ZERO)
    whole = account.cost
    return min(rest, rounded(account.reduction * cost / whole)) if whole else ZERO


def _name(part: Part) -> Named:
    return part.product_id, part.unit_id, part.gift, part.price


def _matched(account: Account, line: Wanted, at: int) -> Line:
    units = [part for part in account.parts if part.unit_id == line.unit_id]
    named = [part for part in units if line.product_id in (None, part.product_id)]
    if not named:
        field = "product" if units else "unit"
        raise BadInput("not_on_order", "The order has no such goods.", line=at, field=field)
    meant = [part for part in named if part.gift == line.gift]
    if not meant:
        raise BadInput("other_gift", "The order's gift flag is another.", line=at, field="gift")
    priced = [part for part in meant if _priced(part, line)]
    if not priced:
        raise Conflict(
            "other_price", "The order's price is another.",
            line=at, field="old_price", price=meant[0].price,
        )  # fmt: skip
    allowed = [part for part in priced if line.price <= part.price]
    if not allowed:
        raise Conflict(
            "price_above_order", "It gives back more than was paid.", line=at, field="price"
        )
    part = min(allowed, key=lambda part: part.price)
    return Line(
        article_id=part.article_id,
        product_id=part.product_id,
        unit_id=part.unit_id,
        qty=line.qty,
        old_price=part.price,
        price=line.price,
        gift=part.gift,
        unit=part.unit,
    )


def _priced(part: Part, line: Wanted) -> bool:
    """Tell whether a line names the part's price; of a gift, 0 is as good."""
    return line.old_price in (None, part.price) or (bool(part.gift) and line.old_price == 0)
