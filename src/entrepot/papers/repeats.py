"""The same create sent again under its Idempotency-Key files nothing again and gets the first's answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.db import queries
from entrepot.errors import Conflict, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from entrepot.db import Tx

_q = queries(__package__)


class Key(Struct, frozen=True, kw_only=True):
    """What guards a create: the connection it came in by, the sender's key, a hash of the content."""

    connection_id: int
    key: str
    digest: bytes

    @property
    def guard(self) -> tuple[int, str]:
        """What may exist once."""
        return self.connection_id, self.key


class Repeats:
    """The keys of one batch; use: ``claim``, file what is ``fresh``, ``fulfil``, ``answer`` the others."""

    def __init__(self, kind: str, keys: Sequence[Key | None]) -> None:
        self._kind = kind
        self._keys = keys
        self._mine: dict[tuple[int, str], int] = {}
        self._first: dict[tuple[int, str], tuple[bytes, str]] = {}

    async def claim(self, tx: Tx) -> list[int]:
        """Take the keys; return the positions of the commands that are to be carried out."""
        first: dict[tuple[int, str], int] = {}
        for at, key in enumerate(self._keys):
            if key is not None:
                first.setdefault(key.guard, at)
        if not first:
            return list(range(len(self._keys)))
        keys = [key for at in first.values() if (key := self._keys[at]) is not None]
        columns = ([key.connection_id for key in keys], [key.key for key in keys])
        won = await tx.rows(_q.claim, self._kind, *columns, [key.digest for key in keys])
        claimed = {(row["connection_id"], row["key"]) for row in won}
        self._mine = {guard: at for guard, at in first.items() if guard in claimed}
        for row in await tx.rows(_q.claimed, self._kind, *columns):
            self._first[row["connection_id"], row["key"]] = (row["digest"], row["number"])
        mine = set(self._mine.values())
        return [at for at, key in enumerate(self._keys) if key is None or at in mine]

    async def fulfil(self, tx: Tx, filed: dict[int, tuple[int, str]]) -> None:
        """Note which papers (id, number) the commands led to, by position; free the other keys."""
        if not self._mine:
            return
        for guard, at in self._mine.items():
            key = self._keys[at]
            if at in filed and key is not None:
                self._first[guard] = (key.digest, filed[at][1])
        await tx.do(
            _q.fulfil,
            self._kind,
            [connection_id for connection_id, _ in self._mine],
            [key for _, key in self._mine],
            [filed.get(at, (0, ""))[0] for at in self._mine.values()],
        )

    def answer(self, at: int, outcomes: Mapping[int, str | Refused]) -> str | Refused:
        """Return what a command came to (``outcomes``), or the number its like got the first time."""
        if at in outcomes:
            return outcomes[at]
        key = self._keys[at]
        first = self._mine.get(key.guard) if key else None
        if first is not None and isinstance(outcomes[first], Refused):
            return outcomes[first]
        digest, number = self._first.get(key.guard, (b"", "")) if key else (b"", "")
        if key is None or digest != key.digest:
            return Conflict("key_taken", "This Idempotency-Key came with other content.")
        return number
