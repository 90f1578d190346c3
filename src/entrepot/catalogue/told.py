"""What partners are told of suites and goods: always the whole, read when it changed."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

from entrepot.courier.outbox import Announcement, announce
from entrepot.db import queries
from entrepot.facts import Goods, GoodsSaved, Spec, Suite, SuitePart, SuiteSaved

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from entrepot.db import Row, Tx

_q = queries(__package__)


async def parts(tx: Tx, article_ids: Collection[int]) -> None:
    """Tell of these changed articles, and of every suite that contains any.

    Partners who keep goods are told of them with the suites alone; who overhears is told of each.
    """
    if article_ids and tx.overhearers(GoodsSaved.kind):
        await _tell(tx, [None], await _goods(tx, article_ids))
    await _suites_with(tx, article_ids)


async def _suites_with(tx: Tx, article_ids: Collection[int]) -> None:
    if article_ids and _listening(tx, SuiteSaved.kind):
        rows = await tx.rows(_q.suites_of, list(article_ids))
        await suites(tx, [row["id"] for row in rows], {})


async def suites(tx: Tx, suite_ids: Collection[int], fresh: Mapping[int, Collection[int]]) -> None:
    """Tell of these suites; the goods of parts new to a suite (``fresh``) go ahead of it.

    They share the suite's ordering key, so that a partner knows the parts before the suite.
    """
    listeners = _listening(tx, SuiteSaved.kind)
    if not listeners or not suite_ids:
        return
    goods = await _goods(tx, {part for new in fresh.values() for part in new})
    items = []
    for suite_id, suite in (await whole(tx, suite_ids)).items():
        ahead = {goods[part].goods_no: goods[part] for part in fresh.get(suite_id, ())}
        said = [GoodsSaved(number=no, goods=g) for no, g in sorted(ahead.items())]
        items += [
            Announcement(connection_id=connection_id, key=suite_id, fact=fact)
            for connection_id in listeners
            for fact in (*said, SuiteSaved(number=suite.sku, suite=suite))
        ]
    await announce(tx, items)


async def goods_with(tx: Tx, article_ids: Collection[int]) -> None:
    """Tell of the goods that have these articles as specs, and of the suites that contain them."""
    listeners = _listening(tx, GoodsSaved.kind)
    if not listeners or not article_ids:
        return
    await _tell(tx, listeners, await _goods(tx, article_ids))
    await _suites_with(tx, article_ids)


async def _tell(tx: Tx, listeners: Sequence[int | None], found: Mapping[int, Goods]) -> None:
    """Tell of goods, by the ids of their specs; the first of these is what they are told in order by."""
    first = {goods.goods_no: min(a for a in found if found[a] is goods) for goods in found.values()}
    await announce(
        tx,
        [
            Announcement(
                connection_id=connection_id,
                key=article_id,
                fact=GoodsSaved(number=number, goods=found[article_id]),
            )
            for connection_id in listeners
            for number, article_id in sorted(first.items())
        ],
    )


def _listening(tx: Tx, kind: str) -> Sequence[int | None]:
    """Return who is told such facts; None where they are only overheard."""
    return tx.listeners(kind) or ([None] if tx.overhearers(kind) else [])


async def whole(tx: Tx, suite_ids: Collection[int]) -> dict[int, Suite]:
    """Return suites by id, heads and parts, in the order of their ids."""
    lines: dict[int, list[Row]] = {}
    for row in await tx.rows(_q.show_parts, list(suite_ids)):
        lines.setdefault(row["suite_id"], []).append(row)
    heads = await tx.rows(_q.show_suites, list(suite_ids))
    return {
        row["id"]: _suite(row, lines[row["id"]]) for row in sorted(heads, key=lambda row: row["id"])
    }


def _suite(row: Row, lines: Iterable[Row]) -> Suite:
    return Suite(
        sku=row["sku"],
        name=row["name"],
        unit=row["unit"],
        parts=tuple(
            SuitePart(
                sku=line["sku"],
                num=line["num"],
                is_fixed_price=line["is_fixed_price"],
                fixed_price=line["fixed_price"],
                ratio=line["ratio"],
            )
            for line in lines
        ),
        class_name=row["class_name"],
        brand_name=row["brand_name"],
        aux_unit=row["aux_unit"],
        short_name=row["short_name"],
        barcode=row["barcode"],
        props=tuple(msgspec.json.decode(row["props"])),
        remark=row["remark"],
        label=row["label"],
        print_mode=row["print_mode"],
        large_type=row["large_type"],
        weight=row["weight"],
        retail_price=row["retail_price"],
        wholesale_price=row["wholesale_price"],
        member_price=row["member_price"],
        market_price=row["market_price"],
    )


async def _goods(tx: Tx, article_ids: Collection[int]) -> dict[int, Goods]:
    """Return the goods of these articles, by the ids of all their specs."""
    if not article_ids:
        return {}
    found: dict[int, Goods] = {}
    rows = await tx.rows(_q.goods_of, sorted(article_ids))
    for _, specs in groupby(rows, key=lambda row: row["goods_no"]):
        own = list(specs)
        found |= dict.fromkeys((row["id"] for row in own), _one_goods(own))
    return found


def _one_goods(rows: list[Row]) -> Goods:
    head = rows[0]
    return Goods(
        goods_no=head["goods_no"],
        name=head["goods_name"],
        class_name=head["class_name"],
        brand_name=head["brand_name"],
        unit=head["goods_unit"],
        details=msgspec.json.decode(head["goods_details"]),
        specs=tuple(
            Spec(
                sku=row["sku"],
                name=row["name"],
                code=row["code"],
                barcode=row["barcode"],
                unit=row["unit"],
                pic_url=row["pic_url"],
                weight=row["weight"],
                retail_price=row["retail_price"],
                details=msgspec.json.decode(row["details"]),
            )
            for row in rows
        ),
    )
