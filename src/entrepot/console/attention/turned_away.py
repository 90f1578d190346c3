"""An order that was turned away: its call, the goods nobody knew, what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from entrepot import decode
from entrepot.catalogue import flows as catalogue
from entrepot.catalogue import learning
from entrepot.catalogue.learning import Known
from entrepot.connections.flows import audit
from entrepot.console import lists
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.db import queries
from entrepot.discrepancies import flows as discrepancies
from entrepot.discrepancies.flows import Resolve
from entrepot.errors import BadInput, Missing
from entrepot.orders import turned_away

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar import Response

    from entrepot.db import Row, Tx

_MOST = 200
_q = queries(__package__)


@get("/attention/turned-away/{discrepancy_id:int}", "orders.see")
async def turned_away_page(visit: Visit) -> Response[Any]:
    """What was refused and why, the call as it was, and the names of goods that are still unknown."""
    async with visit.reading() as tx:
        row = await _one(visit, tx)
        details = msgspec.json.decode(row["details"])
        unknown = await _unknown(tx, details)
        call = await tx.row(_q.last_exchange, row["connection_id"], row["document"])
    return visit.show(
        "attention/turned_away.html",
        one=row,
        details=details,
        unknown=unknown,
        call=lists.by_time(call) if call is not None else None,
    )


@post("/attention/turned-away/{discrepancy_id:int}/goods", "publish.edit")
async def know_goods(visit: Visit) -> Response[Any]:
    """Say which articles of ours the partner means; those there are none of yet are made."""
    async with visit.transaction() as tx:
        row = await _one(visit, tx)
        details = msgspec.json.decode(row["details"])
        known = _filled(visit, await _unknown(tx, details), details["by"])
        await learning.learn(tx, known)
        for one in known:
            told = {"connection": row["connection"], "name": one.name}
            await audit(tx, visit.who, "goods known", one.sku, details=told)
        await turned_away.look(tx)
    said = _("The goods are known now. Ask %(connection)s to push %(number)s again.")
    return visit.go(
        f"/attention/turned-away/{row['id']}",
        said % {"connection": row["connection"], "number": row["document"]},
    )


@get("/attention/turned-away/{discrepancy_id:int}/settle", "orders.act")
async def settle_page(visit: Visit) -> Response[Any]:
    """Ask why an order that was turned away is not waited for any more."""
    return visit.show("attention/settle.html", discrepancy_id=visit.path["discrepancy_id"])


@post("/attention/turned-away/{discrepancy_id:int}/settle", "orders.act")
async def settle(visit: Visit) -> Response[Any]:
    """Take it off the list by hand; pushed again as it was, it stays off."""
    reason = visit.reason()
    async with visit.transaction() as tx:
        row = await _one(visit, tx)
        one = Resolve(id=row["id"], who=visit.who, reason=reason)
        (refused,) = await discrepancies.resolve(tx, [one])
        if refused is not None:
            raise refused
    return visit.go("/attention", _("It is settled."))


PAGES = [turned_away_page, know_goods, settle_page, settle]


async def _one(visit: Visit, tx: Tx) -> Row:
    row = await tx.row(_q.one_turned_away, visit.path["discrepancy_id"])
    if row is None:
        raise Missing("unknown_discrepancy", "There is no such discrepancy.")
    return row


async def _unknown(tx: Tx, details: dict[str, Any]) -> list[str]:
    """Return the names that no article bears to this day."""
    if details["code"] != "unknown_goods":
        return []
    find = catalogue.by_style if details["by"] == "style" else catalogue.by_sku
    known = await find(tx, details["names"])
    return [name for name in details["names"] if name not in known]


def _filled(visit: Visit, unknown: Sequence[str], by: Any) -> list[Known]:
    """Return what the form says of the names; those left empty stay unknown."""
    found = []
    for at, name in enumerate(unknown, 1):
        sku, title = (visit.form.get(f"{field}-{at}", "").strip() for field in ("sku", "title"))
        if visit.form.get(f"name-{at}") != name or not sku:
            continue
        if max(len(sku), len(title)) > _MOST or not decode.storable(sku + title):
            raise BadInput("name_missing", "A SKU is a short text.", path=f"sku-{at}")
        found.append(Known(name=name, sku=sku, by=by, title=title))
    if not found:
        raise BadInput("sku_needed", "Say at least which article one of them is.", path="sku-1")
    return found
