"""One's own account: the second factor, the password, sessions; and what administrators do with others'."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyotp

from entrepot import clock
from tests.browser import office
from tests.browser.test_business import everywhere
from tests.browser.window import sign_in

if TYPE_CHECKING:
    from tests.browser.conftest import Opened
    from tests.browser.window import Window

WRONG = "That code is not right. Wait for the next one and try again."


async def sign_out(window: Window) -> None:
    """Leave by the menu at the top."""
    await window.page.locator("header details.menu summary").click()
    await window.press("Sign out")
    await window.sees("You are signed out.")


@everywhere
async def test_a_second_factor_is_turned_on_asked_for_and_turned_off(
    opened: Opened, place: tuple[str, int]
) -> None:
    """The first code proves the app; from then on a code is asked for; the password turns it off."""
    async with opened(*place, stranger=True) as window:
        login = office.clerk(f"-{place[1]}")
        await sign_in(window.page, login, office.PASSWORD)
        await window.go("/account")
        await window.press("Turn on")
        secret = await window.page.locator(".copy .mono").inner_text()
        await window.fill("Code", "000000")
        await window.press("Turn on")
        await window.sees(WRONG)
        await window.fill("Code", pyotp.TOTP(secret).at(clock.now()))
        await window.press("Turn on")
        code = await window.page.locator("#codes li").first.inner_text()
        await window.shoot("recovery-codes")
        assert await window.faults(but="422") == []
        await window.press("I have kept them")
        await sign_out(window)
        await window.page.fill("[name=username]", login)
        await window.page.fill("[name=password]", office.PASSWORD)
        await window.page.click("button.main")
        await window.page.wait_for_url("**/sign-in/code")
        await window.shoot("sign-in-code")
        assert await window.faults() == []
        await window.fill("Code", "000000")
        await window.press("Go on")
        await window.sees(WRONG)
        await window.fill("Code", code)
        await window.press("Go on")
        await window.sees("Orders today")
        await window.go("/account")
        await window.ask("Turn off")
        await window.shoot("dialog-totp-off")
        assert await window.faults(but="422") == []
        await window.page.locator("#sheet [name=password]").fill(office.PASSWORD)
        await window.answer("Turn off")
        await window.sees("The second factor is off.")
        assert await window.faults() == []


@everywhere
async def test_a_password_is_changed_and_others_are_signed_out(
    opened: Opened, place: tuple[str, int]
) -> None:
    """A wrong present password is refused in place; a new one ends every other session, as a button does."""
    login = office.mover(f"-{place[1]}")
    async with opened(*place, stranger=True) as here, opened(*place, stranger=True) as there:
        await sign_in(here.page, login, office.PASSWORD)
        await sign_in(there.page, login, office.PASSWORD)
        await here.go("/account")
        await here.press("Sign out everywhere else")
        await here.sees("You are signed out everywhere else.")
        await there.go("/orders")
        assert "/sign-in" in there.page.url
        await here.fill("Present password", "wrong")
        await here.fill("New password", "ri-chu-er-zuo")
        await here.press("Change the password")
        await here.sees("The present password is wrong.")
        await here.fill("Present password", office.PASSWORD)
        await here.press("Change the password")
        await here.sees("The password is changed.")
        assert await here.faults(but="422") == []
        await sign_in(there.page, login, "ri-chu-er-zuo")


@everywhere
async def test_a_person_is_changed_and_helped_back_in(
    opened: Opened, place: tuple[str, int]
) -> None:
    """Name, role and duties; the lost phone's factor is taken away; a new password is shown once."""
    login = office.lost(f"-{place[1]}")
    async with opened(*place) as window:
        await window.go("/people")
        await window.page.get_by_role("link", name=login, exact=True).click()
        await window.fill("Full name", f"钱进{place[1]}")
        await window.page.locator("[name=role]").select_option("4")
        await window.page.locator("[name=duty-auditor]").check()
        await window.press("Save")
        await window.sees("It is saved.")
        await window.press("Take the second factor away")
        await window.sees("It is done.")
        assert await window.button("Take the second factor away").count() == 0
        await window.press("Lock out")
        await window.sees("Locked out: signs in nowhere, and their tokens do not count.")
        await window.press("Let in again")
        await window.button("Lock out").wait_for()
        await window.shoot("person-changed")
        assert await window.faults() == []
        await window.press("Reset the password")
        await window.sees("I have passed it on")
        await window.shoot("person-password")
        assert await window.faults() == []
        await window.press("I have passed it on")
        row = window.page.locator("tr", has_text=login)
        for said in (f"钱进{place[1]}", window.t("Warehouse"), window.t("Auditor")):
            assert said in await row.inner_text()
        assert window.t("Has not come in yet") in await row.inner_text()
