"""One browser window: what a person does in it, and everything that goes wrong meanwhile."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from entrepot.console import words

if TYPE_CHECKING:
    from playwright.async_api import ConsoleMessage, Locator, Page, Request, Response

    from tests.browser.ledger import Ledger

ROOT = Path(__file__).resolve().parents[2]
AXE = (ROOT / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
PASSWORD = "entrepot-demo"
_RULES = """async (axe_js) => {
  if (!window.axe) (0, eval)(axe_js);
  const found = await axe.run(document, { resultTypes: ["violations"] });
  return found.violations.map((v) => v.id + ": " + v.nodes.map((n) => n.html.slice(0, 160)).join(" | "));
}"""


class Window:
    """A page with its language. ``troubles`` are console errors, failed requests and error answers."""

    def __init__(self, page: Page, language: str, ledger: Ledger, shots: str | None = None) -> None:
        self.page = page
        self.language = language
        self._ledger = ledger
        self.troubles: list[str] = []
        page.set_default_timeout(30_000)
        self._shots = shots
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        page.on("download", lambda file: ledger.note("GET", file.url, 200, self.language))

    def t(self, text: str, **facts: object) -> str:
        """Return a text of the console in the window's language."""
        token = words.locale.set(self.language)
        try:
            said = words._(text)
        finally:
            words.locale.reset(token)
        return said % facts if facts else said

    async def go(self, path: str) -> None:
        """Open a page of the console."""
        await self.page.goto(path)

    def button(self, text: str, **facts: object) -> Locator:
        """Return the first button or link that is called so in this language."""
        name = re.compile(f"^{re.escape(self.t(text, **facts))}$")
        part = self.page.locator("main, dialog, .bar")  # the rail's links bear the same words
        return part.get_by_role("button", name=name).or_(part.get_by_role("link", name=name)).first

    async def press(self, text: str, **facts: object) -> None:
        """Press a button or follow a link by its words."""
        await self.button(text, **facts).click()

    async def fill(self, label: str, value: str) -> None:
        """Fill a field in by its label."""
        await self.page.get_by_label(self.t(label), exact=True).first.fill(value)

    async def ask(self, text: str) -> None:
        """Press what opens in the dialog, and wait until it is open."""
        await self.press(text)
        await self.page.locator("#sheet[open]").wait_for()

    async def answer(self, text: str, *, reason: str = "") -> None:
        """Press a button of the dialog, a reason filled in before."""
        sheet = self.page.locator("#sheet")
        if reason:
            await sheet.locator("[name=reason]").fill(reason)
        await sheet.get_by_role("button", name=self.t(text), exact=True).click()

    async def sees(self, text: str, **facts: object) -> None:
        """Wait until a text of the console is shown."""
        await self.reads(self.t(text, **facts))

    async def reads(self, text: str) -> None:
        """Wait until some text is shown, whoever's words it is."""
        shown = self.page.get_by_text(text).filter(visible=True).first
        await shown.wait_for(timeout=30_000)

    async def toast(self, text: str) -> None:
        """Wait until the page says something once, after an act."""
        await self.page.locator("main .toast", has_text=text).wait_for()

    async def link(self, page: str, pattern: str) -> str:
        """Return the first link on a page whose address a pattern begins with."""
        answer = await self.page.request.get(page)
        found = re.search(f'href="({pattern})[?"]', await answer.text())
        assert found, f"no {pattern} on {page}"
        return found[1]

    async def faults(self, *, but: str = "never") -> list[str]:
        """Return what is wrong with the page as it stands, ``but`` an answer that was expected."""
        wide = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        found = [f"{wide} px wider than the window"] if wide > 0 else []
        spoken = await self.page.get_attribute("html", "lang")
        if spoken != self.language:
            found.append(f"speaks {spoken}")
        found += await self.page.evaluate(_RULES, AXE)
        found += [trouble for trouble in self.troubles if but not in trouble]
        self.troubles.clear()
        return found

    async def shoot(self, name: str) -> None:
        """Keep a picture where ENTREPOT_SHOTS says, if it says so."""
        size: Any = self.page.viewport_size
        if self._shots is not None:
            file = f"{self._shots.format(name)}.{size['width']}.png"
            await self.page.screenshot(path=file, full_page=True)

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        # Whoever leaves a page breaks off what it was fetching.
        if "ERR_ABORTED" not in (request.failure or ""):
            self.troubles.append(f"failed: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        self._ledger.note(response.request.method, response.url, response.status, self.language)
        if response.status >= 400:
            self.troubles.append(f"answer: {response.status} {response.url}")


async def sign_in(page: Page, name: str = "admin", password: str = PASSWORD) -> None:
    """Sign in at the door."""
    await page.goto("/sign-in")
    await page.fill("[name=username]", name)
    await page.fill("[name=password]", password)
    await page.click("button.main")
    await page.wait_for_url(re.compile(r"(?<!sign-in)$"))
