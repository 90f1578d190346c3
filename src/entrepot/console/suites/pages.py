"""The list of suites, and the editor with its preview of the price split."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from msgspec import Struct, structs

from entrepot import decode
from entrepot.catalogue import rules, suites
from entrepot.catalogue.rules import AUTOMATIC, PriceLine
from entrepot.connections.flows import audit
from entrepot.console import lists
from entrepot.console.timeline import timeline
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.db import queries
from entrepot.errors import BadInput, Missing, Refused
from entrepot.facts import Suite, SuitePart
from entrepot.money import ZERO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar import Response

    from entrepot.catalogue.suites import Shown
    from entrepot.console.timeline import Event

_q = queries(__package__)
_SPARE_ROWS = 3
_TEXTS = ("name", "unit", "short_name", "barcode", "class_name", "brand_name", "remark", "label")
_MOST = Decimal("1e12")


class Row(Struct, kw_only=True):
    """One part as the editor shows it; ``how`` is amount, ratio or fixed."""

    sku: str = ""
    num: str = ""
    how: str = "amount"
    value: str = ""


@get("/suites", "orders.see")
async def suite_list(visit: Visit) -> Response[Any]:
    """Suites in the order of their SKU."""
    text, after = visit.query["q"].strip(), visit.query["before"]
    rows: Sequence[Any] = []
    if decode.storable(text + after):
        async with visit.reading() as tx:
            rows = await tx.rows(_q.page, *lists.prefix_span(text), after, lists.SIZE + 1)
    page = lists.page(rows, lambda row: row["sku"], before=after)
    return visit.show("suites/list.html", page=page)


@get("/suites/new", "suites.edit")
async def new_page(visit: Visit) -> Response[Any]:
    """An empty editor."""
    return await _editor(visit, None)


@get("/suites/{suite_id:int}", "orders.see")
async def suite(visit: Visit) -> Response[Any]:
    """One suite: the editor for those who may, else its content."""
    async with visit.reading() as tx:
        shown = await _shown(visit)
        limit = await suites.availability(tx, shown.id)
        events = await timeline(visit, tx, numbers=[shown.suite.sku], changes=True)
    if visit.seat.may("suites.edit"):
        return await _editor(visit, shown, limit, events)
    return visit.show("suites/suite.html", shown=shown, limit=limit, events=events)


@post("/suites/preview", "suites.edit")
async def preview(visit: Visit) -> Response[Any]:
    """How the price as typed falls on the parts as typed."""
    parts = _parts(visit)
    price = _decimal(visit.form.get("retail_price", ""), "retail_price")
    known = await _known(visit, [part.sku for part in parts])
    lines = [
        PriceLine(
            num=part.num, is_fixed_price=part.is_fixed_price, fixed_price=part.fixed_price,
            ratio=part.ratio, retail_price=known[part.sku]["retail_price"] if part.sku in known else ZERO,
        )
        for part in parts
    ]  # fmt: skip
    amounts = rules.split(price, lines) if lines else []
    rows = [
        {"sku": part.sku, "num": part.num, "amount": amount, "known": known.get(part.sku)}
        for part, amount in zip(parts, amounts, strict=True)
    ]
    return visit.show("suites/split.html", rows=rows, price=price)


@post("/suites/save", "suites.edit")
async def save(visit: Visit) -> Response[Any]:
    """Make or replace a suite as a whole; partners who keep suites are told."""
    form = visit.form
    sku = form.get("sku", "").strip()
    if not sku or not decode.storable(sku):
        raise BadInput("sku_missing", "A suite needs a SKU.", path="sku")
    old = await _old(visit, sku)
    if old is not None and not form.get("known"):
        raise BadInput("suite_exists", f"There is a suite {sku} already.", path="sku", sku=sku)
    wanted = structs.replace(
        old or Suite(sku=sku, name="", parts=()),
        **{name: form.get(name, "").strip() for name in _TEXTS},
        parts=_parts(visit),
        print_mode=int(form.get("print_mode", "0") or "0"),
        retail_price=_decimal(form.get("retail_price", ""), "retail_price"),
    )
    await visit.do(suites.replace, wanted)
    async with visit.transaction() as tx:
        await audit(tx, visit.who, "suite save", sku, details={"parts": len(wanted.parts)})
        shown = await suites.named(tx, sku)
    return visit.go(f"/suites/{shown.id}", _("The suite %(sku)s is saved.") % {"sku": sku})


PAGES = [suite_list, new_page, suite, preview, save]


async def _shown(visit: Visit) -> Shown:
    async with visit.reading() as tx:
        try:
            (found,) = await suites.show(tx, [visit.path["suite_id"]])
        except KeyError as error:
            raise Missing("unknown_suite", "There is no such suite.") from error
    return found


async def _old(visit: Visit, sku: str) -> Suite | None:
    async with visit.reading() as tx:
        try:
            return (await suites.named(tx, sku)).suite
        except Refused:
            return None


async def _known(visit: Visit, skus: Sequence[str]) -> dict[str, Any]:
    async with visit.reading() as tx:
        return {row["sku"]: row for row in await tx.rows(_q.prices, list(skus))}


async def _editor(
    visit: Visit, shown: Shown | None, limit: Any = None, events: Sequence[Event] = ()
) -> Response[Any]:
    async with visit.reading() as tx:
        labels = await suites.labels(tx)
    rows = [_row(part) for part in shown.suite.parts] if shown else []
    rows += [Row() for _spare in range(_SPARE_ROWS)]
    content = shown.suite if shown else Suite(sku="", name="", parts=())
    return visit.show(
        "suites/editor.html", shown=shown, suite=content, rows=rows, labels=labels, limit=limit,
        events=events,
    )  # fmt: skip


def _row(part: SuitePart) -> Row:
    how, value = "amount", ""
    if part.is_fixed_price:
        how = "fixed"
        value = "" if part.fixed_price == AUTOMATIC else f"{part.fixed_price.normalize():f}"
    elif part.ratio != AUTOMATIC:
        how, value = "ratio", f"{(part.ratio * 100).normalize():f}"
    return Row(sku=part.sku, num=f"{part.num.normalize():f}", how=how, value=value)


def _parts(visit: Visit) -> tuple[SuitePart, ...]:
    """Read the editor's rows; empty ones are passed over."""
    parts = []
    numbers = sorted(
        int(name[4:]) for name in visit.form if name.startswith("sku-") and name[4:].isdigit()
    )
    for at in numbers:
        sku = visit.form[f"sku-{at}"].strip()
        if not sku:
            continue
        how, value = (
            visit.form.get(f"how-{at}", "amount"),
            visit.form.get(f"value-{at}", "").strip(),
        )
        num = _decimal(visit.form.get(f"num-{at}", "") or "1", f"num-{at}")
        fixed = ratio = AUTOMATIC
        if value and how == "fixed":
            fixed = _decimal(value, f"value-{at}")
        if value and how == "ratio":
            ratio = _decimal(value, f"value-{at}") / 100
        parts.append(
            SuitePart(
                sku=sku, num=num, is_fixed_price=how == "fixed", fixed_price=fixed, ratio=ratio
            )
        )
    return tuple(parts)


def _decimal(text: str, field: str) -> Decimal:
    try:
        value = Decimal(text.strip() or "0")
    except InvalidOperation as error:
        raise BadInput("amount_unclear", "An amount, 0 or more.", path=field) from error
    if not value.is_finite() or not 0 <= value < _MOST:
        raise BadInput("amount_unclear", "An amount, 0 or more.", path=field)
    return value
