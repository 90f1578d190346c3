"""Webhooks: who is told what happens here, and with which secret they know that it is us."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from entrepot import facts
from entrepot.api import paging, words
from entrepot.api.desk import Desk
from entrepot.api.operation import Created, reads, writes
from entrepot.api.paging import Page, Paged
from entrepot.api.words import Body, Code, Id
from entrepot.connections import flows
from entrepot.db import Row, Tx, queries
from entrepot.dialect import Switch

DIALECT, SENDER = "webhooks", "sender"
Url = Annotated[str, Meta(pattern=r"^https?://[^\s/?#]+", max_length=2000)]
Event = Annotated[str, Meta(pattern=r"^[a-z_]+\.[a-z]+$", max_length=50)]
Events = Annotated[
    list[Event], Meta(max_length=100, description="None: every event but `stock.levels`.")
]
_q = queries(__package__)


class Webhook(Struct, frozen=True, kw_only=True):
    """A subscription; its deliveries are those of the connection of its name.

    ``personal`` on: with names, phones and addresses; ``url`` null: nothing is told.
    """

    id: str
    name: str
    url: str | None
    events: list[str]
    active: Switch
    personal: Switch


class NewWebhook(Body, frozen=True, kw_only=True):
    """A subscription to be added."""

    name: Code
    url: Url
    events: Events = []  # noqa: RUF012 - a struct's default is copied
    personal: Switch = "off"


class WebhookChanges(Body, frozen=True, kw_only=True):
    """What changes of a subscription; what is left out stays. ``active`` off: nothing more is told."""

    url: Url | None = None
    events: Events | None = None
    active: Switch | None = None
    personal: Switch | None = None


class WebhookMade(Struct, frozen=True, kw_only=True):
    """A subscription and the secret that signs what it gets, shown when it is made anew."""

    id: str
    name: str
    secret: str


class EventTypes(Struct, frozen=True, kw_only=True):
    """The types of events there are."""

    types: list[str]


@reads("/webhooks", "webhooks")
async def list_webhooks(tx: Tx, desk: Desk, query: Paged) -> Page[Webhook]:
    """List subscriptions by name."""
    (after,) = paging.start(query, tuple[str]) or (None,)
    found = await tx.rows(_q.webhooks, after, query.limit + 1, DIALECT, SENDER)
    return paging.page(found, query, lambda row: (row["name"],), lambda row: _shown(desk, row))


@reads("/webhooks/events", "webhooks")
async def list_event_types(tx: Tx, desk: Desk) -> EventTypes:
    """List the types of events that a subscription may ask for."""
    del tx, desk
    return EventTypes(types=facts.events())


@reads("/webhooks/{id}", "webhooks", tagged=True)
async def show_webhook(tx: Tx, desk: Desk, id: Id) -> Webhook:  # noqa: A002 - the path's word
    """Show one subscription."""
    return _shown(desk, await _row(tx, id))


@writes("POST", "/webhooks", "webhooks", status=201, reloads=True)
async def add_webhook(tx: Tx, desk: Desk, body: NewWebhook) -> Created[WebhookMade]:
    """Add a subscription; what happens from now on is told, signed with the secret in the reply."""
    hub = desk.hub
    new = flows.NewConnection(
        name=body.name,
        dialect=DIALECT,
        role=SENDER,
        partner_url=body.url,
        settings=_settings({"events": body.events, "personal": body.personal}),
    )
    made = await flows.add(tx, hub.vault, hub.dialects, new, who=desk.who)
    return Created(await _made(tx, desk, made, body.name), f"/webhooks/{made}")


@writes("PATCH", "/webhooks/{id}", "webhooks", tagged=True, of=show_webhook, reloads=True)
async def change_webhook(tx: Tx, desk: Desk, id: Id, body: WebhookChanges) -> Webhook:  # noqa: A002
    """Change a subscription; calls that wait follow the new settings."""
    await _change(tx, desk, id, _settings(msgspec.structs.asdict(body)))
    return _shown(desk, await _row(tx, id))


@writes("POST", "/webhooks/{id}/rotate", "webhooks", reloads=True)
async def rotate_webhook(tx: Tx, desk: Desk, id: Id) -> WebhookMade:  # noqa: A002
    """Make a new secret; until ``rotation_overlap`` is over calls bear the signatures of both."""
    row = await _change(tx, desk, id, {}, rotate=True)
    return await _made(tx, desk, row["id"], row["name"])


async def _change(
    tx: Tx, desk: Desk, number: str, changes: dict[str, str], *, rotate: bool = False
) -> Row:
    row, hub = await _row(tx, number), desk.hub
    await flows.change(
        tx, hub.vault, hub.dialects, row["name"], changes, who=desk.who, rotate=rotate
    )
    return row


def _settings(given: dict[str, Any]) -> dict[str, str]:
    """Return what was given as connections take it: as text; an empty list is the default."""
    names = {"url": "partner_url"}
    return {
        names.get(name, name): ",".join(value) if isinstance(value, list) else value
        for name, value in given.items()
        if value is not None
    }


async def _row(tx: Tx, number: str) -> Row:
    row = await tx.row(_q.connection, words.number(number, "webhook"))
    if row is None or (row["dialect"], row["role"]) != (DIALECT, SENDER):
        raise words.missing("webhook", number)
    return row


async def _made(tx: Tx, desk: Desk, connection_id: int, name: str) -> WebhookMade:
    sealed = await tx.value(_q.current_secrets, connection_id)
    secrets = msgspec.json.decode(desk.hub.vault.unseal(sealed), type=dict[str, str])
    return WebhookMade(id=str(connection_id), name=name, secret=secrets.get("secret", ""))


def _shown(desk: Desk, row: Row) -> Webhook:
    _, role = flows.role_of(desk.hub.dialects, row["dialect"], row["role"])
    settings: Any = msgspec.convert(msgspec.json.decode(row["settings"]), role.settings)
    return Webhook(
        id=str(row["id"]),
        name=row["name"],
        url=row["partner_url"],
        events=list(settings.events),
        active=settings.active,
        personal=settings.personal,
    )
