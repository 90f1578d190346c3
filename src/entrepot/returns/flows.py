"""File returns, edit them, move them on; sign goods in, give money back. Each verb takes a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from entrepot import facts
from entrepot.db import queries
from entrepot.errors import Missing, Refused
from entrepot.orders import accounts
from entrepot.papers import flows as papers
from entrepot.papers.repeats import Repeats
from entrepot.papers.rules import NewPaper, Paper, Step, policy
from entrepot.people.rules import PAPERWORK, right
from entrepot.returns import receipts, rules, told
from entrepot.returns.receipts import Receipt
from entrepot.returns.rules import KIND, Act, Amounts, Body, Claims, Draft, Edit, Line, NewReturn

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from entrepot.connections.rules import TenantSettings
    from entrepot.db import Row, Tx
    from entrepot.orders.prices import Account
    from entrepot.people.rules import Actor

_q = queries(__package__)


async def create(tx: Tx, batch: Sequence[NewReturn]) -> list[str | Refused]:
    """File returns as drafts; return their numbers. A refused one uses none."""
    settings = await papers.settings(tx)
    repeats = Repeats(KIND, [new.key for new in batch])
    outcomes: dict[int, str | Refused] = {}
    allowed = {}
    for at in await repeats.claim(tx):
        try:
            right(batch[at].actor, "create", KIND, "", None, policy(settings))
        except Refused as refusal:
            outcomes[at] = refusal
            continue
        allowed[at] = batch[at].body
    drafts = await drafted(tx, allowed, settings, outcomes)
    good = sorted(drafts)
    filed = await papers.file(tx, KIND, [_paper(drafts[at], batch[at].actor) for at in good])
    saved = [(paper, drafts[at]) for paper, at in zip(filed, good, strict=True)]
    await _save(tx, {paper.id: draft for paper, draft in saved})
    await told.drafted(tx, facts.SalesReturnFiled, saved)
    numbers = {at: (paper.id, paper.number) for paper, at in zip(filed, good, strict=True)}
    await repeats.fulfil(tx, numbers)
    outcomes |= {at: number for at, (_, number) in numbers.items()}
    return [repeats.answer(at, outcomes) for at in range(len(batch))]


async def edit(tx: Tx, batch: Sequence[Edit]) -> list[str | Refused]:
    """Give drafts new content; return their states."""
    settings = await papers.settings(tx)
    outcomes: dict[int, str | Refused] = {}
    for positions in papers.rounds(batch, lambda command: command.number):
        commands = {at: batch[at] for at in positions}
        allowed = await _editable(tx, commands, settings, outcomes)
        bodies = {at: commands[at].body for at in allowed}
        drafts = await drafted(tx, bodies, settings, outcomes)
        steps = [_edited(allowed[at], draft, commands[at].actor) for at, draft in drafts.items()]
        await papers.step(tx, KIND, steps)
        await _save(tx, {allowed[at].id: draft for at, draft in drafts.items()})
        edited = [(allowed[at], draft) for at, draft in drafts.items()]
        await told.drafted(tx, facts.SalesReturnEdited, edited)
        outcomes |= {at: allowed[at].state for at in drafts}
    return [outcomes[at] for at in range(len(batch))]


async def act(tx: Tx, batch: Sequence[Act]) -> list[str | Refused]:
    """Run, pass, refuse, receive, complete or delete returns; return their new states.

    Goods once signed in are not signed in again: that succeeds and changes nothing.
    """
    settings = await papers.settings(tx)
    outcomes: dict[int, str | Refused] = {}
    for positions in papers.rounds(batch, lambda command: command.number):
        taken = await _act_once(tx, [batch[at] for at in positions], settings)
        outcomes |= dict(zip(positions, taken, strict=True))
    return [outcomes[at] for at in range(len(batch))]


async def drafted(
    tx: Tx,
    bodies: Mapping[int, Body],
    settings: TenantSettings,
    outcomes: dict[int, str | Refused],
) -> dict[int, Draft]:
    """Lock the orders and return what may be saved, by position; refusals go into ``outcomes``."""
    found = await accounts.find(tx, [body.order for body in bodies.values()])
    known = await accounts.lock(tx, found.values())
    taken = await claims(tx, known)
    depots = await _depots(tx, {str(body.depot_id) for body in bodies.values()})
    drafts = {}
    for at, body in bodies.items():
        try:
            account = accounts.account_of(known, found.get(body.order), body.order)
            rules.check(account, body)
            if str(body.depot_id) not in depots:
                raise Missing("unknown_depot", "There is no such depot.", field="depot")
            lines = rules.matched(account, body.lines)
            drafts[at] = Draft(
                body=body,
                account=account,
                location_id=depots[str(body.depot_id)],
                lines=lines,
                amounts=worked_out(account, lines, taken[account.order_id], body, settings),
            )
        except Refused as refusal:
            outcomes[at] = refusal
    return drafts


def worked_out(
    account: Account, lines: Sequence[Line], taken: Claims, body: Body, settings: TenantSettings
) -> Amounts:
    """Return a return's amounts; refuses more pieces than are left."""
    rules.fit(account, lines, taken)
    return rules.amounts(
        account,
        lines,
        taken,
        with_freight=body.with_freight,
        deduct=settings.freight_excluded == "deduct",
    )


async def claims(tx: Tx, order_ids: Collection[int]) -> dict[int, Claims]:
    """Return what returns that are not drafts have taken of these orders."""
    found = {order_id: Claims() for order_id in order_ids}
    if not found:
        return found
    for row in await tx.rows(_q.claimed_money, list(found)):
        found[row["order_id"]] = Claims(discount=row["discount"], freight=row["freight"], pieces={})
    pieces: dict[int, dict[rules.Named, int]] = {}
    for row in await tx.rows(_q.claimed_pieces, list(found)):
        name = (row["product_id"], row["unit_id"], row["gift"], row["old_price"])
        pieces.setdefault(row["order_id"], {})[name] = row["qty"]
    return {
        order_id: structs.replace(mine, pieces=pieces.get(order_id, {}))
        for order_id, mine in found.items()
    }


async def _depots(tx: Tx, codes: Collection[str]) -> dict[str, int]:
    rows = await tx.rows(_q.depots, list(codes))
    return {row["code"]: row["id"] for row in rows}


async def _editable(
    tx: Tx,
    commands: Mapping[int, Edit],
    settings: TenantSettings,
    outcomes: dict[int, str | Refused],
) -> dict[int, Paper]:
    """Lock the drafts; return those that may be edited, by position."""
    known = await papers.lock(tx, KIND, [command.number for command in commands.values()])
    allowed = {}
    for at, command in commands.items():
        paper = known.get(command.number)
        if paper is None:
            outcomes[at] = papers.unknown(KIND, command.number)
            continue
        try:
            right(command.actor, "edit", KIND, paper.state, paper.creator, policy(settings))
        except Refused as refusal:
            outcomes[at] = refusal
            continue
        allowed[at] = paper
    return allowed


def _paper(draft: Draft, actor: Actor) -> NewPaper:
    return NewPaper(
        state=PAPERWORK[KIND, ""]["create"].to,
        order_id=draft.account.order_id,
        order_number=draft.account.number,
        customer_id=draft.account.customer_id,
        platform_id=draft.body.platform_id,
        remark=draft.body.remark,
        actor=actor,
        what=rules.CREATED,
    )


def _edited(paper: Paper, draft: Draft, actor: Actor) -> Step:
    return Step(
        paper=paper,
        action="edit",
        to=paper.state,
        actor=actor,
        what=rules.EDITED,
        order_id=draft.account.order_id,
        order_number=draft.account.number,
        customer_id=draft.account.customer_id,
        platform_id=draft.body.platform_id,
        remark=draft.body.remark,
    )


async def _save(tx: Tx, drafts: Mapping[int, Draft]) -> None:
    """Write the content of returns, by paper id."""
    if not drafts:
        return
    await tx.do(_q.clear_lines, list(drafts))
    lines = [
        (paper_id, at, line)
        for paper_id, draft in drafts.items()
        for at, line in enumerate(draft.lines)
    ]
    await tx.do(
        _q.save_lines,
        [paper_id for paper_id, _, _ in lines],
        [at for _, at, _ in lines],
        *(
            [getattr(line, field) for _, _, line in lines]
            for field in (
                "article_id", "product_id", "unit_id", "qty", "old_price", "price", "gift",
            )
        ),
    )  # fmt: skip
    rows = [
        (paper_id, draft.location_id, draft.body.depot_id, draft.body.with_freight, draft.amounts)
        for paper_id, draft in drafts.items()
    ]
    await _save_money(tx, rows)


async def _save_money(tx: Tx, rows: Sequence[tuple[int, int, int, bool, Amounts]]) -> None:
    await tx.do(
        _q.save,
        *([row[column] for row in rows] for column in range(4)),
        *(
            [getattr(row[4], field) for row in rows]
            for field in (
                "price", "discount", "freight", "total", "freight_used", "cases", "loose",
            )
        ),
    )  # fmt: skip


async def _act_once(tx: Tx, batch: Sequence[Act], settings: TenantSettings) -> list[str | Refused]:
    """Take one action on each of different returns: lock, decide, move, book, save."""
    known = await papers.lock(tx, KIND, [command.number for command in batch])
    taken = _Taken(settings)
    await taken.read(tx, list(known.values()))
    outcomes: list[str | Refused] = []
    for command in batch:
        paper = known.get(command.number)
        if paper is None:
            outcomes.append(papers.unknown(KIND, command.number))
            continue
        try:
            outcomes.append(taken.act(command, paper))
        except Refused as refusal:
            outcomes.append(refusal)
    await taken.save(tx)
    return outcomes


class _Taken:
    """What one round does, gathered before it is saved; orders and claims follow each action."""

    def __init__(self, settings: TenantSettings) -> None:
        self._settings = settings
        self._books: dict[int, Account] = {}
        self._claims: dict[int, Claims] = {}
        self._money: dict[int, Row] = {}
        self._lines: dict[int, list[Line]] = {}
        self.steps: list[Step] = []
        self._run: list[tuple[int, int, int, bool, Amounts]] = []
        self._refunds: dict[int, accounts.Entry] = {}
        self._receipts: list[Receipt] = []

    async def read(self, tx: Tx, found: Sequence[Paper]) -> None:
        """Lock the orders of these returns and read all that the actions may need."""
        self._books = await accounts.lock(tx, [paper.order_id for paper in found])
        self._claims = await claims(tx, self._books)
        paper_ids = [paper.id for paper in found]
        self._money = {row["paper_id"]: row for row in await tx.rows(_q.money, paper_ids)}
        self._lines = await lines(tx, paper_ids)

    def act(self, command: Act, paper: Paper) -> str:
        """Decide on one action; returns the state it leads to."""
        if command.action == "receive" and paper.received_at is not None:
            return paper.state
        to = right(
            command.actor, command.action, KIND, paper.state, paper.creator, policy(self._settings)
        ).to
        what = rules.SAID.get(command.action, "")
        if command.action == "run":
            self._claim(paper)
        elif command.action == "receive":
            row = self._money[paper.id]
            self._receipts.append(
                Receipt(paper, row["location_id"], self._lines[paper.id], command.actor.name)
            )
        elif command.action == "complete":
            what = rules.REFUND.format(serial=self._refund(paper, command.actor.name))
        self.steps.append(
            Step(paper=paper, action=command.action, to=to, actor=command.actor, what=what)
        )
        return to

    async def save(self, tx: Tx) -> None:
        """Write everything down, stock last of what others wait for."""
        if self._run:
            await _save_money(tx, self._run)
        await accounts.book(tx, list(self._refunds.values()))
        if self._refunds:
            totals = [entry.amount for entry in self._refunds.values()]
            await tx.do(_q.refunded, list(self._refunds), totals)
        await receipts.sign_in(tx, self._receipts)
        await papers.step(tx, KIND, self.steps)
        due = {paper_id: amounts.total for paper_id, *_, amounts in self._run}
        depots = {paper_id: row["depot_id"] for paper_id, row in self._money.items()}
        await told.stepped(tx, self.steps, due, depots, self._refunds)

    def _claim(self, paper: Paper) -> None:
        """Work the amounts out anew and take pieces, discount and freight of the order."""
        account = self._account(paper)
        row = self._money[paper.id]
        body = Body(
            order=paper.order_number,
            customer_id=paper.customer_id,
            depot_id=row["depot_id"],
            with_freight=row["with_freight"],
            lines=(),
        )
        rules.check(account, body)
        mine, others = self._lines[paper.id], self._claims[account.order_id]
        found = worked_out(account, mine, others, body, self._settings)
        self._claims[account.order_id] = rules.claimed(others, mine, found)
        self._run.append(
            (paper.id, row["location_id"], row["depot_id"], row["with_freight"], found)
        )

    def _refund(self, paper: Paper, who: str) -> str:
        """Give back the return's total, at most what is left of what was paid; returns the serial."""
        account = self._account(paper)
        amount = min(self._money[paper.id]["total"], account.refundable)
        self._books[account.order_id] = structs.replace(account, refunded=account.refunded + amount)
        entry = accounts.Entry(
            order_id=account.order_id,
            kind="refunded",
            amount=amount,
            document=paper.number,
            serial=accounts.serial(),
            who=who,
        )
        self._refunds[paper.id] = entry
        return entry.serial

    def _account(self, paper: Paper) -> Account:
        return accounts.account_of(self._books, paper.order_id, paper.order_number)


async def lines(tx: Tx, paper_ids: Collection[int]) -> dict[int, list[Line]]:
    """Return the lines of returns, by id."""
    found: dict[int, list[Line]] = {paper_id: [] for paper_id in paper_ids}
    for row in await tx.rows(_q.lines, list(found)):
        found[row["paper_id"]].append(
            Line(**{field: row[field] for field in Line.__struct_fields__})
        )
    return found
