"""``dynclient call``: one operation from the shell, with a command of its own that is made from the document.

Whoever only completes an operation's name needs no client: what makes and sends a call is loaded for that.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from dynclient.cli.documents import api_of, client_of, document_argument, method_of, operation_items, row_name

if TYPE_CHECKING:  # as above
    from click.shell_completion import CompletionItem

    from dynclient._client import Client


class Operations(click.Group):
    """The operations of the document that is given first, each a command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Nothing: ``--help`` comes before any document; ``dynclient ls`` lists them."""
        del ctx
        return []

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of an operation."""
        if ctx.resilient_parsing:
            return _completed(ctx.params.get("document"), cmd_name)
        from dynclient.cli.operation_commands import operation_command
        from dynclient.cli.sending import Call

        client = _client(ctx)
        method = method_of(client, cmd_name)
        return operation_command(client.api, method.operation, row_name(method.__name__), Call(client, method))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The operations' names."""
        return operation_items(ctx.params.get("document"), incomplete)


@click.group(
    cls=Operations,
    short_help="Call an operation.",
    subcommand_metavar="OPERATION [ARGUMENTS]...",
    no_args_is_help=True,
)
@document_argument()
def call(document: str) -> None:
    """Call OPERATION of DOCUMENT: a path, a URL, or a name of [tool.dynclient] in pyproject.toml.

    `dynclient ls DOCUMENT` lists the operations; `dynclient call DOCUMENT OPERATION --help` tells the arguments of one,
    and the environment variables that its credentials are taken from. `-o` and `--filter` say how the answer is shown.
    """
    del document  # read by Operations, which makes the command


def _completed(document: str | None, word: str) -> click.Command | None:
    """The command of an operation, for its options to be completed: it is never run, and no error helps who types."""
    from dynclient.cli.operation_commands import operation_command

    if document is None:
        return None
    with suppress(Exception):
        api = api_of(document)
        for row in api.rows:
            if word in {row.name, row_name(row.name), row.operation_id, row.key}:
                return operation_command(api, api.read(row), word, lambda: 0)
    return None


def _client(ctx: click.Context) -> Client:
    """The client of the document on this command line, made once."""
    if ctx.obj is None:
        ctx.obj = client_of(ctx.params["document"])
        ctx.call_on_close(ctx.obj.close)
    found: Client = ctx.obj
    return found
