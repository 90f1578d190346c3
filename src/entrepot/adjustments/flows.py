"""File adjustments, pass, refuse, complete and delete them. Each verb takes a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from msgspec import structs

from entrepot.adjustments import rules, told
from entrepot.adjustments.rules import KIND, Act, Line, NewAdjustment
from entrepot.db import queries
from entrepot.errors import Refused
from entrepot.orders import accounts
from entrepot.papers import flows as papers
from entrepot.papers.repeats import Repeats
from entrepot.papers.rules import NewPaper, Paper, Step, policy
from entrepot.people.rules import PAPERWORK, Policy, right

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from entrepot.adjustments.rules import Named
    from entrepot.connections.rules import TenantSettings
    from entrepot.db import Tx
    from entrepot.orders.accounts import Entry
    from entrepot.orders.prices import Account

_q = queries(__package__)

T = TypeVar("T")


async def create(tx: Tx, batch: Sequence[NewAdjustment]) -> list[str | Refused]:
    """File adjustments; return their numbers. A refused one uses none."""
    settings = await papers.settings(tx)
    repeats = Repeats(KIND, [new.key for new in batch])
    outcomes: dict[int, str | Refused] = {}
    fresh = await repeats.claim(tx)
    good = await _checked(tx, [(at, batch[at]) for at in fresh], settings, outcomes)
    filed = await papers.file(tx, KIND, [_paper(batch[at], account) for at, account, _ in good])
    rows = [
        (paper.id, position, article_id, line)
        for paper, (at, _, articles) in zip(filed, good, strict=True)
        for position, (line, article_id) in enumerate(zip(batch[at].lines, articles, strict=True))
    ]
    if rows:
        await tx.do(
            _q.save_lines,
            *([row[column] for row in rows] for column in range(3)),
            *(
                [getattr(row[3], field) for row in rows]
                for field in ("product_id", "unit_id", "qty", "price", "ask")
            ),
        )
    numbers = {at: (paper.id, paper.number) for paper, (at, _, _) in zip(filed, good, strict=True)}
    await repeats.fulfil(tx, numbers)
    await told.filed(
        tx, [(paper, batch[at].lines) for paper, (at, _, _) in zip(filed, good, strict=True)]
    )
    outcomes |= {at: number for at, (_, number) in numbers.items()}
    return [repeats.answer(at, outcomes) for at in range(len(batch))]


async def act(tx: Tx, batch: Sequence[Act]) -> list[str | Refused]:
    """Pass, refuse, complete or delete adjustments; return their new states."""
    settings = await papers.settings(tx)
    outcomes: dict[int, str | Refused] = {}
    for positions in papers.rounds(batch, lambda command: command.number):
        taken = await _act_once(tx, [batch[at] for at in positions], policy(settings))
        outcomes |= dict(zip(positions, taken, strict=True))
    return [outcomes[at] for at in range(len(batch))]


async def lines(tx: Tx, paper_ids: Collection[int]) -> dict[int, list[Line]]:
    """Return the lines of adjustments, by id."""
    found: dict[int, list[Line]] = {paper_id: [] for paper_id in paper_ids}
    for row in await tx.rows(_q.lines, list(paper_ids)):
        fields = {field: row[field] for field in Line.__struct_fields__}
        found[row["paper_id"]].append(Line(**fields))
    return found


async def _checked(
    tx: Tx,
    batch: Sequence[tuple[int, NewAdjustment]],
    settings: TenantSettings,
    outcomes: dict[int, str | Refused],
) -> list[tuple[int, Account, list[int]]]:
    """Return (position, order, articles) of those that may be filed; the others' refusals."""
    found = await accounts.find(tx, [new.order for _, new in batch])
    known = await accounts.lock(tx, found.values())
    open_ = await _open_lines(tx, list(known))
    good = []
    for at, new in batch:
        try:
            right(new.actor, "create", new.variant, "", None, policy(settings))
            account = accounts.account_of(known, found.get(new.order), new.order)
            already = open_.setdefault(account.order_id, set())
            articles = rules.check(new, account, already, allow_raise=settings.allow_raise == "on")
        except Refused as refusal:
            outcomes[at] = refusal
            continue
        already.update(rules.named(line) for line in new.lines)
        good.append((at, account, articles))
    return good


async def _open_lines(tx: Tx, order_ids: Sequence[int]) -> dict[int, set[Named]]:
    found: dict[int, set[Named]] = {}
    for row in await tx.rows(_q.open_lines, order_ids) if order_ids else ():
        found.setdefault(row["order_id"], set()).add(
            (row["product_id"], row["unit_id"], row["price"])
        )
    return found


def _paper(new: NewAdjustment, account: Account) -> NewPaper:
    return NewPaper(
        variant=new.variant,
        state=PAPERWORK[new.variant, ""]["create"].to,
        order_id=account.order_id,
        order_number=account.number,
        customer_id=account.customer_id,
        actor=new.actor,
        what=rules.FILED[new.variant],
    )


async def _act_once(tx: Tx, batch: Sequence[Act], eyes: Policy) -> list[str | Refused]:
    """Take one action on each of different papers: lock, decide, reprice, book, save."""
    known = await papers.lock(tx, KIND, [command.number for command in batch])
    moving = [
        known[c.number] for c in batch if c.number in known and c.action in ("pass", "complete")
    ]
    books = await accounts.lock(tx, [paper.order_id for paper in moving])
    asked = await lines(tx, [paper.id for paper in moving])
    taken = _Taken(books)
    outcomes: list[str | Refused] = []
    for command in batch:
        paper = known.get(command.number)
        if paper is None:
            outcomes.append(papers.unknown(KIND, command.number))
            continue
        try:
            to = right(
                command.actor, command.action, paper.rights, paper.state, paper.creator, eyes
            ).to
            what = taken.effect(command, paper, to, asked.get(paper.id, []))
        except Refused as refusal:
            outcomes.append(refusal)
            continue
        taken.steps.append(
            Step(paper=paper, action=command.action, to=to, actor=command.actor, what=what)
        )
        outcomes.append(to)
    await papers.step(tx, KIND, taken.steps)
    await accounts.reprice(tx, taken.repriced)
    await accounts.book(tx, taken.booked)
    await told.stepped(tx, taken.steps, {c.number: c.reason for c in batch}, taken.booked)
    return outcomes


class _Taken:
    """What one round does, gathered before it is saved; the accounts follow each action."""

    def __init__(self, books: dict[int, Account]) -> None:
        self._books = books
        self.steps: list[Step] = []
        self.repriced: list[tuple[Account, Account, str, str]] = []
        self.booked: list[Entry] = []

    def effect(self, command: Act, paper: Paper, to: str, asked: Sequence[Line]) -> str:
        """Work out what an action does to the order; return what the log says of it."""
        if command.action == "refuse":
            return rules.REFUSED.format(reason=command.reason)
        if command.action == "delete":
            return rules.DELETED
        if to == "COMPLETE" and paper.variant == "BEFORE":
            self._reprice(paper, asked, command.actor.name)
        if command.action == "pass":
            return rules.PASSED
        return rules.REFUND.format(serial=self._refund(paper, asked, command.actor.name))

    def _reprice(self, paper: Paper, asked: Sequence[Line], who: str) -> None:
        before = accounts.account_of(self._books, paper.order_id, paper.order_number)
        after = rules.applied(before, asked)
        self._books[paper.order_id] = after
        self.repriced.append((before, after, paper.number, who))

    def _refund(self, paper: Paper, asked: Sequence[Line], who: str) -> str:
        account = accounts.account_of(self._books, paper.order_id, paper.order_number)
        amount = rules.refund(account, asked)
        self._books[paper.order_id] = structs.replace(account, refunded=account.refunded + amount)
        serial = accounts.serial()
        entry = accounts.Entry(
            order_id=paper.order_id,
            kind="refunded",
            amount=amount,
            document=paper.number,
            serial=serial,
            who=who,
        )
        balance = rules.totals(asked).balance
        self.booked += [structs.replace(entry, kind="adjusted", amount=balance), entry]
        return serial
