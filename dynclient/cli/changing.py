"""``dynclient diff``: what changed from one document to another."""

from __future__ import annotations

from typing import cast

import click

from dynclient.changes import REPORTS, SEVERITIES, Severity, compare
from dynclient.cli.documents import DocumentType, api_of

REACHED = 3


@click.command(short_help="Compare two documents.")
@click.argument("old", type=DocumentType())
@click.argument("new", type=DocumentType())
@click.option("-o", "--format", "output", type=click.Choice([*REPORTS]), default="text", show_default=True)
@click.option("--fail-on", type=click.Choice([*SEVERITIES]), help="End with status 3 at a change as bad as this.")
def diff(old: str, new: str, output: str, fail_on: str | None) -> int:
    """Tell what changed from the document OLD to NEW, as a Python caller sees it; each a path, a URL or a short name.

    A breaking change makes a caller fail that was right by OLD, or meet what it could not meet before; a warning asks
    for attention.
    """
    changes = compare(api_of(old), api_of(new))
    text = REPORTS[output](changes)
    if text:
        click.echo(text)
    return REACHED if fail_on is not None and changes.reach(cast("Severity", fail_on)) else 0
