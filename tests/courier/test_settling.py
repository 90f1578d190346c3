"""What became of a call is written down, and one that cannot be harms no other."""

from __future__ import annotations

import json
from dataclasses import replace

import structlog
from msgspec import structs

from entrepot import clock
from entrepot.courier import claims
from entrepot.courier.claims import Claim, Settled, Settler, Want
from entrepot.dialect import Retry, Sent, Verdict
from tests.courier.bureau import ROLE, Answer, Bureau, Call, Stub, eventually


def patient(sent: Sent) -> Verdict:
    """Wait for as long as the partner's answer says, which JSON as Python reads it lets be no number."""
    envelope = json.loads(sent.response.body)
    return Retry("again later", envelope["after"]) if "after" in envelope else ROLE.verdict(sent)


async def claimed(bureau: Bureau, connection: int, n: int) -> list[Claim]:
    """Claim the heads of ``n`` documents, in the order they were announced."""
    made = [await bureau.step(connection, key=key) for key in range(1, n + 1)]
    found = await bureau.db.run(
        bureau.tenant_id,
        lambda tx: claims.claim(tx, [Want(connection, n)], 600, bureau.vault.unseal, clock.ticks()),
    )
    return sorted(found, key=lambda claim: made.index(claim.id))


async def test_a_settlement_that_cannot_be_written_harms_no_other(
    bureau: Bureau, stub: Stub
) -> None:
    """Of seven that go together one waits for no number of seconds and one says NUL: the others are as
    they ended, these two are at rest, and none is left with its lease.
    """
    connection = await bureau.connect(stub.url)
    batch = [
        Settled(claim=claim, state="delivered", outcome="delivered", status=200)
        for claim in await claimed(bureau, connection, 7)
    ]
    endless, strange = 2, 5
    batch[endless] = structs.replace(
        batch[endless],
        state="waiting", step=True, outcome="failed", error="no idea when", wait=float("nan"), deadline=60.0,
    )  # fmt: skip
    batch[strange] = structs.replace(
        batch[strange], state="rejected", outcome="rejected", error="not\0so", status=200
    )
    settler = Settler(bureau.db)
    with structlog.testing.capture_logs() as logged:
        for one in batch:
            settler.add(one)
        await settler.drain()
    states = await bureau.states()
    expected = ["delivered"] * 7
    expected[endless], expected[strange] = "needs_attention", "rejected"
    assert [states[one.claim.id] for one in batch] == expected
    leased = await bureau.rows("SELECT key FROM lane WHERE tenant_id = $1 AND leased")
    assert not leased
    [(outcome, note)] = await bureau.attempts(batch[endless].claim.id)
    assert outcome == "failed"
    assert note.endswith("could not be written down as it was: no idea when")
    assert await bureau.attempts(batch[strange].claim.id) == [("rejected", "not␀so")]
    assert [entry["deliveries"] for entry in logged if entry["log_level"] == "error"] == [1, 1]


async def test_a_call_whose_outcome_cannot_be_written_is_made_once(
    bureau: Bureau, stub: Stub
) -> None:
    """A dialect that asks to wait for no number of seconds leaves its delivery to a person."""

    async def reply(call: Call) -> Answer:
        return 200, b'{"after": NaN}' if json.loads(call.body)["number"] == "D1" else b'{"code": 0}'

    stub.reply = reply
    connection = await bureau.connect(stub.url, replace(ROLE, verdict=patient))
    first = await bureau.step(connection, key=1)
    async with bureau.working(lease=1.0):
        await bureau.until("needs_attention", first)
        await bureau.until("delivered", await bureau.step(connection, key=2))

        async def outlived() -> bool:
            rows = await bureau.rows(
                "SELECT 1 FROM attempt WHERE tenant_id = $1 AND at < now() - interval '1.5 s'"
            )
            return len(rows) == 2

        await eventually(outlived)
    assert len(stub.calls) == 2


async def test_what_no_one_can_write_waits_for_its_lease(bureau: Bureau, stub: Stub) -> None:
    """An outcome that the database does not know is given up, and the call is another process's to make."""
    connection = await bureau.connect(stub.url)
    [claim] = await claimed(bureau, connection, 1)
    settler = Settler(bureau.db)
    settler.add(Settled(claim=claim, state="delivered", outcome="vanished"))  # type: ignore[arg-type]
    await settler.drain()
    assert (await bureau.states())[claim.id] == "waiting"
    assert await bureau.rows("SELECT key FROM lane WHERE tenant_id = $1 AND leased")
