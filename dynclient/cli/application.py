"""The commands by name, each loaded when it is run, and what happens to their errors.

Other distributions add commands by the entry point group ``dynclient.commands``; each is a click command.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Sequence
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

# Name of a command -> module and name of the click command, and what the list of commands says of it.
COMMANDS = {
    "auth": ("dynclient.cli.authorizing:auth", "Log in, and keep what that gives."),
    "cache": ("dynclient.cli.compiling:cache", "Show or clear the cache of documents."),
    "call": ("dynclient.cli.calling:call", "Call an operation."),
    "compile": ("dynclient.cli.compiling:compile_", "Compile a document, to ship it."),
    "completion": ("dynclient.cli.completing:completion", "Print a shell's completion script."),
    "diff": ("dynclient.cli.changing:diff", "Compare two documents."),
    "ls": ("dynclient.cli.listing:ls", "List the operations of a document."),
    "mock": ("dynclient.cli.mocking:mock", "Serve a document as a mock."),
    "proxy": ("dynclient.cli.proxying:proxy", "Check real traffic by a document."),
    "shell": ("dynclient.cli.shell:shell", "A Python prompt with a client."),
    "show": ("dynclient.cli.listing:show", "Describe an operation."),
    "validate": ("dynclient.cli.validating:validate", "Tell every fault of a document."),
}


class Application(click.Group):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands, our own and those of other distributions."""
        del ctx
        return sorted({*COMMANDS, *_others()})

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what it is for right below the usage: all of the help fits on a screen of 24 lines."""
        del ctx
        formatter.write(f"  {self.help}\n")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands; none of ours is loaded for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self._said(ctx, name)) for name in self.list_commands(ctx)])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands, and what is said of each; then what click completes by itself."""
        from click.shell_completion import CompletionItem

        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        found = [CompletionItem(name, help=self._said(ctx, name)) for name in names]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def _said(self, ctx: click.Context, name: str) -> str:
        if name in COMMANDS:
            return COMMANDS[name][1]
        command = self.get_command(ctx, name)
        return command.get_short_help_str(_LONGEST_HELP) if command is not None else ""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one was meant."""
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
        except Exception as error:  # whatever is wrong with one of others', the rest goes on
            if ctx.find_root().params.get("debug"):
                raise
            return _broken(cmd_name, f"it can't be loaded: {error}")


def entry_points(*, group: str) -> Iterable[EntryPoint]:
    """What other distributions offer."""
    from importlib import metadata

    return metadata.entry_points(group=group)


def _others() -> dict[str, EntryPoint]:
    return {found.name: found for found in entry_points(group=GROUP) if found.name not in COMMANDS}


def _command(name: str, found: Any) -> click.Command:
    return found if isinstance(found, click.Command) else _broken(name, "it is no click command")


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
    """Run a command line, and turn whatever it raises into a line or two and an exit status."""
    debug = "--debug" in arguments[: _command_index(arguments)]
    _any_text()
    try:
        status = application.main(list(arguments), prog_name="dynclient", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.UsageError as error:
        from dynclient.cli import telling

        telling.show_usage(error)
        return USAGE
    except click.ClickException as error:
        from dynclient.cli import telling

        click.echo(telling.click_error(error), err=True)
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
        from dynclient.cli import telling

        click.echo(telling.other(error), err=True)
    return status if isinstance(status, int) else 0


def _command_index(arguments: Sequence[str]) -> int:
    return next((index for index, word in enumerate(arguments) if not word.startswith("-")), len(arguments))


def _any_text() -> None:
    """Let every text be written, also where the locale's encoding lacks its letters."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def _status(error: Exception) -> int | None:
    """3, 4 or 5 for the class of an HTTP status that the server answered, else 1; None of a fault in our own code."""
    from dynclient.exceptions import DynclientError, ResponseError

    if not isinstance(error, (DynclientError, OSError, ImportError)):
        return None
    status = error.status // 100 if isinstance(error, ResponseError) else 0
    return status if status in {3, 4, 5} else 1
