"""The list of publishing rules, adding one after trying it, removing one."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from msgspec import structs

from entrepot.connections.flows import audit
from entrepot.console.stock.pages import channel_of
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.db import queries
from entrepot.decode import MOST
from entrepot.errors import BadInput
from entrepot.stock import published
from entrepot.stock.published import NewRule

if TYPE_CHECKING:
    from litestar import Response

    from entrepot.db import Tx

_q = queries("entrepot.console.stock")
_SAMPLE = 12


class _Undone(Exception):
    """Ends a transaction that only tried something, with what it found."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        super().__init__()
        self.rows = rows


@get("/publishing", "publish.edit")
async def rules(visit: Visit) -> Response[Any]:
    """Every rule in the order in which they are looked at; the last one that fits wins."""
    async with visit.reading() as tx:
        found = await published.list_rules(tx)
    return visit.show("publishing/list.html", rules=found)


@get("/publishing/new", "publish.edit")
async def new_page(visit: Visit) -> Response[Any]:
    """Ask what a new rule does to whom."""
    async with visit.reading() as tx:
        places = await tx.rows(_q.locations)
    choices = [(row["code"], f"{row['code']} {row['name']}".strip()) for row in places]
    return visit.show(
        "publishing/new.html", places=choices, connections=visit.connections(), tried=None
    )


@post("/publishing/new", "publish.edit")
async def new(visit: Visit) -> Response[Any]:
    """Add the rule, or show what it would change."""
    rule = _rule(visit)
    if visit.form.get("ask") == "try":
        return visit.show("publishing/tried.html", tried=await _tried(visit, rule))
    async with visit.transaction() as tx:
        rule_id = await published.add_rule(tx, rule)
        told = {k: v for k, v in structs.asdict(rule).items() if v not in (None, False, 0)}
        await audit(
            tx,
            visit.who,
            "publish rule add",
            str(rule_id),
            details={k: str(v) for k, v in told.items()},
        )
    return visit.go("/publishing", _("The rule holds. Channels are told what changed."))


@post("/publishing/{rule_id:int}/remove", "publish.edit")
async def remove(visit: Visit) -> Response[Any]:
    """Take a rule away."""
    async with visit.transaction() as tx:
        await published.remove_rule(tx, visit.path["rule_id"])
        await audit(tx, visit.who, "publish rule remove", str(visit.path["rule_id"]))
    return visit.go("/publishing", _("The rule is gone. Channels are told what changed."))


PAGES = [rules, new_page, new, remove]


async def _tried(visit: Visit, rule: NewRule) -> list[dict[str, Any]]:
    """Return what some articles' channels see now and would see; nothing is changed."""
    try:
        async with visit.transaction() as tx:
            await _compare(visit, tx, rule)
    except _Undone as undone:
        return undone.rows
    return []


async def _compare(visit: Visit, tx: Tx, rule: NewRule) -> None:
    articles = await _sample(tx, rule)
    before = await _seen(visit, tx, rule, articles)
    await published.add_rule(tx, rule)
    after = await _seen(visit, tx, rule, articles)
    raise _Undone(
        [
            {"sku": sku, "channel": name, "before": seen, "after": after[key][2]}
            for key, (sku, name, seen) in before.items()
        ]
    )


async def _sample(tx: Tx, rule: NewRule) -> dict[int, str]:
    if rule.sku is not None:
        article_id = await tx.value(_q.article_by_sku, rule.sku)
        return {} if article_id is None else {article_id: rule.sku}
    return {row["id"]: row["sku"] for row in await tx.rows(_q.page, "", "\U0010ffff", "", _SAMPLE)}


async def _seen(
    visit: Visit, tx: Tx, rule: NewRule, articles: dict[int, str]
) -> dict[tuple[int, int], tuple[str, str, str]]:
    """Return (SKU, channel, figures) by (article, connection)."""
    found: dict[tuple[int, int], tuple[str, str, str]] = {}
    for known in visit.hub.registry.of(visit.seat.tenant_id):
        partner = known.partner
        if not known.role.levels(partner.settings) or rule.connection_id not in (None, partner.id):
            continue
        figures = await published.figures(tx, channel_of(known), list(articles))
        for article_id, figure in figures.items():
            places = "".join(f" · {code} {n}" for code, n in figure.by_location.items())
            found[article_id, partner.id] = (
                articles[article_id],
                partner.name,
                f"{figure.total}{places}",
            )
    return found


def _rule(visit: Visit) -> NewRule:
    form = visit.form
    connection = None
    if name := form.get("connection"):
        connection = visit.hub.registry.named(visit.seat.tenant_id, name).partner.id
    places = tuple(code.strip() for code in form.get("locations", "").split(",") if code.strip())
    kind = form.get("kind", "share")
    return NewRule(
        connection_id=connection,
        location=form.get("location") or None,
        sku=form.get("sku", "").strip() or None,
        locations=places or None,
        ratio=_percent(form.get("percent", "")) if kind == "share" else Decimal(1),
        buffer=_whole(form.get("buffer", "")) or 0,
        minimum=_whole(form.get("minimum", "")),
        maximum=_whole(form.get("maximum", "")),
        fixed=_whole(form.get("fixed", "")) if kind == "fixed" else None,
        stop=kind == "stop",
    )


def _whole(text: str) -> int | None:
    plain = text.strip()
    if not plain:
        return None
    if not plain.isascii() or not plain.isdigit() or int(plain) > MOST:
        raise BadInput("pieces_unclear", "A number of pieces, 0 or more.")
    return int(plain)


def _percent(text: str) -> Decimal:
    try:
        share = Decimal(text.strip() or "100")
    except InvalidOperation as error:
        raise BadInput("percent_unclear", "A percentage from 0 to 10,000.") from error
    if not share.is_finite() or not 0 <= share <= 10_000:
        raise BadInput("percent_unclear", "A percentage from 0 to 10,000.")
    return share / 100
