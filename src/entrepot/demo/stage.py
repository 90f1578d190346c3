"""What the demo's traffic plays on: both tenants of a hub, and the people at either end."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from entrepot import clock
from entrepot.db import queries
from entrepot.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from entrepot.db import Row, Tx
    from entrepot.dialect import Partner
    from entrepot.hub import Hub

    C = TypeVar("C")

_q = queries(__package__)
Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True)
class Stage:
    """The hub and its two tenants. What traffic makes bears numbers that begin with ``LIVE``."""

    hub: Hub
    demo: int
    partners: int
    chance: random.Random = field(default_factory=random.Random)

    def partner(self, tenant_id: int, name: str) -> Partner:
        """Return a tenant's connection, as it is set now."""
        found: Partner = self.hub.registry.named(tenant_id, name).partner
        return found

    async def do(
        self,
        tenant_id: int,
        flow: Callable[[Tx, Sequence[C]], Awaitable[Sequence[Outcome | Refused]]],
        command: C,
    ) -> Outcome | Refused:
        """Run a flow for one command, committed; a refusal is returned, people meet those."""
        try:
            outcome: Outcome = await self.hub.together.do(flow, tenant_id, command)
        except Refused as refusal:
            return refusal
        return outcome

    async def orders(
        self, tenant_id: int, partner: Partner, states: Sequence[str], *, age: float
    ) -> list[Row]:
        """Return (number, state) of orders of the traffic on one connection, the oldest first.

        ``age`` is how many seconds ago they last changed, at least.
        """
        async with self.hub.db.reading(tenant_id) as tx:
            return await tx.rows(_q.live_orders, partner.id, list(states), age)

    def number(self) -> str:
        """Return a number that no order has had."""
        return f"LIVE{clock.shanghai(clock.now()):%y%m%d%H%M%S}{self.chance.randrange(1000):03}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """Something somebody does again and again, every so many seconds on average."""

    name: str
    every: float
    play: Callable[[Stage], Awaitable[None]]
