"""Forms that file a price adjustment or a sales return for an order, and edit a return's draft."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from entrepot.adjustments import flows as adjustments
from entrepot.adjustments.rules import Line, NewAdjustment
from entrepot.console.paperwork.buttons import actor
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.db import queries
from entrepot.decode import MOST
from entrepot.errors import BadInput, Refused
from entrepot.papers import flows as papers
from entrepot.returns import flows as returns
from entrepot.returns import views
from entrepot.returns.rules import Body, Edit, NewReturn, Wanted

if TYPE_CHECKING:
    from litestar import Response

    from entrepot.orders.prices import Account
    from entrepot.returns.views import Returnable

_q = queries(__package__)


@get("/orders/{number:str}/adjust", "aftersales.see")
async def adjust_page(visit: Visit) -> Response[Any]:
    """The order's lines with their present prices, to ask for others."""
    found = await _order(visit, visit.path["number"])
    return visit.show("paperwork/adjust.html", account=found.account)


@post("/orders/{number:str}/adjust", "aftersales.see")
async def adjust(visit: Visit) -> Response[Any]:
    """File the adjustment: before shipping a 差价单, after it a 调价单."""
    account = (await _order(visit, visit.path["number"])).account
    lines = tuple(
        Line(
            product_id=part.product_id,
            unit_id=part.unit_id,
            price=part.price,
            qty=_pieces(visit, f"qty-{part.part}"),
            ask=_amount(visit, f"ask-{part.part}"),
        )
        for part in account.parts
        if visit.form.get(f"ask-{part.part}", "").strip()
    )
    if not lines:
        raise BadInput("no_lines", "Ask for another price in at least one line.", path="lines")
    new = NewAdjustment(
        variant="AFTER" if account.shipped else "BEFORE", order=account.number,
        customer_id=account.customer_id, lines=lines, actor=actor(visit),
    )  # fmt: skip
    number = await visit.do(adjustments.create, new)
    return visit.go(f"/adjustments/{number}", _("%(number)s is filed.") % {"number": number})


@get("/orders/{number:str}/return", "aftersales.see")
async def return_page(visit: Visit) -> Response[Any]:
    """What may still be returned of an order."""
    found = await _order(visit, visit.path["number"])
    return await _form(visit, found, "", {})


@post("/orders/{number:str}/return", "aftersales.see")
async def file_return(visit: Visit) -> Response[Any]:
    """File the return as a draft, or show what it would give back."""
    body = _body(visit, await _order(visit, visit.path["number"]))
    if visit.form.get("ask") == "amount":
        async with visit.reading() as tx:
            (worked_out,) = await views.calculate(tx, [body])
        if isinstance(worked_out, Refused):
            raise worked_out
        return visit.show("paperwork/amounts.html", amounts=worked_out.amounts)
    if draft := visit.form.get("draft"):
        await visit.do(returns.edit, Edit(number=draft, body=body, actor=actor(visit)))
        return visit.go(f"/returns/{draft}", _("The draft is saved."))
    number = await visit.do(returns.create, NewReturn(body=body, actor=actor(visit)))
    return visit.go(f"/returns/{number}", _("%(number)s is filed as a draft.") % {"number": number})


@get("/returns/{number:str}/edit", "aftersales.see")
async def edit_page(visit: Visit) -> Response[Any]:
    """A draft's content, to be changed."""
    number = visit.path["number"]
    async with visit.reading() as tx:
        (found,) = await views.detail(tx, [number])
        if isinstance(found, Refused):
            raise found
    order = await _order(visit, found.shown.paper.order_number)
    wanted = {
        (line.product_id, line.unit_id, line.gift, line.old_price): line for line, _g in found.lines
    }
    return await _form(visit, order, number, wanted, found.shown)


PAGES = [adjust_page, adjust, return_page, file_return, edit_page]


async def _order(visit: Visit, number: str) -> Returnable:
    async with visit.reading() as tx:
        (found,) = await views.of_order(tx, [number])
    if isinstance(found, Refused):
        raise found
    return found


async def _form(
    visit: Visit,
    found: Returnable,
    draft: str,
    wanted: dict[Any, Any],
    shown: Any = None,
) -> Response[Any]:
    async with visit.reading() as tx:
        depots = await tx.rows(_q.depots)
        settings = await papers.settings(tx)
    return visit.show(
        "paperwork/return.html",
        account=found.account, left=found.left, freight=found.freight, draft=draft, wanted=wanted,
        shown=shown, depots=[(row["code"], f"{row['code']} {row['name']}".strip()) for row in depots],
        deduct=settings.freight_excluded == "deduct",
    )  # fmt: skip


def _body(visit: Visit, found: Returnable) -> Body:
    account: Account = found.account
    depot = visit.form.get("depot", "")
    if not depot.isascii() or not depot.isdigit():
        raise BadInput("depot_missing", "Choose where the goods go.", path="depot")
    lines = tuple(
        Wanted(
            unit_id=part.unit_id,
            product_id=part.product_id,
            gift=part.gift,
            old_price=part.price,
            qty=_pieces(visit, f"qty-{part.part}"),
            price=_amount(visit, f"price-{part.part}"),
        )
        for part in account.parts
        if visit.form.get(f"qty-{part.part}", "").strip() not in ("", "0")
    )
    if not lines:
        raise BadInput("no_lines", "Say how many pieces come back.", path="lines")
    return Body(
        order=account.number, customer_id=account.customer_id, depot_id=int(depot),
        with_freight=visit.form.get("freight") == "1", lines=lines,
        remark=visit.form.get("remark", "").strip()[:500],
    )  # fmt: skip


def _pieces(visit: Visit, field: str) -> int:
    text = visit.form.get(field, "").strip()
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST:
        raise BadInput("pieces_unclear", "A number of pieces, 0 or more.", path=field)
    return int(text)


def _amount(visit: Visit, field: str) -> Decimal:
    try:
        amount = Decimal(visit.form.get(field, "").strip())
    except InvalidOperation as error:
        raise BadInput("amount_unclear", "An amount, 0 or more.", path=field) from error
    if not amount.is_finite() or amount < 0 or amount > MOST:
        raise BadInput("amount_unclear", "An amount, 0 or more.", path=field)
    return amount
