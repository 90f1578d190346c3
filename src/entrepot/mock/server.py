"""The HTTP of a scripted partner: asyncio's streams, requests parsed by llhttp, everything bounded."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import httptools

from entrepot.mock.rules import Answer, Heard

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_BODY_LIMIT = 4 * 1024 * 1024
_HEAD_LIMIT = 64 * 1024
_PATIENCE = 60.0
_CHUNK = 64 * 1024


async def listen(
    answer: Callable[[Heard], Awaitable[Answer]],
    host: str,
    port: int,
    *,
    too_large: Answer = Answer(status=413),  # noqa: B008 - frozen
) -> asyncio.Server:
    """Return a listening server whose every request gets what ``answer`` says; raises OSError.

    One whose body is over the limit gets ``too_large`` instead, and is the last of its connection.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = (OSError, TimeoutError, httptools.HttpParserError, asyncio.CancelledError)
        with contextlib.suppress(*ends):  # cancelled: the program ends, and this task with it
            await _converse(reader, writer, answer, too_large)
        writer.transport.abort()

    return await asyncio.start_server(serve, host, port)


async def _converse(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    answer: Callable[[Heard], Awaitable[Answer]],
    too_large: Answer,
) -> None:
    """Answer one request after the other until the caller, or a dropped answer, ends it."""
    while (request := await _read(reader)) is not None:
        said = too_large if request.too_large else await answer(request.heard())
        if said.drop:
            return
        keeps = request.keeps and not request.too_large
        writer.write(_bytes_of(said, keeps=keeps))
        await writer.drain()
        if not keeps:
            return


async def _read(reader: asyncio.StreamReader) -> _Request | None:
    """Read one request; None at the end of the conversation."""
    request = _Request()
    while not request.done and not request.too_large:
        async with asyncio.timeout(_PATIENCE):
            data = await reader.read(_CHUNK)
        if not data:
            return None
        request.feed(data)
    return request


def _bytes_of(answer: Answer, *, keeps: bool) -> bytes:
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "Scripted"
    headers = (
        *answer.headers,
        ("Content-Length", str(len(answer.body))),
        ("Connection", "keep-alive" if keeps else "close"),
    )
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {answer.status} {phrase}\r\n{lines}\r\n".encode() + answer.body


class _Request:
    """One request while it comes in; the callbacks are llhttp's."""

    def __init__(self) -> None:
        self._parser: Any = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._chunks: list[bytes] = []
        self._size = 0
        self._in_head = True
        self.done = False
        self.too_large = False

    @property
    def keeps(self) -> bool:
        """Whether another request may follow."""
        keeps: bool = self._parser.should_keep_alive()
        return keeps

    def feed(self, data: bytes) -> None:
        """Take what came; raises HttpParserError for what is no HTTP."""
        if self._in_head:
            self._size += len(data)
            self.too_large = self._size > _HEAD_LIMIT + _CHUNK
        self._parser.feed_data(data)

    def heard(self) -> Heard:
        """Return the request, whole."""
        url = httptools.parse_url(self._url)
        return Heard(
            method=self._parser.get_method().decode(),
            path=(url.path or b"").decode("utf-8", "replace").rstrip("/"),
            query=(url.query or b"").decode("latin-1"),
            headers=self._headers,
            body=b"".join(self._chunks),
        )

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self._in_head, self._size = False, 0

    def on_body(self, body: bytes) -> None:
        self._chunks.append(body)
        self._size += len(body)
        self.too_large = self.too_large or self._size > _BODY_LIMIT

    def on_message_complete(self) -> None:
        self.done = True
