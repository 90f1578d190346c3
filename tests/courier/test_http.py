"""One call: what is sent, what may be connected to, and what is made of strange answers."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from entrepot.courier.addresses import networks, permitted
from entrepot.courier.http import Caller, CallFailed, Target
from entrepot.dialect import Request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

HOME = networks(["127.0.0.0/8", "::1"])
POST = Request("/x", b"{}")


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("192.168.0.1", False),
        ("172.16.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::808:808", True),
        ("2002:7f00:1::", False),
    ],
)
def test_only_public_addresses_are_connected_to(address: str, *, public: bool) -> None:
    """However a private one is dressed up; a tenant's own networks are the exception."""
    assert permitted(address, ()) == public
    assert permitted(address, networks(["0.0.0.0/0", "::/0"]))


def test_a_tenants_network_is_permitted() -> None:
    """Host bits do not matter."""
    assert permitted("10.9.9.9", networks(["10.0.0.1/8"]))
    assert permitted("::ffff:10.9.9.9", networks([" 10.0.0.0/8"]))


@pytest.mark.parametrize(
    ("url", "head", "line"),
    [
        ("http://shop.example", "Host: shop.example\r\n", "POST /x?q=1 HTTP/1.1"),
        ("http://shop.example:8080/a/", "Host: shop.example:8080\r\n", "POST /a/x?q=1 HTTP/1.1"),
        ("https://shop.example/a?t=%20", "Host: shop.example\r\n", "POST /a/x?t=%20&q=1 HTTP/1.1"),
        ("http://[::1]:81", "Host: [::1]:81\r\n", "POST /x?q=1 HTTP/1.1"),
        ("http://例子.中国/店", "Host: xn--fsqu00a.xn--fiqs8s\r\n", "POST /%E5%BA%97/x?q=1 HTTP/1.1"),
        ("http://me:p%40ss@shop.example", "Authorization: Basic bWU6cEBzcw==\r\n", "POST /x?q=1 HTTP/1.1"),
    ],
)  # fmt: skip
def test_a_call_begins_as_its_url_says(url: str, head: str, line: str) -> None:
    """Path and query are appended, names and paths encoded, a login becomes a header."""
    sent = Target.of(url).bytes_of(Request("x", b"{}", query="q=1"), {"Idempotency-Key": "7"})
    text = sent.decode()
    assert text.startswith(line + "\r\n")
    assert head in text
    assert text.endswith("Idempotency-Key: 7\r\nContent-Length: 2\r\n\r\n{}")


def test_a_token_goes_before_what_the_url_and_the_dialect_say() -> None:
    """There is one Authorization, whoever else would make one; a line break is no token."""
    request = Request("x", b"{}", headers=(("authorization", "Bearer theirs"), ("X-A", "1")))
    sent = Target.of("http://me:pw@shop.example", (), "ours").bytes_of(request, {})
    assert sent.lower().count(b"authorization") == 1
    assert b"\r\nAuthorization: Bearer ours\r\n" in sent
    plain = Target.of("http://shop.example").bytes_of(request, {})
    assert b"\r\nauthorization: Bearer theirs\r\n" in plain
    with pytest.raises(ValueError, match="line break"):
        Target.of("http://shop.example", (), "a\r\nX: 1").bytes_of(request, {})


def test_the_url_alone_can_be_called() -> None:
    """Without a path anywhere the root is asked for."""
    assert (
        Target.of("http://a.example").bytes_of(Request(""), {}).startswith(b"POST / HTTP/1.1\r\n")
    )


@pytest.mark.parametrize("url", ["ftp://x", "x", "http://", "http://a:99999", "http://[::1"])
def test_what_is_no_url_is_refused(url: str) -> None:
    """When the connection is set up, not when it is called."""
    with pytest.raises(ValueError):  # noqa: PT011 - whichever part is wrong
        Target.of(url)


@contextlib.asynccontextmanager
async def partner(*replies: bytes, close: bool = True) -> AsyncIterator[Target]:
    """Answer each call with the next of these bytes."""
    left = list(replies)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while left:
                await reader.readuntil(b"{}")
                writer.write(left.pop(0))
                await writer.drain()
                if close:
                    break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Target.of(f"http://127.0.0.1:{port}", HOME)
    finally:
        server.close()


def reply(head: str, body: bytes = b"") -> bytes:
    """Return raw bytes of a reply."""
    return head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (reply("HTTP/1.1 200 OK\nContent-Length: 2", b"ok"), b"ok"),
        (reply("HTTP/1.1 200 OK", b"until the end"), b"until the end"),
        (reply("HTTP/1.0 200 OK", b"old"), b"old"),
        (reply("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"), b"abc"),
        (reply("HTTP/1.1 100 Continue") + reply("HTTP/1.1 200 OK\nContent-Length: 1", b"x"), b"x"),
        (reply("HTTP/1.1 204 No Content"), b""),
        (reply("HTTP/1.1 200 OK\nContent-Encoding: gzip", gzip.compress(b"zipped")), b"zipped"),
        (reply("HTTP/1.1 200 OK\nContent-Encoding: deflate", zlib.compress(b"flat")), b"flat"),
        (reply("HTTP/1.1 200 OK\nContent-Encoding: identity\nContent-Length: 1", b"i"), b"i"),
    ],
)  # fmt: skip
async def test_every_kind_of_body_is_read(raw: bytes, body: bytes) -> None:
    """By length, by chunks, to the end, compressed, after an interim answer."""
    async with partner(raw) as target:
        response, twice = await Caller().call(target, POST, {}, 5)
    assert response.body == body
    assert not twice


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"220 smtp.example ESMTP\r\n", "not an HTTP answer"),
        (reply("HTTP/1.1 200 OK\nContent-Length: 9", b"short"), "cut in the middle"),
        (reply("HTTP/1.1 200 OK\nTransfer-Encoding: chunked", b"zz\r\n"), "not an HTTP answer"),
        (reply("HTTP/1.1 200 OK\nContent-Encoding: br\nContent-Length: 1", b"x"), "content encoding 'br'"),
        (reply("HTTP/1.1 200 OK\nContent-Encoding: gzip\nContent-Length: 4", b"nope"), "damaged"),
        (reply("HTTP/1.1 200 OK\nContent-Encoding: gzip", gzip.compress(b"x" * 99)[:-9]), "cut off"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000, "longer than 64 KiB"),
        (b"", "closed before an answer"),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_says_why(raw: bytes, reason: str) -> None:
    """And that the partner may have acted all the same."""
    async with partner(raw) as target:
        with pytest.raises(CallFailed) as failed:
            await Caller().call(target, POST, {}, 5)
    assert reason in failed.value.reason
    assert failed.value.unsure


async def test_what_was_never_sent_is_known_not_to_have_been() -> None:
    """A refused connection, a forbidden address and a broken header leave no doubt."""
    async with partner(b"") as target:
        pass
    for failing, request in (
        (target, POST),
        (Target.of("http://127.0.0.1:9", ()), POST),
        (target, Request("/x", b"{}", headers=(("A", "b\r\nC: d"),))),
        (Target.of("https://localhost:1", HOME), POST),
    ):
        with pytest.raises(CallFailed) as failed:
            await Caller().call(failing, request, {}, 5)
        assert not failed.value.unsure


async def test_connections_are_kept_and_swept() -> None:
    """The next call uses the same connection; an idle one is closed."""
    good = reply("HTTP/1.1 200 OK\nContent-Length: 2", b"ok")
    async with partner(good, good, close=False) as target:
        caller = Caller()
        for _ in range(2):
            response, twice = await caller.call(target, POST, {}, 5)
            assert (response.status, twice) == (200, False)
        caller.sweep(idle=60)
        assert await _kept(caller) == 1
        caller.sweep(idle=0)
        assert await _kept(caller) == 0


async def test_a_call_made_twice_is_told_apart() -> None:
    """When a kept connection was closed under the call, the answer says that it may be the second."""
    good = reply("HTTP/1.1 200 OK\nContent-Length: 2", b"ok")
    async with partner(good, b"", good, close=False) as target:
        caller = Caller()
        await caller.call(target, POST, {}, 5)
        kept = next(iter(caller._kept.values()))[-1]
        response, twice = await _cut(caller, target, kept)
    assert response.body == b"ok"
    assert twice


async def _cut(caller: Caller, target: Target, kept: Any) -> Any:
    """Call, and let the kept connection be lost before a byte of the answer."""
    call = asyncio.create_task(caller.call(target, POST, {}, 5))
    await asyncio.sleep(0.05)
    kept._transport.abort()
    return await call


async def _kept(caller: Caller) -> int:
    return sum(len(wires) for wires in caller._kept.values())
