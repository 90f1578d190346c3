"""Outlets that our own people serve, with notes at every step: offered, partly shipped, refused, parked."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

from entrepot.catalogue.flows import Article
from entrepot.demo.part import Pile, stack
from entrepot.discrepancies import flows as discrepancies
from entrepot.discrepancies.rules import Seen
from entrepot.dispatch import intake, outlets, refusing, shipping
from entrepot.dispatch.intake import NewDispatch
from entrepot.dispatch.outlets import Outlet, Registered
from entrepot.dispatch.refusing import Refusal
from entrepot.dispatch.rules import Box
from entrepot.dispatch.shipping import Checkout
from entrepot.errors import Refused
from entrepot.facts import Receiver
from entrepot.orders.rules import NewOrder, Wanted
from entrepot.stock.flows import Location, add_locations, locations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.db import Tx
    from entrepot.hub import Hub

OUTLETS = (
    Location(code="8001", name="昆明南屏街店", province="云南省", city="昆明市"),
    Location(code="8002", name="大理古城店", province="云南省", city="大理市"),
    Location(code="8003", name="贵阳中华路店", province="贵州省", city="贵阳市"),
    Location(code="8004", name="成都春熙路店", province="四川省", city="成都市"),
    Location(code="8005", name="重庆解放碑店", province="重庆市", city="重庆市"),
    Location(code="8006", name="南宁朝阳店", province="广西壮族自治区", city="南宁市"),
    Location(code="8007", name="长沙黄兴路店", province="湖南省", city="长沙市"),
)
COAT = "COAT"
"""The article of these outlets; each place where something is done with it has one of its own."""
TO_SHIP, TO_REFUSE, TO_VOID, PARKED = "DN-SHIP", "DN-REFUSE", "DN-VOID", "DN-PARKED"
STRAY = "DN-STRAY"
_OFFERS = 5
_PIECES = 3
_WHO = "店员"
_REASONS = ("柜台留样", "缺货", "包装破损", "正在盘点", "柜台留样")
_RECEIVER = Receiver(
    name="段誉",
    phone="13900139000",
    province="云南省",
    city="大理市",
    county="",
    address="洱海路7号",
)


def closet(place: str) -> str:
    """Return the code of the outlet that is paused and changed from one place."""
    return "89" + (place.strip("-") or "0000")[-2:]


async def open_shops(places: Sequence[str], hub: Hub) -> None:
    """Fill the outlets, once for each place, and bring the notes to where they are looked at."""
    await hub.db.run(hub.registry.tenant("demo"), partial(_open, places))


async def _open(places: Sequence[str], tx: Tx) -> None:
    spare = [Location(code=closet(place), name="样板店") for place in places]
    await add_locations(tx, [*OUTLETS, *spare])
    await outlets.set_up(tx, [Outlet(code=one.code) for one in (*OUTLETS, *spare)])
    at = {one.code: _PIECES for one in OUTLETS}
    articles = await stack(
        tx,
        [Pile(article=Article(sku=COAT + p, name="风衣", unit="件"), at=at) for p in places],
    )
    ids = await locations(tx, at)
    await outlets.register(
        tx,
        [
            Registered(code=f"{sku}-{code}-{n}", article_id=article, location_id=ids[code])
            for sku, article in articles.items()
            for code in at
            for n in range(1, _PIECES + 1)
        ],
    )
    for place in places:
        for number, pieces in ((TO_SHIP, 2), (TO_REFUSE, 1), (TO_VOID, 1), (PARKED, 1)):
            await _order(tx, number + place, COAT + place, pieces)
        for reason in _REASONS[:_OFFERS]:
            note = await _open_note(tx, PARKED + place)
            _well(
                await refusing.refuse(tx, [Refusal(note=note["number"], who=_WHO, reason=reason)])
            )
        await _disagree(tx, place)
    await _ship_one(tx, COAT)


async def _order(tx: Tx, number: str, sku: str, pieces: int) -> None:
    order = NewOrder(
        number=number,
        lines=(Wanted(name=sku, qty=pieces),),
        digest=hashlib.sha256(number.encode()).digest(),
        who=_WHO,
    )
    _well(await intake.take(tx, [NewDispatch(order=order, receiver=_RECEIVER)]))


async def _open_note(tx: Tx, number: str) -> Mapping[str, str]:
    query = """
        SELECT n.number, l.code AS outlet FROM dispatch_note n
        JOIN sales_order o ON o.tenant_id = $1 AND o.id = n.order_id
        JOIN location l ON l.tenant_id = $1 AND l.id = n.location_id
        WHERE n.tenant_id = $1 AND o.number = $2 AND n.state = 'open'
    """
    (row,) = await tx.rows(query, number)
    return {"number": row["number"], "outlet": row["outlet"]}


async def _disagree(tx: Tx, place: str) -> None:
    """Have a piece have left another outlet than the one where the books had it."""
    code, order = f"SN-{COAT}{place}-1", STRAY + place
    text = f"Piece {code} left 8001, but was recorded at 8002."
    seen = Seen(kind="moved", subject=code, text=text, document=order)
    await discrepancies.see(tx, [seen])


async def _ship_one(tx: Tx, sku: str) -> None:
    """Ship the first parcel of what is only looked at."""
    note = await _open_note(tx, TO_SHIP)
    box = Box(express="SF", waybill="SF1020304050607", codes=(f"{sku}-{note['outlet']}-1",))
    _well(await shipping.check_out(tx, [Checkout(note=note["number"], boxes=(box,), who=_WHO)]))


def _well(outcomes: Sequence[object]) -> None:
    """Raise what was refused."""
    for outcome in outcomes:
        if isinstance(outcome, Refused):
            raise outcome
