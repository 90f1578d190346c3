"""Create, change, rotate and pause connections; tenants and their settings.

After each change the processes are told by NOTIFY (a configuration change is no business
transaction, so nothing waits behind it).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from entrepot import ids
from entrepot.connections import rules
from entrepot.db import queries
from entrepot.dialect import PARTNER_BEARER, seconds
from entrepot.errors import BadInput, Missing

if TYPE_CHECKING:
    from entrepot.db import Database, Tx
    from entrepot.dialect import Dialect, Role
    from entrepot.vault import Vault

CHANNEL = "entrepot_connections"
_q = queries(__package__)
_NOTIFY = f"SELECT pg_notify('{CHANNEL}', $1::bigint::text)"


class NewConnection(Struct, frozen=True, kw_only=True):
    """What an operator says of a new partner system."""

    name: str
    dialect: str
    role: str = ""
    partner_url: str | None = None
    settings: Mapping[str, str] = {}
    secrets: Mapping[str, str] = {}


async def add_tenant(tx: Tx, name: str, settings: Mapping[str, Any]) -> None:
    """Create the transaction's tenant."""
    await tx.do(_q.add_tenant, name, _json(settings))


async def settle(db: Database, address: str) -> None:
    """Write down the hub's own address, which the base URL of every connection starts with.

    Connections of this hub that call each other follow a new address. While a process serves on the old
    one it stays: several processes on one database, each on its own port, are one hub.
    """
    async with db.transaction(0) as tx:
        if await tx.value(_q.leave_address, presence(address)):
            await tx.do(_q.follow_address, address)
            await tx.do(_q.set_address, address, presence(address))
            await tx.rows(_NOTIFY)


def presence(address: str) -> int:
    """Return the number of the advisory lock that a process holds while it serves on ``address``."""
    return int.from_bytes(hashlib.sha256(address.encode()).digest()[:8], signed=True)


async def set_tenant(tx: Tx, changes: Mapping[str, str], who: str) -> None:
    """Apply ``key=value`` texts to the tenant's settings; raises BadInput naming what is wrong."""
    stored = msgspec.json.decode(await tx.value(_q.lock_tenant))
    settings = rules.applied(rules.TenantSettings, stored, changes)
    await tx.do(_q.set_tenant, _json(settings))
    await audit(tx, who, "tenant set", "", details=changes)
    await tx.rows(_NOTIFY)


async def add(
    tx: Tx, vault: Vault, dialects: Mapping[str, Dialect], new: NewConnection, *, who: str
) -> int:
    """Create a connection with a fresh key; return its id. Raises BadInput for what is unknown."""
    role_name, role = role_of(dialects, new.dialect, new.role)
    told = {key: text for key, text in new.settings.items() if key in _secret_names(role)}
    asked = {key: text for key, text in new.settings.items() if key not in told}
    settings = rules.merged(role, {}, asked)
    url = _checked(new.partner_url)
    connection_id = ids.new()
    await tx.do(
        _q.add_connection,
        *(
            connection_id,
            new.name,
            new.dialect,
            role_name,
            url,
            _json(settings),
        ),
    )
    chosen = {**new.secrets, **told}
    given = {key: text for key, text in chosen.items() if text not in ("off", "")}
    secrets = {**role.accounts(), **role.secrets(), **given, rules.URL_KEY: ids.token()}
    await _add_credential(tx, vault, connection_id, secrets)
    await audit(tx, who, "connection add", new.name, details={"dialect": new.dialect, **settings})
    await tx.rows(_NOTIFY)
    return connection_id


async def change(
    tx: Tx,
    vault: Vault,
    dialects: Mapping[str, Dialect],
    name: str,
    changes: Mapping[str, str],
    *,
    who: str,
    rotate: bool = False,
) -> None:
    """Set ``key=value`` settings of a connection; ``rotate`` renews its key and secrets together.

    ``partner_url`` and ``paused`` (``on``/``off``) are the connection's own; ``bearer`` (what callers must
    show, a token or ``off``), ``partner_bearer`` (what our calls show the partner) and the names of its
    other secrets are secrets; every other name is a setting of its role.
    """
    row = await tx.row(_q.lock_connection, name)
    if row is None:
        message = f"There is no connection {name!r}. See `entrepot connections list`."
        raise Missing("unknown_connection", message)
    _, role = role_of(dialects, row["dialect"], row["role"])
    generation, secrets = await _current_secrets(tx, vault, row["id"])
    secret = {*secrets, *_secret_names(role)} - {rules.URL_KEY}
    own = {key: value for key, value in changes.items() if key in {"partner_url", "paused"}}
    rest = {key: value for key, value in changes.items() if key not in {*own, *secret}}
    settings = rules.merged(role, msgspec.json.decode(row["settings"]), rest)
    url = _checked(own["partner_url"]) if "partner_url" in own else row["partner_url"]
    paused = own["paused"] == "on" if "paused" in own else row["paused"]
    await tx.do(_q.set_connection, row["id"], url, _json(settings), paused)
    told = {key: value for key, value in changes.items() if key in secret}
    kept = {key: value for key, value in (secrets | told).items() if value not in ("off", "")}
    if rotate:
        typed = msgspec.convert(settings, role.settings)
        await tx.do(_q.expire_credential, generation, seconds(typed.rotation_overlap))
        chosen = {key: kept[key] for key in told if key in kept}
        await _add_credential(tx, vault, row["id"], {**_renewed(kept, role), **chosen})
    elif told:
        await tx.do(_q.reseal_credential, generation, vault.seal(msgspec.json.encode(kept)))
    shown = {
        key: rules.SECRET if key in secret else rules.hidden(value) if key in own else value
        for key, value in changes.items()
    }
    await audit(
        tx,
        who,
        "connection rotate" if rotate else "connection set",
        name,
        details=shown,
    )
    await tx.rows(_NOTIFY)


async def audit(
    tx: Tx,
    who: str,
    what: str,
    subject: str,
    *,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write down who did what to which part of the set-up."""
    await tx.do(_q.write_audit, ids.new(), who, what, subject, reason, _json(details or {}))


def role_of(dialects: Mapping[str, Dialect], dialect: str, role: str) -> tuple[str, Role]:
    """Return a role by name (``""``: the dialect's usual one); raises BadInput naming the choices."""
    if dialect not in dialects:
        message = f"There is no dialect {dialect!r}. Known: {', '.join(sorted(dialects))}."
        raise BadInput("unknown_dialect", message)
    roles = dialects[dialect].roles
    name = role or next(iter(roles))
    if name not in roles:
        message = f"Dialect {dialect!r} has no role {role!r}. Known: {', '.join(roles)}."
        raise BadInput("unknown_role", message)
    return name, roles[name]


def _secret_names(role: Role) -> set[str]:
    """Return the names under which an operator sets secrets of a connection of this role."""
    return {"bearer", PARTNER_BEARER, *role.accounts(), *role.secrets()}


async def _add_credential(
    tx: Tx, vault: Vault, connection_id: int, secrets: Mapping[str, str]
) -> None:
    key = rules.key_hash(secrets[rules.URL_KEY])
    sealed = vault.seal(msgspec.json.encode(dict(secrets)))
    await tx.do(_q.add_credential, ids.new(), connection_id, key, sealed)


async def _current_secrets(tx: Tx, vault: Vault, connection_id: int) -> tuple[int, dict[str, str]]:
    """Return the current generation's id, locked, and its secrets (the URL key among them)."""
    row = await tx.row(_q.current_credential, connection_id)
    if row is None:
        raise Missing("no_credential", "The connection has no current credential; rotate it.")
    secrets: dict[str, str] = msgspec.json.decode(vault.unseal(row["sealed"]))
    return row["id"], secrets


def _renewed(secrets: Mapping[str, str], role: Role) -> dict[str, str]:
    """Return the next generation's secrets; what the dialect does not make anew (account names) stays."""
    fresh = {**secrets, **role.secrets(), rules.URL_KEY: ids.token()}
    if "bearer" in secrets:
        fresh["bearer"] = ids.token()
    return fresh


def _checked(partner_url: str | None) -> str | None:
    """Return a partner's URL without trailing slash; none and ``off`` mean that nothing is sent."""
    if partner_url in (None, "", "off"):
        return None
    if not partner_url.startswith(("http://", "https://")):
        raise BadInput("bad_setting", "partner_url must start with http:// or https://.")
    if rules.SECRET in partner_url:
        text = f"partner_url holds {rules.SECRET} where its secret was hidden; give the whole URL."
        raise BadInput("bad_setting", text, path="partner_url")
    return partner_url.rstrip("/")


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
