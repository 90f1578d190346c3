"""A hub with a jeweller in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.running import Running


@pytest.fixture(scope="module")
def hub(server_url: str, template: str) -> Iterator[Running]:
    """Give a hub of two web processes, a courier and a clock."""
    with running.demo(server_url, template, "--role", "all") as hub:
        yield hub
