"""The words of goods.Goods.push: goods with their specs, for suites to be made of. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from msgspec import Meta, Struct

from entrepot.decode import Exact, Optional, Whole
from entrepot.dialects.wangdian import wire
from entrepot.dialects.wangdian.wire import Count, Number
from entrepot.facts import Goods, Spec
from entrepot.money import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

No = Annotated[str, Meta(pattern=r"\S", max_length=40)]
Text20 = Annotated[str, Meta(max_length=20)] | None
Text40 = Annotated[str, Meta(max_length=40)] | None
Text50 = Annotated[str, Meta(max_length=50)] | None
Text64 = Annotated[str, Meta(max_length=64)] | None
Text100 = Annotated[str, Meta(max_length=100)] | None
Text255 = Annotated[str, Meta(max_length=255)] | None
Text512 = Annotated[str, Meta(max_length=512)] | None


class _Props(Struct, frozen=True, kw_only=True):
    prop1: Text255 = None
    prop2: Text255 = None
    prop3: Text255 = None
    prop4: Text255 = None
    prop5: Text255 = None
    prop6: Text255 = None


class GoodsInfo(_Props, frozen=True, kw_only=True):
    """货品信息."""

    goods_no: No
    goods_name: Annotated[str, Meta(pattern=r"\S", max_length=255)]
    class_name: Text64 = None
    brand_name: Text64 = None
    unit_name: Text20 = None
    aux_unit_name: Text20 = None
    flag_name: Annotated[str, Meta(max_length=32)] | None = None
    goods_type: Count = None
    short_name: Text255 = None
    alias: Text255 = None
    origin: Text64 = None
    remark: Text512 = None
    auto_create_bc: bool | None = None


class LargeType(Whole):
    """拆分: 0 to 3, and −1 for 非单发件."""

    least = -1


class SpecInfo(_Props, frozen=True, kw_only=True):
    """规格信息."""

    spec_no: No
    spec_code: Text40 = None
    barcode: Text50 = None
    spec_name: Text100 = None
    wms_process_mask: Count = None
    goods_label: Optional = None
    sn_type: Count = None
    lowest_price: Number = None
    retail_price: Number = None
    wholesale_price: Number = None
    member_price: Number = None
    market_price: Number = None
    validity_days: Count = None
    sales_days: Count = None
    receive_days: Count = None
    weight: Number = None
    height: Number = None
    length: Number = None
    width: Number = None
    large_type: LargeType | None = None
    custom_price1: Number = None
    custom_price2: Number = None
    is_lower_cost: bool | Literal[0, 1] | None = None
    img_url: Annotated[str, Meta(max_length=1024)] | None = None
    remark: Text512 = None
    sale_score: Number = None
    pack_score: Number = None
    pick_score: Number = None
    sort_score: Number = None
    scan_score: Number = None
    supply_score: Number = None
    shelve_score: Number = None
    stockin_score: Number = None
    inspect_score: Number = None
    packing_score: Number = None
    operate_score: Number = None
    weigh_score: Number = None
    consign_score: Number = None
    tax_code: Text40 = None
    unit_name: Text20 = None
    aux_unit_name: Text20 = None
    validity_type: Count = None


_OWN_OF_GOODS = {"goods_no", "goods_name", "class_name", "brand_name", "unit_name"}
_OWN_OF_SPEC = {"spec_no", "spec_name", "spec_code", "barcode", "unit_name", "img_url"}
_OWN_OF_SPEC |= {"weight", "retail_price"}


def goods(arguments: list[Any]) -> Goods:
    """Return pushed goods as we keep them; raises BadInput naming what does not fit the document."""
    info, specs = wire.converted(arguments, tuple[GoodsInfo, tuple[SpecInfo, ...]])
    return Goods(
        goods_no=info.goods_no,
        name=info.goods_name,
        class_name=wire.said(info.class_name),
        brand_name=wire.said(info.brand_name),
        unit=wire.said(info.unit_name),
        details=_rest(info, _OWN_OF_GOODS),
        specs=tuple(
            Spec(
                sku=spec.spec_no,
                name=wire.said(spec.spec_name),
                code=wire.said(spec.spec_code),
                barcode=wire.said(spec.barcode),
                unit=wire.said(spec.unit_name),
                pic_url=wire.said(spec.img_url),
                weight=wire.number(spec.weight),
                retail_price=wire.number(spec.retail_price),
                details=_rest(spec, _OWN_OF_SPEC),
            )
            for spec in specs
        ),
    )


def push(goods: Goods) -> list[object]:
    """Return the arguments of ``goods.Goods.push`` for goods of ours, what was said besides included."""
    info = {
        "goods_no": goods.goods_no,
        "goods_name": goods.name,
        "class_name": goods.class_name,
        "brand_name": goods.brand_name,
        "unit_name": goods.unit,
        **goods.details,
    }
    specs = [
        {
            "spec_no": spec.sku,
            "spec_code": spec.code,
            "barcode": spec.barcode,
            "spec_name": spec.name,
            "retail_price": plain(spec.retail_price),
            "weight": plain(spec.weight),
            "img_url": spec.pic_url,
            "unit_name": spec.unit,
            **spec.details,
        }
        for spec in goods.specs
    ]
    return [_spoken(info), [_spoken(spec) for spec in specs]]


def _spoken(row: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in row.items() if value != ""}


def _rest(row: Struct, own: set[str]) -> dict[str, Any]:
    """Return what was said in fields that mean nothing to us, to be passed on."""
    said = {name: getattr(row, name) for name in row.__struct_fields__ if name not in own}
    return {name: _plain(value) for name, value in said.items() if value is not None}


def _plain(value: Any) -> Any:
    """Return a value without the type it was read as."""
    if isinstance(value, Exact):
        return plain(value)
    return int(value) if isinstance(value, Whole) else value
