"""What an adjustment's lines come to."""

from __future__ import annotations

from decimal import Decimal

from entrepot.adjustments.rules import Line, totals


def test_a_line_becomes_cheaper_by_its_balance() -> None:
    """Balance = ask − sale, of one piece; the totals are Σ price × pcount."""
    lines = [
        Line(product_id=1, unit_id=1, qty=3, price=Decimal("2.5"), ask=Decimal("1.05")),
        Line(product_id=2, unit_id=2, qty=2, price=Decimal(1), ask=Decimal(4)),
    ]
    assert [line.balance for line in lines] == [Decimal("-1.45"), 3]
    sums = totals(lines)
    assert (sums.price, sums.ask, sums.balance) == (
        Decimal("9.5"),
        Decimal("11.15"),
        Decimal("1.65"),
    )
