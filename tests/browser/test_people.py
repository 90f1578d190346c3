"""Administrators and everybody's own account."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from tests.browser.test_business import everywhere
from tests.browser.window import sign_in

if TYPE_CHECKING:
    from tests.browser.conftest import Opened


@everywhere
async def test_a_person_is_let_in_and_locked_out(opened: Opened, place: tuple[str, int]) -> None:
    """Made with a password that works once; chooses their own; is locked out and is out at once."""
    login = f"lin{place[1]}"
    async with opened(*place) as window, opened(*place, stranger=True) as other:
        await window.go("/people/new")
        await window.fill("Signs in as", login)
        await window.fill("Full name", "林小满")
        await window.page.locator("[name=duty-operator]").check()
        await window.press("Make the account")
        await window.sees("I have passed it on")
        copied = window.page.locator("button[data-copy]").nth(1)
        password = await copied.get_attribute("data-copy")
        assert password
        assert await window.faults() == []
        await sign_in(other.page, login, password)
        await other.sees("Choose a password")
        assert await other.faults() == []
        await other.fill("The password you were given", password)
        await other.fill("New password", "kai-men-jian-shan")
        await other.press("Save and go on")
        await other.sees("Orders today")
        assert await other.page.locator('a[href="/people"]').count() == 0
        await window.go("/people")
        await window.page.get_by_role("link", name=login, exact=True).click()
        await window.press("Lock out")
        await window.sees("Locked out: signs in nowhere, and their tokens do not count.")
        await other.go("/orders")
        assert "/sign-in" in other.page.url
        assert await window.faults() == []


@everywhere
async def test_sessions_are_seen_and_ended(opened: Opened, place: tuple[str, int]) -> None:
    """One's own browsers are listed; another is signed out from here, this one by its menu."""
    async with opened(*place, stranger=True) as here, opened(*place, stranger=True) as there:
        await sign_in(here.page)
        await sign_in(there.page)
        await here.go("/account")
        # Last seen the newest first: this one, then the one that signed in just now.
        row = here.page.locator("tbody tr", has=here.page.locator("form")).first
        await row.locator("button").click()
        await here.sees("That session is ended.")
        await there.go("/orders")
        assert "/sign-in" in there.page.url
        assert await here.faults() == []
        await here.page.locator("header details.menu summary").click()
        await here.press("Sign out")
        await here.sees("You are signed out.")
        await here.go("/orders")
        assert "/sign-in" in here.page.url


@everywhere
async def test_a_token_is_made_and_ended(opened: Opened, place: tuple[str, int]) -> None:
    """Shown once, and worth nothing once it is ended."""
    name = f"report {place[1]}"
    async with opened(*place) as window:
        await window.go("/tokens")
        await window.fill("Name", name)
        await window.fill("Scopes", "orders:read")
        await window.press("Make the token")
        await window.sees("The token is shown once. Give it to the program now.")
        await window.press("I have kept it")
        row = window.page.locator("tr", has_text=name)
        await row.get_by_role("button", name=window.t("End it"), exact=True).click()
        await window.sees("The token counts no more.")
        assert await window.faults() == []


@everywhere
async def test_a_file_is_checked_and_brought_in(opened: Opened, place: tuple[str, int]) -> None:
    """Bad rows are left out and named; the good ones go in."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerows([("sku", "name"), (f"F-{place[1]}", "茶杯"), ("", "无名")])
    file = {"name": "articles.csv", "mimeType": "text/csv", "buffer": out.getvalue().encode()}
    async with opened(*place) as window:
        await window.go("/imports")
        await window.page.locator("[type=file]").set_input_files(file)  # type: ignore[arg-type]
        await window.page.locator("[name=dry_run]").check()
        await window.press("Bring it in")
        await window.sees("Would go in")
        await window.sees("What was left out, and why")
        await window.shoot("import-result")
        assert await window.faults() == []


@everywhere
async def test_settings_of_the_tenant_are_saved(opened: Opened, place: tuple[str, int]) -> None:
    """They hold at once; what is no network is refused in place."""
    async with opened(*place) as window:
        await window.go("/settings")
        networks = window.page.locator("[name=allowed_networks]")
        before = await networks.input_value()
        await networks.fill("everywhere")
        await window.press("Save")
        await window.page.locator("#settings-said .note-box.bad").wait_for()
        await networks.fill(before)
        await window.press("Save")
        await window.toast(window.t("Nothing was changed."))
        assert await window.faults(but="4") == []
