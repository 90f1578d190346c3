"""A shop on a database of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.catalogue.shop import Shop

if TYPE_CHECKING:
    from entrepot.db import Database


@pytest.fixture
async def shop(database: Database) -> Shop:
    """Give a tenant with the locations HQ and W2."""
    shop = Shop(database)
    await shop.open("HQ", "W2")
    return shop
