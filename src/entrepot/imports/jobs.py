"""Files that programs send: uploaded in parts, brought in by the clock's process, their result kept.

A job whose process dies is begun again by the next, since every kind is safe to bring in twice.
"""

from __future__ import annotations

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from entrepot import facts, ids
from entrepot.connections.flows import audit
from entrepot.courier.outbox import Announcement, announce
from entrepot.courier.schedules import Schedule
from entrepot.db import queries
from entrepot.errors import Conflict, Missing, Refused, Unusable
from entrepot.imports import flows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.courier.schedules import Job
    from entrepot.db import Database, Row, Tx
    from entrepot.dialect import Dialect
    from entrepot.imports.flows import Result
    from entrepot.vault import Vault

Format = Literal["csv", "xlsx"]
HUB = 0
_EVERY = 1.0
_MOST_ERRORS = 16 * 1024 * 1024
_q = queries(__package__)


class NewJob(Struct, frozen=True, kw_only=True):
    """A file that is going to be sent."""

    kind: str
    format: Format
    dry_run: bool
    who: str


async def create(tx: Tx, new: NewJob) -> int:
    """Begin a job that waits for its parts; return its id. Raises Missing for an unknown kind."""
    if new.kind not in flows.KINDS:
        known = ", ".join(flows.KINDS)
        raise Missing("unknown_kind", f"{new.kind} cannot be brought in. Known: {known}.")
    job_id = ids.new()
    await tx.do(_q.add_job, job_id, new.kind, new.format, new.dry_run, new.who)
    return job_id


async def put(tx: Tx, job_id: int, part: int, content: bytes) -> None:
    """Keep one part, or replace it, while the job has not been started."""
    await _uploading(tx, job_id)
    await tx.do(_q.put_part, job_id, part, tx.seal(content))


async def start(tx: Tx, job_id: int) -> None:
    """Have a job worked on; raises Conflict where parts lack."""
    await _uploading(tx, job_id)
    row = await tx.row(_q.parts_there, job_id)
    if row is None or not row["number"] or row["number"] != row["last"]:
        raise Conflict("parts_lacking", "Send every part from 1 on first.")
    await tx.do(_q.start_job, job_id)


async def listed(
    tx: Tx, *, before: int | None = None, limit: int = 1, job_id: int | None = None
) -> list[Row]:
    """Return jobs, newest first; with ``job_id`` that one, if it exists."""
    return await tx.rows(_q.jobs, before, limit, job_id)


async def errors(tx: Tx, job_id: int) -> bytes | None:
    """Return the file of the rows that a job left out; None where there is none."""
    sealed = await tx.value(_q.job_errors, job_id)
    return None if sealed is None else tx.unseal(sealed)


def jobs(db: Database, vault: Vault, dialects: Mapping[str, Dialect]) -> Mapping[Schedule, Job]:
    """Return what the clock runs."""
    work = partial(_work, db, vault, dialects)
    return {Schedule(tenant_id=HUB, name="imports", every=_EVERY): work}


async def _uploading(tx: Tx, job_id: int) -> None:
    row = await tx.row(_q.lock_job, job_id)
    if row is None:
        raise Missing("unknown_import", f"There is no import {job_id}.")
    if row["state"] != "uploading":
        raise Conflict("import_begun", f"It is {row['state']} already.", state=row["state"])


async def _work(
    db: Database, vault: Vault, dialects: Mapping[str, Dialect], _tenant_id: int
) -> None:
    """Bring in every file that is there whole."""
    await db.rows(_q.forget_jobs)
    for job in await db.rows(_q.waiting_jobs):
        with tempfile.TemporaryDirectory(prefix="entrepot-import-") as name:
            path = Path(name, f"file.{job['format']}")
            await _gather(db, vault, job, path)
            await _bring_in(db, vault, dialects, job, path)


async def _gather(db: Database, vault: Vault, job: Row, path: Path) -> None:
    """Write a job's parts to a file, one after another."""
    part = 1
    async with db.reading(job["tenant_id"]) as tx:
        with path.open("wb") as file:
            while (content := await tx.value(_q.part, job["id"], part)) is not None:
                await asyncio.to_thread(file.write, vault.unseal(content))
                part += 1


async def _bring_in(
    db: Database, vault: Vault, dialects: Mapping[str, Dialect], job: Row, path: Path
) -> None:
    tenant_id, latest = job["tenant_id"], [0.0]

    async def tell() -> None:
        while True:
            await asyncio.sleep(1)
            await db.run(tenant_id, lambda tx: tx.do(_q.job_goes_on, job["id"], latest[0]))

    told = asyncio.create_task(tell())
    try:
        result = await flows.run(
            *(db, tenant_id, flows.KINDS[job["kind"]], path),
            dialects=dialects,
            who=job["who"],
            dry_run=job["dry_run"],
            progress=lambda part, _rows: latest.__setitem__(0, part),
        )
    except (Unusable, Refused) as error:
        await _end(db, job, "failed", problem=str(error).replace(str(path), "the file"))
    else:
        left = await asyncio.to_thread(Path(result.errors).read_bytes) if result.errors else b""
        sealed = vault.seal(left[:_MOST_ERRORS]) if left else None
        await _end(db, job, "done", result, errors=sealed)
    finally:
        told.cancel()


async def _end(
    db: Database,
    job: Row,
    state: str,
    result: Result | None = None,
    *,
    problem: str = "",
    errors: bytes | None = None,
) -> None:
    """Write down what came of a job; its parts are not needed any more."""
    taken, left_out = (result.taken, result.left_out) if result else (0, 0)

    async def write(tx: Tx) -> None:
        await tx.do(_q.end_job, job["id"], state, taken, left_out, problem, errors)
        await tx.do(_q.drop_parts, job["id"])
        done = facts.ImportFinished(
            number=str(job["id"]),
            content=job["kind"],
            dry_run=job["dry_run"],
            taken=taken,
            left_out=left_out,
            problem=problem,
        )
        await announce(tx, [Announcement(connection_id=None, key=job["id"], fact=done)])
        if not job["dry_run"]:
            details = {"kind": job["kind"], "taken": taken, "left out": left_out}
            await audit(tx, job["who"], "import", str(job["id"]), details=details)

    await db.run(job["tenant_id"], write)
