"""The console as an ASGI application: every part's pages behind the one door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from entrepot.console import render
from entrepot.console.access.pages import PAGES as ACCESS
from entrepot.console.attention.pages import PAGES as ATTENTION
from entrepot.console.audit.pages import PAGES as AUDIT
from entrepot.console.connections.pages import PAGES as CONNECTIONS
from entrepot.console.deliveries.pages import PAGES as DELIVERIES
from entrepot.console.door import Door
from entrepot.console.exchanges.pages import PAGES as EXCHANGES
from entrepot.console.filters import PAGES as FILTERS
from entrepot.console.orders.pages import PAGES as ORDERS
from entrepot.console.overview.pages import PAGES as OVERVIEW
from entrepot.console.seat import seat
from entrepot.console.stock.pages import PAGES as STOCK
from entrepot.console.visit import Visit
from entrepot.console.words import _
from entrepot.errors import Missing

if TYPE_CHECKING:
    from entrepot.console.hub import Hub

_log = structlog.get_logger()


def create_app(hub: Hub) -> Door:
    """Return the console's application; paths it does not know are answered with its own 404."""
    pages = Litestar(
        route_handlers=[
            *ACCESS,
            *ATTENTION,
            *AUDIT,
            *OVERVIEW,
            *CONNECTIONS,
            *DELIVERIES,
            *EXCHANGES,
            *FILTERS,
            *ORDERS,
            *STOCK,
        ],
        state=State({"hub": hub}),
        exception_handlers={HTTPException: _http_error, Exception: _failed},
        openapi_config=None,
        logging_config=None,
        request_max_body_size=32 * 1024 * 1024,
    )
    return Door(hub, pages)


def _http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    if error.status_code == 404 and seat.get() is not None:
        return Visit(request).refused(Missing("no_page", _("There is no such page.")))
    return Response(content=error.detail, status_code=error.status_code, media_type="text/plain")


def _failed(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Our own fault: logged with its trace; the person sees a number to ask for."""
    _log.error("console.failed", path=request.url.path, exc_info=error)
    body = render.page("failed.html", {})
    return Response(content=body.encode(), status_code=500, media_type="text/html; charset=utf-8")
