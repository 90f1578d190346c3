"""A hub at work on real sockets, with the stores' system played by the tests at the other end."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tests import running
from tests.storepos.shops import Shops, Stub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.running import Running

_number = itertools.count(1)
QUICK = {"schedule": "100ms", "breaker": "off", "void_timeout": "8s"}


@pytest.fixture(scope="package")
def serving(server_url: str, template: str) -> Iterator[Running]:
    """Give a demonstration that delivers what it has to say."""
    with running.demo(server_url, template, "--role", "all") as hub:
        yield hub


@pytest.fixture(scope="package")
def stores(serving: Running) -> Iterator[Shops]:
    """Give the stores at the hub's other end."""
    stub = Stub()
    shops = Shops(serving, stub)
    shops.set(partner_url=stub.url, **QUICK)
    yield shops
    shops.http.close()
    stub.close()


@pytest.fixture
def shops(stores: Shops) -> Iterator[Shops]:
    """Give stores that answer yes to everything."""
    stores.stub.answers.clear()
    stores.stub.calls.clear()
    yield stores
    stores.stub.answers.clear()


@pytest.fixture
def name() -> str:
    """Give a word that nothing else is called by."""
    return f"T{next(_number)}"
