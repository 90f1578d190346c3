"""Bringing a file in: templates, a dry run, what was left out and why."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from litestar import Response

from entrepot.connections.flows import audit
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import N_, _
from entrepot.errors import BadInput, Missing
from entrepot.imports import flows

if TYPE_CHECKING:
    from collections.abc import Sequence

_WORDS = {
    "articles": N_("Articles"),
    "suites": N_("Suites"),
    "listings": N_("Listings"),
    "stock": N_("Stock"),
    "outlets": N_("Outlets"),
    "pieces": N_("Piece codes"),
    "orders": N_("Orders"),
}
_SHOWN = 100
_MOST_ERRORS = 4 * 1024 * 1024


@get("/imports", "orders.act")
async def imports(visit: Visit) -> Response[Any]:
    """The form, with what each kind of file looks like."""
    kinds = [
        {"name": name, "word": _(_WORDS.get(name, name)), "template": flows.template(kind)}
        for name, kind in flows.KINDS.items()
    ]
    return visit.show("imports/form.html", kinds=kinds)


@get("/imports/{kind:str}/template.csv", "orders.act")
async def template(visit: Visit) -> Response[Any]:
    """An empty file of a kind, with one row as an example."""
    if visit.path["kind"] not in flows.KINDS:
        raise Missing("no_page", _("There is no such page."))
    header, example = flows.template(flows.KINDS[visit.path["kind"]])
    name = f"{visit.path['kind']}.csv"
    return Response(
        content=f"\ufeff{header}\r\n{example}\r\n".encode(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@post("/imports", "orders.act")
async def bring_in(visit: Visit) -> Response[Any]:
    """Bring a file in, or only say what would come of it."""
    kind = flows.KINDS.get(visit.form.get("kind", ""))
    file = visit.files.get("file")
    if kind is None or file is None or not file.filename:
        raise BadInput("file_missing", "Choose a file.", path="file")
    dry_run = visit.form.get("dry_run") == "1"
    name = Path(file.filename).name
    folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="entrepot-import-"))
    try:
        path = folder / f"file{Path(name).suffix.lower()}"
        await asyncio.to_thread(path.write_bytes, await file.read())
        result = await flows.run(
            *(visit.hub.db, visit.seat.tenant_id, kind, path),
            dialects=visit.hub.dialects,
            who=visit.who,
            dry_run=dry_run,
        )
        errors = await asyncio.to_thread(Path(result.errors).read_bytes) if result.errors else b""
    finally:
        await asyncio.to_thread(shutil.rmtree, folder)
    if not dry_run:
        async with visit.transaction() as tx:
            details = {"kind": kind.name, "taken": result.taken, "left out": result.left_out}
            await audit(tx, visit.who, "import", name, details=details)
    response = visit.show(
        "imports/result.html",
        name=name,
        result=result,
        dry_run=dry_run,
        wrong=_first(errors),
        download=base64.b64encode(errors[:_MOST_ERRORS]).decode(),
    )
    response.headers |= {"hx-retarget": "#main", "hx-reselect": "#main", "hx-reswap": "outerHTML"}
    return response


PAGES = [imports, template, bring_in]


def _first(errors: bytes) -> Sequence[Sequence[str]]:
    """Return the header and the first rows of an errors file."""
    rows = csv.reader(io.StringIO(errors.decode("utf-8-sig", "replace")))
    return [row for _at, row in zip(range(_SHOWN + 1), rows, strict=False)]
