"""Goods that a partner names and nobody knew: a person says which article of ours that is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from entrepot.catalogue import flows
from entrepot.catalogue.flows import Article
from entrepot.db import queries
from entrepot.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Tx

_q = queries(__package__)


class Known(Struct, frozen=True, kw_only=True):
    """What somebody says a partner's name of goods is: ``sku`` is ours, made where there is none yet.

    ``by`` is what the partner calls goods by; a partner that calls them by SKU can mean only that SKU.
    """

    name: str
    sku: str
    by: Literal["style", "sku"]
    title: str = ""


async def learn(tx: Tx, batch: Sequence[Known]) -> None:
    """Have these names known: all of them or none.

    Raises Conflict for a name that is another article's, and for an article that has another name already.
    """
    names = {one.name: one for one in batch}
    _each_for_itself(list(names.values()))
    known = await flows.by_sku(tx, {one.sku for one in names.values()})
    fresh = [one for one in names.values() if one.sku not in known]
    taken = await flows.by_style(tx, [one.name for one in names.values() if one.by == "style"])
    for name in taken:
        if known.get(names[name].sku) != taken[name]:
            raise Conflict("style_taken", f"{name} is another article's style.", name=name)
    await flows.add(
        tx,
        [
            Article(sku=one.sku, style_no=one.name if one.by == "style" else None, name=one.title)
            for one in fresh
        ],
    )
    styled = [one for one in names.values() if one.by == "style" and one.sku in known]
    rows = await tx.rows(_q.name_style, [one.sku for one in styled], [one.name for one in styled])
    named = {row["sku"] for row in rows}
    for one in styled:
        if one.sku not in named:
            text = f"{one.sku} has another style number already."
            raise Conflict("has_style", text, sku=one.sku)


def _each_for_itself(batch: Sequence[Known]) -> None:
    """Raise Conflict where two names would be one article's, or a SKU would be called by another."""
    skus: set[str] = set()
    for one in batch:
        if one.by == "sku" and one.sku != one.name:
            text = f"This partner calls goods by SKU: {one.name} must be the SKU."
            raise Conflict("sku_is_name", text, name=one.name)
        if one.sku in skus:
            raise Conflict("sku_twice", f"{one.sku} cannot have two names.", sku=one.sku)
        skus.add(one.sku)
