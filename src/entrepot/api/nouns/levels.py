"""Levels: what channels see of stock, by which rules, and having it sent to them now."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from msgspec import Meta, Struct, structs

from entrepot.api import naming, words
from entrepot.api.desk import Desk
from entrepot.api.operation import Created, reads, writes
from entrepot.api.words import Body, Code, Count, Id
from entrepot.connections.flows import audit
from entrepot.courier import desk as courier
from entrepot.db import Row, Tx
from entrepot.decode import MOST
from entrepot.errors import BadInput, Conflict
from entrepot.stock import published
from entrepot.stock.published import Channel, NewRule

_BIGGEST_RATIO = 100


class PublishRule(Struct, frozen=True, kw_only=True):
    """A rule that shapes what channels see; null: for all of them, or not asked for.

    What is available at ``locations`` times ``ratio``, less ``buffer``, at least ``minimum`` and at most
    ``maximum``; or ``fixed``; or 0 (``stop``).
    """

    id: str
    connection: str | None
    location: str | None
    sku: str | None
    locations: list[str] | None
    ratio: Decimal
    buffer: int
    minimum: int | None
    maximum: int | None
    fixed: int | None
    stop: bool


class PublishRules(Struct, frozen=True, kw_only=True):
    """All rules in the order in which they are looked at: the last that fits wins."""

    rules: list[PublishRule]


class NewPublishRule(Body, frozen=True, kw_only=True):
    """A rule to be added behind all others."""

    connection: Code | None = None
    location: Code | None = None
    sku: Code | None = None
    locations: Annotated[list[Code], Meta(min_length=1, max_length=1000)] | None = None
    ratio: Decimal = Decimal(1)
    buffer: Annotated[int, Meta(ge=-MOST, le=MOST)] = 0
    minimum: Count | None = None
    maximum: Count | None = None
    fixed: Count | None = None
    stop: bool = False


class LevelsSent(Body, frozen=True, kw_only=True):
    """Whom to tell levels; ``full``: all of them, not only those that changed."""

    connection: Code
    full: bool = False


class RoundStands(Struct, frozen=True, kw_only=True):
    """Whether a partner is still owed the levels that were asked for, and what went wrong last.

    ``served``: a courier is there to send them.
    """

    connection: str
    owed: bool
    served: bool
    last_error: str


class SentWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose levels."""

    connection: Code


class ExplanationWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of which article is to be explained."""

    connection: Code
    sku: Code


class Seen(Struct, frozen=True, kw_only=True):
    """What a channel sees at a location (empty: in total), of how many, by which rule (null: none)."""

    location: str
    available: int
    rule: str | None
    published: int


class SeenOf(Struct, frozen=True, kw_only=True):
    """What a connection's channel sees of an article."""

    connection: str
    sku: str
    steps: list[Seen]


@reads("/levels/rules", "levels")
async def list_publish_rules(tx: Tx, desk: Desk) -> PublishRules:
    """List the rules that shape what channels see."""
    del desk
    return PublishRules(rules=[_rule(row) for row in await published.list_rules(tx)])


@writes("POST", "/levels/rules", "levels", status=201)
async def add_publish_rule(tx: Tx, desk: Desk, body: NewPublishRule) -> Created[PublishRules]:
    """Add a rule behind all others; channels are told what it changes."""
    if body.ratio > _BIGGEST_RATIO:
        raise BadInput("bad_ratio", f"A ratio is at most {_BIGGEST_RATIO}.", path="ratio")
    fields = structs.asdict(body)
    name = fields.pop("connection")
    if name is not None:
        fields["connection_id"] = naming.connections(desk, [name])[name]
    fields["locations"] = None if body.locations is None else tuple(body.locations)
    made = await published.add_rule(tx, NewRule(**fields))
    told = {k: str(v) for k, v in structs.asdict(body).items() if v not in (None, False, 0)}
    await audit(tx, desk.who, "publish rule add", str(made), details=told)
    return Created(await list_publish_rules.handler(tx, desk), f"/levels/rules/{made}")


@writes("DELETE", "/levels/rules/{id}", "levels")
async def remove_publish_rule(tx: Tx, desk: Desk, id: Id) -> PublishRules:  # noqa: A002 - the path's word
    """Take a rule away; channels are told what that changes."""
    await published.remove_rule(tx, words.number(id, "rule"))
    await audit(tx, desk.who, "publish rule remove", id)
    left: PublishRules = await list_publish_rules.handler(tx, desk)
    return left


@reads("/levels/explain", "levels")
async def explain_levels(tx: Tx, desk: Desk, query: ExplanationWanted) -> SeenOf:
    """Explain what a connection's channel sees of an article."""
    articles = await naming.articles(tx, [query.sku])
    steps = await published.explained(tx, _channel(desk, query.connection), articles[query.sku])
    return SeenOf(
        connection=query.connection,
        sku=query.sku,
        steps=[
            Seen(
                location=step.location or "",
                available=step.available,
                rule=None if step.rule is None else str(step.rule),
                published=step.published,
            )
            for step in steps
        ],
    )


@writes("POST", "/levels/send", "levels", status=202)
async def send_levels(tx: Tx, desk: Desk, body: LevelsSent) -> RoundStands:
    """Have a connection's levels sent now; ask again to see whether they have been."""
    naming.connections(desk, [body.connection])
    found = desk.hub.registry.named(desk.caller.tenant_id, body.connection)
    if found.role.levels(found.partner.settings) == 0:
        raise Conflict("no_levels", f"The partner of {body.connection} is told no stock levels.")
    if found.partner.partner_url is None:
        raise Conflict("no_partner_url", f"Set the partner_url of {body.connection}: where to?")
    await courier.ask_levels(tx, found.partner.id, full=body.full)
    return await _stands(tx, body.connection, found.partner.id)


@reads("/levels/send", "levels")
async def show_levels_sent(tx: Tx, desk: Desk, query: SentWanted) -> RoundStands:
    """Show whether levels that were asked for have been sent."""
    known = naming.connections(desk, [query.connection])
    return await _stands(tx, query.connection, known[query.connection])


async def _stands(tx: Tx, name: str, connection_id: int) -> RoundStands:
    row = await courier.round_stands(tx, connection_id)
    return RoundStands(
        connection=name,
        owed=bool(row and row["owed"]),
        served=bool(row and row["served"]),
        last_error=(row["last_error"] if row else "") or "",
    )


def _channel(desk: Desk, name: str) -> Channel:
    naming.connections(desk, [name])
    found = desk.hub.registry.named(desk.caller.tenant_id, name)
    settings = found.partner.settings
    return Channel(
        connection_id=found.partner.id,
        locations=found.role.level_locations(settings),
        stores=found.role.level_stores(settings),
    )


def _rule(row: Row) -> PublishRule:
    fields: dict[str, Any] = {
        name: row[name] for name in PublishRule.__struct_fields__ if name != "id"
    }
    return PublishRule(id=str(row["id"]), **fields)
