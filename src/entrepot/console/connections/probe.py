"""Try whether a partner can be reached: one GET to its URL, with the courier's own rules and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot import clock
from entrepot.console import sayings
from entrepot.console.words import _, milliseconds
from entrepot.courier.addresses import networks
from entrepot.courier.http import Caller, CallFailed, Target
from entrepot.dialect import Request

if TYPE_CHECKING:
    from entrepot.console.hub import Hub
    from entrepot.dialect import Partner

_LIMIT = 5.0


class Found(Struct, frozen=True):
    """What trying found, as a sentence."""

    good: bool
    said: str


async def probe(hub: Hub, partner: Partner) -> Found:
    """Ask the partner's URL for anything at all; any HTTP answer shows that it is there."""
    if not partner.partner_url:
        return Found(good=False, said=_("It has no URL to call yet. Set one in its settings."))
    allowed = hub.registry.tenants[partner.tenant_id][1].get("allowed_networks", ())
    try:
        target = Target.of(partner.partner_url, networks(allowed), partner.token)
    except ValueError as error:
        return Found(good=False, said=str(error))
    began = clock.ticks()
    try:
        response, _again = await Caller().call(target, Request(path="", method="GET"), {}, _LIMIT)
    except CallFailed as failure:
        said = _("Not reached: %(reason)s") % {"reason": sayings.said(failure.reason)}
        return Found(good=False, said=said)
    took = milliseconds((clock.ticks() - began) * 1000)
    said = _("Reached: HTTP %(status)s in %(took)s.") % {"status": response.status, "took": took}
    return Found(good=True, said=said)
