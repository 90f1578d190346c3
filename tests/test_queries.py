"""Every named statement fits the schema as the migrations make it, names its tenant, and is used."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

import entrepot
from entrepot.db import queries

ROOT = Path(entrepot.__file__).parent
FILES = sorted(ROOT.rglob("queries.sql"))
ACROSS = {
    "connections": {"registry", "registry_credentials", "any_credential", "tenants", "address"},
    "courier": {"acts_under_way", "schedules", "schedules_due", "outgrown"},
    "discrepancies": {"forget_resolved"},
    "exports": {"waiting_exports", "forget_exports"},
    "gauges": {"queue", "lag", "levels"},
    "imports": {"waiting_jobs", "forget_jobs"},
    "operations": {
        *(
            "server",
            "applied",
            "queues",
            "schedules",
            "empty",
            "tenants",
            "credentials",
            "holdings",
        ),
    },
    "reconciliation": {"waiting_asks", "forget_asks"},
}
"""What looks over all tenants: who there is, what is due, how the house stands. No partner gets there."""
STAGED = re.compile(r"\bstaged\b")


def named(path: Path) -> dict[str, str]:
    """Return the statements of one file by name."""
    package = ".".join(("entrepot", *path.parent.relative_to(ROOT).parts))
    return dict(vars(queries(package)))


def place(path: Path) -> str:
    """Return a file's folder, for the name of a test."""
    return path.parent.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", FILES, ids=place)
def test_every_statement_fits_the_schema(path: Path, database_url: str) -> None:
    """The server takes each for what it is: tables, columns and types are there.

    Statements over ``staged`` have no table before a file is read; the tests of imports run them.
    """
    wrong = {}
    with psycopg.connect(database_url, autocommit=True) as connection:
        for name, statement in named(path).items():
            if STAGED.search(statement):
                continue
            try:
                connection.execute(f"PREPARE one AS {statement.rstrip().rstrip(';')}".encode())
                connection.execute("DEALLOCATE one")
            except psycopg.Error as error:
                wrong[name] = str(error)
    assert wrong == {}


@pytest.mark.parametrize("path", FILES, ids=place)
def test_every_statement_names_its_tenant(path: Path) -> None:
    """``$1`` is the tenant's id in all others: none can read or write another tenant's rows."""
    across = {name for name, statement in named(path).items() if "$1" not in statement}
    assert across == ACROSS.get(place(path), set())


def test_every_statement_is_used() -> None:
    """A statement that no code names is deleted."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py"))
    used = set(re.findall(r"\.(\w+)\b", code)) | set(re.findall(r"[\"'](\w+)[\"']", code))
    begun = tuple(re.findall(r"getattr\(_q, f[\"'](\w+)\{", code))
    idle = {
        f"{place(path)}: {name}"
        for path in FILES
        for name in named(path)
        if name not in used and not name.startswith(begun)
    }
    assert idle == set()
