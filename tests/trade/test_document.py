"""Document 003's own requests, in its order, get its own replies: every key, its order, its types, its zeros.

What differs is said where it differs: ids and times; who did it, where one person may not; the figures of
DD-53 and DD-54 that no rule gives (``price`` 33, ``rebate`` 10, ``total`` 0 and -1).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from tests.trade.conftest import Screens

_PICTURES = "http://asae.oss-cn-beijing.aliyuncs.com/uploads/product"
SCALLOP = f"{_PICTURES}/201707/1b56214371d52d1e5d47cef59b55b31a.jpg"
CRAB = f"{_PICTURES}/201804/323ad7af9dad4e58306d9548843f7dfa.jpg"


class Like(Struct, frozen=True):
    """A text of a pattern, or an id above 0."""

    pattern: str = ""

    def fits(self, got: object) -> bool:
        """Tell whether it is one."""
        if self.pattern:
            return isinstance(got, str) and re.fullmatch(self.pattern, got) is not None
        return type(got) is int and got > 0


ID, DATE, TIME = Like(), Like(r"\d{4}-\d\d-\d\d"), Like(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
AP, SR = Like(r"AP\d{6}\d{7}"), Like(r"SR\d{6}\d{7}")


def same(got: Any, wanted: Any, where: str = "") -> None:
    """Compare: keys in their order, values with their types (1 is neither 1.0 nor true)."""
    if isinstance(wanted, Like):
        assert wanted.fits(got), (where, got)
    elif isinstance(wanted, dict):
        assert list(got) == list(wanted), where
        for key, value in wanted.items():
            same(got[key], value, f"{where}.{key}")
    elif isinstance(wanted, list):
        assert len(got) == len(wanted), where
        for at, value in enumerate(wanted):
            same(got[at], value, f"{where}[{at}]")
    else:
        assert (type(got), got) == (type(wanted), wanted), where


async def asked(
    screens: Screens, who: str, method: str, path: str, body: object = None, query: str = ""
) -> Any:
    """Make a call that succeeds; return its data."""
    got = await screens.call(who, method, path, body, query)
    assert (got.status, list(got.body)) == (200, ["code", "msg", "data"])
    assert (got.code, got.body["msg"]) == (100000, "")
    return got.data


def adjustment(order: str, kind: str) -> dict[str, Any]:
    """Return DD-1's request."""
    line = {
        "saOrderId": order, "productId": 1, "productUnitId": 1, "pcount": 1, "salePrice": 2,
        "askPrice": 1,
    }  # fmt: skip
    return {"saOrderId": order, "customerId": 149, "type": kind, "orderApPros": [line]}


async def test_adjustments(screens: Screens) -> None:
    """DD-1 to DD-7."""
    first = await asked(screens, "sales", "PUT", "/v2/order/ap", adjustment("test-03", "BEFORE"))
    same(first, AP)
    assert await asked(screens, "cpa", "POST", f"/v2/order/ap/pass/{first}") is None
    refused = await asked(screens, "sales", "PUT", "/v2/order/ap", adjustment("test-01", "BEFORE"))
    assert await asked(screens, "cpa", "POST", f"/v2/order/ap/refuse/{refused}", "xxx") is None
    done = await asked(screens, "sales", "PUT", "/v2/order/ap", adjustment("test-05", "AFTER"))
    assert await asked(screens, "cpa", "POST", f"/v2/order/ap/pass/{done}") is None
    assert await asked(screens, "finance", "POST", f"/v2/order/ap/complete/{done}") is None
    assert [int(number[-7:]) for number in (first, refused, done)] == [1, 2, 3]
    query = f"orderIdKeyWord={refused}&saOrderIdKeyWord=test&pageNo=1&pageSize=25"
    same(await asked(screens, "sales", "GET", "/v2/order/ap", query=query), _listed(refused))
    same(await asked(screens, "sales", "GET", f"/v2/order/ap/detail/{done}"), _detail(done))
    same(
        await asked(screens, "sales", "GET", f"/v2/order/ap/log/{done}"),
        {
            "buttonPermissions": [],
            "dataSums": None,
            "datas": _log(done),
            "pageNo": 1,
            "total": 3,
        },
    )


def _listed(number: str) -> dict[str, Any]:
    row = {
        "completeTime": "", "createRole": 1, "createTime": DATE, "createUser": 518,
        "createUserName": "孙启萌", "customerId": 149, "deleteFlg": 0, "id": ID, "mainOrderId": "",
        "modifyTime": DATE, "orderId": number, "passTime": "", "platformId": 1, "remark": "",
        "runTime": DATE, "saOrderId": "test-01", "status": "INVALID", "totalAskPrice": 1,
        "totalBalancePrice": -1, "totalSalePrice": 2, "type": "BEFORE",
    }  # fmt: skip
    buttons = {
        "deleteButton": True, "refuseButton": False, "passButton": False, "logButton": True,
        "completeButton": False,
    }  # fmt: skip
    return {
        "buttonPermissions": [buttons], "dataSums": None, "datas": [row], "pageNo": 1, "total": 1,
    }  # fmt: skip


def _log(number: str) -> list[dict[str, Any]]:
    said = (
        (Like(r"退款流水号为：\d{32}"), 3, 520, "钱财"),
        ("CPA审核通过", 2, 519, "郑审"),
        ("创建调价单", 1, 518, "孙启萌"),
    )
    return [
        {
            "id": ID, "opInfo": info, "opRole": role, "opTime": DATE, "opUser": user,
            "opUserName": name, "orderId": number,
        }
        for info, role, user, name in said
    ]  # fmt: skip


def _detail(number: str) -> dict[str, Any]:
    unit = {
        "guige": "500g(23-25枚）/盒", "id": 1, "name": "香草凤尾虾", "perunit": 1, "pno": "0151",
        "productId": 1, "unit": "盒",
    }  # fmt: skip
    line = {
        "askPrice": 1, "balance": -1, "deleteFlg": 0, "id": ID, "orderId": number, "pcount": 1,
        "productId": 1, "productUnit": unit, "productUnitId": 1, "saOrderId": "test-05",
        "salePrice": 2,
    }  # fmt: skip
    return {
        "completeTime": DATE, "createRole": 1, "createTime": DATE, "createUser": 518,
        "createUserName": "孙启萌", "customerId": 149, "deleteFlg": 0, "id": ID, "mainOrderId": "",
        "modifyTime": DATE, "orderApLogs": _log(number), "orderApPros": [line], "orderId": number,
        "passTime": DATE, "platformId": 1, "remark": "", "runTime": DATE, "saOrderId": "test-05",
        "status": "COMPLETE", "totalAskPrice": 1, "totalBalancePrice": -1, "totalSalePrice": 2,
        "type": "AFTER",
    }  # fmt: skip


def sales_return(freight: int) -> dict[str, Any]:
    """Return DD-51's and DD-52's request."""
    head = {
        "platformId": 1, "customerId": 32805, "saOrderId": "SA180611037577", "toDepotId": 40,
        "toDepotName": "DC（大连铁越仓）", "remark": "这是一句备注", "isFreight": freight,
    }  # fmt: skip
    lines = [
        {
            "productId": product, "productunitId": unit, "pcount": 1, "oldPrice": price,
            "price": price, "giftFlg": 0,
        }
        for product, unit, price in ((4152, 7383, 391), (100, 184, 21))
    ]  # fmt: skip
    return {"orderSr": head, "orderSrPro": lines}


async def test_returns(screens: Screens) -> None:
    """DD-51 to DD-58: 402 with the freight, 382 without it."""
    order = "/order/sr/detail/sa/SA180611037577"
    same(await asked(screens, "sales", "GET", order), _blank(_of_order()))
    calculation = {
        "orderSr": {"saOrderId": "SA180611037577", "isFreight": 1},
        "orderSrPro": [
            {"productunitId": 7383, "pcount": 1, "price": 391, "giftFlg": 0},
            {"productunitId": 184, "pcount": 1, "price": 21, "giftFlg": 0},
        ],
    }
    calculated = await asked(screens, "sales", "PUT", "/order/sr/calculatediscount", calculation)
    same(calculated, _blank(_calculated()))
    assert await asked(screens, "sales", "POST", "/order/sr", sales_return(1)) is None
    query = "buttonPermissionFlg=1&order=SA180611037577&status=INVALID&customerName=金鹏"
    (row,) = (await asked(screens, "sales", "GET", "/order/sr", query=query))["datas"]
    assert (row["totalPrice"], row["modifyTime"]) == (402, "")
    number = row["orderId"]
    assert await asked(screens, "sales", "PUT", f"/order/sr/{number}", sales_return(0)) is None
    same(await asked(screens, "sales", "GET", "/order/sr", query=query), _sr_listed())
    hidden = await asked(screens, "sales", "GET", "/order/sr", query=query.partition("&")[2])
    assert hidden["buttonPermissions"] == []
    same(await asked(screens, "sales", "GET", f"/order/sr/detail/{number}"), _sr_detail(number))
    for who, status in (
        ("sales", "RUN"),
        ("cpa", "INVALID"),
        ("sales", "RUN"),
        ("cpa", "FMS_PASS"),
    ):
        body = {"status": status}
        assert await asked(screens, who, "PUT", f"/order/sr/status/{number}", body) is None
    left = [
        line["leftPcount"] for line in (await asked(screens, "cpa", "GET", order))["orderSrPro"]
    ]
    assert left == [0, 0]
    body = {"status": "COMPLETE"}
    assert await asked(screens, "finance", "PUT", f"/order/sr/status/{number}", body) is None
    shown = await asked(screens, "sales", "GET", f"/order/sr/detail/{number}")
    assert (shown["status"], shown["totalPrice"]) == ("COMPLETE", 382)
    same(shown["orderSrLog"][0]["opInfo"], Like(r"退款流水号为：\d{32}"))


async def test_a_draft_is_deleted(screens: Screens) -> None:
    """DD-56."""
    body = sales_return(1)
    body["orderSr"] |= {"saOrderId": "test-05", "customerId": 149}
    body["orderSrPro"] = [
        {"productId": 1, "productunitId": 1, "pcount": 1, "oldPrice": 2, "price": 2, "giftFlg": 0}
    ]
    assert await asked(screens, "sales", "POST", "/order/sr", body) is None
    (row,) = (await asked(screens, "sales", "GET", "/order/sr", query="order=test-05"))["datas"]
    assert await asked(screens, "sales", "DELETE", f"/order/sr/{row['orderId']}") is None
    gone = await screens.call("sales", "GET", f"/order/sr/detail/{row['orderId']}")
    assert (gone.status, gone.code, gone.data) == (200, 100404, None)


def _blank(said: dict[str, Any]) -> dict[str, Any]:
    """Return DD-57's and DD-58's data: everything empty but what is said."""
    empty = {
        "completeTime": "", "createRole": 0, "createTime": "", "createUser": 0, "createUserName": "",
        "customerId": 0, "customerName": "", "customerType": "", "deleteFlg": 0, "discountPrice": 0,
        "freight": 0, "id": 0, "isFreight": 0, "isParent": 0, "jian": 0, "modifyTime": "",
        "orderId": "", "orderSrLog": None, "orderSrPro": [], "passTime": "", "platformId": 0,
        "price": 0, "rebate": 0, "rebatePrice": 0, "receiveTime": "", "refuseTime": "", "remark": "",
        "saOrderId": "SA180611037577", "san": 0, "status": None, "toDepotId": 0, "toDepotName": "",
        "totalPrice": 0,
    }  # fmt: skip
    return {**empty, **said}


def _line(**said: object) -> dict[str, Any]:
    empty = {
        "deleteFlg": 0, "giftFlg": 0, "guige": "", "id": 0, "leftPcount": 0, "mainImg": "",
        "oldPrice": 0, "orderId": "", "pcount": 0, "pno": "", "price": 0, "productId": 0,
        "productName": "", "productunitId": 0, "totalPrice": 0, "unit": "",
    }  # fmt: skip
    return {**empty, **said}


def _of_order() -> dict[str, Any]:
    lines = [
        _line(
            guige="500g/袋*16袋", leftPcount=1, mainImg=SCALLOP, oldPrice=391, pno="1362",
            productId=4152, productName="原浆生开扇贝肉", productunitId=7383, unit="件",
        ),
        _line(
            guige="1000g", leftPcount=1, mainImg=CRAB, oldPrice=21, pno="277", productId=100,
            productName="蟹足棒（模拟蟹肉）", productunitId=184, unit="袋",
        ),
    ]  # fmt: skip
    name = "沈阳市皇姑区金鹏小火锅餐厅"
    return {"customerId": 32805, "customerName": name, "freight": 10, "orderSrPro": lines}


def _calculated() -> dict[str, Any]:
    lines = [
        _line(pcount=1, price=price, productunitId=unit, totalPrice=price)
        for unit, price in ((7383, 391), (184, 21))
    ]
    return {
        "discountPrice": 20, "freight": 10, "isFreight": 1, "jian": 1, "orderSrPro": lines,
        "price": 412, "rebate": 20, "san": 1, "totalPrice": 402,
    }  # fmt: skip


def _sr_listed() -> dict[str, Any]:
    row = {
        "completeTime": "", "createRole": 1, "createTime": TIME, "createUser": 518,
        "createUserName": "孙启萌", "customerId": 32805, "customerName": "沈阳市皇姑区金鹏小火锅餐厅",
        "customerType": "A", "deleteFlg": 0, "discountPrice": 20, "freight": 10, "id": ID,
        "isFreight": 0, "isParent": 0, "jian": 1, "modifyTime": TIME, "orderId": SR,
        "orderSrLog": None, "orderSrPro": None, "passTime": "", "platformId": 1, "price": 412,
        "rebate": 20, "rebatePrice": 0, "receiveTime": "", "refuseTime": "", "remark": "这是一句备注",
        "saOrderId": "SA180611037577", "san": 1, "status": "INVALID", "toDepotId": 40,
        "toDepotName": "DC（大连铁越仓）", "totalPrice": 382,
    }  # fmt: skip
    buttons = {
        "setRunButton": True, "detailButton": True, "editButton": True, "delButton": True,
        "passButton": False, "refuseButton": False, "refundButton": False,
    }  # fmt: skip
    return {
        "buttonPermissions": [buttons], "dataSums": None, "datas": [row], "pageNo": 1, "total": 1,
    }  # fmt: skip


def _sr_detail(number: str) -> dict[str, Any]:
    log = [
        {
            "id": ID, "opInfo": info, "opRole": 1, "opTime": TIME, "opUser": 518,
            "opUserName": "孙启萌", "orderId": number,
        }
        for info in ("修改退货单", "创建退货单")
    ]  # fmt: skip
    goods = (
        ("500g/袋*16袋", SCALLOP, 391, "1362", 4152, "原浆生开扇贝肉", 7383, "件"),
        ("1000g", CRAB, 21, "277", 100, "蟹足棒（模拟蟹肉）", 184, "袋"),
    )
    lines = [
        {
            "deleteFlg": 0, "giftFlg": 0, "guige": guige, "id": ID, "mainImg": picture,
            "oldPrice": price, "orderId": number, "pcount": 1, "pno": pno, "price": price,
            "productId": product, "productName": name, "productunitId": unit_id,
            "totalPrice": price, "unit": unit,
        }
        for guige, picture, price, pno, product, name, unit_id, unit in goods
    ]  # fmt: skip
    listed = _sr_listed()["datas"][0]
    del listed["receiveTime"]  # DD-54 leaves it out
    return {**listed, "orderId": number, "orderSrLog": log, "orderSrPro": lines}
