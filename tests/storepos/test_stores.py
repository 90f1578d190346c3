"""Role pos: the stores' own hub, called by an OMS, and what it calls the OMS with."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from entrepot.dispatch import desk, intake, outlets, refusing, returning, shipping, told
from entrepot.dispatch.intake import NewDispatch
from entrepot.dispatch.refusing import Refusal
from entrepot.dispatch.returning import NewWaybill, Return
from entrepot.dispatch.rules import Box
from entrepot.dispatch.shipping import Checkout
from entrepot.dispatch.told import Cancellation
from entrepot.facts import Receiver
from entrepot.orders.rules import NewOrder, Wanted
from tests.storepos.shops import YES, Answer, Shops, Stub, code, document, no

if TYPE_CHECKING:
    from collections.abc import Iterator

    from entrepot.hub import Hub
    from tests.running import Running


@pytest.fixture(scope="module")
def stores_hub(serving: Running) -> Iterator[Shops]:
    """Give the stores' hub, with an OMS played by the tests at its other end."""
    stub = Stub()
    shops = Shops(serving, stub, "partners")
    shops.set(partner_url=stub.url, schedule="100ms", breaker="off")
    yield shops
    shops.http.close()
    stub.close()


@pytest.fixture
def pos(stores_hub: Shops) -> Shops:
    """Give an OMS that answers yes to everything."""
    stores_hub.stub.answers.clear()
    stores_hub.stub.calls.clear()
    return stores_hub


def offer(pos: Shops, number: str, goods: dict[str, int], outlet: str = "6002") -> Answer:
    """Have the OMS give an outlet a note."""
    body = document(number, goods, shopCode=outlet, purchaseNumber=f"XP-{number}", express="SF")
    return pos.call("pushorder", body)


def do(pos: Shops, flow: Any, command: Any) -> Any:
    """Do what a store's people do."""
    (outcome,) = pos.run(lambda tx: flow(tx, [command]))
    return outcome


def note_of(pos: Shops, number: str) -> str:
    """Return our own number of a note that the OMS gave us."""
    found = pos.run(lambda tx: desk.note(tx, number))
    name: str = found.number
    return name


def test_a_note_is_shipped_and_told(pos: Shops, name: str) -> None:
    """Reserved where it was asked; its parcel, its new waybill and its return go to the OMS."""
    x = f"{name}X/C/S"
    pos.stocked({x: {"6002": 2}})
    assert offer(pos, name, {x: 2}) == YES
    assert offer(pos, name, {x: 2}) == YES
    assert pos.stock_of(x) == {"6002": (2, 2)}
    note = note_of(pos, name)
    box = Box(express="SF", waybill=f"{name}-1", codes=(code(x, "6002", 0), code(x, "6002", 1)))
    do(pos, shipping.check_out, Checkout(note=note, boxes=(box,), who="staff", late_reason="盘点"))
    (said,) = pos.until(lambda: pos.stub.of("checkout", dispatchNO=name))
    assert said == {
        "dispatchNO": name,
        "over24hReason": "盘点",
        "packages": [{"express": "SF", "waybillCode": f"{name}-1", "sns": list(box.codes)}],
    }
    change = NewWaybill(note=note, target=f"{name}-1", express="YTO", waybill="Y1", who="staff")
    do(pos, returning.change_waybill, change)
    (said,) = pos.until(lambda: pos.stub.of("waybillchange", dispatchNO=name))
    assert said == {
        "dispatchNO": name,
        "targetbillCode": f"{name}-1",
        "express": "YTO",
        "waybillCode": "Y1",
    }
    back = Return(outlet="6003", code=box.codes[0], waybill="R1", express="SF", who="staff")
    do(pos, returning.receive, back)
    (said,) = pos.until(lambda: pos.stub.of("refund", sn=box.codes[0]))
    assert said == {"shopCode": "6003", "express": "SF", "waybillCode": "R1", "sn": box.codes[0]}
    assert pos.call("pushcancel", {"dispatchNO": name, "shopCode": "6002"}) == no("通知单已出库")


def test_what_an_outlet_has_not_goes_back_whole(pos: Shops, name: str) -> None:
    """实时校验库存调用退单接口: pos/refuse with 库存不足; the outlet's people may refuse too."""
    x = f"{name}X/C/S"
    pos.stocked({x: {"6002": 1, "6003": 9}})
    assert offer(pos, f"{name}a", {x: 2}) == YES
    (said,) = pos.until(lambda: pos.stub.of("refuse", dispatchNO=f"{name}a"))
    assert said == {"dispatchNO": f"{name}a", "reason": "库存不足"}
    assert offer(pos, f"{name}b", {x: 1}) == YES
    refusal = Refusal(note=note_of(pos, f"{name}b"), who="staff", reason="残次")
    do(pos, refusing.refuse, refusal)
    (said,) = pos.until(lambda: pos.stub.of("refuse", dispatchNO=f"{name}b"))
    assert said["reason"] == "残次"
    assert pos.stock_of(x) == {"6002": (1, 0), "6003": (9, 0)}


def test_a_note_is_given_up_while_nothing_left(pos: Shops, name: str) -> None:
    """Unknown is 通知单不存在, and stays void should it come; twice is success."""
    x = f"{name}X/C/S"
    pos.stocked({x: {"6002": 1}})
    cancel = {"dispatchNO": name, "shopCode": "6002"}
    assert offer(pos, name, {x: 1}) == YES
    assert pos.call("pushcancel", cancel) == YES
    assert pos.call("pushcancel", cancel) == YES
    assert pos.stock_of(x) == {"6002": (1, 0)}
    late = {"dispatchNO": f"{name}b"}
    assert pos.call("pushcancel", late) == no("通知单不存在")
    assert offer(pos, f"{name}b", {x: 1}) == YES
    assert pos.stock_of(x) == {"6002": (1, 0)}


def test_unknown_goods_and_outlets_are_a_final_no(pos: Shops, name: str) -> None:
    assert offer(pos, name, {"no/such/thing": 1}) == no("商品不存在：no/such/thing")
    assert offer(pos, name, {"G1/C1/S1": 1}, outlet="9999") == no("门店不存在：9999")
    status, said = pos.call("pushorder", {"dispatchNO": name})
    assert (status, said["success"]) == (400, False)


def test_paths_may_be_written_as_a_query(pos: Shops, name: str) -> None:
    """The document writes both."""
    reply = pos.http.post(f"{pos.base}?method=pushcancel", json={"dispatchNO": name})
    assert (reply.status_code, reply.json()) == no("通知单不存在")
    assert pos.http.post(f"{pos.base}?method=nothing", json={}).status_code == 404


def request(pos: Shops, number: str, sku: str) -> None:
    """Sell in a store what others are to ship."""

    async def work(hub: Hub) -> Any:
        tenant_id = hub.registry.tenant("partners")
        order = NewOrder(
            number=number,
            lines=(Wanted(name=sku, qty=2),),
            digest=hashlib.sha256(number.encode()).digest(),
            partner=hub.registry.named(tenant_id, "storepos").partner,
            who="staff",
        )
        receiver = Receiver(
            name="张三", phone="1", province="浙江省", city="杭州市", address="一号"
        )
        new = NewDispatch(order=order, receiver=receiver, shop="6001", purchase="XP", member="V")
        return await hub.db.run(tenant_id, lambda tx: intake.request(tx, [new]))

    beside(pos, work)


def beside(pos: Shops, work: Any) -> Any:
    """Do something beside the server."""
    return asyncio.run(pos.running.do(work))


def parcel(number: str, sku: str, n: int, **more: str) -> dict[str, Any]:
    """Return a transfer as the OMS tells of it."""
    product, color, size = sku.split("/")
    item = {"product": product, "color": color, "size": size, "sn": f"{number}-{n}"}
    box = {"express": "SF", "waybillCode": f"{number}-W{n}", "items": [item]}
    head = {"transferCode": f"{number}-T{n}", "shipCode": "6002", "shipName": "杭州武林店"}
    return {**head, "express": "SF", "waybillCode": box["waybillCode"], "packages": [box], **more}


def test_an_order_of_ours_is_followed_to_its_end(pos: Shops, name: str) -> None:
    """Parcels, the end, new waybills and returns are written down once; our stock is not moved."""
    x = f"{name}X/C/S"
    pos.stocked({x: {"6001": 0}})
    request(pos, name, x)
    (said,) = pos.until(lambda: pos.stub.of("ordermake", dispatchNO=name))
    assert (said["shopCode"], said["purchaseCode"], said["items"][0]["qty"]) == ("6001", "XP", 2)
    first = parcel(name, x, 1, dispatchNO=name)
    assert pos.call("pushpackage", first) == YES
    assert pos.call("pushpackage", first) == YES
    assert pos.state(name) == "partly_shipped"
    transfers = [parcel(name, x, 1), parcel(name, x, 2)]
    assert pos.call("pushcomplete", {"dispatchNO": name, "transfers": transfers}) == YES
    assert pos.state(name) == "shipped"
    change = {"targetbillCode": f"{name}-W1", "express": "YTO", "waybillCode": f"{name}-Y1"}
    for _ in range(2):
        assert pos.call("pushwaybill", change) == YES
    assert pos.call("pushwaybill", {**change, "targetbillCode": "nope"}) == no("运单号不存在")
    back = {
        "transferCode": f"{name}-T1", "dispatchNO": name, "receiverCode": "6003", "receiverName": "",
        "express": "SF", "waybillCode": "R1", "product": f"{name}X", "color": "C", "size": "S",
        "sn": f"{name}-1",
    }  # fmt: skip
    assert pos.call("pushreceipt", back) == YES
    assert pos.call("pushreceipt", back) == YES
    assert pos.call("pushreceipt", {**back, "sn": "nope"})[1]["success"] is False
    assert pos.call("pushpackage", {**first, "dispatchNO": "nope"}) == no("通知单不存在")
    assert pos.stock_of(x) == {"6001": (0, 0)}


@pytest.mark.parametrize(
    ("answer", "state"), [(YES, "cancelled"), (no("通知单已经出库"), "accepted")]
)
def test_what_the_oms_answers_decides_a_void(
    pos: Shops, name: str, answer: Answer, state: str
) -> None:
    """Void: a parcel that comes all the same is 通知单已作废."""
    x = f"{name}X/C/S"
    pos.stocked({x: {"6001": 0}})
    request(pos, name, x)
    pos.until(lambda: pos.stub.of("ordermake", dispatchNO=name))
    pos.stub.answers["orderremove"] = answer

    async def void(hub: Hub) -> Any:
        tenant_id = hub.registry.tenant("partners")
        connection_id = hub.registry.named(tenant_id, "storepos").partner.id
        given_up = Cancellation(number=name, connection_id=connection_id, who="staff")
        return await hub.db.run(tenant_id, lambda tx: told.cancel(tx, [given_up]))

    beside(pos, void)
    pos.until(lambda: pos.stub.of("orderremove", dispatchNO=name))
    pos.until(lambda: pos.state(name) == state)
    said = pos.call("pushpackage", parcel(name, x, 1, dispatchNO=name))
    assert said == (no("通知单已作废") if state == "cancelled" else YES)


def test_codes_that_lie_there_are_found_for_what_is_open(pos: Shops, name: str) -> None:
    """What people need not type."""
    x = f"{name}X/C/S"
    pos.stocked({x: {"6002": 3}})
    offer(pos, name, {x: 2})

    async def rest(tx: Any) -> list[str]:
        return await outlets.rest_in_stock(tx, await desk.note(tx, name))

    assert pos.run(rest) == [code(x, "6002", 0), code(x, "6002", 1)]
