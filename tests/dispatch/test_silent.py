"""Outlets that keep silent are shown to a person, and relieved where their connection says so."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from entrepot import clock
from entrepot.dispatch import jobs
from tests.dispatch.world import World, code_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from entrepot.db import Database

PLACES = {"A": ("浙江省", "杭州市"), "B": ("浙江省", "宁波市")}


class Link:
    """A connection as the registry gives it."""

    def __init__(self, world: World) -> None:
        self.partner = world.store
        self.role = world.role

    def secrets(self, _now: datetime) -> list[dict[str, str]]:
        """Return the secrets that count."""
        return []


@pytest.fixture(autouse=True)
def real_time() -> Iterator[None]:
    """Bring the real time back."""
    yield
    clock.reset()


async def look(world: World) -> None:
    """Run the scheduled look, as the clock does."""
    for schedule, job in jobs.jobs(world.db, [Link(world)]).items():
        assert schedule.name == jobs.SILENT
        await job(schedule.tenant_id)


async def offered(world: World) -> None:
    """Have A told of a note, and hear nothing more of it."""
    await world.open(PLACES, {"X": {"A": 2, "B": 2}})
    await world.order("D1", {"X": 2})
    (note,) = await world.notes("D1")
    assert note["outlet"] == "A"
    await world.send(note["offer_id"])
    await world.settle(note["offer_id"])


async def test_a_silent_outlet_is_shown_once_and_keeps_its_note(database: Database) -> None:
    """After 24 hours, not before; the goods stay where they are offered."""
    world = World(database)
    await offered(world)
    clock.move(timedelta(hours=23, minutes=59))
    await look(world)
    assert await world.discrepancies() == []
    clock.move(timedelta(minutes=2))
    await look(world)
    await look(world)
    assert await world.discrepancies() == ["silent"]
    (note,) = await world.notes("D1")
    assert (note["outlet"], note["state"], note["recall_id"]) == ("A", "open", None)


async def test_an_outlet_that_answered_is_not_silent(database: Database) -> None:
    """One parcel of two is an answer."""
    world = World(database)
    await offered(world)
    (note,) = await world.notes("D1")
    await world.check_out(note["number"], {"W1": [code_of("X", "A", 0)]})
    clock.move(timedelta(hours=25))
    await look(world)
    assert await world.discrepancies() == []


async def test_an_outlet_that_answers_after_all_is_silent_no_longer(database: Database) -> None:
    """A first parcel closes what was shown to a person; so does a refusal."""
    world = World(database)
    await offered(world)
    (note,) = await world.notes("D1")
    clock.move(timedelta(hours=25))
    await look(world)
    assert await world.discrepancies(standing=True) == ["silent"]
    await world.check_out(note["number"], {"W1": [code_of("X", "A", 0)]})
    assert await world.discrepancies(standing=True) == []
    await look(world)
    assert await world.discrepancies(standing=True) == []


async def test_a_refusal_ends_the_silence(database: Database) -> None:
    """The goods go elsewhere, and nobody needs to ask the outlet."""
    world = World(database)
    await offered(world)
    (note,) = await world.notes("D1")
    clock.move(timedelta(hours=25))
    await look(world)
    await world.refuse(note["number"])
    assert await world.discrepancies() == ["silent"]
    assert await world.discrepancies(standing=True) == []


async def test_a_note_that_never_reached_its_outlet_is_not_silence(database: Database) -> None:
    """A call that waits or needs attention is the courier's to show."""
    world = World(database)
    await world.open(PLACES, {"X": {"A": 2}})
    await world.order("D1", {"X": 2})
    clock.move(timedelta(hours=25))
    await look(world)
    assert await world.discrepancies() == []


async def test_a_shorter_patience_holds_for_what_is_out(database: Database) -> None:
    """`answer_within` is read when it is looked."""
    world = World(database)
    await offered(world)
    world.change(answer_within="30m")
    clock.move(timedelta(minutes=31))
    await look(world)
    assert await world.discrepancies() == ["silent"]


async def test_with_auto_resource_the_goods_go_elsewhere_once_the_outlet_agrees(
    database: Database,
) -> None:
    """The outlet gets a pushcancel; B gets the goods; A is not asked again."""
    world = World(database, auto_resource="on")
    await offered(world)
    clock.move(timedelta(hours=25))
    await look(world)
    assert await world.discrepancies() == ["silent"]
    (note,) = await world.notes("D1")
    assert note["state"] == "open"
    (recall,) = await world.told("D1", "dispatch_withdrawn")
    assert (recall.note, recall.outlet) == (note["number"], "A")
    await world.settle(note["recall_id"])
    notes = [(n["outlet"], n["state"], n["onward"], n["round"]) for n in await world.notes("D1")]
    assert notes == [("A", "withdrawn", "sourced", 1), ("B", "open", "none", 2)]
    assert await world.discrepancies(standing=True) == []
    assert await world.stock() == {("X", "A"): (2, 0), ("X", "B"): (2, 2)}
    assert await world.proven()


async def test_with_auto_resource_an_outlet_that_says_it_shipped_keeps_the_note(
    database: Database,
) -> None:
    """Its checkout comes late and counts."""
    world = World(database, auto_resource="on")
    await offered(world)
    clock.move(timedelta(hours=25))
    await look(world)
    (note,) = await world.notes("D1")
    await world.settle(note["recall_id"], "rejected", "通知单已出库")
    (note,) = await world.notes("D1")
    assert (note["state"], note["keeps"]) == ("open", True)
    codes = [code_of("X", "A", n) for n in range(2)]
    await world.check_out(note["number"], {"W1": codes})
    assert await world.state("D1") == "shipped"


async def test_a_void_and_a_silent_outlet_do_not_ask_twice(database: Database) -> None:
    """While the order is being voided the outlet has been asked already."""
    world = World(database, auto_resource="on")
    await offered(world)
    await world.void("D1")
    clock.move(timedelta(hours=25))
    await look(world)
    assert len(await world.told("D1", "dispatch_withdrawn")) == 1
    (note,) = await world.notes("D1")
    await world.settle(note["recall_id"])
    assert await world.state("D1") == "cancelled"
