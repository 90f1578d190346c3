"""House style, as far as a machine can see it. Limits only ever go down."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path for folder in ("src", "tests", "bench", "tools") for path in (ROOT / folder).rglob("*.py")
)
LONGEST_FILE = 400
LONGEST_FUNCTION = 50
WOOLLY = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}

# Rooms that know no partner's name.
CORE = ["adjustments", "catalogue", "connections", "courier", "dispatch", "migrations", "orders"]
CORE += ["people", "returns", "stock", "gateway.py", "dialect.py", "facts", "db.py", "app.py"]
PARTNERS = re.compile(r"goldshop|minimall|storepos|wangdian|旺店通", re.IGNORECASE)

# Written so that this file does not contain what it looks for.
UNFINISHED = re.compile(
    r"raise NotImplemented" + r"Error(\(\))?$|\bTO" + r"DO\b|\bFIX" + r"ME\b|\bXX" + r"X\b"
)
PURE = {"rules.py", "wire.py", "policy.py"}
IMPURE = re.compile(r"\.(now|utcnow|today)\(|\bopen\(|\bawait\b|\brandom\.|\btime\.time\b")
MACHINE_PATHS = re.compile(r"/(work|root|home)" + r"/|\.\./sha" + r"red")
UNREAL = re.compile(
    r"mark\.(skip|xf" + r"ail)|pytest\.(skip|xf" + r"ail|importorskip)\(|unittest.mo" + r"ck"
)
SUFFIXES = {".py", ".sql", ".md", ".toml", ".sh", ".html", ".js", ".css", ".json", ".txt", ".in"}


def relative(path: Path) -> str:
    """Return a path as it stands in the repository."""
    return str(path.relative_to(ROOT))


def ours() -> list[Path]:
    """Return every text file that is written by hand."""
    found = [p for p in ROOT.iterdir() if p.is_file() and p.suffix in SUFFIXES | {""}]
    found = [p for p in found if p.name not in {".coverage", ".git"}]  # made by tools
    for folder in (".ci", "bench", "docs", "requirements", "src", "tests", "tools"):
        found += [p for p in (ROOT / folder).rglob("*") if p.is_file() and p.suffix in SUFFIXES]
    return sorted(p for p in found if "vendor" not in p.parts and "__pycache__" not in p.parts)


def findings(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    """Return ``file:line: text`` for every line that the pattern hits."""
    return [
        f"{relative(path)}:{number}: {line.strip()[:120]}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if pattern.search(line)
    ]


def test_a_file_is_read_in_one_sitting() -> None:
    """No Python file is longer than 400 lines."""
    lengths = {relative(p): len(p.read_text(encoding="utf-8").splitlines()) for p in SOURCES}
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def test_a_function_fits_a_screen() -> None:
    """No function is longer than 50 lines, its docstring included."""
    long = {
        f"{relative(path)}:{node.name}": length
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert long == {}


def test_a_module_is_named_for_what_it_holds() -> None:
    """Nothing is called utils, helpers, common, manager or misc."""
    assert [relative(p) for p in SOURCES if WOOLLY & {p.stem, p.parent.name}] == []


def test_nothing_is_left_unfinished() -> None:
    """There are no placeholders; what is missing stands in an issue."""
    assert findings(UNFINISHED, ours()) == []


def test_no_path_of_a_machine_is_written_down() -> None:
    """A checkout works wherever it lies."""
    assert findings(MACHINE_PATHS, ours()) == []


def test_a_test_runs_and_is_real() -> None:
    """No test is skipped, expected to fail, or run against a stand-in object."""
    assert findings(UNREAL, sorted((ROOT / "tests").rglob("*.py"))) == []


@pytest.mark.parametrize("lock", ["base.txt", "dev.txt", "bench.txt"])
def test_a_python_lock_names_hashes_and_no_host(lock: str) -> None:
    """Every line is a pinned package or its hash: any mirror serves it, none is named."""
    lines = (ROOT / "requirements" / lock).read_text(encoding="utf-8").splitlines()
    pinned = re.compile(
        r"[a-z0-9._-]+(\[[a-z0-9,._-]+\])?==\S+( ; .+)? \\$| {4}--hash=sha256:[0-9a-f]{64}( \\)?$"
    )
    assert [line for line in lines if not pinned.match(line)] == []


def test_the_npm_lock_names_no_host() -> None:
    """Packages are pinned by integrity alone."""
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in text
    assert "://" not in text
    assert text.count('"integrity"') == text.count('"node_modules/')


def test_the_core_knows_no_partner() -> None:
    """A partner's name stands in its dialect's folder, the demonstration and the documents only."""
    core = ROOT / "src" / "entrepot"
    paths = [
        p
        for name in CORE
        for p in ([core / name] if name.endswith(".py") else (core / name).rglob("*"))
    ]
    assert (
        findings(PARTNERS, [p for p in paths if p.suffix in {".py", ".sql"} and p.exists()]) == []
    )


def test_what_decides_reads_no_clock_and_waits_for_nothing() -> None:
    """rules, wire, policy and facts are functions of their arguments."""
    assert findings(IMPURE, [p for p in SOURCES if _decides(p)]) == []


def _decides(path: Path) -> bool:
    return "src" in path.parts and (path.name in PURE or path.parent.name == "facts")


def test_the_schema_keeps_its_rules() -> None:
    """No triggers and no enum types: the schema shards by tenant, and life cycles are named checks."""
    forbidden = re.compile(r"\bCREATE\s+(CONSTRAINT\s+)?TRIGGER\b|\bAS\s+ENUM\b", re.IGNORECASE)
    assert findings(forbidden, sorted((ROOT / "src/entrepot/migrations").glob("*.sql"))) == []
