"""An office on a database of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.papers.office import Office

if TYPE_CHECKING:
    from entrepot.db import Database


@pytest.fixture
async def office(database: Database) -> Office:
    """Give a tenant that has goods and people, and no orders."""
    office = Office(database)
    await office.open()
    return office
