"""What the commands do, print and answer, on the demonstration."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run


def test_connections_are_listed_without_their_secrets(run: Run) -> None:
    """Keys and secrets are hidden unless asked for; the two ends of a pair name each other."""
    hidden = run("connections", "list", "--json").json
    shown = run("connections", "list", "--json", "--show-secrets").json
    theirs = run("connections", "list", "--json", "--show-secrets", "--tenant", "partners").json
    (goldshop,) = [row for row in shown if row["name"] == "goldshop"]
    (other,) = [row for row in theirs if row["name"] == "goldshop"]

    assert list(goldshop) == [
        *("tenant", "name", "dialect", "role", "base_url", "credentials", "partner_url", "settings")
    ]
    assert (goldshop["tenant"], goldshop["dialect"], goldshop["role"]) == (
        "demo",
        "goldshop",
        "erp",
    )
    assert goldshop["partner_url"] == other["base_url"]
    assert other["partner_url"] == goldshop["base_url"]
    assert goldshop["base_url"].startswith("http://127.0.0.1:8000/c/")
    assert {row["base_url"] for row in hidden} == {"http://127.0.0.1:8000/c/****"}
    assert {value for row in hidden for value in row["credentials"].values()} <= {"****"}
    assert goldshop["settings"]["deadline"] == "24h"


def test_settings_of_a_connection_are_changed_and_checked(run: Run) -> None:
    """A setting is validated by its dialect; an empty value returns it to its default."""
    assert run("connections", "set", "goldshop", "schedule=1s,1s,2s", "timeout=3s").code == 0
    (row,) = _goldshop(run)
    assert (row["settings"]["schedule"], row["settings"]["timeout"]) == ("1s,1s,2s", "3s")

    for wrong in ("timeout=soon", "nonsense=1", "allow_ips=here", "partner_url=ftp://x", "timeout"):
        refused = run("connections", "set", "goldshop", wrong)
        assert (refused.code, refused.out) == (1, "")
        assert wrong.partition("=")[0] in refused.err
    assert run("connections", "set", "goldshop", "timeout=").code == 0
    (row,) = _goldshop(run)
    assert (row["settings"]["schedule"], row["settings"]["timeout"]) == ("1s,1s,2s", "10s")


def test_a_bearer_token_is_set_and_taken_away(run: Run) -> None:
    """A token is a credential: shown on demand, gone with `off`."""
    run("connections", "set", "goldshop", "bearer=let-me-in")
    assert _goldshop(run)[0]["credentials"] == {"bearer": "let-me-in"}
    run("connections", "set", "goldshop", "bearer=off")
    assert _goldshop(run)[0]["credentials"] == {}


def test_the_token_that_a_partner_demands_is_kept_by_a_rotation(run: Run) -> None:
    """It is the partner's: sealed with the other secrets, told to nobody, renewed by nobody here."""
    added = run("connections", "add", "shop", "goldshop", "partner_bearer=theirs", "bearer=ours")
    assert added.code == 0, added.err
    run("connections", "set", "shop", "--rotate")
    shown = run("connections", "list", "--json", "--show-secrets").json
    (shop,) = (one for one in shown if one["name"] == "shop")
    assert shop["credentials"]["partner_bearer"] == "theirs"
    assert shop["credentials"]["bearer"] != "ours"
    assert "theirs" not in run("connections", "list", "--json").out
    guide = run("connections", "guide", "shop").out
    assert ("贵方提供的令牌" in guide, "theirs" in guide, "partner_bearer" in guide) == (
        True,
        False,
        False,
    )
    run("connections", "set", "shop", "partner_bearer=off", "bearer=off")
    assert "贵方提供的令牌" not in run("connections", "guide", "shop").out


def test_an_address_in_the_house_is_named_when_it_is_set(run: Run) -> None:
    """Not first when a call fails; names are looked up when they are called."""
    run("tenant", "set", "allowed_networks=")
    for url in ("http://127.0.0.1:9000", "http://localhost:9000"):
        told = run("connections", "set", "goldshop", f"partner_url={url}")
        assert "tenant set allowed_networks=127.0.0.0/8" in told.err
    assert (
        "allowed_networks=10.1.2.3"
        in run("connections", "add", "near", "goldshop", "partner_url=http://10.1.2.3").err
    )
    assert run("connections", "set", "goldshop", "partner_url=https://shop.example").err == ""
    assert run("connections", "set", "goldshop", "partner_url=off").err == ""
    run("tenant", "set", "allowed_networks=127.0.0.0/8")
    assert run("connections", "set", "goldshop", "partner_url=http://127.0.0.1:9").err == ""
    refused = run("connections", "set", "goldshop", "partner_url=http://127.0.0.1/c/****")
    assert (refused.code, "where its secret was hidden" in refused.err) == (1, True)


def test_a_hub_without_a_place_says_so_when_a_partner_is_wired(run: Run) -> None:
    """Not first when its order is refused; whom we only tell needs none."""
    there = ("--tenant", "fourth")
    assert run("tenant", "add", "fourth").code == 0
    assert "import outlets" in run("connections", "add", "shop", "goldshop", *there).err
    assert run("connections", "add", "wdt", "wangdian", "--role", "merchant", *there).err == ""
    assert "import outlets" not in run("connections", "add", "shop2", "goldshop").err


def test_rotation_renews_the_key_and_what_goes_with_it(run: Run) -> None:
    """A rotated connection has a new base URL and, unless one is given, a new token."""
    run("connections", "set", "goldshop", "bearer=first")
    (before,) = _goldshop(run)
    told = run("connections", "set", "goldshop", "--rotate")
    (after,) = _goldshop(run)
    assert after["base_url"] != before["base_url"]
    assert after["base_url"] in told.out
    assert after["credentials"]["bearer"] not in ("first", "")
    run("connections", "set", "goldshop", "bearer=mine", "--rotate")
    assert _goldshop(run)[0]["credentials"] == {"bearer": "mine"}


def test_a_connection_is_added_once(run: Run) -> None:
    """A new connection prints its base URL; its name is its own."""
    added = run("connections", "add", "second", "goldshop", "unknown_style=accept", "--role", "erp")
    assert added.out.startswith("http://127.0.0.1:8000/c/")
    again = run("connections", "add", "second", "goldshop")
    assert (again.code, again.err) == (1, "That connection name is taken already.\n")
    assert run("connections", "add", "third", "nonesuch").code == 1


def test_stock_is_shown_as_it_stands(run: Run) -> None:
    """Every location of a SKU is a row; what is on hand has its weight in grams."""
    assert run("stock", "get", "MF004", "--json").json == [
        {
            "sku": "MF004",
            "location": "HQ",
            "on_hand": 30,
            "reserved": 0,
            "safety": 0,
            "available": 30,
            "weight": 106,
        }
    ]
    assert [row["location"] for row in run("stock", "get", "G1/C1/S1", "--json").json] == [
        *("6002", "6003", "6004")
    ]
    assert "MF004" in run("stock", "get", "MF004").out
    missing = run("stock", "get", "MF004", "NOSUCH", "--json")
    assert (missing.code, missing.out, missing.err) == (1, "", "There is no article NOSUCH.\n")


def test_a_stocktake_books_the_difference(run: Run) -> None:
    """Counting sets what lies there; without a weight the weight per piece stays."""
    assert run("stock", "set", "YPJ1600", "HQ", "400").code == 0
    (row,) = run("stock", "get", "YPJ1600", "--json").json
    assert (row["on_hand"], row["weight"]) == (400, 1000)
    run("stock", "set", "YPJ1600", "HQ", "10", "--weight", "30.5")
    (row,) = run("stock", "get", "YPJ1600", "--json").json
    assert (row["on_hand"], row["weight"]) == (10, 30.5)
    assert run("verify").code == 0


def test_a_stocktake_may_go_below_what_is_reserved(run: Run) -> None:
    """What is promised stays promised; available falls below nothing."""
    run("orders", "create", "MINE-1", "MF004=20")
    assert run("stock", "set", "MF004", "HQ", "5").code == 0
    (row,) = run("stock", "get", "MF004", "--json").json
    assert (row["on_hand"], row["reserved"], row["available"]) == (5, 20, -15)


@pytest.mark.parametrize(
    "words",
    [
        *(("MF004", "HQ", "-1"), ("MF004", "HQ", "1000000000"), ("MF004", "HQ", "some")),
        *(("MF004", "NOWHERE", "1"), ("NOSUCH", "HQ", "1")),
        *(("MF004", "HQ", "1", "--weight", "x"), ("MF004", "HQ", "1", "--weight", "0.00001")),
    ],
)
def test_an_impossible_stocktake_changes_nothing(run: Run, words: tuple[str, ...]) -> None:
    """Quantities are whole, from 0 to 999,999,999; weights have at most 4 decimals."""
    assert run("stock", "set", *words).code != 0
    assert run("stock", "get", "MF004", "--json").json[0]["on_hand"] == 30


def test_an_order_is_moved_on_step_by_step(run: Run) -> None:
    """Each step is logged with who took it; a step already taken changes nothing and succeeds."""
    assert run("orders", "create", "MINE-1", "MF004=2", "YPJ1600=1").code == 0
    for step in ("process", "process", "ship", "ship", "process"):
        assert run("orders", step, "MINE-1").code == 0
    shown = run("orders", "show", "MINE-1", "--json").json
    assert list(shown) == ["number", "connection", "state", "lines", "log"]
    assert (shown["connection"], shown["state"]) == (None, "shipped")
    assert shown["lines"] == [{"sku": "MF004", "qty": 2}, {"sku": "YPJ1600", "qty": 1}]
    assert [entry["what"] for entry in shown["log"]] == ["accepted", "processed", "shipped"]
    assert all(entry["at"].endswith("Z") and entry["who"] for entry in shown["log"])
    assert run("stock", "get", "MF004", "--json").json[0]["on_hand"] == 28
    assert run("verify").code == 0


def test_a_step_that_is_not_allowed_says_why(run: Run) -> None:
    """Goods that are not there are not shipped, what is shipped is not cancelled; nothing changes."""
    run("orders", "create", "MINE-1", "MF004=31")
    lacking = run("orders", "ship", "MINE-1")
    assert (lacking.code, "not enough pieces" in lacking.err) == (1, True)
    assert run("orders", "show", "MINE-1", "--json").json["state"] == "accepted"
    run("stock", "set", "MF004", "HQ", "31")
    assert run("orders", "ship", "MINE-1").code == 0
    late = run("orders", "cancel", "MINE-1")
    assert (late.code, "shipped" in late.err) == (1, True)


def test_a_cancelled_order_frees_its_goods_and_keeps_its_number(run: Run) -> None:
    """The reason stands in the log; the number cannot be used again."""
    run("orders", "create", "MINE-1", "MF004=5")
    assert run("orders", "cancel", "MINE-1", "--reason", "changed her mind").code == 0
    assert run("stock", "get", "MF004", "--json").json[0]["reserved"] == 0
    assert "changed her mind" in run("orders", "show", "MINE-1").out
    assert run("orders", "create", "MINE-1", "MF004=5").code == 1


@pytest.mark.parametrize(
    "line",
    ["MF004", "MF004=0", "MF004=-1", "=1", "MF004=1.5", "NOSUCH=1", "MF004=1000000000",
     "MF004=" + "9" * 5000, "\udcff=1"],
)  # fmt: skip
def test_an_order_that_cannot_be_is_not_placed(run: Run, line: str) -> None:
    """Every line names an article and at least one piece."""
    assert run("orders", "create", "MINE-1", line).code == 1
    assert run("orders", "show", "MINE-1").code == 1


@pytest.mark.parametrize("number", ["", " ", "N" * 201, "\udcff"])
def test_an_order_has_a_number_that_can_be_kept(run: Run, number: str) -> None:
    """Blank ones and bytes that are no text in the terminal's encoding are refused in a sentence."""
    refused = run("orders", "create", number, "MF004=1")
    assert (refused.code, refused.out, refused.err.count("\n")) == (1, "", 1)


def test_an_unknown_number_is_said_so(run: Run) -> None:
    """Steps on an order that nobody has exit 1."""
    for step in ("show", "process", "ship", "cancel"):
        refused = run("orders", step, "NOSUCH")
        assert (refused.code, refused.err) == (1, "There is no order NOSUCH.\n")


def test_settings_of_the_tenant_are_checked(run: Run) -> None:
    """Switches are on or off, networks are networks."""
    assert run("tenant", "set", "four_eyes=off", "allowed_networks=10.0.0.0/8,::1").code == 0
    rows = {row["tenant"]: row["settings"] for row in run("tenant", "list", "--json").json}
    assert rows["demo"]["four_eyes"] == "off"
    assert rows["demo"]["allowed_networks"] == ["10.0.0.0/8", "::1"]
    assert rows["partners"]["four_eyes"] == "on"
    for wrong in ("four_eyes=maybe", "allowed_networks=here", "nonsense=1", "freight_excluded=on"):
        assert run("tenant", "set", wrong).code == 1


def test_a_tenant_is_added_and_has_nothing_of_others(run: Run) -> None:
    """A new tenant starts empty."""
    assert run("tenant", "add", "third").code == 0
    assert run("connections", "list", "--json", "--tenant", "third").json == []
    assert "connections add" in run("connections", "list", "--tenant", "third").out
    assert run("tenant", "add", "third").code == 1
    unknown = run("connections", "list", "--tenant", "fourth")
    assert (unknown.code, "demo, partners, third" in unknown.err) == (1, True)


def test_exchanges_of_nobody_are_none(run: Run) -> None:
    """Without any call there is nothing to list."""
    assert run("exchanges", "list", "--json", "--document", "NO0015").json == []
    assert "connections list" in run("exchanges", "list").out


def test_help_names_every_command_and_loads_none() -> None:
    """`entrepot --help` imports neither the driver nor the web framework."""
    code = (
        "import sys; sys.argv = ['entrepot', '--help']\n"
        "from entrepot.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print({'asyncpg', 'litestar', 'aiohttp', 'structlog'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("set()\n")
    for command in ("connections", "exchanges", "import", "orders", "serve", "stock", "verify"):
        assert f" {command} " in done.stdout


def test_a_suite_has_what_its_parts_allow(run: Run, tmp_path: Path) -> None:
    """A suite has no stock of its own; its parts are counted, not it."""
    parts = [{"sku": "dongfangshuye", "num": 1}, {"sku": "xiaowanzi01", "num": 10}]
    suites = [{"sku": "BOX", "name": "礼盒", "parts": parts}]
    (tmp_path / "suites.json").write_text(json.dumps(suites), encoding="utf-8")
    assert run("suites", "save", str(tmp_path / "suites.json")).code == 0
    (row,) = run("stock", "get", "BOX", "--json").json
    assert (row["location"], row["on_hand"], row["available"]) == ("HQ", 0, 5)
    refused = run("stock", "set", "BOX", "HQ", "3")
    assert (refused.code, "count its parts" in refused.err) == (1, True)


def test_a_command_loads_nothing_of_the_web() -> None:
    """What only a server needs would cost every command its time."""
    code = (
        "import sys, entrepot.cli.orders, entrepot.cli.connections, entrepot.cli.stock\n"
        "print({'litestar', 'aiohttp', 'granian', 'jinja2'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def _goldshop(run: Run) -> list[dict[str, Any]]:
    rows = run("connections", "list", "--json", "--show-secrets").json
    return [row for row in rows if row["name"] == "goldshop"]


def test_a_lost_password_of_the_console_is_made_anew(run: Run) -> None:
    """It is printed once; somebody who is not there has none."""
    first = run("people", "password", "admin", "--json").json
    again = run("people", "password", "admin")
    assert (first["login"], len(first["password"])) == ("admin", 16)
    assert again.code == 0
    assert first["password"] not in again.out
    lost = run("people", "password", "nobody")
    assert (lost.code, lost.err) == (1, "Nobody is called nobody.\n")
