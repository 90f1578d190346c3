"""Commands beside a running hub with its own embedded database."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.serving import Hub, order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.embedded


@pytest.fixture
def hub(data_dir: Path) -> Iterator[Hub]:
    """Give a hub with the demonstration, which must end well."""
    hub = Hub(data_dir)
    hub.start()
    yield hub
    assert hub.stop() == 0, hub.log()


def test_an_order_goes_all_the_way(hub: Hub) -> None:
    """Pushed by the mini-program, moved on by the operator, told to the mini-program in order."""
    goldshop = hub.base_url("goldshop")
    assert _post(f"{goldshop}/pickGoods/send", order("NO0015", ("YPJ1601", 100))) == 200
    (row,) = hub.json("stock", "get", "YPJ1601")
    assert (row["on_hand"], row["reserved"], row["available"]) == (500, 100, 400)
    assert hub.command("orders", "process", "NO0015").returncode == 0
    assert hub.command("orders", "ship", "NO0015").returncode == 0

    def delivered() -> Any:
        rows = hub.json("deliveries", "list", "--document", "NO0015")
        return rows if {row["state"] for row in rows} == {"delivered"} else None

    rows = _until(delivered)
    assert [row["kind"] for row in rows] == ["order_shipped", "order_processed"]
    assert list(rows[0]) == [
        *("id", "tenant", "connection", "kind", "document", "state", "attempts", "due"),
        *("deadline", "last_error", "reason"),
    ]
    said = hub.json("exchanges", "list", "--document", "NO0015")
    assert list(said[0]) == [
        *("at", "direction", "connection", "document", "method", "path", "status"),
        *("duration_ms", "request", "reply"),
    ]
    marks = [json.loads(e["request"]) for e in reversed(said) if e["direction"] == "out"]
    assert marks == [
        {"oriOrderNo": "NO0015", "orderSatus": 1},
        {"oriOrderNo": "NO0015", "orderSatus": 2},
    ]
    assert hub.json("orders", "show", "NO0015")["state"] == "shipped"
    assert hub.command("verify").returncode == 0


def test_what_does_not_get_through_is_a_persons(hub: Hub) -> None:
    """Past its deadline a delivery needs attention, holds back what is behind it, and is moved by hand."""
    partner = hub.json("connections", "list", "--show-secrets")[0]["partner_url"]
    broken = ("partner_url=http://127.0.0.1:9", "schedule=100ms", "deadline=500ms", "breaker=off")
    assert hub.command("connections", "set", "goldshop", *broken).returncode == 0
    goldshop = hub.base_url("goldshop")
    for number in ("A", "B"):
        assert _post(f"{goldshop}/pickGoods/send", order(number, ("MF004", 1))) == 200
        assert hub.command("orders", "process", number).returncode == 0
        assert hub.command("orders", "ship", number).returncode == 0

    def stuck() -> Any:
        rows = hub.json("deliveries", "list", "--state", "needs_attention")
        rows = [row for row in rows if row["kind"] != "stock"]
        return rows if len(rows) == 2 else None

    second, first = _until(stuck)
    assert (first["document"], first["kind"]) == ("A", "order_processed")
    assert "could not connect" in first["last_error"]
    waiting = hub.json("deliveries", "list", "--state", "waiting", "--connection", "goldshop")
    assert {row["kind"] for row in waiting if row["kind"] != "stock"} == {"order_shipped"}
    (behind, _) = [row for row in waiting if row["kind"] != "stock"]
    refused = hub.command("deliveries", "retry", behind["id"])
    assert (refused.returncode, "waits behind" in refused.stderr) == (1, True)

    assert hub.command("connections", "set", "goldshop", f"partner_url={partner}").returncode == 0
    for _ in range(2):
        done = hub.command("deliveries", "handle", second["id"], "--reason", "by telephone")
        assert done.returncode == 0, done.stderr
    assert hub.command("deliveries", "retry", "--all", "--state", "needs_attention").returncode == 0

    def through() -> Any:
        rows = hub.json("deliveries", "list")
        states = {row["state"] for row in rows if row["kind"] != "stock"}
        return rows if states == {"delivered", "handled"} else None

    rows = _until(through)
    (handled,) = [row for row in rows if row["state"] == "handled"]
    assert (handled["document"], handled["reason"]) == ("B", "by telephone")
    assert hub.command("deliveries", "show", second["id"]).returncode == 0
    unknown = hub.command("deliveries", "cancel", "1")
    assert (unknown.returncode, "no such delivery" in unknown.stderr) == (1, True)


def test_levels_are_sent_when_a_person_says_so(hub: Hub) -> None:
    """The command waits until the partner has them, and says when it did not take them."""
    done = hub.command("levels", "send", "goldshop", "--full")
    assert (done.returncode, "has the newest levels" in done.stdout) == (0, True), done.stderr
    hub.command("connections", "set", "goldshop", "partner_url=http://127.0.0.1:9")
    failed = hub.command("levels", "send", "goldshop", "--full")
    assert (failed.returncode, "did not take them" in failed.stderr) == (1, True)
    hub.command("connections", "set", "goldshop", "partner_url=off")
    nowhere = hub.command("levels", "send", "goldshop")
    assert (nowhere.returncode, "partner_url" in nowhere.stderr) == (1, True)


def test_the_demonstration_is_loaded_once_and_follows_the_port(hub: Hub) -> None:
    """A second start changes nothing but addresses; commands work while the hub is down, too."""
    before = hub.json("connections", "list", "--show-secrets")[0]
    hub.command("stock", "set", "MF004", "HQ", "12")
    assert hub.stop() == 0
    assert hub.json("stock", "get", "MF004")[0]["on_hand"] == 12

    other = Hub(hub.data)
    other.start()
    try:
        after = other.json("connections", "list", "--show-secrets")[0]
        assert after["base_url"] == before["base_url"].replace(hub.url, other.url)
        assert after["partner_url"] == before["partner_url"].replace(hub.url, other.url)
        assert other.json("stock", "get", "MF004")[0]["on_hand"] == 12
    finally:
        hub.process = other.process


def test_two_processes_on_one_database_are_one_hub(hub: Hub) -> None:
    """A second process on another port leaves the address as it is while the first one serves."""
    before = hub.base_url("goldshop")
    second = Hub(hub.data, "--role", "web")
    second.start()
    try:
        assert hub.base_url("goldshop") == before
        there = before.replace(hub.url, second.url)
        assert _post(f"{there}/pickGoods/send", order("NO0015", ("MF004", 1))) == 200
        assert _post(f"{before}/pickGoods/send", order("NO0015", ("MF004", 1))) == 500
    finally:
        assert second.stop() == 0


def test_a_database_that_is_not_there_is_said_so(data_dir: Path) -> None:
    """A command on an empty folder says how to begin."""
    done = Hub(data_dir).command("orders", "show", "X")
    assert done.returncode == 1
    assert "entrepot serve" in done.stderr


def _post(url: str, body: dict[str, Any]) -> int:
    """Post a document; return the code of the answer's envelope."""
    request = urllib.request.Request(url, json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=30) as reply:
        code: int = json.load(reply)["code"]
        return code


def _until(found: Callable[[], Any], seconds: float = 30.0) -> Any:
    """Return the first thing that ``found`` finds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := found():
            return result
        time.sleep(0.2)
    raise AssertionError("it never came true")
