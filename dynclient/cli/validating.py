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
@click.option("--strict", is_flag=True, help="Exit with 1 where there are warnings only, too.")
def validate(document: str, output: str, *, strict: bool) -> int:
    """Tell every fault of DOCUMENT, a line each: its file and line, its JSON pointer, and what is wrong.

    Operations, callbacks, webhooks and components are read, schemas are made ready, examples and defaults are held to
    their schemas; of members that OpenAPI does not know, it warns. The exit status is 1 where there is a fault.
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
    warnings = sum(fault.warning for fault in found)
    told = _counted(len(found) - warnings, "fault") + (f", {_counted(warnings, 'warning')}" if warnings else "")
    click.echo(escaped(f"{name}: {told}"), err=True)
    return 1 if len(found) > warnings or (strict and warnings) else 0


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"
