"""The DOCUMENT of a command line, shell completion of its contents, and ``dynclient completion``.

Rule 1: a word is a short name that the project's pyproject.toml defines in ``[tool.dynclient]``, or else a path or URL.
A word with a slash in it is never a short name, so that file is not read for it.
Rule 2: completion asks nothing and prints no errors; on a fault there are no proposals.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dynclient._escaping import escaped
from dynclient._readers import listed
from dynclient.cli.commands import Command

if TYPE_CHECKING:  # lists and completions do without these
    from click.shell_completion import CompletionItem

    from dynclient._client import Client
    from dynclient._readers import Listing
    from dynclient.model import API

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_PROJECT = "pyproject.toml"
# Settings of `dynclient generate` in the same table.
_GENERATE = frozenset({"docs", "documents", "stubs", "templates"})


def short_names() -> Mapping[str, str]:
    """The short names of documents in the nearest pyproject.toml, by name: paths from the current folder, or URLs.

    Raises:
        ClickException: that file can't be read.
    """
    current = folder = os.getcwd()
    while True:
        file = os.path.join(folder, _PROJECT)
        if os.path.isfile(file):
            return _read_names(file, folder, current)
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return {}


def _read_names(file: str, folder: str, current: str) -> Mapping[str, str]:
    import tomllib

    try:
        with open(file, encoding="utf-8") as opened:
            text = opened.read()
        table = tomllib.loads(text).get("tool", {}).get("dynclient", {}) if "dynclient" in text else {}
        names = {name: value for name, value in table.items() if isinstance(value, str) and name not in _GENERATE}
    except (OSError, ValueError, AttributeError) as error:
        raise click.ClickException(f"{file} can't be read: {error}") from error
    if folder == current:
        return names
    return {
        name: value if "://" in value else os.path.relpath(os.path.join(folder, value), current)
        for name, value in names.items()
    }


def located(word: str) -> str:
    """The path or URL that a word means.

    Raises:
        ClickException: pyproject.toml can't be read, or the word is neither a short name, nor a file, nor a URL.
    """
    if "/" in word:
        return word
    names = short_names()
    if word in names:
        return names[word]
    if "." not in word and not os.path.exists(word):
        from dynclient._identifiers import near

        matches = near(word, list(names))
        hint = f"\nHint: did you mean {' or '.join(matches)}?" if matches else ""
        known = f"the names are {', '.join(names)}" if names else "there are no names"
        raise click.ClickException(
            f"{escaped(word)} is not a file, and not a name in [tool.dynclient] of {_PROJECT}: {escaped(known)}{hint}"
        )
    return word


def client_of(word: str, **options: Any) -> Client:
    """Load the document that a word means."""
    from dynclient._client import Client

    return Client.load(located(word), **options)


def api_of(word: str) -> API:
    """Load the document that a word means as far as its list of operations, without a client."""
    from dynclient._load import load

    return load(located(word))


def command_name(name: str) -> str:
    """An operation's name in the spelling of commands: ``create-call``."""
    return name.replace("_", "-") if not name.startswith("_") else name


def method_of(client: Client, word: str) -> Any:
    """The operation that a word means: ``create-call``, or any name that ``operations[...]`` accepts.

    Raises:
        NoSuchOperation: there is none.
    """
    operations = client.operations
    pythonic = word.replace("-", "_")
    return operations[pythonic if word not in operations and (pythonic in operations or " " not in word) else word]


def complete_documents(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The short names of documents, and files."""
    from click.shell_completion import CompletionItem

    del ctx, param
    names: list[str] = []
    with suppress(click.ClickException, OSError):
        names = [name for name in short_names() if name.startswith(incomplete)]
    return [*map(CompletionItem, names), CompletionItem(incomplete, type="file")]


def complete_operations(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the operations of the document that stands before it on the command line."""
    del param
    return operation_items(_document_word(ctx), incomplete)


def complete_tags(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The names of the tags of the document that stands before it on the command line."""
    del param
    return [tag for tag in _listing(_document_word(ctx)).namespaces if tag.startswith(incomplete)]


def operation_items(document: str | None, incomplete: str) -> list[CompletionItem]:
    """The completions of an operation's name, with summaries for the shells that show them."""
    from click.shell_completion import CompletionItem

    spelled = str if "_" in incomplete else command_name
    return [
        # zsh's and fish's scripts cut at line ends; zsh's also at a colon.
        CompletionItem(spelled(row.name), help=escaped(" ".join(row.summary.split())).replace(":", " ") or None)
        for row in _listing(document).rows
        if spelled(row.name).startswith(incomplete)
    ]


def _listing(word: str | None) -> Listing:
    """The operations and tags of the document that a word means, from the cache if it has them; none by rule 2."""
    from dynclient._readers import Listing

    with suppress(Exception):
        if word is not None:
            cached = listed(located(word))
            if cached is not None:
                return cached
            api = api_of(word)
            return Listing(api.rows, {tag.name: tag.namespace for tag in api.tags})
    return Listing((), {})


def _document_word(ctx: click.Context) -> str | None:
    """The document of a command line that is being completed."""
    # Before an option whose value is yet to come, click leaves the arguments as they are.
    words = [ctx.params.get("document"), *ctx.args]
    return next((str(word) for word in words if word), None)


def document_argument(name: str = "document") -> Callable[[Decorated], Decorated]:
    """The argument of a command that is a document by path, URL or short name."""
    return click.argument(name, shell_complete=complete_documents)


def quote_completions() -> None:
    """Have click quote what it proposes to bash, which puts it on the command line as it is; zsh and fish quote it."""
    from click.shell_completion import BashComplete, add_completion_class

    class Quoting(BashComplete):
        def format_completion(self, item: CompletionItem) -> str:
            value = item.value
            if item.type == "plain":
                from shlex import quote

                # click's script reads a backslash as an escape.
                value = "" if "\\" in value else quote(value)
            return f"{item.type},{value}"

    add_completion_class(Quoting, "bash")


def format_option(*formats: str, text: str = "How it is shown.") -> Callable[[Decorated], Decorated]:
    """The option ``-o`` of a command; the first format is the default."""
    choice = click.Choice(formats)
    return click.option("-o", "--format", "output", type=choice, default=formats[0], show_default=True, help=text)


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    bash, in ~/.bashrc: `eval "$(dynclient completion bash)"`; zsh, in ~/.zshrc: `eval "$(dynclient completion zsh)"`;
    fish: `dynclient completion fish > ~/.config/fish/completions/dynclient.fish`.
    """
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    if made is None:
        raise click.ClickException(f"click can't complete in {shell}")
    source = made(ctx.find_root().command, {}, "dynclient", "_DYNCLIENT_COMPLETE")
    # click's bash class looks for a bash of its own first, which a script that is only printed does not need.
    sys.stdout.write(source.source_template % source.source_vars() + "\n")
