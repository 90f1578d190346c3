"""Who may call: the signature, the clock window, the order of the checks, each with its own answer."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entrepot.dialect import Problem
from entrepot.dialects.wangdian import signature, wire
from entrepot.errors import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT = {"sid": "wdtapi3", "key": "wdt_test", "appsecret": "testsecret:testsalt"}
BODY = (
    b'[{"suite_no":"20220421002","suite_name":"20220421002","goods_label_name":"222222",'
    b'"print_suite_mode":2},[{"num":1,"spec_no":"dongfangshuye"},{"num":10,"spec_no":"xiaowanzi01"}]]'
)
STAMP = 374652800
NOW = float(STAMP + signature.EPOCH)
METHOD = "goods.Suite.upload2"
NAMES = ["sid", "key", "salt", "method", "v", "timestamp", "sign"]


def call(**changes: str) -> dict[str, str]:
    """Return the parameters of a signed call, with some changed afterwards."""
    query = signature.query_for(urlencode({"method": METHOD}), BODY, ACCOUNT, NOW)
    return {**dict(parse_qsl(query)), **changes}


def signed(**parameters: str) -> dict[str, str]:
    """Return a call that is signed with these parameters, right or wrong."""
    unsigned = {name: text for name, text in call().items() if name != "sign"} | parameters
    pairs = [(name.encode(), text.encode()) for name, text in unsigned.items()]
    return {**unsigned, "sign": signature.signed(b"testsecret", pairs, BODY)}


def admit(
    query: str | Mapping[str, str],
    body: bytes = BODY,
    *accounts: Mapping[str, str],
    now: float = NOW,
) -> str:
    """Return ``""`` for a call that may come in, else the code it is refused with."""
    text = query if isinstance(query, str) else urlencode(query)
    try:
        signature.admit(signature.pairs(text.encode()), body, accounts or (ACCOUNT,), now)
    except NotAllowed as refusal:
        return refusal.code
    return ""


def told(code: str) -> dict[str, Any]:
    """Return what a caller is answered."""
    reply = wire.render(Problem(code))
    assert isinstance(reply.body, bytes)
    answer: dict[str, Any] = json.loads(reply.body)
    assert reply.status == 200
    return answer


def test_the_vector_of_the_contract() -> None:
    """Sid, key, method, clock and body of the vector give its signature, from either end."""
    assert call()["sign"] == "c0cdc827874aa8f17c7d5c9fa93afab0"
    assert call()["timestamp"] == str(STAMP)
    assert admit(call()) == ""


def test_the_pager_is_signed_too() -> None:
    """A pager in the query is part of what is signed, wherever it stands."""
    asked = {"method": "goods.Suite.search", "page_size": "10", "page_no": "0", "calc_total": "1"}
    query = signature.query_for(urlencode(asked), b"[{}]", ACCOUNT, NOW)
    assert admit(query, b"[{}]") == ""
    shuffled = "&".join(sorted(query.split("&"), reverse=True))
    assert admit(shuffled, b"[{}]") == ""
    assert admit(query.replace("page_no=0", "page_no=1"), b"[{}]") == "wrong_sign"
    assert admit(query.replace("&page_no=0", ""), b"[{}]") == "wrong_sign"


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"sid": "other"}, "wrong_sid", 1),
        ({"key": "other"}, "wrong_key", 1),
        ({"salt": "other"}, "wrong_salt", 1),
        ({"sign": "0" * 32}, "wrong_sign", 1),
        ({"sign": "C0CDC827874AA8F17C7D5C9FA93AFAB0"}, "wrong_sign", 1),
        ({"v": "1.1"}, "wrong_sign", 1),
        ({"timestamp": str(STAMP + 1)}, "wrong_sign", 1),
        ({"method": "goods.Goods.push"}, "wrong_sign", 1),
        ({"page_no": "0"}, "wrong_sign", 1),
        ({"sid": ""}, "missing_sid", 1),
        ({"key": ""}, "missing_key", 1),
        ({"salt": ""}, "missing_salt", 1),
        ({"sign": ""}, "missing_sign", 1),
    ],
)
def test_a_parameter_changed_on_the_way_is_refused(
    changes: dict[str, str], code: str, status: int
) -> None:
    """Each with its own message; what was signed and is not any more fails by its signature."""
    assert admit(call(**changes)) == code
    answer = told(code)
    assert list(answer) == ["status", "message"]
    assert answer["status"] == status
    assert code.partition("_")[2] in answer["message"]


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"v": "2.0"}, "wrong_v", 8),
        ({"v": ""}, "missing_v", 8),
        ({"timestamp": ""}, "missing_timestamp", 7),
        ({"timestamp": "soon"}, "wrong_timestamp", 7),
        ({"timestamp": str(STAMP + 121)}, "wrong_timestamp", 7),
        ({"timestamp": str(STAMP - 121)}, "wrong_timestamp", 7),
        ({"timestamp": f"{STAMP}.0"}, "wrong_timestamp", 7),
        ({"timestamp": "9" * 30}, "wrong_timestamp", 7),
        ({"timestamp": str(STAMP + 120)}, "", 0),
        ({"timestamp": str(STAMP - 120)}, "", 0),
        ({"v": "2.0", "timestamp": "soon"}, "wrong_v", 8),
    ],
)
def test_a_well_signed_call_is_refused_for_what_it_says(
    changes: dict[str, str], code: str, status: int
) -> None:
    """The version, then the clock: 120 seconds either way, the edge included."""
    assert admit(signed(**changes)) == code
    if code:
        assert told(code)["status"] == status


def test_the_checks_come_in_their_order() -> None:
    """sid, key, salt, sign, v, timestamp: the first that is wrong is told, whatever else is."""
    wrong = dict.fromkeys(("sid", "key", "salt", "sign", "v", "timestamp"), "wrong")
    for name in ("sid", "key", "salt"):
        assert admit(call(**wrong)) == f"wrong_{name}"
        del wrong[name]
    assert admit(call(**wrong)) == "wrong_sign"


@given(
    where=st.sampled_from(NAMES),
    junk=st.text(min_size=1, max_size=12),
    added=st.booleans(),
)
def test_any_change_to_any_parameter_is_refused(where: str, junk: str, added: bool) -> None:
    """Whatever a parameter becomes, sent instead of the right one or besides it."""
    good = call()
    changed = urlencode({**good, where: junk})
    if added:
        changed = f"{urlencode(good)}&{quote(where)}={quote(junk)}"
    assert (admit(changed) == "") == (not added and good[where] == junk)


@given(st.binary(max_size=60))
def test_any_change_to_the_body_is_refused(body: bytes) -> None:
    """The raw bytes count: another layout of the same JSON is another body."""
    assert (admit(call(), body) == "") == (body == BODY)
    assert admit(call(), BODY.replace(b",", b", ")) == "wrong_sign"


@pytest.mark.parametrize("name", NAMES)
def test_a_parameter_sent_twice_is_refused(name: str) -> None:
    """Also when both are right: no client signs that."""
    good = urlencode(call())
    assert admit(f"{good}&{name}={quote(call()[name])}") == "wrong_sign"


@given(st.text(max_size=40))
def test_no_query_makes_us_stumble(query: str) -> None:
    """Any text at all is answered."""
    assert admit(quote(query, safe="&=%+")).startswith(("missing_", "wrong_"))
    assert admit(query).startswith(("missing_", "wrong_"))


def test_every_valid_generation_counts() -> None:
    """During a rotation old and new appsecret both sign; the salt says which; halves don't mix."""
    new = {**ACCOUNT, "appsecret": "newsecret:newsalt"}
    assert admit(call(), BODY, new, ACCOUNT) == ""
    query = signature.query_for(urlencode({"method": METHOD}), BODY, new, NOW)
    assert admit(query, BODY, new, ACCOUNT) == ""
    assert admit(query, BODY, ACCOUNT) == "wrong_salt"
    mixed = signature.query_for("", BODY, {**ACCOUNT, "appsecret": "newsecret:testsalt"}, NOW)
    assert admit(mixed, BODY, new, ACCOUNT) == "wrong_sign"


@pytest.mark.parametrize("lacking", ["sid", "key", "appsecret"])
def test_an_account_that_lacks_something_lets_nobody_in(lacking: str) -> None:
    """An empty secret signs nothing."""
    account = {**ACCOUNT, lacking: ""}
    query = signature.query_for(urlencode({"method": METHOD}), BODY, account, NOW)
    assert admit(query, BODY, account) in {"missing_sid", "wrong_sid"}
    assert admit(query, BODY, {name: "x" for name in ACCOUNT if name != lacking}) != ""


def test_secrets_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every comparison with something of ours goes through compare_digest, all of them each time."""
    compared: list[bytes] = []
    real = hmac.compare_digest

    def watched(one: bytes, other: bytes) -> bool:
        compared.append(other)
        same: bool = real(one, other)
        return same

    monkeypatch.setattr(hmac, "compare_digest", watched)
    other = {**ACCOUNT, "appsecret": "s2:testsalt"}
    assert admit(call(), BODY, ACCOUNT, other) == ""
    assert compared[:6] == [b"wdtapi3"] * 2 + [b"wdt_test"] * 2 + [b"testsalt"] * 2
    assert len(compared) == 8
    assert call()["sign"].encode() in compared[6:]
