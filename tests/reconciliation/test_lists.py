"""Orders, stock and refunds of a day, theirs against ours, by the commands on the demonstration."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from entrepot import clock
from tests import daytime
from tests.cli.conftest import run  # noqa: F401 - a fixture

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Answer, Run


@pytest.fixture
def today() -> str:
    """Give the day in which everything of a test happens."""
    return daytime.today().isoformat()


class Books:
    """Reconciles lists with one connection."""

    def __init__(self, command: Run, folder: Path, day: str) -> None:
        self.run = command
        self.folder = folder
        self.day = day

    def compare(self, connection: str, kind: str, text: str, *more: str) -> Answer:
        """Compare a list given as text."""
        file = self.folder / f"{kind}.csv"
        file.write_text(text)
        asked = ("--connection", connection, "--kind", kind, "--day", self.day)
        return self.run("reconcile", str(file), *asked, *more)

    def standing(self, kind: str) -> dict[str, Any]:
        """Return what stands, by subject without the day."""
        rows = self.run("discrepancies", "list", "--kind", kind, "--json").json
        return {row["subject"].removeprefix(f"{self.day} "): row for row in rows}


@pytest.fixture
def books(run: Run, tmp_path: Path, today: str) -> Books:  # noqa: F811
    """Give the books of the demonstration."""
    return Books(run, tmp_path, today)


def test_orders_are_compared_by_number_pieces_and_state(books: Books) -> None:
    """What they lack, what we lack, and what is said differently; a cancelled one may be missing there."""
    all_of = [row["number"] for row in _orders(books)]
    listed = "\n".join(["number", *all_of])
    same = books.compare("trade", "orders", listed, "--own")
    assert (same.code, same.out) == (
        0,
        f"They list {len(all_of)}, we have {len(all_of)}; 0 differ.\n",
    )
    wrong = books.compare(
        "trade",
        "orders",
        "number,qty,state\nSA180611037577,3,\ntest-05,10,open\nNEW-1,1,\n",
        "--own",
    )
    assert wrong.code == 1
    found = books.standing("orders_differ")
    assert found["SA180611037577"]["details"] == {
        "theirs": {"qty": 3},
        "ours": {
            "qty": 2,
            "amount": found["SA180611037577"]["details"]["ours"]["amount"],
            "state": "shipped",
        },
    }
    assert found["test-05"]["details"]["theirs"] == {"qty": 10, "state": "open"}
    assert found["NEW-1"]["details"]["ours"] is None
    assert found["test-01"]["details"]["theirs"] is None
    assert found["test-01"]["document"] == "test-01"
    assert len(found) == len(all_of) + 1
    assert books.compare("trade", "orders", listed, "--own").code == 0
    assert books.standing("orders_differ") == {}
    (row,) = books.run("reconcile", "list", "--json").json
    assert (row["connection"], row["kind"], row["differing"]) == ("trade", "orders", 0)
    assert "trade" in books.run("reconcile", "list", "--connection", "trade").out
    assert (
        "Nothing was reconciled" in books.run("reconcile", "list", "--connection", "goldshop").out
    )


def _orders(books: Books) -> list[dict[str, str]]:
    """Return the demonstration's own orders; the books are of the day on which they came in."""
    numbers = ("SA180611037577", "test-01", "test-03", "test-05", "test-07", "test-08", "test-09")
    shown = [books.run("orders", "show", number, "--json").json for number in numbers]
    assert {one["connection"] for one in shown} == {None}
    accepted = datetime.fromisoformat(shown[0]["log"][0]["at"])
    books.day = clock.shanghai(accepted).date().isoformat()
    return shown


def test_stock_is_compared_as_of_the_days_end(books: Books) -> None:
    """By the connection's keys, style numbers or SKUs; somewhere or everywhere; lying there or for sale."""
    books.run("orders", "create", "OWN-1", "MF004=2")
    lies = "sku,location,qty\nMF004,HQ,30\nYPJ1601,,500\n"
    assert books.compare("goldshop", "stock", lies).code == 0
    assert books.compare("goldshop", "stock", lies, "--sellable").code == 1
    assert set(books.standing("stock_differs")) == {"MF004 @ HQ"}
    sold = books.compare(
        "goldshop", "stock", "sku,qty\nMF004,28\nYPJ1601,499\nNOPE,1\n", "--sellable"
    )
    assert sold.code == 1
    found = books.standing("stock_differs")
    assert set(found) == {"YPJ1601", "NOPE"}
    assert found["YPJ1601"]["text"] == "YPJ1601: theirs qty 499, ours qty 500."
    assert found["NOPE"]["text"] == "NOPE: theirs qty 1, ours does not have it."
    mall = "sku,location,qty\n1^^^8Gú128G,aaa,20\n2^^^白色,aaa,30\n2,aaa,41\n"
    assert books.compare("minimall", "stock", mall).code == 1
    found = books.standing("stock_differs")
    assert found["2 @ aaa"]["details"] == {"theirs": {"qty": 41}, "ours": {"qty": 40}}
    assert found["3^^^a^^^b"]["details"] == {"theirs": None, "ours": {"qty": 10}}


def test_a_later_movement_does_not_change_an_earlier_day(books: Books) -> None:
    """The ledger knows what lay there: yesterday, before the demonstration was loaded, nothing did."""
    books.day = "2020-02-29"
    assert books.compare("goldshop", "stock", "sku,qty\nMF004,0\n").code == 0


def test_refunds_are_compared_by_the_paper_that_was_refunded(books: Books) -> None:
    """A refund that only one side has, and one of another amount; a list of nothing agrees with nothing."""
    assert books.compare("trade", "refunds", "number,amount\n").code == 0
    assert books.compare("trade", "refunds", "number,amount\nSR1,32.50\nSR1,1\n").code == 1
    found = books.standing("refunds_differ")
    assert found["SR1"]["text"] == "SR1: theirs amount 33.5, ours does not have it."


def test_a_persons_verdict_holds_while_the_figures_do(books: Books) -> None:
    """The same list again stays settled; other figures open it anew."""
    books.compare("trade", "refunds", "number,amount\nSR1,32.50\n")
    row = books.standing("refunds_differ")["SR1"]
    assert books.run("reconcile", "resolve", row["id"], "--reason", "paid in cash").code == 0
    books.compare("trade", "refunds", "number,amount\nSR1,32.50\n")
    assert books.standing("refunds_differ") == {}
    books.compare("trade", "refunds", "number,amount\nSR1,33\n")
    assert set(books.standing("refunds_differ")) == {"SR1"}
    assert books.run("reconcile", "resolve", "x", "--reason", "r").code == 1
    assert books.run("reconcile", "resolve", "1", "--reason", "r").code == 1


def test_a_spreadsheet_is_read_too(books: Books, tmp_path: Path) -> None:
    """XLSX, with numbers as numbers."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (("sku", "qty"), ("MF004", 30)):
        sheet.append(row)
    book.save(tmp_path / "stock.xlsx")
    asked = ("--connection", "goldshop", "--kind", "stock", "--day", books.day, "--json")
    done = books.run("reconcile", str(tmp_path / "stock.xlsx"), *asked)
    assert (done.code, done.json["theirs"], done.json["differing"]) == (0, 1, 0)


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("orders", "number,qty\nA,1.5\nB,x\n", "line 2: qty"),
        ("orders", "number,state\nA,gone\n", "one of open, shipped, cancelled"),
        ("stock", "sku\nA\n", "lacks 'qty'"),
        ("money", "number\n", "Known: orders, stock, refunds"),
        ("orders", "number,qty\n" + "A,x\n" * 30, "and more"),
    ],
)
def test_half_a_list_is_refused(books: Books, kind: str, text: str, said: str) -> None:
    """A list with wrong lines would make differences that are none."""
    done = books.compare("goldshop", kind, text)
    assert (done.code, said in done.err) == (1, True), done.err
    books.day = "today"
    assert "written 2026-03-01" in books.compare("goldshop", "orders", "number\n").err
