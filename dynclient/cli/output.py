"""The output of a call: its data in one of the formats, status and headers, errors, and progress bars.

Rule 1: output to a pipe is exact. Output to a terminal is escaped, tables fit its width, and long output goes through a
pager. A request is shown as a transport gets it, with each secret masked.
Rule 2: a format is a function in :data:`FORMATS`, from a value to text.
Rule 3: data that has arrived is never lost: a response that violates the document is printed first, then the error is
reported.
Rule 4: the server names a file only if the caller did not, and such a file never replaces another one.
Rule 5: the exit status of a redirect that is not followed is 3, and it leaves no file.
"""

from __future__ import annotations

import base64
import io
import json
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import click

from dynclient._records import Record
from dynclient._secrets import MASK, SECRET_BODY, names_credential
from dynclient.cli.commands import inform, needing, page, save, writing
from dynclient.exceptions import (
    ApiError,
    DecodeError,
    ResponseError,
    ResponseValidationError,
    UndocumentedStatus,
    UnexpectedMediaType,
    escaped,
)
from dynclient.http_grammar import REDIRECTS, status_text
from dynclient.inspection.tables import GAP, aligned, columns, cut, is_coloured, text_width
from dynclient.media_types import essence
from dynclient.messages import Headers, HTTPResult, Request, Response, Send

# Longer text is not coloured, which would take too long; a progress bar appears after this many bytes.
_LONGEST_COLOURED = 200_000
# The least width of columns that are cut, and of texts that are wrapped.
_NARROW = 10
_NARROWEST = 40
_LARGE_BODY = 1024 * 1024
BODIES = 2
_LONGEST_BODY = 10_000
_REDIRECTION = 3
_LONGEST_NAME, _LONGEST_SUFFIX = 150, 20
# Reserved on Windows, with any suffix.
_DEVICES = frozenset({"aux", "con", "conin$", "conout$", "nul", "prn"}) | {
    f"{name}{number}" for name in ("com", "lpt") for number in "123456789¹²³"
}


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
            save(file, data if isinstance(data, bytes) else f"{data}\n".encode())
            return
        if self.include:
            self.head(result.status, result.headers)
        if isinstance(data, bytes) and sys.stdout.isatty():
            content_type = escaped(result.headers.get("content-type", "no media type"))
            inform(f"{len(data)} bytes of {content_type}: --output FILE saves them")
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
    with needing("--filter", "cli"):
        import jmespath
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
        return aligned(narrowed([[str(name), _cell(member)] for name, member in value.items()], width))
    items = value if isinstance(value, list) else [value]
    if not items or not all(isinstance(item, Mapping) for item in items):
        return "\n".join(_cell(item) if width is None else cut(_cell(item), width) for item in items)
    names = list(dict.fromkeys(str(name) for item in items for name in item))
    return aligned(narrowed([names, *([_cell(item.get(name, "")) for name in names] for item in items)], width))


def narrowed(lines: list[list[str]], width: int | None) -> list[list[str]]:
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
        inform(cut(escaped(f"not shown: {left_out}"), width))
    return [[cut(cell, limit) for cell in line[:shown]] for line in lines]


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return escaped(" ".join(text.split()))


FORMATS: Mapping[str, Callable[[Any], str]] = {"json": _json, "yaml": _yaml, "table": _table, "ndjson": _ndjson}
FORMAT_NAMES = ("json", "yaml", "raw", "table", "ndjson")


def tree_text(tree: Any, name: str, form: str | None = None) -> str:
    """A document as JSON or YAML: by ``form`` or the file's suffix."""
    return FORMATS[form or ("json" if name.lower().endswith(".json") else "yaml")](tree)


def save_tree(tree: Any, file: Path, form: str | None = None) -> None:
    """Write a document to a file."""
    save(file, tree_text(tree, file.name, form).rstrip("\n").encode() + b"\n")


class ProgressBar:
    """A progress bar on standard error for a large body, if that is a terminal.

    It is rich's, since click's bar shows no sizes or speeds, and needs a length, which a chunked body lacks.
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


def status_line(status: int) -> str:
    """The first line of a response: ``HTTP/1.1 200 OK``."""
    return f"HTTP/1.1 {status_text(status)}"


def head(first: str, headers: Headers) -> list[str]:
    """The lines of a message's head."""
    return [escaped(line) for line in (first, *(f"{name}: {value}" for name, value in headers.pairs()))]


def request_text(request: Request) -> str:
    """A request as text, its secrets masked."""
    shown = request.with_no_secrets()
    lines = head(f"{shown.method} {shown.url}", shown.headers)
    return "\n".join([*lines, "", _body(shown.body)] if shown.body else lines)


def with_secret_headers(request: Request, names: Iterable[str]) -> Request:
    """The request, with further headers (lower-case names) marked as secret."""
    return replace(request, secrets=request.secrets | {("header", name) for name in names})


def _body(body: Any) -> str:
    if not isinstance(body, bytes):
        return "<a stream>" if body else ""
    with suppress(UnicodeDecodeError):
        return body.decode("utf-8")
    return f"<{len(body)} bytes>"


class VerboseTransport:
    """Sends requests with the default transport, and shows them and their responses on standard error.

    ``verbosity`` is 0 for nothing, 1 for heads, 2 for bodies too. It is set after the client was made, when the command
    line has been read.
    """

    verbosity = 0
    secret_headers: frozenset[str] = frozenset()
    proxy: str | None = None

    @cached_property
    def _transport(self) -> Any:
        from dynclient.transports import HTTPTransport

        return HTTPTransport(proxy=self.proxy)

    def send(self, send: Send) -> Response:
        """Send the request once."""
        transport = self._transport
        if not self.verbosity:
            return transport.send(send)  # type: ignore[no-any-return]  # it is imported late
        request = with_secret_headers(send.request, self.secret_headers)
        shown = request.with_no_secrets()
        self._show(">", f"{shown.method} {shown.url} HTTP/1.1", shown)
        response: Response = transport.send(send)
        seen = replace(response, request=request).with_no_secrets()
        # The response to a request for a token has the token.
        self._show("<", status_line(seen.status), seen, hides_body=SECRET_BODY in request.secrets)
        return response

    def close(self) -> None:
        """Close the connections."""
        if "_transport" in vars(self):
            self._transport.close()

    def _show(self, mark: str, first: str, message: Request | Response, *, hides_body: bool = False) -> None:
        shown = ((name, MASK if names_credential(name) else value) for name, value in message.headers.pairs())
        for line in head(first, Headers(shown)):
            inform(f"{mark} {line}")
        inform(mark)
        if self.verbosity >= BODIES and message.body:
            inform(MASK if hides_body else escaped(_body(message.body))[:_LONGEST_BODY])


class FileToSave(Record):
    """The file of ``--output``: its path, or None if the server names it; ``name`` is used if it does not.

    ``resume`` continues an interrupted download.
    """

    path: Path | None
    name: str
    resume: bool = False

    @classmethod
    def of(cls, given: str | None, name: str, *, resume: bool = False) -> FileToSave | None:
        """The file that the option names; None without the option.

        Raises:
            UsageError: the path is a folder, or there is nothing to resume.
        """
        if resume and (not given or given == "-"):
            raise click.UsageError("--resume needs --output FILE")
        if given is None or given == "-":
            return None
        if given and Path(given).is_dir():
            raise click.UsageError(f"--output: {given} is a folder; without a FILE the server names one")
        return cls(Path(given) if given else None, name, resume)

    def for_response(self, headers: Headers) -> Path:
        """The path of the file for a response."""
        return self.path if self.path is not None else _unused(Path(_named(headers) or self._default(headers)))

    def _default(self, headers: Headers) -> str:
        import mimetypes  # most commands save no file

        return self.name + (mimetypes.guess_extension(essence(headers.get("content-type", ""))) or "")


def _named(headers: Headers) -> str:
    """The file name of Content-Disposition, if it is safe in the current folder; else empty."""
    # RFC 6266, 4.3: recipients MUST NOT write anywhere but where the user expects, so only the last part is used.
    from email.message import Message  # few calls need it

    message = Message()
    message["Content-Disposition"] = headers.get("content-disposition", "")
    found = ""
    with suppress(ValueError, LookupError):
        found = message.get_filename("") or ""
        # Non-ASCII names are also sent as raw UTF-8, one character for each byte.
        found = found.encode("latin-1").decode("utf-8")
    last = found.replace("\\", "/").rsplit("/", 1)[-1]
    # A name that begins with a hyphen would be an option of other programs, in `rm *`.
    name = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*').strip(" .").lstrip("-")
    if name.partition(".")[0].rstrip().lower() in _DEVICES:
        return ""
    # File systems limit the bytes of a name.
    return Path(name).stem.encode()[:_LONGEST_NAME].decode(errors="ignore") + Path(name).suffix[:_LONGEST_SUFFIX]


def _unused(path: Path) -> Path:
    """The path, with a number added if the file already exists."""
    number, found = 1, path
    while found.exists() or found.is_symlink():
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return found


def show_result(result: HTTPResult, printer: Printer, file: FileToSave | None) -> int:
    """Print a result, or save it; returns the exit status."""
    if not _is_redirect(result.status, result.headers, printer):
        path = file.for_response(result.headers) if file is not None else None
        printer.show(result, path)
        _announce(file, path)
    return _REDIRECTION if result.status // 100 == _REDIRECTION else 0


def show_stream(answer: Any, printer: Printer, file: FileToSave | None, *, by_items: bool) -> int:
    """Show the items of a sequence as they arrive; show or save any other body, without decoding or validation."""
    if _is_redirect(answer.status, answer.headers, printer):
        return _REDIRECTION
    if by_items:
        for item in answer.iter_items():
            printer.show(HTTPResult([item], answer.status, answer.headers))
    elif file is None:
        printer.show(HTTPResult(answer.read(), answer.status, answer.headers))
    else:
        if printer.include:
            printer.head(answer.status, answer.headers)
        path = file.for_response(answer.headers)
        with writing(path), ProgressBar("received") as bar:
            answer.save(path, progress=bar, resume=file.resume)
        _announce(file, path)
    return _REDIRECTION if answer.status // 100 == _REDIRECTION else 0


def _announce(file: FileToSave | None, path: Path | None) -> None:
    """Print the name of the file if the server chose it."""
    if file is not None and file.path is None:
        inform(f"saved as {path}")


def _is_redirect(status: int, headers: Headers, printer: Printer) -> bool:
    """Whether a response is a redirect; if so, print its target."""
    if status not in REDIRECTS or "location" not in headers:
        return False
    if printer.include:
        printer.head(status, headers)
    inform(f"{status} leads to {headers['location']}\nHint: add --follow to follow it")
    return True


def show_error(error: ResponseError, printer: Printer) -> None:
    """Print the body of an error, or of a response that violates the document, and name the option that accepts it."""
    response = error.response
    if response is None:
        return
    if isinstance(error, (ApiError, UndocumentedStatus)) or error.data is not None or response.body:
        data = error.data if error.data is not None else response.body
        printer.show(HTTPResult(data or None, response.status, response.headers))
        error.response = replace(response, body=b"")  # the message does not repeat it
    wrong = (DecodeError, ResponseValidationError, UndocumentedStatus, UnexpectedMediaType)
    if isinstance(error, wrong) and not isinstance(error, ApiError) and response.status // 100 == 2:  # noqa: PLR2004  # RFC 9110, 15.3
        error.hint = "the call was made, and this is its response; --validate warn (or off) accepts such responses"
