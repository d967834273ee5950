"""``dynclient ls`` and ``call``: list operations, and call one.

Each operation is a command of ``call``, made from the document. Lists and completions need no client, so ``calls``,
which makes and sends a call, is imported only for that.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from shlex import quote
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)  # fmt: skip

from dynclient._rows import OperationRow
from dynclient.cli import documents
from dynclient.cli.commands import Command, Group, inform, page
from dynclient.inspection.tables import Row, for_stream

_BEST = 15  # the number of search results that the table shows


@click.command(cls=Command)
@documents.document_argument()
@click.argument("words", nargs=-1)
@click.option(
    "--tag", metavar="TAG", shell_complete=documents.complete_tags, help="Only the operations of this tag or namespace."
)
@documents.format_option("table", "json", "yaml", "names", text="The output format.")
@click.option("--check", is_flag=True, help="Read each operation, and mark broken ones.")
@click.option("--all", "every", is_flag=True, help=f"Show more than the {_BEST} best results for WORDS in the table.")
def ls(document: str, words: tuple[str, ...], tag: str | None, output: str, *, check: bool, every: bool) -> None:
    """List the operations of DOCUMENT: all, or those that best match WORDS in names, texts or parameters."""
    found, faults = _found(document, words)
    rows = [row for row in found if tag is None or tag in row.tags or tag in dict(row.names_by_tag)]
    if words and output == "table" and not every and len(rows) > _BEST:
        click.echo(f"the best {_BEST} of {len(rows):,} operations; --all shows all of them", err=True)
        rows = rows[:_BEST]
    broken = _broken(document, rows) if check else {}
    lines = [f"{name}: {fault}" for name, fault in broken.items()]
    if not rows and (words or tag):
        inform(f"no operation has {' and '.join([*words, *([f'the tag {tag}'] if tag else [])])}")
    if output == "names":
        sys.stdout.write("".join([f"{row.name}\n" for row in rows]))
    elif output == "table":
        shown = [Row(row._replace(tags=()) if words else row, broken.get(row.name, "")) for row in rows]
        page(for_stream(shown, lines if words or tag else [*faults, *lines], sys.stdout) + "\n")
    else:
        from dynclient.cli.output import FORMATS, write

        write(FORMATS[output]([_as_data(row) | ({"broken": broken.get(row.name)} if check else {}) for row in rows]))
    if output != "table":
        for fault in (*faults, *lines):
            inform(f"broken: {fault}")


def _broken(document: str, rows: list[OperationRow]) -> dict[str, str]:
    """The faults of broken operations, by name."""
    operations = documents.client_of(document).operations
    faults = {row.name: operations[row.name].fault for row in rows}
    return {name: " ".join(str(fault).split()) for name, fault in faults.items() if fault is not None}


def _found(document: str, words: tuple[str, ...]) -> tuple[Sequence[OperationRow], tuple[str, ...]]:
    """The operations, and the faults of those that can't be listed.

    From the cache unless there are words to search for.
    """
    cached = None if words else documents.listing_of(document)
    if cached is not None:
        return cached.rows, ()
    from dynclient.inspection.search import SearchIndex
    from dynclient.inspection.tables import lost

    api = documents.api_of(document)
    return SearchIndex(api).search(" ".join(words)) if words else api.rows, lost(api)


def _as_data(row: OperationRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "operationId": row.operation_id,
        "method": row.method,
        "path": row.path,
        "summary": row.summary,
        "tags": list(row.tags),
        "deprecated": row.deprecated,
    }


class Operations(Group):
    """The operations of the document that the command line names first, as commands.

    Its help lists no operations, since ``--help`` comes before any document; ``dynclient ls`` lists them.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words; this command's own options may also be between the document and the operation."""
        head, rest, own = args[:1], args[1:], []
        while rest and rest[0].partition("=")[0] in {"--overlay", "--help", "-h"} and not head[0].startswith("-"):
            size = 2 if rest[0] == "--overlay" else 1
            own += rest[:size]
            rest = rest[size:]
        if rest and rest[0].startswith("-") and not head[0].startswith("-") and not ctx.resilient_parsing:
            raise click.UsageError(f"{rest[0]} must stand after OPERATION", ctx)
        return super().parse_args(ctx, [*own, *head, *rest])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of an operation."""
        if ctx.resilient_parsing:
            return _command_to_complete(ctx.params.get("document"), cmd_name)
        from dynclient.cli.calls import operation_command, run_call
        from dynclient.cli.output import VerboseTransport

        transport = VerboseTransport()
        client = documents.client_of(ctx.params["document"], transport=transport)
        ctx.call_on_close(client.close)
        method = documents.method_of(client, cmd_name)
        name = documents.command_name(method.__name__)
        callback = partial(run_call, client, transport, method, ctx.params["document"])
        return operation_command(client.api, method.operation, name, callback)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The operations' names."""
        return documents.operation_items(ctx.params.get("document"), incomplete)


@click.group(cls=Operations, subcommand_metavar="OPERATION [ARGUMENTS]...", no_args_is_help=True)
@documents.document_argument()
def call(document: str) -> None:
    """Call OPERATION of DOCUMENT: a path, a URL, a short name of an API, or - for standard input.

    `dynclient ls DOCUMENT` lists the operations; `dynclient call DOCUMENT OPERATION --help` explains its arguments, and
    names the environment variables of its credentials. `-o` and `--filter` select the output.
    """
    del document  # read by Operations, which makes the command


def _command_to_complete(document: str | None, word: str) -> click.Command | None:
    """The command of an operation whose options are being completed. It is not run, and reports no errors."""
    from dynclient.cli.calls import operation_command

    if document is None:
        return None
    with suppress(Exception):
        api = documents.api_of(document)
        row = next(
            row for row in api.rows if word in {row.name, documents.command_name(row.name), row.operation_id, row.key}
        )
        return operation_command(api, api.read(row), word, lambda: 0)
    return None


# The characters that bash expands within quotes, and those that end them.
_SPECIAL = {"'": frozenset("'"), '"': frozenset('"$`\\!')}
# about_Parsing, about_Quoting_Rules: a bare word of these characters is one argument, unchanged. Within single quotes,
# only quotes have to be doubled; PowerShell treats typographic ones as quotes too.
_BARE = re.compile(r"[A-Za-z0-9_./:\\][A-Za-z0-9_./:\\=+-]*|-[-A-Za-z0-9_]+")
_QUOTES = re.compile("['\u2018\u2019\u201a\u201b]")


class WholeWords(ShellComplete):
    """Proposals that replace the whole word, also in ``--option=value``."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        """The proposals."""
        found = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        for item in found if equals and option.startswith("-") else ():
            item.value = f"{option}={item.value}" if item.type == "plain" else item.value
        return found


class QuotingBash(WholeWords, BashComplete):
    """bash, with proposals quoted. It splits a word at colons and equals signs, and replaces only the last piece."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is completed, and that one."""
        if "COMP_WORD" not in os.environ:
            return super().get_completion_args()
        words = _words(os.environ["COMP_WORDS"])
        return words[1:-1], words[-1]

    def format_completion(self, item: CompletionItem) -> str:
        """One line of the script's input."""
        value, piece = str(item.value), os.environ.get("COMP_WORD")
        if item.type != "plain":
            return f"{item.type},{value}"
        before = os.environ["COMP_WORDS"].removesuffix(piece) if piece is not None else ""
        value = value.removeprefix(_words(before)[-1])
        if before[-1:] in _SPECIAL:  # within quotes, which bash closes
            return "" if _SPECIAL[before[-1]].intersection(value) else f"plain,{value}"
        return f"plain,{quote(value)}"


def _words(line: str) -> list[str]:
    """The words of a command line; the last one may be empty, or in quotes that are not closed."""
    words = split_arg_string(f"{line}x")
    return [*words[:-1], words[-1][:-1]]


class Zsh(WholeWords, ZshComplete):
    """zsh, by click's script."""


class Fish(WholeWords, FishComplete):
    """fish, by click's script."""


class PowerShell(WholeWords):
    """PowerShell 5 and later. It completes files itself if there are no proposals."""

    name = "powershell"

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is completed, and that one."""
        return os.environ.get("COMP_WORDS", "").split("\n")[1:], os.environ.get("COMP_WORD", "")

    def format_completion(self, item: CompletionItem) -> str:
        """A line with the inserted text, the listed text, and the explanation."""
        if item.type != "plain":
            return ""
        value = str(item.value)
        inserted = value if _BARE.fullmatch(value) else f"'{_QUOTES.sub(lambda found: found[0] * 2, value)}'"
        return "\t".join([inserted, value, item.help or value])

    def complete(self) -> str:
        """All proposals, except those for files."""
        return "\n".join(filter(None, super().complete().splitlines()))


_SHELLS: dict[str, type[ShellComplete]] = {
    "bash": QuotingBash, "zsh": Zsh, "fish": Fish, "powershell": PowerShell,
}  # fmt: skip


def add_shells() -> None:
    """Register these shells with click."""
    for name, completer in _SHELLS.items():
        add_completion_class(completer, name)


@click.command(cls=Command)
@click.argument("shell", metavar="SHELL", type=click.Choice(list(_SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    bash, in ~/.bashrc: `eval "$(dynclient completion bash)"`; zsh, in ~/.zshrc: `eval "$(dynclient completion zsh)"`;
    fish: `dynclient completion fish > ~/.config/fish/completions/dynclient.fish`; PowerShell, in $PROFILE:
    `dynclient completion powershell | Out-String | Invoke-Expression`.
    """
    from pathlib import Path  # lists do not need it

    source = _SHELLS[shell](ctx.find_root().command, {}, "dynclient", "_DYNCLIENT_COMPLETE")
    own = next(Path(__file__).parent.glob("complete." + ("ps1" if shell == "powershell" else shell)), None)
    # click's bash class first looks for an installed bash, which is not needed to print a script.
    template = own.read_text("utf-8") if own is not None else source.source_template
    sys.stdout.write(template % source.source_vars() + "\n")
