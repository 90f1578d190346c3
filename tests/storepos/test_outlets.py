"""门店发货: what outlets answer, ship, refuse, take back and relabel, on the wire."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from entrepot.dispatch import desk, outlets
from entrepot.orders.rules import StepBy
from entrepot.stock import views
from tests.storepos.shops import YES, Answer, code, no

if TYPE_CHECKING:
    from tests.storepos.shops import Shops

VOID, LEFT, UNKNOWN = no("通知单已作废"), no("通知单已出库"), no("通知单不存在")


def refuse(shops: Shops, note: str, reason: str = "不行") -> Answer:
    """Have an outlet refuse a note."""
    return shops.call("pos/refuse", {"dispatchNO": note, "reason": reason})


def test_a_no_to_a_pushorder_is_a_refusal(shops: Shops, name: str) -> None:
    """The goods go to the next outlet, and the one that said no is not asked again."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6002": 1, "6003": 1}})
    shops.stub.answers["pushorder"] = lambda body: (
        no("没有货") if body["shopCode"] == "6002" else YES
    )
    shops.order(name, {x: 1})
    shops.note(name, "6003")
    first, second = shops.notes(name)
    assert (first.outlet, first.state, first.reason) == ("6002", "refused", "没有货")
    assert (second.outlet, second.state, second.round) == ("6003", "open", 2)


def test_a_refusal_may_overtake_the_answer_to_its_pushorder(shops: Shops, name: str) -> None:
    """The outlet refuses while our pushorder still waits, and then answers it with success."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6002": 1, "6003": 1}})
    said: list[Answer] = []

    def busy(body: Any) -> Answer:
        if (body["shopCode"], body["purchaseNumber"]) == ("6002", f"XP-{name}"):
            said.append(refuse(shops, body["dispatchNO"]))
        return YES

    shops.stub.answers["pushorder"] = busy
    shops.order(name, {x: 1})
    shops.note(name, "6003")
    assert said == [YES]
    assert [note.state for note in shops.notes(name)] == ["refused", "open"]
    assert shops.stock_of(x) == {"6002": (1, 0), "6003": (1, 1)}


def test_a_refusal_frees_what_has_not_left(shops: Shops, name: str) -> None:
    """The rest goes elsewhere; twice is success; a note that left whole is 通知单已出库."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6002": 2, "6003": 1}})
    shops.order(name, {x: 2})
    first = shops.note(name, "6002")
    boxes = {f"{name}-1": [code(x, "6002", 0)]}
    assert shops.check_out(first, boxes) == YES
    assert refuse(shops, first) == YES
    assert refuse(shops, first) == YES
    second = shops.note(name, "6003")
    assert shops.check_out(first, boxes) == YES, "the same again, after the rest was refused"
    assert shops.check_out(first, {f"{name}-2": [code(x, "6002", 1)]}) == VOID
    assert shops.check_out(second, {f"{name}-3": [code(x, "6003", 0)]}) == YES
    assert refuse(shops, second) == LEFT
    assert refuse(shops, "FH0") == UNKNOWN
    (end,) = shops.until(lambda: shops.stub.of("pushcomplete", dispatchNO=name))
    assert [t["transferCode"] for t in end["transfers"]] == [first, second]


def test_goods_are_offered_so_often_and_then_parked(shops: Shops, name: str) -> None:
    """A person offers them again; no outlet left beats parked."""
    x = f"{name}X/C/S"
    shops.stocked({x: dict.fromkeys(("6002", "6003", "6004"), 1)})
    shops.set(max_offers="2")
    shops.order(name, {x: 1})
    for outlet in ("6002", "6003"):
        assert refuse(shops, shops.note(name, outlet)) == YES
    assert shops.state(name) == "parked"
    shops.set(max_offers="")
    source(shops, name)
    assert refuse(shops, shops.note(name, "6004")) == YES
    assert shops.state(name) == "oversold"
    shops.until(lambda: shops.stub.of("pushcomplete", dispatchNO=name))


def source(shops: Shops, number: str) -> None:
    """Have a person offer an order again."""
    step = StepBy(number=number, who="a person")
    shops.run(lambda tx: desk.source(tx, [step]))


def test_wrong_pieces_are_named_and_nothing_is_applied(shops: Shops, name: str) -> None:
    """Unknown, of other goods, twice, more than asked, out already; nothing packed; an unknown note."""
    x, y = f"{name}X/C/S", f"{name}Y/C/S"
    shops.stocked({x: {"6002": 3}, y: {"6002": 1}})
    shops.order(name, {x: 2})
    note = shops.note(name, "6002")
    one, two, three = (code(x, "6002", n) for n in range(3))
    other = code(y, "6002", 0)
    for sns, named in (
        ([one, "nope"], ["nope"]),
        ([one, other], [other]),
        ([one, one], [one]),
        ([one, two, three], [three]),
    ):
        status, said = shops.check_out(note, {f"{name}-1": sns})
        assert (status, said["success"]) == (200, False)
        assert all(wrong in said["msg"] for wrong in named), said
        assert (one in said["msg"]) == (one in named)
    nothing: list[dict[str, list[str]]] = [
        {},
        {f"{name}-1": []},
        {f"{name}-1": [one], f"{name}-2": []},
    ]
    for boxes in nothing:
        assert shops.check_out(note, boxes)[1]["success"] is False
    assert shops.check_out("FH0", {f"{name}-1": [one]}) == UNKNOWN
    assert shops.stock_of(x) == {"6002": (3, 2)}
    assert shops.check_out(note, {f"{name}-1": [one]}) == YES
    status, said = shops.check_out(note, {f"{name}-2": [one]})
    assert (status, said["success"], one in said["msg"]) == (200, False, True)
    assert len(shops.until(lambda: shops.stub.of("pushpackage", dispatchNO=name))) == 1


def test_more_pieces_under_a_known_waybill_join_that_parcel(shops: Shops, name: str) -> None:
    """Those it holds are passed over; pushpackage carries the new ones; the same again tells nothing."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6002": 2}})
    shops.order(name, {x: 2})
    note = shops.note(name, "6002")
    one, two = (code(x, "6002", n) for n in range(2))
    assert shops.check_out(note, {f"{name}-1": [one]}) == YES
    assert shops.check_out(note, {f"{name}-1": [one]}) == YES
    assert shops.check_out(note, {f"{name}-1": [one, two]}) == YES
    (end,) = shops.until(lambda: shops.stub.of("pushcomplete", dispatchNO=name))
    told = shops.stub.of("pushpackage", dispatchNO=name)
    sns = [[item["sn"] for box in one["packages"] for item in box["items"]] for one in told]
    assert sns == [[one], [two]]
    (transfer,) = end["transfers"]
    assert [[item["sn"] for item in box["items"]] for box in transfer["packages"]] == [[one, two]]


def test_a_piece_recorded_elsewhere_is_moved_and_shown(shops: Shops, name: str) -> None:
    """What left is believed; the book follows."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6002": 1, "6003": 2}})
    shops.order(name, {x: 1})
    note = shops.note(name, "6002")
    assert shops.check_out(note, {f"{name}-1": [code(x, "6003", 0)]}) == YES
    assert shops.stock_of(x) == {"6002": (1, 0), "6003": (1, 0)}
    assert shops.until(lambda: shops.discrepancies(name)) == ["moved"]
    assert shops.run(views.discrepancies) == []


def test_a_return_raises_stock_where_it_comes_in(shops: Shops, name: str) -> None:
    """Any outlet, once; the store is told unless it received it itself; what is not out is refused."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6002": 2}})
    shops.order(name, {x: 2})
    note = shops.note(name, "6002")
    one, two = (code(x, "6002", n) for n in range(2))
    back = {"shopCode": "6005", "express": "SF", "waybillCode": f"{name}-R", "sn": one}
    status, said = shops.call("pos/refund", back)
    assert (status, said["success"], one in said["msg"]) == (200, False, True)
    assert shops.check_out(note, {f"{name}-1": [one, two]}) == YES
    with ThreadPoolExecutor(4) as pool:
        said4 = list(pool.map(lambda _: shops.call("pos/refund", back), range(4)))
    assert said4 == [YES] * 4
    assert shops.call("pos/refund", {**back, "sn": two, "shopCode": "6001"}) == YES
    assert shops.call("pos/refund", {**back, "waybillCode": f"{name}-R2"})[1]["success"] is False
    assert shops.call("pos/refund", {**back, "shopCode": "9999"})[1]["success"] is False
    assert shops.call("pos/refund", {**back, "sn": "nope"})[1]["success"] is False
    assert shops.stock_of(x) == {"6001": (1, 0), "6002": (0, 0), "6005": (1, 0)}
    (told,) = shops.until(lambda: shops.stub.of("pushreceipt", dispatchNO=name))
    assert told == {
        "transferCode": note,
        "dispatchNO": name,
        "receiverCode": "6005",
        "receiverName": "沈阳太原街店",
        "express": "SF",
        "waybillCode": f"{name}-R",
        "product": f"{name}X",
        "color": "C",
        "size": "S",
        "sn": one,
    }
    assert shops.order(f"{name}b", {x: 1}) == YES
    assert shops.check_out(shops.note(f"{name}b", "6005"), {f"{name}-2": [one]}) == YES
    back = {**back, "waybillCode": f"{name}-R3", "shopCode": "6002"}
    assert shops.call("pos/refund", back) == YES
    (told,) = shops.until(lambda: shops.stub.of("pushreceipt", dispatchNO=f"{name}b"))
    assert told["waybillCode"] == f"{name}-R3"


def test_a_waybill_changes_and_queued_pushes_keep_what_was_true(shops: Shops, name: str) -> None:
    """The store hears of it after the parcel; again is success; an unknown one is not."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6002": 1}})
    shops.order(name, {x: 1})
    note = shops.note(name, "6002")
    shops.stub.answers["pushpackage"] = (500, {})
    assert shops.check_out(note, {f"{name}-1": [code(x, "6002", 0)]}) == YES
    change = {
        "dispatchNO": note,
        "targetbillCode": f"{name}-1",
        "express": "YTO",
        "waybillCode": f"{name}-2",
    }
    assert shops.call("pos/delivery/waybillchange", change) == YES
    assert shops.call("pos/delivery/waybillchange", change) == YES
    wrong = {**change, "targetbillCode": "nope"}
    assert shops.call("pos/delivery/waybillchange", wrong) == no("运单号不存在")
    assert shops.call("pos/delivery/waybillchange", {**change, "dispatchNO": "FH0"}) == UNKNOWN
    assert shops.check_out(note, {f"{name}-1": [code(x, "6002", 0)]}) == YES
    del shops.stub.answers["pushpackage"]
    (told,) = shops.until(lambda: shops.stub.of("pushwaybill", targetbillCode=f"{name}-1"))
    assert told == {
        "targetbillCode": f"{name}-1",
        "express": "YTO",
        "waybillCode": f"{name}-2",
    }
    assert {one["waybillCode"] for one in shops.stub.of("pushpackage", dispatchNO=name)} == {
        f"{name}-1"
    }


def test_late_goods_need_their_reason_where_it_is_demanded(shops: Shops, name: str) -> None:
    """After 24 hours; before, and where nobody demands it, none is needed; a reason given is kept."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6002": 2}})
    shops.order(name, {x: 2})
    note = shops.note(name, "6002")
    shops.set(require_over24h_reason="on")
    assert shops.check_out(note, {f"{name}-1": [code(x, "6002", 0)]}) == YES
    shops.run(lambda tx: age(tx, note))
    boxes = {f"{name}-2": [code(x, "6002", 1)]}
    status, said = shops.check_out(note, boxes)
    assert (status, said["success"], "over24hReason" in said["msg"]) == (200, False, True)
    assert shops.check_out(note, boxes, over24hReason="盘点") == YES
    shops.set(require_over24h_reason="")
    assert shops.state(name) == "shipped"


async def age(tx: Any, note: str) -> None:
    """Let a note have been made 25 hours ago."""
    await tx.do(
        "UPDATE dispatch_note SET created_at = now() - interval '25 hours'"
        " WHERE tenant_id = $1 AND number = $2",
        note,
    )


@pytest.mark.parametrize(("text", "left"), [("缺货", (0, 0)), ("残次", (2, 0)), ("不行", (3, 0))])
def test_what_a_refusal_says_of_stock(
    shops: Shops, name: str, text: str, left: tuple[int, int]
) -> None:
    """Not in stock: nothing is there; damaged: what was asked for is not sellable; else unchanged."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6002": 3, "6003": 3}})

    async def reasons(tx: Any) -> None:
        found = await tx.rows(
            "SELECT id FROM connection WHERE tenant_id = $1 AND name = 'storepos'"
        )
        await outlets.set_reasons(tx, found[0]["id"], {"缺货": "empty", "残次": "unsellable"})

    shops.run(reasons)
    shops.order(name, {x: 1})
    assert refuse(shops, shops.note(name, "6002"), text) == YES
    assert shops.stock_of(x) == {"6002": left, "6003": (3, 1)}
