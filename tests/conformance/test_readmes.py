"""The examples in a dialect's README do what stands below them."""

from __future__ import annotations

import json
import re
import shlex
import urllib.request
from typing import TYPE_CHECKING

import pytest

from entrepot.dialect import Settings
from tests.conformance.conftest import DIALECTS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.running import Running

CONNECTION = re.compile(r"BASE=\$\(entrepot connections url (\S+?)\)")
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


def run(words: list[str], base: str) -> str:
    """Do what curl does with ``-s URL -d DATA``, and nothing else."""
    silent, url, data, body = words
    assert (silent, data) == ("-s", "-d")
    request = urllib.request.Request(url.replace("$BASE", base), body.encode(), method="POST")
    with urllib.request.urlopen(request, timeout=30) as reply:
        text: str = reply.read().decode()
    return text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
async def test_every_example_gets_the_answer_below_it(page: Path, untouched: Running) -> None:
    """From top to bottom, against the demonstration, to the letter."""
    bases = {
        connection.partner.name: untouched.base_url(connection)
        for connection in await untouched.connections()
        if connection.tenant == "demo"
    }
    for words, answer, name in examples(page):
        base = bases[name]
        json.loads(answer)
        assert run(words, base) == answer


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_every_setting_is_in_the_readme(page: Path) -> None:
    """A policy that nobody can read of is not one."""
    (dialect,) = [one for one in DIALECTS.values() if one.folder == page.parent]
    text = page.read_text(encoding="utf-8")
    for role in dialect.roles.values():
        own = set(role.settings.__struct_fields__) - set(Settings.__struct_fields__)
        missing = sorted(name for name in own if f"`{name}" not in text)
        assert not missing
