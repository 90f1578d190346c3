"""What every dialect keeps to, in every role, over HTTP against two server processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from entrepot.conform import outgoing
from entrepot.conform.checks import Finding, Got, Inspector, differs
from entrepot.conform.samples import Expected
from entrepot.dialect import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.conformance.conftest import End
    from tests.running import Running

GROUPS = ("documented", "errors", "replay", "hostility", "doors")


def nothing_wrong(findings: Iterable[Finding]) -> None:
    found = list(findings)
    wrong = [f"{one.call}: {one.check}: {one.problem}" for one in found if one.problem]
    assert not wrong, f"{len(wrong)} of {len(found)}:\n" + "\n".join(wrong)


async def test_every_request_of_the_document_works_as_printed(end: End, untouched: Running) -> None:
    """With the document's own numbers, in the document's order, against the demonstration."""
    async with Inspector(await end.target(untouched), end.samples) as inspector:
        nothing_wrong(await inspector.as_printed())


@pytest.mark.parametrize("group", GROUPS)
async def test_partners_get_what_the_rules_promise(end: End, demo: Running, group: str) -> None:
    """Examples, failures, repeats, hostile bodies and wrong doors: see ``entrepot.conform``."""
    async with Inspector(await end.target(demo), end.samples) as inspector:
        nothing_wrong(await getattr(inspector, group)())


def test_our_calls_are_the_documented_ones_and_answers_mean_what_they_should(end: End) -> None:
    """Each fact makes its request; each answer, and what is none, gets its verdict."""
    nothing_wrong(outgoing.check(end.role, end.samples))


def test_whatever_a_role_listens_to_is_shown_by_a_sample(end: End) -> None:
    """No fact is announced to a role whose call nobody has written down."""
    shown = {one.fact["kind"] for one in end.samples.outgoing}
    assert end.role.listens <= shown


def test_every_route_is_shown_by_a_sample(end: End) -> None:
    """A path that partners may call has an example with its table of fields."""
    shown = {(one.method, one.path) for one in end.samples.calls.values()}
    missing = {(r.method, r.path) for r in end.role.routes if "{" not in r.path} - shown
    assert not missing


@pytest.mark.parametrize("status", [401, 403, 404, 405, 413, 500])
def test_what_http_says_is_said_in_the_envelope_too(end: End, status: int) -> None:
    """The envelope of a failure of HTTP's bears its number, where it has a place for one."""
    reply = end.role.render(Problem("internal", "系统繁忙，请稍后重试", status=status))
    assert isinstance(reply.body, bytes)
    got = Got.of(reply.status, reply.body)
    assert not differs(Expected(body=end.samples.envelope.http, status=status), got)
