"""The commands ``dynclient docs``, ``dynclient stubs`` and ``dynclient generate``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from dynclient_tools import emitting
from dynclient_tools.emitting import Emitted
from dynclient_tools.files import NotOurs

_FOLDER = click.Path(file_okay=False, path_type=Path)
_templates = click.option(
    "--templates",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder with templates of your own; each takes the place of the one of its name.",
)
_check = click.option("--check", is_flag=True, help="Write nothing; show what is stale, and end with 1 if anything is.")


@click.command()
@click.argument("document")
@click.option("--out", type=_FOLDER, required=True, help="The folder to write to; it is made if need be.")
@_templates
@click.option(
    "--mkdocs",
    type=click.Path(dir_okay=False, path_type=Path),
    is_flag=False,
    flag_value="mkdocs.yml",
    help="Also write a configuration of mkdocs with the navigation [mkdocs.yml].",
)
@_check
def docs(document: str, out: Path, templates: Path | None, mkdocs: Path | None, *, check: bool) -> None:
    """Write Markdown pages about DOCUMENT, a path or URL: an index, a page for each tag and for each schema."""
    made = emitting.pages(document, out, templates=templates, mkdocs=Path(mkdocs) if mkdocs is not None else None)
    _end(made, check=check)


@click.command()
@click.argument("documents", nargs=-1, required=True, metavar="DOCUMENT...")
@click.option("--out", type=_FOLDER, help="The folder in which a package is made for each document.")
@_templates
@_check
def stubs(documents: tuple[str, ...], out: Path | None, templates: Path | None, *, check: bool) -> None:
    """Write type hints for each DOCUMENT, a path or URL.

    With --out, each becomes a package whose load() returns a typed client. Without it, the package dynclient_types is
    made in src or in the current folder, and dynclient.load() itself is typed for these documents.
    """
    if out is None:
        made = [emitting.types_in_place(documents, Path(), templates=templates)]
    else:
        made = [emitting.package(document, out, templates=templates) for document in documents]
    _end(made, check=check)


@click.command()
@click.option(
    "--config",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=Path("pyproject.toml"),
    show_default=True,
    help="The file with the table [tool.dynclient].",
)
@_check
def generate(config: Path, *, check: bool) -> None:
    """Write all pages and types that the table [tool.dynclient] of a project asks for.

    It names the documents, the folder of their pages (docs), and where their types go (stubs): true for
    dynclient.load() itself, or a folder for a package each.
    """
    from dynclient_tools import generating

    _end(generating.generated(generating.read(config)), check=check)


def _end(made: Iterable[Emitted], *, check: bool) -> None:
    """Write what was made, or tell how it differs from what is there."""
    stale = False
    for emitted in made:
        if check:
            changes = emitted.difference()
            stale = stale or bool(changes)
            click.echo(changes, nl=False)
            continue
        try:
            written = emitted.write()
        except (NotOurs, OSError) as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"{len(written)} files in {emitted.folder}", err=True)
    if stale:
        raise click.exceptions.Exit(1)
