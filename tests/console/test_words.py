"""What the console says, in Chinese and in English."""

from __future__ import annotations

import ast
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
from msgspec import structs
from tools import catalogue

from entrepot import clock, facts
from entrepot.console import refusals, render, sayings, vocabulary, words
from entrepot.console.connections.pages import _choices
from entrepot.console.orders import pages as orders
from entrepot.courier import desk, policy
from entrepot.dialects import discover
from entrepot.errors import Conflict, Missing

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCE = Path(words.__file__).parent.parent
HAN = re.compile(r"[\u4e00-\u9fff]")
PLACE = re.compile(r"%\(\w+\)[sd]|%%")


@pytest.fixture
def chinese() -> Iterator[None]:
    """Let the reader be Chinese."""
    token = words.locale.set("zh-CN")
    yield
    words.locale.reset(token)


@pytest.fixture
def english() -> Iterator[None]:
    """Let the reader be English."""
    token = words.locale.set("en")
    yield
    words.locale.reset(token)


def test_every_text_is_in_the_catalogue_and_no_other() -> None:
    """What templates and code say has a Chinese translation; `python -m tools.catalogue` tells."""
    known = {message.id for message in catalogue.read() if message.id}
    assert catalogue.said() - known == set()
    assert known - catalogue.said() == set()


def test_a_translation_is_chinese_and_names_the_same_facts() -> None:
    """Nothing is left in English, and each names exactly what the English text names."""
    for message in catalogue.read():
        if not message.id:
            continue
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        texts = [message.string] if isinstance(message.string, str) else message.string or [""]
        for text in texts:
            assert HAN.search(text) or text == "；", ids
            assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(ids[-1])), ids
            assert not re.search(r"[,;:!?]( |$)", text), (ids, "half-width punctuation")


def test_every_state_and_kind_has_a_word() -> None:
    """No code of ours is shown to a person as it is."""
    outcomes = get_args(policy.Outcome)
    for code in {*desk.STATES, *orders.STATES, *outcomes, "lost", "late"}:
        assert code in vocabulary.STATES, code
    listened = {
        kind
        for dialect in discover().values()
        for role in dialect.roles.values()
        for kind in role.listens
    }
    for kind in {*facts.kinds(), *listened, facts.Levels.kind}:
        assert kind in vocabulary.KINDS, kind


def test_every_setting_has_a_label() -> None:
    """The form of a connection's settings calls each by a word, its choices too."""
    for dialect in discover().values():
        for role in dialect.roles.values():
            for field in structs.fields(role.settings):
                if field.name != "paths":
                    assert field.name in vocabulary.SETTINGS, (dialect.name, field.name)
                for choice in _choices(field.type):
                    assert choice in vocabulary.CHOICES, (field.name, choice)


def test_everything_audited_has_a_word() -> None:
    """What code writes into the audit log is what the console has words for."""
    written = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == "audit":
                texts = [a.value for a in node.args[1:3] if isinstance(a, ast.Constant)]
                written |= {str(text) for text in texts}
    assert len(written) > 20
    assert written - set(vocabulary.AUDITED) == set()


@pytest.mark.usefixtures("chinese")
def test_codes_are_said_in_chinese() -> None:
    """States, kinds, movements, schedules and settings are words of Chinese operators."""
    assert vocabulary.state("needs_attention") == ("bad", "待人工处理")
    assert vocabulary.state("something_new") == ("calm", "something new")
    assert vocabulary.kind("dispatch_requested") == "下发发货通知单"
    assert vocabulary.movement("stocktake") == "盘点"
    assert vocabulary.audited("connection rotate") == "更换密钥"
    assert vocabulary.schedule("all levels goldshop") == "推送全部库存 · goldshop"
    assert vocabulary.schedule("levels") == "推送变动库存"
    assert vocabulary.schedule("of another version") == "of another version"
    assert vocabulary.setting("paths.pushorder") == ("pushorder 的路径", "")
    assert vocabulary.setting("deadline") == ("截止时间", "超过后转人工处理：24h")
    assert vocabulary.setting("of_a_plugin") == ("of_a_plugin", "")
    assert vocabulary.choice("reject") == "拒绝"


@pytest.mark.usefixtures("chinese")
def test_refusals_are_said_in_chinese() -> None:
    """A refusal is a Chinese sentence with its facts; one without a sentence says what it said."""
    exists = Conflict("order_exists", "Order A1 exists.", number="A1")
    assert refusals.sentence(exists) == "订单 A1 已存在。"
    unknown = Missing("unknown_goods", "No article.", names=["A", "B"])
    assert refusals.sentence(unknown) == "没有货品 A、B。"
    assert refusals.sentence(Conflict("bad_ratio")) == "占比应在 0 到 100% 之间。"
    assert refusals.sentence(Missing("of_a_plugin", "No such thing.")) == "No such thing."
    assert refusals.sentence(Missing("unknown_order", "There is none.")) == "There is none."


@pytest.mark.usefixtures("english")
def test_enumerations_are_of_the_language() -> None:
    """English names stand with commas, Chinese ones with the enumeration comma."""
    unknown = Missing("unknown_goods", "No article.", names=["A", "B"])
    assert refusals.sentence(unknown) == "No article is called A, B."


@pytest.mark.usefixtures("chinese")
def test_sentences_of_logs_are_said_in_chinese() -> None:
    """What the hub wrote down about notes and calls is recognised; a partner's words stay theirs."""
    assert (
        sayings.said("offered to 6002 as FH17: has 2 of 3 pieces, same city")
        == "下发网点 6002，通知单 FH17：有 3 件中的 2 件，同城"
    )
    assert sayings.said("6002 refused FH17: 没货: 真的") == "网点 6002 拒绝 FH17：没货: 真的"
    assert sayings.said("timed out connecting") == "连接超时"
    assert sayings.said("HTTP 502") == "HTTP 502"


@pytest.mark.usefixtures("chinese")
def test_times_and_amounts_are_written_as_readers_expect() -> None:
    """Spans in their largest unit, both ways; counts have no plural."""
    spans = {0: "片刻", 1: "1 秒", 59: "59 秒", 60: "1 分钟", 7200: "2 小时", 86400 * 3: "3 天"}
    for seconds, text in spans.items():
        assert words.age(timedelta(seconds=seconds)) == text
    assert words.ago(clock.now() - timedelta(minutes=5, seconds=1)) == "5 分钟前"
    assert words.ago(clock.now() + timedelta(minutes=5, seconds=1)) == "5 分钟后"
    assert words.ago(clock.now()) == "刚刚"
    assert (words.number(-1234), words.number(Decimal("-1.50"))) == ("−1,234", "−1.5")
    assert words.ngettext("%(num)d row", "%(num)d rows", 1) == "%(num)d 行"
    assert words.ngettext("%(num)d thing", "%(num)d things", 1) == "%(num)d thing"


def test_a_time_carries_its_day() -> None:
    """The day stands before the time, dimmed where it is today; another year's has its year."""
    now = clock.now()
    assert words.moment(now) == f"{clock.shanghai(now):%m-%d %H:%M:%S}"
    assert 'class="day now"' in render.when(now)
    long_ago = now - timedelta(days=400)
    assert words.moment(long_ago) == f"{clock.shanghai(long_ago):%Y-%m-%d %H:%M}"
    assert 'class="day"' in render.when(long_ago)
    assert "–" in render.when(None)


@pytest.mark.usefixtures("english")
def test_details_of_the_audit_are_said_in_the_words_of_settings() -> None:
    """A switch is on or off, a list an enumeration; what has no word keeps its name."""
    written = '{"breaker":true,"paused":false,"locations":["HQ","aaa"],"of_a_plugin":"x"}'
    assert render.told(written) == "Breaker: On · Paused: Off · Locations: HQ, aaa · of_a_plugin: x"
    assert (render.told('"as it is"'), render.pairs('"as it is"')) == ("as it is", "as it is")


@pytest.mark.usefixtures("english")
def test_english_has_its_plurals() -> None:
    """One is said in the singular."""
    assert words.age(timedelta(days=1)) == "1 day"
    assert words.age(timedelta(days=2)) == "2 days"
    assert words.ngettext("%(num)d row", "%(num)d rows", 2) == "%(num)d rows"
    assert words.ngettext("%(num)d row", "%(num)d rows", 1) == "%(num)d row"


@pytest.mark.usefixtures("chinese")
def test_reasons_of_sourcing_are_said_in_chinese() -> None:
    """Several sentences in one are each recognised; what is nobody's of ours is left alone."""
    assert (
        sayings.said("has 2 of 5 pieces; 6004, 6003 together are preferred")
        == "有 5 件中的 2 件；优先选 6004, 6003 组合"
    )
    assert sayings.said("has all of it, same city; refused: 缺货") == "货品齐全，同城；已拒绝：缺货"
    assert sayings.said("库位不足; 请补货") == "库位不足; 请补货"
