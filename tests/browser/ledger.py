"""What the browser asked the hub for and got, beside everything the console answers."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from entrepot.console import app, paths

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pytest

LANGUAGES = ("zh-CN", "en")
Routes = dict[str, re.Pattern[str]]


def routes() -> Routes:
    """Return every address of the console as ``GET /orders/{order_id}``, the plainest first."""
    names = {
        f"{method} {paths.untyped(path)}"
        for part in app._PARTS
        for handler in part.PAGES
        for method in handler.http_methods
        if method != "HEAD"
        for path in handler.paths
    }
    ordered = sorted(names, key=lambda name: (name.count("{"), name))
    return {name: re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(name))) for name in ordered}


class Ledger:
    """Which addresses answered a browser, by the language of the page it was on."""

    def __init__(self, known: Routes) -> None:
        self._known = known
        self._seen: set[tuple[str, str]] = set()

    def note(self, method: str, url: str, status: int, language: str) -> None:
        """Enter an answer; what was refused, or is no address of the console, does not count."""
        asked = f"{method} {urlsplit(url).path}"
        name = next((name for name, like in self._known.items() if like.fullmatch(asked)), None)
        if name is not None and status < 400:
            self._seen.add((name, language))

    def lacking(self, languages: Sequence[str] = LANGUAGES) -> list[str]:
        """Return what no browser got in some language."""
        return [
            f"{name} in {language}"
            for name in self._known
            for language in languages
            if (name, language) not in self._seen
        ]


def whole(folder: Path, items: Iterable[pytest.Item]) -> bool:
    """Tell whether every test function that a folder's files define is to be run."""
    there = {(item.path, getattr(item, "originalname", item.name)) for item in items}
    return _defined(folder) <= there


def _defined(folder: Path) -> set[tuple[Path, str]]:
    return {
        (file, node.name)
        for file in folder.glob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }
