"""The commands ``dynclient docs`` and ``dynclient stubs``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

import dynclient
from dynclient_tools.files import NotOurs, write

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("document")
@click.option("--out", type=_FOLDER, required=True, help="The folder to write to; it is made if need be.")
def docs(document: str, out: Path) -> None:
    """Write Markdown pages about DOCUMENT, a path or URL: an index, a page for each tag and for each schema."""
    from dynclient_tools.docs import docs as emit

    _emit(emit, document, out)


@click.command()
@click.argument("document")
@click.option("--out", type=_FOLDER, required=True, help="The folder in which the package is made.")
def stubs(document: str, out: Path) -> None:
    """Write type hints for DOCUMENT, a path or URL: a package whose ``load`` returns a typed client."""
    from dynclient_tools.stubs import stubs as emit
    from dynclient_tools.views import client_name

    _emit(emit, document, out / client_name(document))


def _emit(emit: Callable[[dynclient.Client, str], dict[str, str]], document: str, out: Path) -> None:
    with dynclient.load(document) as client:
        files = emit(client, document)
    try:
        written = write(out, files)
    except (NotOurs, OSError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{len(written)} files in {out}", err=True)
