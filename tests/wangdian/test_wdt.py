"""旺店通 over HTTP, as its merchants meet it: against two server processes."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import pytest

from entrepot.catalogue import suites
from entrepot.connections import exchanges
from entrepot.connections import flows as connections
from entrepot.dialects.wangdian import signature
from tests.courier.bureau import eventually
from tests.running import demo
from tests.wangdian.test_signature import BODY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from entrepot.hub import Hub
    from tests.running import Running

NOTHING = b'[{"suite_no":"nothing"}]'
README = Path(signature.__file__).with_name("README.md")


class Merchant:
    """A merchant's client: signs, sends, reads."""

    def __init__(self, base_url: str, account: Mapping[str, str]) -> None:
        self.base_url = base_url
        self.account = account

    def asked(self, method: str = "goods.Suite.search") -> dict[str, str]:
        """Return the parameters of a well signed call whose body is ``NOTHING``."""
        asked = urlencode({"method": method})
        query = signature.query_for(asked, NOTHING, self.account, time.time())
        return dict(parse_qsl(query))

    def call(self, method: str, body: object, at: float = 0, **pager: int) -> dict[str, Any]:
        """Return the answer to a call signed ``at`` seconds from now."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        asked = urlencode({"method": method, **pager})
        query = signature.query_for(asked, raw, self.account, time.time() + at)
        return self.send(query, raw)

    def send(self, query: str, raw: bytes, **headers: str) -> dict[str, Any]:
        """Return the answer to these bytes, which is HTTP's 200 and bears a status of its own."""
        status, answer = self.ask(query, raw, **headers)
        assert status == 200
        return answer

    def ask(self, query: str, raw: bytes, **headers: str) -> tuple[int, dict[str, Any]]:
        """Return HTTP's status and the answer; ``{}`` of a process that does not know the address yet."""
        url = f"{self.base_url}/openapi?{query}"
        request = urllib.request.Request(url, raw, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.loads(refused.read() or b"{}")


@pytest.fixture(scope="module")
def hub(server_url: str, template: str) -> Iterator[Running]:
    """Give a hub with the demonstration in it."""
    with demo(server_url, template) as running:
        yield running


@pytest.fixture
async def merchant(hub: Running) -> Merchant:
    """Give a client of the demonstration's 旺店通."""
    for connection in await hub.connections():
        partner = connection.partner
        if (connection.tenant, partner.dialect) == ("demo", "wangdian"):
            return Merchant(hub.base_url(connection), partner.secrets)
    raise AssertionError("no such connection")


def test_the_demonstration_has_the_documented_account(merchant: Merchant) -> None:
    """Sid and key are those of the document's own example."""
    assert (merchant.account["sid"], merchant.account["key"]) == ("wdtapi3", "wdt_test")
    assert re.fullmatch(r"[^:]+:[^:]+", merchant.account["appsecret"])


def test_the_documented_request_as_printed(merchant: Merchant) -> None:
    """Status 0 and the suite's id; the same bytes again, signature and all, get the same answer."""
    asked = urlencode({"method": "goods.Suite.upload2"})
    query = signature.query_for(asked, BODY, merchant.account, time.time())
    first = merchant.send(query, BODY)
    assert list(first) == ["status", "data"]
    assert first["status"] == 0
    assert isinstance(first["data"], int)
    assert merchant.send(query, BODY) == first
    spaced = BODY.replace(b'"num":10', b' "num" : 10.0000 ')
    assert merchant.call("goods.Suite.upload2", spaced) == first


def test_every_parameter_is_refused_with_its_own_message(merchant: Merchant) -> None:
    """Changed on the way, left out or sent twice; all of it HTTP 200, and nothing else is told."""
    good = merchant.asked()
    empty = {"status": 0, "data": {"total_count": 0, "suite_list": []}}
    assert merchant.send(urlencode(good), NOTHING) == empty
    wrong = {name: merchant.send(urlencode({**good, name: "x"}), NOTHING) for name in good}
    assert wrong == {
        "sid": {"status": 1, "message": "卖家账号sid不存在"},
        "key": {"status": 1, "message": "接口账号key不存在"},
        "salt": {"status": 1, "message": "盐salt错误"},
        "sign": {"status": 1, "message": "签名sign错误"},
        "v": {"status": 1, "message": "签名sign错误"},
        "timestamp": {"status": 1, "message": "签名sign错误"},
        "method": {"status": 1, "message": "签名sign错误"},
    }
    for name, label in (("sid", "卖家账号"), ("key", "接口账号"), ("salt", "盐"), ("sign", "签名")):
        less = {other: text for other, text in good.items() if other != name}
        answer = merchant.send(urlencode(less), NOTHING)
        assert answer == {"status": 1, "message": f"缺少参数：{label}{name}"}
    for name, text in good.items():
        twice = merchant.send(f"{urlencode(good)}&{urlencode({name: text})}", NOTHING)
        assert twice == {"status": 1, "message": "签名sign错误"}
    for body in (NOTHING + b" ", b"", NOTHING.replace(b"nothing", b"another")):
        assert merchant.send(urlencode(good), body)["message"] == "签名sign错误"
    assert merchant.send("", NOTHING)["message"] == "缺少参数：卖家账号sid"


def test_what_is_well_signed_is_checked_in_order(merchant: Merchant) -> None:
    """The version, the clock, the method, the arguments: the first that is wrong is told."""
    now = int(time.time()) - signature.EPOCH
    wrong = {"v": "2.0", "timestamp": str(now - 500), "method": "no.such", "page_size": "0"}
    told = []
    for right in ("v", "timestamp", "method", "page_size", ""):
        query = signature.query_for(urlencode(wrong), b"no JSON", merchant.account, time.time())
        told.append(merchant.send(query, b"no JSON"))
        wrong.pop(right, None)
        wrong.setdefault("method", "goods.Suite.search")
    assert [answer["status"] for answer in told] == [8, 7, 1, 1, 1]
    assert told[2]["message"] == "接口名称method不存在：no.such"
    assert told[3]["message"] == told[4]["message"] == "请求体不是合法的JSON"


def test_an_update_replaces_all_of_a_suite(merchant: Merchant) -> None:
    """A detail left out is gone, a head field left out is back at its default, the id stays."""
    head: dict[str, object] = {
        "suite_no": "R",
        "suite_name": "r",
        "goods_label_name": "热卖",
        "print_suite_mode": 1,
    }
    details = [{"spec_no": "dongfangshuye", "num": 1}, {"spec_no": "xiaowanzi01", "num": "2.5"}]
    first = merchant.call("goods.Suite.upload2", [head | {"barcode": "69"}, details])
    bare: dict[str, object] = {"suite_no": "R", "suite_name": "r", "goods_label_name": ""}
    assert merchant.call("goods.Suite.upload2", [bare, details[1:]]) == first
    (row,) = merchant.call("goods.Suite.search", [{"suite_no": "R"}])["data"]["suite_list"]
    assert (row["goods_label"], row["barcode"], row["print_suite_mode"]) == ("", "", 0)
    assert [(part["spec_no"], part["num"]) for part in row["detail_list"]] == [("xiaowanzi01", 2.5)]
    refused = merchant.call("goods.Suite.upload2", [bare, [{"spec_no": "aaaaa", "num": 1}]])
    assert refused == {"status": 100, "message": "商家编码:aaaaa 单品不存在"}
    (same,) = merchant.call("goods.Suite.search", [{"suite_no": "R"}])["data"]["suite_list"]
    assert same == row


@pytest.mark.parametrize("field", ["print_suite_mode", "large_type"])
@pytest.mark.parametrize(("mode", "status"), [(3, 100), ("999", 100), (-1, 1)])
def test_a_mode_outside_its_table_is_named(
    merchant: Merchant, field: str, mode: object, status: int
) -> None:
    """A number is well-formed and may not be; below 0 it is none, as everywhere."""
    head = {"suite_no": "MODE", "suite_name": "m", "goods_label_name": "", field: mode}
    refused = merchant.call("goods.Suite.upload2", [head, [{"spec_no": "xiaowanzi01", "num": 1}]])
    assert refused["status"] == status
    assert f"[0].{field}" in refused["message"]
    found = merchant.call("goods.Suite.search", [{"suite_no": "MODE"}])
    assert found["data"]["total_count"] == 0


def test_a_search_since_the_first_year_is_a_business_answer(merchant: Merchant) -> None:
    """A time that no clock can hold in UTC is named like any other that is none."""
    asked = [{"suite_no": "nothing", "start_time": "0001-01-01 00:00:00"}]
    answer = merchant.call("goods.Suite.search", asked)
    assert answer["status"] == 1
    assert "[0].start_time" in answer["message"]


async def test_a_suite_pushed_by_many_at_once_is_one(merchant: Merchant) -> None:
    """Twenty clients at the same instant on two processes: one id, and one of their versions, whole."""
    one = {"suite_no": "M", "suite_name": "m", "goods_label_name": ""}
    parts = [[("dongfangshuye", n), ("xiaowanzi01", n)] for n in range(1, 21)]
    answers = await asyncio.gather(
        *(
            asyncio.to_thread(
                merchant.call,
                "goods.Suite.upload2",
                [one, [{"spec_no": sku, "num": num} for sku, num in version]],
            )
            for version in parts
        )
    )
    assert len({answer["data"] for answer in answers}) == 1
    (row,) = merchant.call("goods.Suite.search", [{"suite_no": "M"}])["data"]["suite_list"]
    assert [(p["spec_no"], p["num"]) for p in row["detail_list"]] in parts


def test_the_clock_and_the_method(merchant: Merchant) -> None:
    """Two minutes either way; a method that is not there is named; then the arguments are looked at."""
    asked = [{"suite_no": "nothing"}]
    for seconds in (-115, 115):
        assert merchant.call("goods.Suite.search", asked, at=seconds)["status"] == 0
    for seconds in (-125, 125):
        assert merchant.call("goods.Suite.search", asked, at=seconds)["status"] == 7
    unknown = merchant.call("goods.Suite.Search", b"no JSON")
    assert unknown == {"status": 1, "message": "接口名称method不存在：goods.Suite.Search"}
    assert merchant.call("", [])["message"] == "缺少参数：接口名称method"
    assert merchant.call("goods.Suite.search", b"no JSON")["status"] == 1


def test_pages_count_from_0_and_know_the_total(merchant: Merchant) -> None:
    """Every suite on exactly one page, in the order in which they changed."""
    for number in range(7):
        head = {"suite_no": f"P{number}", "suite_name": "页", "goods_label_name": ""}
        merchant.call("goods.Suite.upload2", [head, [{"spec_no": "xiaowanzi01", "num": 1}]])
    asked = [{"suite_name": "页", "start_time": "2020-01-01 00:00:00"}]
    pages = [
        merchant.call("goods.Suite.search", asked, page_size=3, page_no=n, calc_total=1)["data"]
        for n in range(4)
    ]
    assert [page["total_count"] for page in pages] == [7] * 4
    found = [[row["suite_no"] for row in page["suite_list"]] for page in pages]
    assert found == [["P0", "P1", "P2"], ["P3", "P4", "P5"], ["P6"], []]


async def test_the_exchange_is_found_by_its_number(hub: Running, merchant: Merchant) -> None:
    """Operators find who pushed what, refused or not, and what did not even decode."""
    for method, head in (
        ("goods.Suite.upload2", {"suite_no": "FIND-1", "suite_name": "x", "goods_label_name": ""}),
        ("goods.Suite.upload2", {"suite_no": "FIND-2", "suite_name": 7}),
        ("goods.Goods.push", {"goods_no": "FIND-3", "goods_name": ["x"]}),
        ("goods.Suite.search", {"suite_no": "FIND-4", "goods_no": 3}),
    ):
        assert merchant.call(method, [head, []])["status"] != 0

    async def find(hub: Hub) -> list[str]:
        async with hub.db.reading(hub.registry.tenant("demo")) as tx:
            asked = [exchanges.Filter(document=f"FIND-{n}") for n in range(1, 5)]
            found = [await exchanges.find(tx, hub.vault, one) for one in asked]
        return [one.reply for several in found for one in several]

    async def recorded() -> bool:
        return len(await hub.do(find)) == 4

    await eventually(recorded)  # an exchange is written down a moment after its answer
    assert "组合装明细不能为空" in (await hub.do(find))[0]


async def test_old_and_new_appsecret_sign_while_they_overlap(
    hub: Running, merchant: Merchant
) -> None:
    """A rotation renews the appsecret and the address, keeps sid and key, and turns nobody away."""

    async def rotate(hub: Hub) -> None:
        async with hub.db.transaction(hub.registry.tenant("demo")) as tx:
            await connections.change(
                tx, hub.vault, hub.dialects, "wangdian", {}, who="test", rotate=True
            )

    await hub.do(rotate)
    new = None
    for connection in await hub.connections():
        if (connection.tenant, connection.partner.dialect) == ("demo", "wangdian"):
            new = Merchant(hub.base_url(connection), connection.partner.secrets)
    assert new is not None
    assert (new.account["sid"], new.account["key"]) == ("wdtapi3", "wdt_test")
    assert new.account["appsecret"] != merchant.account["appsecret"]
    await settled(new, urlencode(new.asked()), NOTHING, (200, 0))
    asked = [{"suite_no": "nothing"}]
    assert merchant.call("goods.Suite.search", asked)["status"] == 0
    assert new.call("goods.Suite.search", asked)["status"] == 0
    crossed = Merchant(new.base_url, merchant.account)
    assert crossed.call("goods.Suite.search", asked)["status"] == 0


async def change(hub: Running, **changes: str) -> None:
    """Change the connection as an operator does."""

    async def work(inside: Hub) -> None:
        async with inside.db.transaction(inside.registry.tenant("demo")) as tx:
            await connections.change(
                tx, inside.vault, inside.dialects, "wangdian", changes, who="test"
            )

    await hub.do(work)


async def settled(merchant: Merchant, query: str, body: bytes, answered: tuple[int, int]) -> None:
    """Wait until every process answers as a change demands; it takes milliseconds."""
    row = 0
    async with asyncio.timeout(60):
        while row < 20:  # as many new sockets as make it likely that each process took one
            status, answer = await asyncio.to_thread(merchant.ask, query, body)
            row = row + 1 if (status, answer.get("status")) == answered else 0


async def test_the_vector_of_the_contract_over_http(hub: Running, merchant: Merchant) -> None:
    """As printed, signature and all: right in everything but its time, which is of 2023."""
    vector = (
        "sid=wdtapi3&key=wdt_test&salt=testsalt&method=goods.Suite.upload2&v=1.0"
        "&timestamp=374652800&sign=c0cdc827874aa8f17c7d5c9fa93afab0"
    )
    await change(hub, appsecret="testsecret:testsalt")
    try:
        await settled(merchant, vector, BODY, (200, 7))
        assert merchant.send(vector, BODY)["message"].startswith("时间戳timestamp无效")
        assert merchant.send(vector[:-1] + "1", BODY)["message"] == "签名sign错误"
        assert merchant.send(vector, BODY + b" ")["message"] == "签名sign错误"
    finally:
        await change(hub, appsecret=merchant.account["appsecret"])
    await settled(merchant, urlencode(merchant.asked()), NOTHING, (200, 0))


async def test_a_bearer_token_is_asked_for_beside_the_signature(
    hub: Running, merchant: Merchant
) -> None:
    """Once one is set: 401 in the envelope without it, before a word about the signature."""
    good = urlencode(merchant.asked())
    await change(hub, bearer="a-token")
    try:
        await settled(merchant, good, NOTHING, (401, 401))
        refused = (401, {"status": 401, "message": "身份验证失败"})
        assert merchant.ask(good, NOTHING, Authorization="Bearer another") == refused
        assert merchant.ask("sid=x", NOTHING) == refused
        assert merchant.ask(good, NOTHING, Authorization="Bearer a-token")[1]["status"] == 0
        unsigned = merchant.ask("sid=x", NOTHING, Authorization="Bearer a-token")
        assert unsigned == (200, {"status": 1, "message": "卖家账号sid不存在"})
    finally:
        await change(hub, bearer="off")
    await settled(merchant, good, NOTHING, (200, 0))


def test_the_readmes_example_runs(merchant: Merchant) -> None:
    """The shell function signs, and its three calls get good answers."""
    (script,) = re.findall(r"```bash\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    variables = {
        "BASE": merchant.base_url,
        "SID": merchant.account["sid"],
        "KEY": merchant.account["key"],
        "APPSECRET": merchant.account["appsecret"],
    }
    done = subprocess.run(
        ["bash", "-euc", script],
        env={"PATH": "/usr/bin:/bin", **variables},
        capture_output=True,
        check=True,
        timeout=60,
    )
    answers = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [answer["status"] for answer in answers] == [0, 0, 0]
    assert answers[1]["data"]["suite_list"][0]["suite_no"] == "20220421002"
    assert answers[2]["data"]["total_count"] == 2


async def test_a_suite_of_ours_reaches_their_hub(server_url: str, template: str) -> None:
    """The partners' tenant saves a suite: its goods, then the suite stand in the demonstration's tenant."""
    with demo(server_url, template, "--role", "all") as running:

        async def save(hub: Hub) -> None:
            tenant = hub.registry.tenant("partners")
            async with hub.db.transaction(tenant) as tx:
                from tests.catalogue.shop import bundle

                await suites.replace(tx, [bundle("SENT", dongfangshuye=1, xiaowanzi01="2.5")])

        await running.do(save)

        async def arrived(hub: Hub) -> suites.Shown | None:
            async with hub.db.reading(hub.registry.tenant("demo")) as tx:
                question = suites.Search(sku="SENT")
                (page,) = await suites.search(tx, [question])
                return page.suites[0] if page.suites else None

        async def there() -> bool:
            return await running.do(arrived) is not None

        await eventually(there)
        found = await running.do(arrived)
        assert found is not None
        assert [(p.sku, str(p.num)) for p in found.parts] == [
            ("dongfangshuye", "1.0000"),
            ("xiaowanzi01", "2.5000"),
        ]
        assert [p.goods_no for p in found.parts] == ["dongfangshuye", "xiaowanzi01"]
