"""Which document a word on the command line means, and what can be completed of it.

Rule 1: a word is a short name that the project's pyproject.toml gives in ``[tool.dynclient]``, or else a path or URL.
One with a slash in it is no name: nobody has to look for it.
Rule 2: while a shell completes, nothing is asked, nothing is said, and a fault means no proposals.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dynclient._escaping import escaped
from dynclient._readers import listed

if TYPE_CHECKING:  # what lists operations, and what completes their names, goes without
    from click.shell_completion import CompletionItem

    from dynclient._client import Client
    from dynclient._readers import Listing
    from dynclient.model import API

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

_PROJECT = "pyproject.toml"
# What `dynclient generate` reads in the same table.
_GENERATE = frozenset({"docs", "documents", "stubs", "templates"})


def named() -> Mapping[str, str]:
    """The short names of documents of the project that the current folder is in; the nearest pyproject.toml counts.

    Raises:
        ClickException: that file can't be read.
    """
    here = folder = os.getcwd()  # noqa: PTH109  # pathlib takes a tenth of the time that a list takes
    while True:
        file = os.path.join(folder, _PROJECT)  # noqa: PTH118  # as above
        if os.path.isfile(file):  # noqa: PTH113  # as above
            return _in_project(file, folder, here)
        folder, below = os.path.dirname(folder), folder  # noqa: PTH120  # as above
        if folder == below:
            return {}


def located(word: str) -> str:
    """The path or URL that a word means.

    Raises:
        ClickException: pyproject.toml can't be read, or the word is neither a name, nor a file, nor a URL.
    """
    if "/" in word:
        return word
    names = named()
    if word in names:
        return names[word]
    if "." not in word and not os.path.exists(word):  # noqa: PTH110  # as above
        from dynclient._identifiers import near

        matches = near(word, list(names))
        hint = f"\nHint: did you mean {' or '.join(matches)}?" if matches else ""
        known = f"there are {', '.join(names)}" if names else "it has none"
        raise click.ClickException(
            f"{escaped(word)} is no file, and no name of [tool.dynclient] in {_PROJECT}: {escaped(known)}{hint}"
        )
    return word


def client_of(word: str, **options: Any) -> Client:
    """Load the document that a word means."""
    from dynclient._client import Client

    return Client.load(located(word), **options)


def api_of(word: str) -> API:
    """Load the document that a word means, as far as its list of operations; no client is made."""
    from dynclient._load import load

    return load(located(word))


def list_of(word: str) -> Listing:
    """The list of operations of the document that a word means, and its tags; from the cache, if it has them."""
    from dynclient._readers import Listing

    path = located(word)
    kept = listed(path)
    if kept is not None:
        return kept
    from dynclient._load import load

    api = load(path)
    return Listing(api.rows, {tag.name: tag.namespace for tag in api.tags})


def row_name(name: str) -> str:
    """An operation's name as a shell's people write it: ``create-call``."""
    return name.replace("_", "-") if not name.startswith("_") else name


def method_of(client: Client, word: str) -> Any:
    """The operation that a word means: ``create-call``, or any name that ``operations[...]`` takes.

    Raises:
        NoSuchOperation: there is none.
    """
    operations = client.operations
    pythonic = word.replace("-", "_")
    return operations[pythonic if word not in operations and (pythonic in operations or " " not in word) else word]


class DocumentType(click.ParamType):  # type: ignore[type-arg]  # it takes arguments in some of click's versions only
    """A document by path, URL or short name."""

    name = "document"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The short names, and files."""
        from click.shell_completion import CompletionItem

        del ctx, param
        try:
            found = [CompletionItem(name) for name in named() if name.startswith(incomplete)]
        except (click.ClickException, OSError):
            found = []
        return [*found, CompletionItem(incomplete, type="file")]


class OperationType(click.ParamType):  # type: ignore[type-arg]  # it takes arguments in some of click's versions only
    """An operation of the document that was given before it."""

    name = "operation"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The operations' names."""
        del param
        return operation_items(_given(ctx), incomplete)


class TagType(click.ParamType):  # type: ignore[type-arg]  # it takes arguments in some of click's versions only
    """A tag of the document that was given before it."""

    name = "tag"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The tags' names."""
        from click.shell_completion import CompletionItem

        del param
        kept = _quietly(_given(ctx))
        tags = kept.namespaces if kept is not None else ()
        return [CompletionItem(tag) for tag in tags if tag.startswith(incomplete)]


def operation_items(document: str | None, incomplete: str) -> list[CompletionItem]:
    """What a shell proposes for an operation of a document: its name, and its summary where the shell shows one."""
    from click.shell_completion import CompletionItem

    kept = _quietly(document)
    written = str if "_" in incomplete else row_name
    return [
        CompletionItem(written(row.name), help=_one_line(row.summary) or None)
        for row in (kept.rows if kept is not None else ())
        if written(row.name).startswith(incomplete)
    ]


def _quietly(document: str | None) -> Listing | None:
    """A document's list, while a shell completes; None where it can't be had."""
    if document is None:
        return None
    try:
        return list_of(document)
    except Exception:  # noqa: BLE001  # a person who types is helped by no error, whatever it is
        return None


def document_argument() -> Callable[[Decorated], Decorated]:
    """The argument DOCUMENT of a command."""
    return click.argument("document", type=DocumentType())


def _given(ctx: click.Context) -> str | None:
    """The document of a command line that is being completed."""
    # Before an option whose value is yet to come, click leaves the arguments as they are.
    words = [ctx.params.get("document"), *ctx.args]
    return next((str(word) for word in words if word), None)


def _one_line(text: str) -> str:
    # zsh's and fish's scripts cut at line ends; zsh's also at a colon.
    return escaped(" ".join(text.split())).replace(":", " ")


def _in_project(file: str, folder: str, here: str) -> Mapping[str, str]:
    try:
        with open(file, encoding="utf-8") as opened:  # noqa: PTH123  # as above
            text = opened.read()
        table = _toml(text).get("tool", {}).get("dynclient", {}) if "dynclient" in text else {}
    except (OSError, ValueError, AttributeError) as error:
        raise click.ClickException(f"{file} can't be read: {error}") from error
    return {name: _beside(folder, value, here) for name, value in _texts(table)}


def _texts(table: Any) -> Iterable[tuple[str, str]]:
    items = table.items() if isinstance(table, Mapping) else ()
    return [(name, value) for name, value in items if isinstance(value, str) and name not in _GENERATE]


def _beside(folder: str, value: str, here: str) -> str:
    """A path as seen from the current folder; a URL as it is."""
    if "://" in value:
        return value
    return os.path.relpath(os.path.join(folder, value), here) if folder != here else value  # noqa: PTH118  # as above


def _toml(text: str) -> Any:
    import tomllib

    return tomllib.loads(text)
