"""A connection's twin: the same behaviour, nobody's data, a scripted partner at its other end."""

from __future__ import annotations

import asyncio
import json
import signal
import time
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from entrepot.dialects.storepos.policy import OmsSettings, Paths
from entrepot.hub import Hub
from entrepot.kit.twin import Twin, texts, twin
from tests.cli.conftest import run  # noqa: F401 - a fixture
from tests.cli.test_beside import Beside
from tests.conformance.test_commands import start_mock

if TYPE_CHECKING:
    from pathlib import Path

    from entrepot.settings import Settings
    from tests.cli.conftest import Run


def test_settings_become_the_texts_that_make_them() -> None:
    """Only what is not the default; lists with commas, entries of a dictionary by their names."""
    settings = OmsSettings(
        timeout="3s", locations=("a", "b"), max_offers=7, paths=Paths(pushorder="x/y")
    )
    assert texts(settings) == {
        "timeout": "3s",
        "locations": "a,b",
        "max_offers": "7",
        "paths.pushorder": "x/y",
    }
    assert texts(OmsSettings()) == {}


def test_a_twin_has_the_goods_and_none_of_the_data(run: Run) -> None:  # noqa: F811
    """Same settings, stock and listings; its own key and orders; no tenant is asked for because of it."""
    run("connections", "set", "minimall", "timeout=7s")
    run("orders", "create", "OWN-1", "MM1=2")
    made = run("connections", "twin", "minimall", "--partner-url", "off")
    assert (made.code, "--role mall" in made.err) == (0, True), made.err
    there = ("--tenant", "demo-twin")
    (twin,) = run("connections", "list", "--json", *there).json
    (original,) = [c for c in run("connections", "list", "--json").json if c["name"] == "minimall"]
    assert twin["settings"] == original["settings"]
    assert (twin["partner_url"], twin["role"]) == (None, "erp")
    url = run("connections", "url", "minimall").out
    assert made.out != url
    ours, theirs = (
        run("stock", "get", "MM1", "--json").json,
        run("stock", "get", "MM1", "--json", *there).json,
    )
    assert [row["on_hand"] for row in ours] == [row["on_hand"] for row in theirs]
    assert {row["reserved"] for row in theirs} == {0}
    assert run("orders", "show", "OWN-1", *there).code == 1
    run("stock", "set", "MM1", "aaa", "77")
    again = run("connections", "twin", "minimall")
    assert again.out == made.out
    assert run("stock", "get", "MM1", "--json", *there).json[0]["on_hand"] == 77
    assert run("verify", *there).code == 0


def test_a_twin_has_what_its_dialect_needs(run: Run, tmp_path: Path) -> None:  # noqa: F811
    """Pieces with their codes, suites with their parts and what is listed of them, details, labels, rules."""
    suites = tmp_path / "suites.csv"
    suites.write_text("sku,name,label,print_mode,part,num\nBOX,茶礼,热卖,1,MM1,2\nBOX,,,,MM2,1\n")
    assert run("import", "suites", str(suites)).code == 0
    listed = tmp_path / "listings.csv"
    listed.write_text("connection,type,key,sku\nminimall,normal,9^^^红,BOX\n")
    assert run("import", "listings", str(listed)).code == 0
    assert run("dispatch", "reasons", "storepos", "缺货=empty").code == 0
    there = ("--tenant", "demo-twin")
    for _ in range(2):
        for name in ("storepos", "minimall", "trade"):
            assert run("connections", "twin", name).code == 0
    for kind in ("pieces", "suites"):
        files = [tmp_path / f"{kind}-{at}.csv" for at in ("ours", "theirs")]
        assert run("export", kind, str(files[0])).code == 0
        assert run("export", kind, str(files[1]), *there).code == 0
        assert files[0].read_text() == files[1].read_text()
        assert len(files[0].read_text().splitlines()) > 2
    articles = [tmp_path / f"articles-{at}.csv" for at in ("ours", "theirs")]
    assert run("export", "articles", str(articles[0])).code == 0
    assert run("export", "articles", str(articles[1]), *there).code == 0
    assert articles[0].read_text() == articles[1].read_text()
    names = tmp_path / "names.csv"
    assert run("export", "listings", str(names), *there).code == 0
    assert "minimall,normal,9^^^红,BOX" in names.read_text()
    assert run("dispatch", "reasons", "storepos", "--json", *there).json == {"缺货": "empty"}
    rules = [run("dispatch", "rules", "--json", *words).json for words in ((), there)]
    assert rules[0] == rules[1]
    assert run("suites", "split", "BOX", "10", *there).code == 0


@pytest.mark.parametrize("name", ["goldshop", "storepos", "trade", "wangdian", "minimall-in"])
def test_every_connection_can_have_one(run: Run, name: str) -> None:  # noqa: F811
    """Whatever its dialect; several twins share a tenant."""
    assert run("connections", "twin", name).code == 0
    assert run("connections", "twin", "minimall").code == 0
    names = {c["name"] for c in run("connections", "list", "--json", "--tenant", "demo-twin").json}
    assert names == {name, "minimall"}


async def test_twins_made_at_one_moment_are_one(demo_settings: Settings) -> None:
    """Whoever comes second finds the tenant and the connection, by processes that knew of neither."""
    async with await Hub.open(demo_settings) as one, await Hub.open(demo_settings) as other:

        async def make(hub: Hub, name: str) -> Twin:
            demo = hub.registry.tenant("demo")
            return await twin(
                *(hub.db, hub.vault, hub.dialects, hub.registry, hub.registry.named(demo, name)),
                partner_url=None,
                who="a developer",
            )

        wanted = [(hub, name) for name in ("minimall", "goldshop") for hub in (one, other)]
        for fresh in ([True, True, False, False], [False] * 4):
            made = await asyncio.gather(*(make(hub, name) for hub, name in wanted))
            assert len({each.tenant_id for each in made}) == 1
            assert sorted((each.fresh for each in made), reverse=True) == fresh
        await other.registry.load()
        found = [c.partner.name for c in other.registry.of(made[0].tenant_id)]
        assert sorted(found) == ["goldshop", "minimall"]


def test_a_guide_is_printed_and_written(run: Run, tmp_path: Path) -> None:  # noqa: F811
    """Markdown on the screen, HTML in a file of that name, for its owner's eyes; the key can be left out."""
    url = run("connections", "url", "goldshop").out.strip()
    shown = run("connections", "guide", "goldshop").out
    assert shown.startswith("# 小程序订货（黄金款式）：对接文档（goldshop）")
    assert f"`POST {url}/pickGoods/send`" in shown
    hidden = run("connections", "guide", "goldshop", "--hide-key").out
    assert url not in hidden
    file = tmp_path / "guide.html"
    assert run("connections", "guide", "goldshop", "--out", str(file)).code == 0
    assert file.read_text().startswith("<!doctype html>")
    assert file.stat().st_mode & 0o077 == 0
    lost = run("connections", "guide", "goldshop", "--out", str(tmp_path / "no" / "x.md"))
    assert (lost.code, "cannot be written" in lost.err) == (1, True)


@pytest.mark.embedded
def test_a_twin_and_a_mock_play_the_whole_game(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An order pushed to the twin is shipped, and the scripted partner is told, as documented."""
    monkeypatch.delenv("ENTREPOT_DATABASE_URL", raising=False)
    hub = Beside(data_dir)
    hub.start()
    mock, url = start_mock("--dialect", "goldshop", "--role", "miniapp")
    try:
        base = hub.run("connections", "twin", "goldshop", "--partner-url", url).out.strip()
        there = ("--tenant", "demo-twin")
        assert _post(f"{base}/pickGoods/send") == {"msg": "操作成功", "code": 200}
        assert hub.run("orders", "ship", "TWIN-1", *there).code == 0
        deadline = time.monotonic() + 30
        while not hub.rows(
            "deliveries", "list", "--state", "delivered", "--document", "TWIN-1", *there
        ):
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        mock.send_signal(signal.SIGTERM)
        said, _ = mock.communicate(timeout=60)
        assert hub.stop() == 0
    assert "POST /app/markOrderStatus → 200  as documented" in said


def _post(url: str) -> Any:
    head = {"custName": "安港珠宝", "oriOrderNo": "TWIN-1", "username": "L"}
    body = {"pickGoods": head, "pickGoodsDtls": [{"styleNo": "MF004", "qty": 1}]}
    deadline = time.monotonic() + 60
    while True:  # the running hub hears of a new connection in milliseconds
        try:
            with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=30) as reply:
                return json.load(reply)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
