"""Which buttons a paper shows: exactly what the table of rights lets this person do with it now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.console.vocabulary import PAPER_ACTIONS
from entrepot.console.words import N_
from entrepot.people.rules import PAPERWORK, Actor, Role, may

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.console.visit import Visit
    from entrepot.papers.rules import Paper
    from entrepot.people.rules import Policy

_ICONS: Mapping[str, str] = {
    "pass": "check", "refuse": "ban", "complete": "coins", "run": "play", "edit": "pencil",
    "receive": "warehouse", "delete": "trash-2",
}  # fmt: skip
_FORWARD = ("pass", "complete", "run", "receive")
DONE: Mapping[str, str] = {
    "pass": N_("%(number)s is passed."),
    "refuse": N_("%(number)s is refused."),
    "complete": N_("%(number)s is refunded."),
    "run": N_("%(number)s is in effect."),
    "receive": N_("The goods of %(number)s are signed in."),
    "delete": N_("%(number)s is deleted."),
}


class Button(Struct, frozen=True, kw_only=True):
    """One action; ``forward`` moves the paper on, ``asks`` is a question in the dialog first."""

    action: str
    word: str
    icon: str
    forward: bool
    asks: bool


def actor(visit: Visit) -> Actor:
    """Return this person as papers and their logs know people."""
    seat = visit.seat
    return Actor(id=seat.person_id, name=visit.who, role=Role(seat.role))


def buttons(visit: Visit, paper: Paper, policy: Policy) -> list[Button]:
    """Return what this person may do with a paper now, what moves it on last."""
    who = actor(visit)
    found = [
        Button(
            action=action,
            word=PAPER_ACTIONS[action],
            icon=_ICONS[action],
            forward=action in _FORWARD,
            asks=action == "delete" or (action == "refuse" and paper.kind == "AP"),
        )
        for action in PAPERWORK[paper.rights, paper.state]
        if may(who, action, paper.rights, paper.state, paper.creator, policy)
    ]
    return sorted(found, key=lambda button: button.forward)
