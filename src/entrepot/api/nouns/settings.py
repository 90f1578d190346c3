"""Settings of the tenant, what runs by the clock for it, and the proof that its ledgers add up."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from entrepot.api.desk import Desk
from entrepot.api.operation import reads, writes
from entrepot.api.words import Body, Code
from entrepot.connections import flows
from entrepot.courier import schedules
from entrepot.db import Tx
from entrepot.orders import accounts
from entrepot.papers.flows import settings as read_settings
from entrepot.stock import views

Setting = Annotated[str, Meta(max_length=2000)]


class TenantShown(Struct, frozen=True, kw_only=True):
    """Every setting of the tenant, those at their defaults too."""

    settings: dict[str, Any]


class TenantChanges(Body, frozen=True, kw_only=True):
    """Settings by name, as text; an empty text returns one to its default."""

    settings: Annotated[dict[Code, Setting], Meta(min_length=1, max_length=100)]


class ScheduleShown(Struct, frozen=True, kw_only=True):
    """Something that runs every so many seconds: when it ran, for how long (s), and when it runs next."""

    name: str
    every: float
    running: bool
    ran_at: datetime | None
    took: float | None
    last_error: str
    next_at: datetime


class SchedulesShown(Struct, frozen=True, kw_only=True):
    """What runs by the clock for this tenant."""

    schedules: list[ScheduleShown]


class ScheduleNamed(Body, frozen=True, kw_only=True):
    """Which one is to run at once."""

    name: Code


class Proof(Struct, frozen=True, kw_only=True):
    """Rows whose ledger does not add up to what stands there; both empty: every balance is proven."""

    stock: list[dict[str, Any]]
    money: list[dict[str, Any]]


@reads("/settings", "settings", tagged=True)
async def show_settings(tx: Tx, desk: Desk) -> TenantShown:
    """Show the tenant's settings."""
    del desk
    return TenantShown(settings=msgspec.to_builtins(await read_settings(tx)))


@writes("PATCH", "/settings", "settings", tagged=True, of=show_settings, reloads=True)
async def change_settings(tx: Tx, desk: Desk, body: TenantChanges) -> TenantShown:
    """Change settings of the tenant: ``four_eyes``, ``refund_requires_receipt``, ``allow_raise``,
    ``freight_excluded``, ``allowed_networks``.
    """
    await flows.set_tenant(tx, body.settings, desk.who)
    shown: TenantShown = await show_settings.handler(tx, desk)
    return shown


@reads("/schedules", "settings")
async def list_schedules(tx: Tx, desk: Desk) -> SchedulesShown:
    """List what runs by the clock for this tenant."""
    rows = [
        row for row in await schedules.upcoming(desk.hub.db) if row["tenant_id"] == tx.tenant_id
    ]
    return SchedulesShown(
        schedules=[
            ScheduleShown(
                name=row["name"],
                every=row["every"],
                running=bool(row["running"]),
                ran_at=row["ran_at"],
                took=None if row["took_us"] is None else row["took_us"] / 1_000_000,
                last_error=row["last_error"] or "",
                next_at=row["next_at"],
            )
            for row in rows
        ]
    )


@writes("POST", "/schedules/run", "settings", status=202)
async def run_schedule(tx: Tx, desk: Desk, body: ScheduleNamed) -> ScheduleNamed:
    """Have one run at once."""
    await schedules.soon(tx, body.name)
    await flows.audit(tx, desk.who, "schedule run", body.name)
    return body


@reads("/stock/proof", "stock")
async def prove_balances(tx: Tx, desk: Desk) -> Proof:
    """Prove Σ movements = balance, Σ open reservations = reserved, and every order's money."""
    del desk
    found = [await views.discrepancies(tx), await accounts.discrepancies(tx)]
    stock, money = ([_plain(dict(row.items())) for row in rows] for rows in found)
    return Proof(stock=stock, money=money)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if name.endswith("id") else value for name, value in row.items()}
