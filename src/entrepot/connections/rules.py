"""What a connection is, how its settings are read, who may call it. Pure."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, structs

from entrepot.dialect import Partner
from entrepot.errors import BadInput

if TYPE_CHECKING:
    from entrepot.dialect import Role

SECRET = "****"  # noqa: S105 - what stands in a secret's place
_PHONE = re.compile(r"(?<!\d)(1[3-9]\d)\d{4}(\d{4})(?!\d)")
_PERSONAL = re.compile(
    r'("(?:phone|mobile|tel|telephone|receiver|receiverName|receiver_name|address|idCard)"\s*:\s*")'
    r'((?:[^"\\]|\\.)*)'
)
RESERVED = frozenset({"partner_url", "bearer"})


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

    def accepts(self, presented: str | None, now: datetime) -> bool:
        """Tell whether a bearer token is one of the valid generations' (constant-time)."""
        wanted = [
            g.secrets["bearer"] for g in valid(self.generations, now) if "bearer" in g.secrets
        ]
        if not wanted:
            return True
        given = (presented or "").encode()
        return any(hmac.compare_digest(given, token.encode()) for token in wanted)


def valid(generations: tuple[Generation, ...], now: datetime) -> tuple[Generation, ...]:
    """Return the generations that still count at ``now``, the current one first."""
    return tuple(g for g in generations if g.expires_at is None or g.expires_at > now)


def key_hash(key: str) -> bytes:
    """Return how a URL key is looked up: never by comparing the key itself."""
    return hashlib.sha256(key.encode()).digest()


def networks(allow_ips: str) -> tuple[Any, ...]:
    """Return the allow-list's networks; ``off`` gives none."""
    if allow_ips == "off":
        return ()
    return tuple(ipaddress.ip_network(n.strip(), strict=False) for n in allow_ips.split(","))


def merged(role: Role, stored: Mapping[str, Any], changes: Mapping[str, str]) -> dict[str, Any]:
    """Return ``stored`` with ``key=value`` texts applied and validated by the role's own struct.

    ``paths.pushorder=x`` sets one entry of a dictionary; a list is written with commas; an empty
    value returns the setting to its default. Raises BadInput naming the setting.
    """
    fields = {field.name: field for field in structs.fields(role.settings)}
    settings = dict(stored)
    for name, text in changes.items():
        head, _, tail = name.partition(".")
        if head not in fields:
            known = ", ".join(sorted({*fields, *RESERVED}))
            message = f"There is no setting {name!r}. Known: {known}."
            raise BadInput("unknown_setting", message, path=name)
        if not text:
            settings.pop(head, None)
        elif tail:
            settings[head] = {**settings.get(head, {}), tail: text}
        else:
            settings[head] = _value(fields[head], text)
    try:
        msgspec.convert(settings, role.settings, strict=False)
    except (msgspec.ValidationError, ValueError) as error:
        raise BadInput("bad_setting", str(error), path=",".join(changes)) from error
    return settings


def _value(field: structs.FieldInfo, text: str) -> object:
    wants = str(field.type)
    if "tuple" in wants:
        return [part.strip() for part in text.split(",") if part.strip()]
    if "int" in wants:
        return int(text) if text.lstrip("-").isdigit() else text
    return text


def masked(text: str) -> str:
    """Return a body with phones, names and addresses hidden, enough left to recognise them.

    Works on text, not on parsed JSON, because bodies may be cut or malformed.
    """
    text = _PERSONAL.sub(lambda hit: hit[1] + _stars(hit[2]), text)
    return _PHONE.sub(r"\1****\2", text)


def _stars(value: str) -> str:
    shown = {0: 0, 1: 0, 2: 1}.get(len(value), 3 if len(value) > 6 else 1)
    return value[:shown] + "****" if value else value
