"""The commands by name, each loaded when it is run, and what happens to their errors.

Other distributions add commands by the entry point group ``dynclient.commands``; each is a click command.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from dynclient import __version__
from dynclient.cli import USAGE

if TYPE_CHECKING:  # each costs more time than click itself, and most command lines need neither
    from importlib.metadata import EntryPoint

GROUP = "dynclient.commands"
INTERRUPTED = 130

# Name of a command -> module and name of the click command.
COMMANDS = {
    "auth": "dynclient.cli.authorizing:auth",
    "cache": "dynclient.cli.compiling:cache",
    "call": "dynclient.cli.calling:call",
    "compile": "dynclient.cli.compiling:compile_",
    "diff": "dynclient.cli.changing:diff",
    "completion": "dynclient.cli.completing:completion",
    "ls": "dynclient.cli.listing:ls",
    "mock": "dynclient.cli.mocking:mock",
    "shell": "dynclient.cli.shell:shell",
    "proxy": "dynclient.cli.proxying:proxy",
    "show": "dynclient.cli.listing:show",
    "validate": "dynclient.cli.validating:validate",
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

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name in COMMANDS:
            module, _, name = COMMANDS[cmd_name].partition(":")
            return _command(cmd_name, getattr(import_module(module), name))
        found = _others().get(cmd_name)
        if found is None:
            return None
        try:
            return _command(cmd_name, found.load())
        except (ImportError, AttributeError) as error:
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
    try:
        status = application.main(list(arguments), prog_name="dynclient", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.UsageError as error:
        error.show()
        return USAGE
    except click.ClickException as error:
        error.show()
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
        click.echo(_told(error), err=True)
    return status if isinstance(status, int) else 0


def _command_index(arguments: Sequence[str]) -> int:
    return next((index for index, word in enumerate(arguments) if not word.startswith("-")), len(arguments))


def _told(error: Exception) -> str:
    from dynclient.exceptions import escaped
    from dynclient.inspection import is_coloured

    head = click.style("dynclient:", fg="red") if is_coloured(sys.stderr) else "dynclient:"
    return f"{head} {escaped(str(error)) or type(error).__name__}"


def _status(error: Exception) -> int | None:
    """3, 4 or 5 for the class of an HTTP status that the server answered, else 1; None of a fault in our own code."""
    from dynclient.exceptions import DynclientError, ResponseError

    if not isinstance(error, (DynclientError, OSError, ImportError)):
        return None
    status = error.status // 100 if isinstance(error, ResponseError) else 0
    return status if status in {3, 4, 5} else 1
