"""Every page of the console, by the name of its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.browser.shops import PARKED, TO_REFUSE, TO_SHIP
from tests.browser.stage import OPEN, REFUSED, SHIPPED, STORE, STUCK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.browser.window import Window

# An address; or a page, what the first link to follow there begins with, and what is added to it.
PAGES: Mapping[str, str | tuple[str, ...]] = {
    "overview": "/",
    "attention": "/attention",
    "attention-none": "/attention?owner=me&connection=wangdian",
    "turned-away": ("/attention?kind=turned_away", r"/attention/turned-away/\d+", ""),
    "orders": "/orders",
    "orders-none": "/orders?q=NOTHING",
    "order": (f"/orders?q={SHIPPED}", r"/orders/\d+", ""),
    "order-store": (f"/orders?q={STORE}", r"/orders/\d+", ""),
    "order-cancel": (f"/orders?q={OPEN}", r"/orders/\d+", "/cancel"),
    "order-reveal": (f"/orders?q={STORE}", r"/orders/\d+", "/reveal"),
    "order-new": "/orders/new",
    "order-adjust": "/orders/test-07/adjust",
    "order-return": "/orders/test-08/return",
    "dispatch": "/dispatch",
    "dispatch-order": ("/dispatch", r"/dispatch/\d+", ""),
    "dispatch-none": "/dispatch?q=NOTHING",
    "dispatch-parked": (f"/dispatch?q={PARKED}", r"/dispatch/\d+", ""),
    "dispatch-parcel": (f"/dispatch?q={TO_SHIP}", r"/dispatch/\d+", ""),
    "note-refuse": (f"/dispatch?q={TO_REFUSE}", r"/dispatch/\d+", "", r"/notes/[^/]+/refuse", ""),
    "note-ship": (f"/dispatch?q={TO_SHIP}", r"/dispatch/\d+", "", r"/notes/[^/]+/ship", ""),
    "outlets": "/outlets",
    "outlet": ("/outlets", r"/outlets/\d+/edit", ""),
    "pieces": "/pieces",
    "discrepancies": "/discrepancies",
    "discrepancy": ("/discrepancies", r"/discrepancies/\d+/resolve", ""),
    "sourcing": "/sourcing",
    "reconciliation": "/reconciliation",
    "names": ("/connections", r"/connections/\d+", "/mapping"),
    "stock": "/stock",
    "article": ("/stock?q=MM1", r"/stock/\d+", ""),
    "article-explain": ("/stock?q=MM1", r"/stock/\d+", "", r"/stock/\d+/explain/\d+"),
    "article-count": ("/stock?q=MM1", r"/stock/\d+", "", r"/stock/\d+/count/\d+"),
    "article-safety": ("/stock?q=MM1", r"/stock/\d+", "", r"/stock/\d+/safety/\d+"),
    "movements": "/movements",
    "publishing": "/publishing",
    "publishing-new": "/publishing/new",
    "suites": "/suites",
    "suite-new": "/suites/new",
    "suite": ("/suites", r"/suites/\d+", ""),
    "adjustments": "/adjustments",
    "adjustment": ("/adjustments", r"/adjustments/AP\d+", ""),
    "adjustment-refuse": ("/adjustments?state=RUN", r"/adjustments/AP\d+", "/refuse"),
    "returns": "/returns",
    "return": ("/returns", r"/returns/SR\d+", ""),
    "return-edit": ("/returns?state=INVALID", r"/returns/SR\d+", "/edit"),
    "return-delete": ("/returns?state=INVALID", r"/returns/SR\d+", "/delete"),
    "connections": "/connections",
    "connection": ("/connections", r"/connections/\d+", ""),
    "connection-new": "/connections/new",
    "connection-settings": ("/connections", r"/connections/\d+", "/settings"),
    "connection-developer": ("/connections", r"/connections/\d+", "/developer"),
    "connection-guide": ("/connections", r"/connections/\d+", "/guide"),
    "connection-rotate": ("/connections", r"/connections/\d+", "/rotate"),
    "deliveries": "/deliveries",
    "delivery": (f"/deliveries?q={REFUSED}", r"/deliveries/\d+", ""),
    "delivery-stuck": (f"/deliveries?q={STUCK}", r"/deliveries/\d+", ""),
    "delivery-handle": (f"/deliveries?q={REFUSED}", r"/deliveries/\d+", "/handle"),
    "delivery-cancel": (f"/deliveries?q={STUCK}", r"/deliveries/\d+", "/cancel"),
    "deliveries-bulk": "/deliveries/bulk/handle?state=rejected",
    "deliveries-bulk-retry": "/deliveries/bulk/retry?state=rejected",
    "deliveries-bulk-cancel": "/deliveries/bulk/cancel?state=rejected",
    "exchanges": "/exchanges",
    "exchange": ("/exchanges", r"/exchanges/[^?e][^\"/]*", ""),
    "exchange-reveal": ("/exchanges", r"/exchanges/[^?e][^\"/]*", "/reveal"),
    "find": f"/find?q={STORE}",
    "find-none": "/find?q=nothing-at-all",
    "people": "/people",
    "person-new": "/people/new",
    "person": ("/people", r"/people/\d+", ""),
    "roles": "/people/roles",
    "audit": "/audit",
    "schedules": "/schedules",
    "tokens": "/tokens",
    "imports": "/imports",
    "settings": "/settings",
    "account": "/account",
    "totp": "/account/totp",
    "totp-off": "/account/totp/off",
}


async def address(window: Window, name: str) -> str:
    """Return where a page of the tour is."""
    known = PAGES[name]
    if isinstance(known, str):
        return known
    page, *steps = known
    for at in range(0, len(steps), 2):
        page = await window.link(page, steps[at]) + "".join(steps[at + 1 : at + 2])
    return page
