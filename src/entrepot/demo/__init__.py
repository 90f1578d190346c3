"""The demonstration: tenant ``demo`` with the documents' own examples, tenant ``partners`` at the other end.

Loaded once, into an empty database. Each dialect has a file here with its part: connections at both
ends, goods, documents. A part whose dialect is not installed still brings its goods.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from entrepot import ids
from entrepot.connections import flows
from entrepot.demo import goldshop, minimall, storepos, trade, wangdian

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.connections.flows import NewConnection
    from entrepot.connections.registry import Registry
    from entrepot.db import Database
    from entrepot.demo.part import End, Part
    from entrepot.dialect import Dialect
    from entrepot.vault import Vault

DEMO, PARTNERS = "demo", "partners"
PARTS: tuple[Part, ...] = (goldshop.part, minimall.part, storepos.part, trade.part, wangdian.part)
_AT_HOME = ["127.0.0.0/8", "::1"]
_WHO = "demo"


async def load(
    db: Database, vault: Vault, dialects: Mapping[str, Dialect], registry: Registry
) -> bool:
    """Load both tenants into a database that has none; return whether it did.

    The partners come first: where ``demo`` is, everything is.
    """
    names = {name for name, _ in registry.tenants.values()}
    if names - {PARTNERS}:
        return False
    secrets = {pair: _secrets(part, pair, dialects) for part in PARTS for pair in part.pairs}
    theirs = {name: shared for (_, name), shared in secrets.items()}
    ours = {name: shared for (name, _), shared in secrets.items()}
    if PARTNERS not in names:
        await _fill(db, vault, dialects, PARTNERS, [part.theirs for part in PARTS], theirs)
    await _fill(db, vault, dialects, DEMO, [part.ours for part in PARTS], ours)
    await registry.load()
    await _wire(db, vault, dialects, registry)
    return True


async def _fill(
    db: Database,
    vault: Vault,
    dialects: Mapping[str, Dialect],
    tenant: str,
    ends: Sequence[End],
    secrets: Mapping[str, Mapping[str, str]],
) -> None:
    """Make one tenant with everything in it, in one transaction."""
    async with db.transaction(ids.new()) as tx:
        await flows.add_tenant(tx, tenant, {"allowed_networks": _AT_HOME})
        for end in ends:
            made = {}
            for new in _known(end.connections, dialects):
                shared = {**new.secrets, **secrets.get(new.name, {})}
                paired = structs.replace(new, secrets=shared)
                made[new.name] = await flows.add(tx, vault, dialects, paired, who=_WHO)
            await end.load(tx, made)


async def _wire(
    db: Database, vault: Vault, dialects: Mapping[str, Dialect], registry: Registry
) -> None:
    """Point both connections of every pair at each other's base URL."""
    demo, partners = registry.tenant(DEMO), registry.tenant(PARTNERS)
    urls = {
        (connection.partner.tenant_id, connection.partner.name): registry.base_url(connection)
        for connection in registry
    }
    for ours, theirs in (pair for part in PARTS for pair in part.pairs):
        ends = ((demo, ours), (partners, theirs))
        if not all(end in urls for end in ends):
            continue
        for (tenant_id, name), other in (ends, ends[::-1]):
            change = {"partner_url": urls[other]}
            async with db.transaction(tenant_id) as tx:
                await flows.change(tx, vault, dialects, name, change, who=_WHO)
    await registry.load()


def _known(
    connections: Sequence[NewConnection], dialects: Mapping[str, Dialect]
) -> list[NewConnection]:
    return [new for new in connections if new.dialect in dialects]


def _secrets(part: Part, pair: tuple[str, str], dialects: Mapping[str, Dialect]) -> dict[str, str]:
    """Return the secrets that both connections of a pair know: generated, and those ours are given."""
    secrets: dict[str, str] = {}
    for end, name in zip((part.theirs, part.ours), reversed(pair), strict=True):
        for new in _known(end.connections, dialects):
            if new.name == name:
                _, role = flows.role_of(dialects, new.dialect, new.role)
                secrets |= {**role.accounts(), **role.secrets(), **new.secrets}
    return secrets
