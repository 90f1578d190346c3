"""What a connection calls our articles: looked up by SKU, put right in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot import decode
from entrepot.catalogue import flows as catalogue
from entrepot.catalogue.flows import Listing
from entrepot.connections.flows import audit
from entrepot.console import lists
from entrepot.console.connections.pages import known_to
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.db import queries
from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar import Response

    from entrepot.db import Row

_MOST = 200
_q = queries(__package__)


@get("/connections/{connection_id:int}/mapping", "connections.see")
async def mapping(visit: Visit) -> Response[Any]:
    """Names by kind and key, or those of one article, with what the partner said of their levels."""
    known = known_to(visit)
    sku, (kind, key) = visit.query["q"].strip(), _after(visit.query["before"])
    rows: Sequence[Row] = []
    if decode.storable(sku + kind + key):
        async with visit.reading() as tx:
            if sku:
                rows = await tx.rows(_q.names_of, known.partner.id, sku, lists.SIZE + 1)
            else:
                rows = await tx.rows(_q.names, known.partner.id, kind, key, lists.SIZE + 1)
    page = lists.page(rows, lambda row: f"{row['type']} {row['key']}", before=visit.query["before"])
    if sku:
        page.older, page.more_than_shown = None, len(rows) > lists.SIZE
    return visit.show(
        "connections/mapping.html",
        partner=known.partner, page=page, by_style=known.role.sells == "styles",
    )  # fmt: skip


@post("/connections/{connection_id:int}/mapping", "publish.edit")
async def put_right(visit: Visit) -> Response[Any]:
    """Give an article a name on this connection, or point that name at another article."""
    partner = known_to(visit).partner
    kind, key, sku = (visit.form.get(name, "").strip() for name in ("type", "key", "sku"))
    if not kind or not key or max(len(kind), len(key)) > _MOST or not decode.storable(kind + key):
        raise BadInput("name_missing", "A name has a kind and a key.", path="key")
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


PAGES = [mapping, put_right]


def _after(cursor: str) -> tuple[str, str]:
    """Return the (kind, key) a page begins after."""
    kind, _space, key = cursor.partition(" ")
    return kind, key
