"""What an order costs: its priced parts, its discounts, what was paid and given back. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from entrepot.money import ZERO, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence


class Money(Struct, frozen=True, kw_only=True):
    """What a new order says of money: 活动 ``discount``, 返利券 ``rebate``; ``paid`` None: in full."""

    customer_id: int
    discount: Decimal = ZERO
    rebate: Decimal = ZERO
    freight: Decimal = ZERO
    paid: Decimal | None = None


class Part(Struct, frozen=True, kw_only=True):
    """Pieces of one article on an order that cost the same. ``gift`` 1 or 2: they cost nothing."""

    part: int
    article_id: int
    product_id: int
    unit_id: int
    qty: int
    price: Decimal
    gift: int = 0
    name: str = ""
    unit: str = ""
    guige: str = ""
    pno: str = ""
    picture: str = ""

    @property
    def cost(self) -> Decimal:
        """What the customer owes for these pieces, before discounts."""
        return ZERO if self.gift else self.price * self.qty


class Account(Struct, frozen=True, kw_only=True):
    """An order with its money, while its row is locked (or as it was read)."""

    order_id: int
    number: str
    state: str
    customer_id: int
    customer_name: str
    customer_type: str
    customer_parent: int
    discount: Decimal
    rebate: Decimal
    freight: Decimal
    paid: Decimal
    refunded: Decimal
    parts: tuple[Part, ...]

    @property
    def shipped(self) -> bool:
        """All its goods left."""
        return self.state == "shipped"

    @property
    def waiting(self) -> bool:
        """Nothing of it left yet, and it is not cancelled."""
        return self.state in ("accepted", "processed", "parked")

    @property
    def reduction(self) -> Decimal:
        """Both discounts together."""
        return self.discount + self.rebate

    @property
    def cost(self) -> Decimal:
        """What its paid goods cost before discounts and freight."""
        return sum((part.cost for part in self.parts), ZERO)

    @property
    def due(self) -> Decimal:
        """What the customer owes for all of it."""
        return owed(self.cost, self.reduction, self.freight)

    @property
    def refundable(self) -> Decimal:
        """What was paid and not given back yet."""
        return self.paid - self.refunded


class Change(Struct, frozen=True, kw_only=True):
    """Of the pieces at ``price``, ``qty`` get the price ``ask``."""

    product_id: int
    unit_id: int
    price: Decimal
    qty: int
    ask: Decimal


def owed(cost: Decimal, reduction: Decimal, freight: Decimal) -> Decimal:
    """Return what a customer owes, in cents; never below nothing."""
    return max(ZERO, rounded(cost - reduction + freight))


def sold(account: Account, product_id: int, unit_id: int) -> list[Part]:
    """Return the parts of the order that are sold, not given, under these ids."""
    return [
        part
        for part in account.parts
        if (part.product_id, part.unit_id, part.gift) == (product_id, unit_id, 0)
    ]


def repriced(account: Account, changes: Sequence[Change]) -> Account:
    """Return the order with new prices; a part splits where not all of its pieces change.

    What is paid follows what is owed where the order is paid in full: the difference is settled with
    the order, before it ships. The caller has checked that the pieces are there.
    """
    parts = list(account.parts)
    for change in changes:
        parts = _applied(parts, change)
    new = structs.replace(account, parts=tuple(parts))
    if account.paid < account.due:
        return structs.replace(new, paid=min(account.paid, new.due))
    return structs.replace(new, paid=account.paid - account.due + new.due)


def _applied(parts: Sequence[Part], change: Change) -> list[Part]:
    left = change.qty
    found = []
    split: list[Part] = []
    fresh = max(part.part for part in parts) + 1
    for part in parts:
        names = (part.product_id, part.unit_id, part.gift, part.price)
        taken = min(left, part.qty)
        if names != (change.product_id, change.unit_id, 0, change.price) or not taken:
            found.append(part)
            continue
        left -= taken
        if taken == part.qty:
            found.append(structs.replace(part, price=change.ask))
        else:
            found.append(structs.replace(part, qty=part.qty - taken))
            split.append(structs.replace(part, part=fresh, qty=taken, price=change.ask))
    return found + split
