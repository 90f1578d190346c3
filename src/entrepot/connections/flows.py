"""Create, change, rotate and pause connections; tenants and their settings.

After each change the processes are told by NOTIFY (a configuration change is no business
transaction, so nothing waits behind it).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from entrepot import ids
from entrepot.connections import rules
from entrepot.db import queries
from entrepot.dialect import seconds
from entrepot.errors import BadInput, Missing

if TYPE_CHECKING:
    from entrepot.db import Tx
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


async def set_tenant(tx: Tx, changes: Mapping[str, Any], who: str) -> None:
    """Change settings of the tenant; the caller has validated them."""
    stored = msgspec.json.decode(await tx.value(_q.lock_tenant))
    await tx.do(_q.set_tenant, _json({**stored, **changes}))
    await audit(tx, who, "tenant set", "", details=changes)
    await tx.rows(_NOTIFY)


async def add(tx: Tx, vault: Vault, dialects: Mapping[str, Dialect], new: NewConnection) -> int:
    """Create a connection with a fresh key; return its id. Raises BadInput for what is unknown."""
    role_name, role = role_of(dialects, new.dialect, new.role)
    settings = rules.merged(role, {}, new.settings)
    connection_id = ids.new()
    await tx.do(
        _q.add_connection,
        *(
            connection_id,
            new.name,
            new.dialect,
            role_name,
            new.partner_url,
            _json(settings),
        ),
    )
    secrets = {"key": ids.token(), **role.secrets(), **new.secrets}
    await _add_credential(tx, vault, connection_id, secrets)
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

    ``partner_url``, ``bearer`` (a token or ``off``) and ``paused`` (``on``/``off``) are the
    connection's own; every other name is a setting of its role.
    """
    row = await tx.row(_q.lock_connection, name)
    if row is None:
        message = f"There is no connection {name!r}. See `entrepot connections list`."
        raise Missing("unknown_connection", message)
    _, role = role_of(dialects, row["dialect"], row["role"])
    own = {key: changes[key] for key in ("partner_url", "bearer", "paused") if key in changes}
    rest = {key: value for key, value in changes.items() if key not in own}
    settings = rules.merged(role, msgspec.json.decode(row["settings"]), rest)
    url = own.get("partner_url", row["partner_url"]) or None
    if url is not None and not url.startswith(("http://", "https://")):
        raise BadInput("bad_setting", "partner_url must start with http:// or https://.")
    paused = own["paused"] == "on" if "paused" in own else row["paused"]
    await tx.do(_q.set_connection, row["id"], url, _json(settings), paused)
    if "bearer" in own:
        await _set_bearer(tx, vault, row["id"], own["bearer"])
    if rotate:
        typed = msgspec.convert(settings, role.settings)
        await _rotate(tx, vault, row["id"], role, seconds(typed.rotation_overlap))
    shown = {key: rules.SECRET if key == "bearer" else value for key, value in changes.items()}
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


async def _add_credential(
    tx: Tx, vault: Vault, connection_id: int, secrets: Mapping[str, str]
) -> None:
    key = rules.key_hash(secrets["key"])
    sealed = vault.seal(msgspec.json.encode(dict(secrets)))
    await tx.do(_q.add_credential, ids.new(), connection_id, key, sealed)


async def _set_bearer(tx: Tx, vault: Vault, connection_id: int, bearer: str) -> None:
    row = await tx.row(_q.current_credential, connection_id)
    if row is None:
        raise Missing("no_credential", "The connection has no current credential; rotate it.")
    secrets = msgspec.json.decode(vault.unseal(row["sealed"]))
    secrets.pop("bearer", None)
    if bearer not in ("off", ""):
        secrets["bearer"] = bearer
    await tx.do(_q.reseal_credential, row["id"], vault.seal(msgspec.json.encode(secrets)))


async def _rotate(tx: Tx, vault: Vault, connection_id: int, role: Role, overlap: float) -> None:
    """Add a generation; what the dialect does not make anew (account names) stays."""
    row = await tx.row(_q.current_credential, connection_id)
    old: dict[str, str] = {}
    if row is not None:
        old = msgspec.json.decode(vault.unseal(row["sealed"]))
        await tx.do(_q.expire_credential, row["id"], overlap)
    fresh = {**old, **role.secrets(), "key": ids.token()}
    if "bearer" in old:
        fresh["bearer"] = ids.token()
    await _add_credential(tx, vault, connection_id, fresh)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
