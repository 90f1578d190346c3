"""Turns the names in a request into the ids that flows work with; what is unknown is named, all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.catalogue import flows as catalogue
from entrepot.errors import BadInput
from entrepot.stock import flows as stock

if TYPE_CHECKING:
    from collections.abc import Iterable

    from entrepot.api.desk import Desk
    from entrepot.db import Tx


async def articles(tx: Tx, skus: Iterable[str]) -> dict[str, int]:
    """Return article ids by SKU; raises BadInput."""
    wanted = set(skus)
    found = await catalogue.by_sku(tx, wanted)
    _all_known("article", wanted - found.keys())
    return found


async def locations(tx: Tx, codes: Iterable[str]) -> dict[str, int]:
    """Return location ids by code; raises BadInput."""
    wanted = set(codes)
    found = await stock.known_locations(tx, wanted)
    _all_known("location", wanted - found.keys())
    return found


def connections(desk: Desk, names: Iterable[str]) -> dict[str, int]:
    """Return connection ids by name; raises BadInput."""
    of_tenant = desk.hub.registry.of(desk.caller.tenant_id)
    found = {connection.partner.name: connection.partner.id for connection in of_tenant}
    _all_known("connection", set(names) - found.keys())
    return found


def _all_known(what: str, unknown: set[str]) -> None:
    if unknown:
        names = sorted(unknown)
        text = f"There is no {what} {', '.join(names)}."
        raise BadInput(f"unknown_{what}", text, names=names)
