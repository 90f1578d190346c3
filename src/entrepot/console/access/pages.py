"""Signing in and out, one's own account, the language."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pyotp
import segno
from markupsafe import Markup

from entrepot import clock, ids
from entrepot.console import door, refusals, words
from entrepot.console import seat as seats
from entrepot.console.access import flows
from entrepot.console.access.flows import Caller
from entrepot.console.paths import parts_of
from entrepot.console.visit import Visit, get, post
from entrepot.console.words import _
from entrepot.errors import BadInput, Missing, NotAllowed, Refused

if TYPE_CHECKING:
    from litestar import Response

    from entrepot.console.access.flows import SignedIn

_DOOR = "door"
_DOOR_SECONDS = 3600
_SECRET_SECONDS = 600


@get("/sign-in")
async def sign_in_page(visit: Visit) -> Response[Any]:
    """The way in."""
    return _door(visit, next=_inside(visit.query.get("next", "")))


@post("/sign-in")
async def sign_in(visit: Visit) -> Response[Any]:
    """Check name and password; the form proves by a cookie that it is ours."""
    username, password = visit.form.get("username", "").strip(), visit.form.get("password", "")
    goal = _inside(visit.form.get("next", ""))
    try:
        _same_door(visit)
        tenant_id, name = _tenant_of(visit, username)
        signed = await flows.sign_in(
            visit.hub.db, visit.hub.vault, tenant_id, name, password, _caller(visit)
        )
    except Refused as refusal:
        sentence = refusals.sentence(refusal)
        return _door(visit, status=422, sentence=sentence, username=username, next=goal)
    response = visit.go(goal if signed.stage == "full" else door.STAGES[signed.stage])
    _sit_down(visit, response, tenant_id, signed)
    return response


@get("/sign-in/code")
async def code_page(visit: Visit) -> Response[Any]:
    """Ask for the second factor."""
    return visit.show("access/code.html", sentence="")


@post("/sign-in/code")
async def give_code(visit: Visit) -> Response[Any]:
    """Check the second factor."""
    seat = visit.seat
    session = (seat.person_id, seat.session_id)
    try:
        signed = await flows.give_code(
            visit.hub.db, visit.hub.vault, seat.tenant_id, session,
            visit.form.get("code", ""), _caller(visit),
        )  # fmt: skip
    except Refused as refusal:
        sentence = refusals.sentence(refusal)
        return visit.show("access/code.html", status=422, sentence=sentence)
    response = visit.go(door.STAGES.get(signed.stage, "/"))
    _sit_down(visit, response, seat.tenant_id, signed)
    return response


@get("/sign-in/password")
async def first_password_page(visit: Visit) -> Response[Any]:
    """Ask for a password of one's own in place of the one-time one."""
    return visit.show("access/password.html", sentence="")


@post("/sign-in/password")
async def first_password(visit: Visit) -> Response[Any]:
    """Replace the one-time password."""
    try:
        return await _change_password(visit, "/", "")
    except Refused as refusal:
        sentence = refusals.sentence(refusal)
        return visit.show("access/password.html", status=422, sentence=sentence)


@post("/sign-out")
async def sign_out(visit: Visit) -> Response[Any]:
    """End this session."""
    seat = visit.seat
    async with visit.transaction() as tx:
        await flows.end_session(tx, seat.person_id, seat.session_id)
    response = visit.go("/sign-in", _("You are signed out."))
    secure = door.is_secure(visit.hub, visit.request.scope)
    visit.keep(response, door.cookie_name(secure=secure), "", 0)
    return response


@post("/language")
async def language(visit: Visit) -> Response[Any]:
    """Switch the language, for this browser and this person."""
    chosen = visit.form.get("language", "")
    if chosen not in words.LOCALES:
        raise BadInput("unknown_language", f"There is no language {chosen!r} here.")
    found = seats.seat.get()
    if found is not None:
        async with visit.transaction() as tx:
            await flows.set_locale(tx, found.person_id, chosen)
    response = visit.back()
    visit.keep(response, "language", chosen, 31536000)
    return response


@get("/account")
async def account(visit: Visit) -> Response[Any]:
    """One's own password, second factor and sessions."""
    seat = visit.seat
    async with visit.reading() as tx:
        rows = await flows.sessions(tx, seat.person_id)
    shown = [
        {
            "id": row["id"],
            "address": row["address"],
            "created_at": row["created_at"],
            "seen_at": row["seen_at"],
            "browser": _browser(row["agent"]),
            "here": row["id"] == seat.session_id,
        }
        for row in rows
    ]
    return visit.show("access/account.html", sessions=shown, person=seat)


@post("/account/password")
async def change_password(visit: Visit) -> Response[Any]:
    """Change one's own password."""
    return await _change_password(visit, "/account", _("The password is changed."))


@get("/account/totp")
async def totp_page(visit: Visit) -> Response[Any]:
    """Show a fresh secret as a QR code; the form carries it sealed."""
    secret = flows.new_secret()
    seat = visit.seat
    address = pyotp.TOTP(secret).provisioning_uri(
        name=f"{seat.login}@{seat.tenant}", issuer_name="Entrepot"
    )
    drawn = io.BytesIO()
    segno.make(address, error="m").save(
        drawn, kind="svg", scale=4, border=1, xmldecl=False, svgns=True, nl=False, omitsize=True
    )
    until = int(clock.now().timestamp()) + _SECRET_SECONDS
    sealed = visit.hub.vault.seal(f"{seat.person_id} {until} {secret}".encode()).hex()
    qr = Markup(drawn.getvalue().decode())  # noqa: S704 - drawn by us from our own address
    return visit.show("access/totp.html", secret=secret, sealed=sealed, qr=qr)


@post("/account/totp")
async def totp_on(visit: Visit) -> Response[Any]:
    """Turn the second factor on and show the recovery codes, once."""
    seat = visit.seat
    secret = _unsealed(visit, visit.form.get("secret", ""))
    code = visit.form.get("code", "").replace(" ", "")
    async with visit.transaction() as tx:
        codes = await flows.turn_on_totp(tx, visit.hub.vault, seat.person_id, secret, code)
    response = visit.show("access/recovery.html", codes=codes)
    response.headers |= {"hx-retarget": "#main", "hx-reselect": "#main", "hx-reswap": "outerHTML"}
    return response


@get("/account/totp/off")
async def totp_off_page(visit: Visit) -> Response[Any]:
    """Ask for the password before the second factor goes."""
    return visit.show("access/totp_off.html")


@post("/account/totp/off")
async def totp_off(visit: Visit) -> Response[Any]:
    """Turn the second factor off."""
    async with visit.transaction() as tx:
        password = visit.form.get("password", "")
        await flows.turn_off_totp(tx, visit.seat.person_id, password)
    return visit.go("/account", _("The second factor is off."))


@post("/account/sessions/others")
async def end_others(visit: Visit) -> Response[Any]:
    """Sign out everywhere but here."""
    async with visit.transaction() as tx:
        await flows.end_others(tx, visit.seat.person_id, visit.seat.session_id)
    return visit.go("/account", _("You are signed out everywhere else."))


@post("/account/sessions/{session_id:int}")
async def end_one(visit: Visit) -> Response[Any]:
    """Sign out at one other browser."""
    async with visit.transaction() as tx:
        await flows.end_session(tx, visit.seat.person_id, visit.path["session_id"])
    return visit.go("/account", _("That session is ended."))


PAGES = [
    sign_in_page, sign_in, code_page, give_code, first_password_page, first_password, sign_out, language,
    account, change_password, totp_page, totp_on, totp_off_page, totp_off, end_others, end_one,
]  # fmt: skip


async def _change_password(visit: Visit, to: str, said: str) -> Response[Any]:
    seat = visit.seat
    old, new = visit.form.get("old", ""), visit.form.get("password", "")
    async with visit.transaction() as tx:
        signed = await flows.change_password(tx, seat.person_id, old, new, _caller(visit))
    response = visit.go(to, said)
    _sit_down(visit, response, seat.tenant_id, signed)
    return response


def _door(visit: Visit, *, status: int = 200, **context: str) -> Response[Any]:
    """Show the sign-in form with a fresh proof that it is ours."""
    token = ids.token()
    context = {"sentence": "", "username": "", "next": "/", **context}
    several = len(visit.hub.registry.tenants) > 1
    response = visit.show(
        "access/sign_in.html", status=status, door_token=token, several=several, **context
    )
    visit.keep(response, _DOOR, token, _DOOR_SECONDS)
    return response


def _same_door(visit: Visit) -> None:
    """Refuse a form that another site made: its cookie and its field differ."""
    cookie = visit.request.cookies.get(_DOOR, "")
    if not cookie or cookie != visit.form.get("_door"):
        raise NotAllowed("form_expired")


def _tenant_of(visit: Visit, username: str) -> tuple[int, str]:
    """Return (tenant, account name) of what was typed: ``name`` or ``name@tenant``."""
    name, at, tenant = username.rpartition("@")
    try:
        return visit.hub.registry.tenant(tenant if at else None), name if at else username
    except Missing as missing:
        raise NotAllowed("sign_in_wrong") from missing


def _sit_down(visit: Visit, response: Response[Any], tenant_id: int, signed: SignedIn) -> None:
    secure = door.is_secure(visit.hub, visit.request.scope)
    value = seats.cookie_of(tenant_id, signed.session_id, signed.token)
    visit.keep(response, door.cookie_name(secure=secure), value)


def _caller(visit: Visit) -> Caller:
    client = visit.request.client
    return Caller(
        address=client.host if client else "",
        agent=visit.request.headers.get("user-agent", ""),
        local=visit.hub.settings.only_local,
    )


def _inside(goal: str) -> str:
    """Return where to go after signing in, only ever a path of ours."""
    parts = parts_of(goal)
    if parts.scheme or parts.netloc or not goal.startswith("/") or goal.startswith(("//", "/\\")):
        return "/"
    return goal


def _unsealed(visit: Visit, sealed: str) -> str:
    try:
        plain = visit.hub.vault.unseal(bytes.fromhex(sealed)).decode()
    except Exception as error:
        raise NotAllowed("form_expired") from error
    person, until, secret = plain.split()
    if int(person) != visit.seat.person_id or int(until) < clock.now().timestamp():
        raise NotAllowed("form_expired")
    return secret


def _browser(agent: str) -> str:
    """Return the browser and system of a User-Agent, as people call them."""
    browsers = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"))
    systems = (
        ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
        ("Mac OS", "macOS"), ("Linux", "Linux"),
    )  # fmt: skip
    browser = next((name for mark, name in (*browsers, ("Safari/", "Safari")) if mark in agent), "")
    system = next((name for mark, name in systems if mark in agent), "")
    return " · ".join(part for part in (browser, system) if part) or _("Unknown browser")
