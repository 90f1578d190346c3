"""Who comes in, how often, and what is said to those who ask for what is not there."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from entrepot import clock
from entrepot.people import flows as people
from entrepot.people.tokens import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.api.client import Client

FAULTY_TOKENS = ["", "Basic x", "Bearer", f"Bearer {MARK}_1_x", "Bearer ent_zz_x", "Bearer \xe9"]
BIGGEST = 4 * 1024 * 1024


@pytest.fixture(autouse=True)
def real_time() -> Iterator[None]:
    """Put the clock back."""
    yield
    clock.reset()


@pytest.mark.parametrize("header", FAULTY_TOKENS)
async def test_without_a_valid_token_nothing_is_told(stranger: Client, header: str) -> None:
    """A missing, malformed or unknown token is 401, also for a path that does not exist."""
    for path in ("/orders", "/nothing"):
        reply = await stranger.get(path, Authorization=header)
        assert (reply.status, reply.json["code"]) == (401, "unauthorized")
        assert reply.headers["www-authenticate"].startswith("Bearer")


async def test_a_token_counts_until_it_is_ended(client: Client) -> None:
    """A revoked token is a stranger's at once."""
    other = await client.holding("orders:read")
    assert (await other.get("/orders")).status == 200
    tenant_id = client.hub.registry.tenant("demo")
    async with client.hub.db.transaction(tenant_id) as tx:
        token = (await people.tokens(tx))[-1]
        await people.end_token(tx, token.id)
    assert (await other.get("/orders")).status == 401


async def test_a_token_of_one_tenant_opens_no_other(client: Client) -> None:
    """The same secret under another tenant's number is unknown."""
    assert client.token
    mark, _, secret = client.token.split("_", 2)
    other = client.hub.registry.tenant("partners")
    reply = await client.get("/orders", Authorization=f"Bearer {mark}_{other:x}_{secret}")
    assert reply.status == 401


async def test_a_token_does_what_its_scopes_say(client: Client) -> None:
    """Reading does not include writing, writing includes reading, and nouns stay apart."""
    reader = await client.holding("orders:read")
    writer = await client.holding("orders:write")
    order = {"orders": [{"number": "S-1", "lines": [{"sku": "MF004", "qty": 1}]}]}
    assert (await reader.get("/orders")).status == 200
    refused = await reader.post("/orders", order)
    assert (refused.status, refused.json["code"]) == (403, "lacks_scope")
    assert refused.json["facts"] == {"scope": "orders:write"}
    assert (await writer.get("/orders")).status == 200
    assert (await writer.post("/orders", order)).status == 200
    assert (await writer.get("/stock/levels")).status == 403


async def test_too_many_calls_wait_for_the_next_minute(client: Client) -> None:
    """Every answer says what is left; beyond it is 429 with the seconds to wait."""
    clock.move(timedelta(seconds=-(clock.now().timestamp() % 60)))
    poor = await client.holding("orders:read", per_minute=3)
    replies = [await poor.get("/orders") for _ in range(4)]
    assert [reply.status for reply in replies] == [200, 200, 200, 429]
    assert [reply.headers["ratelimit-remaining"] for reply in replies] == ["2", "1", "0", "0"]
    assert {reply.headers["ratelimit-limit"] for reply in replies} == {"3"}
    wait = int(replies[-1].headers["retry-after"])
    assert 0 < wait <= 60
    clock.move(timedelta(seconds=wait))
    assert (await poor.get("/orders")).status == 200


async def test_calls_that_arrive_together_are_counted_one_by_one(client: Client) -> None:
    """Of twelve calls at once exactly the allowed five get through."""
    clock.move(timedelta(seconds=-(clock.now().timestamp() % 60)))
    poor = await client.holding("orders:read", per_minute=5)
    replies = await asyncio.gather(*(poor.get("/orders") for _ in range(12)))
    assert sorted(reply.status for reply in replies) == [200] * 5 + [429] * 7
    left = sorted(reply.headers["ratelimit-remaining"] for reply in replies if reply.status == 200)
    assert left == ["0", "1", "2", "3", "4"]


async def test_what_is_not_there_is_404_and_a_wrong_method_names_the_right_ones(
    client: Client,
) -> None:
    """Errors are problem documents with a stable code."""
    for path in ("/nothing", "/orders/1/2/3", "/orders/", "//orders", "/articles/" + "x/" * 500):
        reply = await client.get(path)
        assert (reply.status, reply.json["code"]) == (404, "unknown_path"), path
        assert reply.headers["content-type"] == "application/problem+json"
    reply = await client.call("DELETE", "/orders")
    assert (reply.status, reply.headers["allow"]) == (405, "GET, POST")
    assert reply.json == {
        "type": "urn:entrepot:problem:wrong_method",
        "title": "Method Not Allowed",
        "status": 405,
        "code": "wrong_method",
        "detail": "This path takes GET, POST.",
    }


async def test_head_answers_like_get_without_a_body(client: Client) -> None:
    """HEAD has GET's status and headers."""
    shown = await client.get("/orders")
    reply = await client.call("HEAD", "/orders")
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["content-length"] == shown.headers["content-length"]


LINE = b'{"orders":[{"number":"a","lines":[{"sku":"b","qty":%s}]}]}'
NUMBER = b'{"orders":[{"number":"%s","lines":[{"sku":"b","qty":1}]}]}'
BAD_BODIES: list[tuple[bytes, int, str, str]] = [
    (b"", 400, "malformed", ""),
    (b"{", 400, "malformed", ""),
    (b"\xff", 400, "malformed", ""),
    (b"[" * 100_000, 400, "invalid", ""),
    (b'{"orders":[]}', 400, "invalid", "orders"),
    (LINE % b'"1"', 400, "invalid", "orders[0].lines[0].qty"),
    (LINE % b"0", 400, "invalid", "orders[0].lines[0].qty"),
    (LINE % b"1.5", 400, "invalid", "orders[0].lines[0].qty"),
    (LINE % b'1,"x":1', 400, "invalid", "orders[0].lines[0]"),
    (NUMBER % b" ", 400, "invalid", "orders[0].number"),
    (NUMBER % b"a\\u0000", 422, "bad_character", "orders[0].number"),
    (NUMBER % b"a\\ud800", 422, "bad_character", "orders[0].number"),
]


@pytest.mark.parametrize(("body", "status", "code", "path"), BAD_BODIES)
async def test_a_body_that_does_not_decode_is_named_by_its_place(
    client: Client, body: bytes, status: int, code: str, path: str
) -> None:
    """The problem's path is the JSON path in the request."""
    reply = await client.post("/orders", body)
    assert (reply.status, reply.json["code"], reply.json.get("path", "")) == (status, code, path)


async def test_a_whole_number_may_have_a_point(client: Client) -> None:
    """JSON knows one kind of number: 2.0 pieces are 2."""
    body = b'{"orders":[{"number":"W-1","lines":[{"sku":"MF004","qty":2.0}]}]}'
    order = (await client.post("/orders", body)).json["outcomes"][0]["result"]
    assert (await client.get(f"/orders/{order['id']}")).json["lines"] == [
        {"sku": "MF004", "qty": 2}
    ]


@pytest.mark.parametrize(
    ("path", "status", "code", "place"),
    [
        ("/orders?limit=0", 400, "bad_parameter", "?limit"),
        ("/orders?limit=x", 400, "bad_parameter", "?limit"),
        ("/orders?limit=1&limit=2", 400, "repeated_parameter", "?limit"),
        ("/orders?color=red", 400, "unknown_parameter", ""),
        ("/orders?number=%00", 422, "bad_character", "?'number'"),
        ("/orders?number=%ff", 422, "bad_character", "?'number'"),
        ("/orders?after=x", 422, "bad_cursor", "after"),
        ("/orders?after=%ff", 422, "bad_character", "?'after'"),
        ("/orders?after=WyJhIl0", 422, "bad_cursor", "after"),
        ("/orders?connection=nobody", 422, "unknown_connection", ""),
        ("/orders/abc", 400, "bad_parameter", "id"),
        ("/orders/0", 400, "bad_parameter", "id"),
        ("/orders/9999999999999999999", 404, "unknown_order", ""),
        ("/orders/7", 404, "unknown_order", ""),
        ("/stock/movements?since=0.5", 400, "bad_parameter", "?since"),
        ("/stock/movements?since=0001-01-01T00:00:00%2B23:59", 400, "bad_parameter", "?since"),
        ("/stock/movements?since=2026-01-01T00:00:00", 400, "bad_parameter", "?since"),
    ],
)
async def test_a_question_that_makes_no_sense_is_named(
    client: Client, path: str, status: int, code: str, place: str
) -> None:
    """Parameters are as strict as bodies."""
    reply = await client.get(path)
    assert (reply.status, reply.json["code"], reply.json.get("path", "")) == (status, code, place)


async def test_a_body_is_bounded_in_size_and_time(client: Client) -> None:
    """Past the limit it is 413; one that does not arrive is 408; a compressed one 415."""
    reply = await client.post("/orders", b" " * (BIGGEST + 1))
    assert (reply.status, reply.json["code"]) == (413, "too_large")
    reply = await client.post("/orders", b"", Content_Encoding="gzip")
    assert (reply.status, reply.json["code"]) == (415, "compressed")


async def test_our_own_fault_tells_nothing_of_itself(client: Client) -> None:
    """When the database is gone the answer is a problem document too."""
    await client.hub.together.drain()

    class Gone:
        def __getattr__(self, name: str) -> Any:
            raise OSError("the network is down at 10.0.0.7")

    kept, client.hub.db = client.hub.db, Gone()  # type: ignore[assignment]
    try:
        reply = await client.get("/orders")
    finally:
        client.hub.db = kept
    assert (reply.status, reply.json["code"]) == (503, "unavailable")
    assert b"10.0.0.7" not in reply.body
