"""What does not agree, at the command line."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from entrepot.discrepancies import flows
from entrepot.discrepancies.rules import Seen
from entrepot.hub import Hub

if TYPE_CHECKING:
    from entrepot.settings import Settings
    from tests.cli.conftest import Run


def see(settings: Settings, *subjects: str) -> None:
    """Let totals of the demonstration's mall differ."""

    async def work() -> None:
        async with await Hub.open(settings) as hub:
            tenant = hub.registry.tenant("demo")
            mall = hub.registry.named(tenant, "minimall-in").partner.id
            seen = [
                Seen(kind="total", subject=subject, text="26, not 25", connection_id=mall)
                for subject in subjects
            ]
            async with hub.db.transaction(tenant) as tx:
                await flows.see(tx, seen)

    asyncio.run(work())


def test_discrepancies_are_listed_and_resolved(run: Run, demo_settings: Settings) -> None:
    """Each with its connection's name; what is resolved is listed only with --all."""
    assert "Everything agrees." in run("discrepancies", "list").out
    assert run("discrepancies", "list", "--json").json == []
    see(demo_settings, "group 2", "normal 1")
    rows = run("discrepancies", "list", "--json").json
    assert [row["subject"] for row in rows] == ["normal 1", "group 2"]
    assert {row["connection"] for row in rows} == {"minimall-in"}
    assert "26, not 25" in run("discrepancies", "list").out
    one, other = (row["id"] for row in rows)
    refused = run("discrepancies", "resolve", one, "5", "--reason", "for display")
    assert (refused.code, refused.out) == (1, "resolve: 1 done, 1 not.\n")
    assert "There is no discrepancy 5" in refused.err
    assert [row["id"] for row in run("discrepancies", "list", "--json").json] == [other]
    (kept,) = [row for row in run("discrepancies", "list", "--all", "--json").json if row["reason"]]
    assert (kept["id"], kept["reason"]) == (one, "for display")
    assert "for display" in run("discrepancies", "list", "--all").out
    assert run("discrepancies", "resolve", other, "--reason", " ").code == 1


def test_discrepancies_are_filtered(run: Run, demo_settings: Settings) -> None:
    """By kind, connection and document; what is none of ours is said."""
    see(demo_settings, "group 2", "normal 1", "normal 2")
    for words in (("--kind", "total"), ("--connection", "minimall-in")):
        assert len(run("discrepancies", "list", *words, "--json").json) == 3
    for words in (("--kind", "moved"), ("--connection", "goldshop"), ("--document", "N1")):
        assert run("discrepancies", "list", *words, "--json").json == []
    assert len(run("discrepancies", "list", "--limit", "2", "--json").json) == 2
    assert "Known: total, " in run("discrepancies", "list", "--kind", "odd").err
    assert "no connection 'odd'" in run("discrepancies", "list", "--connection", "odd").err
    assert "'x' is no discrepancy's id" in run("discrepancies", "resolve", "x", "--reason", "y").err
