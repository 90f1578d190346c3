"""Files that programs ask for: written by the clock's process, kept in parts, fetched within a week.

A job whose process dies is begun again by the next.
"""

from __future__ import annotations

import asyncio
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot import facts, ids
from entrepot.connections.flows import audit
from entrepot.courier.outbox import Announcement, announce
from entrepot.courier.schedules import Schedule
from entrepot.db import queries
from entrepot.errors import Missing, Refused, Unusable
from entrepot.exports import flows
from entrepot.exports.kinds import KINDS
from entrepot.imports.jobs import Format

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.courier.schedules import Job
    from entrepot.db import Database, Row, Tx

HUB = 0
_EVERY = 1.0
_PART = 4 * 1024 * 1024
_q = queries(__package__)


class NewExport(Struct, frozen=True, kw_only=True):
    """A file that is wanted; ``personal``: with receivers, their phones and addresses."""

    kind: str
    format: Format
    personal: bool
    who: str


async def create(tx: Tx, new: NewExport) -> int:
    """Ask for a file; return the job's id. Raises Missing for an unknown kind."""
    if new.kind not in KINDS:
        known = ", ".join(KINDS)
        raise Missing("unknown_kind", f"{new.kind} cannot be brought out. Known: {known}.")
    job_id = ids.new()
    await tx.do(_q.add_export, job_id, new.kind, new.format, new.personal, new.who)
    details = {"kind": new.kind, "personal": new.personal}
    await audit(tx, new.who, "export", str(job_id), details=details)
    return job_id


async def listed(
    tx: Tx, *, before: int | None = None, limit: int = 1, job_id: int | None = None
) -> list[Row]:
    """Return jobs, newest first; with ``job_id`` that one, if it exists."""
    return await tx.rows(_q.exports, before, limit, job_id)


async def part_of(tx: Tx, job_id: int, part: int) -> bytes | None:
    """Return a part of a file; None where there is none."""
    sealed = await tx.value(_q.export_part, job_id, part)
    return None if sealed is None else tx.unseal(sealed)


def jobs(db: Database) -> Mapping[Schedule, Job]:
    """Return what the clock runs."""
    return {Schedule(tenant_id=HUB, name="exports", every=_EVERY): partial(_work, db)}


async def _work(db: Database, _tenant_id: int) -> None:
    """Write every file that is waited for."""
    await db.rows(_q.forget_exports)
    for job in await db.rows(_q.waiting_exports):
        with tempfile.TemporaryDirectory(prefix="entrepot-export-") as name:
            await _write(db, job, Path(name, f"file.{job['format']}"))


async def _write(db: Database, job: Row, path: Path) -> None:
    tenant_id = job["tenant_id"]
    ask = KINDS[job["kind"]]
    try:
        rows = await flows.run(db, tenant_id, ask, path, personal=job["personal"])
    except (Unusable, Refused) as error:
        problem = str(error).replace(str(path), "the file")
        await db.run(tenant_id, lambda tx: _end(tx, job, "failed", problem=problem))
        return
    parts = 0
    while content := await asyncio.to_thread(_cut, path, parts * _PART):
        parts += 1
        await db.run(tenant_id, partial(_keep, job["id"], parts, content))
    await db.run(tenant_id, lambda tx: _end(tx, job, "done", rows=rows, parts=parts))


def _cut(path: Path, offset: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(_PART)


async def _keep(job_id: int, part: int, content: bytes, tx: Tx) -> None:
    await tx.do(_q.put_export_part, job_id, part, tx.seal(content))


async def _end(
    tx: Tx, job: Row, state: str, *, rows: int = 0, parts: int = 0, problem: str = ""
) -> None:
    """Write down what came of a job, and tell whoever listens."""
    await tx.do(_q.end_export, job["id"], state, rows, parts, problem)
    done = facts.ExportFinished(
        number=str(job["id"]), content=job["kind"], rows=rows, parts=parts, problem=problem
    )
    await announce(tx, [Announcement(connection_id=None, key=job["id"], fact=done)])
