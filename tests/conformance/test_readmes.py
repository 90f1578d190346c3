"""The examples in a dialect's README do what stands below them."""

from __future__ import annotations

import json
import re
import shlex
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from entrepot.dialect import Settings
from tests import daytime
from tests.conformance.conftest import DIALECTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from entrepot.connections.rules import Connection
    from tests.running import Running

CONNECTION = re.compile(r"BASE=\$\(entrepot connections url (\S+?)\)")
VARIABLE = re.compile(r"\$([A-Z]+)")
PAGES = [dialect.folder / "README.md" for dialect in DIALECTS.values()]


def examples(page: Path) -> list[tuple[list[str], str, str]]:
    """Return each curl command as words, the answer that stands below it, and the connection called."""
    text = page.read_text(encoding="utf-8")
    found = []
    for block in re.finditer(r"```console\n(.*?)```", text, re.DOTALL):
        named = CONNECTION.findall(text, 0, block.start())
        for part in re.split(r"^(?=\$ )", block[1], flags=re.MULTILINE):
            command, _, answer = part.strip().rpartition("\n")
            if command.startswith("$ curl "):
                found.append((shlex.split(command.removeprefix("$ curl ")), answer, named[-1]))
    return found


def run(words: list[str], known: Mapping[str, str]) -> str:
    """Do what curl does with ``-s URL [-X METHOD] [-H HEADER] [-d DATA | --data-urlencode NAME=TEXT]``.

    It does nothing else. ``known`` are the shell's variables.
    """
    words = [VARIABLE.sub(lambda hit: known[hit[1]], word) for word in words if word != "-s"]
    url, *options = words
    given = dict(zip(options[::2], options[1::2], strict=True))
    assert given.keys() <= {"-X", "-H", "-d", "--data-urlencode"}
    body = given["-d"].encode() if "-d" in given else None
    if "--data-urlencode" in given:
        name, _, value = given["--data-urlencode"].partition("=")
        body = urlencode({name: value}).encode()
    method = given.get("-X", "POST" if body else "GET")
    request = urllib.request.Request(url, body, method=method)
    if "-H" in given:
        request.add_header(*given["-H"].split(": ", 1))
    with urllib.request.urlopen(request, timeout=30) as reply:
        text: str = reply.read().decode()
    return text


def variables(hub: Running, connection: Connection) -> dict[str, str]:
    """Return what the examples' shell knows: the base URL, tokens in capitals, today's first numbers."""
    today = daytime.today()
    numbers = {kind: f"{kind}{today:%y%m%d}0000001" for kind in ("AP", "SR")}
    tokens = {name.upper(): value for name, value in connection.partner.secrets.items()}
    return {"BASE": hub.base_url(connection), **tokens, **numbers}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
async def test_every_example_gets_the_answer_below_it(page: Path, untouched: Running) -> None:
    """From top to bottom, against the demonstration, to the letter (``…`` is anything)."""
    known = {
        connection.partner.name: variables(untouched, connection)
        for connection in await untouched.connections()
        if connection.tenant == "demo"
    }
    for words, answer, name in examples(page):
        json.loads(answer)
        pattern = ".*".join(re.escape(part) for part in answer.split("…"))
        got = run(words, known[name])
        assert re.fullmatch(pattern, got), (words, got)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_every_setting_is_in_the_readme(page: Path) -> None:
    """A policy that nobody can read of is not one."""
    (dialect,) = [one for one in DIALECTS.values() if one.folder == page.parent]
    text = page.read_text(encoding="utf-8")
    for role in dialect.roles.values():
        own = set(role.settings.__struct_fields__) - set(Settings.__struct_fields__)
        missing = sorted(name for name in own if f"`{name}" not in text)
        assert not missing
