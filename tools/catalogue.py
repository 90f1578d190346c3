"""Brings the console's Chinese catalogue up to date: ``python -m tools.catalogue``.

New texts appear with an empty translation, texts that nothing says any more go; what is translated stays.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

if TYPE_CHECKING:
    from collections.abc import Iterator

CONSOLE = Path(__file__).resolve().parent.parent / "src" / "entrepot" / "console"
FILE = CONSOLE / "locale" / "zh-CN.po"
Text = str | tuple[str, str]
"""A text as written, or (one, many)."""


def said() -> set[Text]:
    """Return every text that templates and code mark for translation."""
    return {*_in_code(), *_in_templates()}


def read() -> Catalog:
    """Return the catalogue as it is on disk."""
    with FILE.open("rb") as source:
        return read_po(source, locale="zh_CN")


def main() -> None:
    """Write the catalogue anew and tell what is missing."""
    known = {message.id: message.string for message in read() if message.id}
    made = Catalog(locale="zh_CN", fuzzy=False)
    texts = sorted(said(), key=lambda text: text if isinstance(text, str) else text[0])
    for text in texts:
        made.add(text, known.get(text, ""))
    with FILE.open("wb") as target:
        write_po(target, made, width=110, omit_header=True)
    body = FILE.read_text(encoding="utf-8")
    FILE.write_text(_HEAD + body, encoding="utf-8")
    left = [text for text in texts if not known.get(text)]
    print(f"{len(texts)} texts, {len(left)} without a translation", *left, sep="\n")


_HEAD = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=1; plural=0;\\n"

"""


def _in_code() -> Iterator[Text]:
    for path in CONSOLE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
                if node.func.id in ("_", "N_") and texts:
                    yield str(texts[0])
                elif node.func.id == "ngettext" and len(texts) >= 2:
                    yield str(texts[0]), str(texts[1])


def _in_templates() -> Iterator[Text]:
    extensions = ["jinja2.ext.i18n", "jinja2.ext.do", "jinja2.ext.loopcontrols"]
    environment = jinja2.Environment(extensions=extensions, autoescape=True)
    for path in (CONSOLE / "templates").rglob("*.html"):
        source = path.read_text(encoding="utf-8")
        for _line, function, text in environment.extract_translations(source):  # type: ignore[attr-defined]
            parts = [text] if isinstance(text, str) else [part for part in text if part is not None]
            yield (parts[0], parts[1]) if function == "ngettext" else parts[0]


if __name__ == "__main__":
    main()
