"""The results of calls: printed, saved to a file, or for failed calls, shown with a hint.

Rule 1: data that has arrived is never lost: a response that violates the document is printed, and then reported.
Rule 2: a file gets its name from the server only if the caller gave none, and then replaces no other file.
Rule 3: the exit status of a redirect that is not followed is 3, and it leaves no file.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from contextlib import suppress
from email.message import Message
from pathlib import Path
from typing import Any

import click

from dynclient._records import Record
from dynclient.cli.output import Printer, ProgressBar
from dynclient.cli.process import writing
from dynclient.exceptions import (
    ApiError,
    DecodeError,
    ResponseError,
    ResponseValidationError,
    UndocumentedStatus,
    UnexpectedMediaType,
    escaped,
)
from dynclient.http_grammar import REDIRECTS
from dynclient.media_types import essence
from dynclient.messages import Headers, HTTPResult

_REDIRECTION = 3
_LONGEST_NAME = 150
# Reserved on Windows, with any suffix.
_DEVICES = frozenset({"aux", "con", "nul", "prn", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))})


class FileToSave(Record):
    """The file of ``--output``: its path, or None if the server names it; ``name`` is used if it does not.

    ``resume`` continues an interrupted download.
    """

    path: Path | None
    name: str
    resume: bool = False

    @classmethod
    def of(cls, given: str | None, name: str, *, resume: bool = False) -> FileToSave | None:
        """The file that the option means; None without the option.

        Raises:
            UsageError: the path is a folder, or there is nothing to resume.
        """
        if resume and (not given or given == "-"):
            raise click.UsageError("--resume needs --output FILE")
        if given is None or given == "-":
            return None
        if given and Path(given).is_dir():
            raise click.UsageError(escaped(f"--output: {given} is a folder; without a FILE the server names one"))
        return cls(Path(given) if given else None, name, resume)

    def for_response(self, headers: Headers) -> Path:
        """The path of the file for a response."""
        return self.path if self.path is not None else _unused(Path(_named(headers) or self._default(headers)))

    def _default(self, headers: Headers) -> str:
        return self.name + (mimetypes.guess_extension(essence(headers.get("content-type", ""))) or "")


def _named(headers: Headers) -> str:
    """The file name of Content-Disposition, if it is safe in the current folder; else empty."""
    # RFC 6266, 4.3: recipients MUST NOT write anywhere but where the user expects, so only the last part is used.
    message = Message()
    message["Content-Disposition"] = headers.get("content-disposition", "")
    found = ""
    with suppress(ValueError, LookupError):
        found = message.get_filename("") or ""
        # Non-ASCII names are also sent as raw UTF-8, one character for each byte.
        found = found.encode("latin-1").decode("utf-8")
    last = found.replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*').strip(" .")[:_LONGEST_NAME]
    return "" if name.partition(".")[0].lower() in _DEVICES else name


def _unused(path: Path) -> Path:
    """The path, with a number if there is such a file."""
    number, found = 1, path
    while found.exists() or found.is_symlink():
        found = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return found


def show_result(result: HTTPResult, printer: Printer, file: FileToSave | None) -> int:
    """Print a result, or save it; returns the exit status."""
    if _is_redirect(result.status, result.headers):
        return _show_redirect(result.status, result.headers, printer)
    path = file.for_response(result.headers) if file is not None else None
    printer.show(result, path)
    _announce(file, path)
    return _REDIRECTION if result.status // 100 == _REDIRECTION else 0


def show_stream(answer: Any, printer: Printer, file: FileToSave | None, *, by_items: bool) -> int:
    """Show the items of a sequence as they arrive; show or save any other body, without decoding or validation."""
    if _is_redirect(answer.status, answer.headers):
        return _show_redirect(answer.status, answer.headers, printer)
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
    """Print the name of a file that the caller has not named."""
    if file is not None and file.path is None:
        click.echo(escaped(f"saved as {path}"), err=True)


def _is_redirect(status: int, headers: Mapping[str, str]) -> bool:
    return status in REDIRECTS and "location" in headers


def _show_redirect(status: int, headers: Headers, printer: Printer) -> int:
    if printer.include:
        printer.head(status, headers)
    text = f"{status} leads to {headers['location']}\nHint: add --follow to follow it"
    click.echo(escaped(text), err=True)
    return _REDIRECTION


def show_error(error: ResponseError, printer: Printer) -> None:
    """Print the body of an error, or of a response that violates the document, and name the option that accepts it."""
    response = error.response
    if response is None:
        return
    if isinstance(error, (ApiError, UndocumentedStatus)) or error.data is not None or response.body:
        data = error.data if error.data is not None else response.body
        printer.show(HTTPResult(data or None, response.status, response.headers))
    wrong = (DecodeError, ResponseValidationError, UndocumentedStatus, UnexpectedMediaType)
    if isinstance(error, wrong) and not isinstance(error, ApiError) and response.status // 100 == 2:  # noqa: PLR2004  # RFC 9110, 15.3
        error.hint = "the call was made, and this is its response; --validate warn (or off) accepts such responses"
