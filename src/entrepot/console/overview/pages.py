"""The overview with its charts, and the finder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from entrepot import clock, decode, ids
from entrepot.console import figures, lists, timeline
from entrepot.console.attention import queue
from entrepot.console.connections.health import health
from entrepot.console.dispatch.pages import OFFERED
from entrepot.console.visit import Visit, get
from entrepot.console.words import _
from entrepot.db import queries

if TYPE_CHECKING:
    from litestar import Response

    from entrepot.db import Row, Tx

_HOURS = 24
_PHONE = re.compile(r"1[3-9]\d{9}")
_q = queries("entrepot.console")
_health = queries("entrepot.console.connections")


@get("/")
async def overview(visit: Visit) -> Response[Any]:
    """Figures that link to their lists, partners' health, the oldest that need a person."""
    tenant_id = visit.seat.tenant_id
    counts = await queue.counts(visit.hub, tenant_id)
    async with visit.reading() as tx:
        placed = await figures.today(tx, "placed")
        shipped = await figures.today(tx, "shipped")
        since = lists.today()
        refused = await tx.value(_q.refused_since, since, ids.floor(since - OFFERED))
        waiting = await tx.row(_q.open_deliveries)
        partners = [health(row) for row in await tx.rows(_health.health, None)]
        stuck = await queue.oldest(
            tx, kind=None, connection=None, person_id=visit.seat.person_id, limit=6
        )
    return visit.show(
        "overview/overview.html",
        placed=placed, shipped=shipped, refused=refused, waiting=waiting, partners=partners, stuck=stuck,
        attention=sum(counts.values()),
        today=clock.shanghai(clock.now()).date().isoformat(),
        kinds={code: _(word) for code, word in queue.KINDS.items()},
    )  # fmt: skip


@get("/charts/{name:str}")
async def chart(visit: Visit) -> Response[Any]:
    """The figures behind a chart."""
    wanted = {
        "orders": (("placed", _("Orders"), 1), ("shipped", _("Shipped"), 4)),
        "calls": (("delivered", _("Delivered"), 1), ("failed", _("Failed"), 3)),
    }.get(visit.path["name"], ())
    labels: list[str] = []
    series = []
    async with visit.reading() as tx:
        for figure, word, colour in wanted:
            hours = await figures.per_hour(tx, figure, _HOURS)
            labels = [f"{clock.shanghai(hour):%H:00}" for hour, _count in hours]
            stack = "calls" if visit.path["name"] == "calls" else None
            values = [count for _hour, count in hours]
            series.append({"name": word, "values": values, "colour": colour, "stack": stack})
    unit = _("orders") if visit.path["name"] == "orders" else _("calls")
    return visit.data({"labels": labels, "series": series, "unit": unit})


@get("/find")
async def find(visit: Visit) -> Response[Any]:
    """Everything that bears a number; a single hit is opened at once."""
    text = visit.query["q"].strip()
    if not text or not decode.storable(text):
        return visit.show("find/find.html", text=text, orders=(), articles=(), events=())
    async with visit.reading() as tx:
        orders = await _orders(visit, tx, text)
        articles = await tx.rows(_q.find_articles, *lists.prefix_span(text))
        exact = [row for row in orders if row["number"] == text]
        if len(exact) == 1 and visit.query["all"] != "1":
            return visit.go(f"/orders/{exact[0]['id']}")
        sole = len(articles) == 1 and articles[0]["sku"] == text
        if sole and not orders and visit.query["all"] != "1":
            return visit.go(f"/stock/{articles[0]['id']}")
        events = await timeline.timeline(visit, tx, numbers=[text])
    return visit.show("find/find.html", text=text, orders=orders, articles=articles, events=events)


PAGES = [overview, chart, find]


async def _orders(visit: Visit, tx: Tx, text: str) -> list[Row]:
    if _PHONE.fullmatch(text):
        return await tx.rows(_q.find_by_phone, visit.hub.vault.fingerprint(text))
    return await tx.rows(_q.find_orders, *lists.prefix_span(text))
