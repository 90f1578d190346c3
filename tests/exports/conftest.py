"""Files go out by the command, and come in at another hub."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from entrepot.settings import Settings
from tests.cli.conftest import run
from tests.conftest import _database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["run"]


@pytest.fixture
def other_demo(server_url: str, demo_template: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Give a second hub with the demonstration."""
    name = urlsplit(demo_template.database_url or "").path[1:]
    with contextmanager(_database)(server_url, f"TEMPLATE {name} STRATEGY FILE_COPY") as url:
        yield Settings(data=tmp_path / "other", key_file=demo_template.keys, database_url=url)
