"""Who may do what to a paper, said here once more in other words."""

from __future__ import annotations

import itertools

import pytest

from entrepot.errors import Conflict, NotAllowed
from entrepot.people.rules import PAPERWORK, Actor, Policy, Role, may, right

ME, ANOTHER = 7, 8
EVERY_ROLE = tuple(Role)
ACTIONS = ("create", "run", "edit", "pass", "refuse", "receive", "complete", "delete")
KINDS = {
    "BEFORE": ("RUN", "COMPLETE", "INVALID"),
    "AFTER": ("RUN", "PASS", "COMPLETE", "INVALID"),
    "SR": ("RUN", "FMS_PASS", "RECEIVE", "COMPLETE", "INVALID"),
}
CASES = [
    (role, kind, state, action, mine, Policy(four_eyes=eyes, refund_requires_receipt=receipt))
    for role, kind in itertools.product(EVERY_ROLE, KINDS)
    for state, action in itertools.product(KINDS[kind], ACTIONS)
    for mine, eyes, receipt in itertools.product((True, False), repeat=3)
]


def expected(role: Role, kind: str, state: str, action: str, mine: bool, policy: Policy) -> bool:
    """Say in sentences what the table says in rows."""
    admin = role is Role.ADMIN
    author = admin or (role is Role.SALES and mine)
    not_alone = not (policy.four_eyes and mine)
    if action in ("run", "edit"):
        return kind == "SR" and state == "INVALID" and author
    if action == "delete":
        return state == "INVALID" and author
    if action == "pass":
        return state == "RUN" and (admin or role is Role.CPA) and not_alone
    if action == "refuse" and state == "RUN":
        return admin or role is Role.CPA
    if action == "refuse":
        return (kind, state) == ("AFTER", "PASS") and (admin or role is Role.FINANCE)
    if action == "receive":
        return state == "FMS_PASS" and (admin or role is Role.WAREHOUSE)
    if action == "complete":
        ready = state in ("PASS", "RECEIVE")
        early = state == "FMS_PASS" and not policy.refund_requires_receipt
        return (ready or early) and (admin or role is Role.FINANCE) and not_alone
    return False


def test_every_role_may_do_to_every_paper_in_every_state_what_the_sentences_say() -> None:
    """All 2,592 combinations of role, kind, state, action, author, four eyes and receipt."""
    wrong = [
        case[:5]
        for case in CASES
        if may(
            Actor(id=ME, name="", role=case[0]),
            case[3],
            case[1],
            case[2],
            ME if case[4] else ANOTHER,
            case[5],
        )
        != expected(*case)
    ]
    assert wrong == []


@pytest.mark.parametrize("kind", KINDS)
def test_sales_and_admin_file_papers(kind: str) -> None:
    """Nobody else does."""
    for role in EVERY_ROLE:
        actor = Actor(id=ME, name="", role=role)
        if role in (Role.SALES, Role.ADMIN):
            assert right(actor, "create", kind, "", None, Policy()).to in KINDS[kind]
            continue
        with pytest.raises(NotAllowed) as refusal:
            right(actor, "create", kind, "", None, Policy())
        assert refusal.value.code == "no_right"


def test_a_refusal_says_what_stands_in_the_way() -> None:
    """The state first, then the role, then whose paper it is."""

    def code(role: Role, action: str, state: str, creator: int) -> str:
        with pytest.raises((Conflict, NotAllowed)) as refusal:
            right(Actor(id=ME, name="", role=role), action, "SR", state, creator, Policy())
        return refusal.value.code

    assert code(Role.WAREHOUSE, "run", "RUN", ANOTHER) == "wrong_state"
    assert code(Role.WAREHOUSE, "run", "INVALID", ANOTHER) == "no_right"
    assert code(Role.SALES, "run", "INVALID", ANOTHER) == "not_own"
    assert code(Role.ADMIN, "pass", "RUN", ME) == "four_eyes"


def test_every_state_that_an_action_leads_to_is_in_the_table() -> None:
    """No paper gets into a state of which nothing is known."""
    for (kind, _), actions in PAPERWORK.items():
        for found in actions.values():
            assert found.to == "DELETED" or (kind, found.to) in PAPERWORK
