"""The table of a run: rows of CSV, JSON Lines or Parquet, and the arguments made from each.

Rule 1: a table is read as a stream, so that memory use does not grow with its rows. It is read once before anything is
sent, for its hash, the number of rows, its columns, and duplicate keys.
Rule 2: ``"$column"`` as a whole text stands for the value of a column, at any depth; ``"$$text"`` is ``$text``.
Rule 3: the fault of a row has the row's number and line, both counted from 1. All faults are reported at once.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain, count, islice, takewhile
from operator import itemgetter
from typing import Any

from dynclient._deferred import needing
from dynclient._escaping import one_line
from dynclient._identifiers import near
from dynclient._plain_values import plain_value
from dynclient._records import Record
from dynclient.bulk.journal import BulkError
from dynclient.exceptions import ArgumentError, DynclientError

_SHOWN = 20
KEPT_FAULTS = 1000
_MANY_COLUMNS = 10_000
_CHUNK = 1000
_NOT_UTF8 = "not in UTF-8: save the table in UTF-8"
_FRAMES: dict[str, dict[str, Any]] = {"iter_rows": {"named": True}, "to_pylist": {}, "to_dict": {"orient": "records"}}
"""The methods of polars, pyarrow and pandas that list the rows of a table."""


class RowFault(Record):
    """A fault of a row: its number and line, from 1 (0 for the whole table), its key, and the message."""

    row: int
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"row {self.row}" + f", line {self.line}" * bool(self.line) + f", key {self.key!r}" * bool(self.key)
        return f"{where}: {self.message}" if self.row else self.message


class InvalidRows(BulkError):
    """Rows of the table can't be sent. ``faults`` are the first 1,000 of them, ``count`` is their number."""

    def __init__(self, message: str = "", *, faults: Sequence[RowFault] = (), count: int = 0, **data: Any) -> None:
        super().__init__(message, **data)
        self.faults = tuple(faults[:KEPT_FAULTS])
        self.count = count or len(faults)

    def details(self) -> list[str]:
        """Add a line for each fault."""
        more = [f"  and {self.count - _SHOWN} more"] * (self.count > _SHOWN)
        return [*(f"  {one_line(str(fault))}" for fault in self.faults[:_SHOWN]), *more]


class TableRow(Record):
    """A row: its number from 0, its line in the file from 1 (0 if it has none), and its values by column."""

    number: int
    line: int
    values: dict[str, Any]


class Table(Record):
    """A table that has been scanned. ``columns`` are those of all rows."""

    path: str
    sha256: str
    rows: int
    columns: tuple[str, ...]


def _csv_rows(path: str, skipped: int, delimiters: str) -> Iterator[TableRow]:
    """Rows separated by the first of the delimiters that occurs outside quotes in the first line with text."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        start = 1
        try:
            header = "".join(next((line for line in file if line.strip()), "").split('"')[::2])
            delimiter = next((each for each in delimiters if each in header), delimiters[0])
            file.seek(0)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            columns = [name.strip() for name in next(filter(None, reader), ())]
            if not columns or "" in columns or len(set(columns)) < len(columns):
                twice = next((name for name in columns if columns.count(name) > 1), None)
                found = f"column {columns.index('') + 1} has no name" if "" in columns else f"{twice} occurs twice"
                text = "the first line must name each column once" + f": {found}" * bool(columns)
                raise _unreadable(path, max(reader.line_num, 1), text)
            start = reader.line_num + 1
            number = sum(1 for _ in islice(filter(None, reader), skipped))
            start = reader.line_num + 1
            for cells in reader:
                line, start = start, reader.line_num + 1
                if not cells:
                    continue
                if len(cells) != len(columns):
                    text = f"{len(cells)} cells, but the first line has {len(columns)} columns"
                    raise InvalidRows(f"{path} can't be read", faults=[RowFault(number + 1, line, "", text)])
                yield TableRow(number, line, dict(zip(columns, cells, strict=True)))
                number += 1
        except csv.Error as error:
            hint = "csv.field_size_limit(n) allows longer cells" if "field limit" in str(error) else ""
            raise _unreadable(path, start, f"not CSV: {error}", hint) from error
        except UnicodeDecodeError as error:
            raise _unreadable(path, _undecodable(path), _NOT_UTF8) from error


def _undecodable(path: str) -> int:
    """The first line that is not UTF-8. It is searched for, since the decoding error of a text file has no position."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, start=1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 0


def _jsonl_rows(path: str, skipped: int) -> Iterator[TableRow]:
    with open(path, "rb") as file:
        rows = ((line, text) for line, text in enumerate(file, start=1) if not text.isspace())
        for number, (line, text) in enumerate(islice(rows, skipped, None), start=skipped):
            try:
                values = json.loads(text)
            except UnicodeDecodeError:
                raise _unreadable(path, line, _NOT_UTF8) from None
            except (ValueError, RecursionError) as error:
                raise _unreadable(path, line, f"not JSON: {getattr(error, 'msg', error)}") from None
            if not isinstance(values, dict):
                raise _unreadable(path, line, f"a row must be an object, not {type(values).__name__}")
            yield TableRow(number, line, values)


def _parquet_rows(path: str, skipped: int) -> Iterator[TableRow]:
    with _duckdb(f"{path} is not Parquet") as connection:
        found = connection.execute("SELECT * FROM read_parquet(?) OFFSET ?", [path, skipped])
        columns = [each[0] for each in found.description]
        chunks = iter(lambda: found.fetchmany(_CHUNK), [])
        for number, cells in enumerate(chain.from_iterable(chunks), start=skipped):
            yield TableRow(number, 0, dict(zip(columns, cells, strict=True)))


@contextmanager
def _duckdb(failure: str) -> Iterator[Any]:
    """A connection to a database in memory.

    Raises:
        BulkError: duckdb is not installed, or has raised an error, whose text begins with ``failure``.
    """
    with needing(BulkError, "Parquet needs", "tables"):
        import duckdb
    try:
        with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
            yield connection
    except duckdb.Error as error:
        raise BulkError(f"{failure}: {str(error).partition(chr(10))[0]}") from error


def _unreadable(path: str, line: int, text: str, hint: str = "") -> InvalidRows:
    return InvalidRows(f"{path} can't be read", faults=[RowFault(0, line, "", f"line {line}: {text}")], hint=hint)


FORMATS: dict[str, Callable[[str, int], Iterator[TableRow]]] = {
    ".csv": partial(_csv_rows, delimiters=",;\t"),
    ".tsv": partial(_csv_rows, delimiters="\t"),
    ".jsonl": _jsonl_rows,
    ".ndjson": _jsonl_rows,
    ".parquet": _parquet_rows,
}
"""The readers of tables, by file suffix."""


def read_rows(path: str, skipped: int = 0) -> Iterator[TableRow]:
    """Read the rows of a table, one after the other, without the first ``skipped`` ones.

    Raises:
        InvalidRows: a row can't be read.
        BulkError: the file can't be read, or its name has an unknown suffix.
    """
    ending = os.path.splitext(path)[1].lower()
    if ending not in FORMATS:
        raise BulkError(f"{path} is not a table: its name must end with one of {', '.join(FORMATS)}")
    try:
        yield from FORMATS[ending](path, skipped)
    except OSError as error:
        raise BulkError(f"{path} can't be read: {error.strerror or error}") from error


def write_rows(table: Any, path: str) -> None:
    """Write the rows of a DataFrame or an iterable as JSON Lines, so that a later process can read them again.

    Raises:
        ArgumentError: it is neither, or a row is not a mapping of plain values.
    """
    method = next((name for name in _FRAMES if hasattr(table, name)), None)
    rows = table if method is None else getattr(table, method)(**_FRAMES[method])
    if isinstance(rows, (bytes, Mapping)) or not isinstance(rows, Iterable):
        text = f"a table is a path, a DataFrame or an iterable of mappings, not {type(table).__name__}"
        raise ArgumentError(text, argument="table")
    with open(path, "x", encoding="utf-8") as file:
        for number, row in enumerate(rows, start=1):
            if not isinstance(row, Mapping):
                text = f"row {number} must be a mapping of columns to values, not {type(row).__name__}"
                raise ArgumentError(text, argument="table")
            try:
                plain = plain_value({name: _plain_cell(value) for name, value in row.items()})
            except DynclientError as error:
                raise ArgumentError(f"row {number}: {error.message}", argument="table", hint=error.hint) from None
            file.write(json.dumps(plain, default=str) + "\n")


def _plain_cell(value: Any) -> Any:
    """A value without NumPy's types. NaN, NaT and NA are missing values."""
    value = value.tolist() if hasattr(value, "tolist") else value
    is_missing = type(value).__name__ in {"NaTType", "NAType"} or (isinstance(value, float) and math.isnan(value))
    return None if is_missing else value


def scan(path: str, key: str | None) -> Table:
    """Read a table once, as rule 1 says.

    Raises:
        InvalidRows: a row can't be read, lacks the key, or has the key of another one.
        ArgumentError: there is no such column.
    """
    columns: dict[str, Any] = {}
    with closing(sqlite3.connect("")) as database:
        # A database without a name is a temporary file, so that memory does not grow with the number of keys.
        database.execute("CREATE TABLE keys (row INTEGER PRIMARY KEY, line INTEGER, key BLOB)")
        total = 0
        rows = read_rows(path)
        while chunk := list(islice(rows, _CHUNK)):
            total += len(chunk)
            for row in chunk if len(columns) < _MANY_COLUMNS else ():
                columns.update(row.values)
            if key is not None:
                texts = (
                    (row.number + 1, row.line, key_text(row, key).encode("utf-8", "surrogatepass")) for row in chunk
                )
                database.executemany("INSERT INTO keys VALUES (?, ?, ?)", texts)
        if key is not None and key not in columns and total:
            raise unknown_column(key, columns, "key")
        _check_keys(database, path, key or "")
    return Table(path, content(path), total, tuple(columns))


def content(path: str) -> str:
    """The SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_keys(database: sqlite3.Connection, path: str, key: str) -> None:
    """Check that no key is empty, and none occurs twice."""
    query = """SELECT row, line, key, first_value(row) OVER same, first_value(line) OVER same FROM keys
        WHERE key IN (SELECT key FROM keys GROUP BY key HAVING count(*) > 1) OR key = x''
        WINDOW same AS (PARTITION BY key ORDER BY row) ORDER BY row"""
    faults: list[RowFault] = []
    wrong = 0
    for row, line, found, first, where in database.execute(query):
        if found and row == first:
            continue
        wrong += 1
        text = f"row {first}" + f", line {where}" * bool(where) + " has the same key"
        text = text if found else f"the key column {key} is empty"
        if len(faults) < KEPT_FAULTS:
            faults.append(RowFault(row, line, found.decode("utf-8", "surrogatepass"), text))
    if wrong:
        raise InvalidRows(f"{path}: every row needs a unique key", faults=faults, count=wrong)


def key_text(row: TableRow, key: str | None) -> str:
    """The key of a row as text; without a key column, the row's number, from 1."""
    if key is None:
        return str(row.number + 1)
    value = row.values.get(key)
    return "" if value is None else str(value)


def unknown_column(name: str, columns: Iterable[str], argument: str) -> ArgumentError:
    """The error for a column that the table does not have."""
    columns = list(columns)
    matches = near(name, columns)
    shown = ", ".join(columns[:_SHOWN]) or "none"
    return ArgumentError(
        f"{argument}: the table has no column {name}",
        argument=argument,
        matches=matches,
        hint=f"the columns are {shown}; write $$ for a dollar sign",
    )


def _column(text: str) -> str | None:
    """The column that a text of a template stands for."""
    if not text.startswith("$") or text.startswith("$$") or len(text) == 1:
        return None
    return text[2:-1] if text.startswith("${") and text.endswith("}") else text[1:]


def columns_in(template: Any) -> set[str]:
    """The columns that a template names."""
    if isinstance(template, str):
        column = _column(template)
        return set() if column is None else {column}
    if isinstance(template, Mapping):
        return set().union(*map(columns_in, template.values()))
    return set().union(*map(columns_in, template)) if isinstance(template, (list, tuple)) else set()


def filling(template: Any) -> Callable[[Mapping[str, Any]], Any]:
    """A function that fills a template with the values of a row.

    It returns ``...`` for a column that the row lacks; objects and arrays leave it out.
    """
    if isinstance(template, str):
        column = _column(template)
        if column is not None:
            return lambda values: values.get(column, ...)
        text = template[1:] if template.startswith("$$") else template
        return lambda _: text
    if isinstance(template, Mapping):
        members = [(name, filling(member)) for name, member in template.items()]
        return lambda values: {name: found for name, fill in members if (found := fill(values)) is not ...}
    if isinstance(template, (list, tuple)):
        items = list(map(filling, template))
        return lambda values: [found for fill in items if (found := fill(values)) is not ...]
    return lambda _: template


def partitions(path: str, size: int, first: int = 0) -> Iterator[tuple[int, list[TableRow]]]:
    """The rows of a table in partitions, each with its number, from ``first`` on."""
    rows = read_rows(path, first * size)
    return takewhile(itemgetter(1), ((number, list(islice(rows, size))) for number in count(first)))


def to_parquet(lines: Iterable[Mapping[str, Any]], path: str) -> None:
    """Write results as a Parquet file.

    Raises:
        BulkError: duckdb is not installed, or the file can't be written.
    """
    failure = f"{path} can't be written"
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as spool, _duckdb(failure) as connection:
        spool.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
        spool.flush()
        kinds = "row: 'BIGINT', key: 'VARCHAR', outcome: 'VARCHAR', status: 'INTEGER', attempts: 'INTEGER', "
        kinds += "ms: 'DOUBLE', time: 'DOUBLE', data: 'JSON', problem: 'JSON'"
        query = f"COPY (SELECT * FROM read_json('{spool.name}', format='newline_delimited', columns={{{kinds}}})) "  # noqa: S608  # a fixed name
        connection.execute(query + "TO '" + path.replace("'", "''") + "' (FORMAT parquet)")
