"""What a file's header and cells may say."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.errors import BadInput
from entrepot.imports.rules import (
    LONGEST,
    Column,
    Layout,
    Unfit,
    digit,
    exact,
    exact_or_none,
    gift,
    identity,
    nobodys,
    positive,
    short,
    switch,
    whole,
)

COLUMNS = (
    Column(name="sku", required=True),
    Column(name="qty", required=True, check=whole),
    Column(name="name"),
)


def test_columns_may_stand_in_any_order() -> None:
    """A row is read by the header; a column that the file lacks is empty."""
    layout = Layout(COLUMNS, "", ["qty", "error", "sku"])
    assert layout.read(["7", "line 2: old", "A1"]) == (("A1", "7", ""), None)
    assert layout.given == {"qty", "sku"}
    assert layout.cell(["7", "", "A1"], "sku") == "A1"
    assert layout.cell(["7"], "sku") == ""


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (["sku"], "lacks 'qty'"),
        (["sku", "qty", "colour", "size"], "does not know 'colour', 'size'"),
        (["sku", "qty", "sku"], "repeats 'sku'"),
        (["name", "x"], "lacks 'sku', 'qty'; it does not know 'x'"),
    ],
)
def test_a_header_that_cannot_be_read_is_refused_whole(header: list[str], said: str) -> None:
    """Every column that lacks, is unknown or stands twice is named, and those that there are."""
    with pytest.raises(BadInput) as refused:
        Layout(COLUMNS, "", header)
    assert said in refused.value.text
    assert "Columns: sku, qty, name." in refused.value.text


def test_cells_that_each_fit_may_be_longer_together() -> None:
    layout = Layout(COLUMNS, "details.", ["sku", "qty", "name", "details.pno"])
    long = "x" * LONGEST
    assert layout.read(["A1", "7", long, long]) == (("A1", "7", long, long), None)


def test_a_kind_may_take_columns_that_nobody_foresaw() -> None:
    """Columns with the kind's prefix follow the others, in the file's order."""
    layout = Layout(COLUMNS, "details.", ["details.pno", "sku", "qty", "details.guige"])
    assert layout.extra == ["details.pno", "details.guige"]
    assert layout.read(["1362", "A1", "7", "500g"])[0] == ("A1", "7", "", "1362", "500g")


@pytest.mark.parametrize(
    ("cells", "fault"),
    [
        (["", "1", ""], "sku is empty"),
        (["A1", "", ""], "qty is empty"),
        (["A1", "x", ""], "qty is not a whole number from 0 to 999999999: x"),
        (["A1"], "it has 1 cells, the header 3"),
        (["A1", "1", "", "more"], "it has 4 cells, the header 3"),
        (["A1", "1", "\0"], "a cell holds a NUL character"),
        (["A1", "1", "x" * (LONGEST + 1)], "a cell has more than 2000 characters"),
    ],
)
def test_a_row_that_is_wrong_says_why(cells: list[str], fault: str) -> None:
    """The first thing that is wrong with a row is said."""
    assert Layout(COLUMNS, "", ["sku", "qty", "name"]).read(cells)[1] == fault


def test_empty_cells_past_the_header_do_not_count() -> None:
    """Spreadsheets write trailing commas."""
    assert Layout(COLUMNS, "", ["sku", "qty", "name"]).read(["A1", "1", "", "", ""])[1] is None


@given(st.integers(-5, 10**10))
def test_pieces_are_whole_and_bounded(number: int) -> None:
    """0 (or 1) to 999,999,999, in digits alone."""
    assert (whole(str(number)) is None) == (0 <= number <= 999_999_999)
    assert (positive(str(number)) is None) == (1 <= number <= 999_999_999)


@given(st.text(string.digits + " +-.e_٣½", max_size=8))
def test_pieces_are_written_in_digits(cell: str) -> None:
    """Signs, spaces, fractions and digits of other scripts are no quantities."""
    plain = cell != "" and set(cell) <= set(string.digits)
    assert (whole(cell) is None) == plain


@given(st.decimals(allow_nan=True, allow_infinity=True, places=None))
def test_amounts_are_exact(number: object) -> None:
    """What passes is finite, at least 0 and has at most 4 decimals."""
    cell = str(number)
    if exact(cell) is None:
        assert float(cell) >= 0
        assert float(cell) < 10**15


@pytest.mark.parametrize(
    ("cell", "good"),
    [
        *(("0", True), ("12.5", True), ("0.0001", True), ("1e3", True)),
        *(("-1", False), ("0.00001", False), ("x", False), ("NaN", False), ("Infinity", False)),
        *(("1e15", False), ("1e999999999", False), ("sNaN", False)),
    ],
)
def test_an_amount_is_a_number(cell: str, *, good: bool) -> None:
    """Nothing else than a number is an amount."""
    assert (exact(cell) is None) == good


@pytest.mark.parametrize(
    ("cell", "good"),
    [("0", True), (str(2**53 - 1), True), (str(2**53), False), ("-1", False), ("1.0", False)],
)
def test_an_id_is_what_every_json_can_hold(cell: str, *, good: bool) -> None:
    """Digits alone, below 2^53."""
    assert (identity(cell) is None) == good


def test_a_flag_of_gifts_and_a_name_have_their_bounds() -> None:
    """0, 1 and 2; 200 characters."""
    assert [gift(cell) is None for cell in ("0", "1", "2", "3", "")] == [True] * 3 + [False] * 2
    assert [short("名" * many) is None for many in (200, 201)] == [True, False]


def test_a_choice_of_three_and_an_amount_that_may_be_none() -> None:
    """-1 says that there is no fixed price, or no ratio; nothing else below 0 is an amount."""
    assert [digit(cell) is None for cell in ("0", "1", "2", "3", "x")] == [True] * 3 + [False] * 2
    cells = ("-1", "-1.0", "0", "0.5", "-2", "-0.5", "x")
    assert [exact_or_none(cell) is None for cell in cells] == [True] * 4 + [False] * 3


def test_an_order_of_a_partner_s_does_not_come_in_by_file() -> None:
    """Whatever its connection is called: it would be taken twice."""
    columns = (Column(name="number"), Column(name="connection", check=nobodys))
    layout = Layout(columns, "", ["number", "connection"])
    assert layout.read(["A", ""])[1] is None
    assert layout.read(["A", "goldshop"])[1] == (
        "connection is a partner's, its orders come in by themselves: goldshop"
    )


def test_a_cell_that_is_a_list_is_no_text() -> None:
    """JSON may put one there."""
    fault = Layout(COLUMNS, "", ["sku", "qty", "name"]).read(["A1", "1", Unfit("[1]")])[1]
    assert fault == "a cell is neither a text nor a number: [1]"


def test_a_switch_is_on_or_off() -> None:
    """Yes is not on."""
    assert (switch("on"), switch("off")) == (None, None)
    assert switch("yes") == "is neither on nor off"


def test_a_choice_of_three_an_amount_that_may_be_none_and_what_is_a_partners() -> None:
    """-1 says that there is no amount, however it is written; nothing else below 0 does."""
    assert [digit(cell) for cell in "012"] == [None] * 3
    assert digit("3") == "is neither 0 nor 1 nor 2"
    assert [exact_or_none(cell) for cell in ("-1", "-1.0000", "2.5")] == [None] * 3
    assert exact_or_none("-2") is not None
    assert "partner" in nobodys("goldshop")
