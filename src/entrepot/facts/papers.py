"""What happens to price adjustments and sales returns, step by step. Pure.

Lines name goods by the order's product and unit ids, as the papers do.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from entrepot.facts.fact import Fact
from entrepot.money import ZERO


class PaperFact(Fact, frozen=True, kw_only=True):
    """A step on a paper: ``number`` is the paper's, ``order`` that of the order it is about."""

    order: str

    def numbers(self) -> tuple[str, ...]:
        """Return the paper's number and the order's."""
        return (self.number, self.order)


class AdjustedLine(msgspec.Struct, frozen=True, kw_only=True):
    """For ``qty`` pieces of the goods, ``ask`` instead of the order's present ``price``."""

    product_id: int
    unit_id: int
    qty: int
    price: Decimal
    ask: Decimal


class ReturnedLine(msgspec.Struct, frozen=True, kw_only=True):
    """Pieces of an order that come back, and what one gives back; ``gift`` 1: nothing."""

    product_id: int
    unit_id: int
    qty: int
    price: Decimal
    gift: int = 0


class AdjustmentFact(PaperFact, frozen=True, kw_only=True):
    """A step on a price adjustment; ``variant``: BEFORE the order shipped (差价单), or AFTER (调价单)."""

    variant: str


class AdjustmentFiled(AdjustmentFact, frozen=True, kw_only=True):
    """A price adjustment was filed and is to be looked at; ``balance`` is what was asked less what is."""

    kind = "adjustment_filed"

    customer_id: int
    balance: Decimal
    lines: tuple[AdjustedLine, ...]


class AdjustmentPassed(AdjustmentFact, frozen=True, kw_only=True):
    """A price adjustment of a shipped order was passed and is to be paid out."""

    kind = "adjustment_passed"


class AdjustmentRefused(AdjustmentFact, frozen=True, kw_only=True):
    """A price adjustment was refused."""

    kind = "adjustment_refused"

    reason: str = ""


class AdjustmentCompleted(AdjustmentFact, frozen=True, kw_only=True):
    """A price adjustment took effect: the order has its prices, or ``refunded`` was given back.

    ``serial`` is the refund's, empty where the order had not shipped.
    """

    kind = "adjustment_completed"

    refunded: Decimal = ZERO
    serial: str = ""


class AdjustmentDeleted(AdjustmentFact, frozen=True, kw_only=True):
    """A refused price adjustment was deleted."""

    kind = "adjustment_deleted"


class SalesReturnFiled(PaperFact, frozen=True, kw_only=True):
    """A sales return was filed as a draft; ``total`` is what it would give back."""

    kind = "sales_return_filed"

    customer_id: int
    depot_id: int
    total: Decimal
    lines: tuple[ReturnedLine, ...]


class SalesReturnEdited(SalesReturnFiled, frozen=True, kw_only=True):
    """A draft of a sales return has new content."""

    kind = "sales_return_edited"


class SalesReturnConfirmed(PaperFact, frozen=True, kw_only=True):
    """A sales return is no draft any more: its pieces are claimed, ``total`` is worked out anew."""

    kind = "sales_return_confirmed"

    total: Decimal


class SalesReturnPassed(PaperFact, frozen=True, kw_only=True):
    """A sales return was passed: its goods may come, its money may be paid out."""

    kind = "sales_return_passed"


class SalesReturnRefused(PaperFact, frozen=True, kw_only=True):
    """A sales return was refused and is a draft again."""

    kind = "sales_return_refused"


class SalesReturnReceived(PaperFact, frozen=True, kw_only=True):
    """The goods of a sales return were signed in at its depot, and lie in stock there."""

    kind = "sales_return_received"

    depot_id: int


class SalesReturnCompleted(PaperFact, frozen=True, kw_only=True):
    """The money of a sales return was given back; ``serial`` is the refund's."""

    kind = "sales_return_completed"

    refunded: Decimal
    serial: str


class SalesReturnDeleted(PaperFact, frozen=True, kw_only=True):
    """A draft of a sales return was deleted."""

    kind = "sales_return_deleted"
