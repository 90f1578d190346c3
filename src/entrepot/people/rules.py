"""Who may do what to which paper in which state: one table, asked by buttons and by flows. Pure.

The rights of document 003's roles, as the contract for its screens settles them. ``PAPERWORK`` is the
whole truth: an action that has no row for a state cannot be taken in it by anybody.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.errors import Conflict, NotAllowed

if TYPE_CHECKING:
    from collections.abc import Mapping


class Role(IntEnum):
    """What a person is; the numbers are the document's ``createRole``."""

    NONE = 0
    SALES = 1
    CPA = 2
    FINANCE = 3
    WAREHOUSE = 4
    ADMIN = 9


class Actor(Struct, frozen=True, kw_only=True):
    """A person who acts: what is written into papers and their logs."""

    id: int
    name: str
    role: Role


class Policy(Struct, frozen=True, kw_only=True):
    """The tenant's settings that bear on rights.

    ``four_eyes``: who filed a paper neither passes nor completes it. ``refund_requires_receipt``: a
    return is refunded only once its goods are signed in.
    """

    four_eyes: bool = True
    refund_requires_receipt: bool = False


class Right(Struct, frozen=True):
    """One cell: the role that may (ADMIN always may too), and the state the action leads to.

    ``own``: only who filed the paper, ADMIN excepted. ``others``: under four eyes, anyone but who filed
    it. ``early``: goods are still out, see ``Policy.refund_requires_receipt``.
    """

    role: Role
    to: str
    own: bool = False
    others: bool = False
    early: bool = False


DELETED = "DELETED"
"""The state of a deleted paper; it has no rights left."""

_DELETE = Right(Role.SALES, DELETED, own=True)

# (kind of paper, its state; "" before it is filed) → action → right
PAPERWORK: Mapping[tuple[str, str], Mapping[str, Right]] = {
    ("BEFORE", ""): {"create": Right(Role.SALES, "RUN")},
    ("BEFORE", "RUN"): {
        "pass": Right(Role.CPA, "COMPLETE", others=True),
        "refuse": Right(Role.CPA, "INVALID"),
    },
    ("BEFORE", "INVALID"): {"delete": _DELETE},
    ("BEFORE", "COMPLETE"): {},
    ("AFTER", ""): {"create": Right(Role.SALES, "RUN")},
    ("AFTER", "RUN"): {
        "pass": Right(Role.CPA, "PASS", others=True),
        "refuse": Right(Role.CPA, "INVALID"),
    },
    ("AFTER", "PASS"): {
        "complete": Right(Role.FINANCE, "COMPLETE", others=True),
        "refuse": Right(Role.FINANCE, "INVALID"),
    },
    ("AFTER", "INVALID"): {"delete": _DELETE},
    ("AFTER", "COMPLETE"): {},
    ("SR", ""): {"create": Right(Role.SALES, "INVALID")},
    ("SR", "INVALID"): {
        "run": Right(Role.SALES, "RUN", own=True),
        "edit": Right(Role.SALES, "INVALID", own=True),
        "delete": _DELETE,
    },
    ("SR", "RUN"): {
        "pass": Right(Role.CPA, "FMS_PASS", others=True),
        "refuse": Right(Role.CPA, "INVALID"),
    },
    ("SR", "FMS_PASS"): {
        "receive": Right(Role.WAREHOUSE, "RECEIVE"),
        "complete": Right(Role.FINANCE, "COMPLETE", others=True, early=True),
    },
    ("SR", "RECEIVE"): {"complete": Right(Role.FINANCE, "COMPLETE", others=True)},
    ("SR", "COMPLETE"): {},
}


def right(
    actor: Actor, action: str, kind: str, state: str, creator: int | None, policy: Policy
) -> Right:
    """Return the right by which ``actor`` may take ``action``.

    Raises Conflict (``wrong_state``) where the state has no such action, NotAllowed (``no_right``)
    where the actor lacks it, (``not_own``) where another filed the paper, and (``four_eyes``) where the
    actor did. ``creator`` is None for a paper not yet filed.
    """
    found = PAPERWORK[kind, state].get(action)
    if found is None or (found.early and policy.refund_requires_receipt):
        raise Conflict("wrong_state", f"{action} is not possible in state {state}.", state=state)
    if actor.role not in (found.role, Role.ADMIN):
        raise NotAllowed("no_right", f"Role {actor.role} may not {action}.")
    if found.own and actor.role != Role.ADMIN and actor.id != creator:
        raise NotAllowed("not_own", f"Only who filed it may {action} it.")
    if found.others and policy.four_eyes and actor.id == creator:
        raise NotAllowed("four_eyes", f"Who filed it may not {action} it.")
    return found


def may(actor: Actor, action: str, kind: str, state: str, creator: int, policy: Policy) -> bool:
    """Tell whether ``right`` would grant it: what a button shows."""
    try:
        right(actor, action, kind, state, creator, policy)
    except (Conflict, NotAllowed):
        return False
    return True
