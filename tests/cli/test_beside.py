"""Commands beside a running hub with its own embedded database."""

from __future__ import annotations

import json
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from entrepot import embedded
from tests.cli.conftest import Answer, invoke
from tests.conftest import short_directory
from tests.faults.serving import Hub, order
from tests.running import aim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.embedded


class Beside(Hub):
    """A hub whose commands run in this process, which is quicker."""

    def run(self, *words: str) -> Answer:
        """Run a command line beside it."""
        return invoke(*words, "--data", str(self.data))

    def rows(self, *words: str) -> Any:
        """Return what a command line prints with ``--json``."""
        answer = self.run(*words, "--json")
        assert answer.code == 0, answer.err
        return answer.json

    def point(self, *settings: str) -> None:
        """Change where the calls to the mini-program go, and wait until the courier knows."""
        with embedded.attach(self.data) as server:
            before = aim(server.dsn)
            assert self.run("connections", "set", "goldshop", *settings).code == 0
            _until(lambda: aim(server.dsn) != before)


@pytest.fixture(scope="module")
def hub() -> Iterator[Beside]:
    """Give a hub with the demonstration, which must end well."""
    with short_directory() as data, pytest.MonkeyPatch.context() as patch:
        patch.delenv("ENTREPOT_DATABASE_URL", raising=False)
        hub = Beside(data)
        hub.start()
        yield hub
        assert hub.stop() == 0, hub.log()


@pytest.fixture
def goldshop(hub: Beside) -> Iterator[str]:
    """Give the base URL of a connection whose partner is wired up again afterwards."""
    (row,) = [r for r in _connections(hub) if r["name"] == "goldshop"]
    yield row["base_url"]
    settings = ("schedule=", "deadline=", "breaker=", f"partner_url={row['partner_url']}")
    assert hub.run("connections", "set", "goldshop", *settings).code == 0


def test_an_order_goes_all_the_way(hub: Beside, goldshop: str) -> None:
    """Pushed by the mini-program, moved on by the operator, told to the mini-program in order."""
    assert _post(f"{goldshop}/pickGoods/send", order("NO0015", ("YPJ1601", 100))) == 200
    (row,) = hub.rows("stock", "get", "YPJ1601")
    assert (row["on_hand"], row["reserved"], row["available"]) == (500, 100, 400)
    assert hub.run("orders", "process", "NO0015").code == 0
    assert hub.run("orders", "ship", "NO0015").code == 0

    def delivered() -> Any:
        rows = hub.rows("deliveries", "list", "--document", "NO0015")
        return rows if {row["state"] for row in rows} == {"delivered"} else None

    rows = _until(delivered)
    assert [row["kind"] for row in rows] == ["order_shipped", "order_processed"]
    assert list(rows[0]) == [
        *("id", "tenant", "connection", "kind", "document", "state", "attempts", "due"),
        *("deadline", "last_error", "reason"),
    ]

    def recorded() -> Any:
        told = hub.rows("exchanges", "list", "--document", "NO0015")
        return told if [e["direction"] for e in told].count("out") >= 2 else None

    said = _until(recorded)  # an exchange is written down a moment after its answer
    assert list(said[0]) == [
        *("at", "direction", "connection", "document", "method", "path", "status"),
        *("duration_ms", "request", "reply"),
    ]
    marks = [json.loads(e["request"]) for e in reversed(said) if e["direction"] == "out"]
    assert marks == [
        {"oriOrderNo": "NO0015", "orderSatus": 1},
        {"oriOrderNo": "NO0015", "orderSatus": 2},
    ]
    assert hub.rows("orders", "show", "NO0015")["state"] == "shipped"
    assert hub.run("verify").code == 0


def test_what_does_not_get_through_is_a_persons(hub: Beside, goldshop: str) -> None:
    """Past its deadline a delivery needs attention, holds back what is behind it, and is moved by hand."""
    (row,) = [r for r in _connections(hub) if r["name"] == "goldshop"]
    partner = row["partner_url"]
    broken = ("partner_url=http://127.0.0.1:9", "schedule=100ms", "deadline=2s", "breaker=off")
    hub.point(*broken)
    for number in ("A", "B"):
        assert _post(f"{goldshop}/pickGoods/send", order(number, ("MF004", 1))) == 200
        assert hub.run("orders", "process", number).code == 0
        assert hub.run("orders", "ship", number).code == 0

    def stuck() -> Any:
        rows = hub.rows("deliveries", "list", "--state", "needs_attention")
        rows = [row for row in rows if row["kind"] != "stock"]
        return rows if len(rows) == 2 else None

    second, first = _until(stuck)
    assert (first["document"], first["kind"]) == ("A", "order_processed")
    assert "could not connect" in first["last_error"]
    waiting = hub.rows("deliveries", "list", "--state", "waiting", "--connection", "goldshop")
    assert {row["kind"] for row in waiting if row["kind"] != "stock"} == {"order_shipped"}
    (behind, _) = [row for row in waiting if row["kind"] != "stock"]
    refused = hub.run("deliveries", "retry", behind["id"])
    assert (refused.code, "waits behind" in refused.err) == (1, True)

    hub.point(f"partner_url={partner}")
    for _ in range(2):
        done = hub.run("deliveries", "handle", second["id"], "--reason", "by telephone")
        assert done.code == 0, done.err
    assert hub.run("deliveries", "retry", "--all", "--state", "needs_attention").code == 0

    def through() -> Any:
        rows = [r for n in ("A", "B") for r in hub.rows("deliveries", "list", "--document", n)]
        states = {row["state"] for row in rows}
        return rows if states == {"delivered", "handled"} else None

    rows = _until(through)
    (handled,) = [row for row in rows if row["state"] == "handled"]
    assert (handled["document"], handled["reason"]) == ("B", "by telephone")
    assert hub.run("deliveries", "show", second["id"]).code == 0
    unknown = hub.run("deliveries", "cancel", "1")
    assert (unknown.code, "no such delivery" in unknown.err) == (1, True)


@pytest.mark.usefixtures("goldshop")
def test_levels_are_sent_when_a_person_says_so(hub: Beside) -> None:
    """The command waits until the partner has them, and says when it did not take them."""
    done = hub.run("levels", "send", "goldshop", "--full")
    assert (done.code, "has the newest levels" in done.out) == (0, True), done.err
    hub.point("partner_url=http://127.0.0.1:9")
    failed = hub.run("levels", "send", "goldshop", "--full")
    assert (failed.code, "did not take them" in failed.err) == (1, True)
    hub.run("connections", "set", "goldshop", "partner_url=off")
    nowhere = hub.run("levels", "send", "goldshop")
    assert (nowhere.code, "partner_url" in nowhere.err) == (1, True)


def test_the_demonstration_is_loaded_once_and_follows_the_port(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second start changes nothing but addresses; commands work while the hub is down, too."""
    monkeypatch.delenv("ENTREPOT_DATABASE_URL", raising=False)
    one, other = Beside(data_dir), Beside(data_dir)
    one.start()
    before = _connections(one)
    assert one.run("stock", "set", "MF004", "HQ", "12").code == 0
    assert one.stop() == 0
    assert one.rows("stock", "get", "MF004")[0]["on_hand"] == 12
    other.start()
    after = _connections(other)
    assert other.rows("stock", "get", "MF004")[0]["on_hand"] == 12
    assert other.stop() == 0
    assert [row["base_url"].replace(other.url, one.url) for row in after] == [
        row["base_url"] for row in before
    ]
    assert {row["partner_url"].partition("/c/")[0] for row in after if row["partner_url"]} == {
        other.url
    }


def test_two_processes_on_one_database_are_one_hub(hub: Beside, goldshop: str) -> None:
    """A second process on another port leaves the address as it is while the first one serves."""
    second = Beside(hub.data, "--role", "web")
    second.start()
    assert hub.run("connections", "url", "goldshop").out == f"{goldshop}\n"
    there = goldshop.replace(hub.url, second.url)
    assert _post(f"{there}/pickGoods/send", order("TWICE", ("MF004", 1))) == 200
    assert _post(f"{goldshop}/pickGoods/send", order("TWICE", ("MF004", 1))) == 500
    assert second.stop() == 0


def test_a_database_that_is_not_there_is_said_so(
    data_dir: Path, empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command on an empty folder or database says how to begin; one that nobody answers, that."""
    monkeypatch.delenv("ENTREPOT_DATABASE_URL", raising=False)
    nowhere = "postgresql://nobody@127.0.0.1:9/none"
    for url, said in (("", "serve"), (empty_database_url, "serve"), (nowhere, "cannot be reached")):
        monkeypatch.setenv("ENTREPOT_DATABASE_URL", url)
        done = Beside(data_dir).run("orders", "show", "X")
        assert (done.code, said in done.err) == (1, True), done.err


def _connections(hub: Beside) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hub.rows("connections", "list", "--show-secrets")
    return found


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
