"""The bare ASGI handler that ours is measured against: decodes and answers the same JSON, nothing else."""

from __future__ import annotations

import argparse
from decimal import Decimal
from typing import Any

import msgspec
from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops


class Query(msgspec.Struct):
    """The stock query of document 000."""

    styleNos: list[str] = []  # noqa: N815 - the document's word


class Style(msgspec.Struct):
    """A row of its answer."""

    style_no: str
    stock_qty: int = 100
    stock_wgt: Decimal = Decimal("250.5")
    pic_url: str = ""


class Answer(msgspec.Struct):
    """The answer's envelope."""

    msg: str
    code: int
    data: list[Style]


_decoder = msgspec.json.Decoder(Query)
_encoder = msgspec.json.Encoder(decimal_format="number")


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer any POST as if every style asked for had the same stock."""
    body = b"{}"
    if scope["method"] == "POST":
        message = await receive()
        body = message["body"]
    query = _decoder.decode(body)
    answer = _encoder.encode(Answer("操作成功", 200, [Style(style) for style in query.styleNos]))
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(answer)).encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    Granian(
        "bench.bare:app",
        port=parser.parse_args().port,
        interface=Interfaces.ASGINL,
        workers=1,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        websockets=False,
        backlog=2048,
        log_enabled=False,
    ).serve()
