"""Markdown of the kind that guides and READMEs are written in, as one page of HTML to print. Pure.

Headings, paragraphs, lists, tables, fenced code, and within a line code, bold and links; everything else is
text, and shown as such.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STYLE = """
body { font: 15px/1.6 system-ui, "Noto Sans CJK SC", "PingFang SC", sans-serif; color: #1f2328;
       max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.3; break-after: avoid; }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #d1d9e0; padding-bottom: .3rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { border: 1px solid #d1d9e0; padding: .35rem .6rem; text-align: left; vertical-align: top;
         overflow-wrap: anywhere; }
th { background: #f6f8fa; }
tr, pre { break-inside: avoid; }
pre { background: #f6f8fa; padding: .8rem; overflow-x: auto; white-space: pre-wrap; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } @page { margin: 18mm; } }
"""
_SPAN = re.compile(r"`(?P<code>[^`]+)`|\*\*(?P<bold>(?:`[^`]+`|[^*`])+)\*\*")
_LINK = re.compile(r"\[([^\]]+)\]\((https?://[^)\s]+)\)")
_RULER = re.compile(r"\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?")


def page(title: str, markdown: str) -> str:
    """Return one whole HTML document, which needs nothing from anywhere else."""
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body>\n{body(markdown)}\n</body></html>\n"
    )


def body(markdown: str) -> str:
    """Return a text as HTML; everything in it that is no Markdown is escaped."""
    return "\n".join(_blocks(markdown.split("\n")))


def _blocks(lines: list[str]) -> Iterator[str]:
    """Yield the blocks of a text as HTML."""
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("```"):
            end = _until(lines, at + 1, lambda one: one.startswith("```"))
            yield f"<pre><code>{html.escape(chr(10).join(lines[at + 1 : end]))}</code></pre>"
            at = end + 1
        elif heading := re.match(r"(#{1,6}) (.*)", line):
            level = len(heading[1])
            yield f"<h{level}>{_inline(heading[2])}</h{level}>"
            at += 1
        elif line.startswith("|"):
            end = _until(lines, at, lambda one: not one.startswith("|"))
            yield _table(lines[at:end])
            at = end
        elif line.startswith(("- ", "* ")):
            end = _until(lines, at, lambda one: not one.startswith(("- ", "* ", "  ")))
            yield _list(lines[at:end])
            at = end
        elif line.strip():
            end = _until(lines, at, _ends_paragraph)
            yield f"<p>{_inline(' '.join(lines[at:end]))}</p>"
            at = end
        else:
            at += 1


def _ends_paragraph(line: str) -> bool:
    return not line.strip() or line.startswith(("#", "|", "- ", "* ", "```"))


def _until(lines: list[str], start: int, ends: Callable[[str], bool]) -> int:
    """Return the first line from ``start`` on that ends a block, or how many lines there are."""
    return next((at for at in range(start, len(lines)) if ends(lines[at])), len(lines))


def _table(lines: list[str]) -> str:
    rows = [line for line in lines if not _RULER.fullmatch(line)]
    head, *body = [_cells(row) for row in rows]
    shown = "".join(f"<th>{_inline(cell)}</th>" for cell in head)
    rest = "".join(
        "<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>\n" for row in body
    )
    return f"<table><thead><tr>{shown}</tr></thead>\n<tbody>{rest}</tbody></table>"


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def _list(lines: list[str]) -> str:
    items: list[str] = []
    for line in lines:
        if line.startswith(("- ", "* ")):
            items.append(line[2:])
        else:
            items[-1] += " " + line.strip()
    return "<ul>" + "".join(f"<li>{_inline(item)}</li>\n" for item in items) + "</ul>"


def _inline(text: str) -> str:
    """Return a line with its code, bold and links as HTML; what is in code stays as it is."""
    made, at = [], 0
    for hit in _SPAN.finditer(text):
        made.append(_linked(text[at : hit.start()]))
        if hit["code"]:
            made.append(f"<code>{_safe(hit['code'])}</code>")
        else:
            made.append(f"<strong>{_inline(hit['bold'])}</strong>")
        at = hit.end()
    return "".join([*made, _linked(text[at:])])


def _linked(text: str) -> str:
    return _LINK.sub(r'<a href="\2">\1</a>', _safe(text))


def _safe(text: str) -> str:
    """Escape, but for the bar that a cell cannot hold as itself."""
    return html.escape(text).replace("&amp;#124;", "|")
