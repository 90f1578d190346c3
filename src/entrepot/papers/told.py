"""What is told of adjustments and returns, in order for each paper."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.courier.outbox import Announcement, announce
from entrepot.papers.rules import lane

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Tx
    from entrepot.facts import Fact
    from entrepot.papers.rules import Paper


async def tell(tx: Tx, kind: str, told: Sequence[tuple[Paper, Fact]]) -> None:
    """Announce facts of papers of a kind; nobody in particular is told, whoever overhears them is."""
    await announce(
        tx,
        [
            Announcement(connection_id=None, key=lane(kind, paper.id), fact=fact)
            for paper, fact in told
        ],
    )
