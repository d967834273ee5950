"""The output of a call: its data in one of the formats, status and headers on request, and progress bars.

Rule 1: output to a pipe is exact. Output to a terminal is escaped, tables fit its width, and long output goes through a
pager.
Rule 2: a format is a function in :data:`FORMATS`, from a value to text.
"""

from __future__ import annotations

import base64
import io
import json
import os
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import click

from dynclient._tables import GAP, aligned, columns, cut, is_coloured, text_width
from dynclient.cli.http_text import head, status_line
from dynclient.cli.process import writing
from dynclient.exceptions import escaped
from dynclient.messages import Headers, HTTPResult

# Colouring a longer text takes too long, and this many bytes pass before a bar is shown.
_LONGEST_COLOURED = 200_000
# The least width of columns that are cut, and of texts that are wrapped.
_NARROW = 10
_NARROWEST = 40
_LARGE_BODY = 1024 * 1024


class Printer:
    """Prints results by the options of one command line."""

    def __init__(self, *, output: str | None = None, expression: str | None = None, include: bool = False) -> None:
        """Take a format, a JMESPath expression over status, headers and body, and whether to show the head.

        Raises:
            UsageError: the expression is not valid JMESPath.
        """
        self.include = include
        self._format = output
        self._query = _compile(expression) if expression is not None else None

    def show(self, result: HTTPResult, file: Path | None = None) -> None:
        """Print a result, or write it to a file.

        Raises:
            ClickException: the file can't be written.
        """
        data = self._formatted(result)
        if file is not None:
            from dynclient._client.downloads import AtomicFile

            with writing(file), AtomicFile(file) as opened:
                opened.write(data if isinstance(data, bytes) else f"{data}\n".encode())
            return
        if self.include:
            self.head(result.status, result.headers)
        if isinstance(data, bytes) and sys.stdout.isatty():
            content_type = escaped(result.headers.get("content-type", "no media type"))
            click.echo(f"{len(data)} bytes of {content_type}: --output FILE saves them", err=True)
        elif isinstance(data, bytes):
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
        elif data or isinstance(result.data, str):
            write(data, end="" if isinstance(result.data, str) and self._format in {None, "raw"} else "\n")

    def head(self, status: int, headers: Headers) -> None:
        """Print status and headers."""
        sys.stdout.write("\n".join([*head(status_line(status), headers), "", ""]))

    def _formatted(self, result: HTTPResult) -> str | bytes:
        """The data of a result in its output format; empty without data."""
        value = result.data
        as_it_is = self._format in {None, "raw"}
        if self._query is not None:
            headers = _AnyCase({name.lower(): text for name, text in result.headers.items()})
            value = self._query({"status": result.status, "headers": headers, "body": _json_value(value)})
            as_it_is = self._format == "raw"
        elif value is None:
            return ""
        if as_it_is and isinstance(value, (str, bytes)):
            return value
        return FORMATS.get(self._format or "json", _json)(_json_value(value))


class _AnyCase(dict[str, str]):
    """Headers with case-insensitive names, for JMESPath."""

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


def write(text: str, *, end: str = "\n") -> None:
    """Write text to standard output: exactly to a pipe.

    To a terminal escaped, with a final line break, through a pager.
    """
    stream = sys.stdout
    shown = escaped(text) if stream.isatty() else text
    if shown[:1] in {"{", "["} and len(shown) <= _LONGEST_COLOURED and is_coloured(stream):
        shown = _coloured(shown)
    if stream.isatty():
        page(shown + "\n")
    else:
        stream.write(shown + end)


def page(text: str) -> None:
    """Write text to standard output, through a pager if that is a terminal with fewer lines.

    The pager is that of the variable PAGER, or less; an empty one disables it.
    """
    height = _height()
    if not height or text.count("\n") < height or os.environ.get("PAGER") == "" or os.environ.get("TERM") == "dumb":
        sys.stdout.write(text)
        return
    # less ends by itself below one screen, shows colours, and leaves the text on the screen.
    os.environ.setdefault("LESS", "FRX")
    sys.stdout.flush()
    click.echo_via_pager(text, color=True)


def _height() -> int:
    """The lines of the terminal at standard output; 0 if there is no terminal, or it has no size."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).lines if sys.stdout.isatty() else 0
    except (OSError, ValueError):
        return 0


def fitted(text: str, width: int | None) -> str:
    """Text whose lines are wrapped to the width of a terminal; unchanged without one."""
    lines = []
    for line in text.splitlines() if width is not None else ():
        indent = " " * (len(line) - len(line.lstrip()) + 4)
        lines += textwrap.wrap(
            line, max(width or 0, _NARROWEST), subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        ) or [""]
    return text if width is None else "\n".join(lines)


def _coloured(text: str) -> str:
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


def _compile(expression: str) -> Callable[[Any], Any]:
    """A function that searches a value by a JMESPath expression."""
    try:
        import jmespath
    except ImportError as error:
        raise click.ClickException("--filter needs jmespath: pip install 'dynclient[cli]'") from error
    try:
        compiled = jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        raise click.UsageError(f"--filter: {escaped(str(error))}") from None

    def search(value: Any) -> Any:
        try:
            return compiled.search(value)
        except jmespath.exceptions.JMESPathError as error:
            raise click.ClickException(f"--filter: {escaped(str(error))}") from None

    return search


def _json_value(value: Any) -> Any:
    """A value for JSON: bytes become base64."""
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Mapping):
        return {key: _json_value(member) for key, member in value.items()}
    return [_json_value(member) for member in value] if isinstance(value, list) else value


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=_needs_ascii())


def _yaml(value: Any) -> str:
    import yaml

    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=not _needs_ascii())
    return text.removesuffix("...\n").rstrip("\n")


def _ndjson(value: Any) -> str:
    items = value if isinstance(value, list) else [value]
    return "\n".join(json.dumps(item, ensure_ascii=_needs_ascii()) for item in items)


def _needs_ascii() -> bool:
    """Whether standard output's encoding may lack characters; the format's own escapes are used then."""
    return not (sys.stdout.encoding or "utf-8").lower().replace("-", "").startswith("utf")


def _table(value: Any) -> str:
    """Objects in columns, one per line; a single object as its members; anything else one item per line."""
    width = columns(sys.stdout)
    if isinstance(value, Mapping):
        return aligned(_narrowed([[str(name), _cell(member)] for name, member in value.items()], width))
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, Mapping) for item in items):
        return "\n".join(_cell(item) if width is None else cut(_cell(item), width) for item in items)
    names = list(dict.fromkeys(str(name) for item in items for name in item))
    return aligned(_narrowed([names, *([_cell(item.get(name, "")) for name in names] for item in items)], width))


def _narrowed(lines: list[list[str]], width: int | None) -> list[list[str]]:
    """Cells that fit the width of a terminal: the widest columns are cut, and the last ones left out if necessary."""
    if width is None or not lines:
        return lines
    widths = [max(map(text_width, column)) for column in zip(*lines, strict=True)]
    shown = len(widths)
    while shown > 1 and sum(min(one, _NARROW) + GAP for one in widths[:shown]) - GAP > width:
        shown -= 1
    widths = widths[:shown]
    space = width - GAP * (shown - 1)
    limit = min(max(widths, default=0), width)
    while limit > _NARROW and sum(min(one, limit) for one in widths) > space:
        limit -= 1
    if shown < len(lines[0]):
        left_out = ", ".join(lines[0][shown:])
        click.echo(cut(escaped(f"not shown: {left_out}"), width), err=True)
    return [[cut(cell, limit) for cell in line[:shown]] for line in lines]


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return escaped(" ".join(text.split()))


FORMATS: Mapping[str, Callable[[Any], str]] = {"json": _json, "yaml": _yaml, "table": _table, "ndjson": _ndjson}
FORMAT_NAMES = ("json", "yaml", "raw", "table", "ndjson")


class ProgressBar:
    """A progress bar on standard error for a large body, if that is a terminal.

    It is rich's: click's bar has no sizes and speeds, and needs a length, which a chunked body lacks.
    """

    def __init__(self, text: str) -> None:
        """Take the text next to the bar."""
        self._text = text
        self._progress: Any = None
        self._task: Any = None

    def __call__(self, done: int, total: int | None) -> None:
        """Show the number of bytes so far, and the total; None if that is unknown."""
        if self._progress is None and sys.stderr.isatty() and max(done, total or 0) >= _LARGE_BODY:
            self._start(total)
        if self._progress is not None:
            self._progress.update(self._task, completed=done)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        if self._progress is not None:
            self._progress.stop()

    def _start(self, total: int | None) -> None:
        try:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
        except ImportError:
            return
        console = Console(file=sys.stderr, no_color=not is_coloured(sys.stderr))
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        self._progress = Progress(*columns, console=console)
        self._task = self._progress.add_task(self._text, total=total)
        self._progress.start()


class FileWithProgress(io.BufferedReader):
    """A file with a progress bar for reading it."""

    def __init__(self, path: Path) -> None:
        """Open the file."""
        super().__init__(io.FileIO(path))
        self._bar = ProgressBar("sent")
        self._size = path.stat().st_size

    def read(self, size: int | None = -1) -> bytes:
        """Read, and update the bar."""
        data = super().read(size)
        self._bar(self.tell(), self._size)
        return data

    def close(self) -> None:
        """Close the file, and remove the bar."""
        self._bar.__exit__()
        super().close()
