"""The answers of document 003, key by key in its order. Pure.

Times are texts (``""`` where a step was not taken), amounts Decimals that print without trailing zeros.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Generic, TypeVar

from msgspec import Struct

from entrepot.money import ZERO

Buttons = TypeVar("Buttons")
Row = TypeVar("Row")


class Envelope(Struct, frozen=True):
    """Every answer."""

    code: int
    msg: str
    data: Any = None


class Listing(Struct, Generic[Buttons, Row], frozen=True):
    """``data`` of every list; ``buttonPermissions`` has one entry per row of ``datas``, or none."""

    buttonPermissions: list[Buttons]
    dataSums: None
    datas: list[Row]
    pageNo: int
    total: int


class ApButtons(Struct, frozen=True):
    """What the caller may do to an adjustment (DD-5)."""

    deleteButton: bool
    refuseButton: bool
    passButton: bool
    logButton: bool
    completeButton: bool


class ApRow(Struct, frozen=True):
    """An adjustment in a list (DD-5)."""

    completeTime: str
    createRole: int
    createTime: str
    createUser: int
    createUserName: str
    customerId: int
    deleteFlg: int
    id: int
    mainOrderId: str
    modifyTime: str
    orderId: str
    passTime: str
    platformId: int
    remark: str
    runTime: str
    saOrderId: str
    status: str
    totalAskPrice: Decimal
    totalBalancePrice: Decimal
    totalSalePrice: Decimal
    type: str


class LogRow(Struct, frozen=True):
    """A line of a paper's log (DD-6, DD-7, DD-54)."""

    id: int
    opInfo: str
    opRole: int
    opTime: str
    opUser: int
    opUserName: str
    orderId: str


class ProductUnit(Struct, frozen=True):
    """The goods of an adjustment's line (DD-6)."""

    guige: str
    id: int
    name: str
    perunit: int
    pno: str
    productId: int
    unit: str


class ApPro(Struct, frozen=True):
    """A line of an adjustment (DD-6)."""

    askPrice: Decimal
    balance: Decimal
    deleteFlg: int
    id: int
    orderId: str
    pcount: int
    productId: int
    productUnit: ProductUnit
    productUnitId: int
    saOrderId: str
    salePrice: Decimal


class ApDetail(Struct, frozen=True):
    """One adjustment (DD-6)."""

    completeTime: str
    createRole: int
    createTime: str
    createUser: int
    createUserName: str
    customerId: int
    deleteFlg: int
    id: int
    mainOrderId: str
    modifyTime: str
    orderApLogs: list[LogRow]
    orderApPros: list[ApPro]
    orderId: str
    passTime: str
    platformId: int
    remark: str
    runTime: str
    saOrderId: str
    status: str
    totalAskPrice: Decimal
    totalBalancePrice: Decimal
    totalSalePrice: Decimal
    type: str


class SrButtons(Struct, frozen=True):
    """What the caller may do to a return (DD-53)."""

    setRunButton: bool
    detailButton: bool
    editButton: bool
    delButton: bool
    passButton: bool
    refuseButton: bool
    refundButton: bool


class SrRow(Struct, frozen=True, kw_only=True):
    """A return in a list (DD-53), an order to be returned (DD-57), a calculation (DD-58)."""

    completeTime: str = ""
    createRole: int = 0
    createTime: str = ""
    createUser: int = 0
    createUserName: str = ""
    customerId: int = 0
    customerName: str = ""
    customerType: str = ""
    deleteFlg: int = 0
    discountPrice: Decimal = ZERO
    freight: Decimal = ZERO
    id: int = 0
    isFreight: int = 0
    isParent: int = 0
    jian: int = 0
    modifyTime: str = ""
    orderId: str = ""
    orderSrLog: None = None
    orderSrPro: list[SrProLeft] | None = None
    passTime: str = ""
    platformId: int = 0
    price: Decimal = ZERO
    rebate: Decimal = ZERO
    rebatePrice: int = 0
    receiveTime: str = ""
    refuseTime: str = ""
    remark: str = ""
    saOrderId: str = ""
    san: int = 0
    status: str | None = None
    toDepotId: int = 0
    toDepotName: str = ""
    totalPrice: Decimal = ZERO


class SrPro(Struct, frozen=True):
    """A line of a return (DD-54)."""

    deleteFlg: int
    giftFlg: int
    guige: str
    id: int
    mainImg: str
    oldPrice: Decimal
    orderId: str
    pcount: int
    pno: str
    price: Decimal
    productId: int
    productName: str
    productunitId: int
    totalPrice: Decimal
    unit: str


class SrProLeft(Struct, frozen=True, kw_only=True):
    """A line that is not filed: of an order (DD-57), of a calculation (DD-58)."""

    deleteFlg: int = 0
    giftFlg: int = 0
    guige: str = ""
    id: int = 0
    leftPcount: int = 0
    mainImg: str = ""
    oldPrice: Decimal = ZERO
    orderId: str = ""
    pcount: int = 0
    pno: str = ""
    price: Decimal = ZERO
    productId: int = 0
    productName: str = ""
    productunitId: int = 0
    totalPrice: Decimal = ZERO
    unit: str = ""


class SrDetail(Struct, frozen=True):
    """One return (DD-54); the document leaves ``receiveTime`` out here."""

    completeTime: str
    createRole: int
    createTime: str
    createUser: int
    createUserName: str
    customerId: int
    customerName: str
    customerType: str
    deleteFlg: int
    discountPrice: Decimal
    freight: Decimal
    id: int
    isFreight: int
    isParent: int
    jian: int
    modifyTime: str
    orderId: str
    orderSrLog: list[LogRow]
    orderSrPro: list[SrPro]
    passTime: str
    platformId: int
    price: Decimal
    rebate: Decimal
    rebatePrice: int
    refuseTime: str
    remark: str
    saOrderId: str
    san: int
    status: str
    toDepotId: int
    toDepotName: str
    totalPrice: Decimal
