"""The command group: each command is imported when it runs; every error becomes a message and an exit status.

Other distributions add click commands by the entry point group ``dynclient.commands``.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from itertools import takewhile
from typing import TYPE_CHECKING

import click

from dynclient import __version__
from dynclient._escaping import escaped
from dynclient.cli import INTERRUPTED, TERMINATED, USAGE
from dynclient.cli.commands import Terminated, discard, is_of_standard_output, prepare_streams, terminable

if TYPE_CHECKING:  # it costs more time than click itself, and most command lines do not need it
    from importlib.metadata import EntryPoint

GROUP = "dynclient.commands"


class LazyCommand(click.Command):
    """A command that is imported when it runs; lists and completions show its short help."""

    def __init__(self, name: str, target: str, short_help: str) -> None:
        """Take the module, where a dot begins those of ``dynclient.cli``, and the click command: ``module:name``."""
        super().__init__(name, short_help=short_help)
        self._target = target

    def load(self) -> click.Command:
        """Import the command.

        Raises:
            ClickException: a command of another distribution can't be imported.
        """
        module, _, name = self._target.partition(":")
        try:
            command = getattr(import_module(module, __package__), name)
        except Exception as error:
            raise click.ClickException(f"{self.name}: it can't be loaded: {error}") from error
        if not isinstance(command, click.Command):
            raise click.ClickException(f"{self.name}: it is not a click command")
        return command


COMMANDS = (
    LazyCommand("api", ".apis:api", "Give APIs short names and settings."),
    LazyCommand("auth", ".logins:auth", "Log in, and store credentials."),
    LazyCommand("bulk", ".bulk:bulk", "Send a table of calls, and resume after a crash."),
    LazyCommand("cache", ".document_commands:cache", "Show or clear the cache of documents."),
    LazyCommand("call", ".operation_commands:call", "Call an operation."),
    LazyCommand("compile", ".document_commands:compile_", "Compile a document to a file for shipping."),
    LazyCommand("completion", ".operation_commands:completion", "Print a shell's completion script."),
    LazyCommand("demo", ".servers:demo", "Show a first session with a small API."),
    LazyCommand("diff", ".document_commands:diff", "Compare two documents."),
    LazyCommand("docs", "dynclient_tools.commands:docs", "Write Markdown pages about a document."),
    LazyCommand("explore", ".servers:explore", "Find and call operations in the browser."),
    LazyCommand("generate", "dynclient_tools.commands:generate", "Write the pages and types of a project."),
    LazyCommand("har", ".servers:har", "Check recorded traffic against a document."),
    LazyCommand("ls", ".operation_commands:ls", "List the operations of a document."),
    LazyCommand("mcp", ".servers:mcp", "Serve APIs to an agent by MCP."),
    LazyCommand("mock", ".servers:mock", "Serve a document as a mock."),
    LazyCommand("overlay", ".document_commands:overlay", "Apply overlays to a document, or check them."),
    LazyCommand("proxy", ".servers:proxy", "Check real traffic against a document."),
    LazyCommand("request", ".calls:request", "Send an undocumented request."),
    LazyCommand("shell", ".servers:shell", "A Python prompt with a client."),
    LazyCommand("show", ".descriptions:show", "Describe an operation."),
    LazyCommand("stubs", "dynclient_tools.commands:stubs", "Write type hints for documents."),
    LazyCommand("trust", ".apis:trust", "Trust the settings of a project."),
    LazyCommand("validate", ".document_commands:validate", "Report every fault of a document."),
    LazyCommand("wait", ".calls:wait", "Continue a wait."),
)


class Application(click.Group):
    """A group of lazy commands, and of the commands of other distributions."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, those of other distributions included."""
        del ctx
        return sorted({*self.commands, *_others()})

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the summary right below the usage, so that all of the help fits on a screen of 24 lines."""
        del ctx
        with formatter.indentation():
            formatter.write_text(self.help or "")

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, and import it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, LazyCommand) else command, rest

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A lazy command, or one of another distribution."""
        del ctx
        if cmd_name in self.commands:
            return self.commands[cmd_name]
        found = _others().get(cmd_name)
        return LazyCommand(cmd_name, found.value, f"A command of {found.module}.") if found is not None else None


def _others() -> dict[str, EntryPoint]:
    """The commands of other distributions."""
    from importlib.metadata import entry_points

    return {found.name: found for found in entry_points(group=GROUP)}


@click.group(cls=Application, commands=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dynclient", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show a traceback for errors.")
def application(*, debug: bool) -> None:
    """Find, understand and call any API that has an OpenAPI document."""
    del debug  # read by run() from the context's parameters


def run(arguments: Sequence[str]) -> int:
    """Run a command line; an error is shown in one or two lines. Returns the exit status."""
    debug = "--debug" in takewhile(lambda word: word.startswith("-"), arguments)
    if debug:
        os.environ.setdefault("DYNCLIENT_TRACEBACK", "full")
    prepare_streams()
    if "_DYNCLIENT_COMPLETE" in os.environ:
        from dynclient.cli.operation_commands import add_shells

        add_shells()
    try:
        with terminable():
            status = _status_of(arguments, debug=debug)
            sys.stdout.flush()  # report its error here; when the interpreter ends, it would be a traceback
    except BrokenPipeError:
        # The reader has closed the pipe, as with `| head`, which is not an error.
        status = 0
    except OSError as error:
        _show(f"standard output can't be written: {error.strerror or error}")
        status = 1
    else:
        return status
    discard(sys.stdout)
    return status


def _status_of(arguments: Sequence[str], *, debug: bool) -> int:
    """Run a command line, and show its error; returns the exit status.

    Raises:
        OSError: standard output can't be written.
    """
    streams = sys.stdout, sys.stderr
    try:
        status = application.main(list(arguments), prog_name="dynclient", standalone_mode=False)
    except SystemExit as stop:
        # At a closed pipe, click replaces the streams and exits with 1.
        if sys.stdout is not streams[0]:
            sys.stdout, sys.stderr = streams
            raise BrokenPipeError from None
        return stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt) as error:
        return TERMINATED if isinstance(error.__cause__ or error, Terminated) else INTERRUPTED
    except Exception as error:
        if isinstance(error, OSError) and is_of_standard_output(error):
            raise
        if debug and not isinstance(error, click.ClickException):
            raise
        return _show_error(error)
    return status if isinstance(status, int) else 0


def _show_error(error: Exception) -> int:
    """Show an error; returns the exit status."""
    if isinstance(error, click.UsageError):
        _show_usage(error)
        return USAGE
    if isinstance(error, click.ClickException):
        _show(error.format_message())
        return error.exit_code
    from dynclient.exceptions import ResponseError

    _show(_message(error))
    status = error.status // 100 if isinstance(error, ResponseError) else 0
    return status if status in {3, 4, 5} else 1


def _show_usage(error: click.UsageError) -> None:
    """Show a usage error with the matching usage; for an empty command line, the help."""
    # Older releases of click have no class for this; they show the help themselves.
    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):
        error.show()
        return
    text = " ".join(part.rstrip() for part in error.format_message().split("\t"))  # click lists choices in lines
    if error.ctx is not None and "\nHint: " not in text:
        usage = " ".join(error.ctx.get_usage().split()).removeprefix("Usage: ")
        negative = re.fullmatch(r"-\d", getattr(error, "option_name", ""))
        text += f"\nHint: {usage}; {'-- stands before an argument such as -1' if negative else '--help explains more'}"
    _show(text)


def _message(error: Exception) -> str:
    from dynclient.exceptions import DynclientError

    if isinstance(error, OSError) and not isinstance(error, DynclientError) and error.strerror:
        return escaped(f"{os.fsdecode(error.filename)}: {error.strerror}" if error.filename else error.strerror)
    if not isinstance(error, (DynclientError, OSError, ImportError)):
        # Its text may contain any value, secrets included.
        return f"a bug in dynclient: {type(error).__name__}\nHint: dynclient --debug shows where"
    return in_options(escaped(str(error)) or type(error).__name__)


def substitutions() -> list[list[str]]:
    """Patterns of Python's arguments in errors and hints, each with the equivalent options of the command line."""
    from pathlib import Path  # most command lines have no error

    lines = Path(__file__).with_name("options.tsv").read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines]


def in_options(text: str) -> str:
    """Replace Python's arguments in a text by options of the command line: ``--base-url URL`` for ``base_url=``."""
    for pattern, option in substitutions():
        text = re.sub(pattern, option, text)
    return text


def _show(text: str) -> None:
    from dynclient.inspection.tables import is_coloured

    head = click.style("dynclient:", fg="red") if is_coloured(sys.stderr) else "dynclient:"
    try:
        click.echo(f"{head} {escaped(text)}", err=True, color=is_coloured(sys.stderr))
    except OSError:  # nobody reads it
        discard(sys.stderr)
