"""A twin of a connection, to practise on: the same dialect, role and settings, in a tenant of its own.

The twin's tenant is called like the original with ``-twin`` behind it. It holds copies of the locations, of
up to ``MOST`` articles, their stock and pieces, the suites made of them, how outlets are chosen and what
texts of refusals mean, and the connection's listings; and nobody's orders. At its other end a scripted
partner (``entrepot mock``) is expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from entrepot import ids
from entrepot.catalogue import suites
from entrepot.connections import flows as connections
from entrepot.connections.rules import TWIN
from entrepot.db import queries
from entrepot.dispatch import outlets
from entrepot.errors import Conflict
from entrepot.imports.flows import KINDS
from entrepot.imports.staging import Batch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from entrepot.connections.registry import Registry
    from entrepot.connections.rules import Connection
    from entrepot.db import Database, Row, Tx
    from entrepot.dialect import Dialect
    from entrepot.vault import Vault

MOST = 20_000
_MADE = ("tenant_name_taken", "connection_name_taken")
_AT_HOME = ["127.0.0.0/8", "::1/128"]
_q = queries(__package__)


class Copied(Struct, frozen=True, kw_only=True):
    """What was read of the original.

    ``files`` are rows by the kind of file they would come in with, in the order in which they must;
    ``details`` are (SKU, JSON); ``rules`` and ``reasons`` are those of dispatch.
    """

    files: Mapping[str, list[tuple[str, ...]]]
    details: list[tuple[str, ...]]
    labels: list[str]
    rules: list[dict[str, Any]]
    reasons: dict[str, str]


class Twin(Struct, frozen=True, kw_only=True):
    """The twin's tenant, whether it is new, and how many articles it has."""

    tenant_id: int
    tenant: str
    fresh: bool
    articles: int


async def twin(
    db: Database,
    vault: Vault,
    dialects: Mapping[str, Dialect],
    registry: Registry,
    original: Connection,
    *,
    partner_url: str | None,
    who: str,
) -> Twin:
    """Make a connection's twin, or bring its goods and stock up to date where there is one.

    Where another made it at this moment, it is brought up to date as well.
    """
    copied = await _read(db, original)
    new = connections.NewConnection(
        name=original.partner.name,
        dialect=original.partner.dialect,
        role=original.partner.role,
        partner_url=partner_url,
        settings=texts(original.partner.settings),
    )

    async def add(tx: Tx) -> int:
        return await connections.add(tx, vault, dialects, new, who=who)

    for _ in _MADE:  # by another, meanwhile: the tenant, and then the connection
        try:
            return await _made(db, registry, original, copied, add, who)
        except Conflict as taken:
            if taken.code not in _MADE:
                raise
        await registry.load()
    return await _made(db, registry, original, copied, add, who)


async def _made(
    db: Database,
    registry: Registry,
    original: Connection,
    copied: Copied,
    add: Callable[[Tx], Awaitable[int]],
    who: str,
) -> Twin:
    """Write a twin as the registry knows of it; raises Conflict where there is one that it does not know."""
    tenant, partner = original.tenant + TWIN, original.partner
    there = {name: known for known, (name, _) in registry.tenants.items()}
    tenant_id = there.get(tenant) or ids.new()
    known = {one.partner.name: one.partner.id for one in registry.of(tenant_id)}

    async def write(tx: Tx) -> None:
        if tenant in there:
            await tx.row(_q.hold)
        else:
            _, settings = registry.tenants[partner.tenant_id]
            await connections.add_tenant(tx, tenant, {**settings, "allowed_networks": _AT_HOME})
        await _write(tx, copied, known.get(partner.name) or await add(tx), who)

    await db.run(tenant_id, write)
    return Twin(
        tenant_id=tenant_id,
        tenant=tenant,
        fresh=partner.name not in known,
        articles=len(copied.files["articles"]),
    )


def texts(settings: Any) -> dict[str, str]:
    """Return settings that are not the default as the ``key=value`` texts that would make them."""
    usual = msgspec.to_builtins(type(settings)())
    found: dict[str, str] = {}
    for name, value in msgspec.to_builtins(settings).items():
        if value == usual[name]:
            continue
        if isinstance(value, dict):
            inner = {k: v for k, v in value.items() if v != usual[name].get(k)}
            found |= {f"{name}.{key}": str(part) for key, part in inner.items()}
        elif isinstance(value, list | tuple):
            found[name] = ",".join(map(str, value))
        else:
            found[name] = str(value)
    return found


async def _read(db: Database, original: Connection) -> Copied:
    """Read what the twin begins with, as of one moment."""
    partner = original.partner
    async with db.transaction(partner.tenant_id, isolation="repeatable_read", readonly=True) as tx:
        articles = _cells(await tx.rows(_q.articles, MOST))
        skus = [cells[0] for cells in articles]
        made = _cells(await tx.rows(_q.suites, MOST, skus))
        sold = [*skus, *{cells[0] for cells in made}]
        return Copied(
            files={
                "outlets": _cells(await tx.rows(_q.locations, partner.id, partner.name)),
                "articles": articles,
                "suites": made,
                "stock": _cells(await tx.rows(_q.stock, skus)),
                "pieces": _cells(await tx.rows(_q.pieces, MOST, skus)),
                "listings": _cells(await tx.rows(_q.listings, partner.id, partner.name, sold)),
            },
            details=_cells(await tx.rows(_q.details, skus)),
            labels=[row["name"] for row in await tx.rows(_q.labels)],
            rules=await outlets.rules(tx),
            reasons=await outlets.reasons(tx, partner.id),
        )


async def _write(tx: Tx, copied: Copied, connection_id: int, who: str) -> None:
    """Write the copies as imports write files; what exists already is brought up to date."""
    await suites.add_labels(tx, copied.labels)
    for file, rows in copied.files.items():
        kind = KINDS[file]
        given = frozenset(column.name for column in kind.columns)
        if rows:
            await kind.apply(tx, Batch(rows=list(enumerate(rows, 1)), given=given, who=who))
    skus, details = [sku for sku, _ in copied.details], [text for _, text in copied.details]
    await tx.do(_q.save_details, skus, details)
    await outlets.set_rules(tx, copied.rules)
    await outlets.set_reasons(tx, connection_id, copied.reasons)


def _cells(rows: Iterable[Row]) -> list[tuple[str, ...]]:
    return [tuple(value for _, value in row.items()) for row in rows]
