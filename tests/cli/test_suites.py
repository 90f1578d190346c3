"""The commands of suites, on the demonstration's two goods."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run


def save(run: Run, folder: Path, *suites: dict[str, Any], options: tuple[str, ...] = ()) -> Any:
    """Save suites from a file."""
    file = folder / "suites.json"
    file.write_text(json.dumps(suites))
    return run("suites", "save", str(file), *options)


def tea(**head: Any) -> dict[str, Any]:
    """Return a suite of one dongfangshuye (5.00, fixed) and ten xiaowanzi01 (12.50)."""
    fixed = {"sku": "dongfangshuye", "num": 1, "is_fixed_price": True}
    return {
        "sku": "TEA",
        "name": "tea",
        "parts": [fixed, {"sku": "xiaowanzi01", "num": 10}],
        **head,
    }


def test_a_price_is_split_over_the_parts(run: Run, tmp_path: Path) -> None:
    """The fixed line first, the rest by amount, and the amounts are the price."""
    assert save(run, tmp_path, tea()).code == 0
    rows = run("suites", "split", "TEA", "99.99", "--json").json
    assert rows == [
        {"sku": "dongfangshuye", "qty": 1, "amount": 5},
        {"sku": "xiaowanzi01", "qty": 10, "amount": 94.99},
    ]
    assert sum(Decimal(str(row["amount"])) for row in rows) == Decimal("99.99")
    assert "94.99" in run("suites", "split", "TEA", "99.99").out


def test_a_split_of_nothing_is_refused(run: Run) -> None:
    """An unknown suite, a single article, a price that is none: exit 1 and a word why."""
    assert "no suite NONE" in run("suites", "split", "NONE", "1").err
    assert "no suite xiaowanzi01" in run("suites", "split", "xiaowanzi01", "1").err
    for price in ("-1", "dear", "1.00001", "1e20", "NaN"):
        refused = run("suites", "split", "--", "NONE", price)
        assert (refused.code, refused.out) == (1, "")
        assert "PRICE" in refused.err


def test_suites_are_listed_and_shown(run: Run, tmp_path: Path) -> None:
    """How many there are, and the part that limits it: fifty-five xiaowanzi01 make five."""
    assert "No suites yet" in run("suites", "list").out
    save(run, tmp_path, tea(label="热卖", print_mode=1), tea(sku="OTHER"))
    assert {row["sku"] for row in run("suites", "list", "--json").json} == {"TEA", "OTHER"}
    assert "10 × xiaowanzi01" in run("suites", "list").out
    shown = run("suites", "show", "TEA", "--json").json
    assert (shown["available"], shown["limited_by"], shown["label"]) == (5, "xiaowanzi01", "热卖")
    assert [part["num"] for part in shown["parts"]] == [1, 10]
    assert "5 available, limited by xiaowanzi01" in run("suites", "show", "TEA").out


def test_a_file_of_suites_is_taken_whole_or_not_at_all(run: Run, tmp_path: Path) -> None:
    """Every suite at fault is named; a file that is none says where."""
    broken = tea(sku="BROKEN", parts=[{"sku": "nothing", "num": 1}])
    refused = save(run, tmp_path, tea(), broken)
    assert refused.code == 1
    assert "BROKEN" in refused.err
    assert run("suites", "list", "--json").json == []
    assert "parts" in save(run, tmp_path, {"sku": "X", "name": "x"}).err


def test_a_dry_run_shows_what_would_change_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    """New suites by their parts, others field by field; what is at fault is named as when saving."""
    new = save(run, tmp_path, tea(), options=("--dry-run", "--json")).json
    parts = [("parts[dongfangshuye]", None, 1), ("parts[xiaowanzi01]", None, 10)]
    assert [(f["name"], f["before"], f["after"]) for f in new[0]["fields"]] == parts
    assert new[0]["kind"] == "new"
    assert run("suites", "list", "--json").json == []
    save(run, tmp_path, tea())
    fixed = {"sku": "dongfangshuye", "num": 2, "is_fixed_price": True, "fixed_price": 4.5}
    changed = tea(name="Tea", label="none such", print_mode=1, parts=[fixed])
    told = save(run, tmp_path, changed, tea(), options=("--dry-run", "--json")).json
    assert [one["kind"] for one in told] == ["changed", "same"]
    assert [(f["name"], f["before"], f["after"]) for f in told[0]["fields"]] == [
        ("name", "tea", "Tea"),
        ("print_mode", 0, 1),
        ("parts[dongfangshuye].num", 1, 2),
        ("parts[dongfangshuye].fixed_price", -1, 4.5),
        ("parts[xiaowanzi01]", 10, None),
    ]
    said = save(run, tmp_path, changed, options=("--dry-run",)).out
    assert "parts[dongfangshuye].fixed_price" in said
    assert "0 new, 1 changed, 0 the same; nothing is saved yet." in said
    assert "Nothing would change." in save(run, tmp_path, tea(), options=("--dry-run",)).out
    moved = save(run, tmp_path, tea(parts=tea()["parts"][::-1]), options=("--dry-run",)).out
    assert "dongfangshuye, xiaowanzi01" in moved
    broken = tea(sku="BROKEN", parts=[{"sku": "nothing", "num": 1}])
    refused = save(run, tmp_path, tea(), broken, options=("--dry-run",))
    assert (refused.code, refused.out) == (1, "")
    assert "BROKEN" in refused.err
    single = save(run, tmp_path, tea(sku="dongfangshuye"), options=("--dry-run",))
    assert (single.code, "dongfangshuye" in single.err) == (1, True)
    assert run("suites", "show", "TEA", "--json").json["name"] == "tea"
    assert save(run, tmp_path, tea(), options=("--json",)).json == {"saved": 1}


def test_labels_are_listed_and_added(run: Run) -> None:
    """The demonstration has one."""
    assert run("suites", "labels", "--json").json == ["热卖"]
    assert "新品" in run("suites", "labels", "新品").out
    assert run("suites", "labels", "--json").json == ["新品", "热卖"]


def test_an_order_of_suites_takes_parts(run: Run, tmp_path: Path) -> None:
    """The order has the suite on its line; stock is reserved of the parts, and proven."""
    save(run, tmp_path, tea())
    assert run("orders", "create", "S-1", "TEA=2").code == 0
    assert run("orders", "show", "S-1", "--json").json["lines"] == [{"sku": "TEA", "qty": 2}]
    rows = run("stock", "get", "dongfangshuye", "xiaowanzi01", "--json").json
    assert [(row["reserved"], row["available"]) for row in rows] == [(2, 98), (20, 35)]
    assert "is a suite: it has no stock of its own" in run("stock", "set", "TEA", "HQ", "5").err
    assert run("orders", "ship", "S-1").code == 0
    rows = run("stock", "get", "xiaowanzi01", "--json").json
    assert [(row["on_hand"], row["reserved"]) for row in rows] == [(35, 0)]
    assert run("verify").code == 0
