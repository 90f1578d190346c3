"""Sixteen ill-behaved partners on real sockets, and what the courier is to make of each."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import ssl
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.courier.bureau import read_call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

FINE = b'{"code":0,"msg":""}'


@dataclass(frozen=True)
class Animal:
    """One partner: what it does on its wire, and how the first attempt is written down.

    ``reached`` tells whether a call gets through to it; a private name is one no allowed network holds.
    """

    name: str
    does: str
    handle: Any
    outcome: str
    note: str
    url: str = "http://127.0.0.1:{port}"
    tls: bool = False
    reached: bool = True


def answer(status: int, body: bytes, *headers: str) -> bytes:
    """Return a whole reply."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def says(*replies: bytes) -> Any:
    """Answer each call with the next of the replies, the last one for ever, on a kept connection."""
    left = list(replies)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            await read_call(reader)
            writer.write(left.pop(0) if len(left) > 1 else left[0])
            await writer.drain()

    return handle


async def hang(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """Take the call and say nothing."""
    await reader.read()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one byte at a time, for ever."""
    await read_call(reader)
    for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 100_000:
        writer.write(bytes((byte,)))
        await writer.drain()
        await asyncio.sleep(0.1)


async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Cut the connection in the middle of the answer."""
    await read_call(reader)
    writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"code":0')
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.transport.abort()


async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Announce ten gigabytes and begin to send them."""
    await read_call(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10737418240\r\n\r\n")
    piece = b"x" * 65536
    while True:
        writer.write(piece)
        await writer.drain()


def bomb(mib: int) -> Iterator[bytes]:
    """Yield a gzip stream of so many MiB of zeros, which is a thousandth of that long."""
    packer, piece = zlib.compressobj(9, wbits=31), bytes(1024 * 1024)
    for _ in range(mib):
        yield packer.compress(piece)
    yield packer.flush()


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Promise to keep the connection, and close it at the next call."""
    await read_call(reader)
    writer.write(answer(200, FINE, "Connection: keep-alive"))
    await writer.drain()
    await reader.readexactly(1)
    writer.transport.abort()


BOMB = b"".join(bomb(200))
GBK = '{"code":0,"msg":"操作成功"}'.encode("gbk")
METADATA = "Location: http://169.254.169.254/latest/meta-data/"
LOOP = "Location: /test_step"
HTTPS, NAMED = "https://127.0.0.1:{port}", "http://localhost:{port}"
LATER = "Retry-After: 3600"

ANIMALS = (
    Animal("500s", "answers every call with HTTP 500",
           says(answer(500, b"oops")), "failed", "HTTP 500"),
    Animal("failure envelope", "answers HTTP 200 and a failure in its envelope",
           says(answer(200, b'{"code":1,"msg":"no"}')), "rejected", "no"),
    Animal("NUL in its message", "refuses in its envelope, with signs that no database keeps",
           says(answer(200, rb'{"code":1,"msg":"a\u0000b"}')), "rejected", "a␀b"),
    Animal("hang", "takes the call and never answers",
           hang, "failed", "timed out waiting for the answer"),
    Animal("one byte at a time", "sends a byte of its answer now and then, for ever",
           drip, "failed", "timed out waiting for the answer"),
    Animal("reset in the middle", "cuts the connection in the middle of its answer",
           reset, "failed", "cut in the middle of the answer"),
    Animal("TLS error", "shows a certificate that nobody signed",
           says(answer(200, FINE)), "failed", "TLS", HTTPS, tls=True, reached=False),
    Animal("redirect loop", "redirects to itself",
           says(answer(302, b"", LOOP)), "failed", "HTTP 302"),
    Animal("redirect to metadata", "redirects to 169.254.169.254, which nobody follows",
           says(answer(307, b"", METADATA)), "failed", "HTTP 307"),
    Animal("ten gigabytes", "announces an answer of 10 GB and begins to send it",
           endless, "failed", "longer than 1 MiB"),
    Animal("gzip bomb", "answers 200 KB that unpack to 200 MB",
           says(answer(200, BOMB, "Content-Encoding: gzip")), "failed", "longer than 1 MiB"),
    Animal("invalid JSON", "answers a page",
           says(answer(200, b"<html>")), "failed", "unreadable answer"),
    Animal("GBK", "answers JSON that is no UTF-8",
           says(answer(200, GBK)), "failed", "unreadable answer"),
    Animal("keep-alive closed", "promises to keep the connection, and closes it at the next call",
           closes, "delivered", ""),
    Animal("429", "asks for an hour: HTTP 429 with Retry-After",
           says(answer(429, b"", LATER)), "slow_down", "HTTP 429"),
    Animal("private name", "has a name that leads to a private address; it is never called",
           says(answer(200, FINE)), "failed", "allowed_networks", NAMED, reached=False),
)  # fmt: skip


AFTERWARDS = {
    "delivered": "nothing more",
    "rejected": "shown to a person; holds nobody back",
    "failed": "tried again on the schedule until the deadline, then a person's",
    "slow_down": "the whole connection waits as asked, and the call stays where it is in its schedule",
}
"""What follows an attempt with that outcome."""


def table() -> str:
    """Return what becomes of each animal's call, in Markdown."""
    lines = ["| partner | what it does | attempt | note | afterwards |", "|---|---|---|---|---|"]
    for animal in ANIMALS:
        note = animal.note and f"… {animal.note} …"
        cells = (animal.name, animal.does, f"`{animal.outcome}`", note, AFTERWARDS[animal.outcome])
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


@dataclass
class Cage:
    """A running animal."""

    animal: Animal
    url: str
    calls: int = 0


@contextlib.asynccontextmanager
async def caged(animal: Animal, folder: Path) -> AsyncIterator[Cage]:
    """Run an animal on a port of its own."""
    cage = Cage(animal, "")
    writers = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        cage.calls += 1
        writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await animal.handle(reader, writer)

    context = certificate(folder) if animal.tls else None
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    cage.url = animal.url.format(port=server.sockets[0].getsockname()[1])
    try:
        yield cage
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


def certificate(folder: Path) -> ssl.SSLContext:
    """Return a server's context with a certificate that nobody has reason to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "partner")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    path = folder / "partner.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context
