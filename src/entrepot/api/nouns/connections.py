"""Connections: the partner systems of a tenant, their settings and keys."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from entrepot.api import paging, words
from entrepot.api.desk import Desk
from entrepot.api.operation import Created, reads, writes
from entrepot.api.paging import Page, Paged
from entrepot.api.words import Body, Code, Id
from entrepot.connections import flows
from entrepot.connections.rules import SECRET, URL_KEY, hidden
from entrepot.db import Row, Tx, queries
from entrepot.kit import twin as twins
from entrepot.kit.guide import Subject, guide

Setting = Annotated[str, Meta(max_length=2000)]
_q = queries(__package__)


class Connection(Struct, frozen=True, kw_only=True):
    """One partner system; keys and secrets, those in a URL too, are shown by an operation of their own."""

    id: str
    name: str
    dialect: str
    role: str
    partner_url: str | None
    paused: bool
    settings: dict[str, Any]


class Credentials(Struct, frozen=True, kw_only=True):
    """What the partner needs: the URL to call us at, and the secrets; and the whole URL we call it at."""

    base_url: str
    secrets: dict[str, str]
    partner_url: str | None


class ConnectionMade(Struct, frozen=True, kw_only=True):
    """A connection that was made, and what its partner needs."""

    id: str
    name: str
    credentials: Credentials


class NewConnection(Body, frozen=True, kw_only=True):
    """A partner system to be added; without a role we play the dialect's usual one."""

    name: Code
    dialect: Code
    role: Annotated[str, Meta(max_length=50)] = ""
    partner_url: Annotated[str, Meta(max_length=2000)] | None = None
    settings: Annotated[dict[Code, Setting], Meta(max_length=100)] = {}  # noqa: RUF012 - a struct's default is copied


class Changes(Body, frozen=True, kw_only=True):
    """Settings by name, as text; an empty text returns one to its default.

    ``partner_url``, ``paused`` (``on``, ``off``), ``bearer`` (the token that callers must show, or ``off``),
    ``partner_bearer`` (the one that our calls show) and the names of the dialect's secrets are set the
    same way.
    """

    settings: Annotated[dict[Code, Setting], Meta(min_length=1, max_length=100)]


class Guide(Struct, frozen=True, kw_only=True):
    """The document of a connection for the partner's developer: Chinese, in Markdown, without its key."""

    markdown: str


class NewTwin(Body, frozen=True, kw_only=True):
    """A twin to practise on; ``partner_url``: where its scripted partner listens, ``off``: nowhere."""

    partner_url: Annotated[str, Meta(max_length=2000)] = "off"


class TwinMade(Struct, frozen=True, kw_only=True):
    """A twin: the tenant it is in, and how many articles were copied there."""

    tenant: str
    articles: int


class DialectShown(Struct, frozen=True, kw_only=True):
    """A way of speaking that connections may have, and its roles, the usual one first."""

    name: str
    label: str
    document: str
    roles: list[str]


class Dialects(Struct, frozen=True, kw_only=True):
    """Every dialect that this hub speaks."""

    dialects: list[DialectShown]


@reads("/dialects", "connections")
async def list_dialects(tx: Tx, desk: Desk) -> Dialects:
    """List the dialects that a connection may have."""
    del tx
    found = desk.hub.dialects.values()
    return Dialects(
        dialects=[
            DialectShown(name=d.name, label=d.label, document=d.document, roles=list(d.roles))
            for d in found
        ]
    )


@reads("/connections", "connections")
async def list_connections(tx: Tx, desk: Desk, query: Paged) -> Page[Connection]:
    """List connections by name."""
    (after,) = paging.start(query, tuple[str]) or (None,)
    found = await tx.rows(_q.connections, after, query.limit + 1)
    return paging.page(found, query, lambda row: (row["name"],), lambda row: _shown(desk, row))


@reads("/connections/{id}", "connections", tagged=True)
async def show_connection(tx: Tx, desk: Desk, id: Id) -> Connection:  # noqa: A002 - the path's word
    """Show one connection with all of its settings."""
    return _shown(desk, await _row(tx, id))


@writes("POST", "/connections", "connections", status=201, reloads=True)
async def add_connection(tx: Tx, desk: Desk, body: NewConnection) -> Created[ConnectionMade]:
    """Add a partner system; the reply holds the URL and the secrets to give to the partner."""
    hub = desk.hub
    new = flows.NewConnection(
        name=body.name,
        dialect=body.dialect,
        role=body.role,
        partner_url=body.partner_url,
        settings=body.settings,
    )
    made = await flows.add(tx, hub.vault, hub.dialects, new, who=desk.who)
    return Created(await _made(tx, desk, made, body.name), f"/connections/{made}")


@writes("PATCH", "/connections/{id}", "connections", tagged=True, of=show_connection, reloads=True)
async def change_connection(tx: Tx, desk: Desk, id: Id, body: Changes) -> Connection:  # noqa: A002
    """Change settings of a connection; waiting calls follow the new ones."""
    await _change(tx, desk, id, body.settings)
    return _shown(desk, await _row(tx, id))


@writes("POST", "/connections/{id}/rotate", "connections", reloads=True)
async def rotate_connection(tx: Tx, desk: Desk, id: Id) -> ConnectionMade:  # noqa: A002
    """Make a new key and new secrets; the old stay valid for ``rotation_overlap``."""
    row = await _change(tx, desk, id, {}, rotate=True)
    return await _made(tx, desk, row["id"], row["name"])


@writes("POST", "/connections/{id}/credentials", "connections")
async def reveal_credentials(tx: Tx, desk: Desk, id: Id) -> Credentials:  # noqa: A002
    """Show the current key and secrets; that they were looked at is audited."""
    row = await _row(tx, id)
    await flows.audit(tx, desk.who, "connection credentials", row["name"])
    return await _credentials(tx, desk, row["id"])


@reads("/connections/{id}/guide", "connections")
async def guide_connection(tx: Tx, desk: Desk, id: Id) -> Guide:  # noqa: A002 - the path's word
    """Show the document of a connection for the partner's developer; secrets are named, not shown."""
    found = desk.hub.registry.named(desk.caller.tenant_id, (await _row(tx, id))["name"])
    url = desk.hub.registry.base_url(found).removesuffix(found.generations[0].key)
    subject = Subject(
        dialect=desk.hub.dialects[found.partner.dialect],
        partner=found.partner,
        base_url=url + SECRET,
    )
    return Guide(markdown=guide(subject))


@writes("POST", "/connections/{id}/twin", "connections", status=201, reloads=True)
async def make_twin(tx: Tx, desk: Desk, id: Id, body: NewTwin) -> TwinMade:  # noqa: A002
    """Make a twin of a connection in a tenant of its own, or bring its copies up to date."""
    hub = desk.hub
    original = hub.registry.named(desk.caller.tenant_id, (await _row(tx, id))["name"])
    made = await twins.twin(
        *(hub.db, hub.vault, hub.dialects, hub.registry, original),
        partner_url=body.partner_url,
        who=desk.who,
    )
    return TwinMade(tenant=made.tenant, articles=made.articles)


async def _change(
    tx: Tx, desk: Desk, number: str, changes: dict[str, str], *, rotate: bool = False
) -> Row:
    row, hub = await _row(tx, number), desk.hub
    await flows.change(
        tx, hub.vault, hub.dialects, row["name"], changes, who=desk.who, rotate=rotate
    )
    return row


async def _row(tx: Tx, number: str) -> Row:
    row = await tx.row(_q.connection, words.number(number, "connection"))
    if row is None:
        raise words.missing("connection", number)
    return row


async def _made(tx: Tx, desk: Desk, connection_id: int, name: str) -> ConnectionMade:
    shown = await _credentials(tx, desk, connection_id)
    return ConnectionMade(id=str(connection_id), name=name, credentials=shown)


async def _credentials(tx: Tx, desk: Desk, connection_id: int) -> Credentials:
    sealed = await tx.value(_q.current_secrets, connection_id)
    secrets = msgspec.json.decode(desk.hub.vault.unseal(sealed), type=dict[str, str])
    key = secrets.pop(URL_KEY)
    row = await tx.row(_q.connection, connection_id)
    return Credentials(
        base_url=f"{desk.hub.registry.address}/c/{key}",
        secrets=secrets,
        partner_url=row["partner_url"] if row else None,
    )


def _shown(desk: Desk, row: Row) -> Connection:
    """Return a connection with all of its settings, those at their defaults too."""
    settings = msgspec.json.decode(row["settings"])
    if row["dialect"] in desk.hub.dialects:
        _, role = flows.role_of(desk.hub.dialects, row["dialect"], row["role"])
        settings = msgspec.to_builtins(msgspec.convert(settings, role.settings))
    return Connection(
        id=str(row["id"]),
        name=row["name"],
        dialect=row["dialect"],
        role=row["role"],
        partner_url=hidden(row["partner_url"]) if row["partner_url"] else None,
        paused=row["paused"],
        settings=settings,
    )
