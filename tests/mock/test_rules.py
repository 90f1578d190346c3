"""What a scripted partner answers, decided from a call and a script alone."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import msgspec
import pytest

from entrepot import dialects
from entrepot.conform import samples
from entrepot.conform.checks import Got, differs
from entrepot.errors import BadInput
from entrepot.mock.rules import Answer, Heard, Rule, answered, chosen, concrete, script, shown

if TYPE_CHECKING:
    from entrepot.dialect import Dialect

USUAL = Answer(status=200, body=b'{"code":200}')
ENDS = [(d, role) for d in dialects.discover().values() for role in d.roles]


@pytest.mark.parametrize(("dialect", "role"), ENDS, ids=lambda p: getattr(p, "name", p))
def test_the_usual_answer_is_one_the_document_allows(dialect: Dialect, role: str) -> None:
    """For every sample of every dialect, the mock's own reply passes the check made of others'."""
    for sample in samples.read(dialect.folder, role).calls.values():
        reply = sample.reply
        body = concrete(reply.body)
        holes = re.search(r"\$\{", json.dumps(reply.body))
        if reply.status == 200 and not holes:
            got = Got.of(200, msgspec.json.encode(body))
            assert differs(reply, got) == "", sample.name


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"<~AP\d{13,}>", "AP1111111111111"),
        (r"<~\d+ and \w+>", "1 and 1"),
        (r"<~a.*b>", "ab"),
        (r"<~v=1\.0&sign=[0-9a-f]{4}>", "v=1.0&sign=1111"),
    ],
)
def test_a_pattern_becomes_a_text_it_matches(pattern: str, text: str) -> None:
    """Digits, words and dots as often as the pattern counts them."""
    assert concrete({"a": [pattern]}) == {"a": [text]}


def test_the_first_rule_that_fits_and_has_turns_left_answers() -> None:
    """By path, method and a text in the body; without any of them a rule is for every call."""
    rules = (
        Rule(path="/a", times=1),
        Rule(method="GET"),
        Rule(holds="NO7", times=2),
        Rule(path="/b"),
    )
    call = Heard(method="POST", path="/a", body="单NO7".encode())
    assert chosen(rules, [0, 0, 0, 0], call) == 0
    assert chosen(rules, [1, 0, 0, 0], call) == 2
    assert chosen(rules, [1, 0, 2, 0], call) is None
    assert chosen(rules, [1, 0, 2, 0], Heard(method="GET", path="/a")) == 1
    assert chosen(rules, [1, 0, 2, 0], Heard(method="PUT", path="/b")) == 3


def test_a_rule_changes_what_it_says_and_nothing_else() -> None:
    """Its text, its body, its status without any, its delay and headers; no rule, no change."""
    assert answered(None, USUAL) == USUAL
    assert answered(Rule(text="<html>"), USUAL).body == b"<html>"
    assert answered(Rule(body={"code": 1}), USUAL).body == b'{"code":1}'
    assert answered(Rule(status=503), USUAL).body == b""
    slow = answered(Rule(delay="1.5s", headers={"Retry-After": "3"}), USUAL)
    assert (slow.body, slow.delay) == (USUAL.body, 1.5)
    assert dict(slow.headers) == {"content-type": "application/json", "retry-after": "3"}
    assert answered(Rule(drop=True), USUAL).drop


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"staus": 503}]', "staus"),
        ('[{"status": 99}]', "status"),
        ('[{"delay": "soon"}]', "delay"),
        ('{"status": 503}', "array"),
        ("[", "truncated"),
    ],
)
def test_a_script_that_cannot_be_read_says_where(text: str, said: str) -> None:
    """A misspelt word would otherwise break nothing and prove nothing."""
    with pytest.raises(BadInput, match=said):
        script(text.encode())
    assert script(b'[{"status": 503, "times": 2}]') == (Rule(status=503, times=2),)


def test_a_call_is_known_by_its_method_path_and_query() -> None:
    """A name in a sample's path stands for any text, a sample's query is held by the call's."""
    wdt = samples.read(dialects.discover()["wangdian"].folder, "wdt")
    trade = samples.read(dialects.discover()["trade"].folder, "platform")
    asked = Heard(method="POST", path="/openapi", query="sid=1&method=goods.Goods.push")
    found = shown(wdt, asked)
    assert found is not None
    assert found.query == "method=goods.Goods.push"
    passed = shown(trade, Heard(method="DELETE", path="/v2/order/ap/AP1"))
    assert passed is not None
    assert passed.name == "ap-delete"
    assert shown(trade, Heard(method="DELETE", path="/v2/order/ap/AP1/2")) is None
    assert shown(wdt, Heard(method="POST", path="/openapi", query="method=other")) is None
