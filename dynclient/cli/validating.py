"""``dynclient validate``: every fault of a document, where it is."""

from __future__ import annotations

import sys

import click

from dynclient._load import load
from dynclient.cli import faults
from dynclient.cli.answers import FORMATS, write
from dynclient.cli.documents import document_argument, located
from dynclient.exceptions import DocumentError, escaped


@click.command(short_help="Tell every fault of a document.")
@document_argument()
@click.option(
    "-o",
    "--format",
    "output",
    type=click.Choice(["text", "json", "yaml"]),
    default="text",
    show_default=True,
    help="How they are shown.",
)
def validate(document: str, output: str) -> int:
    """Tell every fault of DOCUMENT, a line each: its file and line, its JSON pointer, and what is wrong.

    Operations, callbacks, webhooks and components are read, schemas are made ready, examples and defaults are held to
    their schemas. The exit status is 1 where there is a fault.
    """
    name = located(document)
    try:
        found = faults.faults(load(name))
    except DocumentError as error:
        found = [faults.of(error)]
    if output == "text":
        sys.stdout.writelines(f"{escaped(str(fault))}\n" for fault in found)
    else:
        write(FORMATS[output]([fault.as_data() for fault in found]))
    sys.stdout.flush()  # the count comes last, also where both streams go to one place
    click.echo(escaped(f"{name}: {len(found)} fault{'s' if len(found) != 1 else ''}"), err=True)
    return 1 if found else 0
