"""Goods and their specs: saved, adopted, asked for."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from entrepot.catalogue import flows as catalogue
from entrepot.catalogue import goods, suites
from entrepot.errors import Refused
from entrepot.facts import Goods, Spec
from tests.catalogue.shop import Shop, bundle

if TYPE_CHECKING:
    from typing import Any


def tea(*specs: Spec, goods_no: str = "tea", **head: Any) -> Goods:
    """Return goods of these specs."""
    return Goods(goods_no=goods_no, name="Tea", specs=specs, **head)


async def test_goods_make_articles(shop: Shop) -> None:
    """Each spec is an article that can be stocked, priced and put into a suite; the goods' id stays."""
    tin = Spec(sku="tin", name="tin", unit="罐", retail_price=Decimal("12.5"), pic_url="http://p/1")
    number = await shop.one(goods.save, tea(tin, Spec(sku="bag"), unit="袋"))
    rows = await shop.rows(
        "SELECT sku, name, unit, retail_price, number, pic_url FROM article WHERE tenant_id = $1"
        " ORDER BY sku DESC"
    )
    assert [tuple(row.values()) for row in rows] == [  # type: ignore[attr-defined]
        ("tin", "Tea tin", "罐", Decimal("12.5"), 2, "http://p/1"),
        ("bag", "Tea", "袋", Decimal(0), 1, ""),
    ]
    assert await shop.one(goods.save, tea(Spec(sku="tin", code="x"))) == number
    rows = await shop.rows("SELECT count(*) AS n FROM spec WHERE tenant_id = $1")
    assert rows[0]["n"] == 2


async def test_goods_adopt_an_article(shop: Shop) -> None:
    """An article known by other ways keeps its style number, its stock and its small number."""
    async with shop.db.transaction(shop.tenant_id) as tx:
        await catalogue.add(tx, [catalogue.Article(sku="A", style_no="STYLE", details={"k": 1})])
    await shop.one(goods.save, tea(Spec(sku="A")))
    rows = await shop.rows("SELECT style_no, number, details FROM article WHERE tenant_id = $1")
    assert [(r["style_no"], r["number"], r["details"]) for r in rows] == [("STYLE", 1, '{"k": 1}')]


async def test_a_spec_has_one_owner(shop: Shop) -> None:
    """Two goods that claim one spec, in one batch or later: the second is refused and changes nothing."""
    first, second = await shop.do(
        goods.save, tea(Spec(sku="A")), tea(Spec(sku="A"), goods_no="other")
    )
    assert isinstance(first, int)
    assert isinstance(second, Refused)
    (third,) = await shop.do(goods.save, tea(Spec(sku="B"), Spec(sku="A"), goods_no="third"))
    assert third.code == "spec_of_others"
    rows = await shop.rows("SELECT goods_no FROM goods WHERE tenant_id = $1")
    assert [row["goods_no"] for row in rows] == ["tea"]


async def test_races_for_one_number_leave_one_owner(shop: Shop) -> None:
    """Whoever makes a number goods or a suite first keeps it; the other is refused, with nothing stored."""
    await shop.articles("P")
    for at in range(8):
        sku = f"N{at}"
        outcomes = await asyncio.gather(
            shop.one(suites.replace, bundle(sku, P=1)),
            shop.one(goods.save, tea(Spec(sku=sku), goods_no=f"g{at}")),
            shop.one(goods.save, tea(Spec(sku=sku), goods_no=f"h{at}")),
            return_exceptions=True,
        )
        assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 2
        owners = await shop.rows(
            "SELECT a.sku FROM article a LEFT JOIN spec s ON s.tenant_id = $1 AND s.article_id = a.id"
            " WHERE a.tenant_id = $1 AND a.sku = $2 AND (a.kind = 'suite') <> (s.article_id IS NOT NULL)",
            sku,
        )
        assert len(owners) == 1


async def test_balances_are_found_by_what_changed(shop: Shop) -> None:
    """By SKU, location and time of change, oldest change first; reserving counts as a change."""
    await shop.one(goods.save, tea(Spec(sku="A", name="a", weight=Decimal("0.25"))))
    await shop.articles("B")
    await shop.count("HQ", A=10)
    await shop.count("W2", A=4)
    await shop.count("HQ", B=7)
    await shop.order("o1", A=1)
    (page,) = await shop.do(goods.balances, goods.Search())
    rows = [(b.sku, b.location, b.on_hand, b.reserved, b.available) for b in page.balances]
    assert rows == [("A", "W2", 4, 0, 4), ("B", "HQ", 7, 0, 7), ("A", "HQ", 10, 1, 9)]
    assert (page.balances[2].goods_no, page.balances[2].weight) == ("tea", Decimal("0.25"))
    assert (page.balances[1].goods_no, page.balances[1].article_name) == ("", "name of B")
    moment = page.balances[1].changed_at
    questions = [
        (goods.Search(skus=("B",)), 1),
        (goods.Search(skus=()), 0),
        (goods.Search(location="HQ"), 2),
        (goods.Search(since=moment), 2),
        (goods.Search(until=moment - timedelta(microseconds=1)), 1),
        (goods.Search(skus=("A",), location="W2", since=moment), 0),
    ]
    pages = await shop.do(goods.balances, *(question for question, _ in questions))
    assert [found.total for found in pages] == [total for _, total in questions]
    (beyond,) = await shop.do(goods.balances, goods.Search(offset=9))
    assert (beyond.total, beyond.balances) == (3, ())
