"""What an ERP calls us with, who are the mall."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot import decode
from entrepot.catalogue import stated
from entrepot.catalogue.stated import LevelsStated, LevelStated
from entrepot.dialect import Route
from entrepot.dialects.minimall import wire
from entrepot.dialects.minimall.wire import Bad, Row
from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable

    from entrepot.dialect import Call, Reply

_reader = decode.Reader(tuple[Row, ...])


async def update_goods_stock(call: Call) -> Reply:
    """小程序商品更新库存(批量): all rows or none; the last of repeated rows counts."""
    rows, bad = _read(call.raw)
    bad += [
        Bad(at, "key", r.key, wire.BAD_KEY) for at, r in rows if not wire.well_keyed(r.type, r.key)
    ]
    settings: wire.MallSettings = call.partner.settings
    broken = {one.at for one in bad}
    levels = LevelsStated(
        rows=tuple(_stated(at, row, settings) for at, row in rows if at not in broken),
        partner=call.partner,
        places=wire.pick_up_stores(settings),
        totals=bool(settings.total_store_code),
        only_check=bool(bad),
    )
    if not levels.rows and not bad:
        return wire.OK
    try:
        await call.do(stated.take, levels)
    except BadInput as refusal:
        if refusal.code != "unknown_rows":
            raise
        bad += _named(refusal)
    if bad:
        raise wire.refused(bad)
    return wire.OK


def _read(raw: bytes) -> tuple[list[tuple[int, Row]], list[Bad]]:
    """Return the rows with their places; where some don't decode, each with what is wrong."""
    try:
        return list(enumerate(_reader.read(raw))), []
    except BadInput as refusal:
        if not refusal.path.startswith("["):
            raise
        try:
            parsed = decode.parsed(raw)
        except BadInput:
            raise refusal from None
        return wire.one_by_one(parsed, lambda part: decode.converted(part, Row))


def _stated(at: int, row: Row, settings: wire.MallSettings) -> LevelStated:
    total = wire.is_total(row, settings)
    return LevelStated(
        name=row.key, qty=row.stock, at=at, type=row.type, location=row.store_code, total=total
    )


def _named(refusal: BadInput) -> Iterable[Bad]:
    """Yield every row whose key or store is not known."""
    names: list[LevelStated] = refusal.facts["unknown_names"]  # type: ignore[assignment]  # facts hold any
    places: list[LevelStated] = refusal.facts["unknown_places"]  # type: ignore[assignment]
    yield from (Bad(row.at, "key", row.name, wire.NO_LISTING) for row in names)
    for row in places:
        yield Bad(row.at, "store_code", row.name, f"{wire.NO_STORE}：{row.location}")


MALL = (Route("POST", wire.PATH, update_goods_stock, shapes=(tuple[Row, ...],)),)
