"""``dynclient har``: check traffic that a browser or a test has recorded against a document."""

from __future__ import annotations

from pathlib import Path

import click

from dynclient.cli.commands import Command
from dynclient.cli.documents import client_of, document_argument
from dynclient.cli.overlays import drift_option, save_drift


@click.group()
def har() -> None:
    """Check recorded traffic against a document."""


@har.command(cls=Command)
@document_argument()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--report", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True)
@drift_option
@click.option("--fail", is_flag=True, help="Exit with status 1 if anything differs from the document.")
def check(document: str, files: tuple[Path, ...], report: str, drift: Path | None, *, fail: bool) -> int:
    """Report where the traffic in FILES differs from DOCUMENT, and which parts of the document it uses.

    A file is HAR, as browsers save it, a recording of dynclient.testing.Recorder, or a cassette of vcrpy. Requests to
    other paths are counted as differences.
    """
    from dynclient.testing.recordings import read
    from dynclient.testing.reports import REPORTS
    from dynclient.testing.traffic import TrafficCheck

    with client_of(document) as client:
        traffic = TrafficCheck(client.api)
        for path in files:
            for recording in read(path):
                traffic.check(recording.request, recording.response)
    click.echo(REPORTS[report](traffic.coverage, traffic.differences))
    save_drift(traffic.drift, drift)
    return int(fail and bool(traffic.differences))
