"""What every role's partner answers, or does not, over real sockets, and what becomes of the call."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

import pytest

from entrepot.conform import outgoing
from entrepot.courier.outbox import Announcement
from entrepot.facts import Fact
from entrepot.vault import Vault
from tests.courier.bureau import Answer, Bureau, Call, Stub

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from entrepot.conform.samples import Answer as Documented
    from entrepot.conform.samples import Outgoing
    from entrepot.db import Database
    from tests.conformance.conftest import End

QUICK = {"timeout": "400ms", "schedule": "20ms", "breaker": "off"}
STATES = {"delivered": "delivered", "rejected": "rejected"}
_keys = itertools.count(1)


@pytest.fixture
async def bureau(database: Database, tmp_path: Path) -> AsyncIterator[Bureau]:
    """Give a tenant whose courier can be set to work."""
    bureau = Bureau(database, Vault.open(tmp_path / "ring"))
    await bureau.open()
    yield bureau
    await bureau.recorder.stop()


def told(end: End) -> Iterator[tuple[Outgoing, Fact]]:
    """Yield the documented calls that tell of a fact."""
    for one in end.samples.outgoing:
        subject = outgoing.subject(one)
        if isinstance(subject, Fact):
            yield one, subject


class Partner:
    """Answers what is due; None: keeps the caller waiting."""

    def __init__(self) -> None:
        self.due: list[Answer | None] = []

    async def reply(self, _call: Call) -> Answer:
        """Answer one call."""
        answer = self.due.pop(0)
        if answer is None:
            await asyncio.sleep(60)
        return answer or (200, b"")


async def deliver(
    bureau: Bureau, end: End, one: Outgoing, fact: Fact, answers: list[Answer | None], state: str
) -> list[str]:
    """Tell a partner that answers so; return the attempts' outcomes once the call is in a state."""
    partner = Partner()
    partner.due = list(answers)
    async with Stub(partner.reply) as stub:
        settings = {**one.settings, **QUICK}
        number = next(_keys)
        connection = await bureau.connect(stub.url, end.role, name=f"them {number}", **settings)
        bureau.change(connection, secrets=one.secrets)
        about = Announcement(connection_id=connection, key=number, fact=fact)
        async with bureau.working():
            (delivery,) = await bureau.announce(about)
            await bureau.until(state, delivery, within=30)
        assert {call.path.partition("?")[0] for call in stub.calls} == {one.path or "/"}
        assert {call.key for call in stub.calls} == {str(delivery)}
    del bureau.links.links[connection]
    return [outcome for outcome, _ in await bureau.attempts(delivery)]


def sent(answer: Documented) -> Answer:
    """Return a documented answer as status and bytes."""
    return answer.status, outgoing.answer_bytes(answer)


async def test_what_is_no_answer_is_tried_again_until_there_is_one(
    end: End, bureau: Bureau
) -> None:
    """Time-out, refusal by status, a page instead of an envelope; the same id on every attempt."""
    for one, fact in told(end):
        good = next((a for a in one.answers if a.verdict == "delivered" and not a.unsure), None)
        if good is None:
            continue
        no_answers: list[Answer | None] = [None, (500, b""), (404, b"not here"), (200, b"<html>")]
        if end.role.overhears is not None:
            no_answers.pop()  # who only listens has taken it, whatever the page says
        outcomes = await deliver(bureau, end, one, fact, [*no_answers, sent(good)], "delivered")
        assert outcomes == ["failed"] * len(no_answers) + ["delivered"]


async def test_a_refusal_in_the_envelope_is_final(end: End, bureau: Bureau) -> None:
    """It is shown to a person, and not tried again."""
    for one, fact in told(end):
        no = next((a for a in one.answers if a.verdict == "rejected" and not a.unsure), None)
        if no is not None:
            outcomes = await deliver(bureau, end, one, fact, [sent(no)], "rejected")
            assert outcomes == ["rejected"]


async def test_what_an_answer_means_may_depend_on_an_attempt_before(
    end: End, bureau: Bureau
) -> None:
    """After one whose outcome nobody learned, `exists already` may mean that it had arrived."""
    for one, fact in told(end):
        for answer in (a for a in one.answers if a.unsure and a.verdict in STATES):
            answers = [None, sent(answer)]
            outcomes = await deliver(bureau, end, one, fact, answers, STATES[answer.verdict])
            assert outcomes == ["failed", answer.verdict]
