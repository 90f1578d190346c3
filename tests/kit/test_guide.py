"""The document of a connection: everything of it is what the hub itself does."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest

from entrepot import dialects
from entrepot.conform import samples
from entrepot.dialect import Partner, convert_settings
from entrepot.kit.guide import Subject, guide
from entrepot.kit.page import page

DIALECTS = dialects.discover()
ENDS = [(name, role) for name, dialect in DIALECTS.items() for role in dialect.roles]
BASE = "https://hub.example/c/the-key"


def subject(name: str, role: str, **settings: object) -> Subject:
    """Return a connection of a dialect and role with a token and a partner's address."""
    partner = Partner(
        tenant_id=1,
        id=1,
        name="them",
        dialect=name,
        role=role,
        partner_url="https://them.example/api",
        settings=convert_settings(DIALECTS[name].roles[role], settings),
        secrets={"bearer": "hush-hush", "appsecret": "quiet"},
    )
    return Subject(dialect=DIALECTS[name], partner=partner, base_url=BASE)


@pytest.mark.parametrize(("name", "role"), ENDS)
def test_every_call_of_both_sides_is_in_it_and_no_secret(name: str, role: str) -> None:
    """Every documented path, field and example; of secrets only the names."""
    text = guide(subject(name, role))
    known = samples.read(DIALECTS[name].folder, role)
    for sample in known.calls.values():
        path = re.sub(r"\$\{(\w+)\}", r"{\1}", sample.path)
        assert f"`{sample.method} {BASE}{path}" in text
        assert all(f"`{field}`" in text for field in sample.fields)
    for one in known.outgoing:
        if "paths" in one.settings or "path_style" in one.settings:
            continue  # as other settings make it
        assert f"`{one.method} https://them.example/api{one.path}" in text
    assert "hush-hush" not in text
    assert "quiet" not in text
    assert "Authorization: Bearer" in text
    assert "文档未说明之处" in text


@pytest.mark.parametrize(("name", "role"), ENDS)
def test_every_example_in_it_is_json(name: str, role: str) -> None:
    """A developer pastes them."""
    text = guide(subject(name, role))
    blocks = re.findall(r"```json\n(.*?)\n```", text, re.DOTALL)
    assert blocks
    for block in blocks:
        json.loads(block)


def test_the_settings_in_it_are_the_connections_own() -> None:
    """Time-out, schedule, window and addresses as they are set now."""
    text = guide(
        subject(
            *("goldshop", "erp"),
            timeout="7s",
            rate="20/s",
            window="01:00-06:30",
            allow_ips="10.0.0.0/8",
        )
    )
    assert "| 单次调用超时 | 7s |" in text
    assert "| 调用频率上限 | 20/s |" in text
    assert "| 允许调用的时段 | 01:00-06:30 |" in text
    assert "来源地址限于 `10.0.0.0/8`" in text
    assert f"entrepot conform {BASE} --dialect goldshop --role erp --key" in text


@pytest.mark.parametrize(("encoding", "other"), [("json", "表单"), ("form", "请求示例")])
def test_our_calls_are_shown_as_the_settings_make_them(encoding: str, other: str) -> None:
    """A partner that gets forms is not shown JSON, nor the other way round."""
    text = guide(subject("goldshop", "erp", encoding=encoding))
    ours = text[text.index("## 我方调用贵方") : text.index("## 自助联调")]
    assert other not in ours
    assert "POST https://them.example/api/app/markOrderStatus" in ours
    assert "含义同上" in ours
    assert "| 200 | （空） | 成功 |" in ours


class _Tags(HTMLParser):
    """Checks that every tag is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize(("name", "role"), ENDS)
def test_as_a_page_it_is_whole(name: str, role: str) -> None:
    """Tags nest, nothing is fetched from anywhere, and the texts are all there."""
    text = page("对接 <文档>", guide(subject(name, role)))
    tags = _Tags()
    tags.feed(text)
    assert tags.open == []
    assert {"table", "pre", "h2"} <= set(tags.seen)
    assert "<title>对接 &lt;文档&gt;</title>" in text
    assert not re.search(r"<(script|link|img)|url\(", text)


def test_markdown_becomes_html() -> None:
    """Each kind of block and mark once, and what is hostile stays text."""
    text = page("t", "\n".join(MARKDOWN.strip().split("\n")))
    for part in (
        "<h1>One <code>a&lt;b</code></h1>",
        "<p>Text <strong>bold <code>x</code></strong> and over two lines.</p>",
        '<a href="https://x.example/a">link</a>',
        "<ul><li>first goes on</li>\n<li>second</li>\n</ul>",
        "<th>a</th><th>b</th>",
        "<td>1 | 2</td><td><code>x | y</code></td>",
        "<pre><code>if a &lt; b:\n  &quot;x&quot;</code></pre>",
        "<p>&lt;script&gt;alert(1)&lt;/script&gt; [no](javascript:x)</p>",
        "<pre><code>open</code></pre>",
    ):
        assert part in text, part


MARKDOWN = """
# One `a<b`

Text **bold `x`** and
over two lines.
- first
  goes on
* second

See [link](https://x.example/a).

| a | b |
|---|:--|
| 1 &#124; 2 | `x &#124; y` |

```py
if a < b:
  "x"
```
<script>alert(1)</script> [no](javascript:x)

```
open
"""
