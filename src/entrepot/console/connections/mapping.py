"""What a connection calls our articles: looked up by SKU or the partner's key, put right in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot import decode
from entrepot.catalogue import flows as catalogue
from entrepot.catalogue import listings
from entrepot.catalogue.flows import Listing
from entrepot.connections.flows import audit
from entrepot.console import lists
from entrepot.console.connections.pages import known_to
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.db import queries
from entrepot.errors import BadInput, Missing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar import Response

    from entrepot.console.lists import Page
    from entrepot.db import Row

_MOST = 200
_q = queries(__package__)


@get("/connections/{connection_id:int}/mapping", "connections.see")
async def mapping(visit: Visit) -> Response[Any]:
    """Names by kind and key, or those of one article or key, with what the partner said of their levels."""
    known = known_to(visit)
    text, (kind, key) = visit.query["q"].strip(), _after(visit.query["before"])
    rows: Sequence[Row] = []
    if decode.storable(text + kind + key):
        async with visit.reading() as tx:
            if text:
                span = lists.prefix_span(text)
                rows = await tx.rows(_q.names_like, known.partner.id, *span, lists.SIZE + 1)
            else:
                rows = await tx.rows(_q.names, known.partner.id, kind, key, lists.SIZE + 1)
    page = lists.page(rows, lambda row: f"{row['type']} {row['key']}", before=visit.query["before"])
    if text:
        page.older, page.more_than_shown = None, len(rows) > lists.SIZE
    return visit.show(
        "connections/mapping.html",
        partner=known.partner, page=page, by_style=known.role.sells == "styles",
        edited=_edited(page, text),
    )  # fmt: skip


@post("/connections/{connection_id:int}/mapping", "publish.edit")
async def put_right(visit: Visit) -> Response[Any]:
    """Give an article a name on this connection, or point that name at another article."""
    known = known_to(visit)
    partner = known.partner
    kind, key, sku = (visit.form.get(name, "").strip() for name in ("type", "key", "sku"))
    if not kind or not key or max(len(kind), len(key)) > _MOST or not decode.storable(kind + key):
        raise BadInput("name_missing", "A name has a kind and a key.", path="key")
    if fault := known.role.misnamed(kind, key):
        raise BadInput("misnamed", fault, path="key", fault=fault)
    async with visit.transaction() as tx:
        articles = await catalogue.by_sku(tx, [sku]) if decode.storable(sku) else {}
        if sku not in articles:
            raise BadInput("unknown_goods", f"No article is called {sku}.", path="sku", names=[sku])
        one = Listing(connection_id=partner.id, type=kind, key=key, article_id=articles[sku])
        await catalogue.relist(tx, one)
        details = {"connection": partner.name, "name": f"{kind} {key}"}
        await audit(tx, visit.who, "listing set", sku, details=details)
    said = _("%(connection)s calls %(sku)s %(key)s now; it is told the level anew.")
    return visit.go(
        f"/connections/{partner.id}/mapping",
        said % {"connection": partner.name, "sku": sku, "key": key},
    )


@get("/connections/{connection_id:int}/mapping/remove", "publish.edit")
async def remove_page(visit: Visit) -> Response[Any]:
    """Ask before a name is taken away."""
    return visit.show("connections/unlist.html", partner=known_to(visit).partner)


@post("/connections/{connection_id:int}/mapping/remove", "publish.edit")
async def remove(visit: Visit) -> Response[Any]:
    """Take a name away: the partner is told nothing of it any more."""
    partner, form = known_to(visit).partner, visit.form
    kind, key, reason = form.get("type", ""), form.get("key", ""), visit.reason()
    async with visit.transaction() as tx:
        storable = decode.storable(kind + key)
        sku = await listings.unlist(tx, partner.id, kind, key) if storable else None
        if sku is None:
            raise Missing("unknown_listing", f"{partner.name} has no name {kind} {key}.", key=key)
        details = {"connection": partner.name, "name": f"{kind} {key}"}
        await audit(tx, visit.who, "listing remove", sku, details=details, reason=reason)
    said = _("%(connection)s is told nothing of %(key)s any more.")
    return visit.go(
        f"/connections/{partner.id}/mapping", said % {"connection": partner.name, "key": key}
    )


PAGES = [mapping, put_right, remove_page, remove]


def _edited(page: Page, text: str) -> dict[str, str]:
    """Return what the form begins with: the one name that was looked for, else the text as a SKU."""
    if text and len(page.rows) == 1:
        return {name: page.rows[0][name] for name in ("type", "key", "sku")}
    kind = page.rows[0]["type"] if page.rows else ""
    exact = any(row["sku"] == text for row in page.rows)
    return {"type": kind, "key": "", "sku": text if exact or not page.rows else ""}


def _after(cursor: str) -> tuple[str, str]:
    """Return the (kind, key) a page begins after."""
    kind, _space, key = cursor.partition(" ")
    return kind, key
