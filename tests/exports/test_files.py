"""What goes out can come in again, says what there is, and is harmless in a spreadsheet."""

from __future__ import annotations

import asyncio
import csv
import json
import tracemalloc
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.errors import Unusable
from entrepot.exports import files, flows, kinds
from entrepot.hub import Hub
from entrepot.imports.rules import guarded, unguarded

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from entrepot.settings import Settings
    from tests.cli.conftest import Run

KINDS = ("articles", "suites", "outlets", "listings", "pieces", "stock", "orders")
BOX = {
    "sku": "BOX1", "name": "茶礼", "unit": "盒", "label": "热卖", "print_mode": 1, "weight": 1.25,
    "props": ["红", "", "", "", "", "6"],
    "parts": [
        {"sku": "dongfangshuye", "num": 2, "ratio": 0.5},
        {"sku": "xiaowanzi01", "num": 1.5, "is_fixed_price": True, "fixed_price": 12.5},
    ],
}  # fmt: skip
EVIL = ("=1+1", "+1", "-cmd", "@SUM(A1)", "'=1", "''-x", "\t=1", "'plain", "plain")


@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_everything_that_goes_out_comes_in_again(
    run: Run, tmp_path: Path, ending: str, other_demo: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Into another hub, kind after kind; then it has the same to say."""
    _fill(run, tmp_path)
    before = {kind: _out(run, tmp_path, kind, ending) for kind in KINDS}
    assert [row[:2] for row in before["suites"][1:]] == [["BOX1", "茶礼"], ["BOX1", "茶礼"]]
    monkeypatch.setenv("ENTREPOT_DATABASE_URL", other_demo.database_url or "")
    monkeypatch.setenv("ENTREPOT_DATA", str(other_demo.data))
    monkeypatch.setenv("ENTREPOT_KEY_FILE", str(other_demo.keys))
    for kind in KINDS:
        answer = run("import", kind, str(tmp_path / f"{kind}.{ending}"), "--json").json
        # Orders of partners come in through their connections; known ones with other words stay.
        assert answer["left_out"] == 0 or kind == "orders", (kind, answer)
    after = {kind: _out(run, tmp_path, kind, ending) for kind in KINDS}
    for kind in KINDS[:-1]:
        assert after[kind] == before[kind], kind
    moving = {"state", "created_at"}
    own = [_named(table, without=moving) for table in (before["orders"], after["orders"])]
    assert [row for row in own[1] if row["number"].startswith("OUT")] == [
        row for row in own[0] if row["number"].startswith("OUT")
    ]
    assert run("verify").code == 0


def test_an_order_stands_as_it_came_with_what_became_of_it(run: Run, tmp_path: Path) -> None:
    """Its head on its first line, prices and gifts on each; receivers only where they are asked for."""
    _fill(run, tmp_path)
    rows = [row for row in _named(_out(run, tmp_path, "orders")) if row["number"] == "OUT1"]
    assert [(row["sku"], row["qty"], row["price"], row["gift"]) for row in rows] == [
        ("G1/C1/S1", "1", "32.5", "0"),
        ("G2/C2/S2", "2", "0.5", "1"),
    ]
    assert [row["freight"] for row in rows] == ["5", ""]
    assert [row["phone"] for row in rows] == ["13800000000", ""]
    assert rows[0]["state"] == "accepted"
    assert run("export", "orders", str(tmp_path / "plain.csv")).code == 0
    plain = (tmp_path / "plain.csv").read_text("utf-8-sig")
    assert "13800000000" not in plain
    assert not {"receiver", "phone", "address"} & set(plain.partition("\n")[0].split(","))


def test_no_text_is_a_formula(run: Run, tmp_path: Path) -> None:
    """Guarded in CSV, typed as text in XLSX; it comes in again as it was."""
    file = tmp_path / "articles.json"
    file.write_text(json.dumps([{"sku": f"E{at}", "name": name} for at, name in enumerate(EVIL)]))
    assert run("import", "articles", str(file)).code == 0
    raw = _out(run, tmp_path, "articles")
    names = {row[0]: row[2] for row in raw}
    assert all(not names[f"E{at}"].startswith(("=", "+", "-", "@")) for at in range(len(EVIL)))
    before = run("export", "articles", str(tmp_path / "again.csv"))
    assert before.code == 0
    assert run("import", "articles", str(tmp_path / "again.csv")).code == 0
    assert _out(run, tmp_path, "articles") == raw
    assert run("export", "articles", str(tmp_path / "book.xlsx")).code == 0
    grid = openpyxl.load_workbook(tmp_path / "book.xlsx").worksheets[0]
    kinds = {cell.data_type for row in grid.iter_rows() for cell in row if cell.value is not None}
    assert "f" not in kinds


@given(st.text(max_size=20))
def test_whatever_is_guarded_is_found_again(text: str) -> None:
    """And never begins as a formula does."""
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "@", "\t", "\r"))
    assert not guarded(f"-{text}").startswith("-") or float(f"-{text}") <= 0


def test_a_number_below_nothing_is_no_formula() -> None:
    """It stays a number; what only looks like one does not."""
    cells = ("-1", "-0.5", "'-1", "-1+1", "-1\n", "-٣")
    assert [guarded(cell) for cell in cells] == ["-1", "-0.5", "'-1", "'-1+1", "'-1\n", "'-٣"]
    assert [unguarded(guarded(cell)) for cell in cells] == list(cells)


def test_a_file_that_cannot_be_is_said_and_leaves_nothing(run: Run, tmp_path: Path) -> None:
    """Another ending, a folder there is not, a kind there is not."""
    for kind, name, said in (
        ("stock", "x.ods", "should end in .csv or .xlsx"),
        ("stock", "nowhere/x.csv", "There is no folder"),
        ("coins", "x.csv", "Known: articles"),
    ):
        answer = run("export", kind, str(tmp_path / name))
        assert answer.code == 1
        assert said in answer.err
    assert list(tmp_path.iterdir()) == []


def test_what_no_workbook_holds_is_said(tmp_path: Path) -> None:
    """Too long a text; control characters are left out, long numbers are texts."""
    path = tmp_path / "x.xlsx"
    with files.writing(path) as write:
        write(["a\x01b", 2**60, True, None, 0.5])
    row = next(openpyxl.load_workbook(path).worksheets[0].iter_rows(values_only=True))
    assert row[:3] == ("ab", str(2**60), "on")
    with pytest.raises(Unusable, match="32767 characters"), files.writing(path) as write:
        write(["x" * 40_000])
    assert [one.name for one in tmp_path.iterdir()] == ["x.xlsx"]


def test_many_rows_go_out_in_bounded_memory(demo_settings: Settings, tmp_path: Path) -> None:
    """A hundred thousand articles are never in memory together."""

    async def export() -> tuple[int, int]:
        async with await Hub.open(demo_settings, size=2) as hub:
            tenant = hub.registry.tenant("demo")
            await hub.db.run(
                tenant,
                lambda tx: tx.do(
                    "INSERT INTO article (tenant_id, id, sku, name)"
                    " SELECT $1, n, 'MANY' || n, repeat('名', 100) FROM generate_series(1, 100000) AS n"
                ),
            )
            tracemalloc.start()
            try:
                rows = await _exported(hub, tenant, tmp_path / "many.csv")
                return rows, tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    rows, peak = asyncio.run(export())
    assert rows > 100_000
    assert peak < 20_000_000


async def _exported(hub: Hub, tenant: int, path: Path) -> int:
    return await flows.run(hub.db, tenant, kinds.KINDS["articles"], path)


def _fill(run: Run, folder: Path) -> None:
    """Have a suite, and an order with a receiver and prices."""
    (folder / "suites.json").write_text(json.dumps([BOX]), encoding="utf-8")
    assert run("suites", "save", str(folder / "suites.json")).code == 0
    order = {
        "number": "OUT1", "customer": "么志勇", "customer_id": 149, "freight": 5, "discount": 1.5,
        "receiver": {
            "name": "小满", "phone": "13800000000", "province": "浙江省", "city": "杭州市",
            "address": "文三路1号, =2",
        },
        "lines": [
            {"sku": "G1/C1/S1", "qty": 1, "price": 32.50, "unit_id": 5, "product_id": 4},
            {"sku": "G2/C2/S2", "qty": 2, "price": 0.5, "gift": 1},
        ],
    }  # fmt: skip
    orders = [order, {"number": "OUT2", "sku": "MF004", "qty": 3}]
    (folder / "in.json").write_text(json.dumps(orders), encoding="utf-8")
    assert run("import", "orders", str(folder / "in.json")).code == 0


def _out(run: Run, folder: Path, kind: str, ending: str = "csv") -> list[list[str]]:
    """Bring a kind out; return the rows of the file, its header first."""
    path = folder / f"{kind}.{ending}"
    rows = run("export", kind, str(path), "--personal", "--json").json["rows"]
    if ending == "xlsx":
        grid = openpyxl.load_workbook(path).worksheets[0]
        table = [
            ["" if v is None else str(v) for v in row] for row in grid.iter_rows(values_only=True)
        ]
    else:
        with path.open(encoding="utf-8-sig", newline="") as text:
            table = list(csv.reader(text))
    assert len(table) == rows + 1
    assert path.stat().st_mode & 0o077 == 0
    return table


def _named(table: list[list[str]], without: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return the rows by the names of their columns."""
    header, *rows = table
    return [
        {name: cell for name, cell in zip(header, row, strict=True) if name not in without}
        for row in rows
    ]
