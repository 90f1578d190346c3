"""pos/orderremove: the outlets that know of an order are asked, and both sides hear the same."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tests.storepos.shops import YES, Answer, code, no

if TYPE_CHECKING:
    from tests.storepos.shops import Shops

LEFT = no("通知单已经出库")


def remove(shops: Shops, number: str) -> Answer:
    """Give an order back."""
    return shops.call("pos/orderremove", {"dispatchNO": number})


def split(shops: Shops, name: str) -> tuple[str, str, str, str]:
    """Order what two outlets ship; return the articles and both notes."""
    x, y = f"{name}X/C/S", f"{name}Y/C/S"
    shops.stocked({x: {"6002": 1}, y: {"6003": 1}})
    shops.order(name, {x: 1, y: 1})
    return x, y, shops.note(name, "6002"), shops.note(name, "6003")


def test_an_order_is_void_once_all_outlets_agree(shops: Shops, name: str) -> None:
    """Each gets one pushcancel; 通知单不存在 is an agreement; again is success; nothing is held any more."""
    x, y, first, second = split(shops, name)
    shops.stub.answers["pushcancel"] = lambda body: (
        YES if body["dispatchNO"] == first else no("通知单不存在")
    )
    assert remove(shops, name) == YES
    assert remove(shops, name) == YES
    assert shops.stub.of("pushcancel", dispatchNO=first) == [
        {"dispatchNO": first, "shopCode": "6002"}
    ]
    assert len(shops.stub.of("pushcancel", dispatchNO=second)) == 1
    assert shops.state(name) == "cancelled"
    assert shops.stock_of(x) | shops.stock_of(y) == {"6002": (1, 0), "6003": (1, 0)}
    assert shops.check_out(first, {f"{name}-1": [code(x, "6002", 0)]}) == no("通知单已作废")
    assert shops.call("pos/refuse", {"dispatchNO": first}) == YES
    assert shops.order(name, {x: 1, y: 1}) == YES
    assert shops.state(name) == "cancelled"
    assert not shops.stub.of("pushcomplete", dispatchNO=name)


def test_goods_that_left_decide_at_once(shops: Shops, name: str) -> None:
    """No outlet is asked; the rest goes on."""
    x, y, first, second = split(shops, name)
    assert shops.check_out(first, {f"{name}-1": [code(x, "6002", 0)]}) == YES
    assert remove(shops, name) == LEFT
    assert not shops.stub.of("pushcancel", dispatchNO=second)
    assert shops.check_out(second, {f"{name}-2": [code(y, "6003", 0)]}) == YES
    assert shops.state(name) == "shipped"
    assert remove(shops, name) == LEFT


def test_one_outlet_that_has_shipped_keeps_the_order_alive(shops: Shops, name: str) -> None:
    """Any other no to a pushcancel; what the other gave up is offered again; its checkout counts."""
    x, y, first, second = split(shops, name)
    shops.stub.answers["pushcancel"] = lambda body: (
        YES if body["dispatchNO"] == first else no("通知单已出库")
    )
    assert remove(shops, name) == LEFT
    assert remove(shops, name) == LEFT
    third = shops.note(name, "6002")
    assert third != first
    assert [note.state for note in shops.notes(name)] == ["void", "open", "open"]
    assert shops.check_out(second, {f"{name}-1": [code(y, "6003", 0)]}) == YES
    assert shops.check_out(third, {f"{name}-2": [code(x, "6002", 0)]}) == YES
    (end,) = shops.until(lambda: shops.stub.of("pushcomplete", dispatchNO=name))
    assert [t["transferCode"] for t in end["transfers"]] == [second, third]


def test_who_gets_no_answer_in_time_says_503_and_goes_on(shops: Shops, name: str) -> None:
    """The next orderremove is answered by what has become true; no new offers meanwhile."""
    _, _, first, second = split(shops, name)
    shops.set(void_timeout="300ms")
    shops.stub.answers["pushcancel"] = (502, {})
    status, said = remove(shops, name)
    assert (status, said["success"]) == (503, False)
    assert shops.call("pos/refuse", {"dispatchNO": first}) == YES
    assert [note.outlet for note in shops.notes(name)] == ["6002", "6003"]
    del shops.stub.answers["pushcancel"]
    shops.until(lambda: shops.state(name) == "cancelled")
    assert remove(shops, name) == YES
    assert len(shops.stub.of("pushcancel", dispatchNO=second)) > 1
    shops.set(void_timeout="8s")


def test_a_checkout_while_the_outlets_are_asked_counts(shops: Shops, name: str) -> None:
    """The store is told 通知单已经出库 by the very call that waits."""
    x, _, first, _ = split(shops, name)
    asked, go = threading.Event(), threading.Event()

    def slow(body: Any) -> Answer:
        asked.set()
        go.wait(20)
        return YES if body["dispatchNO"] != first else no("通知单已出库")

    shops.stub.answers["pushcancel"] = slow
    answers: list[Answer] = []
    store = threading.Thread(target=lambda: answers.append(remove(shops, name)))
    store.start()
    assert asked.wait(20)
    assert shops.check_out(first, {f"{name}-1": [code(x, "6002", 0)]}) == YES
    store.join(20)
    assert answers == [LEFT]
    go.set()
    shops.until(lambda: shops.state(name) == "partly_shipped")
    shops.until(lambda: [n.state for n in shops.notes(name)] == ["done", "void", "open"])


def test_a_pushcancel_goes_ahead_of_the_offer_that_waits(shops: Shops, name: str) -> None:
    """An outlet that may have been told is asked at once; a late success of the offer changes nothing."""
    x = f"{name}X/C/S"
    shops.stocked({x: {"6002": 1}})
    shops.stub.answers["pushorder"] = (500, {})
    shops.order(name, {x: 1})
    note = shops.note(name, "6002")
    assert remove(shops, name) == YES
    count = len(shops.stub.of("pushorder", dispatchNO=note))
    assert len(shops.stub.of("pushcancel", dispatchNO=note)) == 1
    shops.until(lambda: shops.state(name) == "cancelled")
    assert len(shops.stub.of("pushorder", dispatchNO=note)) <= count + 1


def test_an_unknown_number_is_void_for_good(shops: Shops, name: str) -> None:
    """The order that comes later is answered 200 and stays void, whatever it contains."""
    assert remove(shops, name) == YES
    assert shops.order(name, {"nothing/at/all": 1}) == YES
    assert shops.state(name) == "cancelled"
    assert not shops.notes(name)
    assert not shops.stub.of("pushorder", purchaseNumber=f"XP-{name}")
