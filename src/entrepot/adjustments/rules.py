"""When an adjustment may be filed, and what it does to its order. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from entrepot.errors import BadInput, Conflict
from entrepot.money import ZERO, rounded
from entrepot.orders.prices import Account, Change, repriced, sold
from entrepot.papers.repeats import Key
from entrepot.people.rules import Actor

if TYPE_CHECKING:
    from collections.abc import Sequence

KIND = "AP"
Variant = Literal["BEFORE", "AFTER"]
Action = Literal["pass", "refuse", "complete", "delete"]

FILED = {"BEFORE": "创建差价单", "AFTER": "创建调价单"}
PASSED = "CPA审核通过"
REFUSED = "审核拒绝：{reason}"
REFUND = "退款流水号为：{serial}"
DELETED = "删除单据"


class Line(Struct, frozen=True, kw_only=True):
    """For ``qty`` pieces of the goods, ``ask`` instead of the order's present ``price``."""

    product_id: int
    unit_id: int
    qty: int
    price: Decimal
    ask: Decimal

    @property
    def balance(self) -> Decimal:
        """What one piece changes by; below 0 where it becomes cheaper."""
        return self.ask - self.price


class NewAdjustment(Struct, frozen=True, kw_only=True):
    """An adjustment to be filed."""

    variant: Variant
    order: str
    customer_id: int
    lines: tuple[Line, ...]
    actor: Actor
    key: Key | None = None


class Act(Struct, frozen=True, kw_only=True):
    """An action on an adjustment; ``reason`` goes with a refusal."""

    number: str
    action: Action
    actor: Actor
    reason: str = ""


class Totals(Struct, frozen=True):
    """Σ price × qty as it is and as asked for; ``balance`` is asked − is."""

    price: Decimal
    ask: Decimal

    @property
    def balance(self) -> Decimal:
        """What the customer owes more (or, below 0, less)."""
        return self.ask - self.price


Named = tuple[int, int, Decimal]
"""(product id, unit id, price): a line of the order, as adjustments split it."""


def named(line: Line) -> Named:
    """Return what a line is about."""
    return line.product_id, line.unit_id, line.price


def totals(lines: Sequence[Line]) -> Totals:
    """Return the totals of an adjustment."""
    return Totals(
        sum((line.price * line.qty for line in lines), ZERO),
        sum((line.ask * line.qty for line in lines), ZERO),
    )


def check(
    new: NewAdjustment, account: Account, already: set[Named], *, allow_raise: bool
) -> list[int]:
    """Return the article of every line of an adjustment that may be filed.

    ``already`` are the lines of the order that another adjustment is open for. Raises Conflict or
    BadInput; those about a line say which (``line``) and what of it (``field``).
    """
    if account.customer_id != new.customer_id:
        raise BadInput(
            "not_of_customer", "The order belongs to another customer.", field="customer"
        )
    fits(new.variant, account)
    seen: set[Named] = set()
    articles = []
    for at, line in enumerate(new.lines):
        if named(line) in seen:
            raise BadInput("line_twice", "The same goods stand there twice.", line=at, field="unit")
        seen.add(named(line))
        articles.append(_article(line, at, account, allow_raise=allow_raise))
        if named(line) in already:
            raise Conflict("line_open", "Another adjustment of it is open.", line=at, field="unit")
    return articles


def fits(variant: str, account: Account) -> None:
    """Refuse an adjustment of a kind that the order's state has no use for."""
    if variant == "BEFORE" and not account.waiting:
        raise Conflict("order_not_waiting", f"The order is {account.state}.", state=account.state)
    if variant == "AFTER" and not account.shipped:
        raise Conflict("order_not_shipped", f"The order is {account.state}.", state=account.state)


def applied(account: Account, lines: Sequence[Line]) -> Account:
    """Return the order at the prices that a passed 差价单 asked for."""
    fits("BEFORE", account)
    changes = []
    for at, line in enumerate(lines):
        _article(line, at, account, allow_raise=True)
        changes.append(
            Change(
                product_id=line.product_id,
                unit_id=line.unit_id,
                price=line.price,
                qty=line.qty,
                ask=line.ask,
            )
        )
    return repriced(account, changes)


def refund(account: Account, lines: Sequence[Line]) -> Decimal:
    """Return what a completed 调价单 gives back: its balance, at most what is left of what was paid."""
    return max(ZERO, min(rounded(-totals(lines).balance), account.refundable))


def _article(line: Line, at: int, account: Account, *, allow_raise: bool) -> int:
    """Return the article a line is about; refuses what is not so on the order."""
    parts = sold(account, line.product_id, line.unit_id)
    if not parts:
        products = {p.product_id for p in account.parts if p.unit_id == line.unit_id}
        field = "product" if products and line.product_id not in products else "unit"
        raise BadInput("not_on_order", "The order sells no such goods.", line=at, field=field)
    there = [part for part in parts if part.price == line.price]
    if not there:
        raise Conflict(
            "other_price", "The order's present price is another.",
            line=at, field="price", price=parts[0].price,
        )  # fmt: skip
    most = sum(part.qty for part in there)
    if line.qty > most:
        raise Conflict("too_many", f"The order has {most}.", line=at, field="qty", most=most)
    if line.ask > line.price and not allow_raise:
        raise Conflict("ask_above_price", "It asks for more than the price.", line=at, field="ask")
    return there[0].article_id
