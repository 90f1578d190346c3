"""The database a hub stands on: found or started, and brought up to date, while the rest is still loading.

Its imports are light on purpose: ``entrepot serve`` begins here, and reads its hundreds of other modules
while the database creates itself.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from entrepot import embedded, migrate
from entrepot.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from entrepot.settings import Settings


@contextmanager
def standing(settings: Settings, say: Callable[[str], None]) -> Iterator[Future[None]]:
    """Hold the database for the length of the block; the future is done when its schema is current.

    Without a database URL that is the embedded server under ``settings.data``, which is let go of at the end.
    """
    held: list[embedded.Embedded] = []
    with ThreadPoolExecutor(1, "database") as thread:
        try:
            yield thread.submit(_bring_up, settings, say, held)
        finally:
            thread.shutdown()
            for server in held:
                server.stop()


def _bring_up(
    settings: Settings, say: Callable[[str], None], held: list[embedded.Embedded]
) -> None:
    url = settings.database_url
    if url is None:
        try:
            settings.data.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            text = (
                f"There can be no folder {settings.data} ({error.strerror}); name another --data."
            )
            raise Unusable(text) from error
        held.append(embedded.start(settings.data, say))
        url = held[0].dsn
    asyncio.run(migrate.migrate(url))
