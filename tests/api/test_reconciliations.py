"""Lists of partners compared through the API: sent as files, or asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from entrepot.reconciliation import jobs
from tests import daytime
from tests.api.test_goods import every, stocked
from tests.courier.bureau import Answer, Call, Stub

if TYPE_CHECKING:
    from tests.api.client import Client, Reply


async def compared(client: Client, content: bytes, **asked: Any) -> Reply:
    """Send a list of today's."""
    day = asked.pop("day", None) or daytime.today()
    words = urlencode({"connection": "goldshop", "kind": "stock", "day": day, **asked})
    return await client.post(f"/reconciliations?{words}", content)


async def differing(client: Client) -> list[dict[str, Any]]:
    """Return what stands open between goldshop and us, page by page."""
    found = await every(client, "/discrepancies?kind=stock_differs&limit=5")
    return [one for one in found if one["connection"] == "goldshop"]


async def test_a_list_is_compared_until_it_agrees(client: Client) -> None:
    """What differs is listed and resolved with a reason, which holds while the figures do."""
    day = daytime.today()
    await stocked(client, "RC-1", **{"RC-L": 5})
    reply = await compared(client, "sku,location,qty\nRC-1,RC-L,4\n".encode("gbk"), day=day)
    assert reply.status == 200, reply.json
    assert (reply.json["connection"], reply.json["theirs"], reply.json["differing"]) == (
        "goldshop", 1, 1,
    )  # fmt: skip
    (one,) = await differing(client)
    assert one["details"] == {"theirs": {"qty": 4}, "ours": {"qty": 5}}
    verdict = {"discrepancies": [{"id": one["id"], "reason": "一件在途"}]}
    assert (await client.post("/discrepancies/resolve", verdict)).status == 200
    again = await compared(client, b"sku,location,qty\nRC-1,RC-L,4\n", day=day)
    assert again.json["differing"] == 1
    assert await differing(client) == []
    agreed = await compared(client, b"sku,location,qty\nRC-1,RC-L,5\n", day=day)
    assert agreed.json["differing"] == 0
    runs = await every(client, "/reconciliations?connection=goldshop&limit=1")
    newest, *older = [(run["kind"], run["file"]) for run in runs]
    assert newest == ("stock", "sent")
    assert ("stock", "sent") not in older, "a day's list is kept once, however often it is sent"


async def test_runs_come_in_pages(client: Client) -> None:
    """The newest days first, each list of a day by itself."""
    for day in ("2026-01-02", "2026-01-01"):
        for kind, content in (
            ("orders", b"number\nRC-none\n"),
            ("refunds", b"number,amount\nx,1\n"),
        ):
            assert (await compared(client, content, kind=kind, day=day)).status == 200
    runs = await every(client, "/reconciliations?limit=1")
    old = [(run["day"], run["kind"]) for run in runs if run["day"].startswith("2026-01")]
    assert old == [
        ("2026-01-02", "orders"), ("2026-01-02", "refunds"),
        ("2026-01-01", "orders"), ("2026-01-01", "refunds"),
    ]  # fmt: skip
    assert (await client.get("/reconciliations?after=WzFd")).json["code"] == "bad_cursor"


async def test_what_is_no_list_is_refused(client: Client) -> None:
    """With the line at fault, and no path of ours; nothing is compared."""
    for content, asked, status in (
        (b"sku,location,qty\nRC-1,RC-L,many\n", {}, 422),
        (b"colour\nred\n", {}, 422),
        (b"", {}, 422),
        (b"no workbook", {"format": "xlsx"}, 422),
        (b"sku,location,qty\n", {"day": "2026-02-30"}, 422),
        (b"sku,location,qty\n", {"day": "today"}, 400),
        (b"sku,location,qty\n", {"connection": "none"}, 422),
        (b"sku,location,qty\n", {"kind": "weather"}, 400),
    ):
        reply = await compared(client, content, **asked)
        assert reply.status == status, (content, asked, reply.json)
        assert "/tmp" not in reply.body.decode()
    reader = await client.holding("reconciliations:read")
    assert (await compared(reader, b"sku,location,qty\n")).status == 403


async def test_a_partner_is_asked_for_its_stock(client: Client) -> None:
    """By the clock; what it does not answer is said. A dialect that cannot ask says so."""
    hub = client.hub
    (work,) = jobs.jobs(hub.db, hub.registry, hub.recorder).values()

    async def asked(connection: str) -> dict[str, Any]:
        begun = await client.post("/reconciliations/asks", {"connection": connection})
        assert (begun.status, begun.json["state"]) == (202, "waiting"), begun.json
        await work(jobs.HUB)
        path = begun.headers["location"].removeprefix("/api/v1")
        shown: dict[str, Any] = (await client.get(path)).json
        return shown

    reply = await client.post("/reconciliations/asks", {"connection": "goldshop"})
    assert (reply.status, reply.json["code"]) == (422, "no_query")
    new = {"name": "their-erp", "dialect": "goldshop", "role": "miniapp"}
    made = await client.post("/connections", new)
    assert made.status == 201, made.json
    reply = await client.post("/reconciliations/asks", {"connection": "their-erp"})
    assert (reply.status, reply.json["code"]) == (422, "no_partner_url")
    answers = [(500, b"")]

    async def reply_of(_call: Call) -> Answer:
        return answers[0]

    async with Stub(reply_of) as erp:
        path = made.headers["location"].removeprefix("/api/v1")
        await client.call("PATCH", path, {"settings": {"partner_url": erp.url}})
        failed = await asked("their-erp")
        assert (failed["state"], failed["connection"]) == ("failed", "their-erp")
        assert failed["problem"]
        answers[0] = (200, b'{"code":200,"data":[{"style_no":"MF004","stock_qty":29}]}')
        done = await asked("their-erp")
        assert (done["state"], done["problem"]) == ("done", "")
        found = await every(client, "/discrepancies?connection=their-erp&limit=50")
        theirs = {one["subject"].partition(" ")[2]: one["details"]["theirs"] for one in found}
        assert theirs["MF004"] == {"qty": 29}
        assert done["differing"] == len(found)
    assert (await client.get("/reconciliations/asks/1")).status == 404
