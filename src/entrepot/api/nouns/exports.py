"""Exports: a file is asked for, written by itself, and fetched in parts within a week."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from entrepot.api import paging, words
from entrepot.api.answer import Octets
from entrepot.api.desk import Desk
from entrepot.api.operation import Created, reads, writes
from entrepot.api.paging import Number, Page, Paged
from entrepot.api.words import Body, Code, Id
from entrepot.db import Row, Tx
from entrepot.errors import Missing
from entrepot.exports import jobs
from entrepot.exports.jobs import NewExport
from entrepot.exports.kinds import KINDS
from entrepot.imports.jobs import Format
from entrepot.people.tokens import REVEAL

PartNumber = Annotated[int, Meta(ge=1, le=1_000_000)]


class Export(Struct, frozen=True, kw_only=True):
    """A file; ``parts`` joined in their order are it, ``problem`` is why there is none."""

    id: str
    kind: str
    format: Format
    personal: bool
    who: str
    state: Literal["waiting", "done", "failed"]
    rows: int
    parts: int
    problem: str
    created_at: datetime
    finished_at: datetime | None


class ExportKinds(Struct, frozen=True, kw_only=True):
    """Every kind of file that can be brought out."""

    kinds: list[str]


class ExportWanted(Body, frozen=True, kw_only=True):
    """A file that is wanted; ``personal``: of orders with receivers, their phones and addresses."""

    kind: Code
    format: Format = "csv"
    personal: bool = False


@reads("/exports/kinds", "exports")
async def list_export_kinds(tx: Tx, desk: Desk) -> ExportKinds:
    """List the kinds of files; each can come in again as it went out."""
    del tx, desk
    return ExportKinds(kinds=list(KINDS))


@reads("/exports", "exports")
async def list_exports(tx: Tx, desk: Desk, query: Paged) -> Page[Export]:
    """List files, newest first."""
    del desk
    (before,) = paging.start(query, tuple[Number]) or (None,)
    found = await jobs.listed(tx, before=before, limit=query.limit + 1)
    return paging.page(found, query, lambda row: (row["id"],), _export)


@reads("/exports/{id}", "exports", tagged=True)
async def show_export(tx: Tx, desk: Desk, id: Id) -> Export:  # noqa: A002 - the path's word
    """Show whether a file is ready, and how many parts it has."""
    del desk
    found = await jobs.listed(tx, job_id=words.number(id, "export"))
    if not found:
        raise words.missing("export", id)
    return _export(found[0])


@reads("/exports/{id}/parts/{part}", "exports")
async def download_export_part(tx: Tx, desk: Desk, id: Id, part: PartNumber) -> Octets:  # noqa: A002
    """Return a part of a file, its bytes as they are; parts count from 1."""
    shown: Export = await show_export.handler(tx, desk, id)
    _require(desk, shown.kind, personal=shown.personal)
    found = await jobs.part_of(tx, int(id), part)
    if found is None:
        raise Missing("unknown_part", f"There is no part {part} of that file (yet).")
    return Octets(found)


@writes("POST", "/exports", "exports", status=202)
async def begin_export(tx: Tx, desk: Desk, body: ExportWanted) -> Created[Export]:
    """Have a file written; the token needs the right to read what is in it, too.

    With what is personal it needs the one to reveal it (``exchanges:reveal``). That it was asked for is
    audited.
    """
    _require(desk, body.kind, personal=body.personal)
    new = NewExport(kind=body.kind, format=body.format, personal=body.personal, who=desk.who)
    made = await jobs.create(tx, new)
    return Created(await show_export.handler(tx, desk, str(made)), f"/exports/{made}")


def _require(desk: Desk, kind: str, *, personal: bool) -> None:
    desk.require(f"{words.noun_of(kind)}:read")
    if personal:
        desk.require(REVEAL)


def _export(row: Row) -> Export:
    fields = {name: row[name] for name in Export.__struct_fields__ if name != "id"}
    return Export(id=str(row["id"]), **fields)
