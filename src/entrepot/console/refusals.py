"""Refusals as sentences in the reader's language, by their code; ``%(…)s`` are the refusal's facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from entrepot.console.words import N_, _, listed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from entrepot.errors import Refused

SENTENCES: Mapping[str, str] = {
    # signing in, accounts, people
    "sign_in_wrong": N_("Name or password is wrong."),
    "sign_in_wait": N_("Too many tries. Wait %(seconds)s seconds, then try again."),
    "code_wrong": N_("That code is not right. Wait for the next one and try again."),
    "password_wrong": N_("The present password is wrong."),
    "password_short": N_("A password has at least %(least)s characters."),
    "password_weak": N_("That password is too easy to guess."),
    "password_same": N_("The new password is the old one."),
    "not_allowed": N_("You have no right to do this. Ask an administrator."),
    "form_expired": N_("This page was open too long. Nothing was changed; please try again."),
    "no_account": N_("This person has no account to sign in with."),
    "login_taken": N_("Somebody signs in as %(login)s already."),
    "login_unclear": N_("A name to sign in with is short and has no @."),
    "own_role": N_("Nobody changes their own role."),
    "own_account": N_("Your own account is under your name, at the top."),
    "unknown_person": N_("There is no such person."),
    "unknown_scope": N_("There is no such scope. Say for instance: orders:read stock:write"),
    "unknown_token": N_("There is no such token, or it has ended already."),
    "name_missing": N_("It needs a name."),
    "misnamed": N_("The partner would not take this name: %(fault)s."),
    "reason_missing": N_("Say why; the reason is kept with the document."),
    # orders
    "unknown_order": N_("There is no order %(number)s."),
    "order_exists": N_("Order %(number)s exists already."),
    "order_accepted": N_("The order is only accepted; that step comes later."),
    "order_processed": N_("The order is processed already."),
    "order_shipped": N_("The order is shipped already."),
    "order_cancelled": N_("The order is cancelled."),
    "order_not_ours": N_("Outlets ship this order; they move it on, not an operator."),
    "order_left": N_("Goods of order %(number)s have left."),
    "ambiguous_order": N_("Several connections have an order %(number)s."),
    "number_missing": N_("An order needs a number."),
    "lines_missing": N_("An order needs at least one line."),
    "line_unclear": N_("Line %(line)s has no quantity."),
    "unknown_goods": N_("No article is called %(names)s."),
    "too_many_pieces": N_("That is more pieces than can be counted."),
    "no_prices": N_("Order %(number)s came without prices."),
    # stock, rules, suites
    "not_on_hand": N_("There are not enough pieces on hand."),
    "unknown_location": N_("There is no location %(locations)s."),
    "no_location": N_("There is no location yet. Import outlets first."),
    "unknown_article": N_("There is no such article."),
    "suite_has_no_stock": N_("A suite has no stock of its own; count its parts."),
    "pieces_unclear": N_("A number of pieces is a whole number, 0 or more."),
    "weight_unclear": N_("A weight is in grams, 0 or more."),
    "amount_unclear": N_("An amount is a number, 0 or more."),
    "percent_unclear": N_("A percentage is from 0 to 10,000."),
    "unknown_rule": N_("There is no such publishing rule; perhaps somebody removed it."),
    "unknown_rule_scope": N_("There is no such location or SKU."),
    "unknown_suite": N_("There is no such suite."),
    "sku_missing": N_("A suite needs a SKU."),
    "suite_exists": N_("There is a suite %(sku)s already."),
    "not_a_suite": N_("%(sku)s is a single article, not a suite."),
    "suite_as_part": N_("%(skus)s is a suite itself and cannot be a part."),
    "no_parts": N_("A suite has at least one part."),
    "part_twice": N_("%(skus)s is named twice."),
    "unknown_parts": N_("No article is called %(skus)s."),
    "label_not_printed": N_("A suite printed as its parts bears no label."),
    "num_not_positive": N_("The quantity of a part is above 0."),
    "bad_fixed_price": N_("A fixed price is an amount, 0 or more."),
    "bad_ratio": N_("A share is from 0 to 100 %%."),
    "negative_amount": N_("Prices and measures are 0 or more."),
    "unknown_listing": N_("There is no name %(key)s any more."),
    "sku_is_name": N_("This partner calls goods by SKU; %(name)s must be the SKU."),
    "sku_twice": N_("%(sku)s cannot have two names."),
    "style_taken": N_("%(name)s is the style number of another article."),
    "has_style": N_("%(sku)s has another style number already."),
    "sku_needed": N_("Say of at least one name which SKU it is."),
    # dispatch, discrepancies
    "not_dispatched": N_("Outlets ship no such order."),
    "unknown_note": N_("There is no such note."),
    "note_shipped": N_("All of it has left."),
    "order_voiding": N_("Order %(number)s is being voided; its outlets are asked already."),
    "unknown_outlet": N_("There is no such outlet."),
    "unknown_discrepancy": N_("There is no such discrepancy."),
    "nothing_parked": N_("Nothing of %(number)s is parked any more."),
    "pieces_refused": N_("These pieces cannot be shipped: %(codes)s."),
    "waybill_missing": N_("A parcel needs a carrier and a waybill."),
    "codes_missing": N_("A parcel holds at least one piece."),
    "rules_unclear": N_("That is not a list of rules in JSON."),
    "text_missing": N_("A text of refusals has words, and one of the meanings."),
    "region_missing": N_("Say at least to which province the goods go."),
    "unknown_store": N_("There is no store %(store)s."),
    "groups_unclear": N_("Groups are words with commas."),
    # paperwork
    "unknown_paper": N_("There is no document %(number)s."),
    "wrong_state": N_("It has moved on meanwhile; that step is not possible any more."),
    "no_right": N_("Your role in paperwork does not allow this."),
    "not_own": N_("Only who filed it may do this."),
    "four_eyes": N_("Who filed it may not do this: four eyes."),
    "order_not_waiting": N_(
        "The order is shipped or cancelled; its price is adjusted after shipping."
    ),
    "order_not_shipped": N_("The order is not shipped."),
    "not_of_customer": N_("The order belongs to another customer."),
    "not_on_order": N_("The order has no such goods."),
    "line_twice": N_("The same goods stand there twice."),
    "line_open": N_("Another price adjustment of these goods is open."),
    "other_price": N_("The order's price is %(price)s now; look at the page again."),
    "other_gift": N_("The order says otherwise about whether it is a gift."),
    "too_many": N_("At most %(most)s pieces are possible."),
    "ask_above_price": N_("It asks for more than the price."),
    "price_above_order": N_("It gives back more than was paid."),
    "no_lines": N_("Fill in at least one line."),
    "depot_missing": N_("Choose where the goods go."),
    "unknown_depot": N_("There is no such place for the goods."),
    # partners
    "unknown_connection": N_("There is no such connection."),
    "connection_name_taken": N_("There is a connection of this name already."),
    "unknown_dialect": N_("Choose an interface and a role."),
    "unknown_role": N_("Choose an interface and a role."),
    "no_credential": N_("The connection has no valid key; rotate it."),
    "state_needed": N_("Choose a state first: waiting, rejected, or one that needs a person."),
    "unknown_delivery": N_("There is no such delivery."),
    "no_exchange": N_("There is no such exchange; it may be too old to be kept."),
    "unknown_schedule": N_("There is no such schedule."),
    "unknown_run": N_("Nothing was compared like that."),
    "no_query": N_("This partner cannot be asked for its stock; compare a file."),
    "bad_day": N_("A day is written 2026-03-01."),
    # files
    "file_missing": N_("Choose a file."),
}


def sentence(refused: Refused) -> str:
    """Return a refusal as a sentence in the reader's language; what has none is said in English."""
    known = SENTENCES.get(refused.code)
    if known is None:
        return refused.text
    facts = {name: _fact(value) for name, value in refused.facts.items()}
    try:
        return _(known) % facts
    except KeyError:
        return refused.text


def _fact(value: object) -> str:
    if isinstance(value, (list, tuple, set, frozenset)):
        return listed(str(one) for one in value)
    return str(value)
