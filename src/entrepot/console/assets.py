"""Own and vendored front-end files, served under names that carry their content, for ever.

Own style sheets and scripts are joined into ``console.css`` and ``console.js``; ``static/vendor``
holds what ``tools/vendor.py`` took from npm.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from entrepot.errors import Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "/static/"
_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    "css": b"text/css; charset=utf-8",
    "js": b"text/javascript; charset=utf-8",
    "svg": b"image/svg+xml",
    "woff2": b"font/woff2",
}
_PACKED = {"css", "js", "svg"}


@cache
def _files() -> tuple[Mapping[str, str], Mapping[str, bytes]]:
    """Return (logical name → hashed name, hashed name → content)."""
    manifest = _FOLDER / "vendor" / "manifest.json"
    if not manifest.exists():
        raise Unusable("The console's front-end files are missing; run `make setup`.")
    names: dict[str, str] = json.loads(manifest.read_text(encoding="utf-8"))
    contents = {hashed: (_FOLDER / "vendor" / hashed).read_bytes() for hashed in names.values()}
    css = "".join(p.read_text(encoding="utf-8") for p in sorted((_FOLDER / "css").glob("*.css")))
    for vendored in ("inter.woff2",):
        css = css.replace(f'url("{vendored}")', f'url("{names[vendored]}")')
    own = {"console.css": css.encode()}
    own |= {path.name: path.read_bytes() for path in (_FOLDER / "js").glob("*.js")}
    own["mark.svg"] = (_FOLDER / "mark.svg").read_bytes()
    for name, content in own.items():
        names[name] = _hashed(name, content)
        contents[names[name]] = content
    return names, contents


@cache
def url(name: str) -> str:
    """Return the address of a file by its logical name (``console.css``, ``icons.svg``)."""
    return PREFIX + _files()[0][name]


@cache
def packed(hashed: str) -> bytes:
    """Return a file's content, gzipped; made at the first call."""
    return gzip.compress(_files()[1][hashed], 9, mtime=0)


def answer(path: str, *, gzipped: bool) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Return status, headers and body for an address below ``/static/``."""
    hashed = path.removeprefix(PREFIX)
    content = _files()[1].get(hashed)
    if content is None:
        return 404, [(b"content-type", b"text/plain")], b"not found"
    suffix = hashed.rpartition(".")[2]
    headers = [
        (b"content-type", _TYPES[suffix]),
        (b"cache-control", b"public, max-age=31536000, immutable"),
    ]
    if suffix in _PACKED:
        headers.append((b"vary", b"accept-encoding"))
        if gzipped:
            return 200, [*headers, (b"content-encoding", b"gzip")], packed(hashed)
    return 200, headers, content


def _hashed(name: str, content: bytes) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"
