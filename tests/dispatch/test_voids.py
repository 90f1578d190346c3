"""What outlets give up for a void that fails is sourced again, whoever answers last."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.dispatch.world import World

if TYPE_CHECKING:
    from entrepot.db import Database

PLACES = {"A": ("浙江省", "杭州市"), "B": ("浙江省", "宁波市")}


@pytest.mark.parametrize("last", ["A", "B"])
async def test_goods_given_up_go_back_to_the_only_outlet_that_has_them(
    database: Database, last: str
) -> None:
    """A gives up, B has shipped: A's goods are offered again, also when A answers after B."""
    world = World(database)
    await world.open(PLACES, {"X": {"A": 1}, "Y": {"B": 1}})
    await world.order("D1", {"X": 1, "Y": 1})
    for note in await world.notes("D1"):
        await world.send(note["offer_id"])
    await world.void("D1")
    asked = {note["outlet"]: note["recall_id"] for note in await world.notes("D1")}
    for outlet in sorted(asked, key=lambda code: code == last):
        state = "delivered" if outlet == "A" else "rejected"
        await world.settle(asked[outlet], state, "通知单已出库")
    notes = [(note["outlet"], note["state"], note["onward"]) for note in await world.notes("D1")]
    assert sorted(notes) == [("A", "open", "none"), ("A", "void", "sourced"), ("B", "open", "none")]
    assert await world.state("D1") == "accepted"
    assert await world.proven()
