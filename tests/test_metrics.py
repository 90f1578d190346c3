"""What is counted is told to Prometheus, and to nobody else."""

from __future__ import annotations

import asyncio
import os
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest, multiprocess, values
from prometheus_client.parser import text_string_to_metric_families

from entrepot import gauges, metrics
from entrepot.gauges import Gauges
from entrepot.settings import Settings
from tests import fuzzing, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from entrepot.db import Database
    from tests.running import Running

    Figures = dict[tuple[str, ...], float]


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[Path]:
    """Count in this process until the end of the test."""
    before = values.ValueClass
    metrics.begin(tmp_path)
    yield tmp_path
    values.ValueClass = before
    metrics._meters = None
    del os.environ["PROMETHEUS_MULTIPROC_DIR"]


def samples(text: str) -> Figures:
    """Return a page's figures by name and label values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def read(hub: Running, **headers: str) -> tuple[int, str]:
    """Ask for the page."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"{hub.url}/metrics", headers=named)
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""


def test_every_process_is_counted_and_only_this_machine_is_told(
    server_url: str, template: str
) -> None:
    """Requests by route and status, orders, queues; a caller behind a proxy is not of this machine."""
    with running.demo(server_url, template) as hub:
        connection = next(
            one
            for one in asyncio.run(hub.connections())
            if (one.partner.name, one.tenant) == ("minimall-in", "demo")
        )
        url = f"{hub.base_url(connection)}/gateway/api/erp/update_goods_stock"
        for _ in range(5):
            urllib.request.urlopen(urllib.request.Request(url, b"[]"), timeout=30).close()
        token = asyncio.run(fuzzing.token(hub))
        asked = urllib.request.Request(
            f"{hub.url}/api/v1/orders", headers={"Authorization": f"Bearer {token}"}
        )
        urllib.request.urlopen(asked, timeout=30).close()
        route = "POST /gateway/api/erp/update_goods_stock"
        wanted: Figures = {
            ("entrepot_requests_total", route, "200", "minimall mall"): 5,
            ("entrepot_requests_total", "list_orders", "200", "api"): 1,
        }
        # The process that answered writes what it counted a moment later.
        found = within(lambda: samples(read(hub)[1]), wanted)
        assert found["entrepot_request_seconds_count", "list_orders", "api"] == 1
        assert found["entrepot_pool_connections", "idle"] >= 1
        assert ("entrepot_courier_lag_seconds",) in found
        assert ("entrepot_levels_waiting",) in found
        assert read(hub, X_Forwarded_For="203.0.113.9")[0] == 404


def within(look: Callable[[], Figures], wanted: Figures) -> Figures:
    """Look until these figures are there; return what was seen then."""
    deadline = time.monotonic() + 30
    while not wanted.items() <= (found := look()).items():
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def scope(client: str = "127.0.0.1", **headers: str) -> Mapping[str, Any]:
    """Return a request as the page's door sees it."""
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"client": (client, 1), "headers": sent}


def test_the_page_is_closed_unless_it_is_opened() -> None:
    """Loopback only, and none of it through a proxy; with a token whoever shows it, and nobody else."""
    closed, opened = Settings(), Settings(metrics_token="s3cret")
    assert gauges.admits(closed, scope())
    assert gauges.admits(closed, scope("::1"))
    assert not gauges.admits(closed, scope("10.0.0.1"))
    assert not gauges.admits(closed, scope("unix:"))
    assert not gauges.admits(closed, {"client": None, "headers": []})
    assert not gauges.admits(closed, scope(forwarded="for=1.2.3.4"))
    assert gauges.admits(opened, scope("10.0.0.1", authorization="Bearer s3cret"))
    assert not gauges.admits(opened, scope(authorization="Bearer other"))
    assert not gauges.admits(opened, scope())


async def test_what_is_rolled_back_is_not_counted(database: Database, counting: Path) -> None:
    """Events count when they are committed; queues are read of the database."""
    database.committed = metrics.event

    async def place(number: int, *, fail: bool) -> None:
        async with database.transaction(1) as tx:
            tx.events["orders"] = number
            if fail:
                raise RuntimeError

    await place(3, fail=False)
    with pytest.raises(RuntimeError):
        await place(4, fail=True)
    metrics.delivery("goldshop", "delivered", 0.02)
    page = Gauges(database)
    found = samples((await page.page()).decode())
    assert found["entrepot_events_total", "orders"] == 3
    assert found["entrepot_delivery_attempts_total", "goldshop", "delivered"] == 1
    assert found["entrepot_courier_lag_seconds",] == 0
    assert await page.page()
    (counting / "gauge_livesum_999999999.db").write_bytes(b"")
    registry = metrics.counted()
    assert registry is not None
    assert b"entrepot_events_total" in generate_latest(registry)
    assert not (counting / "gauge_livesum_999999999.db").exists()


async def test_requests_are_written_together_a_moment_later(counting: Path) -> None:
    """What took how long stays exact: every request is in its bucket and in the sum."""
    for seconds in (0.001, 0.005, 0.0051, 99.0):
        metrics.request("api", "list_orders", 200, seconds)
    files = CollectorRegistry()
    multiprocess.MultiProcessCollector(files, path=str(counting))  # type: ignore[no-untyped-call]
    found = samples(generate_latest(files).decode())
    assert found["entrepot_requests_total", "list_orders", "200", "api"] == 0
    wanted: Figures = {("entrepot_requests_total", "list_orders", "200", "api"): 4}
    found = await asyncio.to_thread(
        within, lambda: samples(generate_latest(files).decode()), wanted
    )
    assert found["entrepot_request_seconds_sum", "list_orders", "api"] == pytest.approx(99.0111)
    buckets = {key[1]: value for key, value in found.items() if key[0].endswith("_bucket")}
    assert (buckets["0.005"], buckets["0.01"], buckets["10.0"], buckets["+Inf"]) == (2, 3, 3, 4)
    metrics.request("api", "list_orders", 200, 0.001)
    metrics.end()
    found = samples(generate_latest(files).decode())
    assert found["entrepot_request_seconds_count", "list_orders", "api"] == 5


def test_what_dead_processes_left_is_cleared_and_nothing_is_counted_unasked(
    tmp_path: Path, counting: Path
) -> None:
    """A command that never began to count has nothing to tell."""
    del counting
    (tmp_path / "counter_999999999.db").write_bytes(b"")
    (tmp_path / "counter_1.db").write_bytes(b"")
    (tmp_path / "odd.db").write_bytes(b"")
    metrics.begin(tmp_path)
    assert [file.name for file in tmp_path.glob("counter_[19]*.db")] == ["counter_1.db"]
    metrics._meters = None
    metrics.request("api", "x", 200, 0.1)
    metrics.event("orders", 1)
    metrics.delivery("goldshop", "delivered", 0.1)
    metrics.pool(1, 1)
    assert metrics.counted() is None
