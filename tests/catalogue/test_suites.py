"""Suites in the database: replaced as a whole, told once, reserved and shipped as their parts."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec import structs

from entrepot.catalogue import flows as catalogue
from entrepot.catalogue import goods, suites
from entrepot.errors import Conflict, Refused
from entrepot.facts import Goods, GoodsSaved, Spec, SuitePart, SuiteSaved
from entrepot.orders import flows as orders
from tests.catalogue.shop import Shop, bundle

if TYPE_CHECKING:
    from entrepot.facts import Suite

FULL: dict[str, Any] = {
    "unit": "盒",
    "class_name": "礼盒",
    "brand_name": "东方",
    "aux_unit": "箱",
    "short_name": "礼",
    "barcode": "69",
    "props": ("1", "2", "3", "4", "5", "6"),
    "remark": "备注",
    "label": "热卖",
    "print_mode": 2,
    "large_type": 1,
    "weight": Decimal("0.5"),
    "retail_price": Decimal("99.9"),
    "wholesale_price": Decimal(80),
    "member_price": Decimal(90),
    "market_price": Decimal("120.0001"),
}


async def parts(shop: Shop, sku: str) -> list[tuple[str, str]]:
    """Return a suite's parts as (SKU, number)."""
    async with shop.db.reading(shop.tenant_id) as tx:
        shown = await suites.named(tx, sku)
    return [(part.sku, f"{part.num.normalize():f}") for part in shown.parts]


async def test_a_suite_is_replaced_as_a_whole(shop: Shop) -> None:
    """A part left out is gone, a head field left out is back at its default, the number stays."""
    await shop.articles("A", "B", "C")
    await shop.do(suites.add_labels, "热卖")
    first = structs.replace(bundle("S", A=1, B=2), **FULL)
    number = await shop.one(suites.replace, first)
    async with shop.db.reading(shop.tenant_id) as tx:
        shown = await suites.named(tx, "S")
    assert structs.replace(shown.suite, parts=first.parts) == first
    assert await shop.one(suites.replace, bundle("S", C="0.5", B=3)) == number
    assert await parts(shop, "S") == [("C", "0.5"), ("B", "3")]
    async with shop.db.reading(shop.tenant_id) as tx:
        shown = await suites.named(tx, "S")
    assert structs.replace(shown.suite, parts=()) == structs.replace(bundle("S"), parts=())


async def test_suites_and_articles_share_small_numbers(shop: Shop) -> None:
    """Every article and suite of a tenant has a small number of its own."""
    await shop.articles("A", "B")
    made = await shop.do(suites.replace, bundle("S", A=1), bundle("T", B=1))
    rows = await shop.rows("SELECT number FROM article WHERE tenant_id = $1 ORDER BY sku")
    assert sorted(row["number"] for row in rows) == [1, 2, 3, 4]
    assert made == [3, 4]


async def test_a_label_that_does_not_exist_becomes_none(shop: Shop) -> None:
    """The suite loses the label it had."""
    await shop.articles("A")
    await shop.do(suites.add_labels, "热卖")
    suite = structs.replace(bundle("S", A=1), print_mode=2, label="热卖")
    await shop.one(suites.replace, suite)
    await shop.one(suites.replace, structs.replace(suite, label="222222"))
    async with shop.db.reading(shop.tenant_id) as tx:
        assert (await suites.named(tx, "S")).suite.label == ""
        assert await suites.labels(tx) == ["热卖"]


async def test_a_refused_suite_changes_nothing(shop: Shop) -> None:
    """An unknown part, a suite as a part: the suite stays as it was, its neighbours in the batch go on."""
    await shop.articles("A")
    await shop.one(suites.replace, bundle("S", A=1))
    outcomes = await shop.do(
        suites.replace, bundle("S", A=1, aaaaa=1), bundle("T", A=2), bundle("U", S=1)
    )
    assert [getattr(outcome, "code", "") for outcome in outcomes] == [
        "unknown_parts",
        "",
        "suite_as_part",
    ]
    assert await parts(shop, "S") == [("A", "1")]
    assert await parts(shop, "T") == [("A", "2")]


async def test_the_last_of_two_at_the_same_moment_counts(shop: Shop) -> None:
    """Both are answered with the one number."""
    await shop.articles("A", "B")
    first, second = await shop.do(suites.replace, bundle("S", A=1), bundle("S", B=2))
    assert first == second
    assert await parts(shop, "S") == [("B", "2")]


async def test_two_servers_make_one_suite(shop: Shop) -> None:
    """Of two transactions that create a suite at once, each leaves it whole: one of both, never a mixture."""
    await shop.articles("A", "B", "C")
    for round_ in range(10):
        sku = f"S{round_}"
        numbers = await asyncio.gather(
            shop.one(suites.replace, bundle(sku, A=1, C=1)),
            shop.one(suites.replace, bundle(sku, B=2)),
        )
        assert len(set(numbers)) == 1
        assert await parts(shop, sku) in ([("A", "1"), ("C", "1")], [("B", "2")])


async def test_what_did_not_change_is_not_told(shop: Shop) -> None:
    """Partners are told the whole suite when it changes, its new parts' goods ahead of it."""
    shop.listeners = {SuiteSaved.kind: [5], GoodsSaved.kind: [5]}
    await shop.articles("A", "B")
    await shop.one(suites.replace, bundle("S", A=1))
    assert await told(shop) == ["goods_saved A", "suite_saved S"]
    await shop.one(suites.replace, bundle("S", A=1))
    assert await told(shop) == []
    await shop.one(suites.replace, bundle("S", A=2, B=1))
    assert await told(shop) == ["goods_saved B", "suite_saved S"]


async def test_a_changed_part_tells_its_suites(shop: Shop) -> None:
    """A part's name, price or goods change: every suite that contains it is told again, whole."""
    await shop.articles("A", "B", "C")
    await shop.do(suites.replace, bundle("S", A=1, B=1), bundle("T", C=1))
    shop.listeners = {SuiteSaved.kind: [5], GoodsSaved.kind: [5]}
    await shop.articles(A="9.99")
    assert await told(shop) == ["suite_saved S"]
    await shop.articles("B", "C")
    assert await told(shop) == []
    tea = Goods(goods_no="tea", name="tea", specs=(Spec(sku="C", name="tin"), Spec(sku="D")))
    await shop.one(goods.save, tea)
    assert await told(shop) == ["goods_saved tea", "suite_saved T"]
    await shop.one(goods.save, tea)
    assert await told(shop) == []
    payload = msgspec.json.decode(await last_payload(shop), type=SuiteSaved)
    assert [part.sku for part in payload.suite.parts] == ["C"]


async def told(shop: Shop) -> list[str]:
    """Return and forget what was announced, in order."""
    rows = await shop.rows("SELECT kind, document FROM delivery WHERE tenant_id = $1 ORDER BY id")
    shop.db.seal = bytes
    async with shop.db.transaction(shop.tenant_id) as tx:
        await tx.do(
            "UPDATE delivery SET kind = 'seen-' || kind WHERE tenant_id = $1 AND kind NOT LIKE 'seen%'"
        )
    return [f"{r['kind']} {r['document']}" for r in rows if not r["kind"].startswith("seen-")]


async def last_payload(shop: Shop) -> bytes:
    """Return the newest announcement as stored."""
    rows = await shop.rows(
        "SELECT payload FROM delivery WHERE tenant_id = $1 AND kind = 'seen-suite_saved'"
        " ORDER BY id DESC LIMIT 1"
    )
    payload: bytes = rows[0]["payload"]
    return payload


async def test_suites_are_found_by_what_they_are_and_contain(shop: Shop) -> None:
    """By number, name, class, brand, barcode, part, goods and time of change; pages know the total."""
    await shop.articles("A", "B")
    await shop.one(goods.save, Goods(goods_no="G", name="G", specs=(Spec(sku="A"),)))
    rich = structs.replace(bundle("S", A=1), class_name="c", brand_name="b", barcode="69")
    await shop.one(suites.replace, rich)
    await shop.one(suites.replace, bundle("T", B=1))
    (whole,) = await shop.do(suites.search, suites.Search())
    assert [found.suite.sku for found in whole.suites] == ["S", "T"]
    moment = whole.suites[1].changed_at
    questions = [
        (suites.Search(sku="S"), ["S"]),
        (suites.Search(name="T"), ["T"]),
        (suites.Search(class_name="c"), ["S"]),
        (suites.Search(brand_name="b"), ["S"]),
        (suites.Search(barcode="69"), ["S"]),
        (suites.Search(part="B"), ["T"]),
        (suites.Search(goods_no="G"), ["S"]),
        (suites.Search(since=moment), ["T"]),
        (suites.Search(until=whole.suites[0].changed_at), ["S"]),
        (suites.Search(sku="X"), []),
    ]
    pages = await shop.do(suites.search, *(question for question, _ in questions))
    for page, (_, wanted) in zip(pages, questions, strict=True):
        assert [found.suite.sku for found in page.suites] == wanted
        assert page.total == len(wanted)
    (second, beyond) = await shop.do(
        suites.search, suites.Search(limit=1, offset=1), suites.Search(limit=1, offset=5)
    )
    assert (second.total, [s.suite.sku for s in second.suites]) == (2, ["T"])
    assert (beyond.total, beyond.suites) == (2, ())


async def test_a_split_is_previewed(shop: Shop) -> None:
    """The preview names each part, how much of it one suite holds, and what of the price falls on it."""
    await shop.articles(A="5", B="12.5")
    suite: Suite = structs.replace(
        bundle("S"),
        parts=(
            SuitePart(sku="A", num=Decimal(1), is_fixed_price=True, fixed_price=Decimal(-1)),
            SuitePart(sku="B", num=Decimal(10)),
        ),
    )
    await shop.one(suites.replace, suite)
    async with shop.db.reading(shop.tenant_id) as tx:
        shares = await suites.split(tx, "S", Decimal(100))
        assert [(s.sku, int(s.qty), str(s.amount)) for s in shares] == [
            ("A", 1, "5.00"),
            ("B", 10, "95.00"),
        ]
        with pytest.raises(Refused, match="no suite X"):
            await suites.split(tx, "X", Decimal(1))
        with pytest.raises(Refused, match="no suite A"):
            await suites.named(tx, "A")


async def test_an_order_of_suites_takes_their_parts(shop: Shop) -> None:
    """Reserved per part under the line's number, freed when cancelled, out of stock when shipped."""
    await shop.articles("A", "B", "C")
    await shop.count("HQ", A=10, B=10, C=10)
    await shop.do(suites.replace, bundle("S", A=1, B="2.5"), bundle("T", A=3))
    await shop.order_lines("o1", [("S", 1), ("C", 2), ("T", 1), ("A", 1), ("S", 1)])
    rows = await shop.rows(
        "SELECT r.line, a.sku, r.qty FROM reservation r"
        " JOIN article a ON a.tenant_id = r.tenant_id AND a.id = r.article_id"
        " WHERE r.tenant_id = $1 ORDER BY r.line, a.sku"
    )
    taken = [(row["line"], row["sku"], row["qty"]) for row in rows]
    assert taken == [
        *[(0, "A", 1), (0, "B", 3), (1, "C", 2), (2, "A", 3), (3, "A", 1)],
        *[(4, "A", 1), (4, "B", 3)],
    ]
    assert await shop.balances() == {"A": (10, 6), "B": (10, 6), "C": (10, 2)}
    assert await shop.available("S") == (1, "B")
    assert await shop.available("T") == (1, "A")
    await shop.order("o2", S=1)
    await shop.step(orders.cancel, "o2")
    await shop.step(orders.ship, "o1")
    assert await shop.balances() == {"A": (4, 0), "B": (4, 0), "C": (8, 0)}


async def test_a_suite_lacking_a_part_is_not_shipped(shop: Shop) -> None:
    """Orders may wait for goods; what physically lies there is never overdrawn."""
    await shop.articles("A", "B")
    await shop.count("HQ", A=10, B=1)
    await shop.one(suites.replace, bundle("S", A=1, B=1))
    await shop.order("o1", S=2)
    with pytest.raises(Conflict, match="not enough pieces"):
        await shop.step(orders.ship, "o1")
    assert await shop.balances() == {"A": (10, 2), "B": (1, 2)}
    assert await shop.available("S") == (0, "B")


async def test_a_suite_has_no_stock_of_its_own(shop: Shop) -> None:
    """What is counted or stated is counted of its parts; a stocktake of a suite is refused."""
    await shop.articles("A")
    await shop.one(suites.replace, bundle("S", A=1))
    with pytest.raises(Conflict, match="suite"):
        await shop.count("HQ", S=5)
    assert await shop.balances() == {}


async def test_parts_may_lie_apart(shop: Shop) -> None:
    """Net is counted over all locations the connection may draw on."""
    await shop.articles("A", "B")
    await shop.count("HQ", A=3)
    await shop.count("W2", B=5)
    await shop.one(suites.replace, bundle("S", A=1, B=1))
    assert await shop.available("S") == (3, "A")
    assert await shop.available("S", "HQ") == (0, "B")
    assert await shop.available("S", "HQ", "W2") == (3, "A")


async def test_an_order_of_more_than_can_be_counted_is_refused(shop: Shop) -> None:
    """A part count times a quantity beyond 999,999,999 pieces is an answer, not a failure."""
    await shop.articles("A")
    await shop.one(suites.replace, bundle("S", A="999999999999999"))
    with pytest.raises(Refused, match="more than can be counted"):
        await shop.order("o1", S=999_999_999)
    assert await shop.rows("SELECT FROM intake WHERE tenant_id = $1") == []


async def test_an_article_keeps_being_a_suite(shop: Shop) -> None:
    """An import that names a suite gives it a style number, and leaves kind and parts."""
    await shop.articles("A")
    await shop.one(suites.replace, bundle("S", A=2))
    async with shop.db.transaction(shop.tenant_id) as tx:
        await catalogue.add(tx, [catalogue.Article(sku="S", style_no="STYLE")])
        found = await catalogue.found_by_style(tx, ["STYLE"])
    assert found["STYLE"].kind == "suite"
    assert await parts(shop, "S") == [("A", "2")]
