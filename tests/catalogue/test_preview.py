"""What saving a suite would change is what saving it changes."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from entrepot.catalogue import preview, suites
from entrepot.catalogue.preview import Change, changes
from entrepot.facts import Suite, SuitePart
from tests.catalogue.shop import bundle

if TYPE_CHECKING:
    from tests.catalogue.shop import Shop

nums = st.integers(1, 3).map(Decimal)
parts = st.dictionaries(st.sampled_from("ABC"), st.tuples(nums, st.booleans()), min_size=1)


def suite(held: dict[str, Any], name: str = "s") -> Suite:
    lines = (
        SuitePart(sku=sku, num=num, is_fixed_price=fixed) for sku, (num, fixed) in held.items()
    )
    return Suite(sku="S", name=name, parts=tuple(lines))


@given(parts, parts, st.sampled_from("st"))
def test_nothing_to_tell_means_nothing_changes(
    before: dict[str, Any], after: dict[str, Any], name: str
) -> None:
    """And the other way round, the order of the parts included."""
    old, new = suite(before), suite(after, name)
    found = changes(old, new)
    assert (found.kind == "same") == (old == new) == (not found.fields)
    told = {field.name for field in found.fields}
    assert {f"parts[{sku}]" for sku in before.keys() ^ after.keys()} <= told
    assert ("name" in told) == (name == "t")


async def test_a_preview_is_what_replacing_does(shop: Shop) -> None:
    """Written differently and the same, changed, new, and refused; nothing is written by looking."""
    await shop.articles("A", "B")
    await shop.one(suites.replace, bundle("S", A=1, B="2.5"))
    batch = [
        bundle("S", A="1.0000", B="2.50"),
        bundle("S", B=2),
        bundle("N", A=1),
        bundle("X", Q=1),
    ]
    same, changed, new, refused = await shop.do(preview.preview, *batch)
    assert (same.kind, changed.kind, new.kind) == ("same", "changed", "new")
    assert [(f.name, f.before, f.after) for f in changed.fields] == [
        ("parts[A]", 1, None),
        ("parts[B].num", Decimal("2.5"), 2),
    ]
    assert not isinstance(refused, Change)
    assert await shop.available("S") == (0, "A")
