"""The partner of the courier's benchmarks: answers everything with 200 and keeps when each call arrived.

``python -m bench.sink --port P``; GET /stats gives counts and the monotonic times of the first and last call,
GET /arrivals the time by order number, GET /reset forgets. The clock is the machine's, so that another
process can compare.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import time
from typing import cast

import uvloop

_NUMBER = re.compile(rb'"oriOrderNo":"([^"]+)"')
_ROWS = re.compile(rb'"(?:type|styleNo)"')
_SAID = b'{"code":200,"msg":"","data":[]}'
_LEVEL_SAID = b'{"code":0,"msg":"","data":[]}'


class Seen:
    """What arrived."""

    def __init__(self) -> None:
        self.calls = self.rows = 0
        self.first = self.last = 0.0
        self.arrivals: dict[str, float] = {}


class Sink(asyncio.Protocol):
    """One connection; requests may come in pieces, and several at once."""

    seen = Seen()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to read."""
        self._transport = cast("asyncio.Transport", transport)
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        """Answer every whole request."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + length:
                return
            body = self._buffer[end + 4 : end + 4 + length]
            self._buffer = self._buffer[end + 4 + length :]
            self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        said = _SAID
        if head.startswith(b"get"):
            said = self._tell(head.split(b" ", 2)[1])
        else:
            now = time.monotonic()
            seen = Sink.seen
            seen.calls += 1
            seen.first = seen.first or now
            seen.last = now
            if b"update_goods_stock" in head.split(b"\r\n", 1)[0]:
                said = _LEVEL_SAID
                seen.rows += len(_ROWS.findall(body))
            elif hit := _NUMBER.search(body):
                seen.arrivals[hit[1].decode()] = now
        reply = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(reply % len(said) + said)

    def _tell(self, path: bytes) -> bytes:
        seen = Sink.seen
        if path == b"/reset":
            Sink.seen = Seen()
        if path == b"/arrivals":
            return json.dumps(seen.arrivals).encode()
        stats = {"calls": seen.calls, "rows": seen.rows, "first": seen.first, "last": seen.last}
        return json.dumps(stats).encode()


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(_serve(parser.parse_args().port))
