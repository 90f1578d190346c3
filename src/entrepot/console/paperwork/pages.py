"""Lists of price adjustments and sales returns, one of each, and the steps on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot import decode
from entrepot.adjustments import flows as adjustments
from entrepot.adjustments import views as adjustment_views
from entrepot.adjustments.rules import Act as AdjustmentAct
from entrepot.adjustments.rules import totals
from entrepot.console import exports, filters, lists, vocabulary
from entrepot.console.paperwork.buttons import DONE, actor, buttons
from entrepot.console.rights import ROLES
from entrepot.console.timeline import Event, timeline
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.errors import Refused
from entrepot.papers import flows as papers
from entrepot.papers.rules import Search, policy
from entrepot.returns import flows as returns
from entrepot.returns import views as return_views
from entrepot.returns.rules import Act as ReturnAct

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from litestar import Response

    from entrepot.db import Tx

_KINDS = {"adjustments": "AP", "returns": "SR"}
_STATES = {
    "AP": ("RUN", "PASS", "COMPLETE", "INVALID"),
    "SR": ("INVALID", "RUN", "FMS_PASS", "RECEIVE", "COMPLETE"),
}
_COLOURS = {
    "COMPLETE": "good", "RECEIVE": "info", "FMS_PASS": "info", "PASS": "info", "DELETED": "bad",
}  # fmt: skip
_VIEWS: dict[str, Any] = {"AP": adjustment_views, "SR": return_views}


@get("/adjustments", "aftersales.see")
async def adjustment_list(visit: Visit) -> Response[Any]:
    """Price adjustments, newest first."""
    return await _list(visit, "adjustments")


@get("/returns", "aftersales.see")
async def return_list(visit: Visit) -> Response[Any]:
    """Sales returns, newest first."""
    return await _list(visit, "returns")


@get(("/adjustments/export.{kind:csv|xlsx}", "/returns/export.{kind:csv|xlsx}"), "aftersales.see")
async def export(visit: Visit) -> Response[Any]:
    """Either list as a file."""
    section = _section(visit)
    header = [
        _("Number"), _("Type"), _("State"), _("Order"), _("Customer"), _("Amount"), _("Created by"),
        _("Created"), _("Remark"),
    ]  # fmt: skip
    return await exports.answer(section, visit.path["kind"], header, _exported(visit, section))


@get(("/adjustments/{number:str}", "/returns/{number:str}"), "aftersales.see")
async def paper(visit: Visit) -> Response[Any]:
    """One paper with its lines and its log."""
    section = _section(visit)
    kind = _KINDS[section]
    async with visit.reading() as tx:
        (found,) = await _VIEWS[kind].detail(tx, [visit.path["number"]])
        if isinstance(found, Refused):
            raise found
        eyes = policy(await papers.settings(tx))
        number = visit.path["number"]
        events = await timeline(
            visit, tx, numbers=[number], steps=[_step(one) for one in found.log]
        )
    head = found.paper if kind == "AP" else found.shown.paper
    sums = totals([line for line, _goods in found.lines]) if kind == "AP" else found.shown.sums
    return visit.show(
        f"paperwork/{section}.html",
        section=section, found=found, paper=head, sums=sums, events=events,
        buttons=buttons(visit, head, eyes),
    )  # fmt: skip


@get("/adjustments/{number:str}/refuse", "aftersales.see")
async def refuse_page(visit: Visit) -> Response[Any]:
    """Ask why an adjustment is refused; a return is refused without a reason."""
    return visit.show("paperwork/refuse.html", section=_section(visit), number=visit.path["number"])


@get(("/adjustments/{number:str}/delete", "/returns/{number:str}/delete"), "aftersales.see")
async def delete_page(visit: Visit) -> Response[Any]:
    """Ask whether a paper is to be deleted; it does not come back."""
    return visit.show("paperwork/delete.html", section=_section(visit), number=visit.path["number"])


@post(
    (
        "/adjustments/{number:str}/{action:pass|refuse|complete|delete}",
        "/returns/{number:str}/{action:run|pass|refuse|receive|complete|delete}",
    ),
    "aftersales.see",
)
async def act(visit: Visit) -> Response[Any]:
    """Take a step; who may is decided by the table of rights, here as in the partner interface."""
    section, number, action = _section(visit), visit.path["number"], visit.path["action"]
    command: Any
    if section == "adjustments":
        reason = visit.reason() if action == "refuse" else ""
        command = AdjustmentAct(number=number, action=action, actor=actor(visit), reason=reason)
        await visit.do(adjustments.act, command)
    else:
        command = ReturnAct(number=number, action=action, actor=actor(visit))
        await visit.do(returns.act, command)
    said = _(DONE[action]) % {"number": number}
    if action == "delete":
        return visit.go(f"/{section}", said)
    return visit.back(said, otherwise=f"/{section}/{number}")


PAGES = [adjustment_list, return_list, export, paper, refuse_page, delete_page, act]


def _step(one: Any) -> Event:
    """Return a step of a paper's own log as its timeline shows it."""
    role = _(ROLES.get(int(one.who_role), ""))
    colour = _COLOURS.get(one.after, "")
    return Event(
        at=one.at, icon="file-text", title=one.what, colour=colour, by=f"{one.who_name} · {role}"
    )


def _section(visit: Visit) -> str:
    return visit.section[1:]


def _search(visit: Visit, kind: str) -> Search:
    query = visit.query
    words = [query["q"].strip(), query["customer"].strip()]
    either, customer = (word if decode.storable(word) else "" for word in words)
    page = int(query["page"]) if query["page"].isdigit() and len(query["page"]) < 7 else 1
    return Search(
        kind=kind,
        variants=(query["type"],) if kind == "AP" and query["type"] in ("BEFORE", "AFTER") else (),
        states=(query["state"],) if query["state"] in _STATES[kind] else (),
        either=either,
        customer=customer,
        page=max(1, page),
        size=lists.SIZE,
    )


async def _list(visit: Visit, section: str) -> Response[Any]:
    kind = _KINDS[section]
    search = _search(visit, kind)
    async with visit.reading() as tx:
        rows, total, eyes = await _found(tx, search)
        await filters.load(visit, tx, f"/{section}")
    shown = [
        (head, amount, customer, buttons(visit, head, eyes)) for head, amount, customer in rows
    ]
    return visit.show(
        "paperwork/list.html",
        section=section,
        kind=kind,
        rows=shown,
        total=total,
        page=search.page,
        pages=-(-total // search.size),
        states=[(code, _(vocabulary.PAPER_STATES[kind, code][1])) for code in _STATES[kind]],
    )


async def _found(tx: Tx, search: Search) -> tuple[list[tuple[Any, Any, str]], int, Any]:
    """Return (paper, amount, customer) of a page, the total, and the settings that decide on buttons."""
    (found,) = await _VIEWS[search.kind].page(tx, [search])
    if search.kind == "AP":
        rows = [(head, sums.balance, str(head.customer_id)) for head, sums in found.items]
    else:
        rows = [(s.paper, s.sums.total, s.customer.name) for s in found.items]
    return rows, found.total, found.policy


async def _exported(visit: Visit, section: str) -> AsyncIterator[Sequence[object]]:
    kind = _KINDS[section]
    search, told, page = _search(visit, kind), 0, 1
    while told < exports.MOST:
        asked = Search(
            kind=kind, variants=search.variants, states=search.states, either=search.either,
            customer=search.customer, page=page, size=200,
        )  # fmt: skip
        async with visit.reading() as tx:
            rows, total, _eyes = await _found(tx, asked)
        for head, amount, customer in rows:
            yield (
                head.number, vocabulary.paper_kind(head), vocabulary.paper_state(head)[1],
                head.order_number, customer, amount, head.creator_name, head.created_at, head.remark,
            )  # fmt: skip
        told += len(rows)
        page += 1
        if not rows or told >= total:
            return
