"""A courier in a process of its own, to be killed: ``python -m tests.courier.crew JSON``."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import uvloop

from entrepot.connections.exchanges import Recorder
from entrepot.courier.worker import Courier
from entrepot.db import Database
from entrepot.dialect import Partner
from entrepot.vault import Vault
from tests.courier.bureau import LOOPBACK, ROLE, Link, Links
from tests.courier.shop import SHOP

if TYPE_CHECKING:
    from tests.courier.bureau import Bureau


class Orders(msgspec.Struct):
    """What a member of the crew is told."""

    database: str
    ring: str
    tenant_id: int
    partners: dict[int, str]
    settings: dict[str, Any]
    lease: float
    shop: bool = False


def hire(bureau: Bureau, ring: Path, *, lease: float) -> subprocess.Popen[bytes]:
    """Start a courier process for all connections of a bureau, which are alike."""
    links = bureau.links.links.values()
    first = next(iter(links))
    orders = Orders(
        database=bureau.db.url,
        ring=str(ring),
        tenant_id=bureau.tenant_id,
        partners={link.partner.id: link.partner.partner_url or "" for link in links},
        settings=msgspec.to_builtins(first.partner.settings),
        lease=lease,
        shop=first.role is SHOP,
    )
    command = [sys.executable, "-m", "tests.courier.crew", msgspec.json.encode(orders).decode()]
    return subprocess.Popen(command)


async def serve(orders: Orders) -> None:
    """Work until SIGTERM."""
    db = await Database.open(orders.database, size=6)
    vault = Vault.open(Path(orders.ring))
    role = SHOP if orders.shop else ROLE
    settings = msgspec.convert(orders.settings, role.settings)
    links = {
        connection_id: Link(
            Partner(
                tenant_id=orders.tenant_id,
                id=connection_id,
                name=str(connection_id),
                dialect="test",
                role="test",
                partner_url=url,
                settings=settings,
            ),
            role,
        )
        for connection_id, url in orders.partners.items()
    }
    db.fingerprint = vault.fingerprint
    recorder = Recorder(db, vault)
    recorder.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    known = Links(links, {orders.tenant_id: ("test", dict(LOOPBACK))})
    await Courier(db, known, recorder, vault.unseal, lease=orders.lease).serve(stop)
    await recorder.stop()
    await db.close()


if __name__ == "__main__":
    uvloop.run(serve(msgspec.json.decode(sys.argv[1], type=Orders)))
