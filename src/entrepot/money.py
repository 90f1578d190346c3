"""Exact amounts: money, prices and weights are Decimal inside and plain JSON numbers outside.

There is one rounding rule in the whole program, half-up, and it lives here.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ZERO = Decimal(0)
CENT = Decimal("0.01")
GRAM4 = Decimal("0.0001")


def rounded(amount: Decimal, step: Decimal = CENT) -> Decimal:
    """Round half-up to a multiple of ``step`` (0.01 for money, 0.0001 for weights)."""
    return amount.quantize(step, rounding=ROUND_HALF_UP)


def plain(amount: Decimal) -> Decimal:
    """Return the same number without trailing zeros or exponent: 402.00 → 402, 32.50 → 32.5."""
    if amount == amount.to_integral_value():
        return amount.quantize(Decimal(1)) + ZERO if amount else ZERO
    return amount.normalize()


def share(total: Decimal, weights: Sequence[Decimal], step: Decimal = CENT) -> list[Decimal]:
    """Split ``total`` (not negative) by ``weights``: the parts add up to it exactly, none is below 0.

    The last part with a weight takes what rounding leaves. Weights that sum to zero split evenly; an
    empty sequence gives an empty list.
    """
    if not any(weights):
        weights = [Decimal(1)] * len(weights)
    whole = sum(weights, ZERO)
    last = max((at for at, weight in enumerate(weights) if weight), default=-1)
    parts: list[Decimal] = []
    left = total
    for at, weight in enumerate(weights):
        part = left if at == last else min(rounded(total * weight / whole, step), left)
        parts.append(part)
        left -= part
    return parts
