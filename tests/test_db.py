"""Work on the database: when its transaction begins, and what one statement does alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from entrepot import ids
from entrepot.errors import Conflict, EntrepotError

if TYPE_CHECKING:
    from entrepot.db import Database, Tx

ADD = "INSERT INTO tenant_note_for_tests VALUES ($1, $2)"
ALL = "SELECT note FROM tenant_note_for_tests WHERE tenant_id = $1 ORDER BY note"


@pytest.fixture
async def notes(database: Database) -> Database:
    """Give a database with a table of notes, each of which is taken once."""
    await database.rows(
        "CREATE TABLE IF NOT EXISTS tenant_note_for_tests (tenant_id bigint, note text,"
        " CONSTRAINT note_taken PRIMARY KEY (tenant_id, note))"
    )
    return database


async def seen(db: Database, tenant_id: int) -> list[str]:
    """Return the notes that everybody sees."""
    async with db.reading(tenant_id) as tx:
        return [row["note"] for row in await tx.rows(ALL)]


async def test_what_writes_alone_is_committed_before_the_work_ends(notes: Database) -> None:
    tenant_id = ids.new()

    async def work(tx: Tx) -> list[str]:
        assert await tx.look(ALL) == []
        await tx.alone(ADD, "a")
        assert [row["note"] for row in await tx.look(ALL)] == ["a"]
        return await seen(notes, tenant_id)

    assert await notes.run(tenant_id, work) == ["a"]


async def test_what_wrote_alone_writes_nothing_more(notes: Database) -> None:
    tenant_id = ids.new()

    async def work(tx: Tx) -> None:
        await tx.alone(ADD, "a")
        await tx.rows(ADD, "b")

    with pytest.raises(EntrepotError, match="alone"):
        await notes.run(tenant_id, work)
    assert await seen(notes, tenant_id) == ["a"]


async def test_what_follows_other_writing_is_of_one_piece_with_it(notes: Database) -> None:
    tenant_id = ids.new()

    async def work(tx: Tx) -> None:
        await tx.do(ADD, "a")
        await tx.alone(ADD, "b")
        assert await seen(notes, tenant_id) == []
        await tx.rows(ADD, "b")

    with pytest.raises(Conflict) as caught:
        await notes.run(tenant_id, work)
    assert caught.value.code == "note_taken"
    assert await seen(notes, tenant_id) == []


async def test_what_breaks_before_it_wrote_leaves_its_connection_usable(notes: Database) -> None:
    tenant_id = ids.new()

    async def work(tx: Tx) -> None:
        await tx.look(ALL)
        raise LookupError

    for _ in range(20):
        with pytest.raises(LookupError):
            await notes.run(tenant_id, work)
    assert await seen(notes, tenant_id) == []
