"""What processes know of connections: at once, whole, and never another tenant's."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from entrepot import clock, dialects, ids
from entrepot.connections import flows, rules
from entrepot.connections.flows import NewConnection
from entrepot.connections.registry import Registry
from entrepot.errors import BadInput, Conflict, Missing
from entrepot.vault import Vault

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from entrepot.connections.rules import Connection
    from entrepot.db import Database

DIALECTS = dialects.discover()


class Office:
    """Two tenants, and one process that follows what is changed."""

    def __init__(self, db: Database, vault: Vault) -> None:
        self.db = db
        self.vault = vault
        self.registry = Registry(db, vault, DIALECTS)
        self.tenants = {"one": ids.new(), "two": ids.new()}

    async def open(self) -> None:
        """Create both tenants and follow."""
        for name, tenant in self.tenants.items():
            async with self.db.transaction(tenant) as tx:
                await flows.add_tenant(tx, name, {})
        await self.registry.start()

    async def add(self, name: str, tenant: str = "one", **more: Any) -> None:
        """Add a connection."""
        async with self.db.transaction(self.tenants[tenant]) as tx:
            new = NewConnection(name=name, **{"dialect": "goldshop", **more})
            await flows.add(tx, self.vault, DIALECTS, new, who="test")

    async def change(self, name: str, *, rotate: bool = False, **changes: Any) -> None:
        """Change a connection of tenant one."""
        async with self.db.transaction(self.tenants["one"]) as tx:
            await flows.change(tx, self.vault, DIALECTS, name, changes, who="test", rotate=rotate)

    def named(self, name: str, tenant: str = "one") -> Connection:
        """Return a connection as the process knows it; raises Missing."""
        return self.registry.named(self.tenants[tenant], name)

    async def until(self, true: Callable[[], object]) -> None:
        """Wait for the process to hear of a change; it takes milliseconds."""
        for _ in range(1000):
            try:
                if true():
                    return
            except Missing:
                pass
            await asyncio.sleep(0.01)
        raise AssertionError("the process never heard of it")


@pytest.fixture
async def office(database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    """Give an office without connections."""
    office = Office(database, Vault.open(tmp_path / "ring"))
    await office.open()
    yield office
    await office.registry.stop()


async def test_a_new_connection_is_known_without_asking(office: Office) -> None:
    await office.add("mini")
    await office.until(lambda: office.named("mini"))
    connection = office.named("mini")
    key = connection.generations[0].key
    assert office.registry.called(key) is connection
    assert len(key) >= 22  # 128 bits in base64
    assert (connection.partner.dialect, connection.partner.role) == ("goldshop", "erp")
    assert office.registry.called(key[:-1]) is None
    assert office.registry.called("") is None


async def test_a_changed_setting_holds_at_once(office: Office) -> None:
    await office.add("mini")
    await office.change("mini", timeout="3s", partner_url="https://mini.example/app/")
    await office.until(lambda: office.named("mini").partner.settings.timeout == "3s")
    assert office.named("mini").partner.partner_url == "https://mini.example/app"
    await office.change("mini", partner_url="off")
    await office.until(lambda: office.named("mini").partner.partner_url is None)


async def test_two_tenants_may_give_one_name(office: Office) -> None:
    await office.add("mini")
    await office.add("mini", tenant="two")
    await office.until(lambda: office.named("mini", "two"))
    assert office.named("mini").partner.id != office.named("mini", "two").partner.id
    with pytest.raises(Conflict, match="name is taken"):
        await office.add("mini")


async def test_rotation_renews_key_and_secrets_and_the_old_ones_go_on(office: Office) -> None:
    await office.add("mini")
    await office.change("mini", bearer="first")
    await office.until(lambda: "bearer" in office.named("mini").partner.secrets)
    old = office.named("mini").generations[0].key
    await office.change("mini", rotate=True)
    await office.until(lambda: office.named("mini").generations[0].key != old)
    connection = office.named("mini")
    assert office.registry.called(old) is connection
    assert office.registry.called(connection.generations[0].key) is connection
    assert connection.partner.secrets["bearer"] != "first"
    assert rules.accepts(connection.secrets(clock.now()), "first")


async def test_an_old_key_ends_with_its_overlap(office: Office) -> None:
    await office.add("mini", settings={"rotation_overlap": "1h"})
    await office.until(lambda: office.named("mini"))
    old = office.named("mini").generations[0].key
    await office.change("mini", rotate=True)
    await office.until(lambda: office.named("mini").generations[0].key != old)
    clock.move(timedelta(hours=2))
    try:
        assert office.registry.called(old) is None
    finally:
        clock.reset()


async def test_secrets_are_sealed_in_the_database_and_left_out_of_the_audit(office: Office) -> None:
    await office.add("mini")
    await office.change("mini", bearer="very-secret-token", timeout="4s")
    await office.until(lambda: office.named("mini").partner.settings.timeout == "4s")
    key = office.named("mini").generations[0].key
    sealed = await office.db.rows("SELECT sealed FROM credential")
    audit = await office.db.rows("SELECT what, subject, details FROM audit ORDER BY id")
    for text in [bytes(row["sealed"]) for row in sealed] + [
        row["details"].encode() for row in audit
    ]:
        assert b"very-secret-token" not in text
        assert key.encode() not in text
    assert [(row["what"], row["subject"]) for row in audit] == [
        ("connection add", "mini"),
        ("connection set", "mini"),
    ]


async def test_what_cannot_be_is_refused_and_changes_nothing(office: Office) -> None:
    await office.add("mini")
    wrong: tuple[dict[str, Any], ...] = (
        {"partner_url": "ftp://x"},
        {"timeout": "soon"},
        {"nonsense": "1"},
    )
    for changes in wrong:
        with pytest.raises(BadInput):
            await office.change("mini", **changes)
    with pytest.raises(Missing, match="connections list"):
        await office.change("nobody", timeout="1s")
    for new in ({"dialect": "klingon"}, {"role": "king"}):
        with pytest.raises(BadInput, match="Known:"):
            await office.add("other", **new)


async def test_a_connection_that_cannot_be_read_is_left_out_and_the_others_live(
    office: Office,
) -> None:
    """Its dialect was removed, or its settings are of another version."""
    await office.add("gone")
    await office.add("odd")
    await office.add("mini")
    await office.db.rows(
        "UPDATE connection SET dialect = 'removed' WHERE name = 'gone' RETURNING 1"
    )
    await office.db.rows(
        """UPDATE connection SET settings = '{"x": 1}' WHERE name = 'odd' RETURNING 1"""
    )
    await office.registry.load()
    assert [c.partner.name for c in office.registry] == ["mini"]


async def test_a_tenant_is_meant_only_when_it_is_clear_which(office: Office) -> None:
    with pytest.raises(Missing, match="one, two"):
        office.registry.tenant(None)
    assert office.registry.tenant("two") == office.tenants["two"]


def test_a_key_is_never_looked_up_by_itself() -> None:
    """A hash of it is, so that no comparison's duration tells how much of a guess was right."""
    assert rules.key_hash("k") != rules.key_hash("K")
