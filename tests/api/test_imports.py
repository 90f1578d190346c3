"""Files through the API: announced, sent in parts, brought in by the clock, their result fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from entrepot.imports import jobs
from tests.api.test_goods import every, levels, stocked

if TYPE_CHECKING:
    from tests.api.client import Client


async def sent(client: Client, kind: str, *parts: bytes, **more: Any) -> str:
    """Announce a file and send its parts; return its path."""
    begun = await client.post("/imports", {"kind": kind, **more})
    assert (begun.status, begun.json["state"]) == (201, "uploading"), begun.json
    path = begun.headers["location"].removeprefix("/api/v1")
    for number, part in enumerate(parts, 1):
        assert (await client.call("PUT", f"{path}/parts/{number}", part)).status == 200
    return path


async def brought_in(client: Client, path: str) -> dict[str, Any]:
    """Start a file, let the clock work, return what came of it."""
    started = await client.post(f"{path}/run")
    assert (started.status, started.json["state"]) == (202, "waiting")
    (work,) = jobs.jobs(client.hub.db, client.hub.vault, client.hub.dialects).values()
    await work(jobs.HUB)
    found: dict[str, Any] = (await client.get(path)).json
    return found


async def test_a_file_is_brought_in_and_its_wrong_rows_come_back(client: Client) -> None:
    """Parts are joined as they were sent; what is left out can be corrected and sent again."""
    await stocked(client, "IM-1", **{"IM-L": 1})
    head, tail = b"sku,location,qty\nIM-1,IM-", b"L,7\nnone,IM-L,1\nIM-1,IM-L,x\n"
    path = await sent(client, "stock", b"wrong", tail)
    assert (await client.call("PUT", f"{path}/parts/1", head)).status == 200
    done = await brought_in(client, path)
    assert (done["state"], done["taken"], done["left_out"]) == ("done", 1, 2)
    assert (done["progress"], done["problem"], done["who"]) == (1, "", "erp (api)")
    assert [row["on_hand"] for row in await levels(client, "IM-1")] == [7]
    errors = await client.get(f"{path}/errors")
    assert errors.headers["content-type"] == "text/csv; charset=utf-8"
    lines = errors.body.decode("utf-8-sig").splitlines()
    assert lines[0] == "sku,location,qty,error"
    assert len(lines) == 3
    again = await client.post(f"{path}/run")
    assert (again.status, again.json["code"]) == (409, "import_begun")
    assert (await client.call("PUT", f"{path}/parts/1", head)).status == 409
    audit = (await client.get(f"/audit?what=import&subject={done['id']}")).json["items"]
    assert audit[0]["details"] == {"kind": "stock", "taken": 1, "left out": 2}
    assert (await every(client, "/imports?limit=1"))[0]["id"] == done["id"]


async def test_a_dry_run_changes_nothing(client: Client) -> None:
    """It says what would come of it."""
    path = await sent(client, "articles", b"sku\nIM-2\n", dry_run=True)
    done = await brought_in(client, path)
    assert (done["state"], done["taken"], done["dry_run"]) == ("done", 1, True)
    assert (await client.get("/articles?sku=IM-2")).json["items"] == []
    assert (await client.get(f"{path}/errors")).json["code"] == "no_errors"


async def test_a_file_that_cannot_be_read_says_why(client: Client) -> None:
    """No path of ours is in it; a file whose parts lack is not begun."""
    for content, kind, format_ in (
        (b"colour\nred\n", "articles", "csv"),
        (b"no workbook", "articles", "xlsx"),
    ):
        path = await sent(client, kind, content, format=format_)
        done = await brought_in(client, path)
        assert done["state"] == "failed"
        assert done["problem"]
        assert "/tmp" not in done["problem"]
    path = await sent(client, "articles")
    assert (await client.post(f"{path}/run")).json["code"] == "parts_lacking"
    await client.call("PUT", f"{path}/parts/2", b"x")
    assert (await client.post(f"{path}/run")).json["code"] == "parts_lacking"
    assert (await client.call("PUT", f"{path}/parts/1", b"")).json["code"] == "empty_part"
    assert (await client.call("PUT", f"{path}/parts/0", b"x")).status == 400


async def test_what_is_in_a_file_takes_its_own_right(client: Client) -> None:
    """Unknown kinds and files are named; the kinds there are list their columns."""
    clerk = await client.holding("imports", "stock")
    assert (await clerk.post("/imports", {"kind": "stock"})).status == 201
    assert (await clerk.post("/imports", {"kind": "pieces"})).status == 201
    assert (await clerk.post("/imports", {"kind": "orders"})).json["code"] == "lacks_scope"
    assert (await client.post("/imports", {"kind": "weather"})).json["code"] == "unknown_kind"
    for path in ("/imports/1", "/imports/1/errors"):
        assert (await client.get(path)).status == 404
    assert (await client.post("/imports/1/run")).json["code"] == "unknown_import"
    kinds = {one["name"]: one for one in (await client.get("/imports/kinds")).json["kinds"]}
    assert {"articles", "stock", "orders"} <= set(kinds)
    assert {"name": "sku", "required": True, "example": "YPJ1601"} in kinds["orders"]["columns"]
