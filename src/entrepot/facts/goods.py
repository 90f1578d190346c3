"""Suites, goods and their specs, told whole whenever they change. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from entrepot.facts.fact import Fact
from entrepot.money import ZERO


class SuitePart(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a suite (组合装明细): how much of which single article, and its share of the price.

    A fixed price is per ``num`` 1, −1 the article's own retail price; ``ratio`` a fraction of what fixed
    prices leave, −1 by amount (num × retail price).
    """

    sku: str
    num: Decimal
    is_fixed_price: bool = False
    fixed_price: Decimal = Decimal(-1)
    ratio: Decimal = Decimal(-1)


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """A suite (组合装) as a whole: an article that is sold as one and reserved and shipped as its parts.

    ``print_mode``: 0 parts, 1 suite and parts, 2 suite; ``large_type``: 0 not bulky, 1 bulky, 2 bulky
    and sent alone.
    """

    sku: str
    name: str
    parts: tuple[SuitePart, ...]
    unit: str = ""
    class_name: str = ""
    brand_name: str = ""
    aux_unit: str = ""
    short_name: str = ""
    barcode: str = ""
    props: tuple[str, ...] = ("",) * 6
    remark: str = ""
    label: str = ""
    print_mode: int = 0
    large_type: int = 0
    weight: Decimal = ZERO
    retail_price: Decimal = ZERO
    wholesale_price: Decimal = ZERO
    member_price: Decimal = ZERO
    market_price: Decimal = ZERO


class Spec(msgspec.Struct, frozen=True, kw_only=True):
    """A single article (单品) as a variant of goods; ``details`` is what a partner says besides."""

    sku: str
    name: str = ""
    code: str = ""
    barcode: str = ""
    unit: str = ""
    pic_url: str = ""
    weight: Decimal = ZERO
    retail_price: Decimal = ZERO
    details: dict[str, Any] = {}


class Goods(msgspec.Struct, frozen=True, kw_only=True):
    """Goods (货品) with some or all of their specs."""

    goods_no: str
    name: str
    specs: tuple[Spec, ...]
    class_name: str = ""
    brand_name: str = ""
    unit: str = ""
    details: dict[str, Any] = {}


class GoodsSaved(Fact, frozen=True, kw_only=True):
    """Goods were made or changed, or became part of a suite that a partner is told; all of their specs."""

    kind = "goods_saved"

    goods: Goods

    def numbers(self) -> tuple[str, ...]:
        """Goods are also found by their specs."""
        return (self.number, *(spec.sku for spec in self.goods.specs))


class SuiteSaved(Fact, frozen=True, kw_only=True):
    """A suite or one of its parts was made or changed; always the whole suite."""

    kind = "suite_saved"

    suite: Suite
