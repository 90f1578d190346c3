"""The list of connections, one of them, making and changing them, the page for the partner's developer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import structs

from entrepot import clock
from entrepot.connections import flows
from entrepot.connections.flows import NewConnection
from entrepot.connections.rules import SECRET, hidden
from entrepot.console.connections import developer, probe
from entrepot.console.connections.health import health
from entrepot.console.exchanges.pages import find as find_exchanges
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.courier import desk
from entrepot.db import queries
from entrepot.dialect import PARTNER_BEARER
from entrepot.errors import BadInput, Missing

if TYPE_CHECKING:
    from litestar import Response

    from entrepot.connections.rules import Connection
    from entrepot.dialect import Role

_q = queries(__package__)
_SENDING = ("timeout", "schedule", "deadline", "rate", "concurrency", "breaker")
_ACCESS = ("allow_ips", "rotation_overlap")


@get("/connections", "connections.see")
async def connections(visit: Visit) -> Response[Any]:
    """Every connection with its traffic light."""
    async with visit.reading() as tx:
        rows = [health(row) for row in await tx.rows(_q.health, None)]
    labels = {name: dialect.label for name, dialect in visit.hub.dialects.items()}
    return visit.show("connections/list.html", rows=rows, labels=labels)


@get("/connections/new", "connections.edit")
async def new_page(visit: Visit) -> Response[Any]:
    """Ask what a new connection is to be."""
    dialects = sorted(visit.hub.dialects.values(), key=lambda dialect: dialect.name)
    choices = [
        (f"{dialect.name}/{role}", f"{dialect.label} · {role}")
        for dialect in dialects
        for role in dialect.roles
    ]
    return visit.show("connections/new.html", choices=choices)


@post("/connections/new", "connections.edit")
async def new(visit: Visit) -> Response[Any]:
    """Make a connection with a fresh key."""
    dialect, _slash, role = visit.form.get("kind", "").partition("/")
    name = visit.form.get("name", "").strip()
    if not name or "/" in name:
        raise BadInput("name_missing", "A connection needs a name.", path="name")
    wanted = NewConnection(
        name=name, dialect=dialect, role=role,
        partner_url=visit.form.get("partner_url", "").strip() or None,
    )  # fmt: skip
    hub = visit.hub
    async with visit.transaction() as tx:
        made = await flows.add(tx, hub.vault, hub.dialects, wanted, who=visit.who)
    await hub.registry.load()
    return visit.go(
        f"/connections/{made}/developer",
        _("The connection is made. This is what the partner needs."),
    )


@get("/connections/{connection_id:int}", "connections.see")
async def connection(visit: Visit) -> Response[Any]:
    """One connection: how it fares, its settings, who changed them."""
    known = known_to(visit)
    partner = known.partner
    async with visit.reading() as tx:
        row = await tx.row(_q.health, partner.id)
        if row is None:
            raise _missing()
        changes = await tx.rows(_q.changes, partner.name)
        listings = await tx.value(_q.listings, partner.id)
        recent = await find_exchanges(visit, tx, 8, connection=partner.id)
    return visit.show(
        "connections/connection.html",
        c=health(row),
        partner=partner,
        dialect=visit.hub.dialects[partner.dialect],
        groups=_settings(known),
        changes=changes,
        listings=listings,
        recent=recent,
        tells_levels=known.role.levels(partner.settings) > 0,
    )


@get("/connections/{connection_id:int}/settings", "connections.edit")
async def settings_page(visit: Visit) -> Response[Any]:
    """The form of every setting, what is not set showing its default."""
    known = known_to(visit)
    has_bearer = "bearer" in known.partner.secrets
    return visit.show(
        "connections/settings.html",
        partner=known.partner, groups=_settings(known), has_bearer=has_bearer,
        has_token=bool(known.partner.token),
    )  # fmt: skip


@post("/connections/{connection_id:int}/settings", "connections.edit")
async def settings(visit: Visit) -> Response[Any]:
    """Change what differs."""
    known = known_to(visit)
    partner = known.partner
    now = {s["name"]: s["value"] for group in _settings(known) for s in group[1]}
    now["partner_url"] = hidden(partner.partner_url or "")
    given = {name: value.strip() for name, value in visit.form.items() if not name.startswith("_")}
    changes = {name: value for name, value in given.items() if name in now and value != now[name]}
    changes |= {name: given[name] for name in ("bearer", PARTNER_BEARER) if given.get(name)}
    if changes:
        await _change(visit, changes)
    said = _("The settings are saved.") if changes else _("Nothing was changed.")
    return visit.go(f"/connections/{partner.id}", said)


@post(
    "/connections/{connection_id:int}/{act:pause|resume|rotate|test|levels|all-levels}",
    "connections.edit",
)
async def act(visit: Visit) -> Response[Any]:
    """Pause, resume, rotate, test, or send levels now."""
    partner, what = known_to(visit).partner, visit.path["act"]
    if what in ("pause", "resume"):
        await _change(visit, {"paused": "on" if what == "pause" else "off"})
        said = _("It is paused.") if what == "pause" else _("It is resumed.")
    elif what == "rotate":
        await _change(visit, {}, rotate=True)
        return visit.go(
            f"/connections/{partner.id}/developer",
            _("There is a new key. The old one stays valid for %(span)s.")
            % {"span": partner.settings.rotation_overlap},
        )
    elif what == "test":
        found = await probe.probe(visit.hub, partner)
        return visit.back(found.said, bad=not found.good, otherwise=f"/connections/{partner.id}")
    else:
        tenant_id = visit.seat.tenant_id
        await desk.send_levels(visit.hub.db, tenant_id, partner.id, full=what == "all-levels")
        said = _("The levels are on their way.")
    return visit.back(said, otherwise=f"/connections/{partner.id}")


@get("/connections/{connection_id:int}/rotate", "connections.edit")
async def rotate_page(visit: Visit) -> Response[Any]:
    """Ask before the key is renewed."""
    return visit.show("connections/rotate.html", partner=known_to(visit).partner)


@get("/connections/{connection_id:int}/developer", "connections.see")
async def developer_page(visit: Visit) -> Response[Any]:
    """What a partner's developer needs: address, credentials, every call with an example, a live log."""
    known = known_to(visit)
    async with visit.reading() as tx:
        recent = await find_exchanges(visit, tx, 15, connection=known.partner.id)
    shown = visit.seat.may("secrets.see") and visit.query["secrets"] == "1"
    if shown:
        async with visit.transaction() as tx:
            await flows.audit(tx, visit.who, "connection secrets shown", known.partner.name)
    base = visit.hub.registry.base_url(known)
    masked = base.rpartition("/")[0] + "/" + SECRET
    dialect = visit.hub.dialects[known.partner.dialect]
    return visit.show(
        "connections/developer.html",
        partner=known.partner,
        dialect=dialect,
        base=base if shown else masked,
        shown=shown,
        secrets={k: v if shown else SECRET for k, v in known.partner.secrets.items()},
        generations=[g for g in known.generations if g.expires_at and g.expires_at > clock.now()],
        calls=developer.examples(dialect, known, base if shown else masked),
        recent=recent,
    )


PAGES = [
    connections, new_page, new, connection, settings_page, settings, rotate_page, developer_page, act,
]  # fmt: skip


def known_to(visit: Visit) -> Connection:
    """Return the connection an address names; raises Missing."""
    found = visit.hub.registry.get(visit.seat.tenant_id, visit.path["connection_id"])
    if found is None:
        raise _missing()
    return found


def _missing() -> Missing:
    return Missing("unknown_connection", "There is no such connection.")


async def _change(visit: Visit, changes: dict[str, str], *, rotate: bool = False) -> None:
    hub, name = visit.hub, known_to(visit).partner.name
    async with visit.transaction() as tx:
        await flows.change(tx, hub.vault, hub.dialects, name, changes, who=visit.who, rotate=rotate)
    await hub.registry.load()


def _settings(known: Connection) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return the settings in groups; each with its name, value and default as an operator writes them."""
    role: Role = known.role
    now = known.partner.settings
    fields = structs.fields(role.settings)
    default = role.settings()
    shown = {
        field.name: {
            "name": field.name,
            "value": _text(getattr(now, field.name)),
            "default": _text(getattr(default, field.name)),
            "choices": _choices(field.type),
        }
        for field in fields
        if not isinstance(getattr(default, field.name), dict)
    }
    for field in fields:
        table = getattr(now, field.name)
        if isinstance(table, dict):
            for key, value in table.items():
                name = f"{field.name}.{key}"
                usual = getattr(default, field.name).get(key, "")
                shown[name] = {"name": name, "value": value, "default": usual, "choices": ()}
    own = [one for name, one in shown.items() if name not in (*_SENDING, *_ACCESS)]
    return [
        (_("What this partner is told and asked"), own),
        (_("How it is called"), [shown[name] for name in _SENDING if name in shown]),
        (_("Access"), [shown[name] for name in _ACCESS if name in shown]),
    ]


def _choices(kind: Any) -> tuple[str, ...]:
    found = getattr(kind, "__args__", ())
    return found if found and all(isinstance(one, str) for one in found) else ()


def _text(value: object) -> str:
    if isinstance(value, (tuple, list)):
        return ",".join(str(one) for one in value)
    return "" if value is None else str(value)
