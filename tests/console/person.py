"""A person at a browser without scripts: keeps cookies, fills forms in, follows redirects."""

from __future__ import annotations

import asyncio
import gzip
import re
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping

PASSWORD = "entrepot-demo"


class Page(Struct):
    """An answer: where it came from in the end, and what it says."""

    status: int
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def words(self) -> str:
        """What a reader sees: the body without its tags, spaces made one."""
        body = re.sub(r"(?s)<(script|style|pre hidden).*?</\1>", " ", self.text)
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())

    def header(self, name: str) -> str:
        """One header's value, or ``""``."""
        return next((value for key, value in self.headers if key == name), "")

    def field(self, name: str) -> str:
        """The value of a form's field."""
        tag = next(t for t in re.findall(r"<input[^>]+>", self.text) if f'name="{name}"' in t)
        found = re.search(r'value="([^"]*)"', tag)
        return unescape(found[1]) if found else ""

    def links(self, pattern: str) -> list[str]:
        """Every link whose address a pattern meets."""
        hrefs = [unescape(href) for href in re.findall(r'href="([^"]+)"', self.text)]
        return [href for href in dict.fromkeys(hrefs) if re.fullmatch(pattern, href)]


class Person:
    """One browser of one person."""

    def __init__(self, app: Any, *, language: str = "en", address: str = "127.0.0.1") -> None:
        self._app = app
        self._language = language
        self._address = address
        self.cookies: dict[str, str] = {}
        self.page = Page(0, "", [], b"")
        self.scheme = "http"

    async def get(self, path: str, *, follow: bool = True, **headers: str) -> Page:
        """Open a page."""
        return await self._go("GET", path, b"", headers, follow=follow)

    async def post(
        self,
        path: str,
        form: Mapping[str, str] | None = None,
        *,
        follow: bool = True,
        **headers: str,
    ) -> Page:
        """Send a form, with the token of the page it is on."""
        filled = dict(form or {})
        if "_csrf" not in filled and "_csrf" in self.page.text:
            filled["_csrf"] = self.page.field("_csrf")
        body = urlencode(filled).encode()
        headers["content_type"] = "application/x-www-form-urlencoded"
        return await self._go("POST", path, body, headers, follow=follow)

    async def upload(self, path: str, form: Mapping[str, str], name: str, content: bytes) -> Page:
        """Send a form with a file in its field ``file``."""
        parts = [(f'name="{key}"', value.encode()) for key, value in form.items()]
        parts.append(('name="_csrf"', self.page.field("_csrf").encode()))
        parts.append((f'name="file"; filename="{name}"\r\nContent-Type: text/csv', content))
        begin = b"--edge\r\nContent-Disposition: form-data; "
        body = b"".join(
            begin + head.encode() + b"\r\n\r\n" + value + b"\r\n" for head, value in parts
        )
        headers = {"content_type": "multipart/form-data; boundary=edge"}
        return await self._go("POST", path, body + b"--edge--\r\n", headers, follow=True)

    async def sign_in(self, name: str = "admin", password: str = PASSWORD) -> Page:
        """Sign in from the door."""
        door = await self.get("/sign-in")
        form = {"username": name, "password": password, "_door": door.field("_door"), "next": "/"}
        return await self.post("/sign-in", form)

    async def _go(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], *, follow: bool
    ) -> Page:
        page = await self._ask(method, path, body, headers)
        for _ in range(5):
            if page.status != 303 or not follow:
                break
            page = await self._ask("GET", page.header("location"), b"", {})
        if "text/html" in page.header("content-type") and "hx_request" not in headers:
            self.page = page
        return page

    async def _ask(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> Page:
        parts = urlsplit(path)
        sent = {
            "host": "testserver",
            "accept-language": self._language,
            "accept-encoding": "gzip",
            "user-agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0 Safari/537.36",
            "content-length": str(len(body)),
            "cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method,
            "scheme": self.scheme, "path": parts.path, "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(), "root_path": "", "client": (self._address, 4711),
            "server": ("testserver", 80),
            "headers": [(n.encode(), v.encode("latin-1")) for n, v in sent.items()],
        }  # fmt: skip
        messages = [{"type": "http.request", "body": body, "more_body": False}]
        start: dict[str, Any] = {}
        chunks: list[bytes] = []
        whole = asyncio.Event()

        async def receive() -> Mapping[str, Any]:
            if messages:
                return messages.pop()
            await whole.wait()  # nobody leaves before the answer is there
            return {"type": "http.disconnect"}

        async def send(message: Mapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                chunks.append(message.get("body", b""))
                if not message.get("more_body"):
                    whole.set()

        await self._app(scope, receive, send)
        answered = [(n.decode().lower(), v.decode("latin-1")) for n, v in start["headers"]]
        for name, value in answered:
            if name == "set-cookie":
                self._keep(value)
        content = b"".join(chunks)
        if ("content-encoding", "gzip") in answered:
            content = gzip.decompress(content)
        return Page(start["status"], path, answered, content)

    def _keep(self, cookie: str) -> None:
        pair, *attributes = cookie.split(";")
        name, _, value = pair.partition("=")
        if any(part.strip().lower() == "max-age=0" for part in attributes):
            self.cookies.pop(name.strip(), None)
        else:
            self.cookies[name.strip()] = value.strip().strip('"')
