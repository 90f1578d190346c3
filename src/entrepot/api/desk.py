"""Where an operation works: the hub, who calls, and what they may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

from entrepot.errors import NotAllowed
from entrepot.people import tokens
from entrepot.people.rules import Actor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.connections.registry import Registry
    from entrepot.db import Database
    from entrepot.dialect import Dialect
    from entrepot.settings import Settings
    from entrepot.together import Together
    from entrepot.vault import Vault


class Hub(Protocol):
    """What the API needs of the process it lives in; ``entrepot.app.Hub`` is one."""

    settings: Settings
    db: Database
    vault: Vault
    dialects: Mapping[str, Dialect]
    registry: Registry
    together: Together


class Caller(Struct, frozen=True, kw_only=True):
    """The holder of a token. ``limit`` calls a minute (0: any number), ``used`` in this one so far.

    ``person`` is whom it acts for; None: a program that only speaks for itself.
    """

    tenant_id: int
    token_id: int
    name: str
    scopes: frozenset[str]
    limit: int
    used: int
    person: Actor | None = None

    @property
    def who(self) -> str:
        """The name under which this caller's doings are logged."""
        return f"{self.name} (api)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """One request's place of work."""

    hub: Hub
    caller: Caller
    documents: list[str] = field(default_factory=list)
    """The numbers of what the request is about, as far as operations say."""

    @property
    def who(self) -> str:
        """The name under which doings are logged."""
        return self.caller.who

    @property
    def actor(self) -> Actor:
        """The person who files and moves papers; raises NotAllowed where the token acts for nobody."""
        if self.caller.person is None:
            text = "Papers are filed and moved by people; this token acts for none (--login)."
            raise NotAllowed("nobody", text)
        return self.caller.person

    def require(self, scope: str) -> None:
        """Refuse a caller whose token does not hold ``scope``."""
        if not tokens.allows(self.caller.scopes, scope):
            raise NotAllowed("lacks_scope", f"This token lacks the scope {scope}.", scope=scope)
