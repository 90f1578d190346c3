"""Why an outlet was chosen, and why another was not, in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot.dispatch.sourcing import Candidate, worth_it

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from entrepot.dispatch.sourcing import Goods, Plan


class Place(Struct, kw_only=True):
    """An outlet as it stands, whatever the rules make of it."""

    candidate: Candidate
    ships: bool = True
    paused: bool = False
    groups: tuple[str, ...] = ()


class Scope(Struct, frozen=True, kw_only=True):
    """Where an order may come from at all.

    ``shop_id`` is the ordering store; ``outlet_id`` the only one that may ship it (None: any); ``groups``
    of outlets (None: any); ``codes`` of locations that its connection draws on (none: any).
    """

    shop_id: int | None = None
    outlet_id: int | None = None
    groups: tuple[str, ...] | None = None
    codes: tuple[str, ...] = ()


def why(candidate: Candidate, part: Goods, need: Goods) -> str:
    """Say what speaks for an outlet that is to ship ``part`` of ``need``."""
    near = "same city" if candidate.city else "same province" if candidate.province else "elsewhere"
    return f"{_amount(part, need)}, {near}"


def why_not(
    place: Place,
    need: Goods,
    plan: Plan,
    scope: Scope,
    chosen: Sequence[Candidate],
    prices: Mapping[int, Decimal],
) -> str:
    """Say what speaks against an outlet, the first that does; ``chosen`` are those that were preferred."""
    candidate = place.candidate
    share = candidate.share(need)
    if bar := _barred(place, plan, scope):
        return bar
    if candidate.capacity == 0:
        return "has as many notes as it takes a day"
    if not share:
        return "has none of it"
    if not worth_it(candidate, need, plan.minimum, prices):
        return f"{_amount(share, need)}, less than a part must come to"
    names = ", ".join(one.code for one in chosen)
    if not names:
        return f"{_amount(share, need)}"
    whole = chosen[0].share(need) == need
    if whole and share != need:
        return f"{_amount(share, need)}; {names} has all of it"
    if whole or len(chosen) == 1:
        return f"{_amount(share, need)}; {_ahead(chosen[0], candidate, plan)}"
    return f"{_amount(share, need)}; {names} together are preferred"


def _barred(place: Place, plan: Plan, scope: Scope) -> str:
    """Return what keeps an outlet out before anybody looks at its stock."""
    candidate = place.candidate
    bars = (
        (candidate.location_id == scope.shop_id, "is the ordering store"),
        (not place.ships, "does not ship"),
        (scope.outlet_id not in (None, candidate.location_id), "another outlet was named"),
        (plan.paused and place.paused, "is paused"),
        (
            scope.groups is not None and not set(scope.groups) & set(place.groups),
            "is in none of the groups that the rules name",
        ),
        (
            bool(scope.codes) and candidate.code not in scope.codes,
            "is not among the locations of the connection",
        ),
    )
    return next((said for holds, said in bars if holds), "")


def _ahead(first: Candidate, other: Candidate, plan: Plan) -> str:
    """Say by which rank one outlet goes before another that could ship as much."""
    stock = (sum(first.available.values()), sum(other.available.values()))
    ahead = {
        "city": (first.city and not other.city, "is in the receiver's city"),
        "province": (first.province and not other.province, "is in the receiver's province"),
        "priority": (
            first.priority < other.priority,
            f"goes first by priority ({first.priority} before {other.priority})",
        ),
        "stock": (stock[0] > stock[1], f"has more of it ({stock[0]} before {stock[1]})"),
    }
    said = next((ahead[rank][1] for rank in plan.ranks if ahead[rank][0]), "was preferred")
    return f"{first.code} {said}"


def _amount(part: Goods, need: Goods) -> str:
    has, all_of_it = sum(part.values()), sum(need.values())
    return "has all of it" if has == all_of_it else f"has {has} of {all_of_it} pieces"
