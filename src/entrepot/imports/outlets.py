"""Outlets: the places that hold stock, created or changed by code, and how they ship.

``connection`` is the partner system that serves an outlet, ``-`` that none does. A new outlet without one is
served by the only connection that can serve outlets, where there is only one. A lower ``priority`` goes
first; ``daily_capacity`` empty: any number of notes a day; ``groups`` are separated by spaces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.db import queries
from entrepot.facts import DispatchOffered
from entrepot.imports.rules import Column, switch, whole
from entrepot.imports.staging import Batch, Faults, Kind, faults, stage

if TYPE_CHECKING:
    from entrepot.db import Tx

_q = queries(__package__)
_COLUMNS = (
    Column(name="code", required=True, example="6002"),
    Column(name="name", example="杭州武林店"),
    Column(name="province", example="浙江省"),
    Column(name="city", example="杭州市"),
    Column(name="connection", example="storepos"),
    Column(name="ships", check=switch, example="on"),
    Column(name="paused", check=switch, example="off"),
    Column(name="priority", check=whole, example="100"),
    Column(name="daily_capacity", check=whole),
    Column(name="groups", example="flagship east"),
)


async def _apply(tx: Tx, batch: Batch) -> Faults:
    await stage(tx, _COLUMNS, batch, "connection_id bigint")
    await tx.do(_q.find_serving)
    wrong = await faults(tx, _q.outlet_faults)
    serving = tx.listeners(DispatchOffered.kind)
    await tx.do(_q.save_outlets, sorted(batch.given), serving[0] if len(serving) == 1 else None)
    return wrong


kind = Kind(name="outlets", columns=_COLUMNS, apply=_apply)
