"""Sign in and out, change a password, turn the second factor on and off."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

import argon2
import pyotp
from msgspec import Struct

from entrepot import clock, ids
from entrepot.connections.flows import audit
from entrepot.console.access import rules
from entrepot.db import queries
from entrepot.errors import BadInput, Conflict, NotAllowed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.db import Database, Row, Tx
    from entrepot.vault import Vault

_q = queries(__package__)
_hasher = argon2.PasswordHasher(time_cost=3, memory_cost=19 * 1024, parallelism=1)
_hashing = asyncio.Semaphore(2)
_RECOVERY_CODES = 10


class Caller(Struct, frozen=True, kw_only=True):
    """Where a sign-in comes from; ``local`` when the hub listens on loopback only."""

    address: str = ""
    agent: str = ""
    local: bool = False


class SignedIn(Struct, frozen=True, kw_only=True):
    """A fresh session; ``token`` goes into the cookie and is kept nowhere."""

    session_id: int
    token: str
    stage: rules.Stage


async def sign_in(
    db: Database, vault: Vault, tenant_id: int, username: str, password: str, caller: Caller
) -> SignedIn:
    """Check name and password; raises Conflict (``sign_in_wait``) or NotAllowed (``sign_in_wrong``)."""
    account_subject = vault.fingerprint(f"account {tenant_id} {username.lower()}")
    subjects = [account_subject, vault.fingerprint(f"address {caller.address}")]
    async with db.reading(tenant_id) as tx:
        await _hold_back(tx, subjects)
        row = await tx.row(_q.account_named, username)
    right = await verify(row["password"] if row else _nobody(), password)
    if row is None or not right or (row["only_local"] and not caller.local):
        async with db.transaction(tenant_id) as tx:
            await tx.do(_q.failed, subjects, clock.now())
        raise NotAllowed("sign_in_wrong", "Name or password is wrong.")
    stage: rules.Stage = "code" if row["totp"] else "enrol" if row["must_change"] else "full"
    async with db.transaction(tenant_id) as tx:
        await tx.do(_q.forgive, [account_subject])
        if stage == "full":
            await audit(tx, username, "sign in", username, details={"address": caller.address})
        return await open_session(tx, row["person_id"], stage, caller)


async def give_code(
    db: Database, vault: Vault, tenant_id: int, session: tuple[int, int], code: str, caller: Caller
) -> SignedIn:
    """Finish signing in with a time-based or a recovery code.

    ``session`` is (person id, session id); that session ends and a full one begins. Raises like
    ``sign_in``.
    """
    person_id, session_id = session
    subject = vault.fingerprint(f"code {tenant_id} {person_id}")
    async with db.transaction(tenant_id) as tx:
        row = await _locked(tx, person_id)
        await _hold_back(tx, [subject])
        if await _code_fits(tx, vault, row, code):
            name = row["login"]
            await tx.do(_q.forgive, [subject])
            await tx.do(_q.end_session, person_id, session_id, clock.now())
            await audit(tx, name, "sign in", name, details={"address": caller.address})
            stage: rules.Stage = "enrol" if row["must_change"] else "full"
            return await open_session(tx, person_id, stage, caller)
        await tx.do(_q.failed, [subject], clock.now())
    raise NotAllowed("code_wrong", "That code is not right.")


async def change_password(tx: Tx, person_id: int, old: str, new: str, caller: Caller) -> SignedIn:
    """Replace a person's own password; every session ends and a fresh one begins."""
    row = await _locked(tx, person_id)
    if not await verify(row["password"], old):
        raise BadInput("password_wrong", "The present password is wrong.", path="old")
    rules.check_password(new, row["login"])
    if await verify(row["password"], new):
        raise BadInput("password_same", "The new password is the old one.", path="password")
    await tx.do(_q.set_password, person_id, await hashed(new), False)
    await tx.do(_q.end_others, person_id, 0, clock.now())
    await audit(tx, row["login"], "password change", row["login"])
    return await open_session(tx, person_id, "full", caller)


async def set_account(
    tx: Tx,
    person_id: int,
    password: str,
    *,
    must_change: bool,
    only_local: bool = False,
) -> None:
    """Give a person a password to sign in with; ends what sessions there are."""
    encoded = await hashed(password)
    await tx.do(_q.save_account, person_id, encoded, must_change, only_local)
    await tx.do(_q.end_others, person_id, 0, clock.now())


async def turn_on_totp(tx: Tx, vault: Vault, person_id: int, secret: str, code: str) -> list[str]:
    """Turn the second factor on once its first code is right; return the recovery codes, once."""
    row = await _locked(tx, person_id)
    step = rules.step_of(secret, code, clock.now(), 0)
    if step is None:
        raise BadInput("code_wrong", "That code is not right.", path="code")
    codes = [f"{secrets.token_hex(3)}-{secrets.token_hex(3)}" for _ in range(_RECOVERY_CODES)]
    hashes = [rules.recovery_hash(one) for one in codes]
    await tx.do(_q.set_totp, person_id, vault.seal(secret.encode()), step, hashes)
    await audit(tx, row["login"], "second factor on", row["login"])
    return codes


async def turn_off_totp(tx: Tx, person_id: int, password: str) -> None:
    """Turn a person's own second factor off; the password is asked again."""
    row = await _locked(tx, person_id)
    if not await verify(row["password"], password):
        raise BadInput("password_wrong", "The present password is wrong.", path="password")
    await tx.do(_q.set_totp, person_id, None, 0, [])
    await audit(tx, row["login"], "second factor off", row["login"])


async def drop_totp(tx: Tx, person_id: int) -> None:
    """Take a person's second factor away (their phone is lost); an administrator's act."""
    await tx.do(_q.set_totp, person_id, None, 0, [])


async def set_duties(tx: Tx, person_id: int, duties: Sequence[str]) -> None:
    """Say what a person does here beside their role in paperwork."""
    await tx.do(_q.set_duties, person_id, list(duties))


def new_secret() -> str:
    """Return a fresh secret for a second factor (base32)."""
    return pyotp.random_base32()


async def open_session(tx: Tx, person_id: int, stage: rules.Stage, caller: Caller) -> SignedIn:
    """Begin a session; its token is 256 bits and known to the browser alone."""
    token, session_id = ids.token(256), ids.new()
    await tx.do(
        _q.add_session, session_id, person_id, stage, rules.token_hash(token),
        caller.address, caller.agent[:200], clock.now(),
    )  # fmt: skip
    return SignedIn(session_id=session_id, token=token, stage=stage)


async def end_session(tx: Tx, person_id: int, session_id: int) -> None:
    """Sign out, here or elsewhere."""
    await tx.do(_q.end_session, person_id, session_id, clock.now())


async def end_others(tx: Tx, person_id: int, session_id: int) -> None:
    """Sign out everywhere but here."""
    await tx.do(_q.end_others, person_id, session_id, clock.now())


async def sessions(tx: Tx, person_id: int) -> list[Row]:
    """Return a person's live sessions, the latest seen first."""
    now = clock.now()
    return await tx.rows(_q.sessions, person_id, now - rules.IDLE, now - rules.LIFE)


async def set_locale(tx: Tx, person_id: int, name: str) -> None:
    """Remember a person's language."""
    await tx.do(_q.set_locale, person_id, name)


async def hashed(password: str) -> str:
    """Return a password as it is kept; takes some 40 ms of a thread."""
    async with _hashing:
        return await asyncio.to_thread(_hasher.hash, password)


async def verify(encoded: str, password: str) -> bool:
    """Tell whether a password is the one kept."""
    async with _hashing:
        try:
            return await asyncio.to_thread(_hasher.verify, encoded, password)
        except argon2.exceptions.VerificationError:
            return False


async def _hold_back(tx: Tx, subjects: list[bytes]) -> None:
    now = clock.now()
    wait = max(
        (
            row["last_at"] + rules.wait_after(row["failures"]) - now
            for row in await tx.rows(_q.failures, subjects)
        ),
        default=timedelta(),
    )
    if wait > timedelta():
        seconds = int(wait.total_seconds()) + 1
        raise Conflict("sign_in_wait", f"Too many tries; wait {seconds} s.", seconds=seconds)


async def _code_fits(tx: Tx, vault: Vault, row: Row, code: str) -> bool:
    plain, left = code.replace(" ", ""), list(row["recovery"])
    step: int | None = None
    if row["totp"] is not None:
        secret = vault.unseal(row["totp"]).decode()
        step = rules.step_of(secret, plain, clock.now(), row["totp_step"])
    if step is None:
        spent = rules.spend(code, left)
        if spent is None:
            return False
        step, left = row["totp_step"], spent
    await tx.do(_q.use_step, row["person_id"], step, left)
    return True


async def _locked(tx: Tx, person_id: int) -> Row:
    row = await tx.row(_q.lock_account, person_id)
    if row is None:
        raise Conflict("no_account", "This person has no account to sign in with.")
    return row


@cache
def _nobody() -> str:
    """Return a hash no password fits, so that an unknown name takes as long as a wrong password."""
    return _hasher.hash(secrets.token_hex(16))
