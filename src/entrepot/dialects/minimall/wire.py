"""The words of document 001, and what they mean to us. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from entrepot.decode import Name, Whole
from entrepot.dialect import Duration, Problem, Reply, Settings
from entrepot.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PATH = "/gateway/api/erp/update_goods_stock"
ROWS = 500
"""The most rows we put into one call."""
NAMED = 100_000
"""The most bad rows one answer names; 4 MiB hold no more rows that have all four fields."""
SUCCESS, FAILURE = 0, 1
BETWEEN = "^^^"
"""What stands between 商品ID and 规格key; the spec key may hold it too."""

Type = Literal["normal", "group", "integral"]
TYPES = get_args(Type)
Stores = Annotated[tuple[str, ...], Meta(max_length=10_000)]


class Row(Struct, frozen=True):
    """One row of the array: pieces of one listing at one store."""

    type: Type
    key: Name
    stock: Whole
    store_code: Name


class StockRow(Struct, frozen=True):
    """A row as we send it."""

    type: str
    key: str
    stock: int
    store_code: str


class _Common(Settings, frozen=True, kw_only=True):
    """``stores``: codes of the pick-up stores; none named: the connection's locations.

    ``total_store_code``: the store code under which a listing's total goes; empty: no totals.
    """

    stores: Stores = ()
    total_store_code: str = ""


class ErpSettings(_Common, frozen=True, kw_only=True):
    """Policies of a connection to a mall."""

    interval: Duration = "5m"


class MallSettings(_Common, frozen=True, kw_only=True):
    """Policies of a connection to an ERP that tells us our stock."""


class Bad(Struct, frozen=True, order=True):
    """One row that cannot be: where, its key as sent, and why."""

    at: int
    field: str
    key: str
    reason: str


def pick_up_stores(settings: _Common) -> tuple[str, ...]:
    """Return the codes of the stores that each have a figure of their own."""
    return settings.stores or settings.locations


def well_keyed(type_: str, key: str) -> bool:
    """Tell whether a key has the form its type asks for: ``{商品ID}^^^{规格key}``, or a 商品ID alone."""
    return type_ == "group" or key.find(BETWEEN) > 0


def misnamed(type_: str, key: str) -> str:
    """Say what is wrong with the name of a listing, ``""`` where nothing is."""
    if type_ not in TYPES:
        return f"its type is {', '.join(TYPES)}, not {type_}"
    return "" if well_keyed(type_, key) else f"its key {BAD_KEY}"


def is_total(row: Row, settings: _Common) -> bool:
    """Tell whether a row states a listing's total; where no code is set, none does."""
    return bool(settings.total_store_code) and row.store_code == settings.total_store_code


def one_by_one(parsed: object, convert: Any) -> tuple[list[tuple[int, Row]], list[Bad]]:
    """Return the rows that decode, with their places, and what is wrong with the others.

    Nothing behind the 100,000th bad row is looked at: it could only be a body made to keep us busy.
    ``convert`` turns one parsed value into a Row or raises BadInput.
    """
    good: list[tuple[int, Row]] = []
    bad: list[Bad] = []
    for at, part in enumerate(parsed if isinstance(parsed, list) else []):
        try:
            good.append((at, convert(part)))
        except BadInput as refusal:
            key = part.get("key") if isinstance(part, dict) else None
            shown = key if isinstance(key, str) else ""
            bad.append(Bad(at, refusal.path, shown, refusal.text.replace("请求体", "该行")))
            if len(bad) == NAMED:
                break
    return good, bad


def refused(bad: Iterable[Bad]) -> BadInput:
    """Return the refusal of a document that names every bad row by its path, key and reason."""
    said = [
        f"[{one.at}]{'.' + one.field if one.field else ''}"
        + (f"（{one.key}）" if one.key else "")
        + f"：{one.reason}"
        for one in sorted(bad)
    ]
    return BadInput("bad_rows", "；".join(said))


# Ours to theirs ------------------------------------------------------------------------------------

_json = msgspec.json.Encoder()


class Envelope(Struct, frozen=True):
    """Every answer; keys in the document's order."""

    code: int
    data: tuple[()]
    msg: str


OK = Reply(_json.encode(Envelope(SUCCESS, (), "")))

_MESSAGES: Mapping[str, str] = {
    "no_location": "系统尚未设置门店，请联系管理员",
    "unknown_location": "系统门店设置有误，请联系管理员",
    "suite_has_no_stock": "组合装的库存由其部件决定，不能直接更新",
    "not_on_hand": "库存更新失败，请稍后重试",
}
CODES = frozenset(_MESSAGES)
"""Every refusal this dialect has its own words for; ``refused`` and ``decode`` word the rest."""
NO_LISTING = "商品标识不存在"
NO_STORE = "门店编码不存在"
BAD_KEY = "应为{商品ID}^^^{规格key}"


def render(problem: Problem) -> Reply:
    """Return a failure in the document's envelope: 1, or the number that HTTP itself says."""
    message = _MESSAGES.get(problem.code) or problem.text or problem.code
    body = Envelope(problem.status or FAILURE, (), message)
    return Reply(_json.encode(body), problem.status or 200)


def body(rows: list[StockRow]) -> bytes:
    """Return a call's body."""
    return _json.encode(rows)
