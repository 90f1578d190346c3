"""The demonstration's traffic: the back office's people file, check and complete papers on their screens."""

from __future__ import annotations

import random
import re
from typing import TYPE_CHECKING, Any

from entrepot.connections.exchanges import Filter, find
from entrepot.demo import backoffice, trade
from entrepot.demo.stage import Stage
from entrepot.dialect import Request
from entrepot.dialects.trade.client import Said
from entrepot.dialects.trade.envelope import CONFLICT
from entrepot.dialects.trade.server import PLATFORM
from entrepot.orders import accounts
from entrepot.stock import views
from tests.running import demo

if TYPE_CHECKING:
    from entrepot.hub import Hub

_ROUNDS = 40
_LATER = "UPDATE sales_order SET changed_at = changed_at - interval '1 minute' WHERE tenant_id = $1"
_PAPERS = "SELECT kind, variant, state, deleted, order_number FROM paper WHERE tenant_id = $1"
_NUMBER = "SELECT document FROM exchange WHERE tenant_id = $1 AND document LIKE 'AP%' LIMIT 1"
_PATHS = "SELECT DISTINCT method, path FROM exchange WHERE tenant_id = $1 AND direction = 'out'"


async def test_a_day_in_the_back_office(server_url: str, template: str) -> None:
    """All its calls are made and kept at their end, papers end in every way, the ledgers are proven."""
    acts = {act.name: act.play for act in trade.part.acts}
    with demo(server_url, template) as running:

        async def play(hub: Hub) -> None:
            ours, theirs = hub.registry.tenant("demo"), hub.registry.tenant("partners")
            stage = Stage(hub, ours, theirs, random.Random(7))
            for act in acts.values():  # on the first morning there is nothing to do
                await act(stage)
            for _ in range(_ROUNDS):
                for name, act in acts.items():
                    if name != "a seller clears away" or stage.chance.random() < 0.2:
                        await _met(act, stage)
                await hub.db.run(ours, lambda tx: tx.do(_LATER))

        await running.do(play)

        async def look(hub: Hub) -> tuple[Any, ...]:
            async with hub.db.reading(hub.registry.tenant("demo")) as tx:
                papers = await tx.rows(_PAPERS)
                wrong = [*await views.discrepancies(tx), *await accounts.discrepancies(tx)]
                lying = await views.standing(tx, ["PU1", "PU184", "PU7383"])
            async with hub.db.reading(hub.registry.tenant("partners")) as tx:
                called = await tx.rows(_PATHS)
                number = await tx.value(_NUMBER)
                kept = await find(tx, hub.vault, Filter(document=number, direction="out"))
            return papers, wrong, lying, called, kept

        papers, wrong, lying, called, kept = await running.do(look)
    assert wrong == []
    assert [(row.location, row.on_hand) for row in lying] == [("40", 100), ("51", 100)] * 3
    assert all(row["order_number"].startswith("LIVE") for row in papers)
    ends = {(row["kind"], row["variant"], row["state"]) for row in papers}
    assert ends >= {
        ("AP", "BEFORE", "COMPLETE"),
        ("AP", "AFTER", "COMPLETE"),
        ("SR", "", "COMPLETE"),
    }
    assert {(row["kind"]) for row in papers if row["deleted"]} == {"AP", "SR"}
    missing = {
        f"{route.method} {route.path}"
        for route in PLATFORM
        if not any(_is(route.method, route.path, row["method"], row["path"]) for row in called)
    }
    assert missing == set()
    assert kept


async def _met(act: Any, stage: Stage) -> None:
    """Play an act; what the platform refuses, people meet as well."""
    try:
        await act(stage)
    except Said as said:
        if said.number != CONFLICT:
            raise


def _is(method: str, template: str, called: str, path: str) -> bool:
    """Tell whether a call was one of a route."""
    pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
    return method == called and re.fullmatch(pattern, path.partition("?")[0]) is not None


def test_exchanges_are_found_by_what_they_are_about() -> None:
    """The number in the path, or the order that a body names; a verb and a word are no number."""
    found = {
        Request("/v2/order/ap/pass/AP1903110000008"): "AP1903110000008",
        Request("/v2/order/ap/refuse/AP1", b'"no"'): "AP1",
        Request("/order/sr/detail/sa/LIVE1"): "LIVE1",
        Request("/v2/order/ap", b'{"saOrderId":"LIVE2"}', "PUT"): "LIVE2",
        Request(
            "/order/sr/calculatediscount", b'{"orderSr":{"saOrderId":"LIVE3"}}', "PUT"
        ): "LIVE3",
        Request("/order/sr", query="order=LIVE"): "",
    }
    assert {request: backoffice._document(request) for request in found} == found
