"""What `entrepot dispatch` shows and does, on the demonstration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

HANGZHOU = "张三,13800138000,浙江省,杭州市,西湖区,文三路1号, 二楼"


def explained(run: Run, *words: str) -> Any:
    """Return what `dispatch explain` tells programs."""
    answer = run("dispatch", "explain", *words, "--json")
    assert answer.code == 0, answer.err
    return answer.json


def stock(run: Run) -> list[tuple[str, str, int]]:
    """Return what is reserved where."""
    rows = run("stock", "get", "G1/C1/S1", "G2/C2/S2", "--json").json
    return [(row["sku"], row["location"], row["reserved"]) for row in rows if row["reserved"]]


def by_hand(run: Run, folder: Path) -> None:
    """Let our own people serve the outlets."""
    file = folder / "outlets.csv"
    rows = [f"{code},-" for code in ("6001", "6002", "6003", "6004", "6005")]
    file.write_text("\n".join(("code,connection", *rows)) + "\n")
    done = run("import", "outlets", str(file))
    assert done.code == 0, done.err


def test_an_order_with_a_receiver_is_sourced_and_explained(run: Run) -> None:
    """The hub's own order goes to the outlet in the receiver's city; every other outlet says why not."""
    placed = run("orders", "create", "OWN1", "G1/C1/S1=2", "G2/C2/S2=1", "--to", HANGZHOU)
    assert placed.code == 0, placed.err
    found = explained(run, "OWN1")
    assert (found["number"], found["state"], found["connection"]) == ("OWN1", "accepted", None)
    assert found["goods"] == {"G1/C1/S1": 2, "G2/C2/S2": 1}
    assert found["lacking"] == {}
    (note,) = found["notes"]
    assert (note["outlet"], note["state"], note["why"]) == (
        "6002",
        "open",
        "has all of it, same city",
    )
    said = {row["outlet"]: (row["chosen"], row["why"]) for row in found["outlets"]}
    assert said == {
        "6002": (True, "has all of it, same city"),
        "6001": (False, "has none of it"),
        "6003": (False, "has all of it; 6002 is in the receiver's city"),
        "6004": (False, "has 2 of 3 pieces; 6002 has all of it"),
        "6005": (False, "has none of it"),
    }
    assert stock(run) == [("G1/C1/S1", "6002", 2), ("G2/C2/S2", "6002", 1)]
    assert explained(run, note["note"]) == found
    shown = run("dispatch", "explain", "OWN1").out
    assert all(word in shown for word in ("OWN1", "6002", "same city", "has none of it"))


def test_what_nobody_has_is_final_and_said(run: Run) -> None:
    """Of thirty pieces the twenty-five there are go out from three outlets; five are nowhere to be had."""
    assert run("orders", "create", "OWN2", "G1/C1/S1=30", "--to", HANGZHOU).code == 0
    found = explained(run, "OWN2")
    assert found["lacking"] == {"G1/C1/S1": 5}
    assert [note["goods"]["G1/C1/S1"] for note in found["notes"]] == [10, 10, 5]
    assert run("verify").code == 0


def test_a_dry_run_reserves_nothing(run: Run) -> None:
    """Goods and an address: whom they would come from, and why not from the others."""
    words = (
        "--goods",
        "G1/C1/S1=12",
        "--goods",
        "G2/C2/S2=1",
        "--to",
        "江苏,南京",
        "--shop",
        "6002",
    )
    found = explained(run, *words)
    assert (found["number"], found["state"], found["notes"]) == (None, None, [])
    said = {row["outlet"]: (row["chosen"], row["why"]) for row in found["outlets"]}
    assert said["6003"] == (True, "has 11 of 13 pieces, same city")
    assert said["6004"] == (True, "has 2 of 13 pieces, elsewhere")
    assert said["6002"] == (False, "is the ordering store")
    assert stock(run) == []
    shown = run("dispatch", "explain", *words).out
    assert "Wanted: 12 × G1/C1/S1, 1 × G2/C2/S2." in shown


def test_questions_that_make_no_sense_are_refused(run: Run) -> None:
    """Neither or both questions, no address, unknown goods, an unknown number, an unknown store."""
    for words in (
        (),
        ("X", "--goods", "G1/C1/S1=1"),
        ("--goods", "G1/C1/S1=1"),
        ("--goods", "G1/C1/S1=1", "--to", "浙江"),
        ("--goods", "NOPE=1", "--to", "浙江,杭州"),
        ("--goods", "G1/C1/S1=0", "--to", "浙江,杭州"),
        ("--goods", "G1/C1/S1=1", "--to", "浙江,杭州", "--shop", "nowhere"),
        ("NOPE",),
    ):
        refused = run("dispatch", "explain", *words)
        assert (refused.code, refused.out) == (1, ""), words
        assert refused.err
    for to in ("张三", "张三,,浙江省,杭州市,西湖区,一号", "a,b,c,d,e"):
        assert run("orders", "create", "BAD", "G1/C1/S1=1", "--to", to).code == 1
    assert run("dispatch", "explain", "BAD").code == 1


def test_only_what_is_parked_is_offered_again(run: Run) -> None:
    """A note that is under way stays where it is."""
    assert run("orders", "create", "OWN3", "G1/C1/S1=1", "--to", HANGZHOU).code == 0
    refused = run("dispatch", "source", "OWN3")
    assert refused.code == 1
    assert "accepted" in refused.err
    assert run("dispatch", "source", "NOPE").code == 1


def test_an_order_that_outlets_ship_is_cancelled_while_nobody_was_told(run: Run) -> None:
    """The offers are withdrawn, the goods are free, the number stays taken; an operator ships none of it."""
    assert run("orders", "create", "OWN4", "G1/C1/S1=1", "--to", HANGZHOU).code == 0
    assert run("orders", "ship", "OWN4").code == 1
    cancelled = run("orders", "cancel", "OWN4", "--reason", "不要了")
    assert (cancelled.code, cancelled.out) == (0, "Order OWN4 is cancelled.\n")
    assert stock(run) == []
    assert run("orders", "show", "OWN4", "--json").json["state"] == "cancelled"
    assert explained(run, "OWN4")["lacking"] == {}
    assert run("orders", "create", "OWN4", "G1/C1/S1=1").code == 1
    assert run("orders", "cancel", "OWN4").code == 0


def test_orders_without_a_receiver_are_cancelled_as_ever(run: Run) -> None:
    """The same command serves both."""
    assert run("orders", "create", "OWN5", "YPJ1600=1").code == 0
    assert run("orders", "cancel", "OWN5").code == 0
    assert run("orders", "cancel", "NOPE").code == 1


def test_how_outlets_are_chosen_is_data(run: Run, tmp_path: Path) -> None:
    """Rules are shown, replaced by a file and checked; an empty list brings the default back."""
    default = [rule["kind"] for rule in run("dispatch", "rules", "--json").json]
    assert default == [
        *("paused", "capacity", "single", "fewest"),
        *("city", "province", "priority", "stock"),
    ]
    file = tmp_path / "rules.json"
    file.write_text(json.dumps([{"kind": "depth", "pieces": 4}, {"kind": "stock"}]))
    assert run("dispatch", "rules", str(file)).code == 0
    assert run("dispatch", "rules", "--json").json[0] == {"kind": "depth", "pieces": 4}
    found = explained(run, "--goods", "G1/C1/S1=8", "--to", "浙江,杭州")
    said = {row["outlet"]: row["why"] for row in found["outlets"] if row["chosen"]}
    assert said == {
        "6002": "has 6 of 8 pieces, same city",
        "6003": "has 2 of 8 pieces, elsewhere",
    }
    for wrong in ('[{"kind": "luck"}]', '[{"kind": "depth"}]', "{", '[{"kind": "depth", "x": 1}]'):
        file.write_text(wrong)
        assert run("dispatch", "rules", str(file)).code == 1
    assert run("dispatch", "rules", str(tmp_path / "absent.json")).code == 1
    file.write_text("[]")
    shown = run("dispatch", "rules", str(file))
    assert "single" in shown.out


def test_what_a_refusal_means_is_said_by_its_text(run: Run) -> None:
    """Texts and their effects are set per connection; an unknown effect is refused."""
    assert run("dispatch", "reasons", "storepos").out == "No text means anything yet.\n"
    said = run("dispatch", "reasons", "storepos", "缺货=empty", "残次=unsellable", "--json")
    assert said.json == {"残次": "unsellable", "缺货": "empty"}
    assert run("dispatch", "reasons", "storepos", "缺货=gone").code == 1


def test_our_own_people_ship_refuse_and_receive(run: Run, tmp_path: Path) -> None:
    """Outlets that no partner serves are worked by hand: parcels, new waybills, returns, refusals."""
    by_hand(run, tmp_path)
    for number in ("P1", "P2"):
        placed = run("orders", "create", number, "G2/C2/S2=2", "--to", HANGZHOU)
        assert placed.code == 0, placed.err
    first = run("dispatch", "ship", "P1", "W1", "SN-G2-6002-03")
    assert (first.code, first.out.split()[:2]) == (0, ["1", "pieces"])
    assert run("dispatch", "ship", "P1", "W2").code == 0
    assert run("dispatch", "ship", "P1", "W3", "SN-G2-6002-04").code == 1
    assert run("dispatch", "waybill", "P1", "W1", "W9", "--express", "YTO").code == 0
    assert run("dispatch", "waybill", "P1", "W8", "W9").code == 1
    assert run("dispatch", "return", "6005", "SN-G2-6002-03", "R1").code == 0
    assert run("dispatch", "return", "6005", "SN-G2-6002-09", "R1").code == 1
    assert run("orders", "show", "P1", "--json").json["state"] == "shipped"
    found = run("dispatch", "explain", "P1", "--json").json
    assert found["notes"][0]["shipped"] == {"G2/C2/S2": 2}
    assert found["outlets"][0]["why"] == "has all of it, same city; shipped"

    assert run("dispatch", "refuse", "P2", "--reason", "缺货").code == 0
    found = run("dispatch", "explain", "P2", "--json").json
    assert [(note["outlet"], note["state"]) for note in found["notes"]] == [
        ("6002", "refused"),
        ("6003", "open"),
    ]
    assert found["outlets"][0]["why"] == "has all of it, same city; refused: 缺货"
    assert run("dispatch", "refuse", "P1").code == 1
    assert run("dispatch", "refuse", "P9").code == 1
    assert run("verify").code == 0
    assert run("discrepancies", "list").out == "Everything agrees.\n"


def test_what_does_not_agree_is_listed_until_a_person_settles_it(run: Run, tmp_path: Path) -> None:
    """A piece that was recorded elsewhere is moved and shown."""
    by_hand(run, tmp_path)
    run("orders", "create", "P3", "G1/C1/S1=1", "--to", HANGZHOU)
    assert run("dispatch", "ship", "P3", "W1", "SN-G1-6004-01").code == 0
    (row,) = run("discrepancies", "list", "--json").json
    assert (row["kind"], row["subject"], row["document"]) == ("moved", "SN-G1-6004-01", "P3")
    assert row["details"]["recorded_at"] == "6004"
    assert "moved" in run("discrepancies", "list").out
    assert run("discrepancies", "resolve", row["id"], "--reason", "counted").code == 0
    assert run("discrepancies", "resolve", "1", "--reason", "counted").code == 1
    assert run("discrepancies", "list", "--json").json == []
