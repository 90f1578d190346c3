"""What an operator may set of a connection; README.md tells what each does. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from entrepot.dialect import Duration, Settings, Switch

Name = Annotated[str, Meta(pattern=r"^[^?#\s]+\Z")]
Count = Annotated[int, Meta(ge=1, le=1000)]


class Paths(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where our calls go under the partner's URL; the document leaves all but ``pushorder`` open (待定)."""

    pushpackage: Name = "pushpackage"
    pushcomplete: Name = "pushcomplete"
    pushreceipt: Name = "pushreceipt"
    pushwaybill: Name = "pushwaybill"
    pushorder: Name = "pushorder"
    pushcancel: Name = "pushcancel"


class OmsSettings(Settings, frozen=True, kw_only=True):
    """Policies of a connection to a store system; README.md tells what each does."""

    paths: Paths = Paths()
    path_style: Literal["path", "query"] = "path"
    max_offers: Count = 5
    answer_within: Duration = "24h"
    auto_resource: Switch = "off"
    void_timeout: Duration = "8s"
    require_over24h_reason: Switch = "off"
    express: str = ""


class PosSettings(Settings, frozen=True, kw_only=True):
    """Policies of a connection to an OMS."""
