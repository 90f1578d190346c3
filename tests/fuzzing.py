"""Schemathesis over every operation: of the native API, and of every dialect as its types describe it.

`make test` runs it with few examples, `make fuzz` (tools/fuzz.py) with many. What counts as a failure: a
5xx, and any answer that the description does not foresee (status, type, headers, body); for the native
API also wrong data that is accepted and right data that is refused as malformed.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from entrepot import dialects, openapi
from entrepot.hub import Hub
from entrepot.people import flows as people
from entrepot.people import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.running import Running

_ANSWERS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance",
)  # fmt: skip
_NATIVE = (
    *_ANSWERS, "negative_data_rejection", "positive_data_acceptance", "missing_required_header",
    "unsupported_method", "allow_header_conformance", "ignored_auth", "ensure_resource_availability",
)  # fmt: skip
_PHASES = "examples,coverage,fuzzing"
_CONFIG = """\
[checks]
positive_data_acceptance.expected-statuses = ["2xx", "304", "401", "403", "404", "409", "412", "422", "429"]
negative_data_rejection.expected-statuses = ["4xx"]
"""
_MADE = re.compile(r"(\d+) generated")
_SIGNER = """\
import schemathesis
from entrepot import dialects
from entrepot.dialect import Request

SIGN = dialects.discover()[{dialect!r}].roles[{role!r}].sign
SECRETS = {secrets!r}


class Signed:
    def __call__(self, prepared):
        base, _, query = prepared.url.partition("?")
        raw = prepared.body or b""
        raw = raw if isinstance(raw, bytes) else raw.encode()
        prepared.url = base + "?" + SIGN(Request(path="", body=raw, query=query), SECRETS).query
        return prepared


schemathesis.auth.set_from_requests(Signed())
"""


class Subject(Struct, frozen=True, kw_only=True):
    """One described interface: its document (a file or a URL), where it is served, how one signs in."""

    name: str
    document: str
    url: str
    headers: dict[str, str] = {}
    checks: tuple[str, ...] = _ANSWERS
    phases: str = _PHASES
    hooks: str = ""


class Outcome(Struct, frozen=True, kw_only=True):
    """What came of it; ``report`` is what schemathesis printed."""

    name: str
    cases: int
    passed: bool
    seconds: float
    report: str


def native(hub: Running) -> Subject:
    """Return the native API, with a token that may do everything."""
    return Subject(
        name="native API",
        document=f"{hub.url}/api/v1/openapi.json",
        url=f"{hub.url}/api/v1",
        headers={"Authorization": f"Bearer {asyncio.run(token(hub))}"},
        checks=_NATIVE,
        phases=f"{_PHASES},stateful",
    )


def spoken(hub: Running, folder: Path) -> Iterator[Subject]:
    """Yield every end of every dialect that partners call, as the demonstration has it."""
    known = dialects.discover()
    for connection in asyncio.run(hub.connections()):
        partner, role = connection.partner, connection.role
        if not role.routes:
            continue
        dialect = known[partner.dialect]
        name = f"{partner.dialect}-{partner.role}"
        document = folder / f"{name}.json"
        described = openapi.of_role(dialect, partner.role, role)
        document.write_bytes(msgspec.json.encode(described))
        bearer = partner.secrets.get("admin") or partner.secrets.get("bearer")
        hooks = folder / f"sign_{name.replace('-', '_')}.py"
        if role.sign is not None:
            words = {
                "dialect": partner.dialect,
                "role": partner.role,
                "secrets": dict(partner.secrets),
            }
            hooks.write_text(_SIGNER.format(**words), encoding="utf-8")
        yield Subject(
            name=f"{name} ({connection.tenant})",
            document=str(document),
            url=hub.base_url(connection),
            headers={"Authorization": f"Bearer {bearer}"} if bearer else {},
            hooks=hooks.stem if role.sign is not None else "",
        )


async def token(hub: Running) -> str:
    """Make a token of the demo tenant that may do everything, any number of times."""
    async with await Hub.open(hub.settings, size=1) as opened:
        tenant_id = opened.registry.tenant("demo")
        made = await opened.db.run(
            tenant_id, lambda tx: people.add_token(tx, "fuzz", scopes=["*"], per_minute=0)
        )
        return tokens.shown(tenant_id, made)


def run(
    subject: Subject, folder: Path, examples: int, *, seed: int = 0, phases: str = ""
) -> Outcome:
    """Run schemathesis with so many examples an operation, in these phases or all that the subject has."""
    config = folder / f"{re.sub(r'[^a-z]+', '-', subject.name.lower())}.toml"
    config.write_text(_CONFIG, encoding="utf-8")
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
        *("run", subject.document, "--url", subject.url),
        *("--checks", ",".join(subject.checks), "--max-examples", str(examples), "--no-color"),
        *(
            "--phases",
            phases or subject.phases,
            "--continue-on-failure",
            "--workers",
            "1",
            "--seed",
            str(seed),
            "--warnings",
            "off",
        ),
        *("--suppress-health-check", "all", "--request-timeout", "60"),
        *(part for name, value in subject.headers.items() for part in ("-H", f"{name}: {value}")),
    ]
    paths = os.pathsep.join([str(folder), *filter(None, sys.path)])
    environment = {**os.environ, "PYTHONPATH": paths, "PYTHONWARNINGS": "ignore"}
    if subject.hooks:
        environment["SCHEMATHESIS_HOOKS"] = subject.hooks
    started = time.monotonic()
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    made = _MADE.search(done.stdout)
    return Outcome(
        name=subject.name,
        cases=int(made[1]) if made else 0,
        passed=done.returncode == 0,
        seconds=time.monotonic() - started,
        report=done.stdout + done.stderr,
    )
