"""门店下单: a store's order from ordermake to pushcomplete, on the wire."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.storepos.shops import YES, code, document, no

if TYPE_CHECKING:
    from tests.storepos.shops import Shops


def test_a_split_order_is_told_parcel_by_parcel_and_then_complete(shops: Shops, name: str) -> None:
    """One pushorder an outlet, one pushpackage a checkout, one pushcomplete with a transfer an outlet."""
    x, y = f"{name}X/C/S", f"{name}Y/C/S"
    shops.stocked({x: {"6002": 3}, y: {"6003": 1}})
    assert shops.order(name, {x: 2, y: 1}) == YES
    first, second = shops.note(name, "6002"), shops.note(name, "6003")
    (asked,) = shops.stub.of("pushorder", dispatchNO=first)
    assert asked == {
        "shopCode": "6002",
        "dispatchNO": first,
        "purchaseNumber": f"XP-{name}",
        "receiver": "张三",
        "phone": "13800138000",
        "province": "浙江省",
        "city": "杭州市",
        "county": "西湖区",
        "address": "文三路1号",
        "express": "",
        "items": [{"product": f"{name}X", "color": "C", "size": "S", "qty": 2}],
    }
    assert list(asked)[:3] == ["shopCode", "dispatchNO", "purchaseNumber"]
    assert shops.check_out(first, {f"{name}-1": [code(x, "6002", 0)]}) == YES
    assert shops.state(name) == "partly_shipped"
    assert shops.check_out(second, {f"{name}-2": [code(y, "6003", 0)]}) == YES
    assert not shops.stub.of("pushcomplete", dispatchNO=name)
    assert shops.check_out(first, {f"{name}-3": [code(x, "6002", 1)]}) == YES
    (end,) = shops.until(lambda: shops.stub.of("pushcomplete", dispatchNO=name))
    told = shops.stub.of("pushpackage", dispatchNO=name)
    assert [(one["transferCode"], one["waybillCode"], one["shipName"]) for one in told] == [
        (first, f"{name}-1", "杭州武林店"),
        (second, f"{name}-2", "南京新街口店"),
        (first, f"{name}-3", "杭州武林店"),
    ]
    assert told[0]["packages"] == [
        {
            "express": "SF",
            "waybillCode": f"{name}-1",
            "items": [{"product": f"{name}X", "color": "C", "size": "S", "sn": code(x, "6002", 0)}],
        }
    ]
    assert [(t["transferCode"], len(t["packages"])) for t in end["transfers"]] == [
        (first, 2),
        (second, 1),
    ]
    assert shops.state(name) == "shipped"
    assert shops.stock_of(x) == {"6002": (1, 0)}


def test_what_nobody_has_is_final(shops: Shops, name: str) -> None:
    """A partial shortage ships what exists; nothing at all is oversold: no transfers. The shop ships none."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6002": 1, "6001": 5}})
    assert shops.order(f"{name}a", {x: 3}) == YES
    assert shops.order(f"{name}b", {x: 1}) == YES
    (end,) = shops.until(lambda: shops.stub.of("pushcomplete", dispatchNO=f"{name}b"))
    assert end == {"dispatchNO": f"{name}b", "transfers": []}
    assert shops.state(f"{name}b") == "oversold"
    note = shops.note(f"{name}a", "6002")
    assert shops.check_out(note, {f"{name}-1": [code(x, "6002", 0)]}) == YES
    (end,) = shops.until(lambda: shops.stub.of("pushcomplete", dispatchNO=f"{name}a"))
    assert [t["transferCode"] for t in end["transfers"]] == [note]
    assert shops.state(f"{name}a") == "short"
    assert shops.call("pos/orderremove", {"dispatchNO": f"{name}b"}) == YES
    assert shops.state(f"{name}b") == "oversold"


def test_an_order_is_taken_once_per_number(shops: Shops, name: str) -> None:
    """The same again, also at the same instant, is 200 and one order; other content is 409."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6002": 9}})
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shops.order(name, {x: 1}), range(8)))
    assert answers == [YES] * 8
    assert shops.order(name, {x: 1}, memberCode="VIP1 ", extra="kept") == YES
    status, said = shops.order(name, {x: 2})
    assert (status, said["success"]) == (409, False)
    assert len(shops.notes(name)) == 1
    assert shops.stock_of(x) == {"6002": (9, 1)}


def test_unknown_goods_and_shops_are_422_and_nothing_is_stored(shops: Shops, name: str) -> None:
    """All of it or nothing; the number stays free."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6002": 1}})
    status, said = shops.order(name, {x: 1, f"{name}Z/C/S": 1})
    assert (status, said["success"]) == (422, False)
    assert f"{name}Z/C/S" in said["msg"]
    status, said = shops.order(name, {x: 1}, shopCode="9999")
    assert (status, said["msg"]) == (422, "门店不存在：9999")
    assert shops.order(name, {x: 1}) == YES


REQUIRED = {
    "pos/ordermake": (
        document("N", {"A/B/C": 1}),
        {"purchaseCode", "memberCode", "county"},
    ),
    "pos/orderremove": ({"dispatchNO": "N"}, set()),
    "pos/checkout": (
        {
            "dispatchNO": "N",
            "over24hReason": "r",
            "packages": [{"express": "SF", "waybillCode": "W", "sns": ["S"]}],
        },
        {"over24hReason"},
    ),
    "pos/refuse": ({"dispatchNO": "N", "reason": "r"}, {"reason"}),
    "pos/refund": (
        {"shopCode": "6001", "express": "SF", "waybillCode": "W", "sn": "S"},
        {"express"},
    ),
    "pos/delivery/waybillchange": (
        {"dispatchNO": "N", "targetbillCode": "W", "express": "SF", "waybillCode": "V"},
        set(),
    ),
}


@pytest.mark.parametrize("path", REQUIRED)
def test_what_is_required_is_named_when_it_lacks(shops: Shops, path: str) -> None:
    """Absent, null and blank are missing: 400 with the path; optional fields may be all three."""
    whole, optional = REQUIRED[path]
    for field in whole:
        for value in (None, "", "  ", "absent"):
            body = {**whole, field: value, "dispatchNO": "N"} if field != "dispatchNO" else {}
            body = body or {**whole, field: value}
            if value == "absent":
                del body[field]
            status, said = shops.call(path, body)
            assert (status == 400) == (field not in optional), (field, value, said)
            if status == 400:
                assert said["success"] is False
                assert field in said["msg"]


@pytest.mark.parametrize(
    ("path", "change", "named"),
    [
        ("pos/ordermake", {"items": []}, "items"),
        ("pos/ordermake", {"items": [{"product": "A", "color": "B", "size": "C", "qty": 0}]}, "items[0].qty"),
        ("pos/ordermake", {"items": [{"product": "A", "color": "B", "qty": 1}]}, "items[0].size"),
        ("pos/ordermake", {"phone": 138}, "phone"),
        ("pos/checkout", {"packages": [{"express": "S", "waybillCode": "W", "sns": [1]}]}, "packages[0].sns"),
        ("pos/checkout", {"packages": [{"express": "SF", "sns": ["S"]}]}, "packages[0].waybillCode"),
    ],
)  # fmt: skip
def test_what_does_not_decode_is_400_by_its_path(
    shops: Shops, path: str, change: dict[str, object], named: str
) -> None:
    """Nothing is taken."""
    status, said = shops.call(path, {**REQUIRED[path][0], **change})
    assert (status, said["success"]) == (400, False)
    assert named in said["msg"]


@pytest.mark.parametrize("path", REQUIRED)
def test_what_does_not_decode_is_found_by_its_number_all_the_same(
    shops: Shops, name: str, path: str
) -> None:
    """The store asks why its order was refused, and knows its number only."""
    by = "sn" if path == "pos/refund" else "dispatchNO"
    assert shops.call(path, {**REQUIRED[path][0], by: name, "theirs": "\0"})[0] == 400
    assert shops.until(lambda: shops.exchanges(name)) == [(f"/{path}", 400)]


def test_the_end_is_told_when_every_parcel_was(shops: Shops, name: str) -> None:
    """While a pushpackage is tried again the pushcomplete waits behind it."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6002": 1}})
    shops.order(name, {x: 1})
    note = shops.note(name, "6002")
    shops.stub.answers["pushpackage"] = (503, {})
    assert shops.check_out(note, {f"{name}-1": [code(x, "6002", 0)]}) == YES
    shops.until(lambda: len(shops.stub.of("pushpackage", dispatchNO=name)) > 2)
    assert not shops.stub.of("pushcomplete", dispatchNO=name)
    del shops.stub.answers["pushpackage"]
    shops.until(lambda: shops.stub.of("pushcomplete", dispatchNO=name))


def test_a_store_that_says_void_after_goods_left_is_shown_to_a_person(
    shops: Shops, name: str
) -> None:
    """It is a conflict, not a retry; the end is still told."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6002": 1}})
    shops.order(name, {x: 1})
    note = shops.note(name, "6002")
    shops.stub.answers["pushpackage"] = no("通知单已作废")
    assert shops.check_out(note, {f"{name}-1": [code(x, "6002", 0)]}) == YES
    shops.until(lambda: shops.stub.of("pushcomplete", dispatchNO=name))
    assert len(shops.stub.of("pushpackage", dispatchNO=name)) == 1
    assert shops.until(lambda: shops.discrepancies(name)) == ["store_refused"]


def test_the_paths_that_the_document_leaves_open_are_settings(shops: Shops, name: str) -> None:
    """A path of its own for each call, or all of them as a query."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6001": 1}})
    shops.set(paths__pushcomplete="oms/the-end")
    shops.order(f"{name}a", {x: 1})
    shops.until(lambda: shops.stub.of("the-end", dispatchNO=f"{name}a"))
    shops.set(paths__pushcomplete="", path_style="query")
    shops.order(f"{name}b", {x: 1})
    end = {"dispatchNO": f"{name}b", "transfers": []}
    shops.until(lambda: [path for path, body in list(shops.stub.calls) if body == end])
    (path,) = [path for path, body in shops.stub.calls if body == end]
    assert path.endswith("?method=pushcomplete")
    shops.set(path_style="")
