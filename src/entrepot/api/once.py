"""Idempotency-Key: the same request is done once, and answered alike each time.

The reply is written in the transaction that did the work: either both are there or neither. While one
request works, another with its key finds the lock taken; a process that dies lets go of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from entrepot.api import answer, problems
from entrepot.api.answer import Answer
from entrepot.api.problems import Stopped
from entrepot.db import queries
from entrepot.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from entrepot.db import Tx
    from entrepot.vault import Vault

KEPT_HOURS = 24
_FORM = re.compile(r"[\x21-\x7e]{1,255}")
_q = queries(__package__)


class Claim(Struct, frozen=True, kw_only=True):
    """One request that is to be done once: whose key, and the hash of all it asks for."""

    token_id: int
    key: str
    digest: bytes


def checked(key: str) -> str:
    """Return the header's value; raises Stopped where it is none."""
    if not _FORM.fullmatch(key):
        text = "Idempotency-Key takes 1 to 255 visible ASCII characters."
        raise Stopped(400, "bad_idempotency_key", text, path="Idempotency-Key")
    return key


async def once(
    tx: Tx, vault: Vault, claim: Claim, work: Callable[[Tx], Awaitable[Answer]]
) -> Answer:
    """Return ``work``'s answer, or the one it gave when this was asked before.

    A refusal is an answer too and kept like any other. Raises Stopped: 409 while the first one is at
    work, 422 where the key was used for something else.
    """
    if not await tx.value(_q.take_key, f"{claim.token_id}:{claim.key}"):
        text = "The first request with this Idempotency-Key is still at work."
        raise Stopped(409, "in_progress", text, Retry_After="1")
    known = await tx.row(_q.reply_of, claim.token_id, claim.key, KEPT_HOURS)
    if known is not None:
        if known["digest"] != claim.digest:
            text = "This Idempotency-Key was used for a different request."
            raise Stopped(422, "key_reused", text, path="Idempotency-Key")
        headers = msgspec.json.decode(known["headers"])
        body = vault.unseal_body(known["body"])
        return Answer(
            status=known["status"], body=body, headers={**headers, "idempotency-replayed": "true"}
        )
    try:
        async with tx.savepoint():
            reply = await work(tx)
    except Refused as refusal:
        reply = answer.of_problem(problems.of(refusal))
    headers = msgspec.json.encode(reply.headers).decode()
    sealed = vault.seal_body(reply.body)
    await tx.do(
        _q.keep_reply, claim.token_id, claim.key, claim.digest, reply.status, headers, sealed
    )
    await tx.do(_q.forget_replies, KEPT_HOURS)
    return reply
