"""Reads CSV (UTF-8 with or without BOM, UTF-16, GBK), XLSX and JSON row by row, in bounded memory."""

from __future__ import annotations

import codecs
import csv
import io
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import openpyxl
from openpyxl.utils.exceptions import InvalidFileException

from entrepot.errors import Unusable
from entrepot.imports import objects
from entrepot.imports.rules import unguarded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

_BLOCK = 1024 * 1024
_LONGEST_FIELD = 1024 * 1024
_XLSX = {".xlsx", ".xlsm"}
_JSON = {".json", ".jsonl", ".ndjson"}

Line = tuple[int, list[str]]
"""Its number in the file, from 1 (the header), and its cells without surrounding space."""


class Sheet:
    """An open file: its header, its lines, and how far reading has come (0 to 1)."""

    def __init__(self, header: list[str], lines: Iterator[Line], progress: Any) -> None:
        self.header = header
        self.lines = lines
        self.progress = progress


@contextmanager
def opened(path: Path) -> Iterator[Sheet]:
    """Open a file; raises Unusable saying what is wrong with it as a whole."""
    if not path.is_file():
        raise Unusable(f"There is no file {path}.")
    ending = path.suffix.lower()
    reader = _workbook if ending in _XLSX else _objects if ending in _JSON else _text
    with reader(path) as sheet:
        yield sheet


@contextmanager
def _text(path: Path) -> Iterator[Sheet]:
    with path.open("rb") as raw, io.TextIOWrapper(raw, _encoding(path), newline="") as text:
        size = max(path.stat().st_size, 1)
        first = text.readline()
        text.seek(0)
        csv.field_size_limit(_LONGEST_FIELD)
        rows = csv.reader(text, delimiter=_delimiter(first), strict=True)
        lines = _read(path, rows)
        _, header = next(lines, (1, []))
        if not header:
            raise Unusable(f"{path} is empty; its first line must name the columns.")
        yield Sheet(header, lines, lambda: min(raw.tell() / size, 1.0))


def _read(path: Path, rows: Any) -> Iterator[Line]:
    try:
        for cells in rows:
            stripped = [unguarded(cell.strip()) for cell in cells]
            if any(stripped):
                yield rows.line_num, stripped
    except (csv.Error, UnicodeError) as error:
        raise Unusable(f"{path}, line {rows.line_num + 1} cannot be read: {error}") from error


@contextmanager
def _workbook(path: Path) -> Iterator[Sheet]:
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise Unusable(f"{path} is no XLSX file: {error}") from error
    try:
        grid = book.worksheets[0]
        done = [0]
        lines = _cells(grid, done)
        _, header = next(lines, (1, []))
        padded = ((n, cells + [""] * (len(header) - len(cells))) for n, cells in lines)
        if not header:
            raise Unusable(f"{path} is empty; its first line must name the columns.")
        total = max(grid.max_row or 1, 1)
        yield Sheet(header, padded, lambda: min(done[0] / total, 1.0))
    finally:
        book.close()


@contextmanager
def _objects(path: Path) -> Iterator[Sheet]:
    """Read twice: the first time for the columns. A row's number is that of a file of its rows."""
    encoding = _encoding(path)
    with path.open(encoding=encoding) as text:
        header = objects.header(path, text)
    if not header:
        raise Unusable(f"{path} is empty; it should hold objects.")
    with path.open("rb") as raw, io.TextIOWrapper(raw, encoding) as text:
        size = max(path.stat().st_size, 1)
        rows = objects.rows(path, text)
        lines = (
            (number, [row.get(name, "") for name in header]) for number, row in enumerate(rows, 2)
        )
        yield Sheet(header, lines, lambda: min(raw.tell() / size, 1.0))


def _cells(grid: Any, done: list[int]) -> Iterator[Line]:
    for number, values in enumerate(grid.iter_rows(values_only=True), 1):
        done[0] = number
        cells = [_written(value) for value in values]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield number, cells


def _written(value: str | float | bool | datetime | None) -> str:
    """Return a cell as a person would write it: 3.0, which spreadsheets make of 3, is 3."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _encoding(path: Path) -> str:
    """Return the encoding of a text file: by its mark, else UTF-8 if it is, else GBK if it is."""
    with path.open("rb") as raw:
        mark = raw.read(4)
    if mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as raw:
                while block := raw.read(_BLOCK):
                    decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise Unusable(f"{path} is neither UTF-8 nor GBK; save it as CSV UTF-8.")


def _delimiter(header: str) -> str:
    """Return what separates cells: a comma, or what spreadsheets of other countries write."""
    return max(",;\t", key=header.count)
