"""Scopes and cursors, as functions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.api import paging
from entrepot.api.paging import Paged
from entrepot.errors import BadInput
from entrepot.people import tokens

NOUNS = st.sampled_from([*tokens.NOUNS])


@pytest.mark.parametrize(
    ("word", "scope"),
    [
        ("orders:read", "orders:read"),
        ("orders:write", "orders:write"),
        ("orders.read", "orders:read"),
        ("Orders:Read ", "orders:read"),
        ("orders", "orders:write"),
        ("orders:*", "orders:write"),
        ("outlets:read", "locations:read"),
        ("read", "*:read"),
        ("write", "*:write"),
        ("*:read", "*:read"),
        ("*:write", "*:write"),
        ("*:*", "*"),
        ("*", "*"),
        ("all", "*"),
        ("admin", "*"),
        ("exchanges:reveal", "exchanges:reveal"),
    ],
)
def test_a_scope_may_be_written_in_short(word: str, scope: str) -> None:
    """Words that are easily guessed mean what they seem to."""
    assert tokens.scope(word) == scope


@pytest.mark.parametrize(
    "word", ["", "order", "orders:eat", "orders:reveal", ":read", "a:b:c", "*:reveal"]
)
def test_an_unknown_scope_is_refused_with_the_known_ones(word: str) -> None:
    """The message names the nouns."""
    with pytest.raises(BadInput, match=r"adjustments, articles"):
        tokens.scope(word)


@given(NOUNS, NOUNS)
def test_writing_includes_reading_and_nothing_else(held: str, wanted: str) -> None:
    """A scope covers its own noun only; a star covers all."""
    assert tokens.allows([f"{held}:write"], f"{wanted}:read") == (held == wanted)
    assert tokens.allows([f"{held}:read"], f"{wanted}:read") == (held == wanted)
    assert not tokens.allows([f"{held}:read"], f"{wanted}:write")
    assert tokens.allows(["*:read"], f"{wanted}:read")
    assert not tokens.allows(["*:read"], f"{wanted}:write")
    assert tokens.allows(["*:write"], f"{wanted}:write")
    assert tokens.allows(["*"], f"{wanted}:write")


def test_revealing_is_no_part_of_writing() -> None:
    """Plaintext needs its own scope, or all of them."""
    assert not tokens.allows(["exchanges:write", "*:write"], tokens.REVEAL)
    assert tokens.allows([tokens.REVEAL], tokens.REVEAL)
    assert tokens.allows(["*"], tokens.REVEAL)


def test_a_token_gives_no_more_than_it_has() -> None:
    """Handing on is limited to what is held."""
    assert tokens.allows(["*:write"], "*:read")
    assert not tokens.allows(["orders:write"], "*:read")
    assert not tokens.allows(["*:write"], "*")
    assert tokens.allows(["*"], "*")


@given(st.tuples(st.text(), st.integers(0, 2**63 - 1)))
def test_a_cursor_brings_back_its_key(key: tuple[str, int]) -> None:
    """Whatever text the key holds; what no database keeps is refused."""
    wanted = Paged(after=paging.cursor(key))
    if "\0" in key[0]:
        with pytest.raises(BadInput):
            paging.start(wanted, tuple[str, paging.Number])
    else:
        assert paging.start(wanted, tuple[str, paging.Number]) == key


@given(st.text(max_size=50))
def test_what_is_no_cursor_is_refused(text: str) -> None:
    """Any other text is bad input, or by chance a cursor."""
    code = "bad_cursor"
    try:
        paging.start(Paged(after=text), tuple[str])
    except BadInput as error:
        code = error.code
    assert code == "bad_cursor"
