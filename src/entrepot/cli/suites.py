"""Suites: what they hold, how many there are, how a price falls on their parts."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer

from entrepot.catalogue import preview, suites
from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.errors import BadInput, Refused
from entrepot.facts import Suite
from entrepot.money import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from entrepot.catalogue.preview import Change
    from entrepot.db import Tx

T = TypeVar("T")
app = typer.Typer()
_PAGE = 500


@app.command()
@at_desk
async def split(desk: Desk, suite: str, price: str, *, as_json: Json = False) -> None:
    """Show how the price of one suite falls on its parts; the amounts add up to it."""
    amount = _amount(price)
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        shares = await suites.split(tx, suite, amount)
    rows = [{"sku": s.sku, "qty": plain(s.qty), "amount": plain(s.amount)} for s in shares]
    if as_json:
        show.as_json(rows)
        return
    show.table(("sku", "qty", "amount"), ([*row.values()] for row in rows), empty="")


@app.command("list")
@at_desk
async def list_(desk: Desk, *, as_json: Json = False) -> None:
    """List all suites in the order in which they changed."""
    rows: list[dict[str, object]] = []
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        while True:
            question = suites.Search(offset=len(rows), limit=_PAGE)
            (page,) = await suites.search(tx, [question])
            rows += [_line(shown) for shown in page.suites]
            if len(page.suites) < _PAGE:
                break
    if as_json:
        show.as_json(rows)
        return
    empty = "No suites yet. Let a partner push them, or: entrepot suites save FILE.json"
    show.table(("sku", "name", "number", "parts"), ([*row.values()] for row in rows), empty=empty)


@app.command("show")
@at_desk
async def show_(desk: Desk, suite: str, *, as_json: Json = False) -> None:
    """Show a suite: its head, its parts, how many there are, and the part of which there is least."""
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        shown = await suites.named(tx, suite)
        limit = await suites.availability(tx, shown.id)
    if as_json:
        found = {"number": shown.number, "available": limit.available, "limited_by": limit.part}
        show.as_json({**found, **msgspec.to_builtins(shown.suite, builtin_types=(Decimal,))})
        return
    show.say(f"{suite} {shown.suite.name}: {limit.available} available, limited by {limit.part}.")
    columns = ("sku", "num", "is_fixed_price", "fixed_price", "ratio", "retail_price")
    rows = ([_cell(getattr(part, name)) for name in columns] for part in shown.parts)
    show.table(columns, rows, empty="")


@app.command()
@at_desk
async def save(
    desk: Desk,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and change nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Create or replace suites from a JSON array of {sku, name, parts: [{sku, num, ...}], ...}.

    All of them or none. With --json (and --dry-run) what would change is printed for programs.
    """
    try:
        wanted = msgspec.json.decode(file.read_bytes(), type=list[Suite])
    except msgspec.DecodeError as error:
        raise BadInput("bad_file", f"{file}: {error}") from error
    if dry_run:
        async with desk.hub.db.reading(desk.tenant_id) as tx:
            _preview(_good(wanted, await preview.preview(tx, wanted)), as_json=as_json)
        return

    async def replace(tx: Tx) -> None:
        _good(wanted, await suites.replace(tx, wanted))

    await desk.run(replace)
    if as_json:
        show.as_json({"saved": len(wanted)})
        return
    show.say(f"{len(wanted)} suites saved.")


@app.command()
@at_desk
async def labels(
    desk: Desk,
    names: Annotated[list[str] | None, typer.Argument(metavar="NAME…", show_default=False)] = None,
    *,
    as_json: Json = False,
) -> None:
    """List the labels that suites may bear; names given are added to them."""

    async def add(tx: Tx) -> Sequence[str]:
        return await suites.add_labels(tx, names or ())

    known = await desk.run(add)
    if as_json:
        show.as_json(known)
        return
    show.table(("label",), ([name] for name in known), empty="No labels yet.")


def _good(wanted: Sequence[Suite], outcomes: Sequence[T | Refused]) -> list[T]:
    """Return the outcomes where none is a refusal; raises BadInput that names every suite at fault."""
    pairs = list(zip(wanted, outcomes, strict=True))
    if said := [f"{suite.sku}: {o.text}" for suite, o in pairs if isinstance(o, Refused)]:
        raise BadInput("bad_suites", "\n".join(said))
    return [outcome for outcome in outcomes if not isinstance(outcome, Refused)]


def _preview(changes: Sequence[Change], *, as_json: bool) -> None:
    if as_json:
        show.as_json(msgspec.to_builtins(changes, builtin_types=(Decimal,)))
        return
    rows = [
        (one.sku, one.kind, field.name, _shown(field.before), _shown(field.after))
        for one in changes
        for field in one.fields
    ]
    show.table(("sku", "is", "field", "before", "after"), rows, empty="Nothing would change.")
    kinds = Counter(one.kind for one in changes)
    told = f"{kinds['new']} new, {kinds['changed']} changed, {kinds['same']} the same"
    show.say(f"{told}; nothing is saved yet.")


def _shown(value: object) -> object:
    if isinstance(value, list | tuple):
        return tuple(map(_shown, value))
    return _cell(value)


def _line(shown: suites.Shown) -> dict[str, object]:
    parts = [f"{plain(part.num)} × {part.sku}" for part in shown.parts]
    suite = shown.suite
    return {"sku": suite.sku, "name": suite.name, "number": shown.number, "parts": parts}


def _cell(value: object) -> object:
    return plain(value) if isinstance(value, Decimal) else value


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
        sane = 0 <= amount < 10**15 and amount == round(amount, 4)
    except InvalidOperation:
        sane = False
    if not sane:
        raise BadInput("bad_price", f"PRICE {text}: an amount, at least 0, at most 4 decimals.")
    return amount
