"""The life of an order is a table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.errors import Conflict
from entrepot.orders import rules
from entrepot.orders.rules import GOAL, TRANSITIONS, NewOrder, Placed

ENDS = ("shipped", "cancelled")
steps = st.sampled_from(list(GOAL))


@given(st.lists(steps))
def test_no_sequence_of_steps_leaves_an_end_or_goes_back(taken: list[rules.Step]) -> None:
    """Shipped stays shipped, cancelled stays cancelled, processed never becomes accepted."""
    state: str = "accepted"
    for step in taken:
        before = state
        try:
            state = rules.after(step, state) or state
        except Conflict:
            continue
        assert before not in ENDS or state == before
        assert state != "accepted" or before == "accepted"


@given(steps, st.sampled_from(["accepted", "processed", "shipped", "cancelled"]))
def test_a_step_that_is_taken_already_changes_nothing(step: rules.Step, state: str) -> None:
    """Taking any possible step twice is the same as taking it once."""
    try:
        then = rules.after(step, state) or state
    except Conflict:
        return
    assert rules.after(step, then) is None


def test_a_mark_that_comes_after_the_shipment_changes_nothing() -> None:
    """Processed is behind an order that left."""
    assert rules.after("process", "shipped") is None


@pytest.mark.parametrize("step", list(GOAL))
def test_each_step_leads_to_its_goal_from_an_accepted_order(step: rules.Step) -> None:
    assert rules.after(step, "accepted") == GOAL[step] == TRANSITIONS[step]["accepted"]


def test_the_first_reply_is_given_again_only_where_the_policy_says_so() -> None:
    """Same content and not cancelled; anything else is the documented error."""
    new = NewOrder(number="N", lines=(), digest=b"same", same_again=True)
    known = {"digest": b"same", "state": "shipped", "order_id": 7}
    assert rules.duplicate(new, **known) == Placed(order_id=7, number="N", again=True)  # type: ignore[arg-type]  # as a row
    for changed in ({"digest": b"other"}, {"state": "cancelled"}):
        answer = rules.duplicate(new, **{**known, **changed})  # type: ignore[arg-type]
        assert isinstance(answer, Conflict)
        assert answer.code == "order_exists"
    plain = NewOrder(number="N", lines=(), digest=b"same")
    assert isinstance(rules.duplicate(plain, **known), Conflict)  # type: ignore[arg-type]
