"""A person asks an outlet for a note back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot.dispatch import refusing, rules
from entrepot.dispatch.refusing import Refusal
from entrepot.dispatch.rules import Note, Order
from entrepot.errors import Conflict, Missing
from tests.dispatch.world import World, code_of

if TYPE_CHECKING:
    from entrepot.db import Database

PLACES = {"A": ("浙江省", "杭州市"), "B": ("浙江省", "宁波市")}


async def offered(world: World, *, told: bool = True) -> Any:
    """Have A offered two pieces, of which B has two as well; return A's note."""
    await world.open(PLACES, {"X": {"A": 2, "B": 2}})
    await world.order("D1", {"X": 2})
    (note,) = await world.notes("D1")
    if told:
        await world.send(note["offer_id"])
        await world.settle(note["offer_id"])
    return note


async def take_back(world: World, number: str, reason: str = "店铺装修") -> Any:
    """Ask for a note back as an operator does; a refusal is returned."""
    (outcome,) = await world.all(
        refusing.take_back, [Refusal(note=number, who="明天", reason=reason)]
    )
    return outcome


async def stand(world: World) -> list[tuple[Any, ...]]:
    """Return how the order's notes stand."""
    return [
        (n["outlet"], n["state"], n["onward"], n["reason"], n["keeps"])
        for n in await world.notes("D1")
    ]


async def test_an_outlet_that_agrees_is_relieved_and_not_asked_again(database: Database) -> None:
    """It gets a pushcancel and keeps its note until it agrees; then B is offered the goods."""
    world = World(database)
    note = await offered(world)
    assert (await take_back(world, note["number"])).changed
    assert not (await take_back(world, note["number"], "店铺停业")).changed, "asked already"
    (recall,) = await world.told("D1", "dispatch_withdrawn")
    assert (recall.note, recall.outlet) == (note["number"], "A")
    assert await stand(world) == [("A", "open", "none", "店铺装修", False)]
    (note,) = await world.notes("D1")
    await world.settle(note["recall_id"])
    assert await stand(world) == [
        ("A", "withdrawn", "sourced", "店铺装修", False),
        ("B", "open", "none", "", False),
    ]
    assert not (await take_back(world, note["number"])).changed, "it is gone already"
    assert await world.proven()


async def test_an_outlet_that_says_it_shipped_keeps_the_note(database: Database) -> None:
    """Its checkout counts; nobody else is offered the goods, and it can be asked again before."""
    world = World(database)
    note = await offered(world)
    await take_back(world, note["number"])
    (note,) = await world.notes("D1")
    await world.settle(note["recall_id"], "rejected", "通知单已出库")
    assert await stand(world) == [("A", "open", "none", "", True)]
    assert (await take_back(world, note["number"])).changed
    codes = [code_of("X", "A", n) for n in range(2)]
    await world.check_out(note["number"], {"W1": codes})
    assert await world.state("D1") == "shipped"
    assert isinstance(await take_back(world, note["number"]), Conflict)
    assert isinstance(await take_back(world, "no such"), Missing)


async def test_a_note_nobody_was_told_of_is_taken_at_once(database: Database) -> None:
    """The offer is not made any more; asked for twice in one breath it is taken once."""
    world = World(database)
    note = await offered(world, told=False)
    wish = Refusal(note=note["number"], who="明天", reason="改由他店发货")
    outcomes = await world.all(refusing.take_back, [wish, wish])
    assert [one.order for one in outcomes] == ["D1", "D1"]
    assert [row[:3] for row in await stand(world)] == [
        ("A", "withdrawn", "sourced"),
        ("B", "open", "none"),
    ]
    assert await world.told("D1", "dispatch_withdrawn") == []
    assert await world.proven()


async def test_a_void_that_is_being_asked_about_is_not_crossed(database: Database) -> None:
    """The outlets of an order that is being voided are asked already."""
    world = World(database)
    note = await offered(world)
    await world.void("D1")
    (held,) = await world.notes("D1")
    assert held["recall_id"] is not None
    assert not (await take_back(world, note["number"])).changed
    order = Order(id=1, number="D1", connection_id=None, state="accepted", voiding=True)
    assert isinstance(rules.recallable(order, Note(id=1, number="N1", location_id=1)), Conflict)
