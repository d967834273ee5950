"""``dynclient demo``: show and run a first session, with the document that comes with dynclient."""

from __future__ import annotations

import click

from dynclient.cli.output import write
from dynclient.testing.demo import run


@click.command
def demo() -> None:
    """Show a first session with a small API: a mock answers; nothing is sent.

    The document comes with dynclient; other commands take it by the name demo, if nothing else has that name.
    """
    run(write)
