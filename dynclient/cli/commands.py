"""The class of dynclient's commands, and help texts in plain text, made from the Markdown of documents.

Rule 1: an option that takes one value is given once: a second value would silently replace the first.
Rule 2: a help text has no markup, and its URLs and lists are kept whole.
"""

from __future__ import annotations

import errno
import io
import os
import re
import signal
import sys
import textwrap
import threading
from _thread import interrupt_main
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from dynclient._escaping import escaped

if TYPE_CHECKING:
    from pathlib import Path


Decorated = TypeVar("Decorated", bound=Callable[..., Any])

COLOURS = ("auto", "always", "never")


def _set_colour(ctx: click.Context, param: click.Parameter, value: str | None) -> None:
    del ctx, param
    if value in {"always", "never"}:
        os.environ.pop("NO_COLOR", None)
        os.environ.pop("FORCE_COLOR", None)
        os.environ["FORCE_COLOR" if value == "always" else "NO_COLOR"] = "1"


def colour_option() -> click.Option:
    """The option ``--color``, which overrides the environment's NO_COLOR and FORCE_COLOR."""
    return click.Option(
        ["--color"], type=click.Choice(COLOURS), callback=_set_colour, expose_value=False, help="Colours.  [auto]"
    )


def with_options(*options: click.Option) -> Callable[[Decorated], Decorated]:
    """Add options that several commands share, as ``click.option`` adds one."""

    def decorated(command: Decorated) -> Decorated:
        known: list[click.Parameter] = getattr(command, "__click_params__", [])
        command.__click_params__ = [*known, *reversed(options)]  # type: ignore[attr-defined]  # click's own, too
        return command

    return decorated


class PlainHelp(click.Command):
    """A command whose help is plain text."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the help text line by line, as it was wrapped."""
        del ctx
        text = plain_text(self.help or "", formatter.width - 2)
        formatter.write("\n" + textwrap.indent(text, "  ") + "\n" if text else "")


class Command(PlainHelp):
    """A command that refuses an option's second value."""

    def __init__(self, *args: Any, **given: Any) -> None:
        """Take the arguments of ``click.Command``."""
        super().__init__(*args, **given)
        if not any("--color" in param.opts for param in self.params):
            self.params.append(colour_option())

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words of the command line.

        Raises:
            UsageError: an option that takes one value is given twice.
        """
        if not ctx.resilient_parsing:
            order = self.make_parser(ctx).parse_args(args=list(args))[2]
            for param, number in Counter(order).items():
                single = isinstance(param, click.Option) and not (param.multiple or param.count or param.is_flag)
                if single and number > 1:
                    raise click.UsageError(f"{param.opts[0]} is given {number} times: it takes a single value", ctx)
        return super().parse_args(ctx, args)


class Group(PlainHelp, click.Group):
    """A group of such commands."""

    command_class = Command


# CommonMark, 6: inline markup, and the text within. No piece may contain the beginning of another: unclosed markup
# would be searched again for each, in quadratic time.
_INLINE = (
    (re.compile(r"!\[([^\[\]]*)\]\([^()\s]*(?:\s[^()]*)?\)"), r"\1"),
    (re.compile(r"\[([^\[\]]+)\]\(<?([^()\s>]*(?:\([^()\s]*\)[^()\s>]*)*)>?(?:\s+\"[^\"]*\")?\)"), r"\1 (\2)"),
    (re.compile(r"<(https?://[^<>\s]+)>"), r"\1"),
    (re.compile(r"(?i)<br\s*/?>"), " "),
    (re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>]*)?/?>"), ""),
    (re.compile(r"(\*\*|__)(?=\S)(.{1,500}?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<!\w)_(?=\S)([^_\n]+?)(?<=\S)_(?!\w)"), r"\1"),
)
_CODE = re.compile(r"(?<!`)(`++)(.+?)(?<!`)\1(?!`)", re.DOTALL)
_BLOCK = re.compile(r"(?P<quote>>\s?)|(?P<heading>#{1,6}\s+)|(?P<item>(?:[-*+]|\d{1,9}[.)])\s+)|(?P<row>\|)")
_FENCE = re.compile(r"\s*(```|~~~)")


def plain_line(text: str) -> str:
    """One line of Markdown as plain text: links as ``text (URL)``, code without its backticks."""
    codes: list[str] = []

    def put_aside(found: re.Match[str]) -> str:
        codes.append(found[2].strip())
        return f"\ue000{len(codes) - 1}\ue001"

    # Code keeps its characters, also within other markup.
    plain = _CODE.sub(put_aside, text.replace("\ue000", ""))
    for pattern, replacement in _INLINE:
        plain = pattern.sub(replacement, plain)
    return re.sub("\ue000([0-9]+)\ue001", lambda found: codes[int(found[1])], plain)


def plain_text(text: str, width: int) -> str:
    """Markdown as plain text of this width: paragraphs are filled, items and code keep their lines."""
    blocks: list[list[str]] = [[]]
    is_code = False
    # click's mark of a paragraph that is not wrapped, and its end of the short help.
    for line in text.replace("\b\n", "").replace("\f", "").expandtabs(4).splitlines():
        if _FENCE.match(line):
            is_code = not is_code
            blocks.append([])
            continue
        start = _BLOCK.match(line.lstrip())
        if is_code or not line.strip():
            blocks += [["\0" + line]] if is_code else [[], []]
        elif start is not None:
            indent = line[: len(line) - len(line.lstrip())]
            rest = line.lstrip()[0 if start["item"] or start["row"] else start.end() :]
            blocks += [[indent + rest], *([[], []] if start["heading"] else [])]
        else:
            blocks[-1].append(line.strip() if blocks[-1] else line.rstrip())
    lines: list[str] = []
    for block in blocks:
        lines += _filled(block, width) if block else [""]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _filled(block: list[str], width: int) -> list[str]:
    first = block[0]
    if first.startswith("\0"):
        return ["    " + first[1:].rstrip()]
    indent = first[: len(first) - len(first.lstrip())] if _BLOCK.match(first.lstrip()) else ""
    item = _BLOCK.match(first.lstrip())
    hanging = indent + " " * (item.end() if item is not None and item["item"] else 0)
    found = textwrap.wrap(
        plain_line(" ".join(line.strip() for line in block)),
        max(width, 20),
        initial_indent=indent,
        subsequent_indent=hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return found or [""]


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP asked the process to end; commands clean up as they do at Ctrl-C."""


@contextmanager
def terminable() -> Iterator[None]:
    """Raise :class:`Terminated` at SIGTERM and SIGHUP, so that nothing is left half-written.

    Python ignores errors in callbacks of weak references. If an interrupt comes there, it comes again a moment later.
    """

    def end(*_: object) -> None:
        raise Terminated

    def ignored(error: Any) -> None:
        if isinstance(error.exc_value, KeyboardInterrupt):
            number = signal.SIGTERM if isinstance(error.exc_value, Terminated) else signal.SIGINT
            threading.Timer(0.01, interrupt_main, (number,)).start()
        else:
            others(error)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {}
    if threading.current_thread() is threading.main_thread():
        # An ignored signal, as under nohup, stays ignored.
        before = {number: signal.getsignal(number) for number in numbers}
        before = {number: handler for number, handler in before.items() if handler == signal.SIG_DFL}
        for number in before:
            signal.signal(number, end)
    others, sys.unraisablehook = sys.unraisablehook, ignored
    try:
        yield
    finally:
        sys.unraisablehook = others
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
        if isinstance(stream, io.TextIOWrapper) and stream.errors in {"strict", "surrogateescape"}:
            stream.reconfigure(errors="backslashreplace")


def discard(stream: IO[str]) -> None:
    """Discard the buffer of a standard stream, so that the interpreter does not try to write it at its end."""
    with suppress(OSError, ValueError):  # a test's standard output has no number
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def is_of_standard_output(error: OSError) -> bool:
    """Whether an error comes from writing to standard output; errors of files and connections are mapped elsewhere."""
    return error.filename is None and error.errno in {errno.EPIPE, errno.ENOSPC, errno.EBADF, errno.EIO}


def inform(text: str) -> None:
    """Write a line for a person to standard error; characters that control a terminal are escaped."""
    click.echo(escaped(text), err=True)


def page(text: str) -> None:
    """Write text to standard output, through a pager if that is a terminal with fewer lines.

    The pager is that of the variable PAGER, or less; an empty one disables it.
    """
    height = _height()
    if not height or text.count("\n") < height or os.environ.get("PAGER") == "" or os.environ.get("TERM") == "dumb":
        sys.stdout.write(text)
        return
    # less exits at once if the text fits on one screen, shows colours, and leaves the text on the screen.
    os.environ.setdefault("LESS", "FRX")
    sys.stdout.flush()
    click.echo_via_pager(text.removesuffix("\n"), color=True)  # it adds a line break


def _height() -> int:
    """The lines of the terminal at standard output; 0 if there is no terminal, or it has no size."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).lines if sys.stdout.isatty() else 0
    except (OSError, ValueError):
        return 0


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


def save(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write a file, whole or not at all.

    Raises:
        ClickException: it can't be written.
    """
    from dynclient._client.downloads import AtomicFile

    with writing(path), AtomicFile(path) as file:
        for chunk in [data] if isinstance(data, bytes) else data:
            file.write(chunk)


@contextmanager
def needing(what: str, extra: str) -> Iterator[None]:
    """Say how to install a missing package: with dynclient's ``extra`` of that name.

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
    # getpass would warn that it can't hide the input, although nobody types it.
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
