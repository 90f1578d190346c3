"""Orders, splits, parcels, refusals, voids, returns, new waybills, repeats and late answers against a model.

``ENTREPOT_MACHINE_STEPS=20000`` runs as many steps (default 1000); every step is done on PostgreSQL and in
the model, and everything that can be seen is compared after it.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from entrepot.db import Database
from entrepot.dispatch import desk
from entrepot.dispatch.voiding import Asked
from entrepot.orders.rules import StepBy
from tests.dispatch.model import Model, Note, Order, Piece, Place
from tests.dispatch.world import World, code_of, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from entrepot.db import Row

STEPS = int(os.environ.get("ENTREPOT_MACHINE_STEPS", "1000"))
LENGTH = 50
MAX_OFFERS = 2
PLACES = [
    Place("A", "杭州", "浙江"),
    Place("B", "宁波", "浙江"),
    Place("C", "南京", "江苏"),
    Place("D", "北京", "北京", priority=50),
    Place("E", "上海", "上海"),
]
SKUS = ("X", "Y", "Z")
NUMBERS = st.sampled_from(["D1", "D2", "D3", "D4", "D5", "D6"])
GOODS = st.dictionaries(st.sampled_from(SKUS), st.integers(1, 4), min_size=1)
SHOPS = st.sampled_from(["", "A", "E"])
WAYBILLS = st.sampled_from(["W1", "W2", "W3"])
PIECES = st.dictionaries(
    st.tuples(st.sampled_from(SKUS), st.sampled_from("ABCDE")), st.integers(1, 4), min_size=4
)
CHOICE = st.integers(0, 99)


class Machine(RuleBasedStateMachine):
    """One tenant on PostgreSQL, and its model."""

    run: Callable[[Coroutine[Any, Any, Any]], Any]
    database: Database
    steps = 0

    @initialize(pieces=PIECES)
    def begin(self, pieces: dict[tuple[str, str], int]) -> None:
        """Open outlets with some pieces."""
        self.model = Model(PLACES, MAX_OFFERS)
        self.world = World(self.database, max_offers=MAX_OFFERS)
        stock: dict[str, dict[str, int]] = {sku: {} for sku in SKUS}
        for (sku, place), qty in pieces.items():
            stock[sku][place] = qty
            for n in range(qty):
                self.model.pieces[code_of(sku, place, n)] = Piece(sku, place)
        self.run(
            self.world.open(
                {p.code: (f"{p.province}省", f"{p.city}市") for p in PLACES},
                stock,
                priority={p.code: p.priority for p in PLACES},
            )
        )

    @rule(number=NUMBERS, goods=GOODS, shop=SHOPS)
    def order(self, number: str, goods: dict[str, int], shop: str) -> None:
        """A store orders, or orders again."""
        said = self.run(self.world.order(number, goods, shop=shop))
        assert refused(said) == self.model.make(number, goods, shop)

    @rule(number=NUMBERS)
    def void(self, number: str) -> None:
        """A store gives an order back, also one that nobody knows."""
        said = self.run(self.world.void(number))
        seen = said.verdict if isinstance(said, Asked) else refused(said)
        assert {"void": "", "asking": "asking"}.get(seen, seen) == self.model.void(number)

    @rule(number=NUMBERS)
    def again(self, number: str) -> None:
        """A person has it offered again."""
        said = self.run(self.world.do(desk.source, StepBy(number=number, who="a person")))
        assert refused(said) == self.model.again(number)

    @precondition(lambda self: self.notes())
    @rule(at=CHOICE)
    def refuse(self, at: int) -> None:
        """An outlet refuses a note, also twice, also one that is closed."""
        order, note, row = self.pick(at)
        assert refused(self.run(self.world.refuse(row["number"]))) == self.model.refuse(order, note)

    @precondition(lambda self: self.notes())
    @rule(at=CHOICE)
    def send(self, at: int) -> None:
        """An offer goes out; nobody knows yet whether it arrived."""
        _, note, row = self.pick(at)
        if note.state == "open" and not note.settled:
            self.run(self.world.send(row["offer_id"]))
            note.sent = True

    @precondition(lambda self: self.notes())
    @rule(at=CHOICE, state=st.sampled_from(["delivered", "delivered", "rejected", "cancelled"]))
    def offer_answered(self, at: int, state: str) -> None:
        """An offer is answered, perhaps after its note was closed, or a person takes it back."""
        order, note, row = self.pick(at)
        self.run(self.world.settle(row["offer_id"], state, "不行"))
        self.model.offer_answered(order, note, state)

    @precondition(lambda self: any(note.recalled for _, note in self.notes()))
    @rule(at=CHOICE, state=st.sampled_from(["delivered", "rejected"]))
    def recall_answered(self, at: int, state: str) -> None:
        """An outlet gives a note up, or says that the goods have left."""
        asked = [n for n, (_, note) in enumerate(self.notes()) if note.recalled]
        order, note, row = self.pick(asked[at % len(asked)])
        self.run(self.world.settle(row["recall_id"], state, "通知单已出库"))
        self.model.recall_answered(order, note, state)

    @precondition(lambda self: self.notes())
    @rule(at=CHOICE, count=st.integers(1, 5), waybill=WAYBILLS, second=st.none() | WAYBILLS)
    def check_out(self, at: int, count: int, waybill: str, second: str | None) -> None:
        """An outlet ships what it was asked for, all or a part, in one parcel or two."""
        order, note, row = self.pick(at)
        codes: list[str] = []
        for sku, qty in note.goods.items():
            codes += sorted(
                (c for c, p in self.model.pieces.items() if p.sku == sku and not p.out),
                key=lambda c: (self.model.pieces[c].place != note.place, c),
            )[:qty]
        codes = codes[:count]
        boxes = {waybill: codes}
        if second not in (None, waybill) and len(codes) > 1:
            boxes = {waybill: codes[:1], str(second): codes[1:]}
        self.ship(order, note, row, boxes)

    @precondition(lambda self: self.notes())
    @rule(at=CHOICE, waybill=WAYBILLS, some=st.lists(CHOICE, max_size=3))
    def check_out_anything(self, at: int, waybill: str, some: list[int]) -> None:
        """An outlet ships whatever it scanned: out already, not asked for, twice, unknown, nothing."""
        order, note, row = self.pick(at)
        known = [*sorted(self.model.pieces), "unknown"]
        self.ship(order, note, row, {waybill: [known[n % len(known)] for n in some]})

    @precondition(lambda self: any(note.parcels for _, note in self.notes()))
    @rule(at=CHOICE, more=st.integers(0, 1))
    def check_out_again(self, at: int, more: int) -> None:
        """The same waybill and pieces come again, perhaps under an earlier number, perhaps with one more."""
        packed = [n for n, (_, note) in enumerate(self.notes()) if note.parcels]
        order, note, row = self.pick(packed[at % len(packed)])
        parcel = note.parcels[at % len(note.parcels)]
        lying = [
            c for c, p in sorted(self.model.pieces.items()) if p.sku in note.rest and not p.out
        ]
        waybill = (parcel.waybill, *parcel.earlier)[at % (1 + len(parcel.earlier))]
        self.ship(order, note, row, {waybill: [*parcel.codes, *lying[:more]]})

    @precondition(lambda self: self.notes())
    @rule(at=CHOICE, old=WAYBILLS, waybill=WAYBILLS)
    def relabel(self, at: int, old: str, waybill: str) -> None:
        """An outlet changes a waybill, known or not, perhaps again."""
        _, note, row = self.pick(at)
        said = self.run(self.world.relabel(row["number"], old, waybill, "YTO"))
        assert refused(said) == self.model.relabel(note, old, "YTO", waybill)

    @rule(place=st.sampled_from("ABCDE"), at=CHOICE, waybill=st.sampled_from(["R1", "R2"]))
    def refund(self, place: str, at: int, waybill: str) -> None:
        """Any outlet receives any piece, out or not, perhaps again."""
        out = sorted(code for code, piece in self.model.pieces.items() if piece.out)
        known = out if out and at % 3 else [*sorted(self.model.pieces), "unknown"]
        code = known[at % len(known)]
        said = self.run(self.world.refund(place, code, waybill))
        assert refused(said) == self.model.refund(place, code, waybill)

    @invariant()
    def same(self) -> None:
        """Everything that can be seen is what the model says."""
        type(self).steps += 1
        if hasattr(self, "model"):
            self.run(self.compare())

    async def compare(self) -> None:
        """Compare orders, notes, pieces and stock."""
        for number, order in self.model.orders.items():
            state = await self.world.state(number)
            assert state == ("cancelled" if order is None else order.state), number
        seen = [
            (row["outlet"], row["state"], row["onward"], row["keeps"], *_goods(row))
            for number, order in self.model.orders.items()
            if order is not None
            for row in await self.world.notes(number)
        ]
        assert seen == [
            (n.place, n.state, n.onward, n.keeps, n.goods, n.shipped) for _, n in self.notes()
        ]
        lying = {code: (p.place, "shipped" if p.out else "in_stock") for code, p in self.pieces()}
        assert await self.world.pieces() == lying
        for (sku, place), (on_hand, reserved) in (await self.world.stock()).items():
            assert on_hand == self.model.lies(sku, place), (sku, place)
            assert reserved == self.model.reserved.get((sku, place), 0), (sku, place)

    def teardown(self) -> None:
        """The books are proven; stores heard of every piece once, and of the end once."""
        if hasattr(self, "model"):
            self.run(self.finish())

    async def finish(self) -> None:
        """Look at what the ordering stores were told."""
        assert await self.world.proven()
        for number, order in self.model.orders.items():
            if order is None:
                continue
            told = await self.world.told(number, "packages_shipped")
            pieces = [p.code for fact in told for box in fact.transfer.parcels for p in box.pieces]
            left = [code for note in order.notes for box in note.parcels for code in box.codes]
            assert sorted(pieces) == sorted(left)
            over = order.state in ("shipped", "short", "oversold")
            ends = await self.world.told(number, "dispatch_completed")
            assert len(ends) == over, number
            for end in ends:
                boxes = [box for transfer in end.transfers for box in transfer.parcels]
                assert sorted(p.code for box in boxes for p in box.pieces) == sorted(left)

    def ship(self, order: Order, note: Note, row: Row, boxes: dict[str, list[str]]) -> None:
        """Check boxes out on both sides."""
        said = self.run(self.world.check_out(row["number"], boxes))
        assert refused(said) == self.model.check_out(order, note, boxes)

    def notes(self) -> list[tuple[Order, Note]]:
        """Every note with its order."""
        orders = [order for order in self.model.orders.values() if order is not None]
        return [(order, note) for order in orders for note in order.notes]

    def pieces(self) -> Any:
        """Every piece by its code."""
        return self.model.pieces.items()

    def pick(self, at: int) -> tuple[Order, Note, Row]:
        """One of the notes, with its row in the database."""
        order, note = self.notes()[at % len(self.notes())]
        (number,) = [number for number, one in self.model.orders.items() if one is order]
        rows = self.run(self.world.notes(number))
        return order, note, rows[order.notes.index(note)]


def test_the_database_comes_to_what_the_model_says(database_url: str) -> None:
    """Whatever happens in whatever order, however often."""
    with asyncio.Runner() as runner:
        Machine.run = staticmethod(runner.run)
        Machine.database = runner.run(Database.open(database_url, size=2))
        Machine.steps = 0
        chosen = settings(
            max_examples=max(1, 2 * STEPS // LENGTH),
            stateful_step_count=LENGTH,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(Machine, settings=chosen)
        runner.run(Machine.database.close())
    assert Machine.steps >= STEPS, Machine.steps


def _goods(row: Row) -> tuple[dict[str, int], dict[str, int]]:
    goods, shipped = json.loads(row["goods"]), json.loads(row["shipped"])
    return goods, {sku: qty for sku, qty in shipped.items() if qty}
