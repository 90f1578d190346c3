"""Stock: what is there and promised, and counting it."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Annotated

import typer

from entrepot.catalogue import flows as catalogue
from entrepot.cli.terminal import show
from entrepot.cli.terminal.desk import Desk, Json, at_desk
from entrepot.decode import MOST
from entrepot.errors import BadInput, Conflict, Missing
from entrepot.stock import flows, published, views

if TYPE_CHECKING:
    from entrepot.db import Tx

app = typer.Typer()


@app.command()
@at_desk
async def get(desk: Desk, skus: list[str], *, as_json: Json = False) -> None:
    """Show the stock of SKUs at every location; available = on hand - reserved - safety."""
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        rows = await views.standing(tx, skus)
    if as_json:
        show.as_json(rows)
        return
    columns = views.Standing.__struct_fields__
    show.table(
        columns,
        ([getattr(row, column) for column in columns] for row in rows),
        empty="Never stocked. Count it in: entrepot stock set SKU LOCATION QTY",
    )


@app.command("set")
@at_desk
async def set_(
    desk: Desk,
    sku: str,
    location: str,
    qty: Annotated[int, typer.Argument(min=0, max=MOST)],
    *,
    weight: Annotated[
        str | None, typer.Option(help="Grams of all pieces; default: the weight per piece stays.")
    ] = None,
) -> None:
    """Take stock: set what lies there; the ledger gets the difference. May go below what is reserved."""
    grams = None if weight is None else _grams(weight)

    async def count(tx: Tx) -> None:
        article = (await catalogue.found_by_sku(tx, [sku])).get(sku)
        if article is None:
            raise Missing("unknown_article", f"There is no article {sku}.")
        if article.kind == "suite":
            text = f"{sku} is a suite: it has no stock of its own, count its parts."
            raise Conflict("suite_not_stocked", text)
        places = await flows.known_locations(tx, [location])
        if location not in places:
            text = f"There is no location {location}. Bring it in: entrepot import outlets FILE.csv"
            raise Missing("unknown_location", text)
        found = flows.Count(
            article_id=article.id,
            location_id=places[location],
            on_hand=qty,
            weight=grams,
            who=desk.who,
        )
        await flows.count(tx, [found])

    await desk.run(count)
    show.say(f"{sku} at {location}: {qty} on hand.")


@app.command()
@at_desk
async def explain(desk: Desk, sku: str, connection: str, *, as_json: Json = False) -> None:
    """Explain what a connection's channel sees of a SKU, and by which rule."""
    found = desk.hub.registry.named(desk.tenant_id, connection)
    settings = found.partner.settings
    channel = published.Channel(
        connection_id=found.partner.id,
        locations=found.role.level_locations(settings),
        stores=found.role.level_stores(settings),
    )
    async with desk.hub.db.reading(desk.tenant_id) as tx:
        articles = await catalogue.by_sku(tx, [sku])
        if sku not in articles:
            raise Missing("unknown_article", f"There is no article {sku}.")
        steps = await published.explained(tx, channel, articles[sku])
    if as_json:
        show.as_json(steps)
        return
    show.table(
        ("location", "available", "by rule", "published"),
        ((s.location or "total", s.available, s.rule or "-", s.published) for s in steps),
        empty="Nothing is published.",
    )


def _grams(text: str) -> Decimal:
    try:
        grams = Decimal(text)
        sane = 0 <= grams < 10**15 and grams == round(grams, 4)
    except InvalidOperation:
        sane = False
    if not sane:
        raise BadInput("bad_weight", f"--weight {text}: grams, at least 0, at most 4 decimals.")
    return grams
