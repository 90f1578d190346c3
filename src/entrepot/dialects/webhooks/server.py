"""What a hub's webhooks call a receiver with: one path, signed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot import clock
from entrepot.dialect import Route
from entrepot.dialects.webhooks import signature, wire

if TYPE_CHECKING:
    from entrepot.dialect import Call, Reply


async def admit(call: Call) -> None:
    """Let in what is signed with a secret that counts, now; raises BadInput for anything else."""
    signature.admit(call.headers, call.raw, call.secrets, clock.now().timestamp())


async def event(call: Call) -> Reply:
    """Take an event; it is kept under its document's number. The same again is no news, and as welcome."""
    told: wire.Told = call.body
    call.document = wire.number(told)
    return wire.taken()


RECEIVER = (
    Route("POST", "", event, wire.Told, number="data.number"),
    Route("POST", "/", event, wire.Told, number="data.number"),
)
"""The base URL itself; some write it with a slash behind."""
