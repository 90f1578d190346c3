"""The document of a connection for the partner's developer: to read, to print, to send along."""

from __future__ import annotations

from typing import Any

from litestar import Response
from markupsafe import Markup

from entrepot.connections.flows import audit
from entrepot.connections.rules import SECRET
from entrepot.console.connections.pages import known_to
from entrepot.console.visit import Visit, get
from entrepot.kit import guide, page

_TYPES = {"md": "text/markdown; charset=utf-8", "html": "text/html; charset=utf-8"}


@get("/connections/{connection_id:int}/guide", "connections.see")
async def shown(visit: Visit) -> Response[Any]:
    """The document as a page; the key is in it where somebody who may asks for it."""
    text = await _text(visit)
    return visit.show(
        "connections/guide.html",
        partner=known_to(visit).partner,
        text=Markup(page.body(text)),  # noqa: S704 - made of escaped text only
        with_key=_with_key(visit),
    )


@get("/connections/{connection_id:int}/guide.{kind:md|html}", "connections.see")
async def file(visit: Visit) -> Response[Any]:
    """The document as a file: Markdown, or a page that needs nothing else and prints well."""
    partner, kind = known_to(visit).partner, visit.path["kind"]
    text = await _text(visit)
    body = page.page(partner.name, text) if kind == "html" else text
    name = f"connection-{partner.id}.{kind}"
    return Response(
        content=body.encode(),
        media_type=_TYPES[kind],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


PAGES = [shown, file]


def _with_key(visit: Visit) -> bool:
    return visit.seat.may("secrets.see") and visit.query["secrets"] == "1"


async def _text(visit: Visit) -> str:
    """Return the document; that somebody took the key along is written down."""
    known = known_to(visit)
    base = visit.hub.registry.base_url(known)
    if _with_key(visit):
        async with visit.transaction() as tx:
            await audit(tx, visit.who, "connection secrets shown", known.partner.name)
    else:
        base = base.rpartition("/")[0] + "/" + SECRET
    dialect = visit.hub.dialects[known.partner.dialect]
    subject = guide.Subject(dialect=dialect, partner=known.partner, base_url=base)
    return guide.guide(subject)
