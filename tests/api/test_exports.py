"""Files out through the API: asked for, written by the clock, fetched in parts."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from openpyxl import load_workbook

from entrepot.exports import jobs
from tests.api.test_documents import place
from tests.api.test_goods import every, stocked

if TYPE_CHECKING:
    from tests.api.client import Client


async def brought_out(client: Client, **wanted: Any) -> tuple[dict[str, Any], str]:
    """Ask for a file, let the clock work; return what came of it, and its path."""
    begun = await client.post("/exports", wanted)
    assert (begun.status, begun.json["state"]) == (202, "waiting"), begun.json
    (work,) = jobs.jobs(client.hub.db).values()
    await work(jobs.HUB)
    path = begun.headers["location"].removeprefix("/api/v1")
    return (await client.get(path)).json, path


async def test_a_file_is_written_and_fetched(client: Client) -> None:
    """As it can come in again; who asked for it is audited, and it is listed."""
    await stocked(client, "EX-1", **{"EX-L": 7})
    shown, path = await brought_out(client, kind="stock")
    assert (shown["state"], shown["parts"], shown["problem"]) == ("done", 1, "")
    part = await client.get(f"{path}/parts/1")
    assert (part.status, part.headers["content-type"]) == (200, "application/octet-stream")
    lines = part.body.decode("utf-8-sig").splitlines()
    assert lines[0] == "sku,location,qty,weight,safety"
    assert "EX-1,EX-L,7,0,0" in lines
    assert len(lines) == shown["rows"] + 1
    assert (await client.get(f"{path}/parts/2")).json["code"] == "unknown_part"
    audit = (await client.get(f"/audit?what=export&subject={shown['id']}")).json["items"]
    assert audit[0]["details"] == {"kind": "stock", "personal": False}
    assert (await every(client, "/exports?limit=1"))[0]["id"] == shown["id"]


async def test_a_workbook_is_one(client: Client) -> None:
    """The other format there is."""
    await stocked(client, "EX-2", **{"EX-L": 1})
    _, path = await brought_out(client, kind="articles", format="xlsx")
    part = await client.get(f"{path}/parts/1")
    sheet = load_workbook(io.BytesIO(part.body), read_only=True).active
    assert sheet is not None
    assert "EX-2" in [row[0] for row in sheet.iter_rows(values_only=True)]


async def test_what_is_in_a_file_takes_its_own_right(client: Client) -> None:
    """Also when it is fetched; receivers are in it for who may reveal them."""
    await stocked(client, "EX-3", **{"EX-L": 9})
    await place(client, "EXO-3", "EX-3", customer="张三")
    clerk = await client.holding("exports", "stock:read", "orders:read")
    assert (await clerk.post("/exports", {"kind": "articles"})).json["code"] == "lacks_scope"
    assert (await clerk.post("/exports", {"kind": "pieces"})).status == 202
    secret = {"kind": "orders", "personal": True}
    assert (await clerk.post("/exports", secret)).json["code"] == "lacks_scope"
    shown, path = await brought_out(client, **secret)
    assert shown["personal"]
    assert b"receiver" in (await client.get(f"{path}/parts/1")).body
    assert (await clerk.get(path)).status == 200
    assert (await clerk.get(f"{path}/parts/1")).json["code"] == "lacks_scope"
    _, path = await brought_out(clerk, kind="orders")
    assert b"receiver" not in (await clerk.get(f"{path}/parts/1")).body


async def test_what_cannot_be_brought_out_says_why(client: Client) -> None:
    """Unknown kinds and files; articles with more details than a file has columns for."""
    assert (await client.post("/exports", {"kind": "weather"})).json["code"] == "unknown_kind"
    assert (await client.get("/exports/1")).status == 404
    assert (await client.get("/exports/1/parts/1")).status == 404
    kinds = (await client.get("/exports/kinds")).json["kinds"]
    assert {"articles", "stock", "orders"} <= set(kinds)
    details = {f"d{at}": "x" for at in range(201)}
    article = {"sku": "EX-4", "details": details}
    assert (await client.post("/articles", {"articles": [article]})).status == 200
    shown, path = await brought_out(client, kind="articles")
    assert (shown["state"], shown["parts"]) == ("failed", 0)
    assert "details" in shown["problem"]
    assert (await client.get(f"{path}/parts/1")).status == 404
    await client.post("/articles", {"articles": [{"sku": "EX-4"}]})
