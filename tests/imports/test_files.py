"""Files come in, and what is wrong with them comes back."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import openpyxl
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run


def test_articles_with_stock_come_in(run: Run, tmp_path: Path) -> None:
    """Articles are created, counted in, and every balance is proven."""
    articles = _write(tmp_path / "articles.csv", "sku,style_no,name", "N1,S1,一", "N2,,二")
    stock = _write(tmp_path / "stock.csv", "sku,location,qty,weight", "N1,HQ,5,12.5", "N2,HQ,0,")
    assert run("import", "articles", articles, "--json").json == {
        "taken": 2,
        "left_out": 0,
        "errors": None,
    }
    assert run("import", "stock", stock).out == "2 rows taken, 0 left out.\n"
    rows = run("stock", "get", "N1", "N2", "--json").json
    assert [(row["on_hand"], row["weight"]) for row in rows] == [(5, 12.5), (0, 0)]
    assert run("verify").code == 0


def test_a_file_may_come_in_again(run: Run, tmp_path: Path) -> None:
    """What is there is changed, not doubled; columns the file lacks stay, empty cells empty."""
    _import(run, tmp_path, "articles", "sku,style_no,name", "N1,S1,一")
    _import(run, tmp_path, "articles", "sku,style_no,name", "N1,S1,一")
    _import(run, tmp_path, "articles", "sku,name", "N1,")
    assert run("orders", "create", "X", "N1=1").code == 0
    left = _import(run, tmp_path, "articles", "sku,style_no", "N2,S1")
    assert left == [["N2", "S1", "line 2: style_no S1 belongs to N1 already"]]


def test_new_articles_get_small_numbers_and_prices(run: Run, tmp_path: Path) -> None:
    """One each, whoever brings them in; a price the file lacks stays as it is."""
    file = tmp_path / "articles.csv"
    file.write_text("sku,retail_price\nN1,12.50\nN2,\nN1,9.9\n", encoding="utf-8")
    assert run("import", "articles", str(file)).code == 0
    file.write_text("sku,name\nN1,one\nN3,three\n", encoding="utf-8")
    assert run("import", "articles", str(file)).code == 0
    suites = tmp_path / "suites.json"
    parts = [{"sku": sku, "num": 1} for sku in ("N1", "N2", "N3")]
    suites.write_text(json.dumps([{"sku": "N", "name": "n", "parts": parts}]))
    assert run("suites", "save", str(suites)).code == 0
    rows = run("suites", "split", "N", "9", "--json").json
    assert [row["amount"] for row in rows] == [9, 0, 0]


def test_a_style_number_belongs_to_one_article(run: Run, tmp_path: Path) -> None:
    """Two articles of one file cannot share one; the last row of one SKU counts."""
    rows = ("N1,S1", "N2,S1", "N3,S3", "N3,S4", "N4,S3")
    left = _import(run, tmp_path, "articles", "sku,style_no", *rows)
    assert left == [["N2", "S1", "line 3: style_no S1 stands in the file twice"]]


def test_a_stocktake_of_what_was_counted_before(run: Run, tmp_path: Path) -> None:
    """The ledger gets the difference; without a weight the weight per piece stays."""
    run("orders", "create", "X", "YPJ1600=3")
    rows = ("YPJ1600,HQ,400,", "YPJ1601,HQ,7,21", "MF004,HQ,0,", "YPJ1602,HQ,500,1250", "PU1,HQ,9,")
    assert _import(run, tmp_path, "stock", "sku,location,qty,weight", *rows) == []
    found = run("stock", "get", "YPJ1600", "YPJ1601", "MF004", "YPJ1602", "--json").json
    assert [(r["sku"], r["on_hand"], r["reserved"], r["weight"]) for r in found] == [
        *(("MF004", 0, 0, 0), ("YPJ1600", 400, 3, 1000)),
        *(("YPJ1601", 7, 0, 21), ("YPJ1602", 500, 0, 1250)),
    ]
    assert run("verify").code == 0


def test_safety_stock_comes_with_the_count(run: Run, tmp_path: Path) -> None:
    """A safety column sets what is not to be sold; without it, it stays."""
    _import(run, tmp_path, "stock", "sku,location,qty,safety", "MF004,HQ,30,4", "PU1,HQ,3,1")
    _import(run, tmp_path, "stock", "sku,location,qty", "MF004,HQ,29")
    (row,) = run("stock", "get", "MF004", "--json").json
    assert (row["on_hand"], row["safety"], row["available"]) == (29, 4, 25)


def test_bad_rows_go_to_a_file_to_be_corrected(run: Run, tmp_path: Path) -> None:
    """The others go in; the file of errors has the same columns, and comes in when it is corrected."""
    path = _write(
        tmp_path / "stock.csv",
        *("sku,location,qty", "MF004,HQ,31", "NOSUCH,HQ,1", "MF004,NOWHERE,1"),
        *("MF004,HQ,-1", ",HQ,1", "MF004,HQ", "MF004,HQ,32"),
    )
    done = run("import", "stock", path)
    assert done.code == 1
    assert done.out == "2 rows taken, 5 left out.\n"
    errors = tmp_path / "stock.errors.csv"
    assert str(errors) in done.err.replace("\n", "")
    assert _read(errors) == [
        ["sku", "location", "qty", "error"],
        ["NOSUCH", "HQ", "1", "line 3: there is no article NOSUCH"],
        ["MF004", "NOWHERE", "1", "line 4: there is no location NOWHERE"],
        ["MF004", "HQ", "-1", "line 5: qty is not a whole number from 0 to 999999999: -1"],
        ["", "HQ", "1", "line 6: sku is empty"],
        ["MF004", "HQ", "", "line 7: it has 2 cells, the header 3"],
    ]
    assert run("stock", "get", "MF004", "--json").json[0]["on_hand"] == 32
    fixed = errors.read_text("utf-8-sig").replace("NOSUCH", "MF004").replace("NOWHERE", "HQ")
    errors.write_text(fixed.replace("-1,", "8,").replace("\n,", "\nMF004,"), "utf-8-sig")
    again = run("import", "stock", str(errors))
    assert again.out == "4 rows taken, 1 left out.\n"


def test_a_file_of_errors_goes_when_nothing_is_wrong_any_more(run: Run, tmp_path: Path) -> None:
    """An old file of errors would mislead."""
    (tmp_path / "articles.errors.csv").write_text("old")
    assert _import(run, tmp_path, "articles", "sku", "N1") == []
    assert not (tmp_path / "articles.errors.csv").exists()


def test_a_dry_run_finds_the_same_faults_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    """Everything is tried, nothing is kept."""
    path = _write(tmp_path / "s.csv", "sku,location,qty", "MF004,HQ,1", "NOSUCH,HQ,1")
    tried = run("import", "stock", path, "--dry-run")
    assert (tried.code, tried.out) == (1, "1 rows would be taken, 1 left out.\n")
    assert run("stock", "get", "MF004", "--json").json[0]["on_hand"] == 30


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_text_file_is_read_as_spreadsheets_write_it(
    run: Run, tmp_path: Path, encoding: str, delimiter: str
) -> None:
    """UTF-8 with or without a mark, UTF-16 and GBK; commas, semicolons and tabs; blank lines."""
    rows = [["sku", "name"], ["货号1", ' 一，"二" '], [], ["货号2", "three\nlines"]]
    path = tmp_path / "articles.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    assert run("import", "articles", str(path)).out == "2 rows taken, 0 left out.\n"
    assert run("orders", "create", "X", "货号1=1", "货号2=1").code == 0


def test_a_workbook_is_read(run: Run, tmp_path: Path) -> None:
    """The first sheet counts; 3.0 is 3, and rows end where their last cell is."""
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (
        ["sku", "location", "qty", "weight"],
        ["MF004", "HQ", 3.0, 10.5],
        [],
        ["PU1", "HQ", 2],
    ):
        book.active.append(row)
    book.save(tmp_path / "stock.xlsx")
    done = run("import", "stock", str(tmp_path / "stock.xlsx"))
    assert (done.code, done.out) == (0, "2 rows taken, 0 left out.\n")
    (row,) = run("stock", "get", "MF004", "--json").json
    assert (row["on_hand"], row["weight"]) == (3, 10.5)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "is empty"),
        ("a.csv", b"\xff\xff\xff", "neither UTF-8 nor GBK"),
        ("a.csv", b"name\nx\n", "lacks 'sku'"),
        ("a.csv", b'sku,name\n"N1,x\n', "cannot be read"),
        ("a.xlsx", b"sku\nN1\n", "is no XLSX file"),
        ("none.csv", None, "There is no file"),
    ],
)
def test_a_file_that_cannot_be_read_is_said_so(
    run: Run, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    """What is wrong with a file as a whole is one sentence."""
    if content is not None:
        (tmp_path / name).write_bytes(content)
    refused = run("import", "articles", str(tmp_path / name))
    assert (refused.code, said in refused.err) == (1, True)


def test_listings_say_what_a_partner_calls_an_article(run: Run, tmp_path: Path) -> None:
    """A listing points at an article; the same again points elsewhere."""
    rows = (
        "goldshop,normal,1^^^红,MF004",
        "goldshop,normal,1^^^红,YPJ1600",
        "nobody,normal,2,MF004",
    )
    left = _import(
        run, tmp_path, "listings", "connection,type,key,sku", *rows, "goldshop,x,y,NOSUCH"
    )
    assert [row[-1] for row in left] == [
        "line 4: there is no connection nobody",
        "line 5: there is no article NOSUCH",
    ]


def test_outlets_come_in_and_are_renamed(run: Run, tmp_path: Path) -> None:
    """An outlet is a place that stock lies at."""
    rows = ("7001,广州北京路店,广东省,广州市", "6001,改名,,上海市")
    assert _import(run, tmp_path, "outlets", "code,name,province,city", *rows) == []
    assert run("stock", "set", "MF004", "7001", "3").code == 0


def test_orders_come_in_whole_or_not_at_all(run: Run, tmp_path: Path) -> None:
    """The rows of an order stand together; with one that is wrong, all are left out."""
    rows = ("A,MF004,1", "A,YPJ1600,2", "B,MF004,1", "B,NOSUCH,1", "C,MF004,0", "C,MF004,1")
    left = _import(run, tmp_path, "orders", "number,sku,qty", *rows)
    assert [(row[0], row[-1]) for row in left] == [
        ("B", "line 4: No article is called NOSUCH."),
        ("B", "line 5: No article is called NOSUCH."),
        ("C", "line 6: qty is not a whole number from 1 to 999999999: 0"),
        ("C", "line 7: line 6 of the same number is wrong"),
    ]
    assert run("orders", "show", "A", "--json").json["lines"] == [
        {"sku": "MF004", "qty": 1},
        {"sku": "YPJ1600", "qty": 2},
    ]
    assert _import(run, tmp_path, "orders", "number,sku,qty", "A,MF004,1", "A,YPJ1600,2") == []
    assert run("stock", "get", "MF004", "--json").json[0]["reserved"] == 1


def test_many_rows_are_cut_into_batches(run: Run, tmp_path: Path) -> None:
    """An order longer than a batch stays whole; nothing is lost where batches meet."""
    orders = [f"L{number // 250},MF004,1" for number in range(1000)]
    assert _import(run, tmp_path, "orders", "number,sku,qty", *orders) == []
    assert len(run("orders", "show", "L3", "--json").json["lines"]) == 250
    articles = [f"B{number}" for number in range(45_000)]
    assert _import(run, tmp_path, "articles", "sku", *articles) == []
    assert run("stock", "get", "B0", "B44999").code == 0


def test_a_name_the_partner_would_refuse_is_left_out(run: Run, tmp_path: Path) -> None:
    """One would spoil every call it stands in; what a dialect has no rule for may be anything."""
    left = _import(
        *(run, tmp_path, "listings", "connection,type,key,sku"),
        "minimall,normal,7^^^x,MM1",
        "minimall,coupon,7^^^x,MM1",
        "minimall-in,integral,7,MM1",
        "minimall,group,7,MM1",
        "goldshop,any,7,MM1",
        "nobody,coupon,7,MM1",
    )
    assert [row[:3] for row in left] == [
        ["minimall", "coupon", "7^^^x"],
        ["minimall-in", "integral", "7"],
        ["nobody", "coupon", "7"],
    ]
    assert "normal, group, integral" in left[0][-1]
    assert "{商品ID}^^^{规格key}" in left[1][-1]


def test_the_template_of_every_kind_is_its_header(run: Run) -> None:
    """The header alone goes to stdout, so that rows can be appended; an example goes to stderr."""
    assert run("import", "stock", "--template").out == "sku,location,qty,weight,safety\n"
    assert run("import", "listings", "--template").out == "connection,type,key,sku\n"
    for kind in ("articles", "outlets", "orders"):
        answer = run("import", kind, "--template")
        assert answer.out.count("\n") == 1
        assert "For example" in answer.err


def test_what_is_missing_is_asked_for(run: Run) -> None:
    """An unknown kind and a missing file are said, with what to do."""
    assert "Known: articles" in run("import", "coins", "x.csv").err
    assert "--template" in run("import", "stock").err


def _import(run: Run, folder: Path, kind: str, *lines: str) -> list[list[str]]:
    """Bring lines in; return the rows that were left out, without the header."""
    answer = run("import", kind, _write(folder / f"{kind}.csv", *lines))
    errors = folder / f"{kind}.errors.csv"
    left = _read(errors)[1:] if errors.exists() else []
    assert answer.code == (1 if left else 0)
    return left


def _write(path: Path, *lines: str) -> str:
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def _read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))
