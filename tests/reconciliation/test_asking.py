"""A partner is asked for its stock, over HTTP, and what it says is compared."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.test_beside import Beside
from tests.conformance.test_commands import start_mock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.embedded
THERE = ("--tenant", "partners")


@pytest.fixture
def hub(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Beside]:
    """Give a hub with the demonstration, whose tenants ask each other."""
    monkeypatch.delenv("ENTREPOT_DATABASE_URL", raising=False)
    hub = Beside(data_dir)
    hub.start()
    yield hub
    assert hub.stop() == 0, hub.log()


def ask(hub: Beside, connection: str) -> Any:
    """Ask a partner of the tenant that plays the other ends."""
    return hub.run("reconcile", "ask", "--connection", connection, *THERE)


def test_an_erp_and_wangdian_are_asked(hub: Beside) -> None:
    """Both ends of the demonstration hold the same; one stocktake later they do not, and the call is kept."""
    assert hub.run("levels", "send", "goldshop", "--full").code == 0
    assert hub.run("connections", "set", "goldshop", "paused=on").code == 0  # it would tell of it
    for name, sku in (("goldshop", "MF004"), ("wangdian", "xiaowanzi01")):
        before = _differing(hub, ask(hub, name))
        (row, *_) = hub.rows("stock", "get", sku)
        assert hub.run("stock", "set", sku, "HQ", str(row["on_hand"] + 7)).code == 0
        done = ask(hub, name)
        assert done.code == 1
        found = _differing(hub, done)
        assert sku in found
        assert found[sku]["theirs"]["qty"] == row["on_hand"] + 7
        assert found.keys() - {sku} == before.keys() - {sku}
    said = hub.rows("exchanges", "list", "--connection", "goldshop", *THERE)
    assert "/pickGoods/style/stock" in {one["path"] for one in said}


def _differing(hub: Beside, done: Any) -> dict[str, Any]:
    assert done.code in (0, 1), done.err
    rows = hub.rows("discrepancies", "list", "--kind", "stock_differs", *THERE)
    return {row["subject"].partition(" ")[2]: row["details"] for row in rows}


def test_a_partner_that_does_not_say_its_stock_is_told(hub: Beside, tmp_path: Path) -> None:
    """No query, no address, no answer, an answer of another kind: a sentence each, and nothing compared."""
    no_query = hub.run("reconcile", "ask", "--connection", "minimall")
    assert (no_query.code, "reconcile a file" in no_query.err) == (1, True)
    script = tmp_path / "script.json"
    wrong = (
        {"status": 502},
        {"body": {"code": 500, "msg": "x"}},
        {"text": "hello"},
        {"drop": True},
    )
    for name, role in (("goldshop", "erp"), ("wangdian", "wdt")):
        script.write_text("[]")
        mock, url = start_mock(
            "--dialect", name, "--role", role, "--script", str(script.absolute())
        )
        try:
            assert hub.run("connections", "set", name, f"partner_url={url}", *THERE).code == 0
            for rule in wrong:
                script.write_text(json.dumps([rule]))
                done = ask(hub, name)
                assert (done.code, "did not" in done.err) == (1, True), (rule, done.err)
        finally:
            mock.send_signal(signal.SIGTERM)
            mock.communicate(timeout=60)
        for value, said in (("off", "Where to?"), ("http://[x", "")):
            hub.run("connections", "set", name, f"partner_url={value}", *THERE)
            done = ask(hub, name)
            assert (done.code, said in done.err) == (1, True)
    assert hub.rows("reconcile", "list", *THERE) == []
