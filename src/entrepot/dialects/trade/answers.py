"""What we know, in the words of document 003. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.adjustments.rules import Totals, totals
from entrepot.clock import shanghai
from entrepot.dialects.trade.words import (
    ApButtons,
    ApDetail,
    ApPro,
    ApRow,
    Listing,
    LogRow,
    ProductUnit,
    SrButtons,
    SrDetail,
    SrPro,
    SrProLeft,
    SrRow,
)
from entrepot.money import plain
from entrepot.people.rules import Actor, Policy, may

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from entrepot.adjustments import views as ap_views
    from entrepot.papers.rules import LogLine, Paper
    from entrepot.returns import views as sr_views

_PLACES = 10_000
"""Ids of lines and log lines are made of their paper's id and their place, so that JSON can hold them."""

AP_BUTTONS: Mapping[str, str] = {
    "deleteButton": "delete",
    "refuseButton": "refuse",
    "passButton": "pass",
    "completeButton": "complete",
}
SR_BUTTONS: Mapping[str, str] = {
    "setRunButton": "run",
    "editButton": "edit",
    "delButton": "delete",
    "passButton": "pass",
    "refuseButton": "refuse",
    "refundButton": "complete",
}


def ap_list(found: ap_views.Listed, page: int, actor: Actor) -> Listing[ApButtons, ApRow]:
    """Return a page of adjustments (DD-5)."""
    return Listing(
        buttonPermissions=[ap_buttons(actor, paper, found.policy) for paper, _ in found.items],
        dataSums=None,
        datas=[ApRow(**_ap_head(paper), **_totals(sums)) for paper, sums in found.items],
        pageNo=page,
        total=found.total,
    )


def ap_detail(found: ap_views.Detail) -> ApDetail:
    """Return one adjustment (DD-6)."""
    paper = found.paper
    return ApDetail(
        **_ap_head(paper),
        **_totals(totals([line for line, _ in found.lines])),
        orderApLogs=[_ap_log(paper.number, paper.id, line) for line in found.log],
        orderApPros=[
            ApPro(
                askPrice=plain(line.ask),
                balance=plain(line.balance),
                deleteFlg=0,
                id=_place(paper.id, at),
                orderId=paper.number,
                pcount=line.qty,
                productId=line.product_id,
                productUnit=ProductUnit(
                    guige=goods.guige,
                    id=line.unit_id,
                    name=goods.name,
                    perunit=goods.perunit,
                    pno=goods.pno,
                    productId=line.product_id,
                    unit=goods.unit,
                ),
                productUnitId=line.unit_id,
                saOrderId=paper.order_number,
                salePrice=plain(line.price),
            )
            for at, (line, goods) in enumerate(found.lines, 1)
        ],
    )


def ap_log(number: str, found: ap_views.Log) -> Listing[None, LogRow]:
    """Return an adjustment's log (DD-7)."""
    rows = [_ap_log(number, found.paper_id, line) for line in found.lines]
    return Listing(buttonPermissions=[], dataSums=None, datas=rows, pageNo=1, total=len(rows))


def ap_buttons(actor: Actor, paper: Paper, policy: Policy) -> ApButtons:
    """Return what the caller may do to an adjustment now."""
    return ApButtons(**_buttons(AP_BUTTONS, actor, paper, policy), logButton=True)


def sr_list(
    found: sr_views.Listed, page: int, actor: Actor, *, buttons: bool
) -> Listing[SrButtons, SrRow]:
    """Return a page of returns (DD-53), with buttons where they are asked for."""
    papers = [shown.paper for shown in found.items] if buttons else []
    return Listing(
        buttonPermissions=[sr_buttons(actor, paper, found.policy) for paper in papers],
        dataSums=None,
        datas=[
            SrRow(**_sr_head(shown), receiveTime=_moment(shown.paper.received_at))
            for shown in found.items
        ],
        pageNo=page,
        total=found.total,
    )


def sr_detail(found: sr_views.Detail) -> SrDetail:
    """Return one return (DD-54)."""
    paper = found.shown.paper
    return SrDetail(
        **_sr_head(found.shown),
        orderSrLog=[_log(paper.number, paper.id, line, _moment(line.at)) for line in found.log],
        orderSrPro=[
            SrPro(
                deleteFlg=0,
                giftFlg=line.gift,
                guige=goods.guige,
                id=_place(paper.id, at),
                mainImg=goods.picture,
                oldPrice=plain(line.old_price),
                orderId=paper.number,
                pcount=line.qty,
                pno=goods.pno,
                price=plain(line.price),
                productId=line.product_id,
                productName=goods.name,
                productunitId=line.unit_id,
                totalPrice=plain(line.total),
                unit=goods.unit,
            )
            for at, (line, goods) in enumerate(found.lines, 1)
        ],
    )


def sr_buttons(actor: Actor, paper: Paper, policy: Policy) -> SrButtons:
    """Return what the caller may do to a return now."""
    return SrButtons(**_buttons(SR_BUTTONS, actor, paper, policy), detailButton=True)


def sr_of_order(found: sr_views.Returnable) -> SrRow:
    """Return an order as the form of a new return is filled from it (DD-57)."""
    account = found.account
    return SrRow(
        customerId=account.customer_id,
        customerName=account.customer_name,
        freight=plain(found.freight),
        orderSrPro=[
            SrProLeft(
                giftFlg=part.gift,
                guige=part.guige,
                leftPcount=left,
                mainImg=part.picture,
                oldPrice=plain(part.price),
                pno=part.pno,
                productId=part.product_id,
                productName=part.name,
                productunitId=part.unit_id,
                unit=part.unit,
            )
            for part, left in zip(account.parts, found.left, strict=True)
        ],
        saOrderId=account.number,
    )


def sr_calculation(order: str, found: sr_views.Calculation, *, with_freight: bool) -> SrRow:
    """Return what a return would give back (DD-58)."""
    amounts = found.amounts
    return SrRow(
        discountPrice=plain(amounts.discount),
        freight=plain(amounts.freight),
        isFreight=int(with_freight),
        jian=amounts.cases,
        orderSrPro=[
            SrProLeft(
                giftFlg=line.gift,
                pcount=line.qty,
                price=plain(line.price),
                productunitId=line.unit_id,
                totalPrice=plain(line.total),
            )
            for line in found.lines
        ],
        price=plain(amounts.price),
        rebate=plain(amounts.discount),
        saOrderId=order,
        san=amounts.loose,
        totalPrice=plain(amounts.total),
    )


def _ap_head(paper: Paper) -> dict[str, Any]:
    return {
        "completeTime": _day(paper.completed_at),
        "createRole": paper.creator_role,
        "createTime": _day(paper.created_at),
        "createUser": paper.creator,
        "createUserName": paper.creator_name,
        "customerId": paper.customer_id,
        "deleteFlg": 0,
        "id": paper.id,
        "mainOrderId": "",
        "modifyTime": _day(paper.modified_at),
        "orderId": paper.number,
        "passTime": _day(paper.passed_at),
        "platformId": paper.platform_id,
        "remark": paper.remark,
        "runTime": _day(paper.run_at),
        "saOrderId": paper.order_number,
        "status": paper.state,
        "type": paper.variant,
    }


def _totals(sums: Totals) -> dict[str, Any]:
    return {
        "totalAskPrice": plain(sums.ask),
        "totalBalancePrice": plain(sums.balance),
        "totalSalePrice": plain(sums.price),
    }


def _sr_head(shown: sr_views.Shown) -> dict[str, Any]:
    paper, sums, customer = shown.paper, shown.sums, shown.customer
    return {
        "completeTime": _moment(paper.completed_at),
        "createRole": paper.creator_role,
        "createTime": _moment(paper.created_at),
        "createUser": paper.creator,
        "createUserName": paper.creator_name,
        "customerId": paper.customer_id,
        "customerName": customer.name,
        "customerType": customer.type,
        "deleteFlg": 0,
        "discountPrice": plain(sums.discount),
        "freight": plain(sums.freight),
        "id": paper.id,
        "isFreight": int(sums.with_freight),
        "isParent": customer.parent,
        "jian": sums.cases,
        "modifyTime": _moment(paper.modified_at),
        "orderId": paper.number,
        "passTime": _moment(paper.passed_at),
        "platformId": paper.platform_id,
        "price": plain(sums.price),
        "rebate": plain(sums.discount),
        "rebatePrice": 0,
        "refuseTime": _moment(paper.refused_at),
        "remark": paper.remark,
        "saOrderId": paper.order_number,
        "san": sums.loose,
        "status": paper.state,
        "toDepotId": sums.depot_id,
        "toDepotName": sums.depot_name,
        "totalPrice": plain(sums.total),
    }


def _buttons(
    names: Mapping[str, str], actor: Actor, paper: Paper, policy: Policy
) -> dict[str, bool]:
    return {
        button: may(actor, action, paper.rights, paper.state, paper.creator, policy)
        for button, action in names.items()
    }


def _ap_log(number: str, paper_id: int, line: LogLine) -> LogRow:
    return _log(number, paper_id, line, _day(line.at))


def _log(number: str, paper_id: int, line: LogLine, at: str) -> LogRow:
    return LogRow(
        id=_place(paper_id, line.step),
        opInfo=line.what,
        opRole=line.who_role,
        opTime=at,
        opUser=line.who,
        opUserName=line.who_name,
        orderId=number,
    )


def _place(paper_id: int, at: int) -> int:
    return paper_id * _PLACES + at


def _day(moment: datetime | None) -> str:
    return f"{shanghai(moment):%Y-%m-%d}" if moment else ""


def _moment(moment: datetime | None) -> str:
    return f"{shanghai(moment):%Y-%m-%d %H:%M:%S}" if moment else ""
