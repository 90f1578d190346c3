"""Write docs/reference from the program itself: commands, settings, tables, facts, dialects.

``make docs`` runs it; tests/docs compares what it would write with what is there.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import sys
import tempfile
from itertools import groupby
from pathlib import Path
from typing import Any

import click
import msgspec
import typer
from msgspec import structs

from entrepot import dialects, embedded, facts
from entrepot.api import nouns
from entrepot.cli import application
from entrepot.conform import samples
from entrepot.connections.rules import TenantSettings
from entrepot.db import alone
from entrepot.dialect import Duration, Rate, Settings, Steps, Window
from entrepot.migrate import migrate

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "reference"
_MADE = "<!-- Made by tools/reference.py (make docs); change what it is made of. -->\n"
_ABOUT = re.compile(r"((?:^--[^\n]*\n)+)CREATE TABLE (?:IF NOT EXISTS )?(\w+)", re.MULTILINE)
_COLUMNS = """
SELECT c.relname::text AS name, a.attname::text AS attribute, format_type(a.atttypid, a.atttypmod) AS type,
       a.attnotnull AS required
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname !~ '^(_?yoyo)'
ORDER BY c.relname, a.attnum
"""

_PATTERNS = {
    msgspec.json.schema(kind)["pattern"]: said
    for kind, said in (
        (Duration, "a duration: `500ms`, `10s`, `5m`, `24h`"),
        (Steps, "durations: `5s,30s,2m`"),
        (Rate, "`off`, `20/s`, `600/m`"),
        (Window, "`off`, `01:00-06:30`"),
    )
}

ENVIRONMENT = {
    "ENTREPOT_DATABASE_URL": "PostgreSQL server to use (15 or newer); without it an embedded one.",
    "ENTREPOT_DATA": "Folder of the hub's data, `./var` where it is not set; `--data` goes before.",
    "ENTREPOT_KEY_FILE": "The key ring; `entrepot.key` in the data folder where it is not set.",
    "ENTREPOT_PUBLIC_URL": "The hub's address as partners write it; base URLs begin with it.",
    "ENTREPOT_DIALECTS": "Further folders of dialects, separated by colons.",
    "ENTREPOT_LOG_LEVEL": "`debug`, `info` (the usual), `warning`, `error`.",
    "ENTREPOT_METRICS_TOKEN": "Who shows it may read `/metrics`; without one only this machine may.",
    "ENTREPOT_BODY_LIMIT": "The largest body a partner may send, in bytes (4,194,304).",
    "ENTREPOT_READ_TIMEOUT": "How long a partner may take to send one, in seconds (30).",
    "ENTREPOT_PASSPHRASE": "What `backup` seals the key ring with and `restore` opens it with.",
}


def pages(columns: list[tuple[str, str, str, bool]]) -> dict[str, str]:
    """Return every page by file name; ``columns``: table, column, type, whether it must be given."""
    return {
        "cli.md": commands(),
        "api.md": operations(),
        "settings.md": settings(),
        "tables.md": tables(columns),
        "facts.md": told_facts(),
        "dialects.md": matrix(),
        "decisions.md": decisions(),
    }


def commands() -> str:
    """Every command with its arguments and options, as ``--help`` has them."""
    root = typer.main.get_command(application())
    return _page(
        "Commands", "Every command takes `--help`.", "\n".join(_commands(root, "entrepot"))
    )


def _commands(command: Any, name: str) -> list[str]:
    if isinstance(command, click.Group) or hasattr(command, "commands"):
        lines: list[str] = []
        for child, one in sorted(command.commands.items()):
            lines += _commands(one, f"{name} {child}")
        return lines
    context = click.Context(command, info_name=name)
    usage = " ".join(command.collect_usage_pieces(context))
    lines = [f"## `{name}`", "", f"```text\n{name} {usage}\n```", "", _paragraphs(command.help), ""]
    rows = []
    for parameter in command.params:
        if getattr(parameter, "hidden", False):
            continue
        if record := parameter.get_help_record(context):
            rows.append(tuple(re.sub(r"\s+", " ", part).replace("|", "&#124;") for part in record))
    if rows:
        lines += ["| option | |", "|---|---|"]
        lines += [f"| `{option}` | {about} |" for option, about in rows]
        lines.append("")
    return lines


def operations() -> str:
    """Every operation of the native API, with the scope it takes."""
    lines = []
    found = sorted(nouns.operations(), key=lambda one: (one.noun, one.path, one.method))
    for noun, group in groupby(found, key=lambda one: one.noun):
        lines += [f"## {noun}", "", "| operation | scope | |", "|---|---|---|"]
        for one in group:
            said = _doc(one.handler).partition(". ")[0].removesuffix(".")
            lines.append(f"| `{one.method} {one.path}` | `{one.scope}` | {_cell(said)} |")
        lines.append("")
    about = "Below `/api/v1`. All of each operation stands in `/api/v1/docs` of a running hub."
    return _page("Native API", about, "\n".join(lines))


def settings() -> str:
    """The environment, a tenant's settings, every connection's, and each role's own."""
    lines = ["## Environment", "", "| variable | |", "|---|---|"]
    lines += [f"| `{name}` | {about} |" for name, about in sorted(ENVIRONMENT.items())]
    lines += [
        "",
        "## Of a tenant",
        "",
        "`entrepot tenant set key=value…`. " + _doc(TenantSettings),
        "",
    ]
    lines += _fields(TenantSettings, set())
    lines += ["## Of every connection", "", "`entrepot connections set NAME key=value…`; an empty "]
    lines[-1] += "value brings the default back. " + _doc(Settings)
    lines += ["", *_fields(Settings, set())]
    usual = set(Settings.__struct_fields__)
    for name, dialect in sorted(dialects.discover().items()):
        for role_name, role in dialect.roles.items():
            if set(role.settings.__struct_fields__) - usual:
                lines += [f"## `{name}` as `{role_name}`", ""]
                lines += [f"[What each does](dialects.md#{name}) stands in its README.", ""]
                lines += _fields(role.settings, usual)
    return _page("Settings", "", "\n".join(lines))


def tables(columns: list[tuple[str, str, str, bool]]) -> str:
    """Every table with its columns, as the migrations leave them."""
    about: dict[str, str] = {}
    for file in sorted((ROOT / "src/entrepot/migrations").glob("*.sql")):
        for said, name in _ABOUT.findall(file.read_text(encoding="utf-8")):
            about[name] = " ".join(line.removeprefix("--").strip() for line in said.splitlines())
    lines: list[str] = []
    for name in dict.fromkeys(table for table, *_ in columns):
        lines += [
            f"## `{name}`",
            "",
            about.get(name, ""),
            "",
            "| column | type | |",
            "|---|---|---|",
        ]
        for table, column, kind, required in columns:
            if table == name:
                lines.append(f"| `{column}` | {kind} | {'' if required else 'may be null'} |")
        lines.append("")
    said = "`tenant_id` leads every key. Partitions are left out."
    return _page("Tables", said, "\n".join(lines))


def told_facts() -> str:
    """Every fact: its kind, what it says, who is told it."""
    listeners: dict[str, list[str]] = {}
    for name, dialect in sorted(dialects.discover().items()):
        for role_name, role in dialect.roles.items():
            for kind in role.listens:
                listeners.setdefault(kind, []).append(f"`{name}` as `{role_name}`")
    lines: list[str] = []
    for fact in facts.every():
        lines += [f"## `{fact.kind}`", "", _doc(fact), ""]
        if fact.personal:
            lines += ["Carries names, phones or addresses; stored sealed.", ""]
        if fact.superseded_by:
            names = ", ".join(f"`{kind}`" for kind in sorted(fact.superseded_by))
            lines += [f"Pointless once {names} was delivered.", ""]
        told = ", ".join(sorted(listeners.get(fact.kind, []))) or "subscribers alone"
        lines += [
            f"Told to: {told}. To subscribers it is `{facts.event(fact.kind)}`.",
            "",
            *_fields(fact, set()),
        ]
    return _page("Facts", "What happened, as deliveries carry it.", "\n".join(lines))


def matrix() -> str:
    """Every dialect and role: what is called, what is told, what it has."""
    lines: list[str] = []
    for name, dialect in sorted(dialects.discover().items()):
        lines += [f"## {name}", "", f"{dialect.label}; document {dialect.document}. "]
        lines[-1] += f"README: `src/entrepot/dialects/{name}/README.md`."
        lines += [
            "",
            "| role | they call us | we call them | is told | levels | its own login | checks |",
        ]
        lines.append("|---|---|---|---|---|---|---|")
        for role_name, role in dialect.roles.items():
            known = samples.read(dialect.folder, role_name)
            calls = sorted({f"`{route.method} {route.path or '/'}`" for route in role.routes})
            ours = sorted({f"`{one.method} {one.path or '/'}`" for one in known.outgoing})
            told = sorted(f"`{kind}`" for kind in role.listens)
            levels = role.levels(msgspec.convert({}, role.settings))
            cells = (
                f"`{role_name}`",
                "<br>".join(calls) or "—",
                "<br>".join(ours) or "—",
                "<br>".join(told) or "—",
                f"{levels} a call, by {role.sells}" if levels else "—",
                "signature" if role.sign else "yes" if role.own_auth else "—",
                f"{len(known.calls)} in, {len(known.outgoing)} out",
            )
            lines.append(f"| {' | '.join(cells)} |")
        lines.append("")
    return _page("Dialects", "What each speaks, from both ends.", "\n".join(lines))


def decisions() -> str:
    """The decisions and their reasons, by their titles."""
    lines = []
    for file in sorted((ROOT / "docs" / "decisions").glob("*.md")):
        title = file.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")
        lines.append(f"- [{title}](../decisions/{file.name})")
    return _page("Decisions", "One page each, with its reasons.", "\n".join(lines))


def _fields(shape: Any, without: set[str]) -> list[str]:
    rows = [
        f"| `{field.name}` | {_type(field.type)} | {_default(field)} |"
        for field in structs.fields(shape)
        if field.name not in without
    ]
    return ["| name | type | default |", "|---|---|---|", *rows, ""] if rows else []


def _type(kind: Any) -> str:
    info = msgspec.json.schema(kind)
    shown = info.get("enum") or info.get("pattern") or info.get("type") or ""
    if isinstance(shown, list):
        return ", ".join(f"`{one}`" for one in shown)
    if "pattern" in info:
        return _PATTERNS.get(info["pattern"], f"text like `{_cell(str(shown))}`")
    bounds = [
        f"{word} {info[key]}"
        for key, word in (("minimum", "from"), ("maximum", "to"))
        if key in info
    ]
    return " ".join([str(shown) or "see its README", *bounds])


def _default(field: Any) -> str:
    if field.default is not msgspec.NODEFAULT:
        value = field.default
    elif field.default_factory is not msgspec.NODEFAULT:
        value = field.default_factory()
    else:
        return "must be given"
    if value in ("", None, (), {}):
        return "none"
    return f"`{_cell(str(msgspec.to_builtins(value)))}`"


def _doc(one: Any) -> str:
    return re.sub(r"\s*\n\s*", " ", inspect.getdoc(one) or "").replace("``", "`")


def _paragraphs(text: str | None) -> str:
    parts = re.split(r"\n\s*\n", inspect.cleandoc(text or ""))
    return "\n\n".join(_cell(re.sub(r"\s*\n\s*", " ", part)) for part in parts)


def _cell(text: str) -> str:
    return text.replace("|", "&#124;").replace("<", "&lt;") if "|" in text or "<" in text else text


def _page(title: str, said: str, body: str) -> str:
    text = f"{_MADE}\n# {title}\n\n{said}\n\n{body}"
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


async def columns_of(url: str) -> list[tuple[str, str, str, bool]]:
    """Return every column of a migrated database."""
    async with alone(url) as one:
        return [tuple(row.values()) for row in await one.fetch(_COLUMNS)]


async def _fresh_columns() -> list[tuple[str, str, str, bool]]:
    with (
        tempfile.TemporaryDirectory(prefix="entrepot-") as name,
        embedded.start(Path(name)) as server,
    ):
        await migrate(server.dsn)
        return await columns_of(server.dsn)


def main() -> int:
    """Write every page."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, text in pages(asyncio.run(_fresh_columns())).items():
        (TARGET / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
