"""Sentences the hub itself wrote down, in logs and as a failed call's reason, in the reader's language.

What is stored is English. A sentence is recognised by its form; a partner's own words stay as they came.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from entrepot.console.words import N_, _

if TYPE_CHECKING:
    from collections.abc import Sequence

_SAYINGS: Sequence[str] = (
    # dispatch: what became of an order's notes
    N_("%(note)s is taken back from %(outlet)s"),
    N_("%(outlet)s gave up %(note)s"),
    N_("%(outlet)s keeps %(note)s: %(rest)s"),
    N_("%(outlet)s refused %(note)s: %(rest)s"),
    N_("%(outlet)s refused %(note)s"),
    N_("offered to %(outlet)s as %(note)s: %(rest)s"),
    N_("has all of it, %(rest)s"),
    N_("has %(some)s of %(all)s pieces, %(rest)s"),
    N_("has all of it"),
    N_("has none of it"),
    N_("has %(some)s of %(all)s pieces"),
    N_("same city"),
    N_("same province"),
    N_("elsewhere"),
    N_("not voided: goods have left"),
    N_("to be voided"),
    N_("to be offered again"),
    N_("offered %(times)s times"),
    N_("%(some)s of %(all)s pieces are nowhere to be had"),
    N_("%(note)s is asked back from %(outlet)s: no answer"),
    N_("%(note)s is asked back from %(outlet)s: %(rest)s"),
    N_("%(outlet)s has not answered %(note)s."),
    N_("waybill %(old)s became %(new)s (%(express)s)"),
    N_("%(some)s pieces left %(outlet)s for %(note)s, waybill %(rest)s"),
    N_("%(code)s came back to %(outlet)s, waybill %(rest)s"),
    # orders that were turned away
    N_("It was turned away: no article is called %(rest)s."),
    N_("It was turned away: there is no store %(rest)s."),
    N_("%(number)s came again with other content."),
    N_("Its goods are known by now; the partner must push it again."),
    # what does not agree
    N_("Piece %(code)s left %(outlet)s, but was recorded at %(place)s."),
    N_("%(some)s pieces left that the books did not have there (%(document)s)."),
    N_("Goods have left, but the ordering side says: %(rest)s"),
    N_("%(subject)s: the total is stated as %(stated)s, the stores hold %(total)s."),
    N_("%(subject)s: theirs %(theirs)s, ours %(ours)s."),
    # dispatch: what spoke for or against an outlet
    N_("%(rest)s, less than a part must come to"),
    N_("%(outlet)s has all of it"),
    N_("%(outlet)s together are preferred"),
    N_("%(outlet)s is in the receiver's city"),
    N_("%(outlet)s is in the receiver's province"),
    N_("%(outlet)s goes first by priority (%(one)s before %(other)s)"),
    N_("%(outlet)s has more of it (%(one)s before %(other)s)"),
    N_("%(outlet)s was preferred"),
    N_("is the ordering store"),
    N_("does not ship"),
    N_("another outlet was named"),
    N_("is paused"),
    N_("is in none of the groups that the rules name"),
    N_("is not among the locations of the connection"),
    N_("has as many notes as it takes a day"),
    N_("shipped"),
    N_("refused: %(rest)s"),
    N_("refused"),
    N_("withdrawn: %(rest)s"),
    N_("withdrawn"),
    N_("void: %(rest)s"),
    N_("void"),
    # calls: why there was no good answer
    N_("timed out connecting"),
    N_("timed out waiting for the answer"),
    N_("could not connect: %(rest)s"),
    N_("[Errno %(code)s] Connection refused"),
    N_("the connection was closed before an answer came"),
    N_("the connection was cut in the middle of the answer"),
    N_("the answer is not JSON in the document's envelope"),
    N_("the answer is neither empty nor a JSON object"),
    N_("not an HTTP answer: %(rest)s"),
    N_("its answer is longer than 1 MiB"),
    N_("its compressed answer is damaged"),
    N_("its compressed answer is cut off"),
    N_("%(host)s leads to %(addresses)s, which allowed_networks does not hold"),
    N_("no partner_url is set"),
    N_("the partner has not answered for a while"),
    N_("there is nothing to tell this partner"),
    N_("a later fact was delivered already"),
    # acts on deliveries: why one could not be done
    N_("it is being sent at this moment"),
    N_("it waits behind %(rest)s"),
    N_("there is no such delivery"),
)


def _form(saying: str) -> re.Pattern[str]:
    parts = re.split(r"%\((\w+)\)s", saying)
    names = [f"(?P<{part}>{'.+' if part == 'rest' else '.+?'})" for part in parts[1::2]]
    texts = [re.escape(part) for part in parts[::2]]
    return re.compile("".join(a + b for a, b in zip(texts, [*names, ""], strict=True)), re.DOTALL)


_FORMS = [(_form(saying), saying) for saying in _SAYINGS]


def said(text: str) -> str:
    """Return a stored sentence in the reader's language; one of no known form as it is."""
    parts = text.split("; ")
    if len(parts) > 1 and any(_recognised(part) for part in parts):
        return _("; ").join(said(part) for part in parts)
    known = _recognised(text)
    if known is None:
        return text
    saying, found = known
    facts = dict(found)
    if "rest" in facts:
        facts["rest"] = said(facts["rest"])
    return _(saying) % facts


@lru_cache(4096)
def _recognised(text: str) -> tuple[str, tuple[tuple[str, str], ...]] | None:
    """Return the form of a stored sentence with its facts; the same few are on every list."""
    for form, saying in _FORMS:
        found = form.fullmatch(text)
        if found is not None:
            return saying, tuple(found.groupdict().items())
    return None
