"""An ERP on a database of its own, with a mall at the other end of real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from entrepot.vault import Vault
from tests.courier.bureau import Bureau

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from entrepot.db import Database


@pytest.fixture
async def bureau(database: Database, tmp_path: Path) -> AsyncIterator[Bureau]:
    """Give a tenant without connections."""
    bureau = Bureau(database, Vault.open(tmp_path / "ring"))
    await bureau.open()
    yield bureau
    await bureau.recorder.stop()
