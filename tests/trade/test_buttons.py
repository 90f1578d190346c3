"""Every action is allowed exactly where its button is true."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from entrepot.connections import flows as connections
from entrepot.errors import Refused
from entrepot.people.rules import Actor, Role
from entrepot.returns import flows as returns
from entrepot.returns.rules import Act
from entrepot.stock import flows as stock
from tests.trade.conftest import Got

if TYPE_CHECKING:
    from entrepot.db import Tx
    from tests.trade.conftest import Screens

KEEPER = Actor(id=521, name="库管", role=Role.WAREHOUSE)
LOGINS = ("sales", "cpa", "finance", "warehouse", "admin")
AUTHORS = ("sales", "admin")

# How a paper filed by anybody gets into a state, by people who may always do it.
AP_WAYS = {
    ("BEFORE", "RUN"): (),
    ("BEFORE", "COMPLETE"): (("cpa", "pass"),),
    ("BEFORE", "INVALID"): (("cpa", "refuse"),),
    ("AFTER", "RUN"): (),
    ("AFTER", "PASS"): (("cpa", "pass"),),
    ("AFTER", "COMPLETE"): (("cpa", "pass"), ("finance", "complete")),
    ("AFTER", "INVALID"): (("cpa", "refuse"),),
}
AP_BUTTONS = {
    "pass": "passButton",
    "refuse": "refuseButton",
    "complete": "completeButton",
    "delete": "deleteButton",
}
SR_WAYS = {
    "INVALID": (),
    "RUN": (("author", "RUN"),),
    "FMS_PASS": (("author", "RUN"), ("cpa", "FMS_PASS")),
    "RECEIVE": (("author", "RUN"), ("cpa", "FMS_PASS"), ("depot", "receive")),
    "COMPLETE": (
        ("author", "RUN"),
        ("cpa", "FMS_PASS"),
        ("depot", "receive"),
        ("finance", "COMPLETE"),
    ),
}
SR_BUTTONS = {
    "RUN": "setRunButton",
    "FMS_PASS": "passButton",
    "INVALID": "refuseButton",
    "COMPLETE": "refundButton",
    "edit": "editButton",
    "delete": "delButton",
}


async def act_ap(screens: Screens, who: str, number: str, action: str) -> Got:
    """Take an action on an adjustment."""
    if action == "delete":
        return await screens.call(who, "DELETE", f"/v2/order/ap/{number}")
    body = "理由" if action == "refuse" else None
    return await screens.call(who, "POST", f"/v2/order/ap/{action}/{number}", body)


def sr_body(order: str) -> dict[str, Any]:
    """Return a return of one PU1."""
    line = {
        "productId": 1,
        "productunitId": 1,
        "pcount": 1,
        "oldPrice": 2,
        "price": 2,
        "giftFlg": 0,
    }
    head = {
        "customerId": 149, "saOrderId": order, "toDepotId": 40, "toDepotName": "大连", "isFreight": 1,
    }  # fmt: skip
    return {"orderSr": head, "orderSrPro": [line]}


async def act_sr(screens: Screens, who: str, number: str, action: str, order: str) -> Got:
    """Take an action on a return."""
    if action == "delete":
        return await screens.call(who, "DELETE", f"/order/sr/{number}")
    if action == "receive":
        return await sign_in(screens, number)
    if action == "edit":
        return await screens.call(who, "PUT", f"/order/sr/{number}", sr_body(order))
    return await screens.call(who, "PUT", f"/order/sr/status/{number}", {"status": action})


async def sign_in(screens: Screens, number: str) -> Got:
    """Sign a return in at the depot, by the depot's own command: no call leads there."""
    act = Act(number=number, action="receive", actor=KEEPER)
    (outcome,) = await screens.run(lambda tx: returns.act(tx, [act]))
    return Got(200, {"code": 100403 if isinstance(outcome, Refused) else 100000})


async def settle(screens: Screens, **settings: str) -> None:
    """Change the tenant's settings."""
    await screens.run(lambda tx: connections.set_tenant(tx, settings, "test"))


async def stocked(screens: Screens) -> None:
    """Have enough of PU1 to sell."""

    async def work(tx: Tx) -> None:
        article = await tx.value("SELECT id FROM article WHERE tenant_id = $1 AND sku = 'PU1'")
        places = await stock.locations(tx, ["40"])
        counted = stock.Count(article_id=article, location_id=places["40"], on_hand=10_000)
        await stock.count(tx, [counted])

    await screens.run(work)


@pytest.mark.parametrize("eyes", ["on", "off"])
@pytest.mark.parametrize("variant", ["BEFORE", "AFTER"])
async def test_an_adjustment_allows_what_its_buttons_show(
    screens: Screens, variant: str, eyes: str
) -> None:
    """Every state, action, role and author; a call whose button is false fails and changes nothing."""
    await stocked(screens)
    await settle(screens, four_eyes=eyes)
    cases = [
        case
        for case in itertools.product(AP_WAYS, AP_BUTTONS, LOGINS, AUTHORS)
        if case[0][0] == variant
    ]
    orders = [f"{variant}-{eyes}-{at}" for at in range(len(cases))]
    await screens.sell(orders, 1, Decimal(2), ship=variant == "AFTER")
    for order, ((_, state), action, who, author) in zip(orders, cases, strict=True):
        line = {
            "saOrderId": order, "productId": 1, "productUnitId": 1, "pcount": 1, "salePrice": 2,
            "askPrice": 1,
        }  # fmt: skip
        body = {"saOrderId": order, "customerId": 149, "type": variant, "orderApPros": [line]}
        number = (await screens.call(author, "PUT", "/v2/order/ap", body)).data
        for helper, step in AP_WAYS[variant, state]:
            assert (await act_ap(screens, helper, number, step)).code == 100000
        listed = await screens.call(who, "GET", "/v2/order/ap", query=f"orderIdKeyWord={number}")
        assert listed.data["datas"][0]["status"] == state
        allowed = listed.data["buttonPermissions"][0][AP_BUTTONS[action]]
        before = await screens.call(who, "GET", f"/v2/order/ap/detail/{number}")
        got = await act_ap(screens, who, number, action)
        assert (got.status, got.code == 100000) == (200, allowed), (state, action, who, author)
        if not allowed:
            after = await screens.call(who, "GET", f"/v2/order/ap/detail/{number}")
            assert (after, bool(got.body["msg"])) == (before, True)


@pytest.mark.parametrize("setting", ["four_eyes", "refund_requires_receipt", ""])
async def test_a_return_allows_what_its_buttons_show(screens: Screens, setting: str) -> None:
    """The same of returns; RECEIVE, which no call leads to, is reached by the depot's own command."""
    await stocked(screens)
    eyes, receipt = (
        "off" if setting == "four_eyes" else "on",
        "on" if setting == "refund_requires_receipt" else "off",
    )
    await settle(screens, four_eyes=eyes, refund_requires_receipt=receipt)
    cases = list(itertools.product(SR_WAYS, SR_BUTTONS, LOGINS, AUTHORS))
    orders = [f"SR-{setting}-of-{at}" for at in range(len(cases))]
    await screens.sell(orders, 1, Decimal(2), ship=True)
    for order, (state, action, who, author) in zip(orders, cases, strict=True):
        query = f"order={order}&buttonPermissionFlg=1"
        assert (await screens.call(author, "POST", "/order/sr", sr_body(order))).code == 100000
        listed = await screens.call(author, "GET", "/order/sr", query=query)
        number = next(row["orderId"] for row in listed.data["datas"] if row["saOrderId"] == order)
        for helper, step in SR_WAYS[state]:
            helping = author if helper == "author" else helper
            assert (await act_sr(screens, helping, number, step, order)).code == 100000
        query = f"order={number}&buttonPermissionFlg=1"
        listed = await screens.call(who, "GET", "/order/sr", query=query)
        assert listed.data["datas"][0]["status"] == state
        allowed = listed.data["buttonPermissions"][0][SR_BUTTONS[action]]
        before = await screens.call(who, "GET", f"/order/sr/detail/{number}")
        got = await act_sr(screens, who, number, action, order)
        assert (got.status, got.code == 100000) == (200, allowed), (state, action, who, author)
        if not allowed:
            after = await screens.call(who, "GET", f"/order/sr/detail/{number}")
            assert (after, bool(got.body["msg"])) == (before, True)
