"""What a subscriber is called with, and what its answers mean."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from msgspec import structs

from entrepot import clock, ids
from entrepot.dialect import Delivered, Partner, Rejected, Request, Retry, Sent, Verdict
from entrepot.dialects.webhooks import signature, wire
from entrepot.facts import Levels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.dialects.webhooks.wire import SenderSettings
    from entrepot.facts import Fact

_GONE, _TOO_OFTEN = 410, 429


def overhears(settings: SenderSettings) -> frozenset[str]:
    """Return the kinds of facts that a subscriber is told of."""
    return wire.wanted(settings)


def request_for(fact: Fact | Levels, partner: Partner) -> Request | None:
    """Return the call that tells a subscriber what happened; None once it wants to know no more."""
    if isinstance(fact, Levels):
        return Request("", wire.levels(fact)) if wire.at_once(partner.settings) else None
    if fact.kind not in wire.wanted(partner.settings):
        return None
    return Request("", wire.body(fact, partner.settings))


def finish(request: Request, key: str, secrets: Sequence[Mapping[str, str]]) -> Request:
    """Return an attempt's request: under its id, dated, signed with every secret that counts.

    Levels, which are no delivery, have an id of their own, and hold as of now.
    """
    now = int(clock.now().timestamp())
    happened = (ids.made_at(int(key)) if key.isdigit() else clock.now()).astimezone(UTC)
    body = wire.at(request.body, f"{happened:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z")
    headers = signature.headers(signature.known(secrets), key, now, body)
    return structs.replace(request, body=body, headers=(*request.headers, *headers))


def sign(request: Request, secrets: Mapping[str, str]) -> Request:
    """Return a request as a sender with these secrets makes it, under an id of its own."""
    now = int(clock.now().timestamp())
    headers = signature.headers(signature.known([secrets]), str(ids.new()), now, request.body)
    return structs.replace(request, headers=(*request.headers, *headers))


def verdict(sent: Sent) -> Verdict:
    """Judge an answer: any 2xx has taken it, 410 wants no more of it, all else is tried again."""
    status = sent.response.status
    if 200 <= status < 300:
        return Delivered()
    if status == _GONE:
        return Rejected("HTTP 410: the subscriber wants to hear no more")
    return Retry(f"HTTP {status}", slow_down=status == _TOO_OFTEN)
