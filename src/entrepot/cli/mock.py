"""Play a partner: answers by a script, logs what it is told and what is wrong with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path  # noqa: TC003 - Typer reads the annotations
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qs

import msgspec
import typer

from entrepot import dialects
from entrepot.cli.terminal import show
from entrepot.cli.terminal.words import end_of, pairs
from entrepot.clock import shanghai
from entrepot.conform import samples
from entrepot.errors import EntrepotError, Unusable
from entrepot.mock.partner import MockPartner
from entrepot.mock.server import listen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

    from entrepot.mock.partner import Received


def command(
    *,
    dialect: Annotated[str, typer.Option(help="Which dialect it speaks.")],
    role: Annotated[str, typer.Option(help="Which end it plays; default: the usual one.")] = "",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0: any.", min=0, max=65535)] = 9000,
    script: Annotated[
        Path | None,
        typer.Option(help="Rules as JSON; a change holds at once.", exists=True, dir_okay=False),
    ] = None,
    secret: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="What its callers know: sid, key, appsecret …"),
    ] = None,
    log: Annotated[
        Path | None, typer.Option(help="Append every call, body included, as a line of JSON.")
    ] = None,
) -> None:
    """Play a partner until SIGTERM or Ctrl-C, for a hub (or anything else) to call.

    Without a script every call that is as documented gets the answer of the document's example, and every
    other one the dialect's own refusal. A script is an array of rules; the first that fits a call answers
    it: path, method, holds (a text in the body), times, status, delay, body, text, headers, drop. For
    example, two failures and then a slow success:
    [{"status": 503, "times": 2}, {"delay": "3s"}]
    """
    try:
        chosen, end = end_of(dialects.known(), dialect, role)
        with _book(log) as write:

            def tell(received: Received) -> None:
                _say(received)
                write(received)

            partner = MockPartner(
                chosen.roles[end],
                samples.read(chosen.folder, end),
                secrets=pairs(secret),
                file=script,
                tell=tell,
            )
            asyncio.run(_play(partner, f"{dialect} as {end}", host, port))
    except EntrepotError as error:
        show.complain(str(error))
        raise typer.Exit(1) from error


async def _play(partner: MockPartner, who: str, host: str, port: int) -> None:
    """Serve until told to stop."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    try:
        server = await listen(partner.answer, host, port, too_large=partner.too_large)
    except OSError as error:
        raise Unusable(f"Nothing can listen at {host}:{port}: {error.strerror}") from error
    where = f"[{host}]" if ":" in host else host
    show.say(f"{who} listens at http://{where}:{server.sockets[0].getsockname()[1]}")
    try:
        await stop.wait()
    finally:
        server.close()


def _say(received: Received) -> None:
    """Print a call in one line; what it says of people stays out of it."""
    heard = received.heard
    method = parse_qs(heard.query).get("method", [""])[0]
    path = (heard.path or "/") + (f"?method={method}" if method else "")
    answer = received.status or "no answer"
    said = received.problem or "as documented"
    show.say(f"{shanghai(received.at):%H:%M:%S} {heard.method} {path} → {answer}  {said}")


@contextlib.contextmanager
def _book(path: Path | None) -> Iterator[Callable[[Received], None]]:
    """Give a function that writes a call down, for its owner's eyes only; without a file it does nothing."""
    if path is None:
        yield lambda _: None
        return
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise Unusable(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(handle, "ab", buffering=0) as book:
        yield lambda received: _write(book, received)


def _write(book: IO[bytes], received: Received) -> None:
    heard = received.heard
    line = {
        "at": received.at,
        "method": heard.method,
        "path": heard.path,
        "query": heard.query,
        "body": heard.body.decode("utf-8", "replace"),
        "status": received.status,
        "problem": received.problem,
    }
    book.write(msgspec.json.encode(line) + b"\n")
