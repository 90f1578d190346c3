"""The outlets of document 002: the OMS is ours, the stores' POS the partner's."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from entrepot.catalogue import flows as catalogue
from entrepot.catalogue.flows import Article
from entrepot.connections.flows import NewConnection
from entrepot.db import queries
from entrepot.demo.part import End, Part, Pile, stack
from entrepot.demo.stage import Act, Stage
from entrepot.dispatch import desk, intake, outlets, refusing, returning, shipping, told
from entrepot.dispatch.intake import NewDispatch
from entrepot.dispatch.outlets import Outlet, Registered
from entrepot.dispatch.refusing import Refusal
from entrepot.dispatch.returning import NewWaybill, Return
from entrepot.dispatch.rules import Box
from entrepot.dispatch.shipping import Checkout
from entrepot.dispatch.told import Cancellation
from entrepot.facts import Receiver
from entrepot.orders.rules import NewOrder, Wanted
from entrepot.stock import flows as stock
from entrepot.stock.flows import Location, Move, add_locations, locations

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.db import Row, Tx

_q = queries(__package__)

OUTLETS = (
    Location(code="6001", name="上海南京东路店", province="上海市", city="上海市"),
    Location(code="6002", name="杭州武林店", province="浙江省", city="杭州市"),
    Location(code="6003", name="南京新街口店", province="江苏省", city="南京市"),
    Location(code="6004", name="北京王府井店", province="北京市", city="北京市"),
    Location(code="6005", name="沈阳太原街店", province="辽宁省", city="沈阳市"),
)
# SKU = goodsNo/colorNo/sizeNo, and the pieces at each outlet.
GOODS: Mapping[str, Mapping[str, int]] = {
    "G1/C1/S1": {"6002": 10, "6003": 10, "6004": 5},
    "G2/C2/S2": {"6002": 10, "6003": 10},
}


async def _ours(tx: Tx, connections: Mapping[str, int]) -> None:
    """Put the goods and their pieces into outlets that the stores' system serves."""
    connection_id = connections.get("storepos")
    await _stock(tx)
    await outlets.set_up(
        tx, [Outlet(code=place.code, connection_id=connection_id) for place in OUTLETS]
    )


async def _theirs(tx: Tx, _connections: Mapping[str, int]) -> None:
    """Put the same goods and pieces into the same stores, where their own people ship them."""
    await _stock(tx)


async def _stock(tx: Tx) -> None:
    await add_locations(tx, OUTLETS)
    piles = [Pile(article=Article(sku=sku, unit="件"), at=at) for sku, at in GOODS.items()]
    articles = await stack(tx, piles)
    places = await locations(tx, [place.code for place in OUTLETS])
    await outlets.register(
        tx,
        [
            Registered(
                code=f"SN-{sku.partition('/')[0]}-{place}-{n:02}",
                article_id=articles[sku],
                location_id=places[place],
            )
            for sku, at in GOODS.items()
            for place, pieces in at.items()
            for n in range(1, pieces + 1)
        ],
    )


# What the traffic sells, and where it arrives: no outlet has all of it, so some orders are split.
LIVE_GOODS: Mapping[str, tuple[str, ...]] = {
    "LIVE-羽绒服/黑/L": ("6002", "6003"),
    "LIVE-围巾/红/均码": ("6003", "6004"),
    "LIVE-手套/灰/M": ("6004", "6005"),
}
_BUYERS = (
    ("张伟", "浙江省", "杭州市", "西湖区", "文三路1号"),
    ("王芳", "江苏省", "南京市", "鼓楼区", "中山路8号"),
    ("李娜", "北京市", "市辖区", "东城区", "王府井大街3号"),
    ("刘洋", "广东省", "广州市", "天河区", "体育西路6号"),
)
_REASONS = ("缺货", "残次", "门店盘点")
_CARRIERS = ("SF", "YTO", "ZTO")
_LOW, _FULL = 6, 16
_STAFF = "store staff"


async def _arrive(stage: Stage) -> None:
    """Fill up outlets that run low of what the traffic sells; both ends book the same pieces in."""
    serial = stage.number()
    async with stage.hub.db.reading(stage.demo) as tx:
        there = {(row["sku"], row["code"]): row["on_hand"] for row in await tx.rows(_q.live_stock)}
    fresh = {
        (sku, place): [f"{serial}-{sku.partition('/')[0][5:]}-{place}-{n}" for n in range(_FULL)]
        for sku, places in LIVE_GOODS.items()
        for place in places
        if there.get((sku, place), 0) < _LOW
    }
    for tenant_id in (stage.demo, stage.partners):
        await stage.hub.db.run(tenant_id, lambda tx: _book_in(tx, fresh))


async def _book_in(tx: Tx, fresh: Mapping[tuple[str, str], Sequence[str]]) -> None:
    """Book pieces in, by (SKU, outlet)."""
    known = await catalogue.by_sku(tx, LIVE_GOODS)
    missing = [Article(sku=sku, unit="件") for sku in LIVE_GOODS if sku not in known]
    known |= await catalogue.add(tx, missing) if missing else {}
    places = await locations(tx, [place.code for place in OUTLETS])
    await outlets.register(
        tx,
        [
            Registered(code=code, article_id=known[sku], location_id=places[place])
            for (sku, place), codes in fresh.items()
            for code in codes
        ],
    )
    pairs = {(known[sku], places[place]): len(codes) for (sku, place), codes in fresh.items()}
    await stock.lock(tx, pairs.keys())
    await stock.move(
        tx,
        [
            Move(
                article_id=article,
                location_id=place,
                delta=pieces,
                kind="receipt",
                document="main warehouse",
                who=_STAFF,
            )
            for (article, place), pieces in pairs.items()
        ],
    )


async def _sell(stage: Stage) -> None:
    """Sell in a store what others have; its system asks the OMS to ship it."""
    number, chance = stage.number(), stage.chance
    name, province, city, county, address = chance.choice(_BUYERS)
    chosen = chance.sample(sorted(LIVE_GOODS), chance.randint(1, len(LIVE_GOODS)))
    order = NewOrder(
        number=number,
        lines=tuple(Wanted(name=sku, qty=chance.randint(1, 2)) for sku in chosen),
        digest=hashlib.sha256(number.encode()).digest(),
        partner=stage.partner(stage.partners, "storepos"),
        customer=name,
        who=_STAFF,
    )
    receiver = Receiver(
        name=name,
        phone=f"1380000{chance.randrange(10_000):04}",
        province=province,
        city=city,
        county=county,
        address=address,
    )
    shop = chance.choice(("6001", "6005"))
    new = NewDispatch(order=order, receiver=receiver, shop=shop, purchase=f"XP-{number}")
    await stage.do(stage.partners, intake.request, new)


async def _ship(stage: Stage) -> None:
    """Pack what an outlet was asked for longest ago: all of it, or what fits into the first parcel."""
    for row in (await _open_notes(stage))[:1]:
        async with stage.hub.db.reading(stage.partners) as tx:
            note = await desk.note(tx, row["number"])
            codes = await outlets.rest_in_stock(tx, note)
        packed = codes[: stage.chance.randint(1, len(codes))] if codes else []
        express = stage.chance.choice(_CARRIERS)
        box = Box(express=express, waybill=f"{express}{stage.number()}", codes=tuple(packed))
        done = Checkout(note=note.number, boxes=(box,), who=_STAFF)
        await stage.do(stage.partners, shipping.check_out, done)


async def _refuse(stage: Stage) -> None:
    """Refuse one of the notes that came last."""
    for row in (await _open_notes(stage))[-1:]:
        reason = stage.chance.choice(_REASONS)
        refusal = Refusal(note=row["number"], who=_STAFF, reason=reason)
        await stage.do(stage.partners, refusing.refuse, refusal)


async def _return(stage: Stage) -> None:
    """Take back a piece that was shipped, at any store."""
    async with stage.hub.db.reading(stage.partners) as tx:
        out = await tx.rows(_q.live_pieces)
    if out:
        back = Return(
            outlet=stage.chance.choice(OUTLETS).code,
            code=stage.chance.choice(out)["code"],
            waybill=f"TH{stage.number()}",
            express=stage.chance.choice(_CARRIERS),
            who=_STAFF,
        )
        await stage.do(stage.partners, returning.receive, back)


async def _relabel(stage: Stage) -> None:
    """Put one of the newest parcels under another waybill."""
    async with stage.hub.db.reading(stage.partners) as tx:
        parcels = await tx.rows(_q.live_packages)
    if parcels:
        parcel, express = stage.chance.choice(parcels), stage.chance.choice(_CARRIERS)
        change = NewWaybill(
            note=parcel["number"],
            target=parcel["waybill"],
            express=express,
            waybill=f"{express}{stage.number()}",
            who=_STAFF,
        )
        await stage.do(stage.partners, returning.change_waybill, change)


async def _change_mind(stage: Stage) -> None:
    """Give back one of the newest receipts; the goods may have left by then."""
    partner = stage.partner(stage.partners, "storepos")
    found = await stage.orders(stage.partners, partner, ["accepted"], age=1)
    if found:
        number = stage.chance.choice(found[-3:])["number"]
        given_up = Cancellation(number=number, connection_id=partner.id, who=_STAFF)
        await stage.do(stage.partners, told.cancel, given_up)


async def _open_notes(stage: Stage) -> list[Row]:
    """Return the traffic's notes that stores have still to ship, the oldest first."""
    async with stage.hub.db.reading(stage.partners) as tx:
        return await tx.rows(_q.live_notes)


part = Part(
    ours=End(
        connections=(NewConnection(name="storepos", dialect="storepos", role="oms"),), load=_ours
    ),
    theirs=End(
        connections=(NewConnection(name="storepos", dialect="storepos", role="pos"),), load=_theirs
    ),
    pairs=(("storepos", "storepos"),),
    acts=(
        Act(name="goods arrive at the outlets", every=10, play=_arrive),
        Act(name="a store sells what others have", every=15, play=_sell),
        Act(name="an outlet ships", every=7, play=_ship),
        Act(name="an outlet refuses", every=60, play=_refuse),
        Act(name="a buyer sends a piece back", every=70, play=_return),
        Act(name="an outlet changes a waybill", every=80, play=_relabel),
        Act(name="a buyer gives a receipt back", every=90, play=_change_mind),
    ),
)
