"""A scripted partner over real sockets, and the conformance checks pointed at servers that are wrong."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

import pytest

from entrepot import dialects, ids
from entrepot.conform import outgoing, samples
from entrepot.conform.checks import GROUPS, Inspector, Target
from entrepot.courier import http
from entrepot.courier.addresses import networks
from entrepot.courier.http import Caller, CallFailed
from entrepot.dialect import Partner, Request, convert_settings
from entrepot.errors import BadInput
from entrepot.mock.partner import MockPartner
from entrepot.mock.server import listen

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from entrepot.dialect import Response
    from entrepot.mock.partner import Received

DIALECTS = dialects.discover()
HOME = networks(["127.0.0.0/8"])
# Who hears what a role says.
OPPOSITE = {
    ("goldshop", "erp"): "miniapp",
    ("goldshop", "miniapp"): "erp",
    ("minimall", "erp"): "mall",
    ("storepos", "oms"): "pos",
    ("storepos", "pos"): "oms",
    ("trade", "client"): "platform",
    ("wangdian", "merchant"): "wdt",
    ("webhooks", "sender"): "receiver",
}


class Post:
    """Calls one mock, and keeps what it received."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.url = ""
        self._caller = Caller()

    async def call(self, request: Request, within: float = 5.0) -> Response:
        """Return its answer; raises CallFailed."""
        response, _ = await self._caller.call(http.Target.of(self.url, HOME), request, {}, within)
        return response

    async def post(self, path: str, body: bytes, within: float = 5.0) -> Response:
        """Return the answer to a POST."""
        return await self.call(Request(path, body), within)

    def close(self) -> None:
        """Close its connections."""
        self._caller.sweep(idle=0)


@contextlib.asynccontextmanager
async def mocked(
    dialect: str, role: str, secrets: dict[str, str] | None = None, *, file: Path | None = None
) -> AsyncIterator[Post]:
    """Serve a mock until the end of the block."""
    known, post = DIALECTS[dialect], Post()
    partner = MockPartner(
        known.roles[role],
        samples.read(known.folder, role),
        secrets=secrets,
        file=file,
        tell=post.received.append,
    )
    server = await listen(partner.answer, "127.0.0.1", 0)
    post.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield post
    finally:
        post.close()
        server.close()
        await asyncio.sleep(0)


@pytest.mark.parametrize(("dialect", "role"), OPPOSITE, ids=map("-".join, OPPOSITE))
async def test_it_hears_what_the_other_end_says_and_finds_nothing_wrong(
    dialect: str, role: str
) -> None:
    """Every documented call of a role is well-formed to its mock, and its answer a good one to the role."""
    known = DIALECTS[dialect]
    ours = known.roles[role]
    calls = samples.read(known.folder, role).outgoing
    secrets = {name: value for one in calls for name, value in one.secrets.items()}
    secrets = secrets or ours.secrets()
    async with mocked(dialect, OPPOSITE[dialect, role], secrets) as post:
        for one in calls:
            them = Partner(
                tenant_id=1,
                id=1,
                name="mock",
                dialect=dialect,
                role=role,
                settings=convert_settings(ours, one.settings),
                secrets=one.secrets,
            )
            request = ours.request_for(outgoing.subject(one), them)
            assert request is not None
            if ours.finish is not None:
                request = ours.finish(request, str(ids.new()), [secrets])
            if "paths" not in one.settings:  # agreed by the two ends
                answer = await post.call(request)
                assert (post.received[-1].problem, answer.status) == ("", 200), one.name


async def test_what_is_not_as_documented_gets_the_dialects_refusal() -> None:
    """A missing field, no JSON, an unknown path and a wrong method are told like by the real one."""
    async with mocked("goldshop", "erp") as post:
        lacking = await post.post("/pickGoods/cancel", b'{"remark":"x"}')
        assert json.loads(lacking.body)["code"] == 500
        assert "订单号不存在" in post.received[-1].problem
        broken = await post.post("/pickGoods/send", b"hello")
        assert json.loads(broken.body)["code"] == 500
        assert (await post.post("/nowhere", b"{}")).status == 404
        assert (await post.call(Request("/pickGoods/send", b"", method="GET"))).status == 405
    assert all(one.problem for one in post.received)


async def test_a_wrong_signature_and_a_missing_token_are_seen() -> None:
    """A dialect that checks its callers itself does so here, with the secrets that were given."""
    async with mocked("wangdian", "wdt", {"sid": "s", "key": "k", "appsecret": "a:b"}) as post:
        answer = await post.call(Request("/openapi", b"[]", query="method=goods.Suite.upload2"))
        assert json.loads(answer.body)["status"] == 1
    async with mocked("trade", "platform") as post:
        assert (await post.call(Request("/v2/order/ap", b"", method="GET"))).status == 401


async def test_a_script_breaks_it_and_a_new_one_mends_it(tmp_path: Path) -> None:
    """Rules hold by turns; a file that changes holds from the next call on, a broken one not at all."""
    file = tmp_path / "script.json"
    file.write_text('[{"status": 503, "times": 2}, {"delay": "150ms", "times": 1}]')
    body = b'{"pickGoodsDtls":[{"styleNo":"A","stockQty":1}]}'
    async with mocked("goldshop", "miniapp", file=file) as post:
        answers = [await post.post("/goldshop/app/pushStocks", body) for _ in range(3)]
        assert [one.status for one in answers] == [503, 503, 200]
        file.write_text('[{"drop": true}]')
        with pytest.raises(CallFailed):
            await post.post("/goldshop/app/pushStocks", body)
        assert post.received[-1].status == 0
        file.write_text("[{")
        with pytest.raises(CallFailed):
            await post.post("/goldshop/app/pushStocks", body)
        assert "the script before stays" in post.received[-1].problem
        file.write_text('[{"delay": "5s"}]')
        with pytest.raises(CallFailed, match="timed out"):
            await post.post("/goldshop/app/pushStocks", body, within=0.2)
    with pytest.raises(BadInput):
        MockPartner(
            DIALECTS["goldshop"].roles["erp"],
            samples.read(DIALECTS["goldshop"].folder, "erp"),
            file=_written(tmp_path / "bad.json"),
        )


def _written(path: Path) -> Path:
    path.write_text("hello")
    return path


async def test_it_is_bounded(tmp_path: Path) -> None:
    """A body over 4 MiB is refused, what is no HTTP is dropped, a strange status is sent all the same."""
    file = tmp_path / "script.json"
    file.write_text('[{"status": 599}]')
    async with mocked("goldshop", "erp", file=file) as post:
        assert (await post.post("/pickGoods/send", b"{}")).status == 599
        assert (await post.post("/pickGoods/send", b"x" * (5 * 1024 * 1024))).status == 413
        port = int(post.url.rpartition(":")[2])
        for junk in (b"hello\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"x" * 300_000):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(junk)
            with contextlib.suppress(ConnectionError):
                await reader.read()
            writer.close()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /pickGoods/send HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}")
        assert (await reader.read()).startswith(b"HTTP/1.1 599 Scripted\r\n")
        writer.close()


async def test_the_checks_see_a_server_that_is_wrong(tmp_path: Path) -> None:
    """What differs is named with the document's section: another code, another message, a 500."""
    file = tmp_path / "script.json"
    rules = [{"path": "/pickGoods/cancel", "body": {"msg": "已取消", "code": 200}}]
    file.write_text(json.dumps(rules))
    known = samples.read(DIALECTS["goldshop"].folder, "erp")
    async with (
        mocked("goldshop", "erp", file=file) as post,
        Inspector(Target(base_url=post.url), known) as inspector,
    ):
        assert await inspector.silence() == ""
        findings = await inspector.of(["as_printed", "errors"])
    wrong = {(one.section, one.check): one.problem for one in findings if one.problem}
    section = "小程序取消订单，推送给ERP同步订单状态"
    assert wrong[section, "as printed"] == "msg is '已取消', not '操作成功'"
    assert (section, "an unknown number") in wrong
    assert not [
        one for one in findings if one.call == "send" and one.check == "as printed" and one.problem
    ]


async def test_nobody_is_said_so() -> None:
    """A server that is not there is silent; a hundred findings would not say more."""
    known = samples.read(DIALECTS["goldshop"].folder, "erp")
    async with Inspector(Target(base_url="http://127.0.0.1:9"), known) as inspector:
        assert "could not connect" in await inspector.silence()
    assert set(GROUPS) <= set(dir(Inspector))
