"""Tokens of the native API: how one is written, and what its holder may do. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

NOUNS = (
    "adjustments", "articles", "audit", "connections", "deliveries", "discrepancies", "dispatch",
    "exchanges", "exports", "imports", "levels", "listings", "locations", "orders", "people",
    "reconciliations", "returns", "settings", "stock", "suites", "webhooks",
)  # fmt: skip
MARK = "ent"
REVEAL = "exchanges:reveal"
"""To see phones, names and addresses that are masked otherwise; each look is audited."""
ALL = "*"
_ALIASES = {"all": ALL, "admin": ALL, "read": "*:read", "write": "*:write", "outlets": "locations"}
_FORM = re.compile(r"(\*|[a-z]+)(?:[:.](\*|[a-z]+))?")


def scope(word: str) -> str:
    """Return a scope as it is stored: ``orders:read``, ``orders:write`` (may read too), ``*:read``, ``*``.

    ``orders`` means ``orders:write``; ``read``, ``write`` and ``all`` mean every noun. Raises BadInput
    naming the nouns there are.
    """
    hit = _FORM.fullmatch(word.strip().lower())
    noun, verb = hit.groups() if hit else ("", None)
    if verb is None and noun in ("all", "admin", "read", "write", ALL):
        return _ALIASES.get(noun, ALL)
    noun, verb = _ALIASES.get(noun, noun), "write" if verb in (None, ALL) else verb
    if noun == ALL and verb == "write" and word.strip().endswith((":*", ".*")):
        return ALL
    found = f"{noun}:{verb}"
    if found == REVEAL or (noun in (*NOUNS, ALL) and verb in ("read", "write")):
        return found
    text = (
        f"There is no scope {word!r}. Say NOUN:read or NOUN:write, NOUN one of {', '.join(NOUNS)}; "
    )
    raise BadInput("unknown_scope", f"{text}*:read, *:write, {REVEAL}, or * for everything.")


def scopes(words: Iterable[str]) -> list[str]:
    """Return scopes as they are stored, each once."""
    return list(dict.fromkeys(scope(word) for word in words))


def allows(held: Collection[str], wanted: str) -> bool:
    """Tell whether what is held covers what is wanted (``orders:read``); writing includes reading."""
    if ALL in held or wanted in held:
        return True
    noun, _, verb = wanted.partition(":")
    if verb not in ("read", "write"):
        return False
    enough = ("read", "write") if verb == "read" else ("write",)
    return any(f"{n}:{v}" in held for n in (noun, "*") for v in enough)


def shown(tenant_id: int, token: str) -> str:
    """Return a token as its holder keeps it: it says whose it is, so that it is looked up in one tenant."""
    return f"{MARK}_{tenant_id:x}_{token}"


def tenant_of(text: str) -> tuple[int, str] | None:
    """Return (tenant, token) of what a caller showed; None where that is no token of ours."""
    mark, _, rest = text.partition("_")
    tenant, _, token = rest.partition("_")
    if mark != MARK or not token or not 0 < len(tenant) <= 16:
        return None
    try:
        tenant_id = int(tenant, 16)
    except ValueError:
        return None
    return (tenant_id, token) if tenant_id < 1 << 63 else None
