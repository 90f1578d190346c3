"""Names of provinces and cities, made comparable. Pure.

Partners write 浙江省 or 浙江, 广西壮族自治区 or 广西, and for the four municipalities 市辖区 where the city
stands. The migration that adds ``location.province_key`` holds the same expression.
"""

from __future__ import annotations

import re

_PEOPLES = (
    "维吾尔|壮族|回族|(土家族|苗族|藏族|羌族|彝族|布依族|侗族|哈尼族"
    "|傣族|白族|傈僳族|景颇族|朝鲜族|蒙古族?|哈萨克|柯尔克孜)+"
)
SUFFIX = f"(?<=..)({_PEOPLES})?(特别行政区|自治区|自治州|地区|省|市|盟)$"
"""What is left out of a name when regions are compared; at least two characters stay."""
_SUFFIX = re.compile(SUFFIX)
_NO_CITY = frozenset({"", "市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"})


def key(name: str) -> str:
    """Return a region's name as it is compared: 浙江省 → 浙江, 延边朝鲜族自治州 → 延边."""
    return _SUFFIX.sub("", name.strip(" "))


def keys(province: str, city: str) -> tuple[str, str]:
    """Return the keys of an address; a municipality's 市辖区 is the municipality itself."""
    province = key(province)
    return province, province if city.strip() in _NO_CITY else key(city)
