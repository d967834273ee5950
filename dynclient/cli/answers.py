"""What a call prints: its data, in one of the formats, and status and headers where they are asked for.

Rule 1: what goes to a pipe is exact; what goes to a terminal can't harm it, and has colours unless NO_COLOR is set.
Rule 2: a format is a function in :data:`FORMATS`, from a value to text.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from dynclient._tables import is_coloured
from dynclient.exceptions import escaped
from dynclient.messages import Headers, HTTPResult

_COLOURED = 200_000  # A larger text takes too long to be coloured.


class Printer:
    """Prints results as one command line asks for it."""

    def __init__(self, *, output: str | None = None, expression: str | None = None, include: bool = False) -> None:
        """Take the format, a JMESPath expression over status, headers and body, and whether the head is wanted.

        Raises:
            UsageError: the expression is no JMESPath.
        """
        self._format = output
        self._include = include
        self._query = _compiled(expression) if expression is not None else None

    def show(self, result: HTTPResult, file: Path | None = None) -> None:
        """Print a result, or write it to a file."""
        data = self.text(result)
        if file is not None:
            file.write_bytes(data if isinstance(data, bytes) else f"{data}\n".encode())
            return
        if self._include:
            self.head(result.status, result.headers)
        if isinstance(data, bytes):
            _write_bytes(data, result.headers)
        elif data or isinstance(result.data, str):
            write(data, end="" if isinstance(result.data, str) and self._format in {None, "raw"} else "\n")

    def text(self, result: HTTPResult) -> str | bytes:
        """What a result is, printed; nothing where there is no data."""
        value = result.data
        if self._query is not None:
            headers = {name.lower(): text for name, text in result.headers.items()}
            value = self._query.search({"status": result.status, "headers": headers, "body": _plain(value)})
        elif value is None or (self._format in {None, "raw"} and isinstance(value, (str, bytes))):
            return "" if value is None else value
        if self._format == "raw" and isinstance(value, str):
            return value
        return FORMATS[self._format if self._format not in {None, "raw"} else "json"](_plain(value))

    def head(self, status: int, headers: Headers) -> None:
        """Print status and headers."""
        lines = [f"HTTP {status}", *(escaped(f"{name}: {value}") for name, value in headers.pairs())]
        sys.stdout.write("\n".join([*lines, "", ""]))


def write(text: str, *, end: str = "\n") -> None:
    """Write text to standard output: exactly, or to a terminal harmlessly and in colours."""
    stream = sys.stdout
    if not stream.isatty():
        stream.write(text + end)
        return
    shown = escaped(text)
    # A terminal's prompt comes on a line of its own.
    stream.write((_coloured(shown) if is_coloured(stream) and len(shown) <= _COLOURED else shown) + "\n")


def _coloured(text: str) -> str:
    if text[:1] not in {"{", "["}:
        return text
    try:
        from rich.console import Console
        from rich.highlighter import JSONHighlighter
        from rich.text import Text
    except ImportError:
        return text
    console = Console(file=sys.stdout, force_terminal=True)
    with console.capture() as captured:
        console.print(JSONHighlighter()(Text(text)), soft_wrap=True, end="")
    return captured.get()


def _write_bytes(data: bytes, headers: Headers) -> None:
    if sys.stdout.isatty():
        kind = escaped(headers.get("content-type", "no media type"))
        click.echo(f"{len(data)} bytes of {kind}: --output FILE saves them", err=True)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(data)


def _compiled(expression: str) -> Any:
    try:
        import jmespath
    except ImportError as error:
        raise click.ClickException("--filter needs jmespath: pip install 'dynclient[cli]'") from error
    try:
        return _Query(jmespath.compile(expression))
    except jmespath.exceptions.JMESPathError as error:
        raise click.UsageError(f"--filter: {escaped(str(error))}") from None


class _Query:
    """An expression, whose faults are the caller's."""

    def __init__(self, compiled: Any) -> None:
        self._compiled = compiled

    def search(self, document: Any) -> Any:
        import jmespath

        try:
            return self._compiled.search(document)
        except jmespath.exceptions.JMESPathError as error:
            raise click.ClickException(f"--filter: {escaped(str(error))}") from None


def _plain(value: Any) -> Any:
    """A value that JSON can hold: bytes are base64."""
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {key: _plain(member) for key, member in value.items()}
    return [_plain(member) for member in value] if isinstance(value, list) else value


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=_in_ascii())


def _yaml(value: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=not _in_ascii())
    return text.removesuffix("...\n").rstrip("\n")


def lines(value: Any) -> str:
    """One line of JSON for each item of a list; one for anything else."""
    items = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(item, ensure_ascii=_in_ascii()) for item in items)


def _in_ascii() -> bool:
    """Whether standard output may lack letters: what is data is written by escapes of its own format then."""
    return not (sys.stdout.encoding or "utf-8").lower().replace("-", "").startswith("utf")


def _table(value: Any) -> str:
    """Objects in columns, a line each; an object as its members; anything else an item a line."""
    if isinstance(value, Mapping):
        return _columns([[str(name), _cell(member)] for name, member in value.items()])
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, Mapping) for item in items):
        return "\n".join(_cell(item) for item in items)
    head = list(dict.fromkeys(str(name) for item in items for name in item))
    return _columns([head, *([_cell(item.get(name, "")) for name in head] for item in items)])


def _columns(cells: list[list[str]]) -> str:
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))] if cells else []
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return escaped(" ".join(text.split()))


FORMATS: Mapping[str, Callable[[Any], str]] = {"json": _json, "yaml": _yaml, "table": _table, "ndjson": lines}
NAMES: Iterable[str] = ("json", "yaml", "raw", "table", "ndjson")
