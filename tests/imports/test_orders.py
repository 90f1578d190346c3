"""Orders come in by file, with receivers, prices and everything a back office needs; suites too."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

HANGZHOU = {
    "receiver": "小满", "phone": "13800000000", "province": "浙江省", "city": "杭州市",
    "county": "西湖区", "address": "文三路1号, 2单元",
}  # fmt: skip


def test_an_order_with_a_receiver_is_offered_to_outlets(run: Run, tmp_path: Path) -> None:
    """As one of a store's is: the outlet of the receiver's city is asked, the receiver is kept sealed."""
    rows = [
        {"number": "R1", "sku": "G1/C1/S1", "qty": 1, **HANGZHOU},
        {"number": "R1", "sku": "G2/C2/S2", "qty": 2},
        {"number": "R2", "sku": "MF004", "qty": 1},
    ]
    assert _left(run, _csv(tmp_path, rows)) == []
    offers = run("deliveries", "list", "--document", "R1", "--json").json
    assert [row["connection"] for row in offers] == ["storepos"]
    there = run("stock", "get", "G1/C1/S1", "--json").json
    assert {row["location"]: row["reserved"] for row in there if row["reserved"]} == {"6002": 1}
    assert run("orders", "ship", "R1").code == 1
    assert run("orders", "ship", "R2").code == 0


def test_half_a_receiver_is_said(run: Run, tmp_path: Path) -> None:
    """What is missing is named; a county may be missing."""
    rows: list[dict[str, Any]] = [
        {"number": "H1", "sku": "MF004", "qty": 1, "receiver": "小满", "city": "杭州市"},
        {"number": "H2", "sku": "G1/C1/S1", "qty": 1, **HANGZHOU, "county": ""},
    ]
    assert _left(run, _csv(tmp_path, rows)) == [
        "line 2: phone, province, address of the receiver is empty"
    ]


def test_what_is_said_of_the_order_is_said_once(run: Run, tmp_path: Path) -> None:
    """Further lines leave it empty or repeat it; another word on one of them spoils the order."""
    same = {"number": "S1", "qty": 1, "customer_id": 149, "freight": 5}
    rows: list[dict[str, Any]] = [
        {**same, "sku": "PU1"},
        {**same, "sku": "PU184"},
        {**same, "number": "S2", "sku": "PU1"},
        {"number": "S2", "sku": "PU184", "qty": 1, "freight": 6},
    ]
    wrong = "freight of line 5 is not that of the first line"
    assert _left(run, _csv(tmp_path, rows)) == [f"line 4: {wrong}", f"line 5: {wrong}"]


def test_prices_need_a_customer(run: Run, tmp_path: Path) -> None:
    """Nobody would owe them."""
    rows: list[dict[str, Any]] = [
        {"number": "P1", "sku": "PU1", "qty": 1, "price": "2"},
        {"number": "P2", "sku": "PU1", "qty": 1, "discount": "1"},
        {"number": "P3", "sku": "PU1", "qty": 1, "price": "-1", "customer_id": 149},
        {"number": "P4", "sku": "PU1", "qty": 1, "price": "1.00001", "customer_id": 149},
        {"number": "P5", "sku": "PU1", "qty": 1, "gift": 3, "customer_id": 149},
    ]
    said = _left(run, _csv(tmp_path, rows))
    assert said[:2] == [
        "line 2: price is given, and no customer_id",
        "line 3: discount is given, and no customer_id",
    ]
    assert ["price is not a number" in one for one in said[2:4]] == [True, True]
    assert "gift is neither" in said[4]


def test_json_says_the_same_as_a_sheet(run: Run, tmp_path: Path) -> None:
    """Orders with their lines in a list and the receiver as an object; the numbers stay exact."""
    orders: list[dict[str, Any]] = [
        {
            "number": "J1",
            "customer": "么志勇",
            "customer_id": 149,
            "receiver": {"name": "小满", **{k: v for k, v in HANGZHOU.items() if k != "receiver"}},
            "lines": [
                {"sku": "G1/C1/S1", "qty": 1, "price": 32.50, "unit_id": 5},
                {"sku": "G2/C2/S2", "qty": "2", "price": "0.5", "gift": 1},
            ],
        },
        {"number": "J2", "lines": [{"sku": "NOSUCH", "qty": 1}]},
        {"number": "J3", "lines": []},
        {"number": "J4", "customer": ["a"], "lines": [{"sku": "MF004", "qty": 1}]},
        {"number": "J5", "lines": [{"sku": "MF004", "qty": 1.5}], "more": [{"sku": "MF004"}]},
    ]
    file = tmp_path / "orders.json"
    file.write_text(json.dumps(orders), encoding="utf-8")
    answer = run("import", "orders", str(file))
    assert answer.code == 1
    assert "does not know 'more'" in answer.err
    del orders[4]["more"]
    file.write_text(json.dumps(orders, ensure_ascii=False), encoding="utf-8-sig")
    assert _left(run, str(file)) == [
        "line 4: No article is called NOSUCH.",
        "line 5: sku is empty",
        'line 6: a cell is neither a text nor a number: ["a"]',
        "line 7: qty is not a whole number from 1 to 999999999: 1.5",
    ]
    assert [line["qty"] for line in run("orders", "show", "J1", "--json").json["lines"]] == [1, 2]
    assert run("import", "orders", str(file), "--json").json["taken"] == 2  # the same again


def test_suites_come_in_part_by_part(run: Run, tmp_path: Path) -> None:
    """Replaced as a whole; one with an unknown part, or whose rows do not stand together, is left out."""
    file = tmp_path / "suites.csv"
    rows = (
        "BOX1,茶礼,盒,1,dongfangshuye,2,off,,0.5",
        "BOX1,,,,xiaowanzi01,1.5,on,12.5,",
        "BOX2,,,,NOSUCH,1,,,",
        "BOX1,,,,xiaowanzi01,3,,,",
        "BOX3,,,7,xiaowanzi01,1,,,",
        "BOX4,,,,xiaowanzi01,0,,-2,",
    )
    columns = "sku,name,unit,print_mode,part,num,is_fixed_price,fixed_price,ratio"
    file.write_text("\n".join((columns, *rows)), encoding="utf-8")
    said = _left(run, str(file), "suites")
    assert [one.partition(":")[0] for one in said] == ["line 4", "line 5", "line 6", "line 7"]
    assert "NOSUCH" in said[0]
    assert said[1] == "line 5: BOX1 stands further up already"
    assert said[2] == "line 6: print_mode is neither 0 nor 1 nor 2: 7"
    shown = run("suites", "show", "BOX1", "--json").json
    assert [(p["sku"], p["num"], p["is_fixed_price"], p["ratio"]) for p in shown["parts"]] == [
        ("dongfangshuye", 2, False, 0.5),
        ("xiaowanzi01", 1.5, True, -1),
    ]
    assert (shown["name"], shown["unit"], shown["print_mode"]) == ("茶礼", "盒", 1)
    file.write_text("sku,part,num\nBOX1,xiaowanzi01,1\n", encoding="utf-8")
    assert _left(run, str(file), "suites") == []
    assert len(run("suites", "show", "BOX1", "--json").json["parts"]) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"number":"L1","sku":"MF004","qty":1}\n{"number":"L2","sku":"MF004","qty":1}\n', ""),
        ("[1]", "item 1 is not an object"),
        ("{", "is no JSON of objects"),
        ("[]", "is empty"),
        ("[" * 100_000, "is empty"),
        ('{"a":' * 100_000, "is nested too deep"),
        (f'{{"a":"{"x" * 5_000_000}"', "is no JSON of objects"),
        (json.dumps({str(key): 1 for key in range(1001)}), "has more than 1000 different keys"),
    ],
)
def test_json_may_be_an_array_or_lines(run: Run, tmp_path: Path, text: str, said: str) -> None:
    """What is neither is said as a whole, and nothing is taken."""
    file = tmp_path / "orders.jsonl"
    file.write_text(text, encoding="utf-8")
    answer = run("import", "orders", str(file))
    assert answer.code == (1 if said else 0)
    assert said in answer.err


def test_json_of_any_size_is_read_piece_by_piece(run: Run, tmp_path: Path) -> None:
    """Objects that lie across the borders of what is read at once are read whole."""
    file = tmp_path / "articles.json"
    rows = [{"sku": f"BIG{n}", "name": "名" * 500, "unit": None} for n in range(3000)]
    file.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    assert file.stat().st_size > 4 * 1024 * 1024
    assert run("import", "articles", str(file), "--json").json["taken"] == 3000


def _csv(folder: Path, rows: list[dict[str, Any]]) -> str:
    """Write rows whose keys are columns."""
    file = folder / "orders.csv"
    columns = dict.fromkeys(key for row in rows for key in row)
    with file.open("w", encoding="utf-8", newline="") as text:
        writer = csv.DictWriter(text, list(columns), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return str(file)


def _left(run: Run, file: str, kind: str = "orders") -> list[str]:
    """Bring a file in; return why rows were left out."""
    answer = run("import", kind, file, "--json").json
    if answer["errors"] is None:
        return []
    with open(answer["errors"], encoding="utf-8-sig", newline="") as text:  # noqa: PTH123
        return [row[-1] for row in csv.reader(text)][1:]
