"""What a connection is, how its settings are read, who may call it. Pure."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec import Struct, structs

from entrepot.dialect import PARTNER_BEARER, Partner, Switch
from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from entrepot.dialect import Role

SECRET = "****"  # noqa: S105 - what stands in a secret's place
_PHONE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
_PERSONAL = re.compile(
    r'("(?:phone|mobile|tel|telephone|receiver|receiverName|receiver_name|address|idCard)"\s*:\s*")'
    r'((?:[^"\\]|\\.)*)'
)
URL_KEY = "url_key"
"""The URL key's name among a generation's stored secrets; a dialect may have a `key` of its own."""
TWIN = "-twin"
"""What the name of a tenant ends with that holds the twins of another's connections, to practise on."""
RESERVED = frozenset({"partner_url", "bearer", PARTNER_BEARER, "paused"})
_URL_SECRETS = (
    (re.compile(r"(/c/)[A-Za-z0-9_-]{8,}"), rf"\1{SECRET}"),
    (re.compile(r"(//[^/?#@:]*:)[^/?#@]+(@)"), rf"\1{SECRET}\2"),
    (re.compile(r"(?i)([?&][^=&#]*(?:key|token|secret|sign|passw)[^=&#]*=)[^&#]+"), rf"\1{SECRET}"),
)
"""A hub's own kind of key; a password; what is called like a secret in a query."""


class Generation(Struct, frozen=True, kw_only=True):
    """One set of a connection's URL key and secrets; ``expires_at`` None is the current one."""

    key: str
    secrets: Mapping[str, str] = {}
    expires_at: datetime | None = None


class Connection(Struct, frozen=True, kw_only=True):
    """A connection as the registry holds it: the partner, and every generation still valid."""

    tenant: str
    partner: Partner
    role: Any
    generations: tuple[Generation, ...] = ()
    allow: tuple[Any, ...] = ()

    def admits(self, address: str) -> bool:
        """Tell whether a caller's address is on the allow-list (no list: everyone)."""
        if not self.allow:
            return True
        try:
            caller = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(caller, ipaddress.IPv6Address) and caller.ipv4_mapped:
            caller = caller.ipv4_mapped
        return any(caller in network for network in self.allow)

    def secrets(self, now: datetime) -> tuple[Mapping[str, str], ...]:
        """Return the secrets of every generation that counts at ``now``, the current one first."""
        return tuple(g.secrets for g in valid(self.generations, now))


def accepts(secrets: Sequence[Mapping[str, str]], presented: str | None) -> bool:
    """Tell whether a bearer token is one of a connection's valid ones (constant-time).

    Whether one is asked for at all, the current generation says: what is off is off.
    """
    if not secrets or "bearer" not in secrets[0]:
        return True
    given = (presented or "").encode()
    wanted = [token for known in secrets if (token := known.get("bearer"))]
    return any(hmac.compare_digest(given, token.encode()) for token in wanted)


def valid(generations: tuple[Generation, ...], now: datetime) -> tuple[Generation, ...]:
    """Return the generations that still count at ``now``, the current one first."""
    return tuple(g for g in generations if g.expires_at is None or g.expires_at > now)


def witnesses(connections: Iterable[Connection]) -> dict[tuple[int, str], list[int]]:
    """Return by (tenant, kind of fact) who overhears it, and under ``""`` who overhears anything at all."""
    found: dict[tuple[int, str], list[int]] = {}
    for connection in connections:
        partner, role = connection.partner, connection.role
        if role.overhears is None or not partner.partner_url:
            continue
        for kind in ("", *role.overhears(partner.settings)):
            found.setdefault((partner.tenant_id, kind), []).append(partner.id)
    return found


def key_hash(key: str) -> bytes:
    """Return how a URL key is looked up: never by comparing the key itself."""
    return hashlib.sha256(key.encode()).digest()


def networks(allow_ips: str) -> tuple[Any, ...]:
    """Return the allow-list's networks; ``off`` gives none."""
    if allow_ips == "off":
        return ()
    return tuple(ipaddress.ip_network(n.strip(), strict=False) for n in allow_ips.split(","))


class TenantSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a tenant.

    ``four_eyes``: who created an adjustment or a return can't pass or complete it;
    ``refund_requires_receipt``: a return is refunded only after its goods are signed in;
    ``allow_raise``: an adjustment may ask for more than the present price; ``freight_excluded``: what
    becomes of freight that a refund does not include (document 003, all four). ``allowed_networks``:
    CIDRs that a partner's URL may point to besides public addresses.
    """

    four_eyes: Switch = "on"
    refund_requires_receipt: Switch = "off"
    allow_raise: Switch = "off"
    freight_excluded: Literal["deduct", "ignore"] = "deduct"
    allowed_networks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse networks that are none."""
        for network in self.allowed_networks:
            ipaddress.ip_network(network, strict=False)


def merged(role: Role, stored: Mapping[str, Any], changes: Mapping[str, str]) -> dict[str, Any]:
    """Return a connection's ``stored`` settings with ``key=value`` texts applied; see ``applied``."""
    return applied(role.settings, stored, changes, besides=RESERVED)


def applied(
    shape: type[Struct],
    stored: Mapping[str, Any],
    changes: Mapping[str, str],
    *,
    besides: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Return ``stored`` with ``key=value`` texts applied and validated by the struct ``shape``.

    ``paths.pushorder=x`` sets one entry of a dictionary; a list is written with commas; an empty
    value returns the setting to its default. Raises BadInput naming the setting (and, for one that
    does not exist, those that do, ``besides`` among them).
    """
    fields = {field.name: field for field in structs.fields(shape)}
    settings = dict(stored)
    for name, text in changes.items():
        head, _, tail = name.partition(".")
        if head not in fields:
            known = ", ".join(sorted({*fields, *besides}))
            message = f"There is no setting {name!r}. Known: {known}."
            raise BadInput("unknown_setting", message, path=name)
        if not text and tail:
            settings[head] = {k: v for k, v in settings.get(head, {}).items() if k != tail}
        elif not text:
            settings.pop(head, None)
        elif tail:
            settings[head] = {**settings.get(head, {}), tail: text}
        else:
            settings[head] = _value(fields[head], text)
    try:
        msgspec.convert(settings, shape)
    except (msgspec.ValidationError, ValueError) as error:
        asked = " ".join(f"{name}={text}" for name, text in changes.items())
        text = f"{asked}: {_fault(fields, str(error))}"
        raise BadInput("bad_setting", text, path=",".join(changes)) from error
    return settings


def _fault(fields: Mapping[str, structs.FieldInfo], error: str) -> str:
    """Return what is wrong with a setting: how it is written, where its type shows that."""
    name = error.rpartition("$.")[2].rstrip("`")
    known = getattr(fields[name].type, "__metadata__", ()) if name in fields else ()
    shown = [str(example) for meta in known for example in meta.examples or ()]
    return f"{name} is written like {', '.join(shown)}." if shown else error


def _value(field: structs.FieldInfo, text: str) -> object:
    wants = str(field.type)
    if "tuple" in wants:
        return [part.strip() for part in text.split(",") if part.strip()]
    if "int" in wants:
        return int(text) if text.lstrip("-").isdigit() else text
    return text


def hidden(url: str) -> str:
    """Return a URL without what makes it a secret, as far as that can be told from its form."""
    for form, shown in _URL_SECRETS:
        url = form.sub(shown, url)
    return url


def masked(text: str) -> str:
    """Return a body with phones, names and addresses hidden, enough left to recognise them.

    Works on text, not on parsed JSON, because bodies may be cut or malformed.
    """
    text = _PERSONAL.sub(lambda hit: hit[1] + _stars(hit[2]), text)
    return _PHONE.sub(r"\1****\2", text)


def _stars(value: str) -> str:
    shown = {0: 0, 1: 0, 2: 1}.get(len(value), 3 if len(value) > 6 else 1)
    return value[:shown] + "****" if value else value
