"""What saving suites would change, before it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct, structs

from entrepot.catalogue import rules, told
from entrepot.catalogue import suites as catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from entrepot.db import Tx
    from entrepot.errors import Refused
    from entrepot.facts import Suite


class Field(Struct, frozen=True, kw_only=True):
    """One difference. ``name`` is a field of the head, ``parts[SKU]`` or a field of it, or ``order``.

    None stands for what is not there: a part that comes in has nothing before.
    """

    name: str
    before: object
    after: object


class Change(Struct, frozen=True, kw_only=True):
    """What saving one suite would do."""

    sku: str
    kind: Literal["new", "changed", "same"]
    fields: tuple[Field, ...]


async def preview(tx: Tx, batch: Sequence[Suite]) -> list[Refused | Change]:
    """Return what ``suites.replace`` would refuse, or change; nothing is written.

    Of two that name one suite both are compared with what is saved now.
    """
    skus = {suite.sku for suite in batch} | {p.sku for suite in batch for p in suite.parts}
    articles = await catalogue.known(tx, skus)
    labels = set(await catalogue.labels(tx))
    saved = [articles[suite.sku] for suite in batch if suite.sku in articles]
    there = [one.id for one in saved if one.kind == rules.SUITE]
    before = {suite.sku: suite for suite in (await told.whole(tx, there)).values()}
    return [
        rules.fault(suite, articles)
        or changes(
            before.get(suite.sku),
            suite if suite.label in labels else structs.replace(suite, label=""),
        )
        for suite in batch
    ]


def changes(before: Suite | None, after: Suite) -> Change:
    """Return what makes ``after`` of ``before``; of a new suite its parts alone are told. Pure."""
    if before is None:
        fields = tuple(_parts(None, after))
        return Change(sku=after.sku, kind="new", fields=fields)
    fields = (*_head(before, after), *_parts(before, after))
    return Change(sku=after.sku, kind="changed" if fields else "same", fields=fields)


def _head(before: Suite, after: Suite) -> Iterator[Field]:
    for name in before.__struct_fields__:
        old, new = getattr(before, name), getattr(after, name)
        if name != "parts" and old != new:
            yield Field(name=name, before=old, after=new)


def _parts(before: Suite | None, after: Suite) -> Iterator[Field]:
    old = {part.sku: part for part in before.parts} if before else {}
    new = {part.sku: part for part in after.parts}
    for sku in (*old, *(sku for sku in new if sku not in old)):
        at = f"parts[{sku}]"
        if sku not in new:
            yield Field(name=at, before=old[sku].num, after=None)
        elif sku not in old:
            yield Field(name=at, before=None, after=new[sku].num)
        else:
            for name in ("num", "is_fixed_price", "fixed_price", "ratio"):
                was, becomes = getattr(old[sku], name), getattr(new[sku], name)
                if was != becomes:
                    yield Field(name=f"{at}.{name}", before=was, after=becomes)
    if before and old.keys() == new.keys() and list(old) != list(new):
        yield Field(name="order", before=list(old), after=list(new))
