"""What orders do, on a real database: taken in once, reserved whole, moved on, freed."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from entrepot.db import Database
from entrepot.dialect import Settings
from entrepot.errors import BadInput, Conflict, Missing, Refused
from entrepot.facts import GoodsSaved
from entrepot.orders import flows as orders
from entrepot.orders.rules import NewOrder, Placed, StepBy
from entrepot.orders.views import show
from entrepot.stock import flows as stock
from entrepot.together import Together

if TYPE_CHECKING:
    from tests.orders.conftest import Jeweller


async def test_an_order_reserves_all_of_its_pieces(shop: Jeweller) -> None:
    placed = await shop.one(orders.place, shop.order_of("N1", {"A": 3}))
    assert placed.number == "N1"
    assert (await shop.balances())["A"] == (10, 3)
    assert await shop.state("N1") == "accepted"


async def test_an_order_beyond_stock_is_taken_and_reserved_whole(shop: Jeweller) -> None:
    """Goods are made to order; the place that lacks least waits for them."""
    await shop.one(orders.place, shop.order_of("N1", {"A": 25, "B": 4}))
    assert await shop.balances() == {"A": (10, 25), "B": (0, 4)}
    assert not await shop.unproven()


async def test_an_order_is_written_the_same_whether_its_place_is_certain_or_chosen(
    shop: Jeweller,
) -> None:
    """Goods in one place are written by one statement alone; those in two need a decision under lock."""
    await shop.styles(C=5)
    article = (await shop.rows("SELECT id FROM article WHERE tenant_id = $1 AND sku = 'C'"))[0][
        "id"
    ]
    async with shop.db.transaction(shop.tenant_id) as tx:
        places = await stock.locations(tx, ["W2"])
        await stock.lock(tx, [(article, places["W2"])])
    batch = [shop.order_of("N1", {"A": 2, "B": 1}), shop.order_of("N2", {"C": 2, "B": 1})]
    for new in batch:
        await shop.one(orders.place, new)
    written = {}
    for number in ("N1", "N2"):
        async with shop.db.reading(shop.tenant_id) as tx:
            shown = await show(tx, number)
        rows = await shop.rows(
            "SELECT r.line, l.code, r.qty, r.state FROM reservation r"
            " JOIN location l ON l.tenant_id = $1 AND l.id = r.location_id"
            " JOIN sales_order o ON o.tenant_id = $1 AND o.id = r.document_id"
            " WHERE r.tenant_id = $1 AND o.number = $2 ORDER BY r.line",
            number,
        )
        log = [(entry.who, entry.what) for entry in shown.log]
        written[number] = (shown.state, len(shown.lines), log, [tuple(row.items()) for row in rows])
    assert written["N1"] == written["N2"]
    assert await shop.balances() == {"A": (10, 2), "B": (0, 2), "C": (5, 2)}
    assert not await shop.unproven()


async def test_the_same_style_on_two_lines_is_two_lines(shop: Jeweller) -> None:
    new = shop.order_of("N1", {"A": 3})
    await shop.one(orders.place, replace(new, lines=new.lines * 2))
    async with shop.db.reading(shop.tenant_id) as tx:
        shown = await show(tx, "N1")
    assert [(line.sku, line.qty) for line in shown.lines] == [("A", 3), ("A", 3)]
    assert (await shop.balances())["A"] == (10, 6)


async def test_every_unknown_style_is_named_and_nothing_is_stored(shop: Jeweller) -> None:
    new = shop.order_of("N1", {"X": 1, "A": 1, "Y": 2})
    with pytest.raises(BadInput) as caught:
        await shop.one(orders.place, new)
    assert (caught.value.code, caught.value.path) == ("unknown_goods", "lines[0].style")
    assert caught.value.facts["names"] == ["X", "Y"]
    assert (await shop.balances())["A"] == (10, 0)
    await shop.one(orders.place, shop.order_of("N1", {"A": 1}))


async def test_an_unknown_style_is_created_where_the_policy_lets_it_in(shop: Jeweller) -> None:
    """An article that has the number as its SKU becomes the style, and keeps its name."""
    await shop.articles("X")
    await shop.one(orders.place, shop.order_of("N1", {"X": 1, "Y": 2}, create_unknown=True))
    rows = await shop.rows("SELECT sku, style_no, name FROM article WHERE tenant_id = $1")
    named = {row["sku"]: (row["style_no"], row["name"]) for row in rows}
    assert (named["X"], named["Y"]) == (("X", "name of X"), ("Y", ""))


async def test_who_overhears_goods_is_told_of_styles_an_order_brought(shop: Jeweller) -> None:
    shop.db.overhearers = lambda _tenant, kind: [7] if kind in ("", GoodsSaved.kind) else []
    try:
        await shop.one(orders.place, shop.order_of("N1", {"A": 1, "Y": 2}, create_unknown=True))
    finally:
        shop.db.overhearers = lambda _tenant, _kind: []
    assert await shop.told() == [("goods_saved", "Y")]


async def test_a_number_is_taken_once_per_connection(shop: Jeweller) -> None:
    first = shop.order_of("N1", {"A": 1})
    await shop.one(orders.place, first)
    for again in (first, shop.order_of("N1", {"B": 9})):
        with pytest.raises(Conflict, match="N1") as caught:
            await shop.one(orders.place, again)
        assert caught.value.code == "order_exists"
    elsewhere = replace(first, partner=replace(shop.partner, id=shop.partner.id + 1))
    await shop.one(orders.place, elsewhere)
    assert (await shop.balances())["A"] == (10, 2)


async def test_a_known_number_is_known_whatever_its_connection_draws_on_now(shop: Jeweller) -> None:
    new = shop.order_of("N1", {"A": 1})
    await shop.one(orders.place, new)
    lost = replace(shop.partner, settings=Settings(locations=("GONE",)))
    with pytest.raises(Conflict) as caught:
        await shop.one(orders.place, replace(new, partner=lost))
    assert caught.value.code == "order_exists"
    with pytest.raises(Missing) as absent:
        await shop.one(orders.place, shop.order_of("N2", {"A": 1}, partner=lost))
    assert absent.value.code == "unknown_location"


async def test_a_cancelled_number_stays_taken(shop: Jeweller) -> None:
    """Also where the same content again would be a success."""
    new = shop.order_of("N1", {"A": 1}, same_again=True)
    placed = await shop.one(orders.place, new)
    assert await shop.one(orders.place, new) == replace(placed, again=True)
    await shop.one(orders.cancel, shop.by("N1"))
    with pytest.raises(Conflict):
        await shop.one(orders.place, new)


async def test_one_batch_answers_each_order_for_itself(shop: Jeweller) -> None:
    """A good one, its repeat, one with unknown goods, and a good one: in one transaction."""
    good, other = shop.order_of("N1", {"A": 1}), shop.order_of("N2", {"A": 2})
    batch = (good, shop.order_of("N1", {"A": 1}), shop.order_of("N3", {"X": 1}), other)
    outcomes = await shop.do(orders.place, *batch)
    assert [type(outcome) for outcome in outcomes] == [Placed, Conflict, BadInput, Placed]
    assert (await shop.balances())["A"] == (10, 3)


async def test_an_order_draws_on_the_connections_locations_in_their_order(shop: Jeweller) -> None:
    """The first that has it all; else the one that lacks least."""
    await shop.count("W2", A=5)
    drawing = replace(shop.partner, settings=Settings(locations=("W2", "HQ")))
    for number, qty in (("N1", 4), ("N2", 4), ("N3", 99)):
        await shop.one(orders.place, shop.order_of(number, {"A": qty}, partner=drawing))
    rows = await shop.rows(
        "SELECT l.code, s.reserved FROM stock s JOIN location l ON l.tenant_id = $1 AND l.id = s.location_id"
        " JOIN article a ON a.tenant_id = $1 AND a.id = s.article_id"
        " WHERE s.tenant_id = $1 AND a.sku = 'A'"
    )
    assert {row["code"]: row["reserved"] for row in rows} == {"W2": 4, "HQ": 4 + 99}


async def test_shipping_takes_the_pieces_and_their_weight(shop: Jeweller) -> None:
    await shop.one(orders.place, shop.order_of("N1", {"A": 4}))
    await shop.one(orders.ship, shop.by("N1"))
    assert (await shop.balances())["A"] == (6, 0)
    (row,) = await shop.rows(
        "SELECT s.weight FROM stock s JOIN article a ON a.tenant_id = $1 AND a.id = s.article_id"
        " WHERE s.tenant_id = $1 AND a.sku = 'A'"
    )
    assert row["weight"] == 15
    assert not await shop.unproven()


async def test_what_does_not_lie_there_cannot_be_shipped(shop: Jeweller) -> None:
    """The order stays as it is, all of it."""
    await shop.one(orders.place, shop.order_of("N1", {"A": 4, "B": 1}))
    with pytest.raises(Conflict) as caught:
        await shop.one(orders.ship, shop.by("N1"))
    assert caught.value.code == "not_on_hand"
    assert await shop.state("N1") == "accepted"
    assert await shop.balances() == {"A": (10, 4), "B": (0, 1)}


async def test_of_two_orders_shipped_together_the_first_gets_the_last_pieces(
    shop: Jeweller,
) -> None:
    for number in ("N1", "N2"):
        await shop.one(orders.place, shop.order_of(number, {"A": 6}))
    first, second = await shop.do(orders.ship, shop.by("N1"), shop.by("N2"))
    assert not isinstance(first, Refused)
    assert isinstance(second, Conflict)
    assert (await shop.balances())["A"] == (4, 6)
    assert not await shop.unproven()


async def test_a_partner_may_ship_what_we_did_not_know_it_had(shop: Jeweller) -> None:
    """Stock that mirrors a partner's is brought up to what left it."""
    await shop.one(orders.place, shop.order_of("N1", {"A": 12, "B": 1}))
    await shop.one(orders.ship_elsewhere, shop.by("N1"))
    assert await shop.balances() == {"A": (0, 0), "B": (0, 0)}
    assert await shop.state("N1") == "shipped"
    assert not await shop.unproven()


async def test_cancelling_frees_the_pieces_once_and_keeps_the_remark(shop: Jeweller) -> None:
    await shop.one(orders.place, shop.order_of("N1", {"A": 4}))
    for _ in range(2):
        await shop.one(orders.cancel, shop.by("N1", "不要了"))
    assert (await shop.balances())["A"] == (10, 0)
    async with shop.db.reading(shop.tenant_id) as tx:
        shown = await show(tx, "N1")
    assert [entry.what for entry in shown.log] == ["accepted", "cancelled: 不要了"]


async def test_a_shipped_order_cannot_be_cancelled_nor_a_cancelled_one_shipped(
    shop: Jeweller,
) -> None:
    for number, done, refused in (
        ("N1", orders.ship, orders.cancel),
        ("N2", orders.cancel, orders.ship),
    ):
        await shop.one(orders.place, shop.order_of(number, {"A": 1}))
        await shop.one(done, shop.by(number))
        with pytest.raises(Conflict) as caught:
            await shop.one(refused, shop.by(number))
        assert caught.value.code == f"order_{await shop.state(number)}"


async def test_a_partner_cannot_touch_another_ones_order(shop: Jeweller) -> None:
    """Nor is it told whether there is one."""
    await shop.one(orders.place, shop.order_of("N1", {"A": 1}))
    stranger = replace(shop.by("N1"), connection_id=shop.partner.id + 1)
    with pytest.raises(Missing) as caught:
        await shop.one(orders.cancel, stranger)
    assert caught.value.code == "unknown_order"


async def test_an_operator_must_say_which_of_two_orders_with_one_number(shop: Jeweller) -> None:
    await shop.one(orders.place, shop.order_of("N1", {"A": 1}))
    await shop.order("N1", A=1)
    with pytest.raises(Conflict) as caught:
        await shop.one(orders.ship, StepBy(number="N1", who="operator"))
    assert caught.value.code == "ambiguous_order"


async def test_partners_are_told_each_step_once_and_in_order(shop: Jeweller) -> None:
    shop.listeners = {kind: [shop.partner.id] for kind in ("order_processed", "order_shipped")}
    await shop.one(orders.place, shop.order_of("N1", {"A": 1}))
    for flow in (orders.process, orders.process, orders.ship, orders.process, orders.ship):
        await shop.one(flow, shop.by("N1"))
    assert await shop.told() == [("order_processed", "N1"), ("order_shipped", "N1")]


async def test_shipped_without_being_processed_is_told_alone(shop: Jeweller) -> None:
    shop.listeners = {kind: [shop.partner.id] for kind in ("order_processed", "order_shipped")}
    await shop.one(orders.place, shop.order_of("N1", {"A": 1}))
    await shop.one(orders.ship, shop.by("N1"))
    assert await shop.told() == [("order_shipped", "N1")]


async def test_an_order_may_be_processed_by_rule_as_it_comes_in(shop: Jeweller) -> None:
    shop.listeners = {"order_processed": [shop.partner.id]}
    await shop.one(orders.place, shop.order_of("N1", {"A": 1}, auto_process=True))
    assert await shop.state("N1") == "processed"
    assert await shop.told() == [("order_processed", "N1")]


async def test_who_fulfils_an_order_of_ours_is_told_of_it_and_of_its_end(shop: Jeweller) -> None:
    shop.listeners = {kind: [shop.partner.id] for kind in ("order_placed", "order_cancelled")}
    await shop.one(orders.place, shop.order_of("N1", {"A": 1}, push=True))
    await shop.one(orders.cancel, shop.by("N1", "改主意"))
    assert await shop.told() == [("order_placed", "N1"), ("order_cancelled", "N1")]
    rows = await shop.rows("SELECT payload FROM delivery WHERE tenant_id = $1 ORDER BY id")
    assert "改主意" in bytes(rows[-1]["payload"]).decode()


async def test_of_many_pushes_of_one_number_at_once_one_is_taken(
    shop: Jeweller, database_url: str
) -> None:
    """Two processes, twenty pushes, always the same end: one success, nineteen refusals."""
    other = await Database.open(database_url)
    other.listens, other.listeners, other.seal = shop.db.listens, shop.db.listeners, bytes
    try:
        for number in ("N1", "N2", "N3"):
            lanes = [Together(shop.db), Together(other)]
            outcomes = await asyncio.gather(
                *(
                    lanes[at % 2].do(orders.place, shop.tenant_id, shop.order_of(number, {"A": 1}))
                    for at in range(20)
                ),
                return_exceptions=True,
            )
            kinds = [type(outcome) for outcome in outcomes]
            assert (kinds.count(Placed), kinds.count(Conflict)) == (1, 19)
    finally:
        await other.close()
    assert (await shop.balances())["A"] == (10, 3)


async def test_orders_for_the_same_articles_in_any_order_never_block_each_other(
    shop: Jeweller,
) -> None:
    """200 orders of two styles, their lines shuffled, some cancelled or shipped meanwhile."""
    await shop.styles(C=10_000, D=10_000)
    chance = random.Random(7)

    def new(number: str) -> NewOrder:
        lines = [(style, chance.randint(1, 5)) for style in ("C", "D", "A", "B")]
        chance.shuffle(lines)
        return shop.order_of(number, dict(lines))

    async def live(number: str) -> None:
        await shop.one(orders.place, new(number))
        step = chance.choice([None, orders.cancel, orders.ship, orders.process])
        if step is not None:
            await shop.do(step, shop.by(number))

    await asyncio.gather(*(live(f"N{at}") for at in range(200)))
    assert not await shop.unproven()
