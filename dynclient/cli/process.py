"""The process of a command line: its signals and standard streams, which may be closed, full or unread."""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import IO, TYPE_CHECKING

import click

from dynclient._escaping import escaped

if TYPE_CHECKING:  # most command lines write no file
    from pathlib import Path


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP asked the process to end; commands clean up as they do at Ctrl-C."""


@contextmanager
def terminable() -> Iterator[None]:
    """Raise :class:`Terminated` at SIGTERM and SIGHUP, so that nothing is left half-written."""

    def end(*_: object) -> None:
        raise Terminated

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {}
    if threading.current_thread() is threading.main_thread():
        # An ignored signal, as under nohup, stays ignored.
        before = {number: signal.getsignal(number) for number in numbers}
        before = {number: handler for number, handler in before.items() if handler == signal.SIG_DFL}
        for number in before:
            signal.signal(number, end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def prepare_streams() -> None:
    """Make standard streams that are closed usable, and write characters that the encoding lacks as escapes.

    A file that is opened later must not get the number of a closed stream. Writing to a closed standard output fails as
    in other programs; a closed standard error accepts everything.
    """
    for number, (name, flags) in enumerate((("stdin", os.O_RDONLY), ("stdout", os.O_RDONLY), ("stderr", os.O_WRONLY))):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, flags)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115  # it stays open
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def discard(stream: IO[str]) -> None:
    """Discard the buffer of a standard stream, so that the interpreter does not try to write it at its end."""
    with suppress(OSError, ValueError):  # a test's standard output has no number
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_of_standard_output(error: OSError) -> bool:
    """Whether an error comes from writing standard output; errors of files and connections are mapped elsewhere."""
    return error.filename is None and error.errno in {errno.EPIPE, errno.ENOSPC, errno.EBADF, errno.EIO}


def inform(text: str) -> None:
    """Write a line for a person to standard error; what would harm a terminal is escaped."""
    click.echo(escaped(text), err=True)


@contextmanager
def writing(path: object) -> Iterator[None]:
    """Name the file in errors of the operating system.

    Raises:
        ClickException: in place of each OSError.
    """
    try:
        yield
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror or error}") from error


def save(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all.

    Raises:
        ClickException: it can't be written.
    """
    from dynclient._client.downloads import AtomicFile

    with writing(path), AtomicFile(path) as file:
        file.write(data)


@contextmanager
def needing(what: str, extra: str) -> Iterator[None]:
    """Say how to install what is missing; ``extra`` is dynclient's that brings it.

    Raises:
        ClickException: in place of an ImportError.
    """
    try:
        yield
    except ImportError as error:
        raise click.ClickException(
            f"{what} needs {(error.name or '').partition('.')[0]}: pip install 'dynclient[{extra}]'"
        ) from error


@cache
def show_warnings() -> None:
    """Show warnings that the packages log on standard error; a program's own handlers receive them too."""
    import logging  # not needed by command lines that load no document

    class Warnings(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            with suppress(OSError):
                inform(f"dynclient: warning: {record.getMessage()}")

    logging.getLogger("dynclient").addHandler(Warnings(logging.WARNING))


def ask(text: str, *, hidden: bool = False, optional: bool = False) -> str:
    """Prompt for a line at the terminal; without a terminal, take the next line of standard input.

    Raises:
        UsageError: standard input has ended.
    """
    if _has_terminal():
        default = "" if optional else None
        return str(click.prompt(escaped(text), hide_input=hidden, err=True, default=default, show_default=False))
    # getpass would warn that it can't hide the input, although nobody types here.
    inform(f"{text}: read from standard input")
    line = sys.stdin.readline().rstrip("\r\n")
    if not line and not optional:
        raise click.UsageError(f"standard input has no line for: {text}")
    return line


def _has_terminal() -> bool:
    """Whether a person can be prompted: at standard input, or at the controlling terminal."""
    if sys.stdin.isatty():
        return True
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True
