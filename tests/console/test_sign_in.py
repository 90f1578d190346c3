"""Signing in: who gets in, who is held back, what a session is worth."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pyotp
import pytest

from entrepot import clock
from entrepot.console.access import flows
from entrepot.console.access.first import first_accounts, new_password
from entrepot.console.app import create_app
from entrepot.errors import Missing
from tests.console.person import PASSWORD, Person

if TYPE_CHECKING:
    from entrepot.hub import Hub

NEW = "correct horse battery"


async def test_nobody_sees_a_page_without_signing_in(stranger: Person) -> None:
    """Every page sends a stranger to the door, and back afterwards."""
    page = await stranger.get("/orders?state=shipped")
    assert page.path == "/sign-in?next=/orders%3Fstate%3Dshipped"
    door = stranger.page
    form = {"username": "admin", "password": PASSWORD, "_door": door.field("_door")}
    assert (await stranger.post("/sign-in", form | {"next": door.field("next")})).path == (
        "/orders?state=shipped"
    )


async def test_after_signing_in_nobody_is_sent_elsewhere(stranger: Person) -> None:
    """A door's ``next`` leads to our own pages only."""
    for goal in ("//evil.example/", "https://evil.example/", "/\\evil.example", "//["):
        door = await stranger.get("/sign-in")
        form = {"username": "admin", "password": PASSWORD, "_door": door.field("_door")}
        assert (await stranger.post("/sign-in", form | {"next": goal})).path == "/"
        await stranger.post("/sign-out")


async def test_a_wrong_password_says_no_more_than_an_unknown_name(stranger: Person) -> None:
    """Both are answered with the same words."""
    wrong = await stranger.sign_in("admin", "nonsense")
    unknown = await stranger.sign_in("nobody", "nonsense")
    elsewhere = await stranger.sign_in("admin@nowhere", "nonsense")
    assert "Name or password is wrong." in wrong.words
    assert "Name or password is wrong." in unknown.words
    assert "Name or password is wrong." in elsewhere.words
    assert (wrong.status, unknown.status, elsewhere.status) == (422, 422, 422)


async def test_guessing_gets_slower(stranger: Person) -> None:
    """After five failures each try must wait longer, the right password too; then it counts again."""
    for _ in range(5):
        await stranger.sign_in("admin", "nonsense")
    held = await stranger.sign_in()
    assert "Too many tries" in held.words
    clock.move(timedelta(seconds=3))
    assert (await stranger.sign_in()).path == "/"


async def test_a_form_of_another_site_does_not_sign_in(stranger: Person) -> None:
    """Without the door's own cookie the form counts for nothing."""
    await stranger.get("/sign-in")
    form = {"username": "admin", "password": PASSWORD, "_door": "made up", "next": "/"}
    assert "open too long" in (await stranger.post("/sign-in", form)).words


async def test_an_act_needs_the_page_s_own_token(admin: Person) -> None:
    """A POST without, or with another, token changes nothing."""
    page = await admin.post("/account/sessions/others", {"_csrf": "00" * 32})
    assert "open too long" in page.words
    masked = {admin.page.field("_csrf")}
    masked.add((await admin.get("/account")).field("_csrf"))
    assert len(masked) == 2, "the token looks different on every page"


async def test_the_cookie_is_bound_to_this_host_over_tls(stranger: Person) -> None:
    """Over TLS its name begins with __Host- and it is Secure; scripts never see it."""
    stranger.scheme = "https"
    await stranger.get("/sign-in")
    door = stranger.page
    form = {"username": "admin", "password": PASSWORD, "_door": door.field("_door"), "next": "/"}
    page = await stranger.post("/sign-in", form, follow=False)
    cookie = next(v for n, v in page.headers if n == "set-cookie" and v.startswith("__Host-"))
    assert {"Secure", "HttpOnly", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert page.header("strict-transport-security")


async def test_a_session_s_token_is_replaced_and_the_old_one_ends(admin: Person) -> None:
    """After an hour the cookie changes; the one before holds a minute for what is under way."""
    old = admin.cookies["entrepot"]
    clock.move(timedelta(minutes=61))
    assert (await admin.get("/")).path == "/"
    new = admin.cookies["entrepot"]
    assert new != old
    admin.cookies["entrepot"] = old
    assert (await admin.get("/")).path == "/", "a request under way still counts"
    clock.move(timedelta(minutes=2))
    admin.cookies["entrepot"] = old
    assert (await admin.get("/")).path.startswith("/sign-in")
    admin.cookies["entrepot"] = new
    assert (await admin.get("/")).path == "/"


async def test_a_session_that_is_idle_or_old_ends(admin: Person) -> None:
    """Twelve hours without a request end it, and so do seven days."""
    clock.move(timedelta(hours=11))
    assert (await admin.get("/")).path == "/"
    clock.move(timedelta(hours=13))
    assert (await admin.get("/")).path.startswith("/sign-in")


async def test_a_person_sees_and_ends_their_sessions(hub: Hub, admin: Person) -> None:
    """The account page lists every browser; one, or all others, can be signed out."""
    other, third = Person(create_app(hub)), Person(create_app(hub))
    await other.sign_in()
    await third.sign_in()
    page = await admin.get("/account")
    (first, _second) = re.findall(r'action="(/account/sessions/\d+)"', page.text)
    assert "That session is ended." in (await admin.post(first)).words
    open_ones = [(await person.get("/account")).path == "/account" for person in (other, third)]
    assert sorted(open_ones) == [False, True]
    await admin.get("/account")
    assert "everywhere else" in (await admin.post("/account/sessions/others")).words
    assert (await other.get("/")).path.startswith("/sign-in")
    assert (await third.get("/")).path.startswith("/sign-in")


async def test_a_changed_password_ends_every_other_session(hub: Hub, admin: Person) -> None:
    """The one who changed it stays; everybody else is out, and the old password is worth nothing."""
    other = Person(create_app(hub))
    await other.sign_in()
    await admin.get("/account")
    for new, why in (
        ("short", "at least 10"),
        ("admin-entrepot", "too easy"),
        (PASSWORD, "the old one"),
    ):
        page = await admin.post("/account/password", {"old": PASSWORD, "password": new})
        assert why in page.words
    assert (
        "present password"
        in (await admin.post("/account/password", {"old": "nonsense", "password": NEW})).words
    )
    page = await admin.post("/account/password", {"old": PASSWORD, "password": NEW})
    assert "The password is changed." in page.words
    assert (await other.get("/")).path.startswith("/sign-in")
    assert "wrong" in (await other.sign_in()).words
    assert (await other.sign_in(password=NEW)).path == "/"


async def test_the_second_factor_is_asked_for(hub: Hub, admin: Person) -> None:
    """Once on, a password alone opens nothing; each code counts once; recovery codes do too."""
    page = await admin.get("/account/totp")
    found = re.search(r'data-copy="([A-Z2-7]{32})"', page.text)
    assert found is not None
    totp = pyotp.TOTP(found[1])
    sealed = page.field("secret")
    wrong = await admin.post("/account/totp", {"secret": sealed, "code": "000000"})
    assert "not right" in wrong.words
    await admin.get("/account/totp")
    code = totp.at(clock.now())
    page = await admin.post("/account/totp", {"secret": sealed, "code": code})
    codes = re.findall(r"<li>([0-9a-f]{6}-[0-9a-f]{6})", page.text)
    assert len(codes) == 10
    other = Person(create_app(hub))
    assert (await other.sign_in()).path == "/sign-in/code"
    assert (await other.get("/orders")).path == "/sign-in/code"
    assert "not right" in (await other.post("/sign-in/code", {"code": code})).words
    assert (await other.post("/sign-in/code", {"code": codes[0]})).path == "/"
    third = Person(create_app(hub))
    await third.sign_in()
    assert "not right" in (await third.post("/sign-in/code", {"code": codes[0]})).words
    clock.move(timedelta(seconds=60))
    assert (await third.post("/sign-in/code", {"code": totp.at(clock.now())})).path == "/"


async def test_the_second_factor_goes_with_the_password_only(hub: Hub, admin: Person) -> None:
    """Turning it off asks for the password again."""
    tenant = hub.registry.tenant("demo")
    async with hub.db.transaction(tenant) as tx:
        person = await tx.value("SELECT id FROM person WHERE tenant_id = $1 AND login = 'admin'")
        secret = flows.new_secret()
        code = pyotp.TOTP(secret).at(clock.now())
        await flows.turn_on_totp(tx, hub.vault, person, secret, code)
    await admin.get("/account")
    await admin.get("/account/totp/off")
    assert "present password" in (await admin.post("/account/totp/off", {"password": "no"})).words
    page = await admin.post("/account/totp/off", {"password": PASSWORD})
    assert "The second factor is off." in page.words


async def test_the_first_start_makes_one_account(hub: Hub) -> None:
    """Without a demonstration the password is said once and must be replaced at once."""
    tenant = hub.registry.tenant("partners")
    async with hub.db.transaction(tenant) as tx:
        await tx.do("DELETE FROM account WHERE tenant_id = $1")
    said: list[str] = []
    await first_accounts(hub, said.append, demo=False)
    await first_accounts(hub, said.append, demo=False)
    (sentence,) = [one for one in said if "partners" in one]
    password = sentence.rpartition(" ")[2]
    person = Person(create_app(hub))
    page = await person.sign_in("admin@partners", password)
    assert page.path == "/sign-in/password"
    assert (await person.get("/orders")).path == "/sign-in/password"
    refused = await person.post("/sign-in/password", {"old": password, "password": "short"})
    assert "at least 10" in refused.words
    assert (await person.post("/sign-in/password", {"old": password, "password": NEW})).path == "/"


async def test_a_lost_password_is_made_anew(hub: Hub, admin: Person) -> None:
    """The new one counts once, sessions end, and it is audited; nobody else can be given one."""
    tenant = hub.registry.tenant("demo")
    async with hub.db.transaction(tenant) as tx:
        made = await new_password(tx, "admin", "root")
        with pytest.raises(Missing):
            await new_password(tx, "nobody", "root")
    assert (await admin.get("/orders")).path.startswith("/sign-in")
    person = Person(create_app(hub))
    assert (await person.sign_in("admin", made)).path == "/sign-in/password"
    assert (await person.post("/sign-in/password", {"old": made, "password": NEW})).path == "/"
    assert "Reset a password" in (await person.get("/audit?q=admin")).words


async def test_the_demo_s_account_is_for_this_machine_only(hub: Hub) -> None:
    """A hub that listens elsewhere does not know the password that everybody knows."""
    app = create_app(hub)
    app._local = False
    person = Person(app)
    hub.settings = type(hub.settings)(
        data=hub.settings.data, host="0.0.0.0", key_file=hub.settings.keys
    )
    assert "wrong" in (await person.sign_in()).words


async def test_everybody_reads_their_own_language(hub: Hub, admin: Person) -> None:
    """The browser's language first; what is chosen at the top is remembered with the person."""
    chinese = Person(create_app(hub), language="zh-CN,zh;q=0.9,en;q=0.5")
    assert '<html lang="zh-CN"' in (await chinese.get("/sign-in")).text
    await admin.get("/account")
    page = await admin.post("/language", {"language": "zh-CN", "_back": "/account"})
    assert '<html lang="zh-CN"' in page.text
    elsewhere = Person(create_app(hub), language="fr")
    await elsewhere.sign_in()
    assert '<html lang="zh-CN"' in (await elsewhere.get("/account")).text
    assert (await admin.post("/language", {"language": "tlh"})).status == 200


async def test_every_answer_says_what_a_browser_may_do(admin: Person) -> None:
    """Scripts, styles and forms of our own only, no framing, nothing cached."""
    page = await admin.get("/")
    policy = page.header("content-security-policy")
    assert "script-src 'self'" in policy
    assert "'unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert page.header("cache-control") == "no-store"
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on\w+=\"", page.text)
