"""The words of document 001."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import entrepot
from entrepot.dialect import (
    Delivered,
    Partner,
    Problem,
    Rejected,
    Request,
    Response,
    Retry,
    Sent,
    convert_settings,
)
from entrepot.dialects.minimall import client, dialect, wire
from entrepot.dialects.minimall.wire import MallSettings, Row
from entrepot.errors import BadInput
from entrepot.facts import Level, Levels, OrderShipped

CORE = Path(entrepot.__file__).parent
# What the mall's handler runs: whatever these refuse reaches an ERP.
RUN = ["stock/flows.py", "catalogue/stated.py"]


def row(kind: Any = "normal", key: str = "1^^^a", store: str = "aaa") -> Row:
    return Row(kind, key, 1, store)  # type: ignore[arg-type]  # as decoded


def test_every_refusal_that_can_reach_an_erp_has_words() -> None:
    """English of ours in a Chinese envelope would be a hole in the table."""
    sources = "".join((CORE / name).read_text(encoding="utf-8") for name in RUN)
    raised = set(re.findall(r'(?:Missing|Conflict|BadInput|NotAllowed)\(\s*"(\w+)"', sources))
    assert raised - {"unknown_rows"} <= wire.CODES
    for code in wire.CODES:
        said = msgspec.json.decode(wire.render(Problem(code)).body)  # type: ignore[arg-type]  # not streamed
        assert re.search(r"[\u4e00-\u9fff]", said["msg"])
        assert (said["code"], said["data"]) == (1, [])


def test_a_refusal_without_words_still_says_something() -> None:
    reply = wire.render(Problem("never_heard_of"))
    assert (reply.status, reply.body) == (200, b'{"code":1,"data":[],"msg":"never_heard_of"}')


@pytest.mark.parametrize(
    ("kind", "key", "good"),
    [
        ("normal", "1^^^8G", True),
        ("integral", "1^^^^", True),
        ("normal", "1^^^a^^^b", True),
        ("normal", "1^^^", True),
        ("normal", "^^^8G", False),
        ("normal", "1^^8G", False),
        ("integral", "1", False),
        ("group", "1", True),
        ("group", "1^^^8G", True),
    ],
)
def test_a_key_has_the_form_its_type_asks_for(kind: str, key: str, good: bool) -> None:
    """Something stands before the first separator; a group's key is the goods' id as it is."""
    assert wire.well_keyed(kind, key) == good
    assert (wire.misnamed(kind, key) == "") == good


def test_a_partner_finds_every_message_in_the_readme() -> None:
    """What a failure says is what one searches for."""
    page = (dialect.folder / "README.md").read_text(encoding="utf-8")
    words = (*wire._MESSAGES.values(), wire.NO_LISTING, wire.BAD_KEY)
    assert [said for said in words if f"`{said}`" not in page] == []
    assert f"`{wire.NO_STORE}：`" in page


def test_a_row_is_a_total_only_where_a_code_is_set() -> None:
    settings = MallSettings(total_store_code="ALL")
    assert wire.is_total(row(store="ALL"), settings)
    assert not wire.is_total(row(store="aaa"), settings)
    assert not wire.is_total(row(store=""), MallSettings())


def test_the_pick_up_stores_are_those_named_or_else_the_locations() -> None:
    both = MallSettings(stores=("a",), locations=("b",))
    assert wire.pick_up_stores(both) == ("a",)
    assert wire.pick_up_stores(MallSettings(locations=("b",))) == ("b",)
    assert client.drawn_on(wire.ErpSettings(stores=("a",))) == ("a",)


def convert(part: Any) -> Row:
    """Stand for a decoder that takes what says so."""
    if part == {"key": "good"}:
        return row()
    raise BadInput("wrong_type", "no", path="stock")


def test_rows_that_do_not_decode_are_named_one_by_one() -> None:
    """Each by its place, with the key it bears, where that is a text."""
    good, bad = wire.one_by_one([{"key": "good"}, {"key": "K"}, {"key": 5}, "x"], convert)
    assert [at for at, _ in good] == [0]
    assert [(one.at, one.key) for one in bad] == [(1, "K"), (2, ""), (3, "")]


def test_a_body_made_of_bad_rows_keeps_nobody_busy() -> None:
    """Behind the 100,000th nothing is looked at; a document of 4 MiB holds no more whole rows."""
    whole = msgspec.json.encode([{"type": "group", "key": "1", "stock": 0, "store_code": "a"}])
    assert len(whole) * wire.NAMED > 4 * 1024 * 1024
    good, bad = wire.one_by_one(["x"] * (wire.NAMED + 7) + [{"key": "good"}], convert)
    assert (good, len(bad), bad[-1].at) == ([], wire.NAMED, wire.NAMED - 1)
    assert wire.one_by_one({"key": "good"}, convert) == ([], [])


@given(st.permutations(range(5)))
def test_a_refusal_names_every_row_in_their_order(order: list[int]) -> None:
    bad = [wire.Bad(at, "" if at == 2 else "stock", "K" if at else "", f"r{at}") for at in order]
    said = wire.refused(bad).text
    assert (
        said
        == "[0].stock：r0；[1].stock（K）：r1；[2]（K）：r2；[3].stock（K）：r3；[4].stock（K）：r4"
    )


def partner(**settings: Any) -> Partner:
    typed = convert_settings(dialect.roles["erp"], settings)
    return Partner(tenant_id=1, id=1, name="it", dialect="minimall", role="erp", settings=typed)


def test_a_call_has_a_row_for_the_total_and_one_a_store() -> None:
    """The total first, where it has a code; nothing to say is no call."""
    level = Level(listing_id=1, type="normal", key="1^^^a", total=7, by_location={"a": 3, "b": 4})
    told = client.request_for(Levels(levels=(level,)), partner(total_store_code="ALL"))
    assert told is not None
    rows = msgspec.json.decode(told.body)
    assert [(one["store_code"], one["stock"]) for one in rows] == [("ALL", 7), ("a", 3), ("b", 4)]
    assert list(rows[0]) == ["type", "key", "stock", "store_code"]
    nothing = Level(listing_id=1, type="normal", key="1^^^a", total=7)
    assert client.request_for(Levels(levels=(nothing,)), partner()) is None
    assert client.request_for(OrderShipped(number="1"), partner()) is None


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b'{"code":0}', Delivered),
        (b'{"code":"0","msg":null}', Delivered),
        (b'{"code":0.5}', Rejected),
        (b'{"code":7}', Rejected),
        (b'{"code":false}', Retry),
        (b'{"code":"ok"}', Retry),
        (b'{"code":null}', Retry),
        (b"{}", Retry),
        (b"[]", Retry),
    ],
)
def test_only_the_code_0_is_a_success(body: bytes, verdict: type[object]) -> None:
    """As number or text; what bears no number is no answer at all."""
    sent = Sent(Levels(levels=()), Request("/"), Response(200, body))
    assert isinstance(client.verdict(sent), verdict)


def test_a_refusal_without_words_is_shown_by_its_code() -> None:
    request = client.request_for(
        Levels(levels=(Level(listing_id=1, type="group", key="2", total=7, by_location={"a": 7}),)),
        partner(),
    )
    assert request is not None
    sent = Sent(Levels(levels=()), request, Response(200, b'{"code":"7"}'))
    assert getattr(client.verdict(sent), "message", "") == "code 7"
    assert client.splits(sent)
