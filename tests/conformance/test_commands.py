"""``entrepot conform`` and ``entrepot mock``: what a partner's developer runs, as they run it."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.conftest import Answer, invoke
from tests.conformance.conftest import End

if TYPE_CHECKING:
    from pathlib import Path

    from tests.running import Running


async def conform(end: End, hub: Running, *words: str) -> Answer:
    """Run the command on the demonstration's connection of an end."""
    target = await end.target(hub)
    secrets = [part for n, v in target.secrets.items() for part in ("--secret", f"{n}={v}")]
    asked = ("--dialect", end.dialect.name, "--role", end.name, *secrets, *words)
    return await asyncio.to_thread(invoke, "conform", target.base_url, *asked)


async def test_our_own_server_differs_in_nothing(untouched: Running) -> None:
    """All checks of an unsigned dialect with its key, and the examples of two that know their callers."""
    done = await conform(End("goldshop", "erp"), untouched, "--key")
    assert (done.code, "0 differ from the document" in done.out) == (0, True), done.out
    for end in (End("wangdian", "wdt"), End("trade", "platform")):
        done = await conform(end, untouched, "--check", "as_printed", "--all", "--json")
        assert done.code == 0, done.out
        assert {one["problem"] for one in done.json} == {""}
        assert len(done.json) == len(end.samples.calls)


def test_a_scripted_subscriber_tells_what_is_signed_from_what_is_not() -> None:
    """With the sender's secret every check is passed; with another one every event is refused."""
    known = ("--secret", "secret=whsec_YQ==")
    process, url = start_mock("--dialect", "webhooks", "--role", "receiver", *known)
    try:
        asked = ("conform", url, "--dialect", "webhooks", "--role", "receiver")
        checks = ("--check", "as_printed", "--check", "hostility", "--check", "doors")
        done = invoke(*asked, *known, *checks)
        assert (done.code, "0 differ" in done.out) == (0, True), done.out
        strange = invoke(*asked, "--secret", "secret=whsec_Yg==", "--check", "as_printed")
        assert (strange.code, "No signature fits the secret" in strange.out) == (1, True)
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    assert "POST / → 200  as documented" in said
    assert "→ 401" in said


def start_mock(*words: str) -> tuple[subprocess.Popen[str], str]:
    """Start a mock; return it with its URL."""
    command = [sys.executable, "-m", "entrepot", "mock", "--port", "0", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().split()[-1]


def test_a_mock_made_wrong_is_found_out_with_the_section(tmp_path: Path) -> None:
    """The command names what differs and where the document says it; the mock logs what it was asked."""
    script, log = tmp_path / "script.json", tmp_path / "calls.jsonl"
    script.write_text(json.dumps([{"path": "/pickGoods/cancel", "body": {"code": 200}}]))
    process, url = start_mock(
        *("--dialect", "goldshop", "--role", "erp", "--script", str(script), "--log", str(log))
    )
    try:
        asked = ("conform", url, "--dialect", "goldshop", "--check", "as_printed")
        done = invoke(*asked, "--json")
        assert done.code == 1
        assert {one["call"] for one in done.json} >= {"cancel"}
        (cancel,) = [one for one in done.json if one["call"] == "cancel"]
        assert cancel["section"] == "小程序取消订单，推送给ERP同步订单状态"
        assert cancel["problem"] == "the body has the keys ['code'], not ['msg', 'code']"
        shown = invoke(*asked)
        assert (shown.code, "differ from the document" in shown.out) == (1, True)
        assert "小程序取消订单" in shown.out
    finally:
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "POST /pickGoods/cancel → 200  as documented" in out
    calls = [json.loads(line) for line in log.read_text().splitlines()]
    sent = next(one for one in calls if one["path"] == "/pickGoods/send")
    assert json.loads(sent["body"])["pickGoods"]["oriOrderNo"] == "NO0015"
    assert log.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("conform", "http://127.0.0.1:9", "--dialect", "goldshop"), "Nobody answers"),
        (("conform", "http://127.0.0.1:9", "--dialect", "wangdian"), "--secret appsecret=…"),
        (("conform", "http://127.0.0.1:9", "--dialect", "none"), "There are: goldshop"),
        (("conform", "x", "--dialect", "goldshop", "--role", "shop"), "but: erp, miniapp"),
        (("conform", "x", "--dialect", "minimall", "--role", "erp"), "Nobody calls this role"),
        (("conform", "x", "--dialect", "goldshop"), "no http:// or https:// URL"),
        (("conform", "x", "--dialect", "goldshop", "--secret", "x"), "key=value"),
        (("conform", "x", "--dialect", "goldshop", "--check", "all"), "There are: as_printed"),
        (("mock", "--dialect", "none"), "There are: goldshop"),
        (("mock", "--dialect", "goldshop", "--host", "192.0.2.1"), "Nothing can listen"),
    ],
)
def test_what_cannot_be_asked_says_why(words: tuple[str, ...], said: str) -> None:
    """The exit code is 1, and the sentence says what to give."""
    done = invoke(*words)
    assert (done.code, said in done.err) == (1, True), done.err


def test_a_script_that_cannot_be_read_stops_the_mock(tmp_path: Path) -> None:
    """Before it listens, so that nobody believes in rules that are not there."""
    script = tmp_path / "script.json"
    script.write_text('[{"staus": 1}]')
    done = invoke("mock", "--dialect", "goldshop", "--script", str(script))
    assert (done.code, "staus" in done.err) == (1, True)
