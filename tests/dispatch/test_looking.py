"""What the database brings is enough to choose as if every outlet had been looked at."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import pytest

from entrepot.dispatch import explaining, looking, outlets, regions, sourcing
from entrepot.dispatch.looking import Ask
from entrepot.dispatch.outlets import Outlet
from entrepot.dispatch.rules import Order
from tests.dispatch.world import World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Database, Tx
    from entrepot.dispatch.sourcing import Candidate, Choice, Goods

REGIONS = [("浙江省", "杭州市"), ("浙江省", "宁波市"), ("江苏省", "南京市"), ("北京市", "市辖区")]
ARTICLES = 40


async def chain(database: Database, chance: random.Random) -> World:
    """Open 30 outlets with up to two pieces of each of 40 articles, of most of them none."""
    world = World(database)
    places = {f"P{n:02}": chance.choice(REGIONS) for n in range(30)}
    pieces = {
        f"A{a}": {code: chance.choice((1, 1, 2)) for code in places if chance.random() < 0.3}
        for a in range(ARTICLES)
    }
    priority = {code: chance.choice((50, 100)) for code in places}
    await world.open(places, pieces, priority=priority, registered=False)
    return world


def ask(world: World, goods: dict[str, int]) -> Ask:
    """Return a request for a receiver in Hangzhou."""
    province, city = regions.keys("浙江省", "杭州市")
    lines = {world.articles[sku]: qty for sku, qty in goods.items()}
    order = Order(id=1, number="N", connection_id=None, state="accepted", lines=lines)
    order.province, order.city = province, city
    return Ask(order=order, goods=lines)


def parts(choice: Choice) -> tuple[list[tuple[str, Goods]], Goods]:
    """Return what was chosen, by code."""
    return [(c.code, goods) for c, goods in choice.parts], choice.lacking


async def everything(tx: Tx, one: Ask, plan: sourcing.Plan) -> list[Candidate]:
    """Return every outlet as it stands."""
    places = await explaining._places(tx, one.order, plan)
    return [place.candidate for place in places.values()]


@pytest.mark.parametrize("lines", [1, 2, 5, 12, 36])
async def test_the_choice_is_that_over_every_outlet(database: Database, lines: int) -> None:
    """Few lines and so many that no integer holds them; little that is there and much that is not."""
    chance = random.Random(lines)
    world = await chain(database, chance)
    plan = sourcing.read(sourcing.DEFAULT)
    async with database.reading(world.tenant_id) as tx:
        for _ in range(25 if lines < 12 else 4):
            skus = chance.sample(range(ARTICLES), lines)
            one = ask(world, {f"A{a}": chance.randint(1, 3) for a in skus})
            (choice,) = await looking.choose(tx, [one], plan)
            whole = sourcing.choose(one.goods, await everything(tx, one, plan), plan)
            assert parts(choice) == parts(whole)


@pytest.mark.parametrize("pieces", [2**30 - 1, 2**30 + 1, 999_999_999 * 50_000])
async def test_more_than_there_can_be_is_looked_for_once(database: Database, pieces: int) -> None:
    """A note may ask for more pieces than the hub could have outlets; everybody ships what they have."""
    world = await chain(database, random.Random(5))
    plan = sourcing.read(sourcing.DEFAULT)
    one = ask(world, {"A1": pieces, "A2": 1})
    async with database.reading(world.tenant_id) as tx, asyncio.timeout(20):
        (choice,) = await looking.choose(tx, [one], plan)
        whole = sourcing.choose(one.goods, await everything(tx, one, plan), plan)
    assert parts(choice) == parts(whole)
    assert choice.lacking[world.articles["A1"]] > pieces - 100


async def test_requests_together_take_nothing_twice(database: Database) -> None:
    """Twenty notes at once over three articles promise what is there, and no more."""
    world = await chain(database, random.Random(3))
    chance = random.Random(4)
    plan = sourcing.read(sourcing.DEFAULT)
    asks = [ask(world, {f"A{a}": 3 for a in chance.sample(range(3), 2)}) for _ in range(20)]
    async with database.reading(world.tenant_id) as tx:
        choices = await looking.choose(tx, asks, plan)
    taken: dict[tuple[int, str], int] = {}
    for choice in choices:
        for candidate, goods in choice.parts:
            for article, qty in goods.items():
                pair = (article, candidate.code)
                taken[pair] = taken.get(pair, 0) + qty
    lying = await world.stock()
    names = {article: sku for sku, article in world.articles.items()}
    for (article, code), qty in taken.items():
        assert qty <= lying[names[article], code][0]
    for article in {world.articles[f"A{a}"] for a in range(3)}:
        given = sum(qty for (one, _), qty in taken.items() if one == article)
        there = sum(n for (sku, _), (n, _) in lying.items() if sku == names[article])
        wanted = sum(one.goods.get(article, 0) for one in asks)
        assert given == min(there, wanted)


async def test_rules_keep_outlets_out(database: Database) -> None:
    """Paused, full for today, in no group that is named; an outlet keeps some pieces for itself."""
    world = World(database)
    await world.open(dict.fromkeys("ABCD", REGIONS[0]), {"X": dict.fromkeys("ABCD", 2)})
    await world.do(set_up, Outlet(code="A", paused=True, groups=("east",)))
    await world.do(set_up, Outlet(code="B", daily_capacity=0, groups=("east",)))
    await world.do(set_up, Outlet(code="D", groups=("east",)))
    named = [{"kind": "group", "groups": ["east"]}, *sourcing.DEFAULT]
    for rules, wanted, told in (
        (list(sourcing.DEFAULT), 1, ["C"]),
        (named, 1, ["D"]),
        (named, 3, ["D"]),
        ([{"kind": "depth", "pieces": 2}, *sourcing.DEFAULT], 1, []),
        ([{"kind": "stock"}], 8, ["A", "B", "C", "D"]),
    ):
        async with database.reading(world.tenant_id) as tx:
            one_ask = ask(world, {"X": wanted})
            (choice,) = await looking.choose(tx, [one_ask], sourcing.read(rules))
            assert [candidate.code for candidate, _ in choice.parts] == told


async def set_up(tx: Tx, batch: Sequence[Outlet]) -> Sequence[None]:
    """Say how outlets ship."""
    await outlets.set_up(tx, batch)
    return [None] * len(batch)
