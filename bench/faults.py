"""The courier's fault tests in full: order under failures, kills in the middle of calls, levels in chaos."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

from tests.courier import chaos
from tests.courier.bureau import Bureau
from tests.courier.upheaval import levels_in_chaos

from bench.context import Result
from entrepot.db import Database
from entrepot.vault import Vault

if TYPE_CHECKING:
    from bench.context import Context

_LEASE = 1.0


async def run(context: Context) -> list[Result]:
    """Run all; each proves that its faults happened."""
    return [*await _order(context), *await _kills(context), *await _levels(context)]


async def _bureau(context: Context, name: str) -> Bureau:
    db = await Database.open(await context.database(name))
    bureau = Bureau(db, Vault.open(context.folder / "ring"))
    await bureau.open()
    return bureau


async def _order(context: Context) -> list[Result]:
    documents, steps = context.size(1000), 100
    bureau = await _bureau(context, "order")
    began = time.monotonic()
    ledger = await chaos.order_under_failures(bureau, documents, steps, 0.2, within=3600)
    took = time.monotonic() - began
    wrong = len(ledger.out_of_order()) + len(ledger.under_two_ids())
    name = f"{documents * steps:,} messages on {documents:,} documents, 20 % failing"
    whole = ledger.has_all(documents, steps) and ledger.failed > documents
    await bureau.recorder.stop()
    await bureau.db.close()
    return [
        Result(name=f"{name}: out of order", value=wrong, unit="", ceiling=0),
        Result(name=f"{name}: complete", value=int(whole), unit="", floor=1),
        Result(name=f"{name}: accepted", value=documents * steps / took, unit="/s"),
    ]


async def _kills(context: Context) -> list[Result]:
    times = context.size(200)
    bureau = await _bureau(context, "kills")
    ledger, recovered = await chaos.kills(bureau, context.folder / "ring", times, _LEASE)
    wrong = len(ledger.out_of_order()) + len(ledger.under_two_ids())
    lost = await bureau.rows(
        "SELECT count(*) AS n FROM attempt WHERE tenant_id = $1 AND outcome = 'lost'"
    )
    await bureau.recorder.stop()
    await bureau.db.close()
    name = f"kill -9 in the middle of a call, {times} times"
    whole = ledger.has_all(chaos.KILLED, chaos.killed_steps(times))
    recovered.sort()
    return [
        Result(name=f"{name}: nothing lost", value=int(whole), unit="", floor=1),
        Result(name=f"{name}: overtaken, or under another id", value=wrong, unit="", ceiling=0),
        Result(name=f"{name}: attempts noted as lost", value=lost[0]["n"], unit="", floor=times),
        Result(name=f"{name}: calls that came twice", value=ledger.came_twice(), unit="", floor=1),
        Result(name=f"{name}: recovery, median", value=statistics.median(recovered), unit="s"),
        Result(
            name=f"{name}: recovery, longest", value=recovered[-1], unit="s", ceiling=_LEASE + 1
        ),
    ]


async def _levels(context: Context) -> list[Result]:
    listings, kills = context.size(2000), context.size(50)
    bureau = await _bureau(context, "upheaval")
    chaos = await levels_in_chaos(bureau, context.folder / "ring", listings=listings, kills=kills)
    await bureau.recorder.stop()
    await bureau.db.close()
    mall, name = chaos.mall, f"levels of {listings:,} listings, {kills} kills"
    return [
        Result(
            name=f"{name}: not as the hub has it", value=len(chaos.differing()), unit="", ceiling=0
        ),
        Result(
            name=f"{name}: changes of stock meanwhile", value=chaos.changes, unit="", floor=listings
        ),
        Result(name=f"{name}: calls cut off by a kill", value=mall.cut, unit="", floor=kills),
        Result(name=f"{name}: calls answered badly", value=mall.failed, unit="", floor=1),
        Result(name=f"{name}: calls never answered", value=mall.silent, unit=""),
        Result(name=f"{name}: calls taken", value=mall.wrote, unit=""),
    ]
