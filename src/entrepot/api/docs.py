"""The document and its browsable page, served from this package: no content network is involved."""

from __future__ import annotations

import html
import json
from importlib import resources
from typing import TYPE_CHECKING

import msgspec

from entrepot.api import answer, describe
from entrepot.api.answer import Answer
from entrepot.api.problems import Stopped

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.api.operation import Operation

_VENDOR = resources.files("entrepot").joinpath("console", "static", "vendor")
_KINDS = {"js": "text/javascript", "css": "text/css", "html": "text/html"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Entrepot API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/{style}">
<div id="swagger-ui"><p>The description of this API: <a href="openapi.json">openapi.json</a></p></div>
<script src="docs/{bundle}"></script>
<script src="docs/start.js"></script>
</html>
"""


class Docs:
    """Answers what anybody may read: the OpenAPI document and its page."""

    def __init__(self, prefix: str, operations: tuple[Operation, ...]) -> None:
        self._prefix = prefix
        self._operations = operations
        self._document: Answer | None = None

    def page(self, path: str, method: str, headers: Mapping[str, str]) -> Answer | None:
        """Return the page at this path; None where the path is an operation's."""
        if not path.startswith(self._prefix) or path in (self._prefix, f"{self._prefix}/"):
            found = self._elsewhere(path)
        elif path == f"{self._prefix}/openapi.json":
            found = self._described()
        elif path == f"{self._prefix}/docs" or path.startswith(f"{self._prefix}/docs/"):
            found = _asset(path.removeprefix(f"{self._prefix}/docs").removeprefix("/"))
        else:
            return None
        if method != "GET":
            raise Stopped(405, "wrong_method", "This path takes GET.", Allow="GET")
        if "etag" in found.headers and answer.matches(
            headers.get("if-none-match", ""), found.headers["etag"]
        ):
            return Answer(status=304, headers={"etag": found.headers["etag"]})
        return found

    def _elsewhere(self, path: str) -> Answer:
        if path.rstrip("/") not in ("/api", self._prefix):
            raise Stopped(404, "unknown_path", "There is nothing at this path.")
        return Answer(status=307, headers={"location": f"{self._prefix}/docs"})

    def _described(self) -> Answer:
        if self._document is None:
            body = msgspec.json.encode(describe.document(self._operations, self._prefix))
            headers = {"content-type": answer.JSON, "etag": answer.tag(body)}
            self._document = Answer(status=200, body=body, headers=headers)
        return self._document


def _asset(name: str) -> Answer:
    """Return the page itself (no name) or a file of it; names carry their content, so they may be kept."""
    vendored = _vendored()
    if not name:
        names = {key: html.escape(vendored.get(f"swagger-ui.{key}", "")) for key in ("css", "js")}
        body = _PAGE.format(style=names["css"], bundle=names["js"]).encode()
        kept = {"content-security-policy": _POLICY, "cache-control": "no-cache"}
    elif name == "start.js":
        body = resources.files(__package__).joinpath("start.js").read_bytes()
        kept = {"cache-control": "no-cache", "etag": answer.tag(body)}
    elif name in vendored.values():
        body = _VENDOR.joinpath(name).read_bytes()
        kept = {"cache-control": "public, max-age=31536000, immutable"}
    else:
        raise Stopped(404, "unknown_path", "There is nothing at this path.")
    kind = _KINDS[name.rpartition(".")[2] or "html"]
    headers = {
        "content-type": f"{kind}; charset=utf-8",
        "x-content-type-options": "nosniff",
        **kept,
    }
    return Answer(status=200, body=body, headers=headers)


def _vendored() -> dict[str, str]:
    """Return the documentation page's files by their plain names; a checkout without them has none."""
    manifest = _VENDOR.joinpath("manifest.json")
    if not manifest.is_file():
        return {}
    names: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))
    return {plain: name for plain, name in names.items() if plain.startswith("swagger-ui.")}
