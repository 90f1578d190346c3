"""The console as an ASGI application: every part's pages behind the one door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from entrepot.console import filters, render
from entrepot.console.access import pages as access
from entrepot.console.attention import pages as attention
from entrepot.console.attention import turned_away
from entrepot.console.audit import pages as audit
from entrepot.console.connections import guide, mapping
from entrepot.console.connections import pages as connections
from entrepot.console.deliveries import pages as deliveries
from entrepot.console.dispatch import discrepancies, outlets, sourcing
from entrepot.console.dispatch import pages as dispatch
from entrepot.console.door import Door
from entrepot.console.exchanges import pages as exchanges
from entrepot.console.imports import pages as imports
from entrepot.console.orders import pages as orders
from entrepot.console.overview import pages as overview
from entrepot.console.paperwork import filing
from entrepot.console.paperwork import pages as paperwork
from entrepot.console.people import pages as people
from entrepot.console.publishing import pages as publishing
from entrepot.console.reconciliation import pages as reconciliation
from entrepot.console.schedules import pages as schedules
from entrepot.console.seat import seat
from entrepot.console.settings import pages as settings
from entrepot.console.stock import pages as stock
from entrepot.console.suites import pages as suites
from entrepot.console.visit import Visit
from entrepot.console.words import _

if TYPE_CHECKING:
    from entrepot.console.hub import Hub

_PARTS: tuple[Any, ...] = (
    access, attention, audit, connections, deliveries, discrepancies, dispatch, exchanges, filing,
    filters, guide, imports, mapping, orders, outlets, overview, paperwork, people, publishing,
    reconciliation, schedules, settings, sourcing, stock, suites, turned_away,
)  # fmt: skip
_log = structlog.get_logger()


def create_app(hub: Hub) -> Door:
    """Return the console's application; paths it does not know are answered with its own 404."""
    pages = Litestar(
        route_handlers=[page for part in _PARTS for page in part.PAGES],
        state=State({"hub": hub}),
        exception_handlers={HTTPException: _http_error, Exception: _failed},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=32 * 1024 * 1024,
    )
    return Door(hub, pages)


def _http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    if error.status_code == 404 and seat.get() is not None:
        return Visit(request).missing(_("There is no such page."))
    return Response(content=error.detail, status_code=error.status_code, media_type="text/plain")


def _failed(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Our own fault: logged with its trace; the person sees a number to ask for."""
    _log.error("console.failed", path=request.url.path, exc_info=error)
    body = render.page("failed.html", {})
    return Response(content=body.encode(), status_code=500, media_type="text/html; charset=utf-8")
