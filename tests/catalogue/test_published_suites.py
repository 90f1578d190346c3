"""What channels see of suites: counted from parts, by location and together, through the rules."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from entrepot import ids
from entrepot.catalogue import flows as catalogue
from entrepot.catalogue import suites, views
from entrepot.catalogue.flows import Listing
from entrepot.courier.levels import _mark
from entrepot.stock import published, rules
from entrepot.stock.published import Channel, NewRule
from entrepot.stock.rules import TOGETHER, PartStock, PublishRule
from tests.catalogue.shop import Shop, bundle

if TYPE_CHECKING:
    from entrepot.stock.rules import Published

stocks = st.dictionaries(st.sampled_from(["HQ", "W2", "W3"]), st.integers(-5, 40))
parts = st.lists(
    st.builds(PartStock, st.decimals(min_value=Decimal("0.1"), max_value=5, places=1), stocks),
    min_size=1,
    max_size=4,
)


@given(parts=parts, drawn=st.none() | st.lists(st.sampled_from(["HQ", "W2", "W3"]), unique=True))
def test_without_rules_a_suite_is_net_per_part_then_the_minimum(
    parts: list[PartStock], drawn: list[str] | None
) -> None:
    """The total is the least over the parts of ⌊pieces there ÷ num⌋; what one place owes, another lacks."""
    seen = rules.publish(rules.counted(parts, [], drawn), [], draws_on=drawn, stores=["HQ"])
    places = {"HQ", "W2", "W3"} if drawn is None else set(drawn)

    def least(codes: set[str]) -> int:
        return min(
            max(int(sum(n for code, n in part.pieces.items() if code in codes) // part.num), 0)
            for part in parts
        )

    assert seen.total == least(places)
    assert seen.by_location == {"HQ": least({"HQ"})}


def test_a_location_with_a_rule_is_counted_by_itself() -> None:
    """What a rule shapes at one location leaves the others together as they are."""
    stock = [
        PartStock(Decimal(1), {"HQ": 3, "W2": 0, "W3": 9}),
        PartStock(Decimal(2), {"HQ": 0, "W2": 8, "W3": 6}),
    ]
    stop = [PublishRule(id=1, location="W3", stop=True)]
    seen = rules.publish(rules.counted(stock, stop, None), stop, draws_on=None, stores=["W3", "HQ"])
    assert (seen.total, seen.by_location) == (3, {"W3": 0, "HQ": 0})
    half = [PublishRule(id=1, ratio=Decimal("0.5"), locations=("W2", "HQ"))]
    steps = rules.explain(rules.counted(stock, half, ("W3",)), half, draws_on=("W3",))
    assert [(step.location, step.published) for step in steps] == [
        ("W2", 0),
        ("HQ", 0),
        (TOGETHER, 3),
        (None, 1),
    ]


async def test_a_changed_part_is_published_with_its_suites(shop: Shop) -> None:
    """A listing of a suite, and a suite with a style number, are marked when a part's stock changes."""
    await shop.articles("A", "B", "C")
    await shop.do(suites.replace, bundle("S", A=1, B="2.5"), bundle("T", C=1))
    connection = ids.new()
    async with shop.db.transaction(shop.tenant_id) as tx:
        await tx.do(
            "INSERT INTO connection (tenant_id, id, name, dialect, role) VALUES ($1, $2, 'c', 'd', 'r')",
            connection,
        )
        await catalogue.add(tx, [catalogue.Article(sku="S", style_no="S1")])
        found = await catalogue.by_sku(tx, ["S", "T", "A", "C"])
        listings = [
            Listing(connection_id=connection, type="t", key=sku, article_id=article)
            for sku, article in found.items()
        ]
        await catalogue.add_listings(tx, listings)
    await marked(shop, connection)
    await shop.count("HQ", A=7, B=10)
    assert await marked(shop, connection) == ["A", "S"]
    await shop.order("o1", S=1)
    assert await marked(shop, connection) == ["A", "S"]
    await shop.one(suites.replace, bundle("T", C=2))
    assert await marked(shop, connection) == ["T"]
    seen = await figures(shop, Channel(connection_id=connection, stores=("HQ", "W2")))
    assert {sku: (p.total, dict(p.by_location)) for sku, p in seen.items()} == {
        "A": (6, {"HQ": 6, "W2": 0}),
        "S": (2, {"HQ": 2, "W2": 0}),
        "T": (0, {"HQ": 0, "W2": 0}),
        "C": (0, {"HQ": 0, "W2": 0}),
    }


async def test_rules_shape_suites_like_any_article(shop: Shop) -> None:
    """A rule for a suite, and its explanation; parts that lie apart count together."""
    await shop.articles("A", "B")
    await shop.count("HQ", A=9)
    await shop.count("W2", A=1, B=4)
    await shop.one(suites.replace, bundle("S", A=2, B=1))
    channel = Channel(connection_id=ids.new())
    async with shop.db.transaction(shop.tenant_id) as tx:
        suite = (await catalogue.by_sku(tx, ["S"]))["S"]
        assert (await published.figures(tx, channel, [suite]))[suite].total == 4
        await published.add_rule(tx, NewRule(sku="S", buffer=1))
        assert (await published.figures(tx, channel, [suite]))[suite].total == 3
        steps = await published.explained(tx, channel, suite)
    assert {(step.location, step.available, step.published) for step in steps} == {
        ("HQ", 0, 0),
        ("W2", 0, 0),
        (TOGETHER, 4, 4),
        (None, 4, 3),
    }


async def test_a_style_that_is_a_suite_has_stock_and_weight(shop: Shop) -> None:
    """A style query shows the suites there are, and what their parts weigh."""
    await shop.articles("A", "B")
    await shop.count("HQ", A=10, B=9)
    await shop.one(suites.replace, bundle("S", A=2, B="0.5"))
    async with shop.db.transaction(shop.tenant_id) as tx:
        await tx.do(
            "UPDATE stock s SET weight = s.on_hand * 2.5 FROM article a"
            " WHERE s.tenant_id = $1 AND a.tenant_id = $1 AND a.id = s.article_id AND a.sku = 'A'"
        )
        await catalogue.add(tx, [catalogue.Article(sku="S", style_no="STYLE", pic_url="p")])
        wanted = views.StylesWanted(channel=Channel(connection_id=1), names=("STYLE",))
        ((style,),) = await views.styles(tx, [wanted])
    assert (style.qty, style.weight, style.pic_url) == (5, Decimal(25), "p")
    (page,) = [p async for p in views.every_style(shop.db, shop.tenant_id, wanted.channel)]
    assert page == [style]


async def marked(shop: Shop, connection: int) -> list[str]:
    """Mark what changed; return and forget the SKUs of listings that are dirty."""
    async with shop.db.transaction(shop.tenant_id) as tx:
        await _mark({"listings": [connection], "styles": [], "articles": []}, tx)
        rows = await tx.rows(
            "WITH gone AS (DELETE FROM level WHERE tenant_id = $1 RETURNING article_id)"
            " SELECT sku FROM gone JOIN article a ON a.tenant_id = $1 AND a.id = article_id ORDER BY 1"
        )
    return [row["sku"] for row in rows]


async def figures(shop: Shop, channel: Channel) -> dict[str, Published]:
    """Return what the channel sees of everything listed, by SKU."""
    async with shop.db.reading(shop.tenant_id) as tx:
        rows = await tx.rows("SELECT key, article_id FROM listing WHERE tenant_id = $1")
        seen = await published.figures(tx, channel, [row["article_id"] for row in rows])
    return {row["key"]: seen[row["article_id"]] for row in rows}
