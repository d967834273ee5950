"""The table of a run: rows of CSV, JSON Lines or Parquet, and the arguments that are made of each.

Rule 1: a table is read as a stream, so that memory does not grow with its rows. It is read once before anything
is sent: for its hash, the number of rows, its columns, and keys that occur twice.
Rule 2: ``"$column"`` as a whole text stands for the value of a column, at any depth; ``"$$text"`` is ``$text``.
Rule 3: a fault of a row has its number and its line, both counted from 1. All faults are reported at once.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import IO, Any

from dynclient._escaping import one_line
from dynclient._identifiers import near
from dynclient._records import Record
from dynclient.bulk.journal import BulkError
from dynclient.exceptions import ArgumentError

_SHOWN = 20
_KEPT = 1000
_BUCKETS = 256
_FULL = 4096
_MANY_COLUMNS = 10_000
_CHUNK = 1000


class RowFault(Record):
    """What is wrong with a row: its number and its line, from 1 (0 for the table as a whole), its key, and why."""

    row: int
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        where = f"row {self.row}" + f", line {self.line}" * bool(self.line) + f", key {self.key!r}" * bool(self.key)
        return f"{where}: {self.message}" if self.row else self.message


class InvalidRows(BulkError):
    """Rows of the table can't be sent. ``faults`` are the first 1,000 of them, ``count`` is how many there are."""

    def __init__(self, message: str = "", *, faults: Sequence[RowFault] = (), count: int = 0, **data: Any) -> None:
        super().__init__(message, **data)
        self.faults = tuple(faults[:_KEPT])
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
    """A table that was read once. ``columns`` are those of all rows."""

    path: str
    sha256: str
    rows: int
    columns: tuple[str, ...]


def _csv_rows(path: str, delimiter: str) -> Iterator[TableRow]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        try:
            columns = next(reader, None) or []
            if not columns or "" in columns or len(set(columns)) < len(columns):
                raise _unreadable(path, 1, "the first line must name each column once")
            number = 0
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
        except (csv.Error, UnicodeDecodeError) as error:
            raise _unreadable(path, reader.line_num + 1, f"not CSV in UTF-8: {error}") from error


def _jsonl_rows(path: str) -> Iterator[TableRow]:
    number = 0
    with open(path, "rb") as file:
        for line, text in enumerate(file, start=1):
            if not text.strip():
                continue
            try:
                values = json.loads(text)
            except ValueError as error:
                raise _unreadable(path, line, f"not JSON: {error}") from None
            if not isinstance(values, dict):
                raise _unreadable(path, line, f"a row must be an object, not {type(values).__name__}")
            yield TableRow(number, line, values)
            number += 1


def _parquet_rows(path: str) -> Iterator[TableRow]:
    with duckdb() as connection:
        try:
            found = connection.execute("SELECT * FROM read_parquet(?)", [path])
            columns = [each[0] for each in found.description]
            number = 0
            while chunk := found.fetchmany(_CHUNK):
                for cells in chunk:
                    yield TableRow(number, 0, dict(zip(columns, cells, strict=True)))
                    number += 1
        except connection_errors() as error:
            raise BulkError(f"{path} is not Parquet: {error}") from error


@contextmanager
def duckdb() -> Iterator[Any]:
    """A connection to a database in memory.

    Raises:
        BulkError: duckdb is not installed.
    """
    try:
        import duckdb as library
    except ImportError as error:
        raise BulkError("Parquet needs duckdb", hint="pip install 'dynclient[tables]'") from error
    with library.connect(config={"autoinstall_known_extensions": False}) as connection:
        yield connection


def connection_errors() -> type[Exception]:
    """The class of duckdb's errors."""
    import duckdb as library

    error: type[Exception] = library.Error
    return error


def _unreadable(path: str, line: int, text: str) -> InvalidRows:
    return InvalidRows(f"{path} can't be read", faults=[RowFault(0, line, "", f"line {line}: {text}")])


FORMATS: dict[str, Callable[[str], Iterator[TableRow]]] = {
    ".csv": lambda path: _csv_rows(path, ","),
    ".tsv": lambda path: _csv_rows(path, "\t"),
    ".jsonl": _jsonl_rows,
    ".ndjson": _jsonl_rows,
    ".parquet": _parquet_rows,
}
"""What reads a table, by the end of its file's name."""


def read_rows(path: str) -> Iterator[TableRow]:
    """Read the rows of a table, one after the other.

    Raises:
        InvalidRows: a row can't be read.
        BulkError: the file can't be read, or its name has an unknown end.
    """
    ending = os.path.splitext(path)[1].lower()
    if ending not in FORMATS:
        raise BulkError(f"{path} is not a table: its name must end with one of {', '.join(FORMATS)}")
    try:
        yield from FORMATS[ending](path)
    except OSError as error:
        raise BulkError(f"{path} can't be read: {error.strerror or error}") from error


def write_rows(rows: Iterable[Mapping[str, Any]], path: str) -> None:
    """Write rows as JSON Lines, so that a later process can read them again.

    Raises:
        ArgumentError: a row is not a mapping.
    """
    with open(path, "x", encoding="utf-8") as file:
        for number, row in enumerate(rows, start=1):
            if not isinstance(row, Mapping):
                text = f"row {number} must be a mapping of columns to values, not {type(row).__name__}"
                raise ArgumentError(text, argument="table", hint="of a DataFrame, pass df.to_dict('records')")
            file.write(json.dumps(dict(row), ensure_ascii=False, default=str) + "\n")


def scan(path: str, key: str | None) -> Table:
    """Read a table once, as rule 1 says.

    Raises:
        InvalidRows: a row can't be read, lacks the key, or has the key of another one.
        ArgumentError: there is no such column.
    """
    columns: dict[str, None] = {}
    faults: list[RowFault] = []
    missing = count = 0
    with tempfile.TemporaryDirectory(prefix="dynclient-") as folder:
        keys = _Keys(folder)
        for row in read_rows(path):
            count += 1
            if len(columns) < _MANY_COLUMNS:
                columns.update(dict.fromkeys(row.values))
            if key is not None:
                text = key_text(row, key)
                if text:
                    keys.add(text)
                else:
                    missing += 1
                    if missing <= _KEPT:
                        faults.append(RowFault(row.number + 1, row.line, "", f"the key column {key} is empty"))
        if key is not None and key not in columns and count:
            raise unknown_column(key, columns, "key")
        if repeated := keys.repeated():
            found = _repeated(path, key or "", repeated)
            faults += found
    if faults:
        raise InvalidRows(f"{path}: every row needs a key of its own", faults=faults, count=max(missing, len(faults)))
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Table(path, digest, count, tuple(columns))


def key_text(row: TableRow, key: str | None) -> str:
    """The key of a row as text; without a key column its number, from 1."""
    if key is None:
        return str(row.number + 1)
    value = row.values.get(key)
    return "" if value is None else str(value)


class _Keys:
    """Hashes of keys in files, by their first byte: only one file at a time is compared in memory."""

    def __init__(self, folder: str) -> None:
        self._paths = [os.path.join(folder, str(number)) for number in range(_BUCKETS)]
        self._buffers = [array("Q") for _ in range(_BUCKETS)]

    def add(self, key: str) -> None:
        digest = int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
        buffer = self._buffers[digest >> 56]
        buffer.append(digest)
        if len(buffer) >= _FULL:
            self._flush(digest >> 56)

    def _flush(self, bucket: int) -> None:
        with open(self._paths[bucket], "ab") as file:
            self._buffers[bucket].tofile(file)
        del self._buffers[bucket][:]

    def repeated(self) -> set[int]:
        """The hashes that occur twice."""
        found: set[int] = set()
        for bucket, buffer in enumerate(self._buffers):
            hashes = array("Q", buffer)
            if os.path.exists(self._paths[bucket]):
                with open(self._paths[bucket], "rb") as file:
                    hashes.frombytes(file.read())
            if len(set(hashes)) < len(hashes):
                seen: set[int] = set()
                found.update(each for each in hashes if each in seen or seen.add(each))  # type: ignore[func-returns-value]  # add() returns None
        return found


def _repeated(path: str, key: str, hashes: set[int]) -> list[RowFault]:
    """The rows whose key an earlier row has: those with a hash that occurs twice are compared."""
    first: dict[str, TableRow] = {}
    faults = []
    for row in read_rows(path):
        text = key_text(row, key)
        digest = int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
        if digest not in hashes:
            continue
        if text in first:
            before = first[text]
            where = f"row {before.number + 1}" + f", line {before.line}" * bool(before.line)
            faults.append(RowFault(row.number + 1, row.line, text, f"{where} has the same key"))
            if len(faults) >= _KEPT:
                break
        first.setdefault(text, TableRow(row.number, row.line, {}))
    return faults


def unknown_column(name: str, columns: Iterable[str], argument: str) -> ArgumentError:
    """The error of a column that the table has not."""
    columns = list(columns)
    matches = near(name, columns)
    meant = f"; did you mean {' or '.join(matches)}?" if matches else ""
    shown = ", ".join(columns[:_SHOWN]) or "none"
    return ArgumentError(
        f"{argument}: the table has no column {name}{meant}",
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

    It returns ``...`` for a column that the row has not; objects and arrays leave it out.
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


def partitions(path: str, size: int) -> Iterator[tuple[int, list[TableRow]]]:
    """The rows of a table in partitions, each with its number."""
    rows = read_rows(path)
    number = 0
    while chunk := list(islice(rows, size)):
        yield number, chunk
        number += 1


def to_parquet(lines: Iterable[Mapping[str, Any]], path: str) -> None:
    """Write results as a Parquet file.

    Raises:
        BulkError: duckdb is not installed, or the file can't be written.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as spool, duckdb() as connection:
        _spooled(lines, spool)
        kinds = "row: 'BIGINT', key: 'VARCHAR', outcome: 'VARCHAR', status: 'INTEGER', attempts: 'INTEGER', "
        kinds += "ms: 'DOUBLE', time: 'DOUBLE', data: 'JSON', problem: 'JSON'"
        query = f"COPY (SELECT * FROM read_json('{spool.name}', format='newline_delimited', columns={{{kinds}}})) "  # noqa: S608  # a fixed name
        try:
            connection.execute(query + "TO '" + path.replace("'", "''") + "' (FORMAT parquet)")
        except connection_errors() as error:
            raise BulkError(f"{path} can't be written: {error}") from error


def _spooled(lines: Iterable[Mapping[str, Any]], file: IO[str]) -> None:
    for line in lines:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")
    file.flush()
