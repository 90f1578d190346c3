"""Reads partners' JSON strictly, and says in Chinese what is wrong where.

What the contracts settle for every dialect: a required text that is blank is missing, an integer may
come as ``100``, ``"100"`` or ``100.0`` and nothing else, NUL and lone surrogates are refused anywhere,
a BOM is accepted, unknown fields are accepted. Errors are ``BadInput`` with the JSON path in the
partner's own words (``pickGoodsDtls[2].qty``).
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from decimal import Decimal
from typing import Annotated, Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Meta

from entrepot.errors import BadInput

MOST = 999_999_999
"""The most pieces one field may say."""

Text = Annotated[str, Meta(pattern=r"\S")]
"""A required text: blank counts as missing."""
Name = Annotated[str, Meta(pattern=r"\S", max_length=200)]
"""A required text by which something is found: a document's number, an article's."""
Optional = str | None
"""An optional text: absent, null and ``""`` are the same, see ``text``."""


class Whole(int):
    """An integer from 0 to 999,999,999, as ``7``, ``"7"`` or ``7.0``."""

    least = 0
    most = MOST


class Positive(Whole):
    """An integer from 1 to 999,999,999."""

    least = 1


class Id(Whole):
    """A number that names something: 0 to 9,007,199,254,740,991, what every partner's JSON can hold."""

    most = 2**53 - 1


class Exact(Decimal):
    """A finite decimal of at most 15 whole and 4 decimal digits, as number or string."""

    least = -(Decimal(10) ** 15)


class Price(Exact):
    """An exact decimal that is not below 0."""

    least = Decimal(0)


_DIGITS = re.compile(r"\d{1,32}", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,32}(\.\d{1,32})?", re.ASCII)
_BEYOND = 10**15
_SANE = 300
_OUT_OF_RANGE = "数字超出范围"
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_MISSING = re.compile(r"Object missing required field `(.+?)`(?: - at `\$(.*)`)?$")
_WRONG = re.compile(r"Expected `(.+?)`(?:, got `(.+?)`)?(.*?)(?: - at `\$(.*)`)?$", re.DOTALL)
_AT = re.compile(r"^(.*?)(?: - at `\$(.*)`)?$", re.DOTALL)
_BOUND = re.compile(r" (?:of length )?([<>]=?) (\S+)")
_NAMES = {
    "str": "字符串",
    "int": "整数",
    "float": "数字",
    "bool": "布尔值",
    "object": "对象",
    "array": "数组",
    "null": "空值",
    "decimal": "数字",
}
_EMPTY = (r" matching regex '\\S'", " of length >= 1")
_BOUNDS = {">=": "不小于", "<=": "不大于", ">": "大于", "<": "小于"}
_PLAIN = {
    "Number out of range": _OUT_OF_RANGE,
    "Integer value out of range": _OUT_OF_RANGE,
    "Invalid enum value": "不是允许的值",
}


def _sane(digits: str) -> Decimal:
    """Return a JSON number with a point or an exponent, exactly; what no field can hold is no number.

    Later arithmetic on it could overflow, or take for ever: 1e400, 1e999999999.
    """
    try:
        number = Decimal(digits)
    except ArithmeticError:
        return Decimal("NaN")
    return number if abs(number.adjusted()) <= _SANE else Decimal("NaN")


def _fraction(digits: str) -> Decimal:
    number = _sane(digits)
    if not number.is_finite():
        raise ValueError(_OUT_OF_RANGE)
    return number


def _comparable(digits: str) -> float | str:
    """Return a fraction as a number, or as it stands where no number of ours holds it: 1e400."""
    value = float(digits)
    return value if math.isfinite(value) else digits


_plain = msgspec.json.Decoder(float_hook=_sane)
_content = msgspec.json.Decoder(float_hook=_comparable)
_MOST_FIELDS = 1000


class Reader:
    """Decodes bodies of one struct; made once per route."""

    def __init__(self, shape: Any) -> None:
        self._decoder = msgspec.json.Decoder(shape, dec_hook=_hook, float_hook=_fraction)
        self._nested = _nested(shape)

    def read(self, raw: bytes) -> Any:
        """Return the typed body; raises BadInput."""
        raw = checked(raw)
        try:
            return self._decoder.decode(raw)
        except msgspec.ValidationError as error:
            raise _explained(str(error)) from None
        except (msgspec.DecodeError, RecursionError, ValueError) as error:
            raise BadInput("malformed", "请求体不是合法的JSON", detail=str(error)) from None

    def unfolded(self, raw: bytes) -> bytes:
        """Return a form (``a=1&b=[2]``) as the JSON object that says the same; raises BadInput.

        The text of a field that holds a list or an object is read as JSON, all others stay texts; of a
        name sent twice the last counts, as in JSON.
        """
        try:
            pairs = parse_qsl(
                checked(raw).decode(),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=_MOST_FIELDS,
            )
        except ValueError as error:
            raise BadInput("malformed", "请求体不是合法的表单", detail=str(error)) from None
        fields = {name: _unfolded(text) if name in self._nested else text for name, text in pairs}
        return msgspec.json.encode(fields)


def parsed(raw: bytes) -> Any:
    """Return a body as plain values, fractions exact (``Decimal``); raises BadInput.

    A number that no field can hold is NaN, so that ``converted`` can say where it stands.
    """
    try:
        return _plain.decode(checked(raw))
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise BadInput("malformed", "请求体不是合法的JSON", detail=str(error)) from None


def checked(raw: bytes) -> bytes:
    """Return the body without BOM; refuses what is not UTF-8 or holds NUL or lone surrogates."""
    if raw.startswith(b"\xef\xbb\xbf"):
        raw = raw[3:]
    try:
        raw.decode()
    except UnicodeDecodeError:
        raise BadInput("malformed", "请求体不是UTF-8编码") from None
    if _SUSPECT.search(raw):
        _refuse_unstorable(raw)
    return raw


def storable(text: str) -> bool:
    """Tell whether a database keeps this text: no NUL, no lone surrogate."""
    return _UNSTORABLE.search(text) is None


def converted(value: object, shape: Any) -> Any:
    """Return already parsed values as ``shape``, by the same rules; raises BadInput."""
    try:
        return msgspec.convert(value, shape, dec_hook=_hook)
    except msgspec.ValidationError as error:
        raise _explained(str(error)) from None


def text(value: str | None) -> str | None:
    """Return an optional text, ``""`` and blank as None."""
    return value if value and value.strip() else None


def number(value: object) -> int | float | None:
    """Return the number that an envelope bears as its code: ``0``, ``0.0``, ``"0"``; None for no number."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def kept(text: str) -> str:
    """Return a text as a database keeps it: NUL and lone surrogates are shown as other signs."""
    return text if storable(text) else text.replace("\0", "␀").encode(errors="replace").decode()


def glimpse(raw: bytes, path: str) -> str:
    """Return the text at a path (``a.b``, ``0.b``) of a body that was refused, ``""`` where there is none."""
    try:
        value = msgspec.json.decode(raw) if path else None
    except (msgspec.DecodeError, RecursionError, ValueError):
        return ""
    for step in path.split("."):
        if isinstance(value, list) and step.isdecimal():
            value = value[int(step)] if int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def digest(raw: bytes) -> bytes:
    """Return the hash of a document's content as parsed, keys sorted, so that layout does not count."""
    try:
        content = _content.decode(checked(raw))
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        # What no field of ours reads was not looked at before: nesting without end.
        raise BadInput("malformed", "请求体含有无法处理的内容", detail=str(error)) from None
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).digest()


def _nested(shape: Any) -> frozenset[str]:
    """Return the names of a struct's fields that hold a list or an object."""
    if not (isinstance(shape, type) and issubclass(shape, msgspec.Struct)):
        return frozenset()
    fields = msgspec.inspect.type_info(shape).fields  # type: ignore[attr-defined]  # a struct's type
    return frozenset(field.encode_name for field in fields if _holds_more(field.type))


def _holds_more(kind: msgspec.inspect.Type) -> bool:
    if isinstance(kind, msgspec.inspect.UnionType):
        return any(_holds_more(part) for part in kind.types)
    return isinstance(kind, (msgspec.inspect.CollectionType, msgspec.inspect.StructType))


def _unfolded(text: str) -> str | msgspec.Raw:
    """Return JSON text as it stands, and what is none as a text, which has the wrong type."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return text
    return msgspec.Raw(text.encode())


def _hook(kind: type, value: object) -> Any:
    if issubclass(kind, Whole):
        return kind(_whole(kind.least, kind.most, value))
    if issubclass(kind, Exact):
        return kind(_exact(kind.least, value))
    message = f"no decoder for {kind}"
    raise NotImplementedError(message)


def _whole(least: int, most: int, value: object) -> int:
    number = value
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        number = int(value)
    if isinstance(value, (float, Decimal)) and _is_whole(Decimal(value)):
        number = int(value)
    if not isinstance(number, int) or isinstance(number, bool):
        message = "应为整数"
        raise ValueError(message)  # noqa: TRY004 - msgspec wraps ValueError with the path
    if not least <= number <= most:
        message = f"应在{least}到{most}之间"
        raise ValueError(message)
    return number


def _is_whole(value: Decimal) -> bool:
    return value.is_finite() and abs(value) < _BEYOND and value == value.to_integral_value()


def _exact(least: Decimal, value: object) -> Decimal:
    number = None
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        number = Decimal(str(value))
    elif isinstance(value, str) and _NUMBER.fullmatch(value):
        number = Decimal(value)
    if number is None:
        message = "应为数字"
        raise ValueError(message)
    if not number.is_finite() or abs(number) >= _BEYOND:
        raise ValueError(_OUT_OF_RANGE)
    if number != number.quantize(Decimal("0.0001")):
        message = "最多4位小数"
        raise ValueError(message)
    if number < least:
        message = f"不能小于{least}"
        raise ValueError(message)
    return number


def _explained(message: str) -> BadInput:
    """Translate msgspec's sentence; the path is kept, the rest becomes Chinese."""
    if hit := _MISSING.match(message):
        path = _path(f"{hit[2] or ''}.{hit[1]}")
        return BadInput("missing_field", f"缺少必填字段：{path}", path=path)
    if hit := _WRONG.match(message):
        path = _path(hit[4] or "")
        if hit[2] == "null" and path:
            return BadInput("missing_field", f"缺少必填字段：{path}", path=path)
        if hit[3] in _EMPTY:
            return BadInput("missing_field", f"必填字段不能为空：{path or '请求体'}", path=path)
        wanted = "或".join(_NAMES.get(name.strip(), name.strip()) for name in hit[1].split("|"))
        if hit[2]:
            said = f"字段类型错误：{path or '请求体'}应为{wanted}"
        else:
            said = f"字段取值错误：{path or '请求体'}{_bound(hit[3])}"
        return BadInput("wrong_type", said, path=path)
    what, at = _AT.match(message).groups()  # type: ignore[union-attr]
    path = _path(at or "")
    said = next((text for start, text in _PLAIN.items() if what.startswith(start)), what)
    return BadInput("bad_value", f"字段取值错误：{path or '请求体'}{said}", path=path)


def _bound(constraint: str) -> str:
    """Translate what follows a type: `` >= 1``, `` of length <= 20``, `` matching regex …``."""
    if hit := _BOUND.match(constraint):
        subject = "长度" if "length" in constraint else ""
        return f"{subject}应{_BOUNDS[hit[1]]}{hit[2]}"
    return "格式不正确"


def _path(path: str) -> str:
    """Return msgspec's path in plain words; it writes a field that is no identifier as ``[...]``."""
    return path.removeprefix(".")


def _refuse_unstorable(raw: bytes) -> None:
    """Look closely at a body that may hold a NUL or a lone surrogate, and name its place."""
    try:
        parsed = json.loads(raw)  # msgspec refuses lone surrogates without saying where
    except (RecursionError, ValueError):
        raise BadInput("malformed", "请求体不是合法的JSON") from None
    waiting: list[tuple[str, object]] = [("", parsed)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, str) and not storable(value):
            where = _path(path)
            raise BadInput("bad_character", f"字段含有非法字符：{where or '请求体'}", path=where)
        if isinstance(value, dict):
            waiting += [(f"{path}.{key}", part) for key, part in value.items()]
            waiting += [(path, key) for key in value]
        elif isinstance(value, list):
            waiting += [(f"{path}[{at}]", part) for at, part in enumerate(value)]
