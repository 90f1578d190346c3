"""Imports: a file is announced, sent in parts, started; its result is kept for 30 days."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from entrepot.api import paging, words
from entrepot.api.desk import Desk
from entrepot.api.operation import Created, reads, writes
from entrepot.api.paging import Number, Page, Paged
from entrepot.api.words import Body, Code, Id
from entrepot.db import Row, Tx
from entrepot.errors import BadInput, Missing
from entrepot.imports import flows, jobs
from entrepot.imports.jobs import Format, NewJob

PartNumber = Annotated[int, Meta(ge=1, le=1000)]


class ColumnShown(Struct, frozen=True, kw_only=True):
    """A column of a file, and what may stand in it."""

    name: str
    required: bool
    example: str


class KindShown(Struct, frozen=True, kw_only=True):
    """A kind of file, and its columns."""

    name: str
    columns: list[ColumnShown]


class Kinds(Struct, frozen=True, kw_only=True):
    """Every kind of file that can be brought in."""

    kinds: list[KindShown]


class Import(Struct, frozen=True, kw_only=True):
    """A file; ``taken`` and ``left_out`` count its rows, ``problem`` is why it could not be read at all."""

    id: str
    kind: str
    format: Format
    dry_run: bool
    who: str
    state: Literal["uploading", "waiting", "done", "failed"]
    progress: float
    taken: int
    left_out: int
    problem: str
    created_at: datetime
    finished_at: datetime | None


class NewImport(Body, frozen=True, kw_only=True):
    """A file that is going to be sent; a dry run checks everything and changes nothing."""

    kind: Code
    format: Format = "csv"
    dry_run: bool = False


@reads("/imports/kinds", "imports")
async def list_import_kinds(tx: Tx, desk: Desk) -> Kinds:
    """List the kinds of files, with their columns."""
    del tx, desk
    return Kinds(
        kinds=[
            KindShown(
                name=name,
                columns=[
                    ColumnShown(name=c.name, required=c.required, example=c.example)
                    for c in kind.columns
                ],
            )
            for name, kind in flows.KINDS.items()
        ]
    )


@reads("/imports", "imports")
async def list_imports(tx: Tx, desk: Desk, query: Paged) -> Page[Import]:
    """List files, newest first."""
    del desk
    (before,) = paging.start(query, tuple[Number]) or (None,)
    found = await jobs.listed(tx, before=before, limit=query.limit + 1)
    return paging.page(found, query, lambda row: (row["id"],), _import)


@reads("/imports/{id}", "imports", tagged=True)
async def show_import(tx: Tx, desk: Desk, id: Id) -> Import:  # noqa: A002 - the path's word
    """Show how far a file has come, and what came of it."""
    del desk
    found = await jobs.listed(tx, job_id=words.number(id, "import"))
    if not found:
        raise words.missing("import", id)
    return _import(found[0])


@reads("/imports/{id}/errors", "imports")
async def download_import_errors(tx: Tx, desk: Desk, id: Id) -> bytes:  # noqa: A002
    """Return the rows that were left out as CSV, each with why: correct it and bring it in."""
    del desk
    found = await jobs.errors(tx, words.number(id, "import"))
    if found is None:
        raise Missing("no_errors", "Nothing was left out, or there is no such import.")
    return found


@writes("POST", "/imports", "imports", status=201)
async def begin_import(tx: Tx, desk: Desk, body: NewImport) -> Created[Import]:
    """Announce a file; the token needs the right to write what is in it, too."""
    desk.require(f"{words.noun_of(body.kind)}:write")
    new = NewJob(kind=body.kind, format=body.format, dry_run=body.dry_run, who=desk.who)
    made = await jobs.create(tx, new)
    return Created(await show_import.handler(tx, desk, str(made)), f"/imports/{made}")


@writes("PUT", "/imports/{id}/parts/{part}", "imports")
async def send_import_part(tx: Tx, desk: Desk, id: Id, part: PartNumber, body: bytes) -> Import:  # noqa: A002
    """Send a part of a file, its bytes as they are; parts count from 1 and may be sent again."""
    if not body:
        raise BadInput("empty_part", "A part has at least one byte.")
    await jobs.put(tx, words.number(id, "import"), part, body)
    shown: Import = await show_import.handler(tx, desk, id)
    return shown


@writes("POST", "/imports/{id}/run", "imports", status=202)
async def run_import(tx: Tx, desk: Desk, id: Id) -> Import:  # noqa: A002 - the path's word
    """Have a file brought in, once all of its parts are there; it goes on by itself."""
    await jobs.start(tx, words.number(id, "import"))
    shown: Import = await show_import.handler(tx, desk, id)
    return shown


def _import(row: Row) -> Import:
    fields = {name: row[name] for name in Import.__struct_fields__ if name != "id"}
    return Import(id=str(row["id"]), **fields)
