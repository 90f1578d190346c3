"""A little server that takes notes as a dialect should, and can be made to do one thing wrong."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Annotated, Any, Self

from msgspec import Meta, Struct

from entrepot.conform.checks import Target
from entrepot.conform.samples import Envelope, Expected, Sample, Samples, Wrong
from entrepot.decode import Optional, Positive, Reader, Text
from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Answer = tuple[int, bytes]

KEY, TOKEN = "/c/the-key", "the-token"
LIMIT = 4 << 20
FORM = "application/x-www-form-urlencoded"


class Line(Struct):
    """So many of what."""

    sku: Text
    qty: Positive


class Note(Struct):
    """What is taken."""

    number: Text
    lines: Annotated[tuple[Line, ...], Meta(min_length=1)]
    remark: Optional = None


class Asked(Struct):
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Refuse(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


SAMPLE = Sample(
    section="notes",
    name="note",
    path="/notes",
    body={"number": "N", "lines": [{"sku": "A", "qty": 1}, {"sku": "B", "qty": 2}], "remark": "r"},
    reply=Expected(body={"ok": True, "id": "<integer>"}),
    again=Expected(body={"ok": False, "error": "exists"}),
    once=True,
    fresh=("number",),
    bearer="bearer",
    form=True,
    fields={
        "number": "string!",
        "lines": "array!",
        "lines[]": "object!",
        "lines[].sku": "string!",
        "lines[].qty": "positive!",
        "remark": "string",
    },
    errors=(
        Wrong(
            why="an unknown article",
            set={"lines[1].sku": "nothing"},
            reply=Expected(body={"ok": False, "error": "<~.*nothing.*>"}),
        ),
    ),
)
SAMPLES = Samples(
    envelope=Envelope(
        failure=Expected(body={"ok": False, "error": "<message>"}),
        http={"ok": False, "error": "<message>", "status": "<status>"},
    ),
    calls={"note": SAMPLE},
    outgoing=(),
)


class Notes:
    """Takes notes. A flaw sees each request and what the answer would be, and returns another."""

    def __init__(self, flaw: Callable[[Notes, Asked, Answer], Answer | None] | None = None) -> None:
        self._flaw = flaw or (lambda _notes, _asked, answer: answer)
        self._reader = Reader(Note)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.taken: dict[str, int] = {}

    @property
    def target(self) -> Target:
        """Where it is asked, and how."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        url = f"http://127.0.0.1:{port}{KEY}"
        return Target(base_url=url, secrets={"bearer": TOKEN}, key_in_url=True)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=8 << 20)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)

    def answer(self, asked: Asked) -> Answer:
        """Return what a good server answers."""
        if not asked.path.startswith(KEY + "/"):
            return 404, b""
        try:
            return 200, said({"ok": True, "id": self._take(asked)})
        except Refuse as refused:
            body: Mapping[str, Any] = {"ok": False, "error": str(refused)}
            if refused.status != 200:
                body = {**body, "status": refused.status}
            return refused.status, said(body)

    def _take(self, asked: Asked) -> int:
        if len(asked.body) > LIMIT:
            raise Refuse(413, "too much")
        if asked.path != f"{KEY}/notes":
            raise Refuse(404, "where?")
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            raise Refuse(401, "who?")
        if asked.method != "POST":
            raise Refuse(405, "how?")
        try:
            note: Note = self._reader.read(self._unfolded(asked))
        except BadInput as refusal:
            raise Refuse(200, refusal.text) from refusal
        if unknown := [line.sku for line in note.lines if line.sku == "nothing"]:
            raise Refuse(200, f"unknown: {unknown}")
        if note.number in self.taken:
            raise Refuse(200, "exists")
        self.taken[note.number] = len(self.taken) + 1
        return self.taken[note.number]

    def _unfolded(self, asked: Asked) -> bytes:
        form = asked.headers.get("content-type", "").startswith(FORM)
        json_like = asked.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[", b'"', b"")
        return self._reader.unfolded(asked.body) if form and not json_like else asked.body

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                asked = await read(reader)
                answered = self._flaw(self, asked, self.answer(asked))
                if answered is None:
                    break
                status, body = answered
                head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
        self._writers.discard(writer)
        writer.close()


async def read(reader: asyncio.StreamReader) -> Asked:
    """Read one request with a Content-Length."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, path, headers, body)


def said(value: object) -> bytes:
    """Return a body."""
    return json.dumps(value).encode()
