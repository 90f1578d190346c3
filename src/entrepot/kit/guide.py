"""The document of one connection for the developer at its other end: Markdown, in Chinese.

Everything in it comes from where the hub itself, or its checks, take it: the samples, the settings, the
README's decisions. Nothing is written down twice, so nothing of it can be out of date.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from entrepot.conform import samples
from entrepot.conform.outgoing import answer_bytes
from entrepot.dialect import PARTNER_BEARER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from entrepot.conform.samples import Outgoing, Sample
    from entrepot.dialect import Dialect, Partner

_TYPES: Mapping[str, str] = {
    "string": "字符串",
    "integer": "整数，0 至 999,999,999",
    "positive": "整数，1 至 999,999,999",
    "number": "数字",
    "boolean": "布尔值",
    "array": "数组",
    "object": "对象",
    "any": "见示例与错误示例",
}
_VERDICTS: Mapping[str, str] = {
    "delivered": "成功",
    "rejected": "业务拒绝，转人工处理，不自动重发",
    "retry": "未成功，按计划重发",
}
_DECISIONS = re.compile(
    r"^## [^\n]*[Dd]eci(?:ded|sions)[^\n]*\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL
)
_HOLE = re.compile(r"\$\{(\w+)\}")


class Subject(Struct, frozen=True, kw_only=True):
    """One connection: ``base_url`` is what its partner calls; of the secrets only the names are said."""

    dialect: Any
    partner: Any
    base_url: str


def guide(subject: Subject) -> str:
    """Return the whole document."""
    dialect: Dialect = subject.dialect
    partner: Partner = subject.partner
    known = samples.read(dialect.folder, partner.role)
    lines = [f"# {dialect.label}：对接文档（{partner.name}）", "", *_about(subject)]
    if known.calls:
        lines += ["## 贵方调用我方", "", *_common(known.envelope)]
        for sample in known.calls.values():
            lines += _call(sample, subject.base_url)
    if known.outgoing:
        lines += ["## 我方调用贵方", "", *_delivery(partner)]
        shown: list[Outgoing] = []
        for one in _as_set(known.outgoing, partner):
            lines += _outgoing(one, partner, again=bool(shown and shown[-1].answers == one.answers))
            shown.append(one)
    lines += _testing(subject, has_calls=bool(known.calls))
    readme = (dialect.folder / "README.md").read_text(encoding="utf-8")
    if decided := _DECISIONS.search(readme):
        lines += ["## 附：文档未说明之处的约定（英文）", "", decided[1].strip(), ""]
    return "\n".join(lines)


def _about(subject: Subject) -> Iterator[str]:
    """Yield what both sides must know before the first call."""
    partner: Partner = subject.partner
    ways = []
    if "bearer" in partner.secrets:
        ways.append("请求头 `Authorization: Bearer <令牌>`")
    ours = {"bearer", PARTNER_BEARER}
    if others := [name for name in partner.secrets if name not in ours]:
        ways.append(f"凭据 {'、'.join(f'`{name}`' for name in others)}（另行安全提供）")
    if partner.settings.allow_ips != "off":
        ways.append(f"来源地址限于 `{partner.settings.allow_ips}`")
    rows = [
        ("接口文档编号", subject.dialect.document),
        ("方言 / 我方角色", f"`{partner.dialect}` / `{partner.role}`"),
        ("我方基础地址", f"`{subject.base_url}`"),
        ("贵方地址", f"`{partner.partner_url}`" if partner.partner_url else "待贵方提供"),
        ("身份验证", "；".join(["基础地址中的密钥（请保密）", *ways])),
        ("编码", "UTF-8 JSON；时间为北京时间"),
    ]
    yield from _table(("项目", "内容"), rows)


def _common(envelope: samples.Envelope) -> Iterator[str]:
    """Yield what holds for every call to us."""
    yield "- 收到成功应答即已落库；同一单据重复推送不会产生第二份。"
    yield "- 字段多余时忽略；必填字符串为空白视为缺失；错误信息含出错字段的 JSON 路径。"
    yield "- 请求体上限 4 MiB；网络超时或 5xx 请重发，其余应答为最终结果。"
    yield ""
    yield "失败应答的格式（尖括号表示内容可变，下同）："
    yield ""
    yield from _json(envelope.failure.body)


def _call(sample: Sample, base_url: str) -> Iterator[str]:
    """Yield one call of the partner's: where, with what, what comes back."""
    yield f"### {sample.section}（{sample.name}）"
    yield ""
    query = f"?{sample.query}" if sample.query else ""
    path = _HOLE.sub(r"{\1}", sample.path)
    yield f"`{sample.method} {base_url}{path}{query}`"
    yield ""
    if sample.fields:
        rows = [
            (f"`{path}`", _TYPES[kind.rstrip("!")], "是" if kind.endswith("!") else "否")
            for path, kind in sample.fields.items()
        ]
        yield from _table(("字段", "类型", "必填"), rows)
    if sample.body is not msgspec.UNSET:
        yield "请求示例："
        yield ""
        yield from _json(sample.body)
    yield f"应答示例（HTTP {sample.reply.status}）："
    yield ""
    yield from _json(sample.reply.body)
    if sample.again is not None:
        yield "同一单据再次推送时的应答："
        yield ""
        yield from _json(sample.again.body)
    told = [wrong for wrong in sample.errors if wrong.reply is not None]
    if told:
        rows = [
            (wrong.why, _short(wrong.set), f"`{_plain(wrong.reply.body)}`")
            for wrong in told
            if wrong.reply is not None
        ]
        yield from _table(("错误示例", "与请求示例的不同", "应答"), rows)


def _delivery(partner: Partner) -> Iterator[str]:
    """Yield how our calls come: in order, at least once, under one id."""
    settings = partner.settings
    yield "- 每次调用带请求头 `Idempotency-Key`，同一通知每次重发相同，贵方可据此去重。"
    yield "- 同一单据的通知按发生顺序逐个送达；库存只发送最新值。"
    rows = [
        ("单次调用超时", settings.timeout),
        ("重发间隔", settings.schedule),
        ("最长重发时间，此后转人工", settings.deadline),
        ("调用频率上限", "不限" if settings.rate == "off" else settings.rate),
        ("允许调用的时段", "全天" if settings.window == "off" else settings.window),
        ("并发上限", str(settings.concurrency)),
    ]
    yield ""
    if partner.token:
        rows.append(("身份验证", "请求头 `Authorization: Bearer <贵方提供的令牌>`"))
    yield from _table(("设置", "当前值"), rows)


def _as_set(calls: Sequence[Outgoing], partner: Partner) -> list[Outgoing]:
    """Return the calls as this connection's settings make them; where no sample has them, all there are."""
    own = msgspec.to_builtins(partner.settings)
    usual = msgspec.to_builtins(type(partner.settings)())
    telling: dict[tuple[str, str], set[str]] = {}  # the settings that make a difference to a call
    for one in calls:
        telling.setdefault((one.section, one.path), set()).update(one.settings)

    def fits(one: Outgoing) -> bool:
        made_with = {**usual, **one.settings}
        return all(made_with[name] == own[name] for name in telling[one.section, one.path])

    shown = {(one.section, one.path) for one in calls if fits(one)}
    return [one for one in calls if fits(one) or (one.section, one.path) not in shown]


def _outgoing(one: Outgoing, partner: Partner, *, again: bool) -> Iterator[str]:
    """Yield one call of ours and what the partner's answers mean (``again``: as for the call before)."""
    yield f"### {one.section}（{one.name}）"
    yield ""
    query = f"?{one.query}" if one.query and not one.query.startswith("<") else ""
    yield f"`{one.method} {partner.partner_url or '贵方地址'}{one.path}{query}`"
    yield ""
    if one.form is not None:
        yield "表单（application/x-www-form-urlencoded）示例："
        yield ""
        yield from _json(dict(one.form))
    elif one.body is not msgspec.UNSET:
        yield "请求示例："
        yield ""
        yield from _json(one.body)
    rows = [
        (str(answer.status), _code(answer_bytes(answer).decode()), _VERDICTS[answer.verdict])
        for answer in one.answers
    ]
    if again:
        yield "贵方应答的含义同上。"
        yield ""
    elif rows:
        yield from _table(("HTTP 状态", "贵方应答", "我方理解为"), rows)


def _testing(subject: Subject, *, has_calls: bool) -> Iterator[str]:
    """Yield how the developer tries both directions without us."""
    partner: Partner = subject.partner
    dialect: Dialect = subject.dialect
    others = [role for role in dialect.roles if role != partner.role]
    commands = []
    if has_calls:
        commands += [
            "# 逐项检查我方（或任何一方）的服务是否符合文档",
            f"entrepot conform {subject.base_url} --dialect {dialect.name} --role {partner.role} --key",
            "# 在贵方机器上模拟我方，供贵方程序调用",
            f"entrepot mock --dialect {dialect.name} --role {partner.role} --port 9000",
        ]
    for role in others:
        if dialect.roles[role].routes:
            commands += [
                "# 逐项检查贵方的服务是否符合文档",
                f"entrepot conform <贵方地址> --dialect {dialect.name} --role {role}",
            ]
    if commands:
        yield "## 自助联调"
        yield ""
        yield "```sh"
        yield from commands
        yield "```"
        yield ""


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in row)} |"
    yield ""


def _json(body: object) -> Iterator[str]:
    yield "```json"
    yield json.dumps(body, ensure_ascii=False, indent=2)
    yield "```"
    yield ""


def _plain(body: object) -> str:
    return _cell(json.dumps(body, ensure_ascii=False))


def _short(changed: Mapping[str, Any]) -> str:
    said = "；".join(f"`{path} = {_plain(value)}`" for path, value in changed.items())
    return said or "—"


def _code(text: str) -> str:
    return f"`{_cell(text)}`" if text else "（空）"


def _cell(text: str) -> str:
    """Return a text that fits a cell of a table, as code."""
    text = text.replace("`", "'").replace("\n", " ")
    return text if len(text) <= 300 else text[:300] + "…"
