"""Levels by article, one article everywhere, movements, and why a channel sees what it sees."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import msgspec

from entrepot import clock, decode
from entrepot.console import exports, filters, lists, vocabulary
from entrepot.console.timeline import timeline
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.db import queries
from entrepot.decode import MOST
from entrepot.errors import BadInput, Missing
from entrepot.stock import flows, published, safety
from entrepot.stock.flows import Count
from entrepot.stock.published import Channel
from entrepot.stock.safety import Safety

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from litestar import Response

    from entrepot.connections.rules import Connection
    from entrepot.db import Row, Tx

_BEGIN, _END = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_q = queries(__package__)


@get("/stock", "orders.see")
async def stock(visit: Visit) -> Response[Any]:
    """Levels: one row an article, or what lies at one location."""
    async with visit.reading() as tx:
        places = await tx.rows(_q.locations)
        rows, named = await _levels(visit, tx, lists.SIZE + 1, visit.query["before"])
        await filters.load(visit, tx, "/stock")
    seek = not visit.query["location"] and not visit.query["low"]
    page = lists.page(
        rows, lambda row: row["sku"] if seek else str(row["id"]), before=visit.query["before"]
    )
    if named:
        page.older, page.more_than_shown = None, len(rows) > lists.SIZE
    choices = [(row["code"], f"{row['code']} {row['name']}".strip()) for row in places]
    return visit.show("stock/list.html", page=page, places=choices)


@get("/stock/export.{kind:csv|xlsx}", "orders.see")
async def export(visit: Visit) -> Response[Any]:
    """The levels as a file."""
    header = [
        "SKU",
        _("Name"),
        _("On hand"),
        _("Reserved"),
        _("Safety"),
        _("Available"),
        _("Weight (g)"),
    ]
    return await exports.answer("stock", visit.path["kind"], header, _exported(visit))


@get("/stock/{article_id:int}", "orders.see")
async def article(visit: Visit) -> Response[Any]:
    """One article: where it lies, who holds it, what channels see of it."""
    article_id = visit.path["article_id"]
    async with visit.reading() as tx:
        found = await _article(tx, article_id)
        places = await tx.rows(_q.places, article_id)
        promised = await tx.rows(_q.promised, article_id)
        channels = await _channels(visit, tx, found)
        moved = await tx.rows(
            _q.movements, article_id, None, None, None, None, _BEGIN, _END, 10, None
        )
        names = [found["sku"], str(article_id)]  # a safety stock is audited under the id
        events = await timeline(visit, tx, numbers=names, changes=True)
    return visit.show(
        "stock/article.html",
        article=found, places=places, promised=promised, channels=channels, moved=moved,
        events=events,
        details={k: str(v) for k, v in msgspec.json.decode(found["details"]).items() if v},
    )  # fmt: skip


@get("/stock/{article_id:int}/explain/{connection_id:int}", "orders.see")
async def explain(visit: Visit) -> Response[Any]:
    """How a channel comes to see what it sees."""
    known = visit.hub.registry.get(visit.seat.tenant_id, visit.path["connection_id"])
    if known is None:
        raise Missing("unknown_connection", "There is no such connection.")
    async with visit.reading() as tx:
        found = await _article(tx, visit.path["article_id"])
        why = await published.explained(tx, channel_of(known), found["id"])
        by_id = {row["id"]: row for row in await published.list_rules(tx)}
    return visit.show(
        "stock/explain.html", article=found, connection=known.partner.name, why=why, rules=by_id
    )


@get("/stock/{article_id:int}/{act:count|safety}/{location_id:int}", "stock.count")
async def count_page(visit: Visit) -> Response[Any]:
    """Ask for what was counted, or for the safety stock."""
    async with visit.reading() as tx:
        found = await _article(tx, visit.path["article_id"])
        places = await tx.rows(_q.places, found["id"])
    place = next((row for row in places if row["id"] == visit.path["location_id"]), None)
    if place is None:
        raise Missing("no_page", _("There is no such page."))
    return visit.show(f"stock/{visit.path['act']}.html", article=found, place=place)


@post("/stock/{article_id:int}/{act:count|safety}/{location_id:int}", "stock.count")
async def count(visit: Visit) -> Response[Any]:
    """Enter a stocktake or a safety stock."""
    article_id, location_id = visit.path["article_id"], visit.path["location_id"]
    pieces = _pieces(visit.form.get("pieces", ""))
    weight = _weight(visit.form.get("weight", ""))
    async with visit.transaction() as tx:
        await _article(tx, article_id)
        if visit.path["act"] == "safety":
            kept = Safety(article_id=article_id, location_id=location_id, pieces=pieces)
            await safety.keep_back(tx, [kept], who=visit.who)
            said = _("The safety stock is saved.")
        else:
            one = Count(
                article_id=article_id, location_id=location_id, on_hand=pieces, weight=weight,
                who=visit.who,
            )  # fmt: skip
            await flows.count(tx, [one])
            said = _("The stocktake is entered.")
    return visit.go(f"/stock/{article_id}", said)


@get("/movements", "orders.see")
async def movements(visit: Visit) -> Response[Any]:
    """The ledger: every change of what lies somewhere, newest first; of one kind, of today unless said."""
    query = visit.query
    if query["kind"] and not (query["from"] or query["sku"] or query["q"]):
        today = clock.shanghai(clock.now()).date().isoformat()
        return visit.go(f"/movements?{visit.filtered}&from={today}")
    async with visit.reading() as tx:
        rows = await _moved(visit, tx, lists.SIZE + 1, visit.query["before"])
        await filters.load(visit, tx, "/movements")
    page = lists.page(rows, lists.by_time, before=visit.query["before"])
    kinds = [(code, vocabulary.movement(code)) for code in vocabulary.MOVEMENTS]
    return visit.show("stock/movements.html", page=page, kinds=kinds)


@get("/movements/export.{kind:csv|xlsx}", "orders.see")
async def export_movements(visit: Visit) -> Response[Any]:
    """The ledger as a file."""
    header = [
        _("Time"), "SKU", _("Location"), _("Kind"), _("Change"), _("On hand"), _("Weight (g)"),
        _("Number"), _("Who"),
    ]  # fmt: skip
    return await exports.answer("movements", visit.path["kind"], header, _exported_moves(visit))


PAGES = [
    stock, export, article, explain, count_page, count, movements, export_movements,
]  # fmt: skip


async def _levels(visit: Visit, tx: Tx, limit: int, after: str) -> tuple[Sequence[Row], bool]:
    """Return rows, and whether they were found by name (then there are no further pages)."""
    query = visit.query
    text = query["q"].strip()
    if not decode.storable(text + after):
        return [], False
    last = int(after) if after.isdigit() and len(after) < 19 else 0
    if query["low"]:
        return await tx.rows(_q.below_safety, last, limit), False
    if query["location"]:
        at = next(
            (r["id"] for r in await tx.rows(_q.locations) if r["code"] == query["location"]), 0
        )
        return await tx.rows(_q.at_location, at, last, limit), False
    start, end = lists.prefix_span(text)
    rows = await tx.rows(_q.page, start, end, after, limit)
    if rows or not text or after:
        return rows, False
    return await tx.rows(_q.by_name, start, end, limit), True


async def _article(tx: Tx, article_id: int) -> Row:
    found = await tx.row(_q.article, article_id)
    if found is None:
        raise Missing("unknown_article", "There is no such article.")
    return found


def channel_of(known: Connection) -> Channel:
    """Return what of a connection decides on what it sees."""
    partner, role = known.partner, known.role
    return Channel(
        connection_id=partner.id,
        locations=role.level_locations(partner.settings),
        stores=role.level_stores(partner.settings),
    )


async def _channels(visit: Visit, tx: Tx, found: Row) -> list[dict[str, Any]]:
    """Return what every connection that sells the article sees of it now, and was last told."""
    listed = {row["id"]: row for row in await tx.rows(_q.listed, found["id"])}
    channels = []
    for known in sorted(visit.hub.registry.of(visit.seat.tenant_id), key=lambda c: c.partner.name):
        partner, role = known.partner, known.role
        if not role.levels(partner.settings):
            continue
        row = listed.get(partner.id)
        own = {"articles": found["sku"], "styles": found["style_no"]}.get(role.sells)
        if own:
            row = await tx.row(_q.told, partner.id, found["id"])
            key = own
        elif row is not None:
            key = f"{row['type']} {row['key']}"
        else:
            continue
        figure = (await published.figures(tx, channel_of(known), [found["id"]]))[found["id"]]
        channels.append(
            {"id": partner.id, "name": partner.name, "key": key, "figure": figure, "told": row}
        )
    return channels


async def _moved(visit: Visit, tx: Tx, limit: int, before: str) -> Sequence[Row]:
    query = visit.query
    at, row_id = lists.time_before(before)
    start, end = lists.days(query)
    sku, number = query["sku"].strip(), query["q"].strip()
    if not decode.storable(sku + number):
        return []
    article_id = await tx.value(_q.article_by_sku, sku) if sku else None
    if sku and article_id is None:
        return []
    return await tx.rows(
        _q.movements,
        article_id,
        None,
        number or None,
        at,
        row_id,
        start or _BEGIN,
        end or _END,
        limit,
        query["kind"] if query["kind"] in vocabulary.MOVEMENTS else None,
    )


def _pieces(text: str) -> int:
    plain = text.strip()
    if not plain.isascii() or not plain.isdigit() or int(plain) > MOST:
        raise BadInput("pieces_unclear", "A number of pieces, 0 or more.", path="pieces")
    return int(plain)


def _weight(text: str) -> Decimal | None:
    if not text.strip():
        return None
    try:
        grams = Decimal(text.strip())
    except InvalidOperation as error:
        raise BadInput("weight_unclear", "Grams, 0 or more.", path="weight") from error
    if not grams.is_finite() or grams < 0 or grams > MOST:
        raise BadInput("weight_unclear", "Grams, 0 or more.", path="weight")
    return grams


async def _exported(visit: Visit) -> AsyncIterator[Sequence[object]]:
    after, told = "", 0
    seek = not visit.query["location"] and not visit.query["low"]
    while told < exports.MOST:
        async with visit.reading() as tx:
            rows, named = await _levels(visit, tx, 1000, after)
        for row in rows:
            on_hand, held, kept = (row[name] or 0 for name in ("on_hand", "reserved", "safety"))
            yield (
                row["sku"],
                row["name"],
                on_hand,
                held,
                kept,
                on_hand - held - kept,
                row["weight"] or 0,
            )
        told += len(rows)
        if len(rows) < 1000 or named:
            return
        after = rows[-1]["sku"] if seek else str(rows[-1]["id"])


async def _exported_moves(visit: Visit) -> AsyncIterator[Sequence[object]]:
    before, told = "", 0
    while told < exports.MOST:
        async with visit.reading() as tx:
            rows = await _moved(visit, tx, 1000, before)
        for row in rows:
            yield (
                row["at"], row["sku"], row["location"], vocabulary.movement(row["kind"]), row["delta"],
                row["on_hand"], row["weight_delta"], row["document"], row["who"],
            )  # fmt: skip
        told += len(rows)
        if len(rows) < 1000:
            return
        before = lists.by_time(rows[-1])
