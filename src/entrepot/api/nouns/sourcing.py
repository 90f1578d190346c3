"""How outlets are chosen: the rules in their order, and what texts of refusals mean for stock."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from entrepot.api import naming, words
from entrepot.api.desk import Desk
from entrepot.api.operation import reads, writes
from entrepot.api.words import SAID, Body, Code
from entrepot.connections.flows import audit
from entrepot.db import Tx, queries
from entrepot.dispatch import outlets
from entrepot.errors import BadInput

MOST = 100
Kind = Literal[
    "group", "paused", "capacity", "depth", "minimum", "single", "fewest", "city", "province",
    "priority", "stock",
]  # fmt: skip
Place = Annotated[int, Meta(ge=1, le=MOST)]
Text = Annotated[str, Meta(pattern=SAID, max_length=200)]
_q = queries("entrepot.api")


class SourcingRule(Body, frozen=True, kw_only=True):
    """A rule, and its settings where its kind has any.

    ``group``: ``groups`` and (only for their orders) ``connections``; ``depth``: ``pieces``; ``minimum``:
    ``pieces``, ``amount``.
    """

    kind: Kind
    settings: dict[str, Any] = {}  # noqa: RUF012 - a struct's default is copied


class SourcingRules(Body, frozen=True, kw_only=True):
    """All rules in their order. None at all: the default ones hold."""

    rules: Annotated[list[SourcingRule], Meta(max_length=MOST)]


class RuleAdded(Body, frozen=True, kw_only=True):
    """A rule to be put at a place, counted from 1; without one behind all others."""

    rule: SourcingRule
    place: Place | None = None


class Reason(Body, frozen=True, kw_only=True):
    """What a text with which a connection's outlets refuse means for their stock.

    ``unchanged``: nothing; ``empty``: none of the article is there; ``unsellable``: what was asked for is
    there and cannot be sold.
    """

    text: Text
    effect: Literal["unchanged", "empty", "unsellable"]


class ReasonsWanted(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose outlets' texts."""

    connection: Code


class ReasonsSet(Body, frozen=True, kw_only=True):
    """Texts of a connection's outlets; those that are not named stay."""

    connection: Code
    reasons: Annotated[list[Reason], Meta(min_length=1, max_length=MOST)]


class Reasons(Struct, frozen=True, kw_only=True):
    """Every text of a connection's outlets that means anything."""

    connection: str
    reasons: list[Reason]


@reads("/dispatch/rules", "dispatch", tagged=True)
async def list_sourcing_rules(tx: Tx, desk: Desk) -> SourcingRules:
    """Show by which rules outlets are chosen, in their order."""
    del desk
    return _shown(await outlets.rules(tx))


@writes("PUT", "/dispatch/rules", "dispatch", tagged=True, of=list_sourcing_rules)
async def replace_sourcing_rules(tx: Tx, desk: Desk, body: SourcingRules) -> SourcingRules:
    """Replace all rules; none at all brings the default back."""
    return await _save(tx, desk, [_stored(rule) for rule in body.rules])


@writes("POST", "/dispatch/rules", "dispatch", tagged=True, of=list_sourcing_rules)
async def add_sourcing_rule(tx: Tx, desk: Desk, body: RuleAdded) -> SourcingRules:
    """Add a rule; the reply has all of them."""
    rules = await _present(tx)
    at = len(rules) if body.place is None else min(body.place - 1, len(rules))
    return await _save(tx, desk, [*rules[:at], _stored(body.rule), *rules[at:]])


@writes("PUT", "/dispatch/rules/{place}", "dispatch", tagged=True)
async def change_sourcing_rule(
    tx: Tx, desk: Desk, place: Place, body: SourcingRule
) -> SourcingRules:
    """Put another rule in the place of one; places count from 1."""
    rules = _reaching(await _present(tx), place)
    return await _save(tx, desk, [*rules[: place - 1], _stored(body), *rules[place:]])


@writes("DELETE", "/dispatch/rules/{place}", "dispatch", tagged=True)
async def delete_sourcing_rule(tx: Tx, desk: Desk, place: Place) -> SourcingRules:
    """Take a rule away; when the last one goes the default ones hold."""
    rules = _reaching(await _present(tx), place)
    return await _save(tx, desk, [*rules[: place - 1], *rules[place:]])


@reads("/dispatch/reasons", "dispatch")
async def list_refusal_reasons(tx: Tx, desk: Desk, query: ReasonsWanted) -> Reasons:
    """List what texts of refusals mean for the outlets' stock."""
    known = naming.connections(desk, [query.connection])
    return await _reasons(tx, query.connection, known[query.connection])


@writes("PUT", "/dispatch/reasons", "dispatch")
async def set_refusal_reasons(tx: Tx, desk: Desk, body: ReasonsSet) -> Reasons:
    """Say what texts of refusals mean from now on; ``unchanged`` is what an unknown text means."""
    connection_id = naming.connections(desk, [body.connection])[body.connection]
    effects = {one.text.strip(): one.effect for one in body.reasons}
    await outlets.set_reasons(tx, connection_id, effects)
    for text, effect in effects.items():
        details = {"text": text, "effect": effect}
        await audit(tx, desk.who, "refusal reason set", body.connection, details=details)
    return await _reasons(tx, body.connection, connection_id)


async def _present(tx: Tx) -> list[dict[str, Any]]:
    """Return the rules as they are; whoever changes them at the same time waits."""
    await tx.rows(_q.queue_up, "/dispatch/rules:[]")
    return await outlets.rules(tx)


async def _save(tx: Tx, desk: Desk, rules: list[dict[str, Any]]) -> SourcingRules:
    if len(rules) > MOST:
        raise BadInput("too_many", f"There may be {MOST} rules.", path="rules")
    await outlets.set_rules(tx, rules)
    await audit(tx, desk.who, "sourcing set", "", details={"rules": rules})
    return _shown(await outlets.rules(tx))


async def _reasons(tx: Tx, name: str, connection_id: int) -> Reasons:
    known = await outlets.reasons(tx, connection_id)
    return Reasons(
        connection=name,
        reasons=[Reason(text=text, effect=effect) for text, effect in known.items()],  # type: ignore[arg-type]  # the table's check
    )


def _reaching(rules: list[dict[str, Any]], place: int) -> list[dict[str, Any]]:
    if place > len(rules):
        raise words.missing("rule", str(place))
    return rules


def _stored(rule: SourcingRule) -> dict[str, Any]:
    if "kind" in rule.settings:
        raise BadInput("bad_rule", "A rule's kind stands beside its settings.", path="settings")
    return {"kind": rule.kind, **rule.settings}


def _shown(rules: list[dict[str, Any]]) -> SourcingRules:
    return SourcingRules(
        rules=[
            SourcingRule(
                kind=rule["kind"],
                settings={name: value for name, value in rule.items() if name != "kind"},
            )
            for rule in rules
        ]
    )
