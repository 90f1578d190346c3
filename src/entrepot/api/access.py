"""Who calls: tokens, and how often each may."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from entrepot import clock
from entrepot.api.desk import Caller
from entrepot.db import queries
from entrepot.errors import NotAllowed, Refused
from entrepot.people.flows import fingerprint
from entrepot.people.rules import Actor, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Row, Tx

WINDOW = 60
"""Seconds that a token's calls are counted for."""
_q = queries(__package__)


async def admit(tx: Tx, tokens: Sequence[str]) -> list[Caller | Refused]:
    """Return who these tokens' holders are, this call of theirs counted; one statement for the batch."""
    counts = Counter(fingerprint(token) for token in tokens)
    window = int(clock.now().timestamp()) // WINDOW
    rows = await tx.rows(_q.admit, list(counts), list(counts.values()), window)
    found = {row["hash"]: row for row in rows}
    answers: list[Caller | Refused] = []
    for token in tokens:
        hash_ = fingerprint(token)
        row = found.get(hash_)
        counts[hash_] -= 1
        if row is None:
            answers.append(NotAllowed("unknown_caller", "No program has this token."))
            continue
        answers.append(
            Caller(
                tenant_id=tx.tenant_id,
                token_id=row["id"],
                name=row["name"],
                scopes=frozenset(row["scopes"]),
                limit=row["per_minute"],
                used=(row["used"] or 0) - counts[hash_],
                person=_person(row),
            )
        )
    return answers


def _person(row: Row) -> Actor | None:
    if row["person_id"] is None:
        return None
    return Actor(id=row["person_id"], name=row["person"], role=Role(row["role"]))
