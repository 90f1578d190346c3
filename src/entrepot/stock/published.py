"""What channels see: available stock through the publishing rules, for any number of articles at once."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot import ids
from entrepot.db import ints, queries
from entrepot.errors import Missing
from entrepot.stock import rules
from entrepot.stock.rules import PartStock, PublishRule

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from entrepot.db import Row, Tx
    from entrepot.stock.rules import Published, Why

_q = queries(__package__)


class Channel(Struct, frozen=True, kw_only=True):
    """What of a connection matters here.

    ``locations`` are the codes it may draw on (empty: all); ``stores`` those that get a figure of their own.
    """

    connection_id: int
    locations: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()

    @property
    def draws_on(self) -> tuple[str, ...] | None:
        """The locations whose stock makes up the total; None: all."""
        return self.locations or None


class NewRule(Struct, frozen=True, kw_only=True):
    """A publishing rule as an operator states it; later rules win over earlier ones."""

    connection_id: int | None = None
    location: str | None = None
    sku: str | None = None
    locations: tuple[str, ...] | None = None
    ratio: Decimal = Decimal(1)
    buffer: int = 0
    minimum: int | None = None
    maximum: int | None = None
    fixed: int | None = None
    stop: bool = False


async def figures(tx: Tx, channel: Channel, articles: Collection[int]) -> dict[int, Published]:
    """Return what a channel sees of these articles now; an article without stock anywhere has 0."""
    wanted = sorted(set(articles))
    if not wanted:
        return {}
    singles, suites = await stock_of(tx, wanted)
    matching = await _matching(tx, channel.connection_id, wanted)
    nothing: Mapping[str, int] = {}
    seen = {}
    for article in wanted:
        which = matching.get(article, matching[None])
        available = singles.get(article, nothing)
        if article in suites:
            available = rules.counted(suites[article].values(), which, channel.draws_on)
        seen[article] = rules.publish(
            available, which, draws_on=channel.draws_on, stores=channel.stores
        )
    return seen


async def explained(tx: Tx, channel: Channel, article_id: int) -> list[Why]:
    """Return how a channel comes to see what it sees of one article.

    A suite's step for ``rules.TOGETHER`` is what its parts allow across the locations without a rule.
    """
    singles, suites = await stock_of(tx, [article_id])
    matching = await _matching(tx, channel.connection_id, [article_id])
    which = matching.get(article_id, matching[None])
    available = singles.get(article_id, {})
    if article_id in suites:
        available = rules.counted(suites[article_id].values(), which, channel.draws_on)
    return rules.explain(available, which, draws_on=channel.draws_on, stores=channel.stores)


async def add_rule(tx: Tx, new: NewRule) -> int:
    """Add a rule behind all others; return its id. A rule for one article marks that article as changed."""
    rule_id = ids.new()
    found = await tx.row(
        _q.add_rule,
        *(rule_id, new.connection_id, new.location, new.sku, new.locations, new.ratio, new.buffer),
        *(new.minimum, new.maximum, new.fixed, new.stop, ids.new()),
    )
    if found is None:
        raise Missing("unknown_rule_scope", "There is no such location or SKU.")
    return rule_id


async def remove_rule(tx: Tx, rule_id: int) -> None:
    """Remove a rule; raises Missing."""
    if await tx.row(_q.remove_rule, rule_id, ids.new()) is None:
        raise Missing("unknown_rule", f"There is no publishing rule {rule_id}.")


async def list_rules(tx: Tx) -> list[Row]:
    """Return all publishing rules in the order in which they are looked at."""
    return list(await tx.rows(_q.list_rules))


async def stock_of(
    tx: Tx, articles: Sequence[int]
) -> tuple[dict[int, dict[str, int]], dict[int, dict[int, PartStock]]]:
    """Return available pieces by article and location code; of suites those of each part, by its id."""
    singles: dict[int, dict[str, int]] = {}
    suites: dict[int, dict[int, PartStock]] = {}
    for row in await tx.rows(_q.availability, ints(articles)):
        if row[3] is None:
            singles.setdefault(row[0], {})[row[1]] = row[2]
            continue
        parts = suites.setdefault(row[0], {})
        part = parts.get(row[3]) or parts.setdefault(row[3], PartStock(row[4], {}))
        if row[1] is not None:
            part.pieces[row[1]] = row[2]
    return singles, suites


async def _matching(
    tx: Tx, connection_id: int, articles: Sequence[int]
) -> dict[int | None, list[PublishRule]]:
    """Return the rules for every article (under None), and for each that has rules of its own, in order."""
    rows = await tx.rows(_q.matching_rules, connection_id, ints(articles))
    every = [(row["article_id"], _rule(row)) for row in rows]
    special = {article_id for article_id, _ in every}
    return {
        article: [rule for scope, rule in every if scope in (None, article)]
        for article in (None, *special)
    }


def _rule(row: Row) -> PublishRule:
    return PublishRule(
        id=row["id"],
        location=row["location"],
        locations=None if row["locations"] is None else tuple(row["locations"]),
        ratio=row["ratio"],
        buffer=row["buffer"],
        minimum=row["minimum"],
        maximum=row["maximum"],
        fixed=row["fixed"],
        stop=row["stop"],
    )
