"""The command group: each command is imported when it is run, and every error becomes a message and an exit status.

Other distributions add click commands by the entry point group ``dynclient.commands``.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from dynclient import __version__
from dynclient._escaping import escaped
from dynclient.cli import USAGE

if TYPE_CHECKING:  # each costs more time than click itself, and most command lines need neither
    from importlib.metadata import EntryPoint

    from click.shell_completion import CompletionItem

GROUP = "dynclient.commands"
INTERRUPTED = 130
_LONGEST_HELP = 60

# Name of a command -> module and name of the click command, and its text in the list of commands.
COMMANDS = {
    "auth": ("dynclient.cli.logins:auth", "Log in, and keep what that gives."),
    "cache": ("dynclient.cli.document_commands:cache", "Show or clear the cache of documents."),
    "call": ("dynclient.cli.operations:call", "Call an operation."),
    "compile": ("dynclient.cli.document_commands:compile_", "Compile a document, to ship it."),
    "completion": ("dynclient.cli.documents:completion", "Print a shell's completion script."),
    "diff": ("dynclient.cli.document_commands:diff", "Compare two documents."),
    "ls": ("dynclient.cli.operations:ls", "List the operations of a document."),
    "mock": ("dynclient.cli.mock_servers:mock", "Serve a document as a mock."),
    "proxy": ("dynclient.cli.mock_servers:proxy", "Check real traffic by a document."),
    "shell": ("dynclient.cli.shell:shell", "A Python prompt with a client."),
    "show": ("dynclient.cli.operations:show", "Describe an operation."),
    "validate": ("dynclient.cli.document_commands:validate", "Report every fault of a document."),
}


class Application(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, those of other distributions included."""
        del ctx
        return sorted({*COMMANDS, *_others()})

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the summary right below the usage, so that all of the help fits on a screen of 24 lines."""
        del ctx
        formatter.write(f"  {self.help}\n")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing our own."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._short_help(ctx, name)) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands with their short help; then click's own completions."""
        from click.shell_completion import CompletionItem

        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        found = [CompletionItem(name, help=self._short_help(ctx, name)) for name in names]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def _short_help(self, ctx: click.Context, name: str) -> str:
        if name in COMMANDS:
            return COMMANDS[name][1]
        command = self.get_command(ctx, name)
        return command.get_short_help_str(_LONGEST_HELP) if command is not None else ""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or suggest a similar one, which click does for options only."""
        if (
            args
            and not args[0].startswith("-")
            and not ctx.resilient_parsing
            and self.get_command(ctx, args[0]) is None
        ):
            from dynclient._identifiers import near

            matches = near(args[0], self.list_commands(ctx))
            meant = f" Did you mean {' or '.join(matches)}?" if matches else ""
            ctx.fail(f"No such command {escaped(args[0])!r}.{meant}")
        return super().resolve_command(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name in COMMANDS:
            module, _, name = COMMANDS[cmd_name][0].partition(":")
            return _command(cmd_name, getattr(import_module(module), name))
        found = _others().get(cmd_name)
        if found is None:
            return None
        try:
            return _command(cmd_name, found.load())
        except Exception as error:  # the other commands still work
            if ctx.find_root().params.get("debug"):
                raise
            return _broken(cmd_name, f"it can't be loaded: {error}")


def _others() -> dict[str, EntryPoint]:
    """The commands of other distributions."""
    from importlib.metadata import entry_points

    return {found.name: found for found in entry_points(group=GROUP) if found.name not in COMMANDS}


def _command(name: str, found: Any) -> click.Command:
    return found if isinstance(found, click.Command) else _broken(name, "it is not a click command")


def _broken(name: str, reason: str) -> click.Command:
    def fail(_arguments: tuple[str, ...]) -> None:
        raise click.ClickException(f"{name}: {reason}")

    return click.Command(
        name,
        callback=fail,
        params=[click.Argument(["_arguments"], nargs=-1, type=click.UNPROCESSED)],
        help=f"Not available: {reason}.",
        context_settings={"ignore_unknown_options": True},
    )


@click.group(cls=Application, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dynclient", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show a traceback where something fails.")
def application(*, debug: bool) -> None:
    """Find, understand and call any API that has an OpenAPI document."""
    del debug  # read by run() from the context's parameters


def run(arguments: Sequence[str]) -> int:
    """Run a command line; an error is shown in a line or two. Returns the exit status."""
    debug = "--debug" in arguments[: _command_index(arguments)]
    _escape_unencodable()
    try:
        status = application.main(list(arguments), prog_name="dynclient", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.UsageError as error:
        _show_usage(error)
        return USAGE
    except click.ClickException as error:
        click.echo(_line(error.format_message()), err=True)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone, as with `| head`: nothing is wrong. What is still buffered goes nowhere at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        status = _status(error)
        if debug or status is None:
            raise
        click.echo(_line(_message(error)), err=True)
    return status if isinstance(status, int) else 0


def _command_index(arguments: Sequence[str]) -> int:
    return next((index for index, word in enumerate(arguments) if not word.startswith("-")), len(arguments))


def _escape_unencodable() -> None:
    """Write characters that the locale's encoding lacks as escapes, in place of raising an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _status(error: Exception) -> int | None:
    """The exit status: 3, 4 or 5 for the class of the server's status, else 1; None for a fault in our own code."""
    from dynclient.exceptions import DynclientError, ResponseError

    if not isinstance(error, (DynclientError, OSError, ImportError)):
        return None
    status = error.status // 100 if isinstance(error, ResponseError) else 0
    return status if status in {3, 4, 5} else 1


def _show_usage(error: click.UsageError) -> None:
    """Show a usage error with the right usage; for a command line without any word, the help."""
    # Older releases of click have no class for that; they show the help by themselves.
    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):
        error.show()
        return
    text = error.format_message()
    if error.ctx is not None:
        usage = " ".join(error.ctx.get_usage().split()).removeprefix("Usage: ")
        text += f"\nHint: {usage}; --help explains more"
    click.echo(_line(text), err=True)


def _message(error: Exception) -> str:
    """The message of an error, without the excerpt of a response that has been printed as data."""
    from dynclient.exceptions import ApiError

    text = escaped(str(error)) or type(error).__name__
    if isinstance(error, ApiError) and error.response is not None and error.response.body:
        text = text.replace(f"\n{escaped(error.details()[-1])}", "")
    return text


def _line(text: str) -> str:
    from dynclient._tables import is_coloured

    head = click.style("dynclient:", fg="red") if is_coloured(sys.stderr) else "dynclient:"
    return f"{head} {text}"
