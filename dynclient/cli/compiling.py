"""``dynclient compile`` and ``dynclient cache``: compiled forms of documents."""

from __future__ import annotations

import datetime as dt
import os
from contextlib import suppress
from pathlib import Path

import click

from dynclient._document import cache_of
from dynclient._load import compiled
from dynclient.cli.documents import document_argument, located


@click.command("compile", short_help="Compile a document, to ship it.")
@document_argument()
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="A .dync file.")
def compile_(document: str, output: Path) -> None:
    """Write DOCUMENT, a path, URL or short name, and all that it refers to as one file, which loads in milliseconds."""
    if output.suffix.lower() != ".dync":
        raise click.BadParameter("the file's name must end in .dync", param_hint="-o")
    data = compiled(located(document))
    _write(output, data)
    click.echo(f"{output}: {len(data):,} bytes", err=True)


def _write(path: Path, data: bytes) -> None:
    """Write a file whole under another name, then rename it: who loads it meanwhile has the old one or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise click.ClickException(f"{path}: {error.strerror or error}") from None


@click.command(short_help="Show or clear the cache of documents.")
@click.option("--clear", is_flag=True, help="Remove what is in it.")
def cache(*, clear: bool) -> None:
    """Show what is in the cache of compiled documents. It fills again by itself."""
    store = cache_of(True)
    if store is None:
        click.echo("the cache is off (DYNCLIENT_CACHE)", err=True)
        return
    if clear:
        click.echo(f"{store.folder}: {store.clear()} removed", err=True)
        return
    entries = store.entries()
    for entry in entries:
        found = store.source(entry)
        used = dt.datetime.fromtimestamp(entry.used, dt.UTC).strftime("%Y-%m-%d %H:%M")
        click.echo(f"{entry.size:>12,}  {used}  {found}")
    click.echo(f"{store.folder}: {len(entries)} documents, {sum(entry.size for entry in entries):,} bytes", err=True)
