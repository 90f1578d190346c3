"""Settings as operators write them, credentials, allow-lists, masks."""

from __future__ import annotations

from collections.abc import Mapping  # noqa: TC003 - msgspec reads the annotations
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from entrepot.connections import rules
from entrepot.connections.rules import Connection, Generation, TenantSettings
from entrepot.dialect import Partner, Reply, Role, Settings
from entrepot.errors import BadInput

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Own(Settings, frozen=True, kw_only=True):
    """A role's settings of every kind there is."""

    batch: Annotated[int, Meta(ge=1)] = 5
    paths: Mapping[str, str] = {}
    stores: tuple[str, ...] = ()


ROLE = Role(settings=Own, render=lambda problem: Reply(problem.code.encode()))


def merged(stored: dict[str, Any] | None = None, **changes: str) -> dict[str, Any]:
    return rules.merged(ROLE, stored or {}, changes)


def test_settings_are_validated_by_the_roles_own_struct() -> None:
    """Durations, lists, numbers and dictionaries, each as an operator writes it."""
    assert merged(timeout="3s", schedule="1s,1s,2s", batch="7", stores="aaa, bbb,") == {
        "timeout": "3s",
        "schedule": "1s,1s,2s",
        "batch": 7,
        "stores": ["aaa", "bbb"],
    }
    assert rules.merged(ROLE, {"paths": {"a": "x"}}, {"paths.b": "y"}) == {
        "paths": {"a": "x", "b": "y"}
    }


@pytest.mark.parametrize(
    "change",
    [
        {"timeout": "soon"},
        {"timeout": "-1s"},
        {"timeout": "1s\n"},
        {"deadline": "1000000d"},
        {"schedule": "1s,,2s"},
        {"rate": "0/s"},
        {"rate": "20"},
        {"rate": "20/s\n"},
        {"window": "01:00-06:30\n"},
        {"batch": "0"},
        {"batch": "x"},
        {"breaker": "maybe"},
        {"allow_ips": "300.1.1.1"},
        {"concurrency": "0"},
        {"stores.a": "x"},
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name(change: dict[str, str]) -> None:
    (name,) = change
    with pytest.raises(BadInput, match=name) as caught:
        rules.merged(ROLE, {}, change)
    assert caught.value.code == "bad_setting"


def test_an_unknown_setting_is_answered_with_the_known_ones() -> None:
    with pytest.raises(BadInput, match=r"Known: .*batch.*partner_url.*timeout"):
        merged(tiemout="3s")


def test_an_empty_value_brings_the_default_back() -> None:
    """Of a whole setting, or of one entry of a dictionary."""
    stored = {"timeout": "3s", "paths": {"a": "x", "b": "y"}}
    assert merged(stored, timeout="") == {"paths": {"a": "x", "b": "y"}}
    assert rules.merged(ROLE, stored, {"paths.a": ""})["paths"] == {"b": "y"}


def connection(*generations: Generation, allow: str = "off") -> Connection:
    partner = Partner(tenant_id=1, id=1, name="p", dialect="d", role="r")
    return Connection(
        tenant="t", partner=partner, role=ROLE, generations=generations, allow=rules.networks(allow)
    )


def test_old_and_new_tokens_are_accepted_until_the_old_ones_end() -> None:
    old = Generation(key="k1", secrets={"bearer": "old"}, expires_at=NOW + timedelta(hours=1))
    both = connection(Generation(key="k2", secrets={"bearer": "new"}), old)
    assert rules.accepts(both.secrets(NOW), "new")
    assert rules.accepts(both.secrets(NOW), "old")
    assert not rules.accepts(both.secrets(NOW + timedelta(hours=2)), "old")
    for wrong in (None, "", "ne", "newer", "\xff"):
        assert not rules.accepts(both.secrets(NOW), wrong)


def test_what_the_current_generation_does_not_ask_for_is_not_asked_for() -> None:
    old = Generation(key="k1", secrets={"bearer": "old"}, expires_at=NOW + timedelta(hours=1))
    assert rules.accepts(connection(Generation(key="k2"), old).secrets(NOW), None)


@pytest.mark.parametrize(
    ("address", "admitted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("10.2.0.1", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("not an address", False),
    ],
)
def test_an_allow_list_admits_its_networks_and_nobody_else(address: str, *, admitted: bool) -> None:
    """An IPv4 caller counts as such also when the socket is IPv6."""
    assert connection(allow="10.1.0.0/16, 2001:db8::/32").admits(address) is admitted


def test_without_an_allow_list_everybody_may_call() -> None:
    assert connection().admits("203.0.113.1")


@pytest.mark.parametrize(
    ("shown", "hidden"),
    [
        ("电话13812345678，请", "电话138****5678，请"),
        ('{"phone": "13812345678"}', '{"phone": "138****"}'),
        ('{"address": "深圳市罗湖区水贝一路1号", "x": 1}', '{"address": "深圳市****", "x": 1}'),
        ('{"receiver":"王\\"小明"', '{"receiver":"王****"'),
        ('{"qty": 12345678901234}', '{"qty": 12345678901234}'),
        ('{"orderNo": "NO13812345678"}', '{"orderNo": "NO138****5678"}'),
    ],
)
def test_phones_names_and_addresses_are_masked_in_any_text(shown: str, hidden: str) -> None:
    assert rules.masked(shown) == hidden


@given(st.text())
def test_masking_holds_on_any_text(text: str) -> None:
    """Cut, malformed or binary: masking it twice changes nothing more."""
    once = rules.masked(text)
    assert rules.masked(once) == once


def test_every_valid_generations_secrets_count_the_current_one_first() -> None:
    """A dialect that signs takes the old secrets until they end, and not a moment longer."""
    old = Generation(key="1", secrets={"s": "old"}, expires_at=NOW + timedelta(seconds=1))
    new = Generation(key="2", secrets={"s": "new"})
    partner = Partner(tenant_id=1, id=2, name="them", dialect="d", role="r")
    connection = Connection(tenant="t", partner=partner, role=ROLE, generations=(new, old))
    assert connection.secrets(NOW) == ({"s": "new"}, {"s": "old"})
    assert connection.secrets(NOW + timedelta(seconds=1)) == ({"s": "new"},)


def test_who_overhears_what_is_known_by_kind_and_altogether() -> None:
    """Of those that have somewhere to be told at; the others overhear nothing."""
    curious = Role(
        settings=Own, render=lambda _p: Reply(b""), overhears=lambda _settings: frozenset("ab")
    )

    def connected(number: int, role: Role, url: str | None) -> Connection:
        partner = Partner(tenant_id=1, id=number, name="x", dialect="d", role="r", partner_url=url)
        return Connection(tenant="t", partner=partner, role=role)

    links = [
        connected(1, curious, "http://there"),
        connected(2, curious, "http://there"),
        connected(3, curious, None),
        connected(4, ROLE, "http://there"),
    ]
    assert rules.witnesses(links) == {(1, ""): [1, 2], (1, "a"): [1, 2], (1, "b"): [1, 2]}


def test_a_network_that_is_none_is_refused() -> None:
    """Of a tenant's, too: nobody finds out at the first call."""
    assert TenantSettings(allowed_networks=("10.0.0.0/8", "::1")).allow_raise == "off"
    with pytest.raises(BadInput, match="allowed_networks=everywhere"):
        rules.applied(TenantSettings, {}, {"allowed_networks": "everywhere"})


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://h:1/c/ABCDEFGH12_-x/y", "http://h:1/c/****/y"),
        ("https://me:p%40ss@h/x", "https://me:****@h/x"),
        (
            "https://h/x?robot=1&access_token=abc&a=b#c",
            "https://h/x?robot=1&access_token=****&a=b#c",
        ),
        ("https://h/x?KEY=abc", "https://h/x?KEY=****"),
        ("https://h:8080/x@y:z?a=b", "https://h:8080/x@y:z?a=b"),
    ],
)
def test_what_is_secret_in_a_url_is_hidden(url: str, shown: str) -> None:
    """A hub's key, a password, what is called like a secret; nothing else."""
    assert rules.hidden(url) == shown
    assert rules.hidden(shown) == shown
