"""The one door for partners, over real HTTP: who comes in, what is read, what is kept."""

from __future__ import annotations

import http.client
import json
import socket
import time
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from entrepot.connections import flows as connections
from entrepot.connections.exchanges import Exchange, Filter, find
from tests import running
from tests.courier.bureau import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from entrepot.hub import Hub
    from tests.running import Running

SEND = "/pickGoods/send"


@pytest.fixture(scope="module")
def hub(server_url: str, template: str) -> Iterator[Running]:
    """Give a hub that reads at most a megabyte, and waits for it at most three seconds."""
    limits = {"ENTREPOT_READ_TIMEOUT": "3", "ENTREPOT_BODY_LIMIT": "1000000"}
    with running.demo(server_url, template, **limits) as hub:
        yield hub


@pytest.fixture
async def key(hub: Running) -> str:
    """Give the URL key of the mini-program's connection."""
    return await current_key(hub)


async def current_key(hub: Running) -> str:
    for connection in await hub.connections():
        if connection.tenant == "demo" and connection.partner.name == "goldshop":
            return connection.generations[0].key
    raise AssertionError("no demo connection")


async def change(hub: Running, *, rotate: bool = False, **changes: str) -> None:
    """Change the connection as an operator does, and wait until every process knows."""

    async def work(inside: Hub) -> None:
        tenant = inside.registry.tenant("demo")
        async with inside.db.transaction(tenant) as tx:
            await connections.change(
                tx, inside.vault, inside.dialects, "goldshop", changes, who="test", rotate=rotate
            )

    await hub.do(work)


async def recorded(hub: Running, number: str) -> list[Exchange]:
    """Return the exchanges found by a number, once they are written."""

    async def work(inside: Hub) -> list[Exchange]:
        async with inside.db.reading(inside.registry.tenant("demo")) as tx:
            return await find(tx, inside.vault, Filter(document=number))

    async def written() -> bool:
        return bool(await hub.do(work))

    await eventually(written)
    return await hub.do(work)


def order(number: str, **head: str) -> dict[str, Any]:
    return {
        "pickGoods": {"custName": "安港珠宝", "oriOrderNo": number, "username": "明天L", **head},
        "pickGoodsDtls": [{"styleNo": "YPJ1600", "qty": 1}],
    }


def call(
    hub: Running,
    path: str,
    body: object = None,
    method: str = "POST",
    **headers: str,
) -> tuple[int, str, http.client.HTTPMessage]:
    """Make one call on a connection of its own."""
    line = http.client.HTTPConnection("127.0.0.1", hub.settings.port, timeout=20)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        line.request(method, path, raw, {k.replace("_", "-"): v for k, v in headers.items()})
        reply = line.getresponse()
        return reply.status, reply.read().decode(), reply.headers
    finally:
        line.close()


def code(reply: tuple[int, str, http.client.HTTPMessage]) -> tuple[int, int]:
    """Return the status and the code in the envelope."""
    return reply[0], json.loads(reply[1])["code"]


def until(hub: Running, path: str, wanted: tuple[int, int], **headers: str) -> None:
    """Wait until every process answers as a change demands; it takes milliseconds."""
    deadline, row = time.monotonic() + running.READY_WITHIN, 0
    while row < 20:  # as many new sockets as make it likely that each process took one
        assert time.monotonic() < deadline, f"{path} never settles on {wanted}"
        row = row + 1 if code(call(hub, path, {}, **headers)) == wanted else 0


def raw_exchange(hub: Running, sent: bytes) -> bytes:
    """Send bytes, stop sending, and return everything that comes back."""
    with socket.create_connection(("127.0.0.1", hub.settings.port), timeout=20) as line:
        line.sendall(sent)
        answer = b""
        while part := line.recv(65536):
            answer += part
        return answer


@pytest.mark.parametrize("path", ["/c/", "/c/x", "/c/x/pickGoods/send", "/c//pickGoods/send"])
def test_an_unknown_key_gets_no_hint(hub: Running, path: str) -> None:
    """404 and nothing else: no envelope, no id, the same for every path."""
    status, body, headers = call(hub, path, order("X"))
    assert (status, body) == (404, "")
    assert "x-request-id" not in headers


async def test_below_a_valid_key_wrong_paths_and_methods_are_said_in_the_envelope(
    hub: Running, key: str
) -> None:
    """404 and 405, as HTTP status and as the envelope's code."""
    assert code(call(hub, f"/c/{key}", {})) == (404, 404)
    assert code(call(hub, f"/c/{key}/", {})) == (404, 404)
    assert code(call(hub, f"/c/{key}{SEND}/", {})) == (404, 404)
    assert code(call(hub, f"/c/{key}/PICKGOODS/send", {})) == (404, 404)
    assert code(call(hub, f"/c/{key}/%00%ff%ed%a0%80?%00=%ff", {})) == (404, 404)
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert code(call(hub, f"/c/{key}{SEND}", {}, method)) == (405, 405)


async def test_a_bearer_token_is_asked_for_once_it_is_set(hub: Running, key: str) -> None:
    """401 without it or with another; rotating renews it together with the key, both old ones go on."""
    path = f"/c/{key}{SEND}"
    await change(hub, bearer="first-token")
    until(hub, path, (401, 401))
    assert code(call(hub, path, {}, Authorization="Bearer other")) == (401, 401)
    assert code(call(hub, path, {}, Authorization="Basic Zmlyc3QtdG9rZW4=")) == (401, 401)
    assert code(call(hub, path, {}, Authorization="Bearer \xe9")) == (401, 401)
    assert code(call(hub, path, order("B1"), Authorization="bearer first-token")) == (200, 200)
    await change(hub, rotate=True)
    renewed = await current_key(hub)
    assert renewed != key
    hub.wait_until_known(f"{hub.url}/c/{renewed}")
    assert code(call(hub, path, order("B2"), Authorization="Bearer first-token")) == (200, 200)
    assert code(call(hub, f"/c/{renewed}{SEND}", {})) == (401, 401)
    await change(hub, bearer="off")
    until(hub, f"/c/{renewed}{SEND}", (200, 500))


async def test_an_address_off_the_allow_list_is_turned_away(hub: Running, key: str) -> None:
    """403, whatever else is right about the call."""
    path = f"/c/{key}{SEND}"
    await change(hub, allow_ips="203.0.113.0/24,2001:db8::/32")
    until(hub, path, (403, 403))
    assert code(call(hub, path, order("A1"), X_Forwarded_For="203.0.113.5")) == (403, 403)
    await change(hub, allow_ips="127.0.0.0/8")
    until(hub, path, (200, 500))
    assert code(call(hub, path, order("A1"))) == (200, 200)
    await change(hub, allow_ips="off")


async def test_a_body_over_the_limit_is_not_read_to_its_end(hub: Running, key: str) -> None:
    """413, told by its length and in chunks without one; one byte less is read."""
    path = f"/c/{key}{SEND}"
    assert code(call(hub, path, b"x" * 1_000_001)) == (413, 413)
    assert code(call(hub, path, b"x" * 1_000_000)) == (200, 500)
    head = f"POST {path} HTTP/1.1\r\nHost: hub\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    chunk = b"fffff\r\n" + b"x" * 0xFFFFF + b"\r\n"
    assert b" 413 " in raw_exchange(hub, head.encode() + chunk + b"0\r\n\r\n").partition(b"\r\n")[0]


@pytest.mark.parametrize("begun", [b"", b'{"pickGoods":'])
async def test_a_body_that_does_not_come_is_not_waited_for(
    hub: Running, key: str, begun: bytes
) -> None:
    """408 after the read time-out, in the envelope."""
    head = f"POST /c/{key}{SEND} HTTP/1.1\r\nHost: hub\r\nContent-Length: 500\r\nConnection: close\r\n\r\n"
    answer = raw_exchange(hub, head.encode() + begun)
    assert b" 408 " in answer.partition(b"\r\n")[0]
    assert answer.endswith(b'"code":408}')


async def test_a_caller_who_hangs_up_half_way_has_ordered_nothing(hub: Running, key: str) -> None:
    """What came of the body is recorded, and that is all."""
    whole = json.dumps(order("CUT-1")).encode()
    head = f"POST /c/{key}{SEND} HTTP/1.1\r\nHost: hub\r\nContent-Length: {len(whole)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", hub.settings.port), timeout=20) as line:
        line.sendall(head.encode() + whole[:-1])
    assert code(call(hub, f"/c/{key}{SEND}", order("CUT-1"))) == (200, 200)


async def test_one_connection_serves_many_calls(hub: Running, key: str) -> None:
    """Keep-alive, and calls sent before the first is answered, in their order."""
    calls = b""
    for at in range(5):
        body = json.dumps(order(f"PIPE-{at % 3}")).encode()
        head = f"POST /c/{key}{SEND} HTTP/1.1\r\nHost: hub\r\nContent-Length: {len(body)}\r\n"
        calls += (head + ("Connection: close\r\n" if at == 4 else "") + "\r\n").encode() + body
    answers = raw_exchange(hub, calls)
    assert answers.count(b'"code":200}') == 3
    assert answers.count("订单号已存在".encode()) == 2


async def test_every_reply_has_a_request_id_and_its_length(hub: Running, key: str) -> None:
    """What a partner quotes when they complain."""
    *_, one = call(hub, f"/c/{key}{SEND}", {})
    *_, other = call(hub, f"/c/{key}{SEND}", {})
    assert one["x-request-id"] != other["x-request-id"]
    assert one["content-type"] == "application/json"
    assert int(one["content-length"]) > 0


async def test_an_exchange_is_found_by_its_documents_number(hub: Running, key: str) -> None:
    """Request, reply, status and duration are kept; a telephone number is masked until revealed."""
    call(hub, f"/c/{key}{SEND}", order("EX-1", remark="电话13812345678"))
    (exchange,) = await recorded(hub, "EX-1")
    assert (exchange.direction, exchange.connection, exchange.status) == ("in", "goldshop", 200)
    assert exchange.path == SEND
    assert exchange.duration_ms > 0
    assert '"oriOrderNo": "EX-1"' in exchange.request
    assert "138****5678" in json.loads(exchange.request)["pickGoods"]["remark"]
    assert exchange.reply == '{"msg":"操作成功","code":200}'
    assert not exchange.refused


async def test_a_refused_body_is_found_by_the_number_it_names(hub: Running, key: str) -> None:
    """An operator who is asked about an order that never came in sees why."""
    bad = order("EX-2")
    bad["pickGoodsDtls"][0]["qty"] = 0
    call(hub, f"/c/{key}{SEND}", bad)
    (exchange,) = await recorded(hub, "EX-2")
    assert "pickGoodsDtls[0].qty" in exchange.reply
    assert (exchange.status, exchange.refused) == (200, True)


async def test_our_own_fault_is_a_500_and_nothing_is_stored(hub: Running, key: str) -> None:
    """The envelope bears it, and the same order is taken once we are well again."""
    path = f"/c/{key}{SEND}"
    with psycopg.connect(hub.settings.database_url or "", autocommit=True) as database:
        database.execute("ALTER TABLE order_line RENAME TO order_line_gone")
        try:
            broken = call(hub, path, order("F-1"))
        finally:
            database.execute("ALTER TABLE order_line_gone RENAME TO order_line")
    assert code(broken) == (500, 500)
    assert "order_line" not in broken[1]
    assert code(call(hub, path, order("F-1"))) == (200, 200)
