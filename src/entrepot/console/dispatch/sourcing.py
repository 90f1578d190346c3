"""How outlets are chosen: the rules, what texts of refusals mean for stock, and a rehearsal of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from entrepot import decode
from entrepot.connections.flows import audit
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import N_, _
from entrepot.decode import MOST
from entrepot.dispatch import explaining, outlets
from entrepot.dispatch.explaining import Rehearsal
from entrepot.dispatch.outlets import EFFECTS
from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar import Response

_WORDS: Mapping[str, str] = {
    "unchanged": N_("Says nothing of the stock"),
    "empty": N_("None of it is there"),
    "unsellable": N_("What was asked for cannot be sold"),
}
_RULES: Mapping[str, str] = {
    "group": N_("Only outlets of these groups"),
    "paused": N_("Nobody who is paused"),
    "capacity": N_("Nobody who has as many notes as it takes a day"),
    "depth": N_("Each keeps some pieces for itself"),
    "minimum": N_("A part must be worth sending"),
    "single": N_("All from one outlet, if one has all of it"),
    "fewest": N_("Else from as few outlets as possible"),
    "city": N_("The receiver's city first"),
    "province": N_("The receiver's province first"),
    "priority": N_("The lower priority first"),
    "stock": N_("Who has more of it first"),
}
_LONGEST = 200


@get("/sourcing", "orders.see")
async def sourcing(visit: Visit) -> Response[Any]:
    """The rules in their order, and what each partner's texts of refusals mean."""
    served = [c.partner for c in visit.hub.registry.of(visit.seat.tenant_id)]
    async with visit.reading() as tx:
        rules = await outlets.rules(tx)
        texts = {partner.name: await outlets.reasons(tx, partner.id) for partner in served}
    known = [
        (name, text, _(_WORDS[effect]))
        for name, effects in sorted(texts.items())
        for text, effect in effects.items()
    ]
    lines = [msgspec.json.encode(rule).decode() for rule in rules]
    return visit.show(
        "dispatch/sourcing.html",
        rules=[(_(_RULES[rule["kind"]]), _plainly(rule)) for rule in rules],
        written="[\n  " + ",\n  ".join(lines) + "\n]",
        known=known,
        connections=visit.connections(),
        effects=[(effect, _(_WORDS[effect])) for effect in EFFECTS],
    )


@post("/sourcing/rules", "dispatch.act")
async def save_rules(visit: Visit) -> Response[Any]:
    """Replace the rules; none at all is the default."""
    text = visit.form.get("rules", "").strip() or "[]"
    try:
        rules = msgspec.json.decode(text, type=list[dict[str, Any]])
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadInput("rules_unclear", f"Not a list of rules: {error}", path="rules") from error
    async with visit.transaction() as tx:
        await outlets.set_rules(tx, rules)
        await audit(tx, visit.who, "sourcing set", "", details={"rules": text[:2000]})
    return visit.go("/sourcing", _("Outlets are chosen by these rules from now on."))


@post("/sourcing/reasons", "dispatch.act")
async def save_reason(visit: Visit) -> Response[Any]:
    """Say what a text of refusals means for the outlet's stock."""
    form = visit.form
    text, effect = form.get("text", "").strip(), form.get("effect", "")
    if not text or len(text) > _LONGEST or not decode.storable(text) or effect not in EFFECTS:
        raise BadInput("text_missing", "A text, and what it means.", path="text")
    known = visit.hub.registry.named(visit.seat.tenant_id, form.get("connection", ""))
    async with visit.transaction() as tx:
        await outlets.set_reasons(tx, known.partner.id, {text: effect})
        details = {"text": text, "effect": effect}
        await audit(tx, visit.who, "refusal reason set", known.partner.name, details=details)
    return visit.go("/sourcing", _("The text is known from now on."))


@post("/sourcing/try", "orders.see")
async def rehearse(visit: Visit) -> Response[Any]:
    """Choose outlets for goods that nobody has ordered; nothing is reserved."""
    form = visit.form
    province, city, shop = (form.get(name, "").strip() for name in ("province", "city", "shop"))
    if not province or not decode.storable(province + city + shop):
        raise BadInput("region_missing", "Say where the goods go.", path="province")
    wanted = Rehearsal(goods=_goods(form.get("goods", "")), province=province, city=city, shop=shop)
    async with visit.reading() as tx:
        found = await explaining.rehearse(tx, wanted)
    return visit.show("dispatch/tried.html", found=found)


PAGES = [sourcing, save_rules, save_reason, rehearse]


def _plainly(rule: Mapping[str, Any]) -> str:
    """Return a rule as it is written, without the marks of JSON: ``depth pieces 2``."""
    settings = (f"{name} {_value(value)}" for name, value in rule.items() if name != "kind")
    return f"{rule['kind']} {', '.join(settings)}".strip()


def _value(value: object) -> str:
    return " ".join(str(one) for one in value) if isinstance(value, list) else str(value)


def _goods(text: str) -> dict[str, int]:
    """Read ``SKU quantity`` a line; raises BadInput naming the line."""
    goods: dict[str, int] = {}
    for count, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        sku, qty = words[0], words[-1] if len(words) > 1 else "1"
        if (
            not decode.storable(sku)
            or not qty.isascii()
            or not qty.isdigit()
            or not 1 <= int(qty) <= MOST
        ):
            raise BadInput(
                "line_unclear", f"Line {count} has no quantity.", path="goods", line=count
            )
        goods[sku] = min(MOST, goods.get(sku, 0) + int(qty))
    if not goods:
        raise BadInput("lines_missing", "Name at least one article.", path="goods")
    return goods
