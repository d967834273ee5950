"""The DOCUMENT of a command line, and shell completion of its contents.

Rule 1: a word is a short name of an API (:mod:`dynclient._settings`), or else a path, a URL, or a path at a revision of
git; ``-`` is standard input, and ``demo`` the document that comes with dynclient. A word with a slash is never a short
name, so no settings are read for it.
Rule 2: completion prompts for nothing and prints no errors; after an error there are no proposals.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dynclient._escaping import escaped
from dynclient._readers import listed
from dynclient._settings import APISettings, all_settings, find
from dynclient.cli.commands import Decorated
from dynclient.cli.process import inform, show_warnings
from dynclient.exceptions import DocumentError

if TYPE_CHECKING:  # lists and completions do without these
    from click.shell_completion import CompletionItem

    from dynclient._client import Client
    from dynclient._readers import Listing
    from dynclient.model import API

Loaded = TypeVar("Loaded")

STANDARD_INPUT = "-"
_OVERLAYS = "dynclient.overlays"


class _Piped(io.BytesIO):
    """Standard input, which is read once and may be loaded several times."""

    name = "<standard input>"


@cache
def _standard_input() -> bytes:
    return sys.stdin.buffer.read()


def settings_of(word: str, profile: str | None = None) -> APISettings | None:
    """The settings of a short name, with the profile or that of the variable DYNCLIENT_PROFILE; None for anything else.

    Raises:
        ArgumentError: there is no such profile, a file of settings is malformed, or a project's are not trusted.
    """
    found = find(word) if "/" not in word and word != STANDARD_INPUT else None
    if found is None:
        if profile:
            raise click.UsageError(f"--profile {profile}: {word} is not a short name, so it has no profiles")
        return None
    return found.with_profile(profile or os.environ.get("DYNCLIENT_PROFILE"))


def located(word: str) -> Any:
    """Resolve a word to a path or URL, else to a file object of standard input or a revision in git.

    Raises:
        ClickException: the word is not a short name, a file or a URL, or git does not have it.
        ArgumentError: a file of settings is malformed, or a project's are not trusted.
    """
    show_warnings()
    if word == STANDARD_INPUT:
        return _Piped(_standard_input())
    if ":" in word:
        from dynclient.cli.sources import revision_of, source_at

        revision = revision_of(word)
        if revision is not None:
            return source_at(word, *revision)
    if "/" in word:
        return word
    settings = find(word)
    if settings is not None:
        return settings.document
    if "." not in word and not os.path.exists(word):  # noqa: PTH110  # pathlib would be imported for it
        if word == "demo":
            from dynclient.testing import DEMO

            return str(DEMO)
        from dynclient._identifiers import did_you_mean

        names = [found.name for found in all_settings()]
        hint = did_you_mean(word, names, "dynclient api add NAME DOCUMENT adds one")
        known = f"the names are {', '.join(names)}" if names else "there are no names"
        text = f"{word} is neither a file nor the short name of an API: {known}\nHint: {hint}"
        raise click.ClickException(text)
    return word


def overlays_of(word: str) -> list[str]:
    """The overlays of a document: those of its short name, then those of ``--overlay``."""
    settings = find(word) if "/" not in word and word != STANDARD_INPUT else None
    ctx = click.get_current_context(silent=True)
    return [*(settings.overlays if settings is not None else ()), *(ctx.meta.get(_OVERLAYS, ()) if ctx else ())]


def client_of(word: str, **options: Any) -> Client:
    """Load the document that a word names, or that of a site if the word is the site's URL."""
    from dynclient._client import Client

    return loaded(lambda source: Client.load(source, overlays=overlays_of(word), **options), word)


def api_of(word: str) -> API:
    """Load the list of operations of the document that a word names, without a client."""
    from dynclient._load import load

    return loaded(lambda source: load(source, overlays=overlays_of(word)), word)


def source_of(word: str) -> Any:
    """The path, URL or file object that a word names; for the URL of a site, that of its document."""
    source = located(word)
    if not _is_url(source):
        return source
    from dynclient._load import load

    return loaded(lambda found: (load(found), found)[1], word)


def _is_url(source: Any) -> bool:
    return isinstance(source, str) and source.lower().startswith(("http://", "https://"))


def loaded(load: Callable[[Any], Loaded], word: str) -> Loaded:
    """Call a function with the source that a word names; if that is the URL of a site, with the site's document."""
    source = located(word)
    try:
        return load(source)
    except DocumentError:
        if not _is_url(source):
            raise
        from dynclient.cli.sources import discovered

        with suppress(click.ClickException):
            found = discovered(source)
            if found != source:
                inform(f"the document is {found}")
                return load(found)
        raise


def listing_of(word: str) -> Listing | None:
    """The operations and tags of the document that a word names, if the cache has them."""
    source = located(word)
    return listed(source) if isinstance(source, str) and not overlays_of(word) else None


def command_name(name: str) -> str:
    """An operation's name in the spelling of commands: ``create-call``."""
    return name.replace("_", "-") if not name.startswith("_") else name


def method_of(client: Client, word: str) -> Any:
    """The operation that a word names: ``create-call``, or any name that ``operations[...]`` accepts.

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
    with suppress(Exception):
        names = [found.name for found in all_settings() if found.name.startswith(incomplete)]
    return [*map(CompletionItem, names), CompletionItem(incomplete, type="file")]


def complete_operations(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of the operations of the preceding document on the command line."""
    del param
    return operation_items(_document_word(ctx), incomplete)


def complete_tags(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """The names of the tags of the preceding document on the command line."""
    del param
    return [tag for tag in _listing(_document_word(ctx)).namespaces if tag.startswith(incomplete)]


def operation_items(document: str | None, incomplete: str) -> list[CompletionItem]:
    """The completions of an operation's name, with summaries for the shells that show them."""
    from click.shell_completion import CompletionItem

    spelled = str if "_" in incomplete else command_name
    return [
        # zsh's and fish's scripts cut at line breaks; zsh's also at a colon.
        CompletionItem(spelled(row.name), help=escaped(" ".join(row.summary.split())).replace(":", " ") or None)
        for row in _listing(document).rows
        if spelled(row.name).startswith(incomplete)
    ]


def _listing(word: str | None) -> Listing:
    """The operations and tags of the document that a word names, from the cache if possible; empty by rule 2."""
    from dynclient._readers import Listing

    with suppress(Exception):
        if word is not None:
            cached = listing_of(word)
            if cached is not None:
                return cached
            api = api_of(word)
            return Listing(api.rows, {tag.name: tag.namespace for tag in api.tags})
    return Listing((), {})


def _document_word(ctx: click.Context) -> str | None:
    """The document of a command line that is being completed."""
    # If an option's value is being completed, click leaves the arguments as they are.
    words = [ctx.params.get("document"), *ctx.args]
    return next((str(word) for word in words if word), None)


def document_argument(name: str = "document") -> Callable[[Decorated], Decorated]:
    """The argument DOCUMENT of a command, a path, URL or short name, and the option for its overlays."""

    def decorated(command: Decorated) -> Decorated:
        if not any("--overlay" in param.opts for param in getattr(command, "__click_params__", ())):
            command = overlay_option(command)
        return click.argument(name, shell_complete=complete_documents)(command)

    return decorated


def _keep_overlays(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> None:
    del param
    ctx.meta[_OVERLAYS] = value


overlay_option = click.option(
    "--overlay",
    multiple=True,
    metavar="FILE|URL",
    expose_value=False,
    callback=_keep_overlays,
    help="An OpenAPI Overlay to apply to the document first; may be repeated.",
)


def format_option(*formats: str, text: str = "The output format.") -> Callable[[Decorated], Decorated]:
    """The option ``-o`` of a command; the first format is the default."""
    choice = click.Choice(formats)
    return click.option("-o", "--format", "output", type=choice, default=formats[0], show_default=True, help=text)
