"""The commands ``dynclient docs``, ``dynclient stubs`` and ``dynclient generate``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from dynclient.cli.commands import Command
from dynclient.cli.documents import (
    STANDARD_INPUT,
    complete_documents,
    document_argument,
    overlay_option,
    overlays_of,
    source_of,
)
from dynclient_tools import emitting
from dynclient_tools.emitting import Emitted, NotOurs

_FOLDER = click.Path(file_okay=False, path_type=Path)
_templates = click.option(
    "--templates",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with your own templates; each replaces the one of the same name.",
)
_check = click.option(
    "--check", is_flag=True, help="Write nothing; print the differences, and exit with status 1 if there are any."
)


@click.command(cls=Command)
@document_argument()
@click.option("--out", type=_FOLDER, required=True, help="The folder to write to; it is created if needed.")
@_templates
@click.option(
    "--mkdocs",
    type=click.Path(dir_okay=False, path_type=Path),
    is_flag=False,
    flag_value="mkdocs.yml",
    help="Also write a configuration of mkdocs with the navigation [mkdocs.yml].",
)
@click.option("--theme", help="A theme of mkdocs for --mkdocs [material if mkdocs-material is installed, else mkdocs].")
@click.option("--llms", is_flag=True, help="Also write llms.txt, and a text for language models for each tag.")
@_check
def docs(
    document: str,
    out: Path,
    templates: Path | None,
    mkdocs: str | None,
    theme: str | None,
    *,
    llms: bool,
    check: bool,
) -> None:
    """Write Markdown pages about DOCUMENT, a path, a URL or a short name: an index, a page per tag and per schema."""
    configuration = Path(mkdocs) if mkdocs is not None else None
    made = emitting.pages(
        source_of(document),
        out,
        templates=templates,
        mkdocs=configuration,
        theme=theme,
        llms=llms,
        overlays=overlays_of(document),
    )
    _end(made, check=check)


@click.command(cls=Command)
@click.argument("documents", nargs=-1, required=True, metavar="DOCUMENT...", shell_complete=complete_documents)
@overlay_option
@click.option("--out", type=_FOLDER, help="The folder that gets a package for each document.")
@click.option("--name", help="The name of the package in --out [the document's file name].")
@click.option("--tag", "tags", multiple=True, help="Only operations with this tag; may be repeated.")
@_templates
@_check
def stubs(
    documents: tuple[str, ...],
    out: Path | None,
    name: str | None,
    tags: tuple[str, ...],
    templates: Path | None,
    *,
    check: bool,
) -> None:
    """Write type hints for each DOCUMENT, a path, a URL or a short name.

    With --out, each becomes a package whose load() returns a typed client. Without it, the package dynclient_types is
    written to src or to the current folder, and types dynclient.load() itself for these documents.
    """
    if STANDARD_INPUT in documents and (out is None or name is None):
        raise click.UsageError("standard input has no name: give --out and --name")
    sources = [source_of(document) for document in documents]
    overlays = {source: overlays_of(document) for source, document in zip(sources, documents, strict=True)}
    documents = tuple(sources)
    if out is not None:
        made = list(emitting.packages(documents, out, templates=templates, name=name, tags=tags, overlays=overlays))
    elif name is not None:
        raise click.UsageError("--name needs --out: the package dynclient_types has that name always")
    else:
        made = [emitting.types_in_place(documents, Path(), templates=templates, tags=tags, overlays=overlays)]
    _end(made, check=check)


@click.command(cls=Command)
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=Path("pyproject.toml"),
    show_default=True,
    help="The file with the table [tool.dynclient].",
)
@_check
def generate(config: Path, *, check: bool) -> None:
    """Write all pages and types that the table [tool.dynclient] of a project lists.

    Its keys are documents, docs (the folder of their pages), and stubs (true for dynclient.load() itself, or a folder
    for one package per document).
    """
    _end(emitting.generated(emitting.read(config)), check=check)


def _end(made: Iterable[Emitted], *, check: bool) -> None:
    """Write the files, or print how they differ from the present ones."""
    stale = False
    for emitted in made:
        if check:
            changes = emitted.difference()
            stale = stale or bool(changes)
            click.echo(changes, nl=False)
            continue
        try:
            written = emitted.write()
        except NotOurs as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            raise click.ClickException(f"{error.filename or emitted.folder}: {error.strerror or error}") from error
        shown = written[0] if len(written) == 1 else f"{len(written)} files in {emitted.folder}"
        click.echo(f"wrote {shown}", err=True)
    if stale:
        raise click.exceptions.Exit(1)
