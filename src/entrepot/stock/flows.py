"""Reserve, release, ship and count stock. Each takes a batch inside the caller's transaction.

Lock order everywhere: the document's row first, then stock rows by (article, location).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec import Struct

from entrepot import ids
from entrepot.db import ints, queries
from entrepot.errors import Conflict, Missing
from entrepot.money import ZERO
from entrepot.stock import rules
from entrepot.stock.rules import Balance

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from entrepot.db import Row, Tx

_q = queries(__package__)

Pair = tuple[int, int]
"""(article id, location id)."""


class Move(Struct, frozen=True, kw_only=True):
    """A change of what lies somewhere, with its reason; ``delta`` pieces, ``weight`` grams or None.

    Without a weight the pieces take or bring their row's weight per piece.
    """

    article_id: int
    location_id: int
    delta: int
    kind: str
    document: str = ""
    who: str = ""
    weight: Decimal | None = None


class Count(Struct, frozen=True, kw_only=True):
    """A stocktake: what was found to lie there. ``weight`` is the total, None keeps it per piece."""

    article_id: int
    location_id: int
    on_hand: int
    weight: Decimal | None = None
    who: str = ""


class Location(Struct, frozen=True, kw_only=True):
    """A place that holds stock, as it is created or renamed; province and city as people write them."""

    code: str
    name: str = ""
    province: str = ""
    city: str = ""


class Stated(Struct, frozen=True, kw_only=True):
    """What a partner says may still be sold somewhere, in pieces."""

    article_id: int
    location_id: int
    available: int
    who: str = ""


async def release(tx: Tx, document_ids: Collection[int]) -> None:
    """Free what these documents still hold. Their own rows are locked by the caller."""
    held = await tx.rows(_q.open_reservations, list(document_ids))
    await lock(tx, {(row["article_id"], row["location_id"]) for row in held})
    await resolve(tx, held, "released")


async def ship(
    tx: Tx, documents: Sequence[tuple[int, str]], who: str, *, elsewhere: bool = False
) -> dict[int, list[int]]:
    """Take the reserved pieces of whole documents out of stock.

    ``documents`` are (id, number). Returns the articles that lack pieces on hand, by document id; a
    document named there was left as it is. Documents are served in the order given. ``elsewhere``: a
    partner shipped them out of its own stock, which ours only mirrors; what we did not know of is
    booked in first, so nothing lacks.
    """
    held = await tx.rows(_q.open_reservations, [document_id for document_id, _ in documents])
    if elsewhere:
        await _book_in(tx, held, who)
    balances = await lock(tx, {(row["article_id"], row["location_id"]) for row in held})
    leaving: list[Row] = []
    short: dict[int, list[int]] = {}
    for document_id, _ in documents:
        rows = [row for row in held if row["document_id"] == document_id]
        lacking = _take(balances, rows)
        if lacking:
            short[document_id] = lacking
        else:
            leaving.extend(rows)
    numbers = dict(documents)
    await resolve(tx, leaving, "shipped")
    moves = [
        Move(
            article_id=row["article_id"],
            location_id=row["location_id"],
            delta=-row["qty"],
            kind="shipment",
            document=numbers[row["document_id"]],
            who=who,
        )
        for row in leaving
    ]
    await move(tx, moves)
    return short


async def count(tx: Tx, counts: Sequence[Count]) -> None:
    """Set balances to what was counted; the ledger gets the difference. The last of repeated rows counts."""
    wanted = {(c.article_id, c.location_id): c for c in counts}
    balances = await lock(tx, wanted)
    moves = []
    for pair, c in sorted(wanted.items()):
        row = balances[pair]
        weight = None if c.weight is None else c.weight - row.weight
        delta = c.on_hand - row.on_hand
        if delta or weight:
            moves.append(
                Move(
                    article_id=pair[0],
                    location_id=pair[1],
                    delta=delta,
                    kind="stocktake",
                    who=c.who,
                    weight=weight,
                )
            )
    await move(tx, moves)


async def state(tx: Tx, levels: Sequence[Stated]) -> None:
    """Make what is available what a partner says it is. The last of repeated rows counts.

    What our own documents hold there and the safety stock lie on top: the partner's figure is what may
    still be sold.
    """
    wanted = {(level.article_id, level.location_id): level for level in levels}
    balances = await lock(tx, wanted)
    moves = []
    for pair, level in sorted(wanted.items()):
        delta = level.available - balances[pair].available
        if delta:
            moves.append(
                Move(
                    article_id=pair[0],
                    location_id=pair[1],
                    delta=delta,
                    kind="stated",
                    who=level.who,
                )
            )
    await move(tx, moves)


async def move(tx: Tx, moves: Sequence[Move]) -> None:
    """Change balances by ``moves`` and write the ledger; refuses to leave less than nothing."""
    if not moves:
        return
    balances = await lock(tx, {(m.article_id, m.location_id) for m in moves})
    weights: list[Decimal] = []
    after: list[int] = []
    for m in moves:
        row = balances[m.article_id, m.location_id]
        weights.append(_weight(m, row))
        row.on_hand += m.delta
        row.weight += weights[-1]
        after.append(row.on_hand)
        if row.on_hand < 0:
            raise Conflict("not_on_hand", "There are fewer pieces on hand.", article=m.article_id)
    changed = sorted({m.article_id for m in moves})
    await tx.do(
        _q.move,
        ids.some(len(moves)),
        [m.article_id for m in moves],
        [m.location_id for m in moves],
        [m.kind for m in moves],
        [m.delta for m in moves],
        after,
        weights,
        [m.document for m in moves],
        [m.who for m in moves],
        ids.some(len(changed)),
        changed,
    )


async def lock(tx: Tx, pairs: Iterable[Pair]) -> dict[Pair, Balance]:
    """Lock exactly these rows in order, making zero rows where there are none.

    Raises Conflict for a suite, which has no stock of its own.
    """
    wanted = sorted(set(pairs))
    if not wanted:
        return {}
    found = {_pair(row): row for row in await _locked_pairs(tx, wanted)}
    missing = [pair for pair in wanted if pair not in found]
    if missing:
        await tx.do(_q.add_rows, [pair[0] for pair in missing], [pair[1] for pair in missing])
        found = {_pair(row): row for row in await _locked_pairs(tx, wanted)}
        if suites := sorted({pair[0] for pair in missing if pair not in found}):
            text = "A suite has no stock of its own; count its parts."
            raise Conflict("suite_has_no_stock", text, articles=suites)
    return found


async def resolve(tx: Tx, reservations: Sequence[Row], state: str) -> None:
    """Close reservations as ``shipped`` or ``released``; their stock rows are locked."""
    if not reservations:
        return
    changed = sorted({row["article_id"] for row in reservations})
    await tx.do(
        _q.resolve,
        [row["id"] for row in reservations],
        state,
        ids.some(len(changed)),
        changed,
        sorted({row["document_id"] for row in reservations}),
    )


async def add_locations(tx: Tx, places: Sequence[Location]) -> None:
    """Create locations, or rename existing ones, by code; the last of repeated codes counts."""
    unique = {place.code: place for place in places}
    rows = [unique[code] for code in sorted(unique)]
    await tx.do(
        _q.add_locations,
        ids.some(len(rows)),
        [place.code for place in rows],
        [place.name for place in rows],
        [place.province for place in rows],
        [place.city for place in rows],
    )


async def locations(tx: Tx, codes: Collection[str]) -> dict[str, int]:
    """Return location ids by code; raises Missing naming every unknown one."""
    found = await known_locations(tx, codes)
    unknown = [code for code in codes if code not in found]
    if unknown:
        text = f"There is no location {', '.join(unknown)}."
        raise Missing("unknown_location", text, locations=unknown)
    return found


async def known_locations(tx: Tx, codes: Collection[str]) -> dict[str, int]:
    """Return location ids by code; unknown ones are absent."""
    if not codes:
        return {}
    return {row["code"]: row["id"] for row in await tx.look(_q.locations_by_code, list(codes))}


async def first_location(tx: Tx) -> int:
    """Return the tenant's oldest location; raises Missing when it has none yet."""
    home: int | None = await tx.value(_q.first_location)
    if home is None:
        raise Missing("no_location", "The tenant has no location yet; import outlets first.")
    return home


async def _locked_pairs(tx: Tx, pairs: Sequence[Pair]) -> list[Balance]:
    articles, places = ints([pair[0] for pair in pairs]), ints([pair[1] for pair in pairs])
    return [balance_of(row) for row in await tx.rows(_q.lock_pairs, articles, places)]


def balance_of(row: Row) -> Balance:
    """Return a locked row of stock."""
    return Balance(
        article_id=row[0],
        location_id=row[1],
        on_hand=row[2],
        reserved=row[3],
        safety=row[4],
        weight=row[5],
    )


async def _book_in(tx: Tx, held: Sequence[Row], who: str) -> None:
    """Bring on hand what these reservations lack there."""
    need = _needed(held)
    balances = await lock(tx, need)
    lacking = {pair: qty - balances[pair].on_hand for pair, qty in need.items()}
    await move(
        tx,
        [
            Move(article_id=pair[0], location_id=pair[1], delta=qty, kind="supplied", who=who)
            for pair, qty in sorted(lacking.items())
            if qty > 0
        ],
    )


def _needed(held: Iterable[Row]) -> dict[Pair, int]:
    need: dict[Pair, int] = {}
    for row in held:
        pair = (row["article_id"], row["location_id"])
        need[pair] = need.get(pair, 0) + row["qty"]
    return need


def _take(balances: dict[Pair, Balance], rows: Sequence[Row]) -> list[int]:
    """Take a document's pieces off the locked balances, or name the articles that lack and take none."""
    need = _needed(rows)
    lacking = [pair[0] for pair, qty in need.items() if balances[pair].on_hand < qty]
    if not lacking:
        for pair, qty in need.items():
            balances[pair].on_hand -= qty
    return lacking


def _weight(change: Move, row: Balance) -> Decimal:
    """Return the grams a move takes or brings: what it says, else the row's weight per piece."""
    if change.weight is not None:
        return change.weight
    if row.on_hand <= 0 or row.weight == 0:
        return ZERO
    if row.on_hand + change.delta == 0:
        return -row.weight
    grams = rules.weight_of(abs(change.delta), row.on_hand, row.weight)
    return grams if change.delta > 0 else -grams


def _pair(row: Balance) -> Pair:
    return row.article_id, row.location_id
